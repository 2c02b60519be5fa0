/* SPDX-License-Identifier: MIT */
/*
 * resume THREADS GAP_MS - threads that look at the clock and give way to the next, for ever; when the last look was longer
 * ago than the gap they have been stopped, and the slot's value, if it was 0, becomes the time (CLOCK_MONOTONIC, ns) of
 * the first look after that.
 */
#include "victim.h"

#include <sched.h>
#include <time.h>

static uint64_t gap_ns;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void *looker(void *arg)
{
	uint32_t slot = *(uint32_t *)arg;
	uint64_t last = now_ns();

	victim_take(slot, VICTIM_MOVES);
	for (;;) {
		uint64_t now = now_ns();

		if (now - last > gap_ns && !atomic_load(&board->slots[slot].value))
			atomic_store(&board->slots[slot].value, now);
		last = now;
		victim_count(slot);
		sched_yield();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 1000);
	uint32_t first, *slots = calloc(n, sizeof(*slots));

	gap_ns = victim_arg(argc, argv, 2, 150) * 1000000ull;
	victim_begin();
	first = victim_claim(n);
	for (uint32_t i = 0; slots && i < n; i++) {
		slots[i] = first + i;
		victim_thread(looker, &slots[i]);
	}
	victim_await(first, n);
	victim_ready();
	for (;;)
		pause();
}
