/* SPDX-License-Identifier: MIT */
/*
 * births - who was born to whom, told by the kernel's process events (CONFIG_PROC_EVENTS, the proc connector).
 *
 * A process that ends leaves its children to a reaper, and no file of /proc tells whose they were.  So a process
 * that forks and ends before we have seized it would take a descendant out of our sight.  The event of a fork is
 * queued before the newborn runs its first instruction (kernel/fork.c, copy_process(): proc_fork_connector() comes
 * before the child is woken), and events come in order: who has read them all knows every child of whoever he knew.
 *
 * Events are for the initial PID and user namespaces, and for root alone before Linux 6.6; without them
 * orphans of that kind are not found.
 */
#ifndef HF_BIRTHS_H
#define HF_BIRTHS_H

#include <stdbool.h>
#include <sys/types.h>

#include "task.h"

struct hf_births {
	int fd;			/* -1: no events here */
	bool lost;		/* there were more than we could read in time */
	/* By pid of the child; `other` is its parent, `mark` whether it is one of the family; GONE: not any more. */
	struct hf_task_set born;
};
#define HF_BIRTHS_INIT { .fd = -1 }

/* From now on births are told.  Where they cannot be, fd stays -1. */
void hf_births_begin(struct hf_births *b);
void hf_births_end(struct hf_births *b);

/*
 * Read what has happened.  Each newborn's mark is whether belongs() knows its parent, or itself, at that point of
 * the order; a pid that is born again forgets what it was.  -ENOMEM.
 */
int hf_births_read(struct hf_births *b, bool (*belongs)(pid_t pid, void *data), void *data);

#endif
