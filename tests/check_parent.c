/* SPDX-License-Identifier: MIT */
/*
 * check_parent - what the real parent of a held process is told, and what becomes of stops, signals and
 * deaths whenever they come: before the hold, half-way, while it is taken, held or released.
 *
 * The measure is a twin outside of the target that is given the same signals, and a second one that the plain
 * freezer holds meanwhile.  The parent of all is the warden; lab_told() is its record of waitid.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "procfs.h"
#include "suite.h"
#include "sys.h"

static const int stop_signals[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

/* ---- Tools ---------------------------------------------------------------------------------- */

static hf_tree *collect(hf_hold *hold)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree = NULL;

	ck_assert_msg(hf_tree_collect(hold, NULL, &tree, &err) == 0, "%s", err.text);
	return tree;
}

static const struct hf_process *find(const hf_tree *tree, pid_t pid)
{
	const struct hf_process *p = hf_tree_find(tree, pid);

	ck_assert_msg(p != NULL, "%d is not in the tree", (int)pid);
	return p;
}

static const struct hf_thread *find_thread(const struct hf_process *p, pid_t tid)
{
	for (size_t i = 0; i < p->n_threads; i++)
		if (p->threads[i].tid == tid)
			return &p->threads[i];
	ck_abort_msg("thread %d is not in process %d", (int)tid, (int)p->pid);
}

static pid_t tid_of(struct lab *lab, const struct lab_victim *v, uint32_t i)
{
	return atomic_load(&lab_slot(lab, v, i)->tid);
}

static void await_threads(struct lab *lab, const struct lab_victim *v, uint32_t n, char state)
{
	for (uint32_t i = 0; i < n; i++)
		lab_await_state(tid_of(lab, v, i), state);
}

static void await_stopped(struct lab *lab, struct lab_victim *v)
{
	await_threads(lab, v, v->n, 'T');
	v->still = true;
}

static void send(pid_t pid, int sig)
{
	ck_assert_msg(kill(pid, sig) == 0, "kill(%d, %d): %s", (int)pid, sig, strerror(errno));
}

/* For conditions that no letter of /proc tells. */
#define AWAIT(condition)                                                                            \
	do {                                                                                        \
		struct hf_deadline await_deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);         \
		struct hf_nap await_nap = HF_NAP_INIT;                                              \
                                                                                                    \
		while (!(condition))                                                                \
			ck_assert_msg(hf_nap(&await_nap, await_deadline), "never: %s", #condition); \
	} while (0)

static void await_counting(struct victim_slot *slot)
{
	uint64_t count = atomic_load(&slot->count);

	AWAIT(atomic_load(&slot->count) != count);
}

/* Have the dead reaped, as a holder does on SIGCHLD, until so many threads have died while held. */
static void attend_deaths(hf_hold *hold, size_t n)
{
	AWAIT(hf_hold_attend(hold, NULL) >= 0 && hf_hold_info(hold)->died >= n);
	ck_assert_uint_eq(hf_hold_info(hold)->died, n);
}

/* Every thread of a process that is stopped by sig is reported so. */
static void reported_stopped(const hf_tree *tree, const struct lab_victim *v, int sig)
{
	const struct hf_process *p = find(tree, v->pid);

	ck_assert_int_eq(p->found, HF_FOUND_STOPPED);
	ck_assert_int_eq(p->stop_signal, sig);
	for (size_t i = 0; i < p->n_threads; i++) {
		ck_assert_int_eq(p->threads[i].state, HF_THREAD_HELD);
		ck_assert_int_eq(p->threads[i].found, 'T');
	}
}

/* The last thing that can be told, once. */
static void killed_and_told(struct lab *lab, struct lab_victim *v, const char *told_before)
{
	char told[512];

	/* A parent that had not looked would not be told of a continuation that death overtook. */
	lab_await_told(lab, v->pid, told_before);
	send(v->pid, SIGKILL);
	v->still = true;
	snprintf(told, sizeof(told), "%s%skilled 9", told_before, *told_before ? ", " : "");
	lab_await_told(lab, v->pid, told);
	lab_await_gone(v->pid);
}

/* ---- Parents that look late ------------------------------------------------------------------ */

START_TEST(a_parent_that_looks_after_the_hold_is_told_what_it_would_have_been)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *stopped[COUNT_OF(stop_signals)], *continued, *dead;
	char told[32];
	hf_hold *hold;
	hf_tree *tree;

	for (size_t i = 0; i < COUNT_OF(stop_signals); i++)
		stopped[i] = lab_start(lab, lab->top, "mixed", NULL);
	continued = lab_start(lab, lab->top, "mixed", NULL);
	dead = lab_start(lab, lab->top, "spin", "2", NULL);
	lab_stop(lab, continued, SIGSTOP);
	/* The parent itself does not run meanwhile, and so has not waited for any of this. */
	send(lab->warden_pid, SIGSTOP);
	lab_await_state(lab->warden_pid, 'T');
	for (size_t i = 0; i < COUNT_OF(stop_signals); i++) {
		send(stopped[i]->pid, stop_signals[i]);
		await_stopped(lab, stopped[i]);
	}
	lab_continue(lab, continued);
	send(dead->pid, SIGKILL);
	lab_await_state(dead->pid, 'Z');
	dead->still = true;
	for (int round = 0; round < 3; round++) {
		hold = lab_take(lab->top, NULL);
		tree = collect(hold);
		for (size_t i = 0; i < COUNT_OF(stop_signals); i++)
			reported_stopped(tree, stopped[i], stop_signals[i]);
		hf_tree_free(tree);
		lab_still(lab, 10);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		for (size_t i = 0; i < COUNT_OF(stop_signals); i++)
			await_stopped(lab, stopped[i]);
		lab_as_before(lab);
	}
	send(lab->warden_pid, SIGCONT);
	lab_await_told(lab, dead->pid, "killed 9");
	lab_await_told(lab, continued->pid, "stopped 19, continued");
	for (size_t i = 0; i < COUNT_OF(stop_signals); i++) {
		snprintf(told, sizeof(told), "stopped %d", stop_signals[i]);
		lab_await_told(lab, stopped[i]->pid, told);
		lab_continue(lab, stopped[i]);
		snprintf(told, sizeof(told), "stopped %d, continued", stop_signals[i]);
		lab_await_told(lab, stopped[i]->pid, told);
	}
	lab_as_before(lab);
	for (size_t i = 0; i < COUNT_OF(stop_signals); i++) {
		snprintf(told, sizeof(told), "stopped %d, continued", stop_signals[i]);
		killed_and_told(lab, stopped[i], told);
	}
	lab_done(lab);
}
END_TEST

