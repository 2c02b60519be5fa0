/* SPDX-License-Identifier: MIT */
/*
 * timeouts - one thread for each call with a time-out, of 20 ms, that nothing else ends.  A slot counts how often it
 * ran out; its value counts what was wrong: that it came back too early, or with anything but
 * what a time-out says.
 */
#include "sleep_eintr.h"

#define SHORT_MS 20
#define SHORT_TIME ((struct timespec){ 0, SHORT_MS * 1000000 })

struct timer {
	const char *name;
	long (*call)(void);
	long result;		/* of a time-out */
	int code;		/* errno, when that is -1 */
	uint32_t slot;
};

static long for_nanosleep(void) { return nanosleep(&SHORT_TIME, NULL); }
static long for_clock_nanosleep(void) { return clock_nanosleep(CLOCK_MONOTONIC, 0, &SHORT_TIME, NULL); }
static long for_poll(void) { return poll(on_pipe(), 1, SHORT_MS); }
static long for_ppoll(void) { return ppoll(on_pipe(), 1, &SHORT_TIME, NULL); }

static long for_select(void)
{
	struct timeval tv = { 0, SHORT_MS * 1000 };

	return select(0, NULL, NULL, NULL, &tv);
}

static long for_futex(void) { return futex(FUTEX_WAIT, &SHORT_TIME); }

static long for_futex_until(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += SHORT_MS * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return futex(FUTEX_WAIT_BITSET, &ts);
}

static long for_epoll(void)
{
	struct epoll_event e;

	return epoll_wait(ONCE(make_epoll()), &e, 1, SHORT_MS);
}

static long for_epoll_pwait2(void)
{
	struct epoll_event e;

	return syscall(SYS_epoll_pwait2, ONCE(make_epoll()), &e, 1, &SHORT_TIME, NULL, 8);
}

static long for_semtimedop(void)
{
	return semtimedop(ONCE(semget(IPC_PRIVATE, 1, 0600)), &down, 1, &SHORT_TIME);
}

static long for_io_getevents(void) { return aio_events(&SHORT_TIME); }

static long for_sigtimedwait(void)
{
	sigset_t set = usr2();

	return sigtimedwait(&set, NULL, &SHORT_TIME);
}

static long for_recv(void)
{
	struct timeval tv = { 0, SHORT_MS * 1000 };
	int fd = UNIX_STREAM;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return recv_from(fd);
}

#define TIMER(name, result, code) { #name, for_##name, result, code, 0 }

static struct timer timers[] = {
	/* Restart blocks: the kernel goes on to the same end. */
	TIMER(nanosleep, 0, 0), TIMER(clock_nanosleep, 0, 0), TIMER(poll, 0, 0), TIMER(ppoll, 0, 0),
	TIMER(select, 0, 0), TIMER(futex, -1, ETIMEDOUT), TIMER(futex_until, -1, ETIMEDOUT),
	/* Made again at the release. */
	TIMER(epoll, 0, 0), TIMER(epoll_pwait2, 0, 0), TIMER(semtimedop, -1, EAGAIN),
	TIMER(io_getevents, 0, 0), TIMER(sigtimedwait, -1, EAGAIN), TIMER(recv, -1, EAGAIN),
};
#define N_TIMERS (sizeof(timers) / sizeof(*timers))

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void *timer_main(void *arg)
{
	const struct timer *t = arg;

	prctl(PR_SET_NAME, t->name);
	victim_take(t->slot, VICTIM_MOVES);
	for (;;) {
		uint64_t begin = now_ns(), lasted;
		long r;

		errno = 0;
		r = t->call();
		lasted = now_ns() - begin;
		/* The kernel counts a socket's time in ticks, of up to 10 ms, and the first is not whole. */
		if (r != t->result || (r < 0 && errno != t->code) ||
		    lasted < (SHORT_MS - (t->call == for_recv ? 10 : 0)) * 1000000u)
			atomic_fetch_add(&board->slots[t->slot].value, 1);
		victim_count(t->slot);
	}
	return NULL;
}

int main(void)
{
	sigset_t set = usr2();
	uint32_t first;

	victim_begin();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (unshare(CLONE_NEWIPC) < 0 && errno != EPERM)
		victim_die("unshare");
	must(pipe2(pipe_fds, O_CLOEXEC) == 0, "pipe");
	first = victim_claim(N_TIMERS);
	for (uint32_t i = 0; i < N_TIMERS; i++) {
		timers[i].slot = first + i;
		victim_thread(timer_main, &timers[i]);
	}
	victim_await(first, N_TIMERS);
	victim_ready();
	for (;;)
		pause();
}
