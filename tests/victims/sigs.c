/* SPDX-License-Identifier: MIT */
/*
 * sigs - receives queued realtime signals and logs each with its value, in the order in which
 * the handler saw them; SIGUSR1 is counted in slot 1.  Its main thread counts in slot 0.
 */
#include "victim.h"

static uint32_t first;

static void on_queued(int sig, siginfo_t *info, void *context)
{
	(void)context;
	victim_log(board, info->si_pid, sig, info->si_value.sival_int);
}

static void on_usr1(int sig)
{
	(void)sig;
	victim_count(first + 1);
}

int main(void)
{
	struct sigaction queued = { .sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction usr1 = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };

	victim_begin();
	first = victim_claim(2);
	/* One handler at a time, or the log would be in the order of nesting. */
	sigfillset(&queued.sa_mask);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		sigaction(sig, &queued, NULL);
	sigaction(SIGUSR1, &usr1, NULL);
	victim_ready_and_spin(first, 0);
}