START_TEST(a_held_parent_is_told_after_the_release_what_happened_to_its_child)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *family = lab_start(lab, lab->top, "stopped", "22", NULL);
	pid_t child = (pid_t)atomic_load(&lab_slot(lab, family, 0)->value);
	hf_hold *hold = lab_take(lab->top, NULL);

	send(child, SIGCONT);
	lab_still(lab, 10);
	ck_assert_str_eq(lab_told(lab, child), "stopped 22");
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_told(lab, child, "stopped 22, continued");
	lab_as_before(lab);

	hold = lab_take(lab->top, NULL);
	send(child, SIGTTIN);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_told(lab, child, "stopped 22, continued, stopped 21");
	lab_await_state(child, 'T');
	lab_await_state(tid_of(lab, family, 1), 'T');
	lab_untouched(lab);

	/* Reaped by the hold it is a zombie, and remains one for as long as its parent is held. */
	hold = lab_take(lab->top, NULL);
	send(child, SIGKILL);
	attend_deaths(hold, 2);
	lab_still(lab, 10);
	ck_assert_int_eq(lab_state(child), 'Z');
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_told(lab, child, "stopped 22, continued, stopped 21, killed 9");
	lab_await_gone(child);
	killed_and_told(lab, family, "");
	lab_done(lab);
}
END_TEST

/* ---- Threads that are not all alike ---------------------------------------------------------- */

/* A group-stop that one thread of each victim has not joined: it waits in vfork. */
struct half_stopped {
	struct lab *lab;
	const char *target;
	struct lab_victim *held, *twin;
};

static struct half_stopped half_stop(int index)
{
	struct half_stopped h = { .lab = lab_new(index) };

	h.target = lab_cgroup(h.lab, h.lab->top, "target");
	h.held = lab_start(h.lab, h.target, "mixed", "vfork", NULL);
	h.twin = lab_start(h.lab, lab_cgroup(h.lab, h.lab->top, "free"), "mixed", "vfork", NULL);
	lab_moving(h.lab);
	for (int i = 0; i < 2; i++) {
		struct lab_victim *v = i ? h.twin : h.held;

		lab_await_state(tid_of(h.lab, v, 4), 'D');
		send(v->pid, SIGSTOP);
		await_threads(h.lab, v, 4, 'T');
		v->still = true;
		/* A stop that is not complete is not told. */
		ck_assert_str_eq(lab_told(h.lab, v->pid), "");
	}
	return h;
}

/* The twin's child may read the byte that was meant for ours, so there are two. */
static void end_vforks(const struct half_stopped *h)
{
	lab_poke(h->lab);
	lab_poke(h->lab);
}

static hf_hold *hold_half_stopped(const struct half_stopped *h)
{
	pid_t child = (pid_t)atomic_load(&lab_slot(h->lab, h->held, 4)->value);
	hf_hold *hold = lab_take(h->target, NULL);
	hf_tree *tree = collect(hold);
	const struct hf_process *p = find(tree, h->held->pid);
	const struct hf_thread *t;

	ck_assert_uint_eq(hf_hold_info(hold)->held, 5);
	ck_assert_uint_eq(hf_hold_info(hold)->armed, 1);
	ck_assert_int_eq(p->found, HF_FOUND_STOPPED);
	ck_assert_int_eq(p->stop_signal, SIGSTOP);
	ck_assert_uint_eq(p->n_threads, 5);
	for (uint32_t i = 0; i < 5; i++) {
		t = find_thread(p, tid_of(h->lab, h->held, i));
		ck_assert_int_eq(t->state, i < 4 ? HF_THREAD_HELD : HF_THREAD_ARMED);
		ck_assert_int_eq(t->found, i < 4 ? 'T' : 'D');
		ck_assert_int_eq(t->waits_for, i < 4 ? 0 : child);
	}
	p = find(tree, child);
	ck_assert_int_eq(p->found, HF_FOUND_RUNNING);
	ck_assert_int_eq(p->stop_signal, 0);
	hf_tree_free(tree);
	return hold;
}

START_TEST(a_stop_in_progress_is_completed_after_the_release_and_told_once)
{
	struct half_stopped h = half_stop(_i);
	hf_hold *hold = hold_half_stopped(&h);

	end_vforks(&h);
	lab_still(h.lab, LAB_HOLD_MS);
	await_stopped(h.lab, h.twin);
	lab_await_told(h.lab, h.twin->pid, "stopped 19");
	ck_assert_str_eq(lab_told(h.lab, h.held->pid), "");
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	await_stopped(h.lab, h.held);
	lab_await_told(h.lab, h.held->pid, "stopped 19");
	lab_as_before(h.lab);
	for (int i = 0; i < 2; i++) {
		struct lab_victim *v = i ? h.twin : h.held;

		lab_continue(h.lab, v);
		lab_await_told(h.lab, v->pid, "stopped 19, continued");
		/* The fifth has not counted before, so nobody waited for it. */
		await_counting(lab_slot(h.lab, v, 4));
	}
	lab_as_before(h.lab);
	killed_and_told(h.lab, h.held, "stopped 19, continued");
	lab_done(h.lab);
}
END_TEST

