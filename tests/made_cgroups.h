/* SPDX-License-Identifier: MIT */
/*
 * made_cgroups - made-up trees that look like the two freezer hierarchies, below one temporary directory.  `check`
 * forks for every test, so one at a time is enough.
 */
#ifndef HF_TESTS_MADE_CGROUPS_H
#define HF_TESTS_MADE_CGROUPS_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"
#include "suite.h"

static char made_top[64];
static struct hf_mounts made_mounts;

static inline void make_cgroups(void)
{
	snprintf(made_top, sizeof(made_top), "/tmp/hf-made-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(made_top));
	snprintf(made_mounts.path[HF_MOUNT_V2], PATH_MAX, "%s/v2", made_top);
	snprintf(made_mounts.path[HF_MOUNT_V1], PATH_MAX, "%s/v1", made_top);
	ck_assert_int_eq(mkdir(made_mounts.path[HF_MOUNT_V2], 0700), 0);
	ck_assert_int_eq(mkdir(made_mounts.path[HF_MOUNT_V1], 0700), 0);
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static inline void remove_cgroups(void)
{
	nftw(made_top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A file with this text below the temporary directory; its directories are made. */
static inline void make_file(const char *name, const char *text)
{
	char path[3 * PATH_MAX];
	char *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", made_top, name);
	for (slash = strchr(path + strlen(made_top) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* A cgroup: in v2 or v1, with members or without, by v1 frozen or not. */
enum made_state { MADE_EMPTY, MADE_POPULATED, MADE_FROZEN };
static inline void make_cgroup(enum hf_mount mount, const char *below, enum made_state state)
{
	char name[2 * PATH_MAX];
	const char *top = mount == HF_MOUNT_V2 ? "v2" : "v1";

	if (mount == HF_MOUNT_V2) {
		snprintf(name, sizeof(name), "%s%s/cgroup.events", top, below);
		make_file(name, state == MADE_EMPTY ? "populated 0\nfrozen 0\n" : "populated 1\nfrozen 0\n");
		return;
	}
	snprintf(name, sizeof(name), "%s%s/cgroup.procs", top, below);
	make_file(name, state == MADE_EMPTY ? "" : "12\n");
	snprintf(name, sizeof(name), "%s%s/freezer.state", top, below);
	make_file(name, state == MADE_FROZEN ? "FROZEN\n" : "THAWED\n");
}

/* The path of a cgroup, absolute. */
static inline const char *made_path(enum hf_mount mount, const char *below)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", made_mounts.path[mount], below);
	return path;
}

#endif
