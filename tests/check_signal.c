/* SPDX-License-Identifier: MIT */
/*
 * check_signal - tests of seize/signal.c: who gets a signal, how often, and that none escapes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "procfs.h"
#include "suite.h"

/* Storms of one lab, and labs: together hundreds of rounds over all storms and targets. */
#define ROUNDS 25
#define OTHER_USER 12345

static int send_cgroup(const char *path, int sig, const struct hf_take_options *opts, struct hf_signalled *ret,
		       struct hf_error *err)
{
	struct hf_target target = HF_TARGET_INIT;

	target.path = path;
	return hf_target_signal(&target, sig, opts, ret, err);
}

static int send_pid(pid_t pid, int sig, const struct hf_take_options *opts, struct hf_signalled *ret,
		    struct hf_error *err)
{
	struct hf_target target = HF_TARGET_INIT;

	target.kind = HF_TARGET_PROCESSES;
	target.pids = &pid;
	target.n_pids = 1;
	return hf_target_signal(&target, sig, opts, ret, err);
}

/* Must succeed; how many got it. */
static size_t to_cgroup(const char *path, int sig)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_signalled done = { 0 };

	ck_assert_msg(send_cgroup(path, sig, NULL, &done, &err) == 0, "%s; %s", err.text, err.note);
	return done.processes;
}

static size_t to_pid(pid_t pid, int sig)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_signalled done = { 0 };

	ck_assert_msg(send_pid(pid, sig, NULL, &done, &err) == 0, "%s; %s", err.text, err.note);
	return done.processes;
}

/* ---- None escapes --------------------------------------------------------------------------- */

static void storm(int index, const char *victim, const char *n, const char *mode)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct lab *lab = lab_new(index);
		struct lab_victim *v = lab_start(lab, lab->top, victim, n, mode, NULL);

		if (mode && !strcmp(mode, "deadleader"))
			lab_await_state(v->pid, 'Z');
		/* By its cgroup, or its founder. */
		if (round & 1)
			ck_assert_uint_ge(to_pid(v->pid, SIGKILL), 1);
		else
			ck_assert_uint_ge(to_cgroup(lab->top, SIGKILL), 1);
		/* At once: nobody is waited for. */
		ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
		lab_untouched(lab);
		lab_done(lab);
	}
}

#include "storms.h"

/* A threaded cgroup has no cgroup.kill that works: the pidfds do it alone. */
START_TEST(forks_in_a_threaded_cgroup)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct lab *lab = lab_new(_i);
		struct lab_victim *v = lab_start(lab, lab->top, "forkstorm", "4", "fork", NULL);
		const char *below = lab_cgroup(lab, lab->top, "threaded");

		lab_move_thread(lab, below, v->pid);
		ck_assert_uint_ge(to_cgroup(below, SIGKILL), 1);
		ck_assert_uint_eq(lab_threads(lab, below), 0);
		ck_assert_uint_ge(to_cgroup(lab->top, SIGKILL), 1);
		ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
		lab_untouched(lab);
		lab_done(lab);
	}
}
END_TEST

/* ---- Once to each --------------------------------------------------------------------------- */

#define SIGS 6

struct crowd {
	struct lab *lab;
	struct lab_victim *v[SIGS];
};

/* On three levels, each a process that logs what it gets. */
static void gather(struct crowd *c, int index)
{
	const char *level;

	c->lab = lab_new(index);
	level = c->lab->top;
	for (int i = 0; i < SIGS; i++) {
		if (i && i % 2 == 0)
			level = lab_cgroup(c->lab, level, "below");
		c->v[i] = lab_start(c->lab, level, "sigs", NULL);
	}
}

static unsigned int count_events(const struct crowd *c, pid_t pid, int sig)
{
	uint32_t i, n = atomic_load(&c->lab->board->n_events);
	unsigned int found = 0;

	for (i = 0; i < n && i < VICTIM_EVENTS; i++) {
		const struct victim_event *e = &c->lab->board->events[i];

		found += atomic_load(&e->complete) && e->watcher == pid && e->code == sig;
	}
	return found;
}

static void await_events(const struct crowd *c, pid_t pid, int sig, unsigned int n)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (count_events(c, pid, sig) < n)
		ck_assert_msg(hf_nap(&nap, deadline), "%d was sent signal %d %u times, and has not got it", pid, sig, n);
}

