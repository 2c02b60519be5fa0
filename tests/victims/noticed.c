/* SPDX-License-Identifier: MIT */
/*
 * noticed - a process that may notice a hold in many ways: a thread in a timed epoll_wait(), a timerfd and a POSIX
 * timer that run out again and again, an alarm, systemd's watchdog, a TCP connection with keepalive.  The signals of its timers are blocked.  Its one slot counts.
 */
#include "sleep_eintr.h"

#include <sys/time.h>

static _Atomic int sleeper;

static void *in_epoll(void *arg)
{
	(void)arg;
	atomic_store(&sleeper, (int)syscall(SYS_gettid));
	for (;;)
		in_epoll_timed();
	return NULL;
}

static int make_running_timerfd(void)
{
	struct itimerspec when = { .it_value = { 0, 1 }, .it_interval = { 0, 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	must(timerfd_settime(fd, 0, &when, NULL) == 0, "timerfd");
	return fd;
}

int main(int argc, char **argv)
{
	struct itimerspec when = { .it_value = { 0, 1 }, .it_interval = { 0, 1000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 5 };
	struct itimerval soon = { .it_value = { 0, 1 } };
	char pid[16];
	sigset_t set;
	timer_t timer;
	int one = 1;
	uint32_t slot;

	(void)argc;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	/* What a process finds in its environment is what it was started with. */
	if (!getenv("WATCHDOG_USEC")) {
		setenv("WATCHDOG_USEC", "2500000", 1);
		setenv("WATCHDOG_PID", pid, 1);
		execv("/proc/self/exe", argv);
		victim_die("exec");
	}
	victim_begin();
	must(pipe2(pipe_fds, O_CLOEXEC) == 0, "pipe");
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 5);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &when, NULL) == 0 &&
	     setitimer(ITIMER_REAL, &soon, NULL) == 0, "timers");
	make_running_timerfd();
	must(make_timerfd() >= 0, "a timerfd that does not run out");
	must(setsockopt(make_tcp(), SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0, "keepalive");
	victim_thread(in_epoll, NULL);
	slot = victim_claim(1);
	for (;;) {
		sigset_t pending;

		sigpending(&pending);
		if (sigismember(&pending, SIGALRM) && sigismember(&pending, SIGRTMIN + 5))
			break;
	}
	while (!atomic_load(&sleeper))
		usleep(500);
	await_sleep(atomic_load(&sleeper), 0);
	victim_ready_and_spin(slot, 0);
}
