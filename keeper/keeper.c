/* SPDX-License-Identifier: MIT */
/*
 * keeper - see keeper.h.
 */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "hold.h"
#include "methods.h"
#include "claim.h"
#include "own.h"
#include "serve.h"

/* Newcomers raise no event: they are looked for this often. */
#define LOOK_EVERY_MS 1000
#define FLUSH_MS 1000
/* A keeper that is stopped, or hangs, cannot obey its own time: this long after it the guard ends it. */
#define DEAD_MAN_MS 1000

/* Numbers of what is waited for besides the server's. */
enum { EVENT_SIGNAL = 2000, EVENT_TIMER, EVENT_LOOK, EVENT_CALLER };

struct keeper {
	struct hf_kept kept;
	struct hf_claim claim;
	struct hf_server server;
	int epoll_fd, signal_fd, timer_fd, look_fd;
	int caller_fd;			/* until he knows of the hold; then -1 */
	uint64_t timer_ns;		/* what the timer is set to */
	bool ended;			/* by a signal, or its time */
};

/* ---- Apart from the caller --------------------------------------------------------------------- */

/* All but the socket to the caller, which is no standard stream: nothing of the caller's program is kept open. */
static void close_others(int caller_fd)
{
	if (caller_fd > STDERR_FILENO + 1)
		syscall(SYS_close_range, STDERR_FILENO + 1, caller_fd - 1, 0);
	syscall(SYS_close_range, caller_fd + 1, ~0u, 0);
}

static void close_standard_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Not left free: a cgroup file that got number 1 would be written to by a stray message. */
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	if (null > 2)
		close(null);
}

/* The caller's handlers are of a program that is not running here. */
static void reset_signals(void)
{
	sigset_t all;
	int sig;

	for (sig = 1; sig < _NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void stand_apart(int caller_fd)
{
	reset_signals();
	setsid();
	if (chdir("/") < 0) {
		/* It only keeps a file system busy. */
	}
	umask(077);
	prctl(PR_SET_NAME, "holdfast-keeper");
	/* Whatever the caller asked for at its own parent's death is not meant for us. */
	prctl(PR_SET_PDEATHSIG, 0);
	close_standard_streams();
	close_others(caller_fd);
}

/* ---- What is waited for ------------------------------------------------------------------------ */

static int add(const struct keeper *k, int fd, uint32_t number)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = number };

	return fd < 0 || epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* All of it before anybody is stopped. */
static int make_events(struct keeper *k, struct hf_error *err)
{
	const struct itimerspec look = { .it_interval = { LOOK_EVERY_MS / 1000, LOOK_EVERY_MS % 1000 * 1000000L },
					 .it_value = { LOOK_EVERY_MS / 1000, LOOK_EVERY_MS % 1000 * 1000000L } };
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	k->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	k->look_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = add(k, k->signal_fd, EVENT_SIGNAL);
	if (r == 0)
		r = add(k, k->timer_fd, EVENT_TIMER);
	if (r == 0)
		r = add(k, k->look_fd, EVENT_LOOK);
	if (r == 0)
		r = add(k, k->caller_fd, EVENT_CALLER);
	if (r == 0)
		r = hf_server_begin(&k->server, k->claim.socket_fd, k->epoll_fd);
	if (r == 0 && timerfd_settime(k->look_fd, 0, &look, NULL) < 0)
		r = -errno;
	return r == 0 ? 0 : hf_fail(err, -r, HF_STAGE_NONE, 0, "preparing to wait for calls and the time: %s",
				    strerror(-r));
}

/* A call may have moved the end. */
static void set_timer(struct keeper *k)
{
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(k->kept.end_ns / 1000000000),
						 .tv_nsec = (long)(k->kept.end_ns % 1000000000) } };

	if (k->timer_ns == k->kept.end_ns)
		return;
	k->timer_ns = k->kept.end_ns;
	timerfd_settime(k->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	hf_hold_dead_man(k->kept.hold, k->kept.end_ns ? k->kept.end_ns + DEAD_MAN_MS * 1000000ull : 0);
}

