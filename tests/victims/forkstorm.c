/* SPDX-License-Identifier: MIT */
/*
 * forkstorm LINEAGES [MODE] - each lineage is one process at a time, which counts, makes its
 * successor and ends, at full speed.  MODE says how:
 *	fork      a child; it becomes an orphan at once
 *	thread    a child, forked by a second thread
 *	sibling   clone(CLONE_PARENT): a brother, so that no tree leads to it
 * The founder adopts all orphans and ignores SIGCHLD, so that the kernel reaps them.
 */
#include "victim.h"

#include <sched.h>
#include <sys/prctl.h>

enum mode { MODE_FORK, MODE_THREAD, MODE_SIBLING };

/* Returns 0 in the successor, its pid in the one that made it. */
static pid_t successor(enum mode mode)
{
	if (mode == MODE_SIBLING)
		return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
	return fork();
}

__attribute__((noreturn)) static void lineage(enum mode mode, uint32_t slot)
{
	for (;;) {
		pid_t pid;

		victim_count(slot);
		pid = successor(mode);
		if (pid > 0)
			_exit(0);
		if (pid < 0)
			usleep(1000);	/* out of pids for a moment */
	}
}

/*
 * The successor of a thread that forks is a process of one thread: it starts a second one again,
 * which counts and forks, while the first waits for it.
 */
static void *thread_lineage(void *arg)
{
	uint32_t slot = *(uint32_t *)arg;
	pid_t pid;

	victim_count(slot);
	do
		pid = fork();
	while (pid < 0);
	if (pid > 0)
		_exit(0);
	pthread_join(victim_thread(thread_lineage, arg), NULL);
	return NULL;
}

__attribute__((noreturn)) static void lineage_of_threads(uint32_t slot)
{
	pthread_join(victim_thread(thread_lineage, &slot), NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 4);
	const char *word = argc > 2 ? argv[2] : "fork";
	enum mode mode = !strcmp(word, "thread") ? MODE_THREAD :
			 !strcmp(word, "sibling") ? MODE_SIBLING : MODE_FORK;
	uint32_t first;

	victim_begin();
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	first = victim_claim(n + 1);
	for (uint32_t i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			victim_die("fork");
		if (pid == 0) {
			victim_take(first + i, VICTIM_MOVES);
			if (mode == MODE_THREAD)
				lineage_of_threads(first + i);
			lineage(mode, first + i);
		}
	}
	victim_await(first, n);
	victim_ready_and_spin(first + n, 1000);
}
