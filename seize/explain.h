/* SPDX-License-Identifier: MIT */
/*
 * explain - the reasons behind an errno, in words that a user can act on.  Reads /proc, changes
 * nothing, and never fails: what cannot be read is left out.
 */
#ifndef HF_EXPLAIN_H
#define HF_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Why ptrace(2) says EPERM for a thread.  The same errno stands for nine things (another tracer, a dying task, a
 * kernel thread, our own thread group, ids and capabilities, dumpable, Yama, a security module, a
 * seccomp filter of our own); they are tested in an order in which the first that holds is the reason.
 */
void hf_explain_eperm(pid_t tid, char *buf, size_t cap);

/* "31 (server)", or "31 (server) of process 30" for a thread that is no leader. */
void hf_explain_who(pid_t tid, char *buf, size_t cap);

/*
 * What a thread that does not stop is doing: state, kernel function, system call, and what that
 * usually means.
 */
void hf_explain_stuck(pid_t tid, char *buf, size_t cap);

/* Whether a kernel function is one where neither freezer reaches who sleeps there. */
bool hf_explain_is_deaf(const char *wchan);

/* The same for several, in one line: the first of them, at most HF_EXPLAIN_NAMED, and how many more of n. */
#define HF_EXPLAIN_NAMED 3
void hf_explain_all_stuck(const pid_t tids[HF_EXPLAIN_NAMED], size_t n, char *buf, size_t cap);

/* What an uninterruptible sleep of a thread means for a hold. */
enum hf_sleep {
	HF_SLEEP_NONE = 0,	/* it is not in one */
	HF_SLEEP_VFORK,		/* waits for its vfork child; harmless while the child is held */
	HF_SLEEP_EXEC,		/* in an exec, waits for its sibling threads to die */
	HF_SLEEP_OTHER,		/* the disk, a network file system, ... */
};
/* *ret_child (may be NULL): the child a vfork parent waits for, 0 when it cannot be told. */
enum hf_sleep hf_explain_sleep(pid_t tid, pid_t *ret_child);

#endif
