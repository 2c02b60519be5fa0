/* SPDX-License-Identifier: MIT */
/*
 * sleep_eintr - ways to sleep that end with EINTR at any stop (signal(7)): see sleep.h.
 */
#ifndef VICTIM_SLEEP_EINTR_H
#define VICTIM_SLEEP_EINTR_H

#include "sleep.h"

static inline int make_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	must(epoll_ctl(fd, EPOLL_CTL_ADD, pipe_fds[0], &e) == 0, "epoll");
	return fd;
}

static inline long in_epoll_wait(void)
{
	struct epoll_event e;

	return epoll_wait(ONCE(make_epoll()), &e, 1, -1);
}

static inline long in_epoll_timed(void)
{
	struct epoll_event e;

	return epoll_wait(ONCE(make_epoll()), &e, 1, LONG_S * 1000);
}

static inline long in_epoll_pwait(void)
{
	struct epoll_event e;
	sigset_t set;

	sigfillset(&set);
	return epoll_pwait(ONCE(make_epoll()), &e, 1, -1, &set);
}

static inline long in_epoll_pwait2(void)
{
	struct epoll_event e;

	return syscall(SYS_epoll_pwait2, ONCE(make_epoll()), &e, 1, &LONG_TIME, NULL, 8);
}

static inline int make_ring(void)
{
	struct io_uring_params p = { 0 };

	return (int)syscall(SYS_io_uring_setup, 2, &p);
}

static inline long in_io_uring(void)
{
	return syscall(SYS_io_uring_enter, ONCE(make_ring()), 0, 1, IORING_ENTER_GETEVENTS, NULL, 8);
}

static inline long in_io_uring_timed(void)
{
	struct timespec ts = LONG_TIME;
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&ts };

	return syscall(SYS_io_uring_enter, ONCE(make_ring()), 0, 1,
		       IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

static struct sembuf down = { 0, -1, 0 };

static inline long in_semop(void) { return semop(ONCE(semget(IPC_PRIVATE, 1, 0600)), &down, 1); }

static inline long in_semtimedop(void)
{
	return semtimedop(ONCE(semget(IPC_PRIVATE, 1, 0600)), &down, 1, &LONG_TIME);
}

static inline aio_context_t make_aio(void)
{
	aio_context_t context = 0;

	must(syscall(SYS_io_setup, 1, &context) == 0, "io_setup");
	return context;
}

static inline long aio_events(const struct timespec *timeout)
{
	static _Thread_local aio_context_t context;
	struct io_event event;

	if (!context)
		context = make_aio();
	return syscall(SYS_io_getevents, context, 1, 1, &event, timeout);
}

static inline long in_io_getevents(void) { return aio_events(NULL); }
static inline long in_io_getev_timed(void) { return aio_events(&LONG_TIME); }

static inline sigset_t usr2(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return set;
}

static inline long in_sigtimedwait(void)
{
	sigset_t set = usr2();

	return sigtimedwait(&set, NULL, &LONG_TIME);
}

static inline long in_sigwaitinfo(void)
{
	sigset_t set = usr2();

	return sigwaitinfo(&set, NULL);
}

static inline long in_recv_timeo(void) { return recv_from(timed(UNIX_STREAM, SO_RCVTIMEO)); }
static inline long in_read_timeo(void) { return read_from(timed(UNIX_STREAM, SO_RCVTIMEO)); }
static inline long in_recvmmsg_timeo(void) { return recv_many(timed(UNIX_STREAM, SO_RCVTIMEO)); }

static inline long in_recv_dgram(void)
{
	return recv_from(timed(ONCE(make_pair(SOCK_DGRAM, &other_end)), SO_RCVTIMEO));
}

static inline long in_recvmsg_tcp(void)
{
	char c;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	return recvmsg(timed(ONCE(make_tcp()), SO_RCVTIMEO), &m, 0);
}

static inline long in_read_tcp(void) { return read_from(timed(ONCE(make_tcp()), SO_RCVTIMEO)); }
static inline long in_recv_all_tcp(void)
{
	char text[8];

	return recv(timed(ONCE(make_tcp()), SO_RCVTIMEO), text, sizeof(text), MSG_WAITALL);
}

static inline long in_recv_udp(void)
{
	static struct sockaddr_in at;

	return recv_from(timed(ONCE(make_inet(SOCK_DGRAM, &at)), SO_RCVTIMEO));
}

static inline long in_accept_timeo(void)
{
	return accept(timed(ONCE(make_listener()), SO_RCVTIMEO), NULL, NULL);
}

static inline long in_accept_unix(void)
{
	static struct sockaddr_un at;
	static socklen_t len;

	return accept4(timed(ONCE(make_unix_listener(&at, &len)), SO_RCVTIMEO), NULL, NULL, 0);
}

static inline long in_send_tcp(void) { return send(timed(ONCE(filled(make_tcp())), SO_SNDTIMEO), "x", 1, MSG_NOSIGNAL); }
static inline long in_write_tcp(void) { return write(timed(ONCE(filled(make_tcp())), SO_SNDTIMEO), "x", 1); }

static inline long in_send_unix(void)
{
	return send(timed(ONCE(filled(make_pair(SOCK_STREAM, &other_end))), SO_SNDTIMEO), "x", 1, 0);
}

#endif
