/* SPDX-License-Identifier: MIT */
/*
 * stopstorm [THREADS] - a process that its parent stops and continues all the time, so that at
 * any instant some of its threads are running, on their way into a group-stop, in it, or on
 * their way out.  The parent counts the rounds in the last slot.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	uint32_t n = victim_arg(argc, argv, 1, 4);
	uint32_t first;
	pid_t child;

	victim_begin();
	first = victim_claim(n + 1);
	child = fork();
	if (child < 0)
		victim_die("fork");
	if (child == 0) {
		for (uint32_t i = 1; i < n; i++)
			victim_spinner(first + i, 0);
		victim_spin(first, 0);
	}
	victim_await(first, n);
	victim_take(first + n, VICTIM_MOVES);
	victim_ready();
	for (;;) {
		siginfo_t info;

		kill(child, SIGSTOP);
		waitid(P_PID, (id_t)child, &info, WSTOPPED);
		kill(child, SIGCONT);
		waitid(P_PID, (id_t)child, &info, WCONTINUED);
		/* Let it run, or its threads would never count. */
		usleep(atomic_load(&board->slots[first + n].count) % 16 * 50);
		victim_count(first + n);
	}
}
