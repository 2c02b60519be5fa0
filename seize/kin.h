/* SPDX-License-Identifier: MIT */
/*
 * kin - our process and its ancestors, and those of who asks us to take a hold: whose child we need not be any more.  A
 * shell that we stop could not let us go, nor could a terminal or an ssh session that we are run from.
 */
#ifndef HF_KIN_H
#define HF_KIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "holdfast.h"

#define HF_KIN_MAX 128
struct hf_kin {
	struct hf_kinsman {
		pid_t pid;
		pid_t alive;		/* a thread of it: a first one that has ended is listed nowhere */
		uint64_t start;		/* in ticks; 0: not known */
	} of[HF_KIN_MAX];		/* our process, and then its ancestors, nearest first */
	size_t n;
	const struct hf_kin *asker;	/* as he has found his, lent; NULL: nobody else asks */
};

/* Refuses, with EXDEV, to be told by a /proc that numbers processes as another PID namespace does. */
int hf_kin_find(struct hf_kin *k, const struct hf_kin *asker, struct hf_error *err);
/*
 * Refuse, with EBUSY, a thread of ours or the asker's, or an ancestor; `where` is the target, in words.  Where it can have
 * some threads of a process without the others, the kernel is asked about each, if it is ours; of an ancestor the first
 * counts.
 */
int hf_kin_refuse(const struct hf_kin *k, const char *where, bool split, pid_t tid, struct hf_error *err);

#endif