/* Each has got sig n times and no more: a later one of lower rank has come, and rank is order (signal(7)). */
static void all_got(const struct crowd *c, int sig, unsigned int n)
{
	for (int i = 0; i < SIGS; i++) {
		unsigned int before = count_events(c, c->v[i]->pid, SIGRTMAX);

		ck_assert_int_eq(kill(c->v[i]->pid, SIGRTMAX), 0);
		await_events(c, c->v[i]->pid, SIGRTMAX, before + 1);
		ck_assert_uint_eq(count_events(c, c->v[i]->pid, sig), n);
	}
}

START_TEST(a_realtime_signal_comes_exactly_once_to_each)
{
	struct crowd c;

	gather(&c, _i);
	for (unsigned int n = 1; n <= 20; n++)
		ck_assert_uint_eq(to_cgroup(c.lab->top, SIGRTMIN + 3), SIGS);
	all_got(&c, SIGRTMIN + 3, 20);
	/* One alone, by its pid; the others do not. */
	ck_assert_uint_eq(to_pid(c.v[4]->pid, SIGRTMIN + 4), 1);
	await_events(&c, c.v[4]->pid, SIGRTMIN + 4, 1);
	ck_assert_uint_eq(count_events(&c, c.v[3]->pid, SIGRTMIN + 4), 0);
	all_got(&c, SIGRTMIN + 3, 20);
	lab_as_before(c.lab);
	lab_done(c.lab);
}
END_TEST

START_TEST(a_standard_signal_is_taken_by_each)
{
	struct crowd c;
	int n, i;

	gather(&c, _i);
	for (n = 1; n <= 3; n++) {
		ck_assert_uint_eq(to_cgroup(c.lab->top, SIGUSR1), SIGS);
		all_got(&c, SIGRTMIN + 3, 0);
		for (i = 0; i < SIGS; i++)
			ck_assert_uint_eq(atomic_load(&lab_slot(c.lab, c.v[i], 1)->count), n);
	}
	lab_as_before(c.lab);
	lab_done(c.lab);
}
END_TEST

/* Everybody on one level of the freezer that was found frozen keeps it pending. */
START_TEST(who_was_found_frozen_stays_so_with_the_signal_pending)
{
	struct crowd c;

	gather(&c, _i);
	lab_freeze(c.lab, c.lab->levels[1].path, true);
	ck_assert_uint_eq(to_cgroup(c.lab->top, SIGRTMIN + 3), SIGS);
	lab_untouched(c.lab);
	ck_assert(lab_is_frozen(c.lab, c.lab->levels[1].path));
	ck_assert_uint_eq(count_events(&c, c.v[2]->pid, SIGRTMIN + 3), 0);
	lab_freeze(c.lab, c.lab->levels[1].path, false);
	all_got(&c, SIGRTMIN + 3, 1);
	lab_as_before(c.lab);
	lab_done(c.lab);
}
END_TEST

START_TEST(stopped_and_continued)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *a = lab_start(lab, lab->top, "spin", "3", NULL);
	struct lab_victim *b = lab_start(lab, lab_cgroup(lab, lab->top, "below"), "spin", "1", NULL);

	lab_moving(lab);
	ck_assert_uint_eq(to_cgroup(lab->top, SIGSTOP), 2);
	lab_await_state(a->pid, 'T');
	lab_await_state(b->pid, 'T');
	lab_still(lab, LAB_HOLD_MS);
	lab_untouched(lab);
	ck_assert_uint_eq(to_cgroup(lab->top, SIGCONT), 2);
	lab_as_before(lab);
	ck_assert_uint_eq(to_pid(a->pid, SIGSTOP), 1);
	lab_await_state(a->pid, 'T');
	lab_victim_moving(lab, b);
	/* A SIGCONT before the parent has waited would take the stop from it. */
	lab_await_told(lab, a->pid, "stopped 19, continued, stopped 19");
	ck_assert_uint_eq(to_pid(a->pid, SIGCONT), 1);
	lab_as_before(lab);
	lab_await_told(lab, a->pid, "stopped 19, continued, stopped 19, continued");
	lab_await_told(lab, b->pid, "stopped 19, continued");
	lab_done(lab);
}
END_TEST

/* ---- Killed --------------------------------------------------------------------------------- */

START_TEST(nested_cgroups_are_killed_whole_and_put_back_as_found)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a"), *b = lab_cgroup(lab, a, "b");

	lab_start(lab, lab->top, "tree", "2", "2", NULL);
	lab_start(lab, a, "spin", "3", NULL);
	lab_start(lab, b, "deadleader", "3", NULL);
	lab_freeze(lab, a, true);
	ck_assert_uint_eq(to_cgroup(lab->top, SIGKILL), 7 + 1 + 1);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	lab_untouched(lab);
	ck_assert(lab_own_bit(lab, a));
	lab_done(lab);
}
END_TEST

