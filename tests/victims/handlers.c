/* SPDX-License-Identifier: MIT */
/*
 * handlers THREADS - a process of counting threads that handles signals, one at a time, and logs each
 * (code: the signal; status: the index of the thread that took it times 1000, plus the value sent with it).
 *
 * SIGTERM, SIGTSTP, SIGCONT and the first ten realtime signals are for the first thread, the next ten for all
 * others, so that who takes a signal is never a matter of luck.  Two more are for whoever gets them:
 * SIGRTMAX ends the thread, SIGRTMAX - 1 the process with status 7.
 */
#include "victim.h"

#define NAP_US 500u

static _Thread_local uint32_t index_of_thread;
static uint32_t first;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig == SIGRTMAX) {
		atomic_store(&board->slots[first + index_of_thread].duty, VICTIM_ENDED);
		syscall(SYS_exit, 0);
	}
	if (sig == SIGRTMAX - 1)
		_exit(7);
	victim_log(board, info->si_pid, sig, (int)index_of_thread * 1000 +
		   (info->si_code == SI_QUEUE ? info->si_value.sival_int : 0));
}

/* Block those that are for the first thread, or those that are for the others. */
static void block_those_for(int is_first)
{
	sigset_t set;

	sigemptyset(&set);
	if (is_first) {
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGTSTP);
		sigaddset(&set, SIGCONT);
	}
	for (int i = 0; i < 10; i++)
		sigaddset(&set, SIGRTMIN + (is_first ? 0 : 10) + i);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void *other(void *arg)
{
	index_of_thread = (uint32_t)(uintptr_t)arg;
	victim_spin(first + index_of_thread, NAP_US);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	unsigned int n = victim_arg(argc, argv, 1, 3);

	victim_begin();
	first = victim_claim(n);
	/* One handler at a time, or the log would be in the order of nesting. */
	sigfillset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGTSTP, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		sigaction(sig, &action, NULL);
	block_those_for(1);
	for (unsigned int i = 1; i < n; i++)
		victim_thread(other, (void *)(uintptr_t)i);
	block_those_for(0);
	victim_await(first + 1, n - 1);
	victim_ready_and_spin(first, NAP_US);
}
