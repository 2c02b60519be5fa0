/* SPDX-License-Identifier: MIT */
/*
 * check_stuck - threads that do not stop, whatever is done: in a page fault that nobody answers, behind a FUSE server in
 * the same cgroup, on a frozen disk.  Each is named with what it waits in and what that means; the deadline holds for taking and
 * for releasing; and afterwards everything is as before.
 */
#include <errno.h>
#include <json.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "procfs.h"
#include "suite.h"

#define DEADLINE_MS 300u
#define GRACE_MS 250u
/* A deadline says nothing about a machine that gives us no processor: one try of so many has to be in time. */
#define TRIES 20

static pid_t value_of(struct lab *lab, const struct lab_victim *v, uint32_t i)
{
	return (pid_t)atomic_load(&lab_slot(lab, v, i)->value);
}

/* Attempts that must fail at the deadline, the last of them in time. */
static void attempt_in_vain(struct lab *lab, const struct hf_take_options *opts, struct lab_attempt *a)
{
	int tries = 0;

	do {
		lab_attempt(lab->top, opts, NULL, NULL, a);
		ck_assert_msg(a->r == -ETIMEDOUT, "%d: %s", a->r, a->err.text);
		ck_assert_msg(a->err.undo != HF_UNDO_FAILED, "%s", a->err.note);
		ck_assert_uint_ge(a->ms + 1, opts->timeout_ms);
		lab_untouched(lab);
	} while (a->ms > opts->timeout_ms + GRACE_MS && ++tries < TRIES);
	ck_assert_uint_le(a->ms, opts->timeout_ms + GRACE_MS);
}

/* ---- A page fault in the kernel ------------------------------------------------------------------- */

START_TEST(one_who_never_stops_is_named_and_the_deadline_kept)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, NULL, "uffd", lab->top, NULL);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "2", NULL);
	opts.timeout_ms = DEADLINE_MS;
	attempt_in_vain(lab, &opts, &a);
	ck_assert_int_eq(a.err.tid, value_of(lab, v, 0));
	lab_says(&a.err, "faulting");
	lab_says(&a.err, "busy in the kernel");
	lab_says(&a.err, "userfaultfd");
	lab_as_before(lab);
	/* Not asleep, so there is nothing to accept. */
	opts.on_armed = HF_ON_ARMED_ACCEPT;
	attempt_in_vain(lab, &opts, &a);
	lab_as_before(lab);
	lab_poke(lab);
	lab_as_before(lab);
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

/* ---- FUSE ------------------------------------------------------------------------------------------- */

/* One read is under way, and is not answered before value 0. */
static struct lab_victim *start_fuse(struct lab *lab)
{
	struct lab_victim *v = lab_start(lab, lab->top, "fuse", NULL);
	uint64_t begin = lab_ms();

	lab_moving(lab);
	atomic_store(&lab_slot(lab, v, 0)->duty, VICTIM_STAYS);
	atomic_store(&lab_slot(lab, v, 1)->value, 1);
	while (value_of(lab, v, 1) != 2) {
		ck_assert_uint_lt(lab_ms() - begin, LAB_PATIENCE_MS);
		usleep(500);
	}
	/* Counted so far; from now on it must not come back. */
	atomic_store(&lab_slot(lab, v, 0)->count, 0);
	return v;
}

static void end_fuse(struct lab *lab, struct lab_victim *v)
{
	ck_assert_uint_eq(atomic_load(&lab_slot(lab, v, 0)->count), 0);
	atomic_store(&lab_slot(lab, v, 0)->duty, VICTIM_MOVES);
	atomic_store(&lab_slot(lab, v, 1)->value, 0);
	lab_as_before(lab);
	lab_done(lab);
}

