/* SPDX-License-Identifier: MIT */
/*
 * sleepers [eintr | all | report] - one thread for each way to sleep in the kernel; its slot counts how often
 * the call came back, and its value is with which errno.  The calls of the first table are
 * restarted by the kernel itself after a stop, so they never come back; those of the second
 * (`eintr`) return EINTR after a stop (signal(7)) unless somebody sees to it that they do not.  `all` has
 * both, expected to stay.  The name of a call is in the thread's comm.
 * The main thread counts in the last slot; with `report` it prints name, count and errno of every
 * call, and an empty line, for each line it reads.
 */
#include "sleep_eintr.h"

/* ---- The tables -------------------------------------------------------------------------------------- */

struct sleeper {
	const char *name;
	long (*call)(void);
	uint32_t slot;
	enum victim_duty duty;
};

#define SLEEPER(name) { #name, in_##name, 0, VICTIM_STAYS }

static struct sleeper sleepers[] = {
	SLEEPER(nanosleep), SLEEPER(clock_nanosleep), SLEEPER(nanosleep_until),
	SLEEPER(poll), SLEEPER(poll_timed), SLEEPER(ppoll), SLEEPER(ppoll_timed),
	SLEEPER(select), SLEEPER(pselect), SLEEPER(pause), SLEEPER(sigsuspend),
	SLEEPER(read_pipe), SLEEPER(read_eventfd), SLEEPER(read_timerfd), SLEEPER(read_signalfd),
	SLEEPER(read_inotify), SLEEPER(read_tty), SLEEPER(write_pipe), SLEEPER(open_fifo),
	SLEEPER(recv), SLEEPER(recv_tcp), SLEEPER(recvmmsg), SLEEPER(accept), SLEEPER(connect_unix),
	SLEEPER(futex), SLEEPER(futex_timed), SLEEPER(futex_until), SLEEPER(sem_wait),
	SLEEPER(sem_timedwait), SLEEPER(cond_timedwait), SLEEPER(msgrcv), SLEEPER(msgsnd),
	SLEEPER(wait4), SLEEPER(waitid), SLEEPER(flock), SLEEPER(setlkw), SLEEPER(ofd_setlkw),
	SLEEPER(mq_receive), SLEEPER(mq_timedreceive), SLEEPER(mq_send),
#define N_RESTARTED 40
	SLEEPER(epoll_wait), SLEEPER(epoll_timed), SLEEPER(epoll_pwait), SLEEPER(epoll_pwait2),
	SLEEPER(io_uring), SLEEPER(io_uring_timed), SLEEPER(semop), SLEEPER(semtimedop),
	SLEEPER(io_getevents), SLEEPER(io_getev_timed), SLEEPER(sigtimedwait), SLEEPER(sigwaitinfo),
	SLEEPER(recv_timeo), SLEEPER(read_timeo), SLEEPER(recvmmsg_timeo), SLEEPER(recv_dgram),
	SLEEPER(recvmsg_tcp), SLEEPER(read_tcp), SLEEPER(recv_all_tcp), SLEEPER(recv_udp),
	SLEEPER(accept_timeo), SLEEPER(accept_unix), SLEEPER(send_tcp), SLEEPER(write_tcp),
	SLEEPER(send_unix),
};
#define N_ALL (sizeof(sleepers) / sizeof(*sleepers))

static void *sleeper_main(void *arg)
{
	const struct sleeper *s = arg;

	prctl(PR_SET_NAME, s->name);
	victim_take(s->slot, s->duty);
	for (;;) {
		long r = s->call();

		atomic_store(&board->slots[s->slot].value, (uint64_t)(r < 0 ? errno : 0));
		victim_count(s->slot);
	}
	return NULL;
}

/* ---- Beginning ----------------------------------------------------------------------------------------- */

/* Somebody to wait for, who has the locks that others want. */
static void make_child(void)
{
	struct flock whole = { .l_type = F_WRLCK };
	int locked[2];
	char c;

	lock_fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	must(lock_fd >= 0 && pipe2(locked, O_CLOEXEC) == 0, "locks");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "child");
		must(flock((int)open_again(lock_fd, O_RDWR), LOCK_EX) == 0 &&
		     fcntl(lock_fd, F_SETLK, &whole) == 0 && write(locked[1], "", 1) == 1, "locking");
		for (;;)
			pause();
	}
	must(read(locked[0], &c, 1) == 1, "waiting for the locks");
}

static void report(uint32_t first, uint32_t n, const struct sleeper *table)
{
	char line[64];

	victim_ready();
	while (fgets(line, sizeof(line), stdin)) {
		for (uint32_t i = 0; i < n; i++)
			printf("%s %llu %s\n", table[i].name,
			       (unsigned long long)atomic_load(&board->slots[first + i].count),
			       atomic_load(&board->slots[first + i].value) ?
				       strerrorname_np((int)atomic_load(&board->slots[first + i].value)) :
				       "0");
		puts("");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	bool all = !strcmp(mode, "all") || !strcmp(mode, "report"), eintr = !strcmp(mode, "eintr");
	struct sleeper *table = eintr ? sleepers + N_RESTARTED : sleepers;
	uint32_t n = (uint32_t)(all ? N_ALL : eintr ? N_ALL - N_RESTARTED : N_RESTARTED), first;
	sigset_t set = usr2();

	victim_begin();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* System V objects would outlive a victim that is killed; those of a namespace of its own do not. */
	if (unshare(CLONE_NEWIPC) < 0 && errno != EPERM)
		victim_die("unshare");
	must(pipe2(pipe_fds, O_CLOEXEC) == 0, "pipe");
	make_child();
	first = victim_claim(n + 1);
	for (uint32_t i = 0; i < n; i++) {
		table[i].slot = first + i;
		table[i].duty = eintr ? VICTIM_WAKES : VICTIM_STAYS;
		victim_thread(sleeper_main, &table[i]);
	}
	victim_await(first, n);
	for (uint32_t i = 0; i < n; i++)
		await_sleep(atomic_load(&board->slots[first + i].tid), all ? 4 : eintr ? 3 : 1);
	if (!strcmp(mode, "report"))
		report(first, n, table);
	else
		victim_ready_and_spin(first + n, 0);
	return 0;
}
