/* SPDX-License-Identifier: MIT */
/*
 * effects - what a process may notice of a hold all the same: calls that start over or return EINTR, a signal that will
 * kill it, timers that have run out, a watchdog, peers that wait.  Read from /proc and from copies of its
 * descriptors while it stands still, and only when asked for: it costs a few microseconds for every descriptor.
 */
#ifndef HF_EFFECTS_H
#define HF_EFFECTS_H

#include "collect.h"

/* Fill p->effects, for a process whose threads have been filled.  0, or a negative errno and c->err. */
int hf_effects_of_process(struct hf_collector *c, struct hf_process *p, const struct hf_face *face,
			  bool read_memory);

/*
 * Pure: of the signals that are pending, those that will end a process when it may take them: not blocked, not ignored, not
 * caught, and ending it by default.  As a mask.
 */
uint64_t hf_effects_fatal(uint64_t pending, const struct hf_status *status);

/*
 * Pure: WATCHDOG_USEC of an environment (strings each ended by NUL), if it is meant for this pid as its own PID namespace
 * has it (sd_watchdog_enabled(3)).  0 when there is none.
 */
uint64_t hf_effects_watchdog_us(const char *environment, size_t len, pid_t pid);

#endif
