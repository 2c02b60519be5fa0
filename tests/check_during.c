/* SPDX-License-Identifier: MIT */
/*
 * check_during - what a hold is like from within and what may happen during one: blocking calls, a
 * vfork, signals, deaths, newcomers, the end of the holder; and what it leaves in the caller's own
 * program, which is nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "suite.h"

/* ---- Sleepers, vfork, signals --------------------------------------------------------------- */

/* The last slot counts, all others belong to sleepers. */
static void await_sleeping(struct lab *lab, const struct lab_victim *v)
{
	for (uint32_t i = 0; i + 1 < v->n; i++)
		lab_await_state(atomic_load(&lab_slot(lab, v, i)->tid), 'S');
}

START_TEST(sleeping_calls_sleep_on)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "sleepers", NULL);

	await_sleeping(lab, v);
	for (int round = 0; round < 3; round++)
		lab_cycle(lab, lab->top);
	await_sleeping(lab, v);
	lab_moving(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_vfork_parent_is_armed_and_goes_on_when_its_child_does)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "vforker", NULL);
	pid_t child = (pid_t)atomic_load(&lab_slot(lab, v, 2)->value);
	const struct hf_process *p;
	hf_tree *tree = NULL;
	hf_hold *hold;

	lab_await_state(v->pid, 'D');
	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->armed, 1);
	ck_assert_uint_eq(hf_hold_info(hold)->armed_other, 0);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 2);
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
	p = hf_tree_find(tree, v->pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->n_threads, 2);
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_ARMED);
	ck_assert_int_eq(p->threads[0].waits_for, child);
	ck_assert_int_eq(p->threads[1].state, HF_THREAD_HELD);
	/* What it waits for comes, and must not wake anybody. */
	lab_poke(lab);
	lab_still(lab, LAB_HOLD_MS);
	ck_assert_uint_eq(atomic_load(&lab_slot(lab, v, 1)->count), 0);
	ck_assert_uint_eq(atomic_load(&lab_slot(lab, v, 2)->count), 0);
	hf_tree_free(tree);
	ck_assert_int_ge(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	hf_hold_free(hold);
	while (atomic_load(&lab_slot(lab, v, 1)->duty) != VICTIM_MOVES ||
	       atomic_load(&lab_slot(lab, v, 2)->duty) != VICTIM_MOVES)
		usleep(1000);
	lab_moving(lab);
	lab_done(lab);
}
END_TEST

/* Numbered signals of two kinds before, during and after the hold. */
static void send_numbered(pid_t pid, int *next, int n)
{
	for (int i = 0; i < n; i++, (*next)++)
		ck_assert_int_eq(sigqueue(pid, SIGRTMIN + 3, (union sigval){ .sival_int = *next }), 0);
}

static void await_count(struct victim_slot *slot, uint64_t count)
{
	uint64_t begin = lab_ms();

	while (atomic_load(&slot->count) < count) {
		ck_assert_uint_lt(lab_ms() - begin, LAB_PATIENCE_MS);
		usleep(500);
	}
}

START_TEST(queued_signals_are_neither_lost_nor_doubled_nor_reordered)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "sigs", NULL);
	const struct victim_event *events = lab->board->events;
	int next = 0;

	for (int round = 0; round < 10; round++) {
		hf_hold *hold;

		send_numbered(v->pid, &next, 7);
		hold = lab_take(lab->top, NULL);
		send_numbered(v->pid, &next, 7);
		kill(v->pid, SIGUSR1);
		lab_still(lab, 5);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		send_numbered(v->pid, &next, 3);
		/* Standard signals merge while one is pending; so let this one through first. */
		await_count(lab_slot(lab, v, 1), (uint64_t)round + 1);
	}
	lab_moving(lab);
	while (!atomic_load(&events[next - 1].complete))
		usleep(1000);
	for (int i = 0; i < next; i++) {
		ck_assert_int_eq(events[i].code, SIGRTMIN + 3);
		ck_assert_int_eq(events[i].status, i);
	}
	ck_assert_uint_eq(atomic_load(&lab->board->n_events), (unsigned int)next);
	ck_assert_uint_eq(atomic_load(&lab_slot(lab, v, 1)->count), 10);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- While it is held ----------------------------------------------------------------------- */

static void no_registers(hf_hold *hold, pid_t tid, int code, const char *words)
{
	struct hf_error err = HF_ERROR_INIT;
	char regs[1024];
	size_t size = sizeof(regs);

	ck_assert_int_eq(hf_hold_registers(hold, tid, 1, regs, &size, &err), -code);
	ck_assert_int_eq(err.code, code);
	ck_assert_int_eq(err.tid, tid);
	ck_assert_msg(strstr(err.text, words), "\"%s\" does not say \"%s\"", err.text, words);
	ck_assert_uint_eq(size, sizeof(regs));
}