START_TEST(a_stop_in_progress_that_is_called_off_during_the_hold_is_told_as_without)
{
	struct half_stopped h = half_stop(_i);
	hf_hold *hold = hold_half_stopped(&h);

	send(h.twin->pid, SIGCONT);
	send(h.held->pid, SIGCONT);
	h.twin->still = false;
	/* The kernel tells a stop that was not complete as one that has been continued. */
	lab_await_told(h.lab, h.twin->pid, "continued");
	lab_victim_still(h.lab, h.held, LAB_HOLD_MS);
	end_vforks(&h);
	lab_victim_still(h.lab, h.held, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	h.held->still = false;
	await_counting(lab_slot(h.lab, h.held, 4));
	await_counting(lab_slot(h.lab, h.twin, 4));
	lab_as_before(h.lab);
	lab_await_told(h.lab, h.held->pid, "continued");
	killed_and_told(h.lab, h.held, "continued");
	lab_done(h.lab);
}
END_TEST

/* What the command does: it ends, and lets go of who is still asleep by that. */
static void hold_and_end(const char *path)
{
	struct hf_release_options opts = HF_RELEASE_OPTIONS_INIT;
	hf_hold *hold = NULL;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	opts.leave_armed = 1;
	if (pid == 0) {
		if (hf_hold_cgroup(path, NULL, &hold, NULL) < 0)
			_exit(100);
		_exit(hf_hold_release(hold, HF_RELEASE_AS_FOUND, &opts, NULL));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "the holder ended with %#x",
		      (unsigned int)status);
}

START_TEST(a_stop_in_progress_goes_on_when_the_holder_has_ended)
{
	struct half_stopped h = half_stop(_i);

	for (int round = 0; round < 3; round++) {
		hold_and_end(h.target);
		await_threads(h.lab, h.held, 4, 'T');
		/* Letting go of it wakes it for a moment. */
		lab_await_state(tid_of(h.lab, h.held, 4), 'D');
		ck_assert_str_eq(lab_told(h.lab, h.held->pid), "");
		lab_as_before(h.lab);
	}
	end_vforks(&h);
	await_stopped(h.lab, h.held);
	lab_await_told(h.lab, h.held->pid, "stopped 19");
	lab_continue(h.lab, h.held);
	lab_await_told(h.lab, h.held->pid, "stopped 19, continued");
	lab_victim_moving(h.lab, h.held);
	killed_and_told(h.lab, h.held, "stopped 19, continued");
	lab_done(h.lab);
}
END_TEST

/* Another tracer, of one thread.  It does one thing after the other, each when it is told to. */
struct tracer {
	pid_t pid;
	int order, answer;
};

enum tracing { CONTINUE_IT = 'c', DETACH_IT = 'd', DETACH_WITH_SIGSTOP = 's' };

__attribute__((noreturn)) static void trace(pid_t tgid, pid_t tid, int order, int answer)
{
	char what;
	int status;

	while (read(order, &what, 1) == 1) {
		if (what == CONTINUE_IT) {
			/* Out of the group-stop, all alone: the group stays stopped. */
			if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0 || waitpid(tid, &status, __WALL) != tid ||
			    status >> 16 != PTRACE_EVENT_STOP || ptrace(PTRACE_CONT, tid, 0, 0) < 0)
				_exit(1);
		} else if (what == DETACH_IT) {
			if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 || waitpid(tid, &status, __WALL) != tid ||
			    ptrace(PTRACE_DETACH, tid, 0, 0) < 0)
				_exit(2);
		} else if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0 || hf_sys_tgkill(tgid, tid, SIGSTOP) < 0 ||
			   waitpid(tid, &status, __WALL) != tid || WSTOPSIG(status) != SIGSTOP ||
			   ptrace(PTRACE_DETACH, tid, 0, SIGSTOP) < 0) {
			_exit(3);
		}
		if (write(answer, &what, 1) != 1)
			_exit(4);
	}
	_exit(0);
}

static struct tracer start_tracer(pid_t tgid, pid_t tid)
{
	int order[2], answer[2];
	struct tracer t;

	ck_assert_int_eq(pipe(order), 0);
	ck_assert_int_eq(pipe(answer), 0);
	t.pid = fork();
	ck_assert_int_ge(t.pid, 0);
	if (t.pid == 0) {
		close(order[1]);
		close(answer[0]);
		trace(tgid, tid, order[0], answer[1]);
	}
	close(order[0]);
	close(answer[1]);
	t.order = order[1];
	t.answer = answer[0];
	return t;
}

static void tell_tracer(const struct tracer *t, char what)
{
	char done = 0;

	ck_assert_int_eq(write(t->order, &what, 1), 1);
	ck_assert_msg(read(t->answer, &done, 1) == 1 && done == what, "the other tracer failed at '%c'",
		      what);
}

static void end_tracer(struct tracer *t)
{
	close(t->order);
	close(t->answer);
	ck_assert_int_eq(waitpid(t->pid, NULL, 0), t->pid);
}

/* One thread of a stopped process runs, let go of by a tracer that stays: so much mixture Linux allows. */
static void one_runs_the_others_are_stopped(struct lab *lab, const struct lab_victim *v)
{
	uint64_t main_count = atomic_load(&lab_slot(lab, v, 0)->count);

	await_counting(lab_slot(lab, v, 1));
	for (uint32_t i = 0; i < 4; i++)
		if (i != 1)
			lab_await_state(tid_of(lab, v, i), 'T');
	ck_assert_uint_eq(atomic_load(&lab_slot(lab, v, 0)->count), main_count);
	ck_assert_str_eq(lab_told(lab, v->pid), "stopped 20");
}

/* Every thread of a process, also those that have no slot. */
static bool all_are(pid_t pid, char state)
{
	char path[64];
	const struct dirent *entry;
	bool all = true;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		all &= entry->d_name[0] == '.' || lab_state((pid_t)strtol(entry->d_name, NULL, 10)) == state;
	closedir(dir);
	return all;
}

START_TEST(a_thread_that_runs_in_a_stopped_process_is_left_running_and_the_others_stopped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "mixed", NULL);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	pid_t runs = tid_of(lab, v, 1);
	struct tracer tracer = start_tracer(v->pid, runs);
	const struct hf_process *p;
	const struct hf_thread *t;
	struct lab_attempt attempt;
	hf_hold *hold;
	hf_tree *tree;

	lab_stop(lab, v, SIGTSTP);
	tell_tracer(&tracer, CONTINUE_IT);
	one_runs_the_others_are_stopped(lab, v);
	lab_attempt(lab->top, NULL, NULL, NULL, &attempt);
	ck_assert_int_eq(attempt.r, -EBUSY);
	one_runs_the_others_are_stopped(lab, v);

	opts.on_traced = HF_ON_TRACED_SKIP;
	hold = lab_take(lab->top, &opts);
	tree = collect(hold);
	p = find(tree, v->pid);
	ck_assert_int_eq(p->found, HF_FOUND_TRACED);
	ck_assert_int_eq(p->tracer, tracer.pid);
	for (uint32_t i = 0; i < 4; i++) {
		t = find_thread(p, tid_of(lab, v, i));
		ck_assert_int_eq(t->state, i == 1 ? HF_THREAD_SKIPPED : HF_THREAD_HELD);
		if (i != 1)
			ck_assert_int_eq(t->found, 'T');
		else
			ck_assert_msg(t->found == 'R', "found %c", t->found);
	}
	hf_tree_free(tree);
	await_counting(lab_slot(lab, v, 1));
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	one_runs_the_others_are_stopped(lab, v);

	/* It starts a thread, which is born into the stop of its group and runs no instruction. */
	atomic_store(&lab_slot(lab, v, 1)->value, 1);
	AWAIT(lab_threads(lab, lab->top) == 5);
	/* Without its tracer it joins the stop as well; the kernel leaves no thread of the group out. */
	tell_tracer(&tracer, DETACH_IT);
	end_tracer(&tracer);
	AWAIT(all_are(v->pid, 'T'));
	for (int round = 0; round < 3; round++) {
		hold = lab_take(lab->top, NULL);
		ck_assert_uint_eq(hf_hold_info(hold)->held, 5);
		tree = collect(hold);
		reported_stopped(tree, v, SIGTSTP);
		lab_still(lab, 10);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		p = find(tree, v->pid);
		for (size_t i = 0; i < p->n_threads; i++)
			lab_await_state(p->threads[i].tid, 'T');
		hf_tree_free(tree);
		ck_assert_str_eq(lab_told(lab, v->pid), "stopped 20");
	}
	/* Its slot is next to those of its siblings. */
	v->n = 5;
	ck_assert_uint_eq(atomic_load(&lab_slot(lab, v, 4)->count), 0);
	lab_continue(lab, v);
	await_counting(lab_slot(lab, v, 4));
	lab_as_before(lab);
	killed_and_told(lab, v, "stopped 20, continued");
	lab_done(lab);
}
END_TEST

