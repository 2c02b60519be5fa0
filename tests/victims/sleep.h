/* SPDX-License-Identifier: MIT */
/*
 * sleep - ways to sleep in the kernel, for sleepers.c: each function sleeps until something comes that never
 * does, and returns what its call returned.  What it sleeps on it makes the first time.
 */
#ifndef VICTIM_SLEEP_H
#define VICTIM_SLEEP_H

#include "victim.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

#define LONG_S 3600
#define LONG_TIME ((struct timespec){ LONG_S, 0 })

static int pipe_fds[2];
static pid_t child __attribute__((unused));	/* sleeps, and has the locks of lock_fd */
static int lock_fd __attribute__((unused));

static inline void must(bool ok, const char *what)
{
	if (!ok)
		victim_die(what);
}

static inline struct timespec later(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += LONG_S;
	return ts;
}

/* How many of those who sleep while they prepare have come to the call that they are here for. */
static _Atomic int prepared;

/* What a thread sleeps on is made by itself, once: asleep it has done so, when all that is prepared is. */
static inline void await_sleep(pid_t tid, int n_prepared)
{
	char path[64], text[256];
	ssize_t len;
	int fd;

	while (atomic_load(&prepared) < n_prepared)
		usleep(500);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	do {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[len > 0 ? len : 0] = '\0';
	} while (!strstr(text, ") S ") && usleep(500) == 0);
}

/* ---- What to sleep on: made once for each caller ------------------------------------------------- */

static inline int make_pair(int type, int *ret_other)
{
	int fds[2];

	must(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
	*ret_other = fds[1];
	return fds[0];
}

static inline int make_inet(int type, struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(fd >= 0 && bind(fd, (struct sockaddr *)at, len) == 0 &&
	     getsockname(fd, (struct sockaddr *)at, &len) == 0, "an inet socket");
	return fd;
}

static inline int make_tcp(void)
{
	struct sockaddr_in at;
	int listener = make_inet(SOCK_STREAM, &at), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int small = 4096;

	/* Buffers of a size that was set do not grow: filled once they stay so. */
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	must(listen(listener, 1) == 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	     accept(listener, NULL, NULL) >= 0, "a connection");
	return fd;
}

static inline int make_listener(void)
{
	struct sockaddr_in at;
	int fd = make_inet(SOCK_STREAM, &at);

	must(listen(fd, 1) == 0, "listen");
	return fd;
}

static inline int make_unix_listener(struct sockaddr_un *at, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(*at);
	/* An address of its own in the abstract namespace: autobind. */
	must(bind(fd, (struct sockaddr *)at, sizeof(sa_family_t)) == 0 && listen(fd, 0) == 0 &&
	     getsockname(fd, (struct sockaddr *)at, len) == 0, "a unix listener");
	return fd;
}

static inline int timed(int fd, int which)
{
	struct timeval tv = { LONG_S, 0 };

	must(setsockopt(fd, SOL_SOCKET, which, &tv, sizeof(tv)) == 0, "a time-out");
	return fd;
}

static inline size_t write_some(int fd, size_t size)
{
	static const char block[4096];
	size_t n = 0;
	ssize_t r;

	while ((r = write(fd, block, size)) > 0)
		n += (size_t)r;
	return n;
}

/*
 * Until nothing more fits, also after TCP has probed the peer's closed window (200 ms), which takes what it has
 * room for.
 */
static inline int filled(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	size_t n;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	do {
		n = write_some(fd, 4096) + write_some(fd, 1);
		if (n)
			usleep(300000);
	} while (n);
	fcntl(fd, F_SETFL, flags);
	atomic_fetch_add(&prepared, 1);
	return fd;
}

/* Each caller comes from one place: what it sleeps on is made the first time. */
#define ONCE(make) ({ static int made = -1; if (made < 0) made = (make); made; })

static int other_end;
#define UNIX_STREAM ONCE(make_pair(SOCK_STREAM, &other_end))

/* ---- Restarted by the kernel ------------------------------------------------------------------------ */

static inline long in_nanosleep(void) { return nanosleep(&LONG_TIME, NULL); }

static inline long in_clock_nanosleep(void)
{
	errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &LONG_TIME, NULL);
	return -1;
}

static inline long in_nanosleep_until(void)
{
	struct timespec ts = later(CLOCK_MONOTONIC);

	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	return -1;
}

static inline struct pollfd *on_pipe(void)
{
	static _Thread_local struct pollfd p;

	p = (struct pollfd){ pipe_fds[0], POLLIN, 0 };
	return &p;
}

static inline long in_poll(void) { return poll(on_pipe(), 1, -1); }
static inline long in_poll_timed(void) { return poll(on_pipe(), 1, LONG_S * 1000); }
static inline long in_ppoll(void) { return ppoll(on_pipe(), 1, NULL, NULL); }
static inline long in_ppoll_timed(void) { return ppoll(on_pipe(), 1, &LONG_TIME, NULL); }

