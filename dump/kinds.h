/* SPDX-License-Identifier: MIT */
/*
 * kinds - threads with equal stacks: the same frames, the same end, found in the same state, in the same system call.
 * Most threads of a large program are of a few kinds.
 */
#ifndef HF_KINDS_H
#define HF_KINDS_H

#include <stddef.h>

struct hf_copied_thread;
struct hf_stacks;

struct hf_kind {
	const struct hf_copied_thread **threads;	/* in the order of the threads */
	size_t n;
};

/* All zero is empty. */
struct hf_kinds {
	const struct hf_copied_thread **threads;	/* all, kind after kind */
	struct hf_kind *all;				/* the largest first, then by their first thread */
	size_t n;
};

enum hf_kinds_of {
	HF_KINDS_OF_STACKS = 0,	/* of whatever process */
	HF_KINDS_OF_NAMES,	/* of processes of one name */
	HF_KINDS_OF_THREADS,	/* each thread is of a kind of its own, in their order */
};

/* 0 or -ENOMEM. */
int hf_kinds_find(struct hf_kinds *kinds, const struct hf_stacks *stacks, enum hf_kinds_of what);
void hf_kinds_done(struct hf_kinds *kinds);

#endif
