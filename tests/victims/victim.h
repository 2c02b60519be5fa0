/* SPDX-License-Identifier: MIT */
/*
 * victim - what all victims have in common: the board, a page of counters shared with the test,
 * and the pipe that says "ready".  A victim is a small program with one oddity; each of its
 * threads counts in a slot of its own, so that the test can see who runs and who does not.
 *
 * The laboratory (tests/lab.h) passes three descriptors by their numbers in the environment:
 *	VICTIM_BOARD_FD   the board, to be mapped shared
 *	VICTIM_READY_FD   where the program says, once, that it is what it wants to be
 *	VICTIM_POKE_FD    where it may wait for a byte from the test
 */
#ifndef VICTIM_H
#define VICTIM_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the kernel has no such call, the C library makes another. */
#ifndef SYS_pause
#define SYS_pause SYS_ppoll
#endif
#ifndef SYS_vfork
#define SYS_vfork SYS_clone
#endif

#define VICTIM_SLOTS 2048u
#define VICTIM_EVENTS 4096u

/* What the test may expect of a slot. */
enum victim_duty {
	VICTIM_UNUSED = 0,
	VICTIM_MOVES,		/* counts for as long as it runs */
	VICTIM_STAYS,		/* blocked for ever; counts how often its call came back */
	VICTIM_WAKES,		/* blocked; counts like that one, and has reason to */
	VICTIM_ENDED,		/* has ended by its own will */
};

/* One cache line each, so that counting threads do not slow each other down. */
struct victim_slot {
	_Alignas(64) _Atomic uint64_t count;
	_Atomic uint64_t value;		/* whatever the victim wants to tell */
	_Atomic int32_t duty;
	_Atomic int32_t tid;
};

/* One wait status that a parent was given, or one signal that was received. */
struct victim_event {
	int32_t watcher;		/* who was told */
	int32_t pid;			/* about whom (si_pid) */
	int32_t code;			/* CLD_..., or the signal number */
	int32_t status;			/* si_status, or the signal's value */
	_Atomic int32_t complete;
};

struct victim_board {
	_Atomic uint32_t n_slots;
	_Atomic uint32_t n_events;
	struct victim_event events[VICTIM_EVENTS];
	struct victim_slot slots[VICTIM_SLOTS];
};

/* ---- Used by the laboratory's warden as well ------------------------------------------------ */

static inline void victim_log(struct victim_board *board, int pid, int code, int status)
{
	uint32_t i = atomic_fetch_add(&board->n_events, 1);

	if (i >= VICTIM_EVENTS)
		return;
	board->events[i].watcher = getpid();
	board->events[i].pid = pid;
	board->events[i].code = code;
	board->events[i].status = status;
	atomic_store(&board->events[i].complete, 1);
}

#ifndef VICTIM_TYPES_ONLY

/* ---- Beginning ------------------------------------------------------------------------------ */

static struct victim_board *board;

__attribute__((noreturn, unused)) static void victim_die(const char *what)
{
	fprintf(stderr, "victim %d: %s: %s\n", (int)getpid(), what, strerror(errno));
	_exit(99);
}

/* -1 when the victim was started by hand: then nobody looks at its board or waits for it. */
static inline int victim_fd(const char *name)
{
	const char *text = getenv(name);

	return text ? atoi(text) : -1;
}

static inline void victim_begin(void)
{
	int fd = victim_fd("VICTIM_BOARD_FD");

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		victim_die("mapping the board");
}

/* A number among the arguments. */
static inline unsigned int victim_arg(int argc, char **argv, int i, unsigned int otherwise)
{
	return argc > i ? (unsigned int)strtoul(argv[i], NULL, 10) : otherwise;
}

/* ---- Counting ------------------------------------------------------------------------------- */

/* n slots in a row; the index of the first. */
static inline uint32_t victim_claim(uint32_t n)
{
	uint32_t first = atomic_fetch_add(&board->n_slots, n);

	if (first + n > VICTIM_SLOTS) {
		errno = ENOSPC;
		victim_die("claiming slots");
	}
	return first;
}

static inline void victim_count(uint32_t slot)
{
	atomic_fetch_add_explicit(&board->slots[slot].count, 1, memory_order_relaxed);
}

/* Take a slot over: from now on it is expected to keep its duty. */
static inline void victim_take(uint32_t slot, enum victim_duty duty)
{
	atomic_store(&board->slots[slot].tid, (int32_t)syscall(SYS_gettid));
	atomic_store(&board->slots[slot].duty, duty);
}

/*
 * Count for ever.  nap_us lets hundreds of victims share two processors: a thread that runs
 * free still counts within that time.
 */
__attribute__((noreturn)) static inline void victim_spin(uint32_t slot, unsigned int nap_us)
{
	victim_take(slot, VICTIM_MOVES);
	for (;;) {
		victim_count(slot);
		if (nap_us)
			usleep(nap_us);
	}
}

/* Wait until n slots have been taken over, and the counting ones have counted. */
static inline void victim_await(uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct victim_slot *slot = &board->slots[i];

		while (atomic_load(&slot->duty) == VICTIM_UNUSED ||
		       (atomic_load(&slot->duty) == VICTIM_MOVES && !atomic_load(&slot->count)))
			usleep(500);
	}
}

static inline void victim_ready(void)
{
	int fd = victim_fd("VICTIM_READY_FD");
	int32_t pid = getpid();

	if (fd >= 0 && write(fd, &pid, sizeof(pid)) != sizeof(pid))
		victim_die("saying ready");
}

/* Say ready, and count for ever. */
__attribute__((noreturn)) static inline void victim_ready_and_spin(uint32_t slot,
								   unsigned int nap_us)
{
	victim_take(slot, VICTIM_MOVES);
	victim_ready();
	victim_spin(slot, nap_us);
}

/* ---- Threads that count --------------------------------------------------------------------- */

struct victim_spinner {
	uint32_t slot;
	unsigned int nap_us;
};

static inline void *victim_spinner_run(void *arg)
{
	struct victim_spinner *s = arg;

	victim_spin(s->slot, s->nap_us);
}

static inline pthread_t victim_thread(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	r = pthread_create(&thread, &attr, run, arg);
	if (r) {
		errno = r;
		victim_die("starting a thread");
	}
	pthread_attr_destroy(&attr);
	return thread;
}

/* Start a thread that counts in a slot. */
static inline void victim_spinner(uint32_t slot, unsigned int nap_us)
{
	struct victim_spinner *s = malloc(sizeof(*s));

	if (!s)
		victim_die("malloc");
	*s = (struct victim_spinner){ slot, nap_us };
	victim_thread(victim_spinner_run, s);
}

/* Wait until somebody has the state letter `state`, as a parent can without waiting for it. */
static inline void victim_await_zombie(pid_t child)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			victim_die("waitid");
}

/* Log every event of every child, for ever. */
__attribute__((noreturn)) static inline void victim_watch_children(void)
{
	siginfo_t info;

	for (;;) {
		if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED) == 0)
			victim_log(board, info.si_pid, info.si_code, info.si_status);
		else if (errno == ECHILD)
			pause();
	}
}

#endif /* VICTIM_TYPES_ONLY */
#endif