START_TEST(a_fuse_server_in_the_same_cgroup_is_thought_of)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = start_fuse(lab);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt a;

	opts.timeout_ms = DEADLINE_MS;
	attempt_in_vain(lab, &opts, &a);
	ck_assert_int_eq(a.err.tid, value_of(lab, v, 0));
	lab_says(&a.err, "(reader), state D, in kernel function ");
	lab_says(&a.err, "system call pread64");
	lab_says(&a.err, "a FUSE file system whose server does not answer; is the server in the same cgroup?");
	lab_as_before(lab);
	/* Accepted it is armed, and cannot come back before its server runs again. */
	opts.on_armed = HF_ON_ARMED_ACCEPT;
	opts.timeout_ms = 0;
	lab_attempt(lab->top, &opts, NULL, NULL, &a);
	ck_assert_msg(a.r == 0, "%d: %s", a.r, a.err.text);
	ck_assert_uint_eq(a.info.armed_other, 1);
	ck_assert_uint_eq(a.info.armed, 1);
	ck_assert_uint_eq(a.info.held, 1);
	lab_untouched(lab);
	end_fuse(lab, v);
}
END_TEST

/* ---- A frozen disk ---------------------------------------------------------------------------------- */

static json_object *member(json_object *o, const char *key)
{
	json_object *value = NULL;

	ck_assert_msg(json_object_object_get_ex(o, key, &value), "there is no \"%s\"", key);
	return value;
}

static const char *word(json_object *o, const char *key)
{
	return json_object_get_string(member(o, key));
}

static int number(json_object *o, const char *key)
{
	return json_object_get_int(member(o, key));
}

static json_object *report(hf_hold *hold)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree = NULL;
	char *text = NULL;
	json_object *o;

	ck_assert_msg(hf_tree_collect(hold, NULL, &tree, &err) == 0, "%s", err.text);
	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_JSON, 0, &text, NULL, &err), 0);
	o = json_tokener_parse(text);
	ck_assert_ptr_nonnull(o);
	free(text);
	hf_tree_free(tree);
	return o;
}

static json_object *thread_in(json_object *o, pid_t tid)
{
	json_object *processes = member(o, "processes");

	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		json_object *threads = member(json_object_array_get_idx(processes, i), "threads");

		for (size_t t = 0; t < json_object_array_length(threads); t++)
			if (number(json_object_array_get_idx(threads, t), "tid") == tid)
				return json_object_array_get_idx(threads, t);
	}
	ck_abort_msg("thread %d is not in the report", (int)tid);
}

START_TEST(who_sleeps_on_a_disk_is_reported_with_what_it_waits_in)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab *lab = lab_new(_i);
	struct lab_sleeper d;
	json_object *o, *t;
	hf_hold *hold;

	if (lab_put_to_sleep(lab, &d)) {
		opts.on_armed = HF_ON_ARMED_ACCEPT;
		hold = lab_take(lab->top, &opts);
		o = report(hold);
		t = thread_in(o, d.writer->pid);
		ck_assert_str_eq(word(t, "state"), "armed");
		ck_assert_str_eq(word(t, "found"), "disk-sleep");
		ck_assert_str_eq(word(t, "comm"), "writer");
		ck_assert_str_eq(word(t, "wchan"), d.wchan);
		ck_assert_int_eq(number(t, "syscall"), SYS_pwrite64);
		ck_assert(!json_object_object_get_ex(t, "waits_for", NULL));
		t = thread_in(o, d.other->pid);
		ck_assert_str_eq(word(t, "state"), "held");
		ck_assert_ptr_null(member(t, "wchan"));
		ck_assert_int_eq(number(member(o, "counts"), "armed"), 1);
		ck_assert_int_eq(number(member(o, "counts"), "held"), 3);
		ck_assert_uint_eq(json_object_array_length(member(o, "warnings")), 1);
		json_object_put(o);
		lab_victim_still(lab, d.other, LAB_HOLD_MS);
		ck_assert_int_eq(lab_disk_freeze(d.disk, false), 0);
		lab_still(lab, LAB_HOLD_MS);
		ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
		hf_hold_free(hold);
		lab_as_before(lab);
	}
	lab_done(lab);
}
END_TEST

