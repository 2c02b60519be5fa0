/* SPDX-License-Identifier: MIT */
/*
 * mixed [vfork] - a process whose threads are not all alike: two that count, one that sleeps for an
 * hour, one that reads from an empty pipe, and with "vfork" one whose child is blocked until it is poked.
 * That last one is deaf to a stop signal for as long, so that a group-stop begins and is not completed.
 *
 * Slots: 0 main, 1 the second that counts, 2 the sleeper, 3 the reader, 4 the vfork parent, which counts
 * after vfork has come back; the child's pid is its value.  When the value of slot 1 is set, that thread
 * starts one more, which counts in the next slot.
 */
#include "victim.h"

#include <time.h>

static uint32_t first;

static void *give_birth(void *arg)
{
	(void)arg;
	victim_take(first + 1, VICTIM_MOVES);
	for (;;) {
		victim_count(first + 1);
		if (atomic_exchange(&board->slots[first + 1].value, 0))
			victim_spinner(victim_claim(1), 0);
	}
	return NULL;
}

static void *sleep_long(void *arg)
{
	const struct timespec hour = { 3600, 0 };

	(void)arg;
	victim_take(first + 2, VICTIM_STAYS);
	for (;;) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL);
		victim_count(first + 2);
	}
	return NULL;
}

static void *read_long(void *arg)
{
	int fds[2];
	char c;

	(void)arg;
	if (pipe(fds) < 0)
		victim_die("pipe");
	victim_take(first + 3, VICTIM_STAYS);
	for (;;) {
		if (read(fds[0], &c, 1) != 1)
			victim_die("read");
		victim_count(first + 3);
	}
	return NULL;
}

static void *wait_in_vfork(void *arg)
{
	int poke = victim_fd("VICTIM_POKE_FD");
	pid_t child;

	(void)arg;
	victim_take(first + 4, VICTIM_STAYS);
	child = vfork();
	if (child < 0)
		victim_die("vfork");
	if (child == 0) {
		char byte;

		atomic_store(&board->slots[first + 4].value, (uint64_t)getpid());
		_exit(read(poke, &byte, 1) == 1 ? 0 : 97);
	}
	victim_spin(first + 4, 0);
}

int main(int argc, char **argv __attribute__((unused)))
{
	victim_begin();
	first = victim_claim(argc > 1 ? 5 : 4);
	victim_thread(give_birth, NULL);
	victim_thread(sleep_long, NULL);
	victim_thread(read_long, NULL);
	victim_await(first + 1, 3);
	if (argc > 1) {
		victim_thread(wait_in_vfork, NULL);
		while (!atomic_load(&board->slots[first + 4].value))
			usleep(500);
	}
	victim_ready_and_spin(first, 0);
}