START_TEST(who_is_killed_while_held_dies_and_its_parent_is_told)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *dies = lab_start(lab, lab->top, "spin", "3", NULL);
	struct lab_victim *lives = lab_start(lab, lab->top, "spin", "2", NULL);
	hf_hold *hold = lab_take(lab->top, NULL);
	uint64_t begin = lab_ms();

	kill(dies->pid, SIGKILL);
	while (hf_hold_info(hold)->died < 3) {
		ck_assert_int_ge(hf_hold_attend(hold, NULL), 0);
		ck_assert_uint_lt(lab_ms() - begin, LAB_PATIENCE_MS);
		usleep(500);
	}
	lab_await_told(lab, dies->pid, "killed 9");
	ck_assert_uint_eq(hf_hold_info(hold)->held, 2);
	no_registers(hold, dies->pid, ESRCH, "is gone: it died while held");
	no_registers(hold, getpid(), ESRCH, "is not in this hold");
	lab_victim_still(lab, lives, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	dies->still = true;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* Nobody asks after them during the hold: that they are dead turns out when they cannot be let go. */
START_TEST(who_was_killed_unnoticed_is_among_the_dead_of_the_release)
{
	static const enum hf_release hows[] = { HF_RELEASE_AS_FOUND, HF_RELEASE_STOPPED, HF_RELEASE_FROZEN, HF_RELEASE_DEAD };

	for (size_t i = 0; i < COUNT_OF(hows); i++) {
		struct lab *lab = lab_new(_i);
		struct lab_victim *dies = lab_start(lab, lab->top, "spin", "3", NULL);
		hf_hold *hold;

		lab_start(lab, lab->top, "spin", "2", NULL);
		hold = lab_take(lab->top, NULL);
		kill(dies->pid, SIGKILL);
		for (uint32_t slot = 0; slot < 3; slot++)
			lab_await_state(lab_slot(lab, dies, slot)->tid, 'Z');
		ck_assert_uint_eq(hf_hold_info(hold)->held, 5);
		ck_assert_int_eq(hf_hold_release(hold, hows[i], NULL, NULL), 0);
		ck_assert_uint_eq(hf_hold_info(hold)->held, 2);
		ck_assert_uint_eq(hf_hold_info(hold)->died, 3);
		ck_assert_uint_eq(hf_hold_info(hold)->threads, 5);
		hf_hold_free(hold);
		lab_sweep();
		lab_done(lab);
	}
}
END_TEST

/* A vfork parent comes to its stop when its child has ended: then it is one of the held, or of the dead. */
START_TEST(who_was_armed_is_counted_as_what_he_is_at_the_release)
{
	for (int both = 0; both < 2; both++) {
		struct lab *lab = lab_new(_i);
		struct lab_victim *v = lab_start(lab, lab->top, "vforkwait", "1000", NULL);
		pid_t child = lab_slot(lab, v, 0)->tid;
		const struct hf_hold_info *info;
		hf_hold *hold = lab_take(lab->top, NULL);

		info = hf_hold_info(hold);
		ck_assert_uint_eq(info->armed, 1);
		ck_assert_uint_eq(info->held, 1);
		kill(both ? v->pid : child, SIGKILL);
		kill(child, SIGKILL);
		lab_await_state(child, 'Z');
		lab_await_state(v->pid, both ? 'Z' : 't');
		ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
		info = hf_hold_info(hold);
		ck_assert_uint_eq(info->armed, 0);
		ck_assert_uint_eq(info->held, both ? 0 : 1);
		ck_assert_uint_eq(info->died, both ? 2 : 1);
		hf_hold_free(hold);
		lab_sweep();
		lab_done(lab);
	}
}
END_TEST

START_TEST(who_moves_in_during_the_hold_is_noticed)
{
	struct lab *lab = lab_new(_i);
	const char *inside = lab_cgroup(lab, lab->top, "inside");
	const char *outside = lab_cgroup(lab, lab->top, "outside");
	struct lab_victim *held = lab_start(lab, inside, "spin", "2", NULL);
	struct lab_victim *late = lab_start(lab, outside, "spin", "2", NULL);
	struct lab_victim *later = lab_start(lab, outside, "spin", "1", NULL);
	hf_hold *hold = lab_take(inside, NULL);

	lab_move(inside, late->pid);
	ck_assert_int_ge(hf_hold_attend(hold, NULL), 0);
	ck_assert_uint_eq(hf_hold_info(hold)->newcomers, 2);
	lab_victim_still(lab, held, LAB_HOLD_MS);
	/* Of who comes and goes, what counts is how it was at the end. */
	lab_move(inside, later->pid);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	ck_assert_uint_eq(hf_hold_info(hold)->newcomers, 3);
	hf_hold_free(hold);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* What a program can see of itself that a library might leave changed. */
struct traces {
	int n_fds, n_children, n_threads;
	char signals[512];		/* SigPnd to SigCgt of /proc/self/status */
};

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void look_at_ourselves(struct traces *ret)
{
	char line[256];
	FILE *f;

	memset(ret, 0, sizeof(*ret));
	ret->n_fds = count_entries("/proc/self/fd");
	ret->n_threads = count_entries("/proc/self/task");
	f = fopen("/proc/thread-self/children", "re");
	ck_assert_ptr_nonnull(f);
	while (fscanf(f, "%*d") != EOF)
		ret->n_children++;
	fclose(f);
	f = fopen("/proc/self/status", "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "Sig", 3) == 0 && strncmp(line, "SigQ", 4) != 0)
			strncat(ret->signals, line, sizeof(ret->signals) - strlen(ret->signals) - 1);
	fclose(f);
}

static void *do_nothing(void *arg)
{
	return arg;
}

START_TEST(the_callers_own_program_is_left_as_it_was)
{
	struct lab *lab = lab_new(_i);
	struct traces before, after;
	pthread_t thread;
	int status;
	pid_t child;

	/* With the first thread of a program the C library takes a signal for its own use (nptl(7)). */
	ck_assert_int_eq(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);

	lab_start(lab, lab->top, "spin", "3", NULL);
	/* A child of the caller's own, whose end is the caller's to hear of. */
	child = fork();
	if (child == 0)
		_exit(42);
	lab_await_state(child, 'Z');
	look_at_ourselves(&before);
	for (int round = 0; round < 3; round++) {
		hf_hold *hold = lab_take(lab->top, NULL);

		lab_still(lab, 10);
		ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
		hf_hold_free(hold);
	}
	look_at_ourselves(&after);
	ck_assert_int_eq(after.n_fds, before.n_fds);
	ck_assert_int_eq(after.n_threads, before.n_threads);
	ck_assert_int_eq(after.n_children, before.n_children);
	ck_assert_str_eq(after.signals, before.signals);
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(freeing_the_hold_releases_it)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "3", NULL);
	hf_hold_free(lab_take(lab->top, NULL));
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

static void hold_and_wait(const char *path, int say)
{
	hf_hold *hold = NULL;

	if (hf_hold_cgroup(path, NULL, &hold, NULL) < 0 || write(say, "h", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

START_TEST(when_the_holder_is_killed_everything_runs_again)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *stopped;
	int pipe_fds[2];
	pid_t pid;
	char c;

	lab_start(lab, lab->top, "spin", "3", NULL);
	lab_start(lab, lab->top, "tree", "2", "2", NULL);
	stopped = lab_start(lab, lab->top, "spin", "2", NULL);
	lab_stop(lab, stopped, SIGSTOP);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0)
		hold_and_wait(lab->top, pipe_fds[1]);
	close(pipe_fds[1]);
	ck_assert_int_eq(read(pipe_fds[0], &c, 1), 1);
	lab_still(lab, LAB_HOLD_MS);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	lab_await_state(stopped->pid, 'T');
	lab_as_before(lab);
	lab_await_told(lab, stopped->pid, "stopped 19");
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("during");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "calls and signals");
	lab_add(tc, sleeping_calls_sleep_on);
	lab_add(tc, a_vfork_parent_is_armed_and_goes_on_when_its_child_does);
	lab_add(tc, queued_signals_are_neither_lost_nor_doubled_nor_reordered);
	tc = lab_case(suite, "during");
	lab_add(tc, who_is_killed_while_held_dies_and_its_parent_is_told);
	lab_add(tc, who_was_killed_unnoticed_is_among_the_dead_of_the_release);
	lab_add(tc, who_was_armed_is_counted_as_what_he_is_at_the_release);
	lab_add(tc, who_moves_in_during_the_hold_is_noticed);
	lab_add(tc, the_callers_own_program_is_left_as_it_was);
	lab_add(tc, freeing_the_hold_releases_it);
	lab_add(tc, when_the_holder_is_killed_everything_runs_again);
	return hf_suite_run(suite);
}
