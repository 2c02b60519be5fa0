/* SPDX-License-Identifier: MIT */
/*
 * halfexec IN OUT - a process of which three threads sit in one v1 cgroup (IN, its tasks file) and the others in
 * another (OUT), and that executes itself again, from a thread outside, all the time.  Whoever seizes its
 * threads one after the other meets the exec in between: it waits for siblings that are the tracer's to reap.
 *
 * Started again as: halfexec IN OUT SLOT
 */
#include "victim.h"

#include <fcntl.h>
#include <time.h>

static char **args;

static void join(const char *tasks)
{
	int fd = open(tasks, O_WRONLY);

	if (fd < 0 || dprintf(fd, "%d", (int)syscall(SYS_gettid)) < 0)
		victim_die(tasks);
	close(fd);
}

static void *be_inside(void *arg)
{
	(void)arg;
	join(args[1]);
	for (;;)
		pause();
	return NULL;
}

static void *be_outside(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void *exec_again(void *arg)
{
	(void)arg;
	usleep(2000 + (unsigned int)random() % 2000);
	execv("/proc/self/exe", args);
	victim_die("execv");
}

int main(int argc, char **argv)
{
	static char slot[16];
	static char *again[5];

	victim_begin();
	again[0] = argv[0];
	again[1] = argv[1];
	again[2] = argv[2];
	again[3] = slot;
	args = again;
	join(argv[2]);
	if (argc > 3) {
		snprintf(slot, sizeof(slot), "%s", argv[3]);
		victim_count((uint32_t)atoi(slot));
	} else {
		uint32_t first = victim_claim(1);

		snprintf(slot, sizeof(slot), "%u", first);
		victim_take(first, VICTIM_MOVES);
		victim_ready();
	}
	srandom((unsigned int)time(NULL) ^ (unsigned int)atomic_load(&board->slots[atoi(slot)].count));
	for (int i = 0; i < 3; i++)
		victim_thread(be_inside, NULL);
	for (int i = 0; i < 12; i++)
		victim_thread(be_outside, NULL);
	victim_thread(exec_again, NULL);
	for (;;)
		pause();
}
