/* SPDX-License-Identifier: MIT */
/*
 * chaos LINEAGES - everything at once.  Each lineage is one thread at a time that counts, takes a step at random and
 * by that makes its successor: a child, a sibling or a vfork child, a new thread while the old one ends (the first thread, too), an
 * exec from the first thread or from another one with sleeping siblings; its process ends by exit or by SIGKILL.  Whoever
 * is alive of a lineage counts in its slot, so a newborn that runs is seen at once.  The founder stops, continues and
 * signals all of them all the time; they are a process group of their own, so no reused pid is ever hit.
 *
 * Started again as: chaos - SLOT SEED
 */
#include "victim.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/prctl.h>

/* A process whose first thread has ended has nothing in /proc/self. */
#define SELF "/proc/thread-self/exe"

struct life {
	uint32_t slot;
	uint32_t seed;
	bool threads;		/* its process has, or had, another thread */
};

static char *program;

__attribute__((noreturn)) static void live(struct life life);

static uint32_t draw(struct life *life)
{
	life->seed = life->seed * 1664525u + 1013904223u;
	return life->seed >> 16;
}

__attribute__((noreturn)) static void exec_again(struct life life)
{
	static char slot[16], seed[16];
	char *argv[] = { program, (char[]){ "-" }, slot, seed, NULL };

	snprintf(slot, sizeof(slot), "%u", life.slot);
	snprintf(seed, sizeof(seed), "%u", life.seed);
	execv(SELF, argv);
	victim_die("execv");
}

static void *sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void *live_on(void *arg)
{
	struct life life = *(struct life *)arg;

	free(arg);
	live(life);
}

static void *exec_on(void *arg)
{
	exec_again(*(struct life *)arg);
}

/* False when a thread cannot be had for a moment: ended ones give their memory back a little later. */
static bool start_thread(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return r == 0;
}

/* A new thread carries on and this one ends: where it is the first, its process has a dead leader from then on. */
static void hand_over(struct life life)
{
	struct life *mine = malloc(sizeof(*mine));

	if (!mine)
		return;
	*mine = life;
	mine->threads = true;
	if (start_thread(live_on, mine))
		syscall(SYS_exit, 0);	/* pthread_exit() may load a library, and a fork meanwhile breaks that */
	free(mine);
}

static void exec_from_another_thread(const struct life *life)
{
	for (int i = 0; i < 3; i++)
		start_thread(sleep_for_ever, NULL);
	if (start_thread(exec_on, (void *)(uintptr_t)life))
		sleep_for_ever(NULL);
}

/*
 * A bare clone leaves the C library's locks as it finds them, and another thread may have one: its child would wait for
 * ever at its next thread.  fork(3) sees to that.
 */
static void give_birth(struct life *life, bool sibling, bool by_signal)
{
	pid_t pid = sibling && !life->threads ? (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL) : fork();

	if (pid == 0)
		life->threads = false;
	if (pid <= 0)
		return;	/* the successor; or out of pids for a moment */
	if (by_signal)
		kill(getpid(), SIGKILL);
	_exit(0);
}

static void vfork_and_exec(struct life life)
{
	static char slot[16], seed[16];
	char *argv[] = { program, (char[]){ "-" }, slot, seed, NULL };
	pid_t pid;

	snprintf(slot, sizeof(slot), "%u", life.slot);
	snprintf(seed, sizeof(seed), "%u", life.seed);
	pid = vfork();
	if (pid == 0) {
		execv(SELF, argv);
		_exit(98);
	}
	if (pid > 0)
		_exit(0);
}

__attribute__((noreturn)) static void live(struct life life)
{
	for (;;) {
		uint32_t what = draw(&life) % 10;

		victim_count(life.slot);
		if (what < 3)
			give_birth(&life, what == 1, what == 2);
		else if (what < 6)
			hand_over(life);
		else if (what == 6)
			vfork_and_exec(life);
		else if (what == 7)
			exec_again(life);
		else if (what == 8) {
			life.threads = true;
			exec_from_another_thread(&life);
		} else
			for (uint32_t i = draw(&life) % 5000; i; i--)
				victim_count(life.slot);
	}
}

/* The group's first process lives on, so that its number stays that of this group. */
static pid_t start_group(uint32_t first, uint32_t n)
{
	pid_t group = fork();

	if (group < 0)
		victim_die("fork");
	if (group)
		return group;
	setpgid(0, 0);
	for (uint32_t i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			victim_die("fork");
		if (pid == 0) {
			victim_take(first + i, VICTIM_MOVES);
			live((struct life){ first + i, first + i + 1, false });
		}
	}
	sleep_for_ever(NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const int signals[] = { SIGUSR1, SIGSTOP, SIGCONT, SIGUSR2, SIGTSTP, SIGCONT };
	uint32_t n = victim_arg(argc, argv, 1, 4), first;
	pid_t group;

	victim_begin();
	program = argv[0];
	if (argc > 3)
		live((struct life){ victim_arg(argc, argv, 2, 0), victim_arg(argc, argv, 3, 0), false });
	/* Ignored across exec; sent to a traced thread an ignored signal is queued all the same. */
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	first = victim_claim(n + 1);
	group = start_group(first, n);
	victim_await(first, n);
	victim_take(first + n, VICTIM_MOVES);
	victim_count(first + n);
	victim_ready();
	for (unsigned int round = 0;; round++) {
		kill(-group, signals[round % (sizeof(signals) / sizeof(*signals))]);
		usleep(round % 6 == 1 || round % 6 == 4 ? 300 : 1000);
		victim_count(first + n);
	}
}
