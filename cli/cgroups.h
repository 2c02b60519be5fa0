/* SPDX-License-Identifier: MIT */
/*
 * cgroups - all cgroups below the freezer mounts, and the one that is meant of several for the same thing.  Reads
 * directories and changes nothing.
 *
 * A hybrid machine has a container, or a unit, in both hierarchies.  The one with members is meant; if both
 * have some, the v1 cgroup where that is frozen (a container that its runtime has paused can be held through
 * the freezer that paused it, and through no other), else v2.
 */
#ifndef HF_CGROUPS_H
#define HF_CGROUPS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the freezers are: [HF_MOUNT_V2], [HF_MOUNT_V1]; "" for one that is not mounted. */
enum hf_mount { HF_MOUNT_V2, HF_MOUNT_V1, HF_MOUNT_COUNT };
struct hf_mounts {
	char path[HF_MOUNT_COUNT][PATH_MAX];
};
/* 0 or -errno. */
int hf_mounts_find(struct hf_mounts *ret);

/*
 * Call fn for each cgroup of both hierarchies but the roots, parents before children, in the order of names.
 * below is its path within the hierarchy and begins with a slash.  What cannot be read is passed over.  0,
 * -ENOMEM, or what fn returned, if that was not 0: it ends the walk.
 */
typedef int hf_cgroup_fn(enum hf_mount mount, const char *below, void *data);
int hf_cgroups_walk(const struct hf_mounts *mounts, hf_cgroup_fn *fn, void *data);

/* Cgroups that were found, each for something that a key tells apart: the id of a container, say. */
struct hf_site {
	char *key;
	char *path;		/* absolute */
	const char *kind;	/* lent: static storage */
	bool meant;		/* for whoever chooses: this one has been counted */
};
struct hf_sites {
	struct hf_site *list;
	size_t n, cap;
};
/* Copies key and path; a path that is there already is not added again.  0 or -ENOMEM. */
int hf_sites_add(struct hf_sites *sites, const char *key, const char *path, const char *kind);
/* The same for a cgroup as hf_cgroups_walk() tells it. */
int hf_sites_add_below(struct hf_sites *sites, const char *key, const struct hf_mounts *mounts,
		       enum hf_mount mount, const char *below, const char *kind);
/* By key, so that those of one key are neighbours and the first of each can be told. */
void hf_sites_sort(struct hf_sites *sites);
/* Of sorted ones: whether none before has this one's key. */
bool hf_sites_is_first(const struct hf_sites *sites, size_t i);
/* Of those with this key the one that is meant; NULL where there is none. */
const struct hf_site *hf_sites_meant(const struct hf_sites *sites, const char *key);
void hf_sites_done(struct hf_sites *sites);

#endif
