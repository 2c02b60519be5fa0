/* SPDX-License-Identifier: MIT */
/*
 * threadstorm LINEAGES [deadleader] - each lineage is one thread at a time, which counts, starts
 * its successor and ends, at full speed.
 */
#include "victim.h"

static void *lineage(void *arg)
{
	uint32_t slot = (uint32_t)(uintptr_t)arg;
	pthread_attr_t attr;
	pthread_t next;

	victim_count(slot);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	/* Ended threads give their memory back a little later than they end. */
	while (pthread_create(&next, &attr, lineage, arg))
		usleep(1000);
	pthread_attr_destroy(&attr);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 4);
	uint32_t first;

	victim_begin();
	first = victim_claim(n + 1);
	for (uint32_t i = 0; i < n; i++) {
		victim_take(first + i, VICTIM_MOVES);
		pthread_detach(victim_thread(lineage, (void *)(uintptr_t)(first + i)));
	}
	victim_await(first, n);
	if (argc > 2) {
		victim_take(first + n, VICTIM_ENDED);
		victim_ready();
		pthread_exit(NULL);
	}
	victim_ready_and_spin(first + n, 1000);
}