START_TEST(a_target_that_was_found_frozen_dies_and_is_frozen_again)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);

	lab_freeze(lab, lab->top, true);
	ck_assert_uint_eq(to_cgroup(lab->top, SIGKILL), 1);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	ck_assert(lab_own_bit(lab, lab->top));
	lab_await_told(lab, v->pid, "killed 9");
	lab_done(lab);
}
END_TEST

/* The rest of it dies, too: a process has one life. */
START_TEST(a_process_with_one_thread_in_the_target_is_killed)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	struct lab_victim *other = lab_start(lab, lab->top, "spin", "1", NULL);
	const char *below = lab_cgroup(lab, lab->top, "below");
	pid_t second = lab_slot(lab, v, 0)->tid == v->pid ? lab_slot(lab, v, 1)->tid : lab_slot(lab, v, 0)->tid;

	lab_move_thread(lab, below, second);
	ck_assert_uint_eq(to_cgroup(below, SIGKILL), 1);
	lab_await_told(lab, v->pid, "killed 9");
	ck_assert_uint_eq(lab_threads(lab, below), 0);
	lab_victim_moving(lab, other);
	lab_untouched(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_zombie_that_nobody_reaps_is_not_waited_for)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start_own(lab, lab->top, "spin", "3", NULL);
	struct hf_error err = HF_ERROR_INIT;
	siginfo_t info;

	ck_assert_uint_eq(to_cgroup(lab->top, SIGKILL), 1);
	ck_assert_int_eq(lab_state(v->pid), 'Z');
	/* It is no member any more. */
	ck_assert_int_eq(send_cgroup(lab->top, SIGKILL, NULL, NULL, &err), -ESRCH);
	ck_assert_int_eq(waitid(P_PID, (id_t)v->pid, &info, WEXITED | WNOHANG), 0);
	ck_assert_int_eq(info.si_status, SIGKILL);
	lab_done(lab);
}
END_TEST

START_TEST(the_init_of_a_pid_namespace_and_all_in_it_are_killed)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, NULL, "pidns", lab->top, "3", NULL);
	pid_t init = (pid_t)atomic_load(&lab_slot(lab, v, 0)->value);

	ck_assert_uint_eq(to_cgroup(lab->top, SIGKILL), 4);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	lab_await_told(lab, init, "killed 9");
	lab_done(lab);

	lab = lab_new(_i);
	v = lab_start(lab, NULL, "pidns", lab->top, "3", NULL);
	ck_assert_uint_eq(to_pid((pid_t)atomic_load(&lab_slot(lab, v, 0)->value), SIGKILL), 4);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	lab_done(lab);
}
END_TEST

/* A process that somebody else traces need not be held in a cgroup; its tracer is told as of any death. */
START_TEST(who_is_traced_in_a_cgroup_dies_as_well)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct hf_error err = HF_ERROR_INIT;
	int ready[2], status;
	pid_t tracer;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	tracer = fork();
	if (tracer == 0) {
		struct hf_target target = HF_TARGET_INIT;
		hf_hold *hold = NULL;

		target.kind = HF_TARGET_PROCESSES;
		target.pids = &v->pid;
		target.n_pids = 1;
		if (hf_hold_take(&target, NULL, &hold, NULL) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		/* It reaps nobody until it is killed. */
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(send_pid(v->pid, SIGKILL, NULL, NULL, &err), -EBUSY);
	lab_says(&err, "is traced by");
	ck_assert_uint_eq(to_cgroup(lab->top, SIGKILL), 1);
	ck_assert_int_eq(lab_state(v->pid), 'Z');
	kill(tracer, SIGKILL);
	ck_assert_int_eq(waitpid(tracer, &status, 0), tracer);
	lab_await_told(lab, v->pid, "killed 9");
	lab_done(lab);
}
END_TEST

START_TEST(who_sleeps_uninterruptibly_is_named_and_dies_when_it_wakes_up)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	const char *why, *disk = lab_disk(&why);
	struct lab_victim *v, *other;
	char path[LAB_PATH];

	if (!disk) {
		lab_left_out("a killed process that sleeps uninterruptibly", why);
		lab_done(lab);
		return;
	}
	snprintf(path, sizeof(path), "%s/mnt/file", disk);
	v = lab_start(lab, lab->top, "writer", path, NULL);
	other = lab_start(lab, lab->top, "spin", "1", NULL);
	ck_assert_int_eq(lab_disk_freeze(disk, true), 0);
	lab_await_state(lab_slot(lab, v, 0)->tid, 'D');
	opts.timeout_ms = 700;
	ck_assert_int_eq(send_cgroup(lab->top, SIGKILL, &opts, NULL, &err), -ETIMEDOUT);
	lab_says(&err, "1 of 2 processes were killed but had not ended by the deadline: thread ");
	lab_says(&err, "(writer), state D");
	ck_assert_int_eq(err.undo, HF_UNDO_DONE);
	lab_untouched(lab);
	lab_await_told(lab, other->pid, "killed 9");
	ck_assert_int_eq(lab_disk_freeze(disk, false), 0);
	lab_await_told(lab, v->pid, "killed 9");
	lab_done(lab);
}
END_TEST

