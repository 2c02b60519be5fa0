/* SPDX-License-Identifier: MIT */
/*
 * caught WHAT [restart] - one thread asleep in a call that a stop interrupts, and what WHAT makes of it:
 *	epoll		epoll_wait(); SIGUSR1 has a handler, with SA_RESTART where `restart` is given
 *	connect		connect() of a socket with SO_SNDTIMEO to a listener that does not answer
 *	timed		epoll_wait() for a second, for what the test pokes; the value is 1000 + what it returns
 *	int80		epoll_pwait2() by int $0x80 from 64-bit code: numbers and structs are those of i386
 * The thread's slot counts how often its call came back, its value is with which errno.  The second
 * slot counts how often the handler ran.  The main thread counts in the third.
 */
#include "sleep_eintr.h"

static uint32_t first;
static const char *what;

static void handler(int sig)
{
	(void)sig;
	victim_count(first + 1);
}

/* A listener whose queue is full drops what asks for a connection. */
static long in_connect(void)
{
	struct sockaddr_in at;
	int listener = make_inet(SOCK_STREAM, &at), fd = -1;

	must(listen(listener, 0) == 0, "listen");
	for (int i = 0; i < 8; i++) {
		struct pollfd p = { .events = POLLOUT };

		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		p.fd = fd;
		connect(fd, (struct sockaddr *)&at, sizeof(at));
		if (poll(&p, 1, 100) == 0)
			break;
	}
	fd = timed(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), SO_SNDTIMEO);
	atomic_fetch_add(&prepared, 1);
	return connect(fd, (struct sockaddr *)&at, sizeof(at));
}

static long in_int80(void)
{
#ifdef __x86_64__
	void *events = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long r;

	__asm__ volatile("push %%rbp; xor %%ebp, %%ebp; int $0x80; pop %%rbp"
			 : "=a"(r)
			 : "a"(441), "b"(ONCE(make_epoll())), "c"(events), "d"(1), "S"(0), "D"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)-r;
	return r < 0 ? -1 : r;
#else
	return in_epoll_wait();
#endif
}

#define TIMED_MS 1000

static long in_timed(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int poke = victim_fd("VICTIM_POKE_FD"), fd = ONCE(epoll_create1(EPOLL_CLOEXEC));
	char c;
	long r;

	epoll_ctl(fd, EPOLL_CTL_ADD, poke, &e);
	r = epoll_wait(fd, &e, 1, TIMED_MS);
	if (r == 1 && read(poke, &c, 1) != 1)
		victim_die("reading the poke");
	/* Once is enough: from now on it waits for ever. */
	if (r >= 0) {
		atomic_store(&board->slots[first].value, (uint64_t)(1000 + r));
		victim_count(first);
		for (;;)
			pause();
	}
	return r;
}

static void *sleeper_main(void *arg)
{
	(void)arg;
	victim_take(first, VICTIM_WAKES);
	for (;;) {
		long r = !strcmp(what, "connect") ? in_connect() : !strcmp(what, "int80") ? in_int80() :
			 !strcmp(what, "timed") ? in_timed() : in_epoll_wait();

		atomic_store(&board->slots[first].value, (uint64_t)(r < 0 ? errno : 0));
		victim_count(first);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = argc > 2 ? SA_RESTART : 0 };
	sigset_t set;

	what = argc > 1 ? argv[1] : "epoll";
	victim_begin();
	must(pipe2(pipe_fds, O_CLOEXEC) == 0, "pipe");
	first = victim_claim(3);
	victim_take(first + 1, VICTIM_WAKES);
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&set);
	victim_thread(sleeper_main, NULL);
	victim_await(first, 1);
	/* The handler is the sleeper's: its call is the one to be interrupted. */
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	await_sleep(atomic_load(&board->slots[first].tid), !strcmp(what, "connect"));
	victim_ready_and_spin(first + 2, 0);
}
