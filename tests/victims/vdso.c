/* SPDX-License-Identifier: MIT */
/*
 * vdso [THREADS] - threads that do nothing but ask for the time, which is code of the kernel's that runs in user space
 * and tries again while the kernel changes its data.  A slot counts the answers; its value counts those that are
 * before the last one.
 */
#include "victim.h"

#include <time.h>

static void *asker(void *arg)
{
	uint32_t slot = *(uint32_t *)arg;
	uint64_t last = 0;

	victim_take(slot, VICTIM_MOVES);
	for (;;) {
		struct timespec ts;
		uint64_t now;

		if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0 || ts.tv_nsec < 0 || ts.tv_nsec > 999999999)
			atomic_fetch_add(&board->slots[slot].value, 1);
		now = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
		if (now < last)
			atomic_fetch_add(&board->slots[slot].value, 1);
		last = now;
		victim_count(slot);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 3);
	uint32_t first, *slots = calloc(n, sizeof(*slots));

	victim_begin();
	first = victim_claim(n + 1);
	for (uint32_t i = 0; slots && i < n; i++) {
		slots[i] = first + i;
		victim_thread(asker, &slots[i]);
	}
	victim_await(first, n);
	victim_ready_and_spin(first + n, 1000);
}