START_TEST(a_vfork_parent_is_reported_with_the_child_it_waits_for)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "vforker", NULL);
	pid_t child = value_of(lab, v, 2);
	json_object *o, *t;
	hf_hold *hold;

	lab_await_state(v->pid, 'D');
	hold = lab_take(lab->top, NULL);
	o = report(hold);
	t = thread_in(o, v->pid);
	ck_assert_str_eq(word(t, "state"), "armed");
	ck_assert_int_eq(number(t, "waits_for"), child);
	ck_assert_int_eq(number(t, "syscall"), SYS_vfork);
	ck_assert_ptr_nonnull(word(t, "wchan"));
	ck_assert_str_eq(word(thread_in(o, child), "state"), "held");
	ck_assert_int_eq(number(member(o, "counts"), "armed"), 1);
	/* It is harmless, and no news. */
	ck_assert_uint_eq(json_object_array_length(member(o, "warnings")), 0);
	json_object_put(o);
	lab_poke(lab);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	while (atomic_load(&lab_slot(lab, v, 1)->duty) != VICTIM_MOVES ||
	       atomic_load(&lab_slot(lab, v, 2)->duty) != VICTIM_MOVES)
		usleep(1000);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* To stopped and to dead, of one who can be neither: by the deadline, and everybody else has got there. */
static void release_in_vain(int index, enum hf_release how)
{
	struct hf_take_options take = HF_TAKE_OPTIONS_INIT;
	struct hf_release_options release = HF_RELEASE_OPTIONS_INIT;
	uint64_t ms = 0;

	take.on_armed = HF_ON_ARMED_ACCEPT;
	release.timeout_ms = DEADLINE_MS;
	for (int tries = 0; tries < TRIES; tries++) {
		struct hf_error err = HF_ERROR_INIT;
		struct lab *lab = lab_new(index);
		struct lab_sleeper d;
		hf_hold *hold;
		uint64_t begin;

		if (!lab_put_to_sleep(lab, &d)) {
			lab_done(lab);
			return;
		}
		hold = lab_take(lab->top, &take);
		begin = lab_ms();
		/* To stopped it goes by itself when it wakes up: one is left.  To dead it does not go. */
		ck_assert_int_eq(hf_hold_release(hold, how, &release, &err),
				 how == HF_RELEASE_DEAD ? -ETIMEDOUT : 1);
		ms = lab_ms() - begin;
		if (how == HF_RELEASE_DEAD) {
			ck_assert_int_eq(err.stage, HF_STAGE_RELEASE);
			ck_assert_int_eq(err.tid, d.writer->pid);
			lab_says(&err, d.wchan);
		}
		if (how == HF_RELEASE_DEAD)
			lab_await_gone(d.other->pid);
		else
			lab_await_state(d.other->pid, 'T');
		/* What could not be done then is done when it can be. */
		ck_assert_int_eq(lab_disk_freeze(d.disk, false), 0);
		ck_assert_int_eq(hf_hold_release(hold, how, NULL, &err), 0);
		hf_hold_free(hold);
		if (how == HF_RELEASE_DEAD) {
			lab_await_gone(d.writer->pid);
		} else {
			lab_await_state(d.writer->pid, 'T');
			d.writer->still = d.other->still = true;
			lab_as_before(lab);
			lab_continue(lab, d.writer);
			lab_continue(lab, d.other);
			lab_as_before(lab);
		}
		lab_done(lab);
		lab_sweep();
		if (ms <= DEADLINE_MS + GRACE_MS)
			return;
	}
	ck_abort_msg("the release came back after %d ms", (int)ms);
}

START_TEST(a_release_to_stopped_keeps_its_deadline)
{
	release_in_vain(_i, HF_RELEASE_STOPPED);
}
END_TEST

START_TEST(a_release_to_dead_keeps_its_deadline)
{
	release_in_vain(_i, HF_RELEASE_DEAD);
}
END_TEST

/* ---- Without a processor ---------------------------------------------------------------------------- */

#define STARVED_MS 100u	/* who gets no processor has not stopped by then, */
#define HOG_MS 600	/* nor by the end of what an undo may take of those who sleep */

static cpu_set_t one, others;	/* processors: that of the victims, and ours */

static bool has_two_processors(void)
{
	int cpu;

	if (sched_getaffinity(0, sizeof(others), &others) < 0 || CPU_COUNT(&others) < 2)
		return false;
	for (cpu = CPU_SETSIZE - 1; !CPU_ISSET(cpu, &others); cpu--)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CPU_CLR(cpu, &others);
	return true;
}