START_TEST(a_process_that_another_tracer_stopped_as_it_left_stays_stopped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "mixed", NULL);
	char told[300] = "";

	for (int round = 0; round < 5; round++) {
		/* The first thread, a counting one, a sleeping one, ... */
		struct tracer tracer = start_tracer(v->pid, tid_of(lab, v, (uint32_t)round % 4));
		hf_hold *hold;

		tell_tracer(&tracer, DETACH_WITH_SIGSTOP);
		/* At once: the others are only about to join the stop. */
		hold = lab_take(lab->top, NULL);
		end_tracer(&tracer);
		lab_still(lab, 10);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		await_stopped(lab, v);
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%sstopped 19",
			 round ? ", " : "");
		lab_await_told(lab, v->pid, told);
		lab_continue(lab, v);
		strcat(told, ", continued");
		lab_await_told(lab, v->pid, told);
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

START_TEST(a_stop_signal_that_waits_in_a_frozen_cgroup_waits_on)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "mixed", NULL);

	lab_freeze(lab, lab->top, true);
	v->still = true;
	send(v->pid, SIGTTOU);
	for (int round = 0; round < 3; round++) {
		hf_hold *hold = lab_take(lab->top, NULL);

		lab_still(lab, 10);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		lab_as_before(lab);
		ck_assert_str_eq(lab_told(lab, v->pid), "");
	}
	lab_freeze(lab, lab->top, false);
	await_stopped(lab, v);
	lab_await_told(lab, v->pid, "stopped 22");
	lab_as_before(lab);
	lab_continue(lab, v);
	lab_as_before(lab);
	killed_and_told(lab, v, "stopped 22, continued");
	lab_done(lab);
}
END_TEST

/* Half of the threads are frozen by somebody else when the signal comes, so only the other half can stop. */
START_TEST(a_process_of_which_only_the_threads_that_were_not_frozen_have_stopped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "4", NULL);
	const char *cold = lab_cgroup(lab, lab->top, "cold");
	const struct hf_process *p;
	hf_hold *hold;
	hf_tree *tree;

	lab_move_thread(lab, cold, tid_of(lab, v, 2));
	lab_move_thread(lab, cold, tid_of(lab, v, 3));
	lab_moving(lab);
	lab_freeze(lab, cold, true);
	send(v->pid, SIGSTOP);
	await_threads(lab, v, 2, 'T');
	v->still = true;
	/* v2 lets a frozen thread join a stop that another has begun; v1 does not before it is thawed. */
	if (lab->version == 2)
		await_stopped(lab, v);
	ck_assert_str_eq(lab_told(lab, v->pid), lab->version == 2 ? "stopped 19" : "");
	hold = lab_take(lab->top, NULL);
	tree = collect(hold);
	p = find(tree, v->pid);
	ck_assert_int_eq(p->found, HF_FOUND_STOPPED);
	ck_assert_int_eq(p->stop_signal, SIGSTOP);
	for (uint32_t i = 0; i < 4; i++) {
		const struct hf_thread *t = find_thread(p, tid_of(lab, v, i));

		ck_assert_int_eq(t->state, HF_THREAD_HELD);
		ck_assert_int_eq(t->found, i < 2 || lab->version == 2 ? 'T' : HF_LETTER_FROZEN);
	}
	hf_tree_free(tree);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	await_threads(lab, v, 2, 'T');
	lab_freeze(lab, cold, false);
	await_stopped(lab, v);
	/* v1 has to thaw for the hold, under which the stop may be completed: told early, but once. */
	lab_await_told(lab, v->pid, "stopped 19");
	lab_continue(lab, v);
	lab_await_told(lab, v->pid, "stopped 19, continued");
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Signals that arrive while it is held ----------------------------------------------------- */

/* The signals that a "handlers" victim has logged, in order; of one thread, or of all with -1. */
static const char *logged(const struct lab *lab, const struct lab_victim *v, int thread, bool values)
{
	static char text[2][16384];
	static unsigned int turn;
	char *t = text[turn++ % 2];
	size_t used = 0;

	t[0] = '\0';
	for (uint32_t i = 0; i < VICTIM_EVENTS && atomic_load(&lab->board->events[i].complete); i++) {
		const struct victim_event *e = &lab->board->events[i];

		if (e->watcher != v->pid || (thread >= 0 && e->status / 1000 != thread))
			continue;
		used += (size_t)snprintf(t + used, sizeof(text[0]) - used, "%s%d", used ? " " : "", e->code);
		if (values)
			used += (size_t)snprintf(t + used, sizeof(text[0]) - used, ":%d", e->status % 1000);
		ck_assert_uint_lt(used, sizeof(text[0]));
	}
	return t;
}

static void await_logged(const struct lab *lab, const struct lab_victim *v, const char *log)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);
	struct hf_nap nap = HF_NAP_INIT;

	while (strcmp(logged(lab, v, -1, false), log) != 0)
		ck_assert_msg(hf_nap(&nap, deadline), "%d logged \"%s\" and not \"%s\"", (int)v->pid,
			      logged(lab, v, -1, false), log);
}

#define SENT_MAX 3

/*
 * What three alike processes make of the same signals: one that is held, one that the plain freezer holds, and a
 * free one.  Held and frozen must be one and the same.  The free one acts on each signal before the next comes, so
 * where the kernel drops a pending signal for a later one it has more to tell: those rows say so.
 */