static inline long in_select(void)
{
	struct timeval tv = { LONG_S, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	return select(pipe_fds[0] + 1, &set, NULL, NULL, &tv);
}

static inline long in_pselect(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	return pselect(pipe_fds[0] + 1, &set, NULL, NULL, NULL, NULL);
}

static inline long in_pause(void) { return pause(); }

static inline long in_sigsuspend(void)
{
	sigset_t set;

	sigfillset(&set);
	return sigsuspend(&set);
}

static inline long read_from(int fd)
{
	char c[4096];

	return read(fd, c, sizeof(c));
}

static inline int make_timerfd(void)
{
	struct itimerspec when = { .it_value = { LONG_S, 0 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	must(timerfd_settime(fd, 0, &when, NULL) == 0, "timerfd");
	return fd;
}

static inline int make_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 7);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static inline int make_tty(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	must(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "a terminal");
	return open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static inline int make_full_pipe(void)
{
	int fds[2];

	must(pipe2(fds, O_CLOEXEC) == 0, "pipe");
	return filled(fds[1]);
}

static inline int make_inotify(void)
{
	return inotify_init1(IN_CLOEXEC);
}

static inline long in_read_pipe(void) { return read_from(pipe_fds[0]); }
static inline long in_read_eventfd(void) { return read_from(ONCE(eventfd(0, EFD_CLOEXEC))); }
static inline long in_read_timerfd(void) { return read_from(ONCE(make_timerfd())); }
static inline long in_read_signalfd(void) { return read_from(ONCE(make_signalfd())); }
static inline long in_read_inotify(void) { return read_from(ONCE(make_inotify())); }
static inline long in_read_tty(void) { return read_from(ONCE(make_tty())); }
static inline long in_write_pipe(void) { return write(ONCE(make_full_pipe()), "x", 1); }

/* A FIFO without a name: nothing is left of it. */
static inline int make_fifo(void)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/tmp/hf-fifo-%d", (int)getpid());
	must(mkfifo(name, 0600) == 0, "mkfifo");
	fd = open(name, O_PATH | O_CLOEXEC);
	unlink(name);
	return fd;
}

static inline long open_again(int fd, int flags)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, flags | O_CLOEXEC);
}

static inline long in_open_fifo(void) { return open_again(ONCE(make_fifo()), O_RDONLY); }

static inline long recv_from(int fd)
{
	char c;

	return recv(fd, &c, 1, 0);
}

static inline long in_recv(void) { return recv_from(UNIX_STREAM); }
static inline long in_recv_tcp(void) { return recv_from(ONCE(make_tcp())); }

static inline long recv_many(int fd)
{
	char c;
	struct iovec v = { &c, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return recvmmsg(fd, &m, 1, 0, NULL);
}

static inline long in_recvmmsg(void) { return recv_many(UNIX_STREAM); }
static inline long in_accept(void) { return accept(ONCE(make_listener()), NULL, NULL); }

static inline long in_connect_unix(void)
{
	static struct sockaddr_un at;
	static socklen_t len;
	int listener = ONCE(make_unix_listener(&at, &len)), first = ONCE(socket(AF_UNIX, SOCK_STREAM, 0));
	int fd = ONCE(socket(AF_UNIX, SOCK_STREAM, 0));

	(void)listener;
	must(connect(first, (struct sockaddr *)&at, len) == 0 || errno == EISCONN, "connect");
	return connect(fd, (struct sockaddr *)&at, len);
}

static inline long futex(int op, const struct timespec *until)
{
	static uint32_t word;

	return syscall(SYS_futex, &word, op, 0, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static inline long in_futex(void) { return futex(FUTEX_WAIT, NULL); }
static inline long in_futex_timed(void) { return futex(FUTEX_WAIT, &LONG_TIME); }

static inline long in_futex_until(void)
{
	struct timespec ts = later(CLOCK_MONOTONIC);

	return futex(FUTEX_WAIT_BITSET, &ts);
}

static inline long in_sem_wait(void)
{
	static sem_t sem;

	return sem_wait(&sem);
}

static inline long in_sem_timedwait(void)
{
	static sem_t sem;
	struct timespec ts = later(CLOCK_REALTIME);

	return sem_timedwait(&sem, &ts);
}

static inline long in_cond_timedwait(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec ts = later(CLOCK_REALTIME);

	pthread_mutex_lock(&mutex);
	errno = pthread_cond_timedwait(&cond, &mutex, &ts);
	pthread_mutex_unlock(&mutex);
	return -1;
}

struct message {
	long type;
	char text[4096];
};

static inline long in_msgrcv(void)
{
	struct message m;

	return msgrcv(ONCE(msgget(IPC_PRIVATE, 0600)), &m, sizeof(m.text), 0, 0);
}

static inline long in_msgsnd(void)
{
	struct message m = { .type = 1 };
	int id = ONCE(msgget(IPC_PRIVATE, 0600));

	while (msgsnd(id, &m, sizeof(m.text), IPC_NOWAIT) == 0)
		;
	return msgsnd(id, &m, sizeof(m.text), 0);
}

static inline long in_wait4(void) { return waitpid(child, NULL, __WALL); }

static inline long in_waitid(void)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
}

static inline long in_flock(void) { return flock(ONCE((int)open_again(lock_fd, O_RDWR)), LOCK_EX); }

static inline long lock_whole(int cmd)
{
	struct flock whole = { .l_type = F_WRLCK };

	return fcntl(lock_fd, cmd, &whole);
}

static inline long in_setlkw(void) { return lock_whole(F_SETLKW); }
static inline long in_ofd_setlkw(void) { return lock_whole(F_OFD_SETLKW); }

static inline mqd_t make_mq(const char *what)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	char name[64];
	mqd_t q;

	snprintf(name, sizeof(name), "/hf-%s-%d", what, (int)getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600, &attr);
	must(q >= 0, "mq_open");
	mq_unlink(name);
	return q;
}

static inline long in_mq_receive(void)
{
	char text[8];

	return mq_receive(ONCE(make_mq("r")), text, sizeof(text), NULL);
}

static inline long in_mq_timedreceive(void)
{
	struct timespec ts = later(CLOCK_REALTIME);
	char text[8];

	return mq_timedreceive(ONCE(make_mq("t")), text, sizeof(text), NULL, &ts);
}

static inline long in_mq_send(void)
{
	mqd_t q = ONCE(make_mq("s"));
	struct timespec past = { 0, 0 };

	while (mq_timedsend(q, "", 1, 0, &past) == 0)
		;
	return mq_send(q, "", 1, 0);
}

#endif
