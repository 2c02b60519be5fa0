/* SPDX-License-Identifier: MIT */
/*
 * tree - the forest that the processes of a hold form, and the walk over it.  Building it is pure:
 * an array of processes in, edges and order out.  collect.c fills the array from /proc.
 *
 * Nothing here recurses: a chain of processes may be as deep as the kernel's limit on pids.
 */
#ifndef HF_TREE_H
#define HF_TREE_H

#include <stdbool.h>

#include "holdfast.h"

#include "arena.h"

struct hf_tree {
	struct hf_arena arena;		/* threads, strings and id lists of procs */
	struct hf_process *procs;	/* by pid once linked; malloc()ed, since it grows */
	size_t n;
	const struct hf_process *roots;
	bool effects;			/* they were asked for */
	bool brief;			/* of most processes only what text shows is known */
};

/* The process with this pid among n that are sorted by pid. */
struct hf_process *hf_process_find(struct hf_process *procs, size_t n, pid_t pid);

/*
 * Sort procs by pid and set parent, first_child, next_sibling and *ret_roots from pid, ppid and
 * start_time_ticks; whatever these pointers held before is ignored.  Siblings and roots go by
 * start time, then pid.  0 or -ENOMEM.
 */
int hf_forest_link(struct hf_process *procs, size_t n, const struct hf_process **ret_roots);

/* A tree of made-up processes: the array is copied, what its members point to is lent. */
int hf_tree_of(const struct hf_process *procs, size_t n, hf_tree **ret_tree);

#endif
