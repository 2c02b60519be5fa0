/* SPDX-License-Identifier: MIT */
/*
 * execstorm PROCESSES [leader|thread] - processes that do nothing but execute themselves again.
 * With `thread` it is a second thread that calls execve while the first and a third sleep:
 * then the kernel has to kill the others first, and the one that called becomes the leader.
 *
 * Started again as: execstorm - SLOT MODE
 */
#include "victim.h"

static char *again[] = { NULL, (char[]){ "-" }, NULL, NULL, NULL };

static void *exec_again(void *arg)
{
	(void)arg;
	execv("/proc/self/exe", again);
	victim_die("execv");
}

static void *sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

__attribute__((noreturn)) static void run(char **argv, const char *slot, char *mode)
{
	static char slot_text[16];

	snprintf(slot_text, sizeof(slot_text), "%s", slot);
	again[0] = argv[0];
	again[2] = slot_text;
	again[3] = mode;
	victim_count((uint32_t)atoi(slot));
	if (strcmp(mode, "thread") == 0) {
		victim_thread(sleep_for_ever, NULL);
		victim_thread(exec_again, NULL);
		sleep_for_ever(NULL);
	}
	exec_again(NULL);
	_exit(98);
}

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 4);
	char *mode = argc > 2 ? argv[2] : (char[]){ "leader" };
	uint32_t first;

	victim_begin();
	if (argc > 3)
		run(argv, argv[2], argv[3]);
	first = victim_claim(n + 1);
	for (uint32_t i = 0; i < n; i++) {
		pid_t pid = fork();
		char slot[16];

		if (pid < 0)
			victim_die("fork");
		if (pid == 0) {
			victim_take(first + i, VICTIM_MOVES);
			snprintf(slot, sizeof(slot), "%u", first + i);
			run(argv, slot, mode);
		}
	}
	victim_await(first, n);
	victim_ready_and_spin(first + n, 1000);
}