/* ---- Refused -------------------------------------------------------------------------------- */

struct attempt {
	int r;
	struct hf_error err;
};

/* As another process, prepared by a function of lab.h. */
static struct attempt attempt(const char *path, int sig, void (*prepare)(const void *arg), const void *arg)
{
	struct attempt a = { .err = HF_ERROR_INIT };
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	int ends[2];
	pid_t pid;

	opts.timeout_ms = 2000;
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		prepare(arg);
		a.r = send_cgroup(path, sig, &opts, NULL, &a.err);
		_exit(write(ends[1], &a, sizeof(a)) != sizeof(a));
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &a, sizeof(a)), sizeof(a));
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return a;
}

static void give(const char *dir, const char *file, uid_t uid)
{
	char path[LAB_PATH + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (chown(path, uid, uid) < 0 && errno != ENOENT)
		ck_abort_msg("chown %s: %s", path, strerror(errno));
}

START_TEST(who_may_freeze_but_not_signal_is_told_and_nobody_gets_it)
{
	const uid_t user = OTHER_USER;
	struct crowd c;
	struct attempt a;

	gather(&c, _i);
	give(c.lab->top, "cgroup.freeze", user);
	give(c.lab->top, "freezer.state", user);
	a = attempt(c.lab->top, SIGRTMIN + 3, lab_become_user, &user);
	ck_assert_int_eq(a.r, -EPERM);
	lab_says(&a.err, "(sigs) may not be sent SIGRTMIN+3: it runs as uid 0 and we as uid 12345");
	ck_assert_int_eq(a.err.undo, HF_UNDO_NONE);
	all_got(&c, SIGRTMIN + 3, 0);
	a = attempt(c.lab->top, SIGKILL, lab_become_user, &user);
	ck_assert_int_eq(a.r, -EPERM);
	all_got(&c, SIGRTMIN + 3, 0);
	lab_as_before(c.lab);
	/* Whose cgroup it is may kill all in it, where the kernel has a file for that. */
	if (c.lab->version == 2) {
		give(c.lab->top, "cgroup.kill", user);
		a = attempt(c.lab->top, SIGKILL, lab_become_user, &user);
		ck_assert_msg(a.r == 0, "%s", a.err.text);
		ck_assert_uint_eq(lab_threads(c.lab, c.lab->top), 0);
	}
	lab_done(c.lab);
}
END_TEST

START_TEST(we_are_never_among_them)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "1", NULL);
	struct hf_error err = HF_ERROR_INIT;
	struct attempt a = attempt(lab->top, SIGKILL, lab_join, lab->top);

	ck_assert_int_eq(a.r, -EBUSY);
	lab_says(&a.err, "the holder");
	ck_assert_int_eq(send_pid(getpid(), SIGKILL, NULL, NULL, &err), -EBUSY);
	ck_assert_int_eq(send_pid(getppid(), SIGTERM, NULL, NULL, &err), -EBUSY);
	lab_victim_moving(lab, v);
	lab_untouched(lab);
	lab_done(lab);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;

	ck_assert_int_eq(send_cgroup(lab->top, SIGKILL, NULL, NULL, &err), -ESRCH);
	lab_says(&err, "is empty: nobody to signal");
	ck_assert_int_eq(send_cgroup(lab->top, 0, NULL, NULL, &err), -EINVAL);
	ck_assert_int_eq(send_cgroup(lab->top, SIGRTMAX + 1, NULL, NULL, &err), -EINVAL);
	ck_assert_int_eq(send_cgroup("/nonesuch", SIGKILL, NULL, NULL, &err), -ENOENT);
	ck_assert_int_eq(send_cgroup("", SIGKILL, NULL, NULL, &err), -EINVAL);
	ck_assert_int_eq(hf_target_signal(NULL, SIGKILL, NULL, NULL, &err), -EINVAL);
	opts.on_death = HF_ON_DEATH_STAY;
	ck_assert_int_eq(send_cgroup(lab->top, SIGKILL, &opts, NULL, &err), -EINVAL);
	opts.size = 1;
	ck_assert_int_eq(send_cgroup(lab->top, SIGKILL, &opts, NULL, &err), -EINVAL);
	lab_done(lab);
}
END_TEST

