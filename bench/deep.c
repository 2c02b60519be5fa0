/* SPDX-License-Identifier: MIT */
/*
 * deep THREADS DEPTH [tick] - threads that wait DEPTH calls deep; what `holdfast stack` is timed on.  With tick one of
 * them counts instead, and on SIGUSR1 prints the longest silence it has seen since the last, in microseconds.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned int depth;
static volatile int after;
static volatile sig_atomic_t asked;

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

static void ask(int sig)
{
	(void)sig;
	asked = 1;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A nap keeps the processor free for those who measure. */
static void tick(void)
{
	const struct timespec nap = { 0, 50000 };
	uint64_t last = now_us(), longest = 0, now;

	for (;;) {
		nanosleep(&nap, NULL);
		now = now_us();
		if (now - last > longest)
			longest = now - last;
		last = now;
		if (asked) {
			printf("%llu\n", (unsigned long long)longest);
			fflush(stdout);
			asked = 0;
			longest = 0;
			last = now_us();
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int n = (unsigned int)atoi(argv[1]), i;
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t usr1;

	depth = (unsigned int)atoi(argv[2]);
	signal(SIGUSR1, ask);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)128 * 1024);
	for (i = 1; i < n; i++)
		if (pthread_create(&thread, &attr, run, NULL)) {
			perror("starting a thread");
			return 1;
		}
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	puts("ready");
	fflush(stdout);
	if (argc > 3)
		tick();
	run(NULL);
	return 0;
}
