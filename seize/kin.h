/* SPDX-License-Identifier: MIT */
/*
 * kin - the caller's process and its ancestors.  A shell that we stop could not let us go, nor could a terminal
 * or an ssh session that we are run from.
 */
#ifndef HF_KIN_H
#define HF_KIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "holdfast.h"

#define HF_KIN_MAX 128
struct hf_kin {
	pid_t pids[HF_KIN_MAX];		/* our process, and then its ancestors, nearest first */
	size_t n;
};

/* Refuses, with EXDEV, to be told by a /proc that numbers processes as another PID namespace does. */
int hf_kin_find(struct hf_kin *k, struct hf_error *err);
/* Our process, or an ancestor. */
bool hf_kin_has(const struct hf_kin *k, pid_t pid);
/* Refuse, with EBUSY, a thread of ours or an ancestor's leader; `where` is the target, in words. */
int hf_kin_refuse(const struct hf_kin *k, const char *where, pid_t tid, struct hf_error *err);

#endif