static const struct arrival {
	const char *name;
	int before;			/* stopped by this signal when the hold comes */
	int sent[SENT_MAX];
	const char *told, *free_told;	/* free_told NULL: the same */
	const char *log, *free_log;	/* of a process with handlers; NULL: of one without */
	char after, free_after;		/* 'T', 'X' dead, 0 running; free_after 0: the same */
} arrivals[] = {
	{ "stop", 0, { SIGSTOP }, "stopped 19", .after = 'T' },
	{ "stop from the terminal", 0, { SIGTSTP }, "stopped 20", .after = 'T' },
	{ "background read", 0, { SIGTTIN }, "stopped 21", .after = 'T' },
	{ "termination", 0, { SIGTERM }, "killed 15", .after = 'X' },
	{ "kill", 0, { SIGKILL }, "killed 9", .after = 'X' },
	{ "kill of a stopped one", SIGTTOU, { SIGKILL }, "stopped 22, killed 9", .after = 'X' },
	{ "continue", SIGTSTP, { SIGCONT }, .told = "stopped 20, continued" },
	{ "stop of a stopped one", SIGTSTP, { SIGSTOP }, "stopped 20", .after = 'T' },
	{ "termination of a stopped one", SIGSTOP, { SIGTERM }, "stopped 19", .after = 'T' },
	/* Generating SIGCONT drops pending stop signals, and the other way round (signal(7), POSIX). */
	{ "stop, continue", 0, { SIGSTOP, SIGCONT }, "", .free_told = "stopped 19, continued" },
	{ "continue, stop", SIGSTOP, { SIGCONT, SIGSTOP }, "stopped 19, continued, stopped 19",
	  .after = 'T' },
	{ "continue, another stop", SIGSTOP, { SIGCONT, SIGTTIN }, "stopped 19, continued, stopped 21",
	  .after = 'T' },
	{ "continue, stop, continue", SIGSTOP, { SIGCONT, SIGSTOP, SIGCONT }, "stopped 19, continued",
	  .free_told = "stopped 19, continued, stopped 19, continued" },
	/* Of pending signals the lowest number is taken first; the free one is stopped before it can die. */
	{ "stop, termination", 0, { SIGSTOP, SIGTERM }, "killed 15", "stopped 19", .after = 'X',
	  .free_after = 'T' },
	{ "handled termination", 0, { SIGTERM }, "", .log = "15" },
	/* A standard signal that is pending already is not queued again. */
	{ "handled termination, twice", 0, { SIGTERM, SIGTERM }, "", .log = "15", .free_log = "15 15" },
	{ "handled stop", 0, { SIGTSTP }, "", .log = "20" },
	{ "handled stop, continue", 0, { SIGTSTP, SIGCONT }, "", .log = "18", .free_log = "20 18" },
	{ "continue, handled stop", 0, { SIGCONT, SIGTSTP }, "", .log = "20", .free_log = "18 20" },
	{ "handled continue", SIGSTOP, { SIGCONT }, "stopped 19, continued", .log = "18" },
	{ "stop, handled continue", 0, { SIGSTOP, SIGCONT }, "", "stopped 19, continued", .log = "18" },
};

enum kind { HELD, FROZEN, FREE, N_KINDS };
struct triplet {
	struct lab_victim *v[N_KINDS];
};

static void start_triplets(struct lab *lab, const char *const levels[N_KINDS], struct triplet *triplets,
			   size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		for (int k = 0; k < N_KINDS; k++) {
			const struct arrival *a = &arrivals[i];

			triplets[i].v[k] = a->log ? lab_start(lab, levels[k], "handlers", "3", NULL) :
						    lab_start(lab, levels[k], "spin", "3", "500", NULL);
			if (a->before)
				lab_stop(lab, triplets[i].v[k], a->before);
		}
}

static const char *of_kind(int kind, const char *told, const char *free_told)
{
	return kind == FREE && free_told ? free_told : told;
}

/* Wait until a free process has acted on the signal it was sent. */
static void await_effect(struct lab *lab, const struct arrival *a, int step, struct lab_victim *v)
{
	int sig = a->sent[step];
	bool stops = sig == SIGSTOP || (!a->log && (sig == SIGTSTP || sig == SIGTTIN));
	const char *log = step && a->sent[0] == sig ? "15 15" :
			  sig == SIGTERM ? "15" : sig == SIGTSTP ? "20" : "18";

	if (stops) {
		await_stopped(lab, v);
	} else if (sig == SIGCONT) {
		v->still = false;
		AWAIT(lab_state(v->pid) != 'T');
	} else if (!a->log && (sig == SIGKILL || !v->still)) {
		lab_await_gone(v->pid);
	}
	/* Each signal that has a handler is one event, whichever came before. */
	if (a->log && !stops)
		AWAIT(strstr(logged(lab, v, -1, false), log));
}

static void send_step(struct lab *lab, const struct triplet *triplets, size_t first, size_t end, int step)
{
	for (size_t i = first; i < end; i++) {
		if (!arrivals[i].sent[step])
			continue;
		for (int k = 0; k < N_KINDS; k++)
			send(triplets[i].v[k]->pid, arrivals[i].sent[step]);
		await_effect(lab, &arrivals[i], step, triplets[i].v[FREE]);
	}
	/* A parent that has not looked before the next signal would be told less. */
	lab_told(lab, 0);
}

static void check_after(struct lab *lab, const struct arrival *a, struct lab_victim *v, int kind)
{
	const char *told = of_kind(kind, a->told, a->free_told);
	char after = kind == FREE && a->free_after ? a->free_after : a->after;
	char last[128];

	if (after == 'X') {
		lab_await_gone(v->pid);
		v->still = true;
	} else if (after == 'T') {
		await_stopped(lab, v);
	} else {
		v->still = false;
		lab_victim_moving(lab, v);
	}
	if (a->log)
		await_logged(lab, v, of_kind(kind, a->log, a->free_log));
	lab_await_told(lab, v->pid, told);
	if (after == 'X')
		return;
	/* Whatever was told twice, or late, would stand before this. */
	snprintf(last, sizeof(last), "%s", told);
	killed_and_told(lab, v, last);
	if (a->log)
		ck_assert_str_eq(logged(lab, v, -1, false), of_kind(kind, a->log, a->free_log));
}

/* All processes are held at once, so that these are combinations on several processes, too. */
static void arrive(int index, size_t first, size_t end)
{
	struct lab *lab = lab_new(index);
	const char *const levels[N_KINDS] = { lab_cgroup(lab, lab->top, "held"),
					      lab_cgroup(lab, lab->top, "frozen"),
					      lab_cgroup(lab, lab->top, "free") };
	struct triplet triplets[COUNT_OF(arrivals)];
	size_t killed = 0;
	hf_hold *hold;

	start_triplets(lab, levels, triplets, first, end);
	lab_moving(lab);
	lab_freeze(lab, levels[FROZEN], true);
	hold = lab_take(levels[HELD], NULL);
	for (int step = 0; step < SENT_MAX; step++)
		send_step(lab, triplets, first, end, step);
	for (size_t i = first; i < end; i++)
		killed += arrivals[i].sent[0] == SIGKILL;
	attend_deaths(hold, 3 * killed);
	for (size_t i = first; i < end; i++) {
		const struct lab_victim *v = triplets[i].v[HELD];

		lab_victim_still(lab, v, 1);
		/* Nobody but the killed has died, and of them the parent knows already. */
		if (arrivals[i].sent[0] == SIGKILL)
			lab_await_told(lab, v->pid, arrivals[i].told);
		else
			ck_assert_msg(lab_state(v->pid) == 't', "%s: %c", arrivals[i].name,
				      lab_state(v->pid));
		ck_assert_str_eq(arrivals[i].log ? logged(lab, v, -1, false) : "", "");
	}
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_freeze(lab, levels[FROZEN], false);
	lab_untouched(lab);
	for (size_t i = first; i < end; i++)
		for (int k = 0; k < N_KINDS; k++)
			check_after(lab, &arrivals[i], triplets[i].v[k], k);
	lab_done(lab);
}

