/* SPDX-License-Identifier: MIT */
/*
 * crowd PROCESSES THREADS DEPTH [SHARED] - who is held to measure speed: PROCESSES processes, all children of the first,
 * with THREADS threads each that wait DEPTH calls deep.  Says "ready" when all are there.
 *
 * With SHARED, a file of at least 16 bytes, one thread of the first process looks at the clock instead, again and again,
 * and notes there the longest silence that it has seen: how long it was stopped.  See struct view.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "view.h"

#define STACK_BYTES ((size_t)128 * 1024)

static unsigned int depth;
static volatile int after;

__attribute__((noinline)) static void wait_here(void)
{
	while (!after)
		pause();
}

__attribute__((noinline)) static void descend(unsigned int left)
{
	if (left)
		descend(left - 1);
	else
		wait_here();
	after++;
}

static void *run(void *unused)
{
	descend(depth);
	return unused;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void start_threads(unsigned int n)
{
	pthread_attr_t attr;
	pthread_t thread;
	unsigned int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (i = 1; i < n; i++)
		if (pthread_create(&thread, &attr, run, NULL))
			die("starting a thread");
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A nap keeps the processor free for those who measure. */
static void look_at_the_clock(volatile struct view *view)
{
	const struct timespec nap = { 0, 50000 };
	uint64_t last = now_us(), now;

	for (;;) {
		nanosleep(&nap, NULL);
		now = now_us();
		if (view->asked) {
			view->longest_us = 0;
			view->asked = 0;
		} else if (now - last > view->longest_us) {
			view->longest_us = now - last;
		}
		last = now;
	}
}

static struct view *map_view(const char *path)
{
	int fd = open(path, O_RDWR);
	struct view *view = fd < 0 ? MAP_FAILED :
				     mmap(NULL, sizeof(*view), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (view == MAP_FAILED)
		die(path);
	return view;
}

int main(int argc, char **argv)
{
	unsigned int processes, threads, i;
	pid_t first = getpid();
	char byte;
	int up[2];

	if (argc < 4) {
		fputs("usage: crowd PROCESSES THREADS DEPTH [SHARED]\n", stderr);
		return 2;
	}
	processes = (unsigned int)atoi(argv[1]);
	threads = (unsigned int)atoi(argv[2]);
	depth = (unsigned int)atoi(argv[3]);
	if (pipe(up) < 0)
		die("pipe");
	for (i = 1; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid > 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != first)
			_exit(1);
		start_threads(threads);
		if (write(up[1], "", 1) != 1)
			_exit(1);
		run(NULL);
	}
	start_threads(threads);
	for (i = 1; i < processes; i++)
		if (read(up[0], &byte, 1) != 1)
			die("read");
	puts("ready");
	fflush(stdout);
	if (argc > 4)
		look_at_the_clock(map_view(argv[4]));
	run(NULL);
	return 0;
}
