/* SPDX-License-Identifier: MIT */
/*
 * sleepers [eintr] - one thread for each way to sleep in the kernel; its slot counts how often
 * the call came back, and its value is with which errno.  The calls of the first table are
 * restarted by the kernel itself after a stop, so they never come back; those of the second
 * (`eintr`) return EINTR after any stop (signal(7)).  The name of a call is in the thread's comm.
 * The main thread counts in the last slot.
 */
#include "victim.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define LONG_S 3600

static int pipe_fds[2], pair[2], listener;

static void in_nanosleep(void)
{
	struct timespec ts = { LONG_S, 0 };

	nanosleep(&ts, NULL);
}

static void in_clock_nanosleep(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += LONG_S;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void in_poll(void)
{
	struct pollfd p = { pipe_fds[0], POLLIN, 0 };

	poll(&p, 1, LONG_S * 1000);
}

static void in_select(void)
{
	struct timeval tv = { LONG_S, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	select(pipe_fds[0] + 1, &set, NULL, NULL, &tv);
}

static void in_pause(void)
{
	pause();
}

static void in_read_pipe(void)
{
	char c;

	if (read(pipe_fds[0], &c, 1) < 0)
		return;
}

static void in_read_eventfd(void)
{
	uint64_t v;

	if (read(eventfd(0, EFD_CLOEXEC), &v, sizeof(v)) < 0)
		return;
}

static void in_recv(void)
{
	char c;

	recv(pair[0], &c, 1, 0);
}

static void in_accept(void)
{
	accept(listener, NULL, NULL);
}

static void in_futex(void)
{
	static uint32_t word;

	syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void in_sem_timedwait(void)
{
	static sem_t sem;
	struct timespec ts;

	sem_init(&sem, 0, 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += LONG_S;
	sem_timedwait(&sem, &ts);
}

static void in_epoll_wait(void)
{
	struct epoll_event e;

	epoll_wait(epoll_create1(EPOLL_CLOEXEC), &e, 1, -1);
}

static void in_epoll_timed(void)
{
	struct epoll_event e;

	epoll_wait(epoll_create1(EPOLL_CLOEXEC), &e, 1, LONG_S * 1000);
}

static void in_io_getevents(void)
{
	static aio_context_t context;
	struct io_event event;

	if (!context && syscall(SYS_io_setup, 1, &context) < 0)
		victim_die("io_setup");
	syscall(SYS_io_getevents, context, 1, 1, &event, NULL);
}

static void in_sigtimedwait(void)
{
	struct timespec ts = { LONG_S, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigtimedwait(&set, NULL, &ts);
}

static void in_recv_timeo(void)
{
	struct timeval tv = { LONG_S, 0 };
	char c;

	setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	recv(pair[1], &c, 1, 0);
}

struct sleeper {
	const char *name;
	void (*call)(void);
	uint32_t slot;
	enum victim_duty duty;
};

static struct sleeper restarted[] = {
	{ .name = "nanosleep", .call = in_nanosleep },
	{ .name = "clock_nanosleep", .call = in_clock_nanosleep },
	{ .name = "poll", .call = in_poll },
	{ .name = "select", .call = in_select },
	{ .name = "pause", .call = in_pause },
	{ .name = "read_pipe", .call = in_read_pipe },
	{ .name = "read_eventfd", .call = in_read_eventfd },
	{ .name = "recv", .call = in_recv },
	{ .name = "accept", .call = in_accept },
	{ .name = "futex", .call = in_futex },
	{ .name = "sem_timedwait", .call = in_sem_timedwait },
};

static struct sleeper interrupted[] = {
	{ .name = "epoll_wait", .call = in_epoll_wait },
	{ .name = "epoll_timed", .call = in_epoll_timed },
	{ .name = "io_getevents", .call = in_io_getevents },
	{ .name = "sigtimedwait", .call = in_sigtimedwait },
	{ .name = "recv_timeo", .call = in_recv_timeo },
};

static void *sleeper_main(void *arg)
{
	const struct sleeper *s = arg;

	prctl(PR_SET_NAME, s->name);
	victim_take(s->slot, s->duty);
	for (;;) {
		s->call();
		atomic_store(&board->slots[s->slot].value, (uint64_t)errno);
		victim_count(s->slot);
	}
	return NULL;
}

static void make_files(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	/* An address of its own in the abstract namespace: autobind. */
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0 || listener < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
	    listen(listener, 1) < 0)
		victim_die("making files to wait on");
}

int main(int argc, char **argv __attribute__((unused)))
{
	struct sleeper *table = argc > 1 ? interrupted : restarted;
	uint32_t n = argc > 1 ? sizeof(interrupted) / sizeof(*interrupted) :
				sizeof(restarted) / sizeof(*restarted);
	uint32_t first;

	victim_begin();
	make_files();
	first = victim_claim(n + 1);
	for (uint32_t i = 0; i < n; i++) {
		table[i].slot = first + i;
		table[i].duty = argc > 1 ? VICTIM_WAKES : VICTIM_STAYS;
		victim_thread(sleeper_main, &table[i]);
	}
	victim_await(first, n);
	victim_ready_and_spin(first + n, 0);
}