START_TEST(signals_of_processes_without_handlers_are_told_as_of_their_twins)
{
	arrive(_i, 0, 14);
}
END_TEST

START_TEST(signals_of_processes_with_handlers_are_told_and_taken_as_by_their_twins)
{
	arrive(_i, 14, COUNT_OF(arrivals));
}
END_TEST

/* Both alike, so that the numbers tell which is missing.  thread < 0: to the process. */
static void queue_to_both(struct lab *lab, struct lab_victim *const v[2], int thread, int sig, int value)
{
	for (int k = 0; k < 2; k++) {
		siginfo_t info = { .si_code = SI_QUEUE };

		info.si_pid = getpid();
		info.si_value.sival_int = value;
		if (thread < 0)
			ck_assert_int_eq(sigqueue(v[k]->pid, sig, info.si_value), 0);
		else
			ck_assert_int_eq(syscall(SYS_rt_tgsigqueueinfo, v[k]->pid,
						 tid_of(lab, v[k], (uint32_t)thread), sig, &info), 0);
	}
}

static unsigned int n_logged(const struct lab *lab, const struct lab_victim *v)
{
	unsigned int n = 0;

	for (const char *p = logged(lab, v, -1, true); *p; p++)
		n += *p == ':';
	return n;
}

START_TEST(queued_signals_to_a_process_and_to_single_threads_come_in_the_order_of_its_twin)
{
	struct lab *lab = lab_new(_i);
	const char *target = lab_cgroup(lab, lab->top, "target");
	const char *frozen = lab_cgroup(lab, lab->top, "frozen");
	struct lab_victim *v[2] = { lab_start(lab, target, "handlers", "3", NULL),
				    lab_start(lab, frozen, "handlers", "3", NULL) };
	unsigned int n = 0;
	hf_hold *hold;

	lab_moving(lab);
	hold = lab_take(target, NULL);
	lab_freeze(lab, frozen, true);
	/* Numbers falling, values rising: neither the order of sending nor chance gives the same log. */
	for (int value = 0; value < 100; value++, n += 3) {
		queue_to_both(lab, v, -1, SIGRTMIN + 4 - value % 5, value);
		queue_to_both(lab, v, 0, SIGRTMIN + 9 - value % 5, value);
		queue_to_both(lab, v, 1 + value % 2, SIGRTMIN + 19 - value % 3, value);
	}
	for (int k = 0; k < 2; k++, n += k == 2)
		send(v[k]->pid, SIGTERM);
	lab_still(lab, 10);
	ck_assert_uint_eq(n_logged(lab, v[0]), 0);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_freeze(lab, frozen, false);
	AWAIT(n_logged(lab, v[0]) >= n && n_logged(lab, v[1]) >= n);
	lab_as_before(lab);
	for (int thread = 0; thread < 3; thread++)
		ck_assert_str_eq(logged(lab, v[0], thread, true), logged(lab, v[1], thread, true));
	/* The twin cannot be wrong in the same way: each value stands behind its number, rising. */
	for (int k = 0; k < 2; k++) {
		ck_assert_uint_eq(n_logged(lab, v[k]), n);
		ck_assert_ptr_nonnull(strstr(logged(lab, v[k], 0, true), "34:4 34:9 34:14"));
		lab_await_told(lab, v[k]->pid, "");
	}
	lab_done(lab);
}
END_TEST

/* ---- At any moment ----------------------------------------------------------------------------- */

/* A process that sends a signal at a time; tid 0: to the whole process. */
static pid_t strike(uint64_t at_ns, pid_t tgid, pid_t tid, int sig)
{
	struct timespec at = { (time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000) };
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		_exit(tid ? hf_sys_tgkill(tgid, tid, sig) != 0 : kill(tgid, sig) != 0);
	}
	return pid;
}

static void await_time(uint64_t at_ns)
{
	struct timespec at = { (time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void struck(pid_t striker)
{
	int status;

	ck_assert_int_eq(waitpid(striker, &status, 0), striker);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the signal was not sent");
}

/* For how long a hold takes on this machine now, with a little before and behind it. */
static uint64_t span_of_a_hold(struct lab *lab)
{
	uint64_t longest = 0;

	for (int i = 0; i < 3; i++) {
		uint64_t begin = hf_clock_ns();

		lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_AS_FOUND);
		if (hf_clock_ns() - begin > longest)
			longest = hf_clock_ns() - begin;
	}
	return longest + longest / 4;
}

/* Until then the striker is asleep, and so are we. */
#define LEAD_NS 1500000u

START_TEST(stops_and_continuations_that_come_at_any_moment_are_told_once)
{
	enum { ROUNDS = 30 };
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "mixed", NULL);
	uint64_t span = span_of_a_hold(lab);
	char told[1024] = "";

	for (int round = 0; round < ROUNDS; round++) {
		bool stop = round % 2 == 0;
		uint64_t at = hf_clock_ns() + LEAD_NS;
		pid_t striker = strike(at + span * (uint64_t)round / ROUNDS, v->pid, 0,
				       stop ? SIGTSTP : SIGCONT);
		const struct hf_process *p;
		hf_hold *hold;
		hf_tree *tree;

		await_time(at);
		hold = lab_take(lab->top, NULL);
		ck_assert_uint_eq(hf_hold_info(hold)->held, 4);
		tree = collect(hold);
		p = find(tree, v->pid);
		/* Whichever came first.  The signal of a stop that was over when it was seized is not known. */
		if (p->found != HF_FOUND_STOPPED)
			ck_assert_int_eq(p->found, HF_FOUND_RUNNING);
		else if (stop || p->stop_signal)
			ck_assert_int_eq(p->stop_signal, SIGTSTP);
		hf_tree_free(tree);
		lab_still(lab, 0);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		struck(striker);
		v->still = stop;
		if (stop)
			await_stopped(lab, v);
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s", round ? ", " : "",
			 stop ? "stopped 20" : "continued");
		lab_await_told(lab, v->pid, told);
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

/* How a process, or one thread of it, can end. */
static const struct ending {
	int sig;
	bool one_thread;	/* only that thread ends */
	const char *told;
} endings[] = {
	{ SIGKILL, false, "killed 9" },
	{ SIGUSR1, false, "killed 10" },
	{ -1, false, "exited 7" },
	{ 0, true, "killed 9" },
};

START_TEST(whoever_dies_at_any_moment_is_told_once_and_leaves_nothing)
{
	enum { ROUNDS = 40 };
	struct lab *lab = lab_new(_i);
	struct lab_victim *lives = lab_start(lab, lab->top, "spin", "2", "500", NULL);
	uint64_t span = span_of_a_hold(lab);

	for (int round = 0; round < ROUNDS; round++) {
		const struct ending *e = &endings[round % (int)COUNT_OF(endings)];
		struct lab_victim *v = lab_start(lab, lab->top, "handlers", "3", NULL);
		pid_t thread = tid_of(lab, v, 1 + (uint32_t)round / 4 % 2);
		uint64_t at = hf_clock_ns() + LEAD_NS;
		pid_t striker = strike(at + span * (uint64_t)round / ROUNDS, v->pid,
				       e->one_thread ? thread : 0, e->sig > 0 ? e->sig : SIGRTMAX + e->sig);
		const struct hf_hold_info *info;
		hf_hold *hold;

		await_time(at);
		hold = lab_take(lab->top, NULL);
		lab_victim_still(lab, lives, 0);
		info = hf_hold_info(hold);
		ck_assert_uint_eq(info->threads, info->held + info->died);
		hf_tree_free(collect(hold));
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		struck(striker);
		if (e->one_thread) {
			AWAIT(atomic_load(&lab_slot(lab, v, 1 + (uint32_t)round / 4 % 2)->duty) == VICTIM_ENDED);
			lab_victim_moving(lab, v);
			ck_assert_str_eq(lab_told(lab, v->pid), "");
			send(v->pid, SIGKILL);
		}
		v->still = true;
		/* A zombie that is left to its tracer is not told to its parent, and not gone. */
		lab_await_told(lab, v->pid, e->told);
		lab_await_gone(v->pid);
		lab_as_before(lab);
	}
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), 0);	/* the warden lives */
	lab_done(lab);
}
END_TEST

