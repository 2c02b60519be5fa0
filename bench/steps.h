/* SPDX-License-Identifier: MIT */
/*
 * steps - the bare system calls of a hold in the best order, and nothing else: what the kernel charges at least.  Nothing
 * is verified, and nothing undone; a failure ends the program.
 *
 *	hold		freeze, list, SEIZE and INTERRUPT each, thaw, wait for each (v2: wait, thaw)
 *	release		freeze, DETACH each, thaw, so that all start together
 *
 * Without a freezer (a PID with its descendants): list, SEIZE and INTERRUPT, wait; then DETACH.
 */
#ifndef HF_BENCH_STEPS_H
#define HF_BENCH_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <holdfast.h>

struct steps {
	int version;		/* of the freezer: 1 or 2; 0 for a PID */
	char where[4096];
	pid_t pid;
	int set_fd, state_fd;
	bool spins;		/* waits for "frozen" without naps: the kernel's own time, at the price of a processor */
	pid_t *tids;
	size_t n, cap;
	char *text;		/* one buffer for all lists */
	size_t text_cap;
	struct hf_timing us;	/* of the last hold and release */
};

uint64_t steps_now_us(void);
void steps_die(const char *what);

/* Where: a cgroup's directory, or a PID. */
void steps_open(struct steps *s, const char *where);
void steps_done(struct steps *s);

void steps_freeze(struct steps *s);
void steps_thaw(struct steps *s);
/* Everybody's tid. */
void steps_list(struct steps *s);
void steps_hold(struct steps *s);
void steps_release(struct steps *s);

#endif
