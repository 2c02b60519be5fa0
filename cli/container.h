/* SPDX-License-Identifier: MIT */
/*
 * container - from the id or the name of a container to its cgroup.
 *
 * Runtimes name cgroups after containers, each in its own way; container_of.c has the spellings.  Names, and
 * the cgroups of runc and crun, are in their state directories (runtime_state.h).
 */
#ifndef HF_CONTAINER_H
#define HF_CONTAINER_H

#include <limits.h>
#include <stdbool.h>

#include "holdfast.h"

#include "cgroups.h"
#include "runtime_state.h"

#define HF_CONTAINER_ID_MAX 255

/*
 * Whether a cgroup, by its path within the hierarchy, is that of a container, or of all containers of a pod: its id
 * into ret_id, who made it ("Docker", "Kubernetes pod") into *ret_kind, static storage.  The cgroups of a
 * container's helpers, as conmon, are not.  Pure.
 */
bool hf_container_of(const char *below, char ret_id[HF_CONTAINER_ID_MAX + 1], const char **ret_kind);

/*
 * Find the cgroup of a container by its whole id, its name, or the beginning of its id, in this order.  ret has the
 * absolute path, ret_name what people call it: its name if it was found by that, else its id, the long ones
 * cut to 12 characters.  -ENOENT: none; -ENOTUNIQ: several, listed in err; -ESRCH: it does not run.
 */
int hf_container_find(const struct hf_mounts *mounts, const struct hf_state_places *places, const char *wanted,
		      char ret[PATH_MAX], char ret_name[HF_CONTAINER_ID_MAX + 1], struct hf_error *err);

/* All ids, long ones cut as above, and names of those that have a cgroup: each once, for completion. */
typedef void hf_container_word_fn(const char *word, void *data);
int hf_container_words(const struct hf_mounts *mounts, const struct hf_state_places *places,
		       hf_container_word_fn *fn, void *data);

#endif
