/* SPDX-License-Identifier: MIT */
/*
 * clock - see clock.h.
 */
#include "clock.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define NAP_MAX_US 1000u

uint64_t hf_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

int64_t hf_clock_real_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct hf_deadline hf_deadline_in_ms(uint64_t ms)
{
	uint64_t at_ns;

	if (__builtin_mul_overflow(ms, (uint64_t)NS_PER_MS, &at_ns) ||
	    __builtin_add_overflow(at_ns, hf_clock_ns(), &at_ns))
		at_ns = UINT64_MAX;	/* never */
	return (struct hf_deadline){ at_ns, -1 };
}

struct hf_deadline hf_deadline_within_ms(struct hf_deadline d, uint64_t ms)
{
	struct hf_deadline soon = hf_deadline_in_ms(ms);

	soon.cancel_fd = d.cancel_fd;
	return soon.at_ns < d.at_ns ? soon : d;
}

uint64_t hf_deadline_left_ns(struct hf_deadline d)
{
	uint64_t now = hf_clock_ns();

	return now >= d.at_ns ? 0 : d.at_ns - now;
}

bool hf_deadline_cancelled(struct hf_deadline d)
{
	struct pollfd p = { .fd = d.cancel_fd, .events = POLLIN };

	return d.cancel_fd >= 0 && poll(&p, 1, 0) > 0;
}

bool hf_deadline_passed(struct hf_deadline d)
{
	return hf_deadline_left_ns(d) == 0 || hf_deadline_cancelled(d);
}

bool hf_nap(struct hf_nap *nap, struct hf_deadline d)
{
	uint64_t left = hf_deadline_left_ns(d);
	uint64_t ns = (uint64_t)nap->next_us * 1000;
	struct pollfd p = { .fd = d.cancel_fd, .events = POLLIN };
	struct timespec ts;

	if (left == 0)
		return false;
	if (ns > left)
		ns = left;
	ts.tv_sec = (time_t)(ns / NS_PER_S);
	ts.tv_nsec = (long)(ns % NS_PER_S);
	/* A signal may cut it short; the caller looks again anyway.  A descriptor of -1 is passed over. */
	if (ppoll(&p, 1, &ts, NULL) > 0)
		return false;
	nap->next_us += nap->next_us / 2;
	if (nap->next_us > NAP_MAX_US)
		nap->next_us = NAP_MAX_US;
	return true;
}

/* To the nearest tenth of a unit, which is so many microseconds. */
static void say_tenths(uint64_t us, unsigned int tenth_us, const char *unit, char ret[HF_SPAN_MAX])
{
	uint64_t n = (us + tenth_us / 2) / tenth_us;

	snprintf(ret, HF_SPAN_MAX, "%llu.%llu %s", (unsigned long long)(n / 10), (unsigned long long)(n % 10), unit);
}

const char *hf_span(uint64_t us, char ret[HF_SPAN_MAX])
{
	uint64_t s = (us + 500000) / 1000000;

	if (us < 1000)
		snprintf(ret, HF_SPAN_MAX, "%llu us", (unsigned long long)us);
	else if (us < 999950)
		say_tenths(us, 100, "ms", ret);
	else if (us < 99950000)
		say_tenths(us, 100000, "s", ret);
	else if (s < 3600)
		snprintf(ret, HF_SPAN_MAX, "%llu min %llu s", (unsigned long long)(s / 60),
			 (unsigned long long)(s % 60));
	else
		snprintf(ret, HF_SPAN_MAX, "%llu h %llu min", (unsigned long long)(s / 3600),
			 (unsigned long long)(s / 60 % 60));
	return ret;
}
