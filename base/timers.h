/* SPDX-License-Identifier: MIT */
/*
 * timers - pure parsers of what /proc tells about the timers of a process, as procfs.h is about the rest.
 */
#ifndef HF_TIMERS_H
#define HF_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/*
 * /proc/PID/fdinfo/FD of a timerfd: how often it has run out and was not read.  0, or -EBADMSG when the text has
 * no such line.
 */
int hf_timerfd_parse(const char *text, size_t len, uint64_t *ret_ticks);

/* A POSIX timer: which signal it sends; 0 for none. */
struct hf_timer {
	uint32_t id;
	int signal;
};

/*
 * The next one of /proc/PID/timers from *pos on.  1, 0 at the end, or -EBADMSG; *pos and *ret are
 * untouched but for 1.
 */
int hf_timers_next(const char *text, size_t len, size_t *pos, struct hf_timer *ret);

#endif