/* Kill a process as soon as its last thread has stopped. */
static pid_t kill_when_stopped(pid_t tgid, pid_t last)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		char letter = 0;

		while (hf_thread_state(tgid, last, &letter) == 0 && letter != 't')
			;
		_exit(kill(tgid, SIGKILL) != 0);
	}
	return pid;
}

/*
 * The leader is dead by the last list, and in none, before its threads have been reaped: no stranger who was seized in
 * its place.  The other threads are there to be waited for meanwhile.
 */
static void kill_behind_a_stop(int version, const char *victim, const char *number, const char *mode, int rounds)
{
	struct lab *lab = lab_new(version);

	while (rounds-- > 0) {
		struct lab_victim *v = lab_start(lab, lab->top, victim, number, mode, NULL), *others;
		pid_t striker;
		hf_hold *hold;

		others = lab_start(lab, lab->top, "spin", "150", "100000", NULL);
		striker = kill_when_stopped(v->pid, tid_of(lab, v, 2));
		hold = lab_take(lab->top, NULL);
		struck(striker);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		v->still = true;
		lab_await_told(lab, v->pid, "killed 9");
		lab_await_gone(v->pid);
		others->still = true;
		send(others->pid, SIGKILL);
		lab_await_told(lab, others->pid, "killed 9");
	}
	lab_done(lab);
}

START_TEST(who_is_killed_behind_his_stop_is_told)
{
	kill_behind_a_stop(_i, "handlers", "3", NULL, 8);
}
END_TEST

/* Its leader is dead, and the others are about to be, when everybody is let go. */
START_TEST(who_takes_his_time_to_die_is_told)
{
	kill_behind_a_stop(_i, "slowexit", "20", "last", 4);
}
END_TEST

/* ---- Deaths during the hold ---------------------------------------------------------------------- */

/* A whole process, of which nothing is left but the report. */
static void reported_dead(const hf_tree *tree, struct lab *lab, const struct lab_victim *v)
{
	const struct hf_process *p = find(tree, v->pid);

	ck_assert_uint_eq(p->n_threads, v->n);
	for (uint32_t i = 0; i < v->n; i++)
		ck_assert_int_eq(find_thread(p, tid_of(lab, v, i))->state, HF_THREAD_DIED);
}

START_TEST(a_report_of_the_dead_says_that_they_died)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *dies = lab_start(lab, lab->top, "spin", "3", NULL);
	struct lab_victim *stopped = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_victim *lives = lab_start(lab, lab->top, "spin", "1", NULL);
	hf_hold *hold;
	hf_tree *tree;

	lab_stop(lab, stopped, SIGTTIN);
	hold = lab_take(lab->top, NULL);
	/* To one of its threads, and all of them die. */
	ck_assert_int_eq(hf_sys_tgkill(dies->pid, tid_of(lab, dies, 2), SIGKILL), 0);
	send(stopped->pid, SIGKILL);
	attend_deaths(hold, 5);
	lab_await_told(lab, dies->pid, "killed 9");
	lab_await_told(lab, stopped->pid, "stopped 21, killed 9");
	lab_await_gone(dies->pid);
	lab_await_gone(stopped->pid);
	dies->still = stopped->still = true;
	tree = collect(hold);
	reported_dead(tree, lab, dies);
	reported_dead(tree, lab, stopped);
	ck_assert_int_eq(find(tree, dies->pid)->found, HF_FOUND_RUNNING);
	ck_assert_int_eq(find(tree, stopped->pid)->found, HF_FOUND_STOPPED);
	ck_assert_int_eq(find(tree, lives->pid)->threads[0].state, HF_THREAD_HELD);
	ck_assert_uint_eq(hf_hold_info(hold)->threads, 6);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 1);
	hf_tree_free(tree);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	ck_assert_str_eq(lab_told(lab, dies->pid), "killed 9");
	lab_done(lab);
}
END_TEST

START_TEST(a_dead_leader_and_its_threads_that_are_killed_are_told_once)
{
	static const int signals[] = { SIGKILL, SIGTERM };
	struct lab *lab = lab_new(_i);
	struct lab_victim *v[COUNT_OF(signals)];
	struct lab_victim *lives = lab_start(lab, lab->top, "spin", "1", NULL);
	hf_hold *hold;

	for (size_t i = 0; i < COUNT_OF(signals); i++)
		v[i] = lab_start(lab, lab->top, "deadleader", "3", NULL);
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 7);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		send(v[i]->pid, signals[i]);
	attend_deaths(hold, 3);
	/* Its leader was never ours, but it may end only once its threads have been reaped by us. */
	lab_await_told(lab, v[0]->pid, "killed 9");
	lab_await_gone(v[0]->pid);
	lab_still(lab, 10);
	ck_assert_str_eq(lab_told(lab, v[1]->pid), "");
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_told(lab, v[1]->pid, "killed 15");
	lab_await_gone(v[1]->pid);
	v[0]->still = v[1]->still = true;
	lab_victim_moving(lab, lives);
	lab_as_before(lab);
	ck_assert_str_eq(lab_told(lab, v[0]->pid), "killed 9");
	lab_done(lab);
}
END_TEST

