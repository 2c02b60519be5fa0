/* SPDX-License-Identifier: MIT */
/*
 * frames MODE [NUMBER] - threads that stay in known functions.
 *
 *	chain N		N threads, each in outer > middle > inner > wait_here; the first from main, the others named chain-1...
 *	deep N		a thread in wait_here below N times recurse
 *	alt		a thread in wait_here of on_signal, on an alternate stack, that interrupted raise_it
 *	big		a thread in wait_here below a function that needs a megabyte of stack
 *	damaged		a thread in wait_here whose callers' frames it has overwritten with numbers
 *	sleep		a thread that pauses, and after SIGUSR2 sleeps instead
 *	clock		a thread that asks for the time without pause, nearly always in the vdso
 *	pour		a second thread that writes a megabyte into a pipe that nobody reads, again and again
 *	ask		a second thread that asks without waiting, by poll(2), ppoll(2) and select(2) in turn
 *	fault		a second thread that touches a page which nobody brings (userfaultfd)
 */
#include "victim.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <time.h>

#define FRAME __attribute__((noinline, noclone, noipa)) static

static uint32_t slots;

/* What follows each call keeps it from becoming a jump. */
static volatile int after;

/* The first thread says ready from there: then all are where they are to be, or about to fall asleep. */
FRAME void wait_here(uint32_t slot)
{
	victim_take(slot, VICTIM_STAYS);
	if (getpid() == syscall(SYS_gettid))
		victim_ready();
	for (;;) {
		pause();
		victim_count(slot);
	}
}

FRAME void inner(uint32_t slot)
{
	wait_here(slot);
	after++;
}

FRAME void middle(uint32_t slot)
{
	inner(slot);
	after++;
}

FRAME void outer(uint32_t slot)
{
	middle(slot);
	after++;
}

FRAME void recurse(uint32_t slot, unsigned int n)
{
	if (n > 1)
		recurse(slot, n - 1);
	else
		wait_here(slot);
	after++;
}

static void wake(int sig)
{
	(void)sig;
}

FRAME void on_signal(int sig)
{
	(void)sig;
	wait_here(slots);
	after++;
}

FRAME void raise_it(void)
{
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
	after++;
}

FRAME void need_much(uint32_t slot)
{
	volatile char much[1024 * 1024];

	much[0] = 1;
	wait_here(slot);
	after += much[0];
}

/* Numbers that are no addresses, from here up over the frames of our callers. */
FRAME void overwrite(uint32_t slot)
{
	volatile uint64_t *frame = __builtin_frame_address(0);
	unsigned int i;

	for (i = 0; i < 24; i++)
		frame[i] = 0x5a5a5a5a5a5a5a5a;
	wait_here(slot);
	after++;
}

FRAME void pause_then_sleep(uint32_t slot)
{
	victim_take(slot, VICTIM_WAKES);
	signal(SIGUSR2, wake);
	victim_ready();
	pause();
	victim_count(slot);
	for (;;)
		sleep(1000);
}

FRAME void ask_for_the_time(uint32_t slot)
{
	struct timespec now;

	victim_take(slot, VICTIM_MOVES);
	victim_ready();
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		victim_count(slot);
	}
}

/* A stop makes it tell how much it has written; then it writes again. */
static void *pour(void *unused)
{
	static char much[1024 * 1024];
	int fds[2];

	if (pipe(fds) < 0)
		victim_die("pipe");
	victim_take(slots, VICTIM_STAYS);
	while (write(fds[1], much, sizeof(much)) > 0)
		;
	victim_die("write");
	return unused;
}

__attribute__((noreturn)) static void *ask(void *unused)
{
	const struct timespec none = { 0, 0 };
	struct timeval no_time = { 0, 0 };

	(void)unused;
	victim_take(slots, VICTIM_MOVES);
	for (;;) {
		poll(NULL, 0, 0);
		ppoll(NULL, 0, &none, NULL);
		select(0, NULL, NULL, NULL, &no_time);
		victim_count(slots);
	}
}

static void *fault(void *unused)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	reg.range.start = (uintptr_t)page;
	reg.range.len = size;
	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &reg) < 0)
		victim_die("preparing the page");
	victim_take(slots, VICTIM_STAYS);
	page[0] = 1;
	victim_count(slots);
	return unused;
}

static char alternate[64 * 1024];

static void *alt(void *unused)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	if (sigaltstack(&stack, NULL) < 0 || sigaction(SIGUSR1, &action, NULL) < 0)
		victim_die("the alternate stack");
	raise_it();
	return unused;
}

static void *chain(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "chain-%u", (unsigned int)(uintptr_t)arg - slots);
	prctl(PR_SET_NAME, name);
	outer((uint32_t)(uintptr_t)arg);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "chain";
	unsigned int n = victim_arg(argc, argv, 2, 1), many = strcmp(mode, "chain") == 0 ? n : 1;
	void *(*second)(void *);
	pthread_t thread;

	victim_begin();
	slots = victim_claim(many + 1);
	victim_spinner(slots + many, 2000);
	for (uint32_t i = 1; i < many; i++)
		victim_thread(chain, (void *)(uintptr_t)(slots + i));
	second = strcmp(mode, "alt") == 0 ? alt : strcmp(mode, "pour") == 0 ? pour :
		 strcmp(mode, "ask") == 0 ? ask : strcmp(mode, "fault") == 0 ? fault : NULL;
	if (second && pthread_create(&thread, NULL, second, NULL) != 0)
		victim_die("starting a thread");
	if (second) {
		victim_await(slots, 2);
		victim_ready();
	}
	victim_await(slots + 1, many);
	if (strcmp(mode, "chain") == 0)
		outer(slots);
	else if (strcmp(mode, "deep") == 0)
		recurse(slots, n);
	else if (strcmp(mode, "big") == 0)
		need_much(slots);
	else if (strcmp(mode, "damaged") == 0)
		overwrite(slots);
	else if (strcmp(mode, "sleep") == 0)
		pause_then_sleep(slots);
	else if (strcmp(mode, "clock") == 0)
		ask_for_the_time(slots);
	for (;;)
		pause();
}
