/* SPDX-License-Identifier: MIT */
/*
 * timers - see timers.h.
 */
#include "timers.h"

#include <errno.h>

#include "scan.h"

int hf_timerfd_parse(const char *text, size_t len, uint64_t *ret_ticks)
{
	struct hf_scan s = hf_scan_of(text, len), line;
	uint64_t ticks;
	int r;

	while ((r = hf_scan_line(&s, &line)) > 0) {
		if (!hf_scan_skip(&line, "ticks:"))
			continue;
		hf_scan_blanks(&line);
		if (hf_scan_number(&line, 10, UINT64_MAX, &ticks) < 0 || line.len)
			return -EBADMSG;
		*ret_ticks = ticks;
		return 0;
	}
	return -EBADMSG;
}

/* "signal: 14/0000..." and "notify: signal/pid.2634", "none/..." or "thread/..." (proc_pid_timers(5)). */
static int scan_timer(struct hf_scan *s, const struct hf_scan *first, struct hf_timer *ret)
{
	struct hf_scan id = *first, line, before;
	uint64_t number, signal;

	hf_scan_blanks(&id);
	if (hf_scan_number(&id, 10, UINT32_MAX, &number) < 0 || id.len)
		return -EBADMSG;
	if (hf_scan_line(s, &line) <= 0 || !hf_scan_skip(&line, "signal: ") ||
	    hf_scan_number(&line, 10, 64, &signal) < 0 || !hf_scan_skip(&line, "/"))
		return -EBADMSG;
	if (hf_scan_line(s, &line) <= 0 || !hf_scan_skip(&line, "notify: "))
		return -EBADMSG;
	ret->id = (uint32_t)number;
	ret->signal = hf_scan_skip(&line, "none") ? 0 : (int)signal;
	/* "ClockID: 0", and whatever later kernels add before the next "ID:". */
	for (;;) {
		before = *s;
		if (hf_scan_line(s, &line) <= 0)
			return 0;
		if (hf_scan_skip(&line, "ID:")) {
			*s = before;
			return 0;
		}
	}
}

int hf_timers_next(const char *text, size_t len, size_t *pos, struct hf_timer *ret)
{
	struct hf_scan s = hf_scan_of(text, len), line;
	struct hf_timer timer;
	int r;

	if (*pos > len)
		return -EBADMSG;
	hf_scan_advance(&s, *pos);
	r = hf_scan_line(&s, &line);
	if (r <= 0)
		return r;
	if (!hf_scan_skip(&line, "ID:"))
		return -EBADMSG;
	r = scan_timer(&s, &line, &timer);
	if (r < 0)
		return r;
	*ret = timer;
	*pos = len - s.len;
	return 1;
}