START_TEST(a_hold_of_somebody_else_is_waited_for)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "1", NULL);
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = lab_take(lab->top, NULL);

	opts.timeout_ms = 200;
	ck_assert_int_eq(send_cgroup(lab->top, SIGKILL, &opts, NULL, &err), -EBUSY);
	lab_says(&err, "is held by");
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_victim_moving(lab, v);
	ck_assert_uint_eq(to_cgroup(lab->top, SIGKILL), 1);
	lab_done(lab);
}
END_TEST

/* On v1 nobody dies there; on v2 they do. */
START_TEST(below_a_frozen_cgroup_v1_refuses_to_kill)
{
	struct lab *lab = lab_new(_i);
	const char *below = lab_cgroup(lab, lab->top, "below");
	struct hf_error err = HF_ERROR_INIT;

	lab_start(lab, below, "spin", "1", NULL);
	lab_freeze(lab, lab->top, true);
	if (lab->version == 1) {
		ck_assert_int_eq(send_cgroup(below, SIGKILL, NULL, NULL, &err), -EBUSY);
		lab_says(&err, "is frozen by an ancestor");
	} else {
		ck_assert_uint_eq(to_cgroup(below, SIGKILL), 1);
		ck_assert_uint_eq(lab_threads(lab, below), 0);
	}
	lab_untouched(lab);
	lab_freeze(lab, lab->top, false);
	lab_done(lab);
}
END_TEST

/* ---- Our death ------------------------------------------------------------------------------ */

START_TEST(killed_at_any_moment_it_leaves_nobody_frozen)
{
	struct crowd c;

	gather(&c, _i);
	for (unsigned int round = 0; round < 30; round++) {
		/* Not to wait for anything, but to strike at a different moment each time. */
		struct timespec ts = { 0, (long)(round * 9973 % 64) * 100000 };
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				send_cgroup(c.lab->top, SIGUSR1, NULL, NULL, NULL);
		nanosleep(&ts, NULL);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		lab_await_settings(c.lab);
		lab_as_before(c.lab);
	}
	lab_done(c.lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signal");
	TCase *tc;

	lab_init();
	tc = add_storms(suite);
	lab_add(tc, forks_in_a_threaded_cgroup);
	tc = lab_case(suite, "once");
	lab_add(tc, a_realtime_signal_comes_exactly_once_to_each);
	lab_add(tc, a_standard_signal_is_taken_by_each);
	lab_add(tc, who_was_found_frozen_stays_so_with_the_signal_pending);
	lab_add(tc, stopped_and_continued);
	tc = lab_case(suite, "killed");
	lab_add(tc, nested_cgroups_are_killed_whole_and_put_back_as_found);
	lab_add(tc, a_target_that_was_found_frozen_dies_and_is_frozen_again);
	lab_add(tc, a_process_with_one_thread_in_the_target_is_killed);
	lab_add(tc, a_zombie_that_nobody_reaps_is_not_waited_for);
	lab_add(tc, the_init_of_a_pid_namespace_and_all_in_it_are_killed);
	lab_add(tc, who_is_traced_in_a_cgroup_dies_as_well);
	lab_add(tc, who_sleeps_uninterruptibly_is_named_and_dies_when_it_wakes_up);
	tc = lab_case(suite, "refused");
	lab_add(tc, who_may_freeze_but_not_signal_is_told_and_nobody_gets_it);
	lab_add(tc, we_are_never_among_them);
	lab_add(tc, what_is_wrong_is_said);
	lab_add(tc, a_hold_of_somebody_else_is_waited_for);
	lab_add(tc, below_a_frozen_cgroup_v1_refuses_to_kill);
	tc = lab_case(suite, "our death");
	lab_add(tc, killed_at_any_moment_it_leaves_nobody_frozen);
	return hf_suite_run(suite);
}