static void take_signals(struct keeper *k)
{
	struct signalfd_siginfo info;

	while (read(k->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			k->ended = true;
	}
	hf_hold_attend(k->kept.hold, NULL);
}

/* He has connected, and says so, or is gone, and nobody knows of the hold. */
static void hear_caller(struct keeper *k)
{
	char word;
	ssize_t n = recv(k->caller_fd, &word, sizeof(word), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(word)) {
		k->ended = true;
		return;
	}
	/* A copy of it, which the guard may not have closed yet, would keep it in the set. */
	epoll_ctl(k->epoll_fd, EPOLL_CTL_DEL, k->caller_fd, NULL);
	close(k->caller_fd);
	k->caller_fd = -1;
}

static void attend(struct keeper *k, uint32_t number)
{
	uint64_t times;

	switch (number) {
	case HF_SERVE_LISTENER:
		hf_server_accept(&k->server, &k->kept);
		break;
	case EVENT_SIGNAL:
		take_signals(k);
		break;
	case EVENT_TIMER:
		k->ended |= read(k->timer_fd, &times, sizeof(times)) > 0 && k->kept.end_ns &&
			    hf_clock_ns() >= k->kept.end_ns;
		break;
	case EVENT_LOOK:
		if (read(k->look_fd, &times, sizeof(times)) > 0) {
			hf_hold_attend(k->kept.hold, NULL);
			hf_server_listen(&k->server);
		}
		break;
	case EVENT_CALLER:
		hear_caller(k);
		break;
	default:
		hf_server_attend(&k->server, &k->kept, number);
	}
}

static void keep(struct keeper *k)
{
	struct epoll_event events[16];
	int n, i;

	set_timer(k);
	while (!k->ended && !k->kept.released) {
		n = epoll_wait(k->epoll_fd, events, 16, -1);
		for (i = 0; i < n && !k->ended && !k->kept.released; i++)
			attend(k, events[i].data.u32);
		set_timer(k);
	}
}

/* ---- The whole --------------------------------------------------------------------------------- */

/* Whether the caller was there: that he has read it he says himself. */
static bool report(int fd, int r, const struct hf_error *err)
{
	struct hf_keeper_report rep;

	memset(&rep, 0, sizeof(rep));
	rep.r = r;
	rep.err = *err;
	return send(fd, &rep, sizeof(rep), MSG_NOSIGNAL) == (ssize_t)sizeof(rep);
}

static int take(struct keeper *k, const struct hf_keeper_job *job, struct hf_error *err)
{
	struct hf_take_options opts = job->take;
	int r = hf_claim_name(&k->claim, job->name, err);

	if (r == 0)
		r = make_events(k, err);
	if (r < 0)
		return r;
	/* The caller looks at his own cancel_fd: a signalfd tells each process of its own signals. */
	opts.cancel_fd = k->caller_fd;
	opts.no_guard = 0;
	opts.guard_message_fd = 0;
	if (!opts.dead_man_ms)
		opts.dead_man_ms = HF_DEAD_MAN_STEPS;
	return hf_hold_take_for(&job->kin, &job->target, &opts, &k->kept.hold, err);
}

void hf_keeper_be(const struct hf_keeper_job *job, int caller_fd)
{
	static const struct hf_release_options ends = { .size = sizeof(ends), .leave_armed = 1 };
	unsigned int limit_ms = job->opts.limit_ms ? job->opts.limit_ms : HF_KEEPER_LIMIT_MS;
	struct keeper k = { .claim = HF_CLAIM_INIT, .epoll_fd = -1, .signal_fd = -1, .timer_fd = -1, .look_fd = -1,
			    .caller_fd = caller_fd };
	struct hf_error err = HF_ERROR_INIT;
	int r;

	stand_apart(caller_fd);
	memcpy(k.kept.name, job->name, sizeof(k.kept.name));
	k.kept.taken_by = job->caller;
	memcpy(k.kept.taken_by_comm, job->caller_comm, sizeof(k.kept.taken_by_comm));
	r = take(&k, job, &err);
	if (r == 0 && limit_ms != HF_KEEPER_NO_LIMIT)
		k.kept.end_ns = hf_clock_ns() + limit_ms * 1000000ull;
	if (r == 0)
		k.kept.took_us = hf_hold_info(k.kept.hold)->timing_us.stopped;
	else
		hf_claim_end(&k.claim);		/* whoever reads of the failure finds the name free */
	if (report(caller_fd, r, &err) && r == 0)
		keep(&k);
	if (k.kept.hold && !k.kept.released)
		hf_hold_release(k.kept.hold, HF_RELEASE_AS_FOUND, &ends, NULL);
	/* Whoever reads the last reply finds the name free. */
	hf_claim_end(&k.claim);
	hf_server_flush(&k.server, FLUSH_MS);
	_exit(0);
}
