/* SPDX-License-Identifier: MIT */
/*
 * clock - monotonic deadlines, and the short growing sleeps used where the kernel offers no
 * event to wait for (a v1 freezer's state, the stop of one particular tracee).  And times in words.
 */
#ifndef HF_CLOCK_H
#define HF_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC and CLOCK_REALTIME. */
uint64_t hf_clock_ns(void);
int64_t hf_clock_real_us(void);

/*
 * One point of CLOCK_MONOTONIC; passed by value.  With a cancel_fd the deadline has come, too, once
 * that descriptor can be read; -1 for none, as the functions below make it.
 */
struct hf_deadline {
	uint64_t at_ns;
	int cancel_fd;
};

struct hf_deadline hf_deadline_in_ms(uint64_t ms);
/* The earlier of d and ms from now: for steps that must not eat the whole deadline. */
struct hf_deadline hf_deadline_within_ms(struct hf_deadline d, uint64_t ms);
bool hf_deadline_passed(struct hf_deadline d);
bool hf_deadline_cancelled(struct hf_deadline d);
uint64_t hf_deadline_left_ns(struct hf_deadline d);

/*
 * Sleeps that grow from 20 us, by half each time, to 1 ms: freezing takes 0.1 to 0.4 ms for a few threads
 * and 4 us for each of many (measured, Linux 6.18), so a wait should cost little more than
 * what it waits for.  Start from HF_NAP_INIT, again after each sign of progress.
 */
struct hf_nap {
	uint32_t next_us;
};
#define HF_NAP_INIT { 20 }

/* Sleep once, never past the deadline.  False when the deadline had passed already, or it was cancelled. */
bool hf_nap(struct hf_nap *nap, struct hf_deadline d);

/* A time as people say it, whatever the locale: "310 us", "4.2 ms", "3.1 s", "2 min 5 s", "3 h 10 min". */
#define HF_SPAN_MAX 32
const char *hf_span(uint64_t us, char ret[HF_SPAN_MAX]);

#endif