START_TEST(a_dead_leader_whose_threads_are_killed_unattended_is_told_after_the_release)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "deadleader", "3", NULL);
	hf_hold *hold = lab_take(lab->top, NULL);

	send(v->pid, SIGKILL);
	lab_await_state(tid_of(lab, v, 2), 'Z');
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_told(lab, v->pid, "killed 9");
	lab_await_gone(v->pid);
	v->still = true;
	lab_untouched(lab);
	lab_done(lab);
}
END_TEST

#define PF_EXITING 0x4u	/* of proc(5), field 9 */

static bool is_exiting(pid_t tid)
{
	struct hf_stat stat;

	return hf_tid_stat(tid, &stat) == 0 && (stat.flags & PF_EXITING) && stat.state != 'Z';
}

static void hold_dead_leader(struct lab *lab, struct lab_victim *v, const char *target)
{
	hf_hold *hold = lab_take(target, NULL);
	hf_tree *tree = collect(hold);

	ck_assert_int_eq(find(tree, v->pid)->found, HF_FOUND_DEAD_LEADER);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 2);
	hf_tree_free(tree);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	/* While we, who traced it, are alive and do not wait for it. */
	killed_and_told(lab, v, "");
}

START_TEST(a_leader_that_is_on_its_way_out_becomes_a_dead_leader)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "slowexit", NULL);

	lab_poke(lab);
	AWAIT(is_exiting(v->pid));
	hold_dead_leader(lab, v, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(a_vfork_parent_that_is_killed_while_armed_is_told_and_its_child_stays_held)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "mixed", "vfork", NULL);
	pid_t child = (pid_t)atomic_load(&lab_slot(lab, v, 4)->value);
	hf_hold *hold;

	lab_await_state(tid_of(lab, v, 4), 'D');
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->armed, 1);
	send(v->pid, SIGKILL);
	attend_deaths(hold, 5);
	lab_await_told(lab, v->pid, "killed 9");
	lab_await_gone(v->pid);
	v->still = true;
	ck_assert_uint_eq(hf_hold_info(hold)->armed, 0);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 1);
	lab_poke(lab);
	lab_still(lab, 10);
	ck_assert_int_eq(lab_state(child), 't');
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_gone(child);
	lab_untouched(lab);
	ck_assert_str_eq(lab_told(lab, v->pid), "killed 9");
	lab_done(lab);
}
END_TEST

static pid_t parent_of(pid_t pid)
{
	struct hf_stat stat;

	ck_assert_int_eq(hf_tid_stat(pid, &stat), 0);
	return stat.ppid;
}

START_TEST(a_held_parent_that_is_killed_leaves_its_held_child_as_it_was)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *orphaned = lab_start(lab, lab->top, "stopped", "19", NULL);
	struct lab_victim *both = lab_start(lab, lab->top, "stopped", "19", NULL);
	pid_t child = (pid_t)atomic_load(&lab_slot(lab, orphaned, 0)->value);
	pid_t child_of_both = (pid_t)atomic_load(&lab_slot(lab, both, 0)->value);
	hf_hold *hold;

	hold = lab_take(lab->top, NULL);
	send(child_of_both, SIGKILL);
	attend_deaths(hold, 2);
	ck_assert_int_eq(lab_state(child_of_both), 'Z');
	send(orphaned->pid, SIGKILL);
	send(both->pid, SIGKILL);
	attend_deaths(hold, 6);
	lab_await_told(lab, orphaned->pid, "killed 9");
	lab_await_told(lab, both->pid, "killed 9");
	/* The zombie has got a new parent, who looks. */
	lab_await_gone(child_of_both);
	ck_assert_int_eq(parent_of(child), lab->warden_pid);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_state(child, 'T');
	lab_await_state(tid_of(lab, orphaned, 1), 'T');
	lab_untouched(lab);
	/* Of its death its first parent cannot be told any more. */
	ck_assert_str_eq(lab_told(lab, child), "stopped 19");
	ck_assert_str_eq(lab_told(lab, child_of_both), "stopped 19");
	send(child, SIGCONT);
	await_counting(lab_slot(lab, orphaned, 0));
	send(child, SIGKILL);
	lab_await_gone(child);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parent");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "late");
	lab_add(tc, a_parent_that_looks_after_the_hold_is_told_what_it_would_have_been);
	lab_add(tc, a_held_parent_is_told_after_the_release_what_happened_to_its_child);
	tc = lab_case(suite, "mixed");
	lab_add(tc, a_stop_in_progress_is_completed_after_the_release_and_told_once);
	lab_add(tc, a_stop_in_progress_that_is_called_off_during_the_hold_is_told_as_without);
	lab_add(tc, a_stop_in_progress_goes_on_when_the_holder_has_ended);
	lab_add(tc, a_thread_that_runs_in_a_stopped_process_is_left_running_and_the_others_stopped);
	lab_add(tc, a_process_that_another_tracer_stopped_as_it_left_stays_stopped);
	lab_add(tc, a_stop_signal_that_waits_in_a_frozen_cgroup_waits_on);
	lab_add(tc, a_process_of_which_only_the_threads_that_were_not_frozen_have_stopped);
	tc = lab_case(suite, "arriving");
	lab_add(tc, signals_of_processes_without_handlers_are_told_as_of_their_twins);
	lab_add(tc, signals_of_processes_with_handlers_are_told_and_taken_as_by_their_twins);
	lab_add(tc, queued_signals_to_a_process_and_to_single_threads_come_in_the_order_of_its_twin);
	tc = lab_case(suite, "any moment");
	lab_add(tc, stops_and_continuations_that_come_at_any_moment_are_told_once);
	lab_add(tc, whoever_dies_at_any_moment_is_told_once_and_leaves_nothing);
	lab_add(tc, who_is_killed_behind_his_stop_is_told);
	lab_add(tc, who_takes_his_time_to_die_is_told);
	tc = lab_case(suite, "deaths");
	lab_add(tc, a_report_of_the_dead_says_that_they_died);
	lab_add(tc, a_dead_leader_and_its_threads_that_are_killed_are_told_once);
	lab_add(tc, a_dead_leader_whose_threads_are_killed_unattended_is_told_after_the_release);
	lab_add(tc, a_leader_that_is_on_its_way_out_becomes_a_dead_leader);
	lab_add(tc, a_vfork_parent_that_is_killed_while_armed_is_told_and_its_child_stays_held);
	lab_add(tc, a_held_parent_that_is_killed_leaves_its_held_child_as_it_was);
	return hf_suite_run(suite);
}
