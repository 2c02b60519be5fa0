/* SPDX-License-Identifier: MIT */
/*
 * guard - a small process outside the target that undoes a freeze when the holder dies, whatever
 * kills it.  No kernel lets a freeze end with the process that asked for it: without a guard a
 * SIGKILL between freeze and thaw leaves a service standing still, unnoticed.
 *
 *	holder					guard
 *	hf_guard_start()	-- fork -->	waits at a socket and at the holder's pidfd
 *	notes each setting before writing it, in the journal
 *	dies			-- either -->	does as asked (guard_undo.c): as a rule puts back every
 *						setting that is still as noted; lets go of the locks
 *	hf_guard_end()		-- EOF -->	finds nothing to put back, ends
 *
 * The socket alone would not tell: a child that the holder's program has forked keeps it open.  Where
 * there is no pidfd (Linux before 5.3, or a filter) the guard waits for such children, too.
 *
 * What counts as the holder is its process.  A thread that ends and leaves its hold behind is not
 * noticed.
 *
 * Threads need no help: the kernel lets go of a dead tracer's tracees, and stopped ones stay
 * stopped (ptrace(2), "Death of tracer").
 *
 * The guard also frees a holder that hangs in PTRACE_SEIZE.  On v1 that call sleeps, deaf to everything but
 * a fatal signal, when the thread was group-stopped between our look and the freeze, or is frozen
 * inside an exec; only thawing helps.  On v2 it does not hang, and nothing is thawed.
 */
#ifndef HF_GUARD_H
#define HF_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "freezer.h"
#include "journal.h"

struct hf_guard {
	pid_t pid;			/* 0: there is none */
	int fd;				/* our end of the socket */
	struct hf_journal journal;	/* shared with it */
};
#define HF_GUARD_INIT { 0, -1, HF_JOURNAL_INIT }

struct hf_guard_options {
	int message_fd;		/* where it says what it has done; -1: nowhere */
	bool no_process;	/* the journal alone */
	bool no_file;		/* no journal that outlives both */
};

/*
 * Start a guard, and a journal, for a freezer that was opened for writing.  It leaves no SIGCHLD and needs no wait
 * by the caller's program: its exit signal is 0, and hf_guard_end() reaps it.  0 or -errno.
 */
int hf_guard_start(struct hf_guard *g, struct hf_freezer *f, const struct hf_guard_options *opts);

/*
 * The same as the options of a public call say: message_fd 0 is nowhere.  0, or the error said in *err.
 */
int hf_guard_post(struct hf_guard *g, struct hf_freezer *f, bool no_guard, bool no_journal, int message_fd,
		  struct hf_error *err);

/* What it does when the holder dies from now on; RESUME at first. */
void hf_guard_on_death(struct hf_guard *g, enum hf_on_death what);

/*
 * From that time on (CLOCK_MONOTONIC; 0: never) the guard kills the holder: one that has been stopped, or hangs,
 * cannot obey a timer of its own.
 */
void hf_guard_dead_man(struct hf_guard *g, uint64_t at_ns);

/*
 * Everything is put back (or is meant to stay): the guard ends, and is reaped.  Takes less than half
 * a second, even if somebody has stopped the guard.
 */
void hf_guard_end(struct hf_guard *g, struct hf_freezer *f);

/*
 * Around the passes that seize a frozen target: between on and off the guard looks after the holder, at
 * other times it sleeps.
 */
void hf_guard_watch(struct hf_guard *g, bool on);

/*
 * Around each single PTRACE_SEIZE; no system calls.  A holder that is inside for HF_GUARD_STUCK_MS, while
 * it is watched, has its target thawed.  Leaving tells, and takes notice of, that: true when the target has
 * to be frozen anew.  Who has left is not thawed under.
 */
#define HF_GUARD_STUCK_MS 50
void hf_guard_enter(struct hf_guard *g);
bool hf_guard_leave(struct hf_guard *g, struct hf_freezer *f);

#endif
