/* SPDX-License-Identifier: MIT */
/*
 * guard - a small process outside the target that undoes a freeze when the holder dies, whatever
 * kills it.  No kernel lets a freeze end with the process that asked for it: without a guard a
 * SIGKILL between freeze and thaw leaves a service standing still, unnoticed.
 *
 *	holder					guard
 *	hf_guard_start()	-- fork -->	waits at a socket
 *	notes each setting before writing it, in a shared page
 *	dies			-- EOF -->	puts back every setting that is still as noted
 *	hf_guard_end()		-- EOF -->	finds nothing to put back, ends
 *
 * Threads need no help: the kernel lets go of a dead tracer's tracees, and stopped ones stay
 * stopped (ptrace(2), "Death of tracer").
 *
 * The guard also frees a holder that hangs in PTRACE_SEIZE.  On v1 that call sleeps, deaf to everything but
 * a fatal signal, when the thread was group-stopped between our look and the freeze, or is frozen
 * inside an exec; only thawing helps.
 */
#ifndef HF_GUARD_H
#define HF_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "freezer.h"

struct hf_guard_page;

struct hf_guard {
	pid_t pid;			/* 0: there is none */
	int fd;				/* our end of the socket */
	struct hf_guard_page *page;	/* shared with it */
	size_t page_size;
};
#define HF_GUARD_INIT { 0, -1, NULL, 0 }

/*
 * Start a guard for a freezer that was opened for writing.  message_fd: where it says what it has
 * put back, -1 for nowhere.  It leaves no SIGCHLD and needs no wait by the caller's program: its
 * exit signal is 0, and hf_guard_end() reaps it.  0 or -errno.
 */
int hf_guard_start(struct hf_guard *g, struct hf_freezer *f, int message_fd);

/* Everything is put back (or is meant to stay): the guard ends, and is reaped. */
void hf_guard_end(struct hf_guard *g, struct hf_freezer *f);

/*
 * Between the two, each call of hf_guard_step() says that the holder still moves.  A holder that does not for
 * HF_GUARD_STUCK_MS has its target thawed; hf_guard_watch_end() tells, and takes notice of, that.
 */
#define HF_GUARD_STUCK_MS 50
void hf_guard_watch_begin(struct hf_guard *g);
void hf_guard_step(struct hf_guard *g);
bool hf_guard_watch_end(struct hf_guard *g, struct hf_freezer *f);

#endif