/* Nobody else runs on that processor meanwhile.  The kernel lets ordinary ones have 5 % of a second, at its end. */
static pid_t start_hog(void)
{
	const struct sched_param high = { .sched_priority = 10 };
	int ready[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		uint64_t end = lab_ms() + HOG_MS;

		if (sched_setaffinity(0, sizeof(one), &one) < 0 || sched_setscheduler(0, SCHED_FIFO, &high) < 0 ||
		    write(ready[1], "h", 1) != 1)
			_exit(1);
		while (lab_ms() < end)
			;
		_exit(0);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

/* Whoever only wants a processor is waited for: given up he would stop when he gets one, and stay so. */
static void undone_without_a_processor(struct lab *lab, const struct lab_victim *v, const struct hf_target *target)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_error err;
	hf_hold *hold = NULL;
	int r, tries = 0;
	uint32_t i;

	opts.timeout_ms = STARVED_MS;
	ck_assert_int_eq(sched_setaffinity(0, sizeof(others), &others), 0);
	for (i = 0; i < v->n; i++)
		ck_assert_int_eq(sched_setaffinity(lab_slot(lab, v, i)->tid, sizeof(one), &one), 0);
	/* On a busy machine the hog may have ended before we come to it. */
	do {
		pid_t hog = start_hog();

		err = (struct hf_error)HF_ERROR_INIT;
		r = hf_hold_take(target, &opts, &hold, &err);
		ck_assert_int_eq(waitpid(hog, NULL, 0), hog);
		if (r == 0)
			lab_let_go(hold, HF_RELEASE_AS_FOUND);
	} while (r == 0 && ++tries < TRIES);
	ck_assert_msg(r == -ETIMEDOUT, "%d: %s", r, err.text);
	ck_assert_int_eq(err.undo, HF_UNDO_DONE);
	lab_says(&err, "everybody was released");
	ck_assert_msg(!strstr(err.note, "when the calling thread ends"), "%s", err.note);
	for (i = 0; i < v->n; i++)
		ck_assert_int_eq(lab_tracer_of(lab_slot(lab, v, i)->tid), 0);
}

START_TEST(a_family_without_a_processor_is_let_go)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	const struct hf_target target = { sizeof(target), HF_TARGET_PROCESSES, NULL, &v->pid, 1, NULL, 0 };

	undone_without_a_processor(lab, v, &target);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(who_was_found_frozen_is_let_go_without_a_processor)
{
	struct lab *lab = lab_new(_i);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	struct lab_victim *v = lab_start(lab, inner, "spin", "3", NULL);
	const struct hf_target target = { sizeof(target), HF_TARGET_CGROUP, lab->top, NULL, 0, NULL, 0 };

	lab_freeze(lab, inner, true);
	undone_without_a_processor(lab, v, &target);
	ck_assert(lab_is_frozen(lab, inner));
	lab_freeze(lab, inner, false);
	lab_moving(lab);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stuck");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "fault");
	lab_add(tc, one_who_never_stops_is_named_and_the_deadline_kept);
	tc = lab_case(suite, "fuse");
	if (access("/dev/fuse", R_OK | W_OK) == 0)
		lab_add(tc, a_fuse_server_in_the_same_cgroup_is_thought_of);
	else
		lab_left_out("a FUSE server in the cgroup", strerror(errno));
	tc = lab_case(suite, "reports");
	lab_add(tc, who_sleeps_on_a_disk_is_reported_with_what_it_waits_in);
	lab_add(tc, a_vfork_parent_is_reported_with_the_child_it_waits_for);
	tc = lab_case(suite, "releases");
	lab_add(tc, a_release_to_stopped_keeps_its_deadline);
	lab_add(tc, a_release_to_dead_keeps_its_deadline);
	tc = lab_case(suite, "no processor");
	if (!has_two_processors()) {
		lab_left_out("threads without a processor", "there is one processor only");
	} else {
		lab_add(tc, a_family_without_a_processor_is_let_go);
		lab_add(tc, who_was_found_frozen_is_let_go_without_a_processor);
	}
	return hf_suite_run(suite);
}
