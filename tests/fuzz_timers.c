/* SPDX-License-Identifier: MIT */
/*
 * fuzz_timers - the parsers of base/timers.c, and that of an environment, on any bytes: no access outside of the
 * text, outputs untouched on failure, and every walk comes to an end.
 */
#include <errno.h>
#include <string.h>

#include "effects.h"
#include "fuzz.h"
#include "timers.h"

static void fuzz_timers(const char *text, size_t len)
{
	size_t pos = 0, before;
	struct hf_timer timer;
	int r;

	do {
		before = pos;
		memset(&timer, FUZZ_FILLER, sizeof(timer));
		r = hf_timers_next(text, len, &pos, &timer);
		FUZZ_REQUIRE(r == 1 || r == 0 || r == -EBADMSG);
		if (r == 1)
			FUZZ_REQUIRE(pos > before && pos <= len && timer.signal >= 0 && timer.signal <= 64);
		else
			FUZZ_REQUIRE(pos == before && fuzz_is_untouched(&timer, sizeof(timer)));
	} while (r == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	uint64_t ticks = 7;

	if (size == 0)
		return 0;
	size--;
	switch ((data[0] - '0') % 3) {
	case 0:
		if (hf_timerfd_parse(text, size, &ticks) < 0)
			FUZZ_REQUIRE(ticks == 7);
		break;
	case 1:
		fuzz_timers(text, size);
		break;
	default:
		hf_effects_watchdog_us(text, size, 100);
		break;
	}
	return 0;
}
