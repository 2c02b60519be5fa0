/* SPDX-License-Identifier: MIT */
/*
 * check_errors - every way in which taking a hold is refused or fails: the code, the step, the words
 * a user needs; and then the proof that everything in the target runs as before.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "procfs.h"
#include "suite.h"
#include "sys.h"

static const uid_t nobody = 65534;

/* Refused while looking: nothing had been changed. */
static void refused(const struct lab_attempt *a, int code, const char *word)
{
	ck_assert_msg(a->r == -code, "%d and not %d: %s", a->r, -code, a->err.text);
	ck_assert_int_eq(a->err.code, code);
	ck_assert_int_eq(a->err.stage, HF_STAGE_LOOK);
	ck_assert_int_eq(a->err.undo, HF_UNDO_NONE);
	ck_assert_ptr_null(strchr(a->err.text, '\n'));
	lab_says(&a->err, word);
}

static const char *number(pid_t pid)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	return text;
}

/* ---- The path ------------------------------------------------------------------------------- */

START_TEST(what_is_no_cgroup_is_refused)
{
	static const char *const paths[] = { "/tmp", "/proc", "/" };
	struct lab_attempt a;

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		lab_attempt(paths[i], NULL, NULL, NULL, &a);
		refused(&a, EINVAL, "not a cgroup");
		lab_says(&a.err, paths[i]);
	}
	lab_attempt("/proc/self/exe", NULL, NULL, NULL, &a);
	refused(&a, ENOTDIR, "not a directory");
	lab_attempt("/hf-test-nowhere", NULL, NULL, NULL, &a);
	refused(&a, ENOENT, "/hf-test-nowhere");
	lab_attempt("hf-test-nowhere", NULL, NULL, NULL, &a);
	refused(&a, ENOENT, "hf-test-nowhere");
	ck_assert_int_eq(hf_hold_cgroup("", NULL, NULL, &a.err), -EINVAL);
}
END_TEST

START_TEST(the_root_cgroup_is_refused)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;
	char root[LAB_PATH];

	snprintf(root, sizeof(root), "%s", lab->top);
	*strrchr(root, '/') = '\0';
	lab_attempt(root, NULL, NULL, NULL, &a);
	refused(&a, EBUSY, "root cgroup");
	lab_says(&a.err, root);
	lab_done(lab);
}
END_TEST

START_TEST(a_missing_cgroup_is_named)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;
	char path[LAB_PATH + 16];

	lab_start(lab, lab->top, "spin", "2", NULL);
	snprintf(path, sizeof(path), "%s/missing", lab->top);
	lab_attempt(path, NULL, NULL, NULL, &a);
	refused(&a, ENOENT, path);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(an_empty_cgroup_is_refused)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;

	lab_cgroup(lab, lab->top, "empty too");
	lab_attempt(lab->top, NULL, NULL, NULL, &a);
	refused(&a, ESRCH, "empty");
	lab_says(&a.err, lab->top);
	lab_untouched(lab);
	lab_done(lab);
}
END_TEST

/* ---- Ourselves ------------------------------------------------------------------------------ */

START_TEST(a_target_with_the_holder_in_it_is_refused)
{
	struct lab *lab = lab_new(_i);
	const char *a_cgroup = lab_cgroup(lab, lab->top, "a");
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_attempt(lab->top, NULL, lab_join, lab->top, &a);
	refused(&a, EBUSY, "itself");
	lab_attempt(lab->top, NULL, lab_join, a_cgroup, &a);
	refused(&a, EBUSY, "itself");
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

struct lone_attempt {
	const char *path;
	struct lab_attempt made;
};

static void *attempt_alone(void *arg)
{
	struct lone_attempt *a = arg;
	hf_hold *hold = NULL;

	lab_await_state(getpid(), 'Z');
	a->made.r = hf_hold_cgroup(a->path, NULL, &hold, &a->made.err);
	if (a->made.r == 0)
		a->made.release = hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, &a->made.err);
	hf_hold_free(hold);
	_exit(0);
}

/* By a process whose first thread has ended, in that cgroup. */
static struct lab_attempt attempt_without_first_thread(void *(*attempt)(void *), const char *path, const char *cgroup)
{
	struct lone_attempt *a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct lab_attempt made;
	pthread_t thread;
	pid_t pid;

	ck_assert_ptr_ne(a, MAP_FAILED);
	a->path = path;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (cgroup)
			lab_join(cgroup);
		if (pthread_create(&thread, NULL, attempt, a) != 0)
			_exit(1);
		syscall(SYS_exit, 0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	made = a->made;
	munmap(a, sizeof(*a));
	return made;
}

/* No list of a cgroup has a thread that has ended, the first one neither, and much of /proc/self has gone with it. */
START_TEST(a_holder_whose_first_thread_has_ended_finds_itself)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "2", NULL);
	a = attempt_without_first_thread(attempt_alone, lab->top, lab->top);
	refused(&a, EBUSY, "itself");
	a = attempt_without_first_thread(attempt_alone, lab->top, NULL);
	ck_assert_msg(a.r == 0, "%s", a.err.text);
	ck_assert_msg(a.release == 0, "%s", a.err.text);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* Join the cgroup, and let a child that has left it make the attempt. */
static void leave_an_ancestor_in(const void *arg)
{
	char root[LAB_PATH];
	pid_t pid;

	lab_join(arg);
	pid = fork();
	if (pid != 0) {
		waitpid(pid, NULL, 0);
		_exit(0);
	}
	snprintf(root, sizeof(root), "%s", (const char *)arg);
	*strrchr(root, '/') = '\0';
	lab_join(root);
}

START_TEST(a_target_with_an_ancestor_of_the_holder_is_refused)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_attempt(lab->top, NULL, leave_an_ancestor_in, lab->top, &a);
	refused(&a, EBUSY, "ancestor");
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* The same of an ancestor whose first thread has ended: another has made the child. */
static void *fork_and_attempt(void *arg)
{
	struct lone_attempt *a = arg;
	hf_hold *hold = NULL;
	pid_t pid;

	lab_await_state(getpid(), 'Z');
	pid = fork();
	if (pid == 0) {
		char root[LAB_PATH];

		snprintf(root, sizeof(root), "%s", a->path);
		*strrchr(root, '/') = '\0';
		lab_join(root);
		a->made.r = hf_hold_cgroup(a->path, NULL, &hold, &a->made.err);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	_exit(0);
}

START_TEST(an_ancestor_whose_first_thread_has_ended_is_refused)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "2", NULL);
	a = attempt_without_first_thread(fork_and_attempt, lab->top, lab->top);
	refused(&a, EBUSY, "ancestor");
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(below_a_frozen_ancestor)
{
	struct lab *lab = lab_new(_i);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	struct lab_victim *v = lab_start(lab, inner, "spin", "2", NULL);
	struct lab_attempt a;

	lab_freeze(lab, lab->top, true);
	v->still = true;
	lab_attempt(inner, NULL, NULL, NULL, &a);
	if (lab->version == 1) {
		/* Nothing done to the inner one would let its threads stop for us. */
		refused(&a, EBUSY, lab->top);
	} else {
		ck_assert_msg(a.r == 0, "%s", a.err.text);
		ck_assert_int_eq(a.release, 0);
	}
	lab_await_frozen(lab, inner, true);
	lab_still(lab, 10);
	lab_untouched(lab);
	lab_freeze(lab, lab->top, false);
	v->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Permissions ---------------------------------------------------------------------------- */

START_TEST(a_freezer_that_cannot_be_written_is_refused)
{
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_attempt(lab->top, NULL, lab_become_user, &nobody, &a);
	refused(&a, EACCES, lab->top);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* Give the cgroup away, as a manager does that delegates it. */
static void delegate(const struct lab *lab)
{
	static const char *const files[] = {
		"", "cgroup.procs", "cgroup.threads", "cgroup.freeze", "tasks", "freezer.state",
	};
	char path[LAB_PATH + 32];

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", lab->top, files[i]);
		if (chown(path, nobody, nobody) < 0)
			ck_assert_int_eq(errno, ENOENT);
	}
}

START_TEST(somebody_elses_process_may_not_be_traced)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_attempt a;

	delegate(lab);
	lab_attempt(lab->top, NULL, lab_become_user, &nobody, &a);
	refused(&a, EPERM, "uid 0");
	lab_says(&a.err, "uid 65534");
	lab_says(&a.err, number(v->pid));
	lab_says(&a.err, "spin");
	lab_says(&a.err, "CAP_SYS_PTRACE");
	ck_assert_int_eq(a.err.tid, v->pid);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_process_that_is_not_dumpable_may_not_be_traced)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "private", "65534", NULL);
	struct lab_attempt a;

	delegate(lab);
	lab_attempt(lab->top, NULL, lab_become_user, &nobody, &a);
	refused(&a, EPERM, "dumpable");
	lab_says(&a.err, number(v->pid));
	lab_as_before(lab);
	/* root may. */
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

/* ---- Traced by somebody else ---------------------------------------------------------------- */

START_TEST(a_traced_thread_is_refused_and_its_tracer_named)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	pid_t tid = lab_slot(lab, v, 1)->tid;
	pid_t tracer = lab_start_tracer(tid, NULL);
	struct lab_attempt a;

	lab_attempt(lab->top, NULL, NULL, NULL, &a);
	refused(&a, EBUSY, "traced by");
	lab_says(&a.err, number(tracer));
	lab_says(&a.err, number(tid));
	ck_assert_int_eq(a.err.tid, tid);
	ck_assert_int_eq(a.err.by, tracer);
	ck_assert_int_eq(lab_tracer_of(tid), tracer);
	lab_moving(lab);
	lab_end_tracer(tracer);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_traced_thread_can_be_skipped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *held = lab_start(lab, lab->top, "spin", "3", NULL);
	struct lab_victim *traced = lab_start(lab, lab->top, "spin", "1", NULL);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	pid_t tracer = lab_start_tracer(traced->pid, NULL);
	const struct hf_process *p;
	hf_tree *tree = NULL;
	hf_hold *hold;

	opts.on_traced = HF_ON_TRACED_SKIP;
	hold = lab_take(lab->top, &opts);
	ck_assert_uint_eq(hf_hold_info(hold)->skipped, 1);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 3);
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
	p = hf_tree_find(tree, traced->pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->found, HF_FOUND_TRACED);
	ck_assert_int_eq(p->tracer, tracer);
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_SKIPPED);
	hf_tree_free(tree);
	lab_victim_still(lab, held, LAB_HOLD_MS);
	/* What we do not hold we do not keep frozen either. */
	lab_victim_moving(lab, traced);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert_int_eq(lab_tracer_of(traced->pid), tracer);
	lab_end_tracer(tracer);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(what_we_hold_another_holder_cannot_have)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab *lab = lab_new(_i);
	struct lab_attempt a;
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "3", NULL);
	hold = lab_take(lab->top, NULL);
	opts.timeout_ms = 100;
	lab_attempt(lab->top, &opts, NULL, NULL, &a);
	refused(&a, EBUSY, "is held by");
	lab_says(&a.err, number(getpid()));
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Uninterruptible sleep ------------------------------------------------------------------ */

static void end_d_state(struct lab *lab, const struct lab_sleeper *d)
{
	ck_assert_int_eq(lab_disk_freeze(d->disk, false), 0);
	lab_as_before(lab);
	lab_done(lab);
	lab_sweep();
}

START_TEST(a_thread_that_does_not_stop_is_named_at_the_deadline)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt a;
	struct lab_sleeper d;

	if (!lab_put_to_sleep(lab, &d)) {
		lab_done(lab);
		return;
	}
	opts.timeout_ms = 700;
	lab_attempt(lab->top, &opts, NULL, NULL, &a);
	ck_assert_msg(a.r == -ETIMEDOUT, "%d: %s", a.r, a.err.text);
	ck_assert(a.err.stage == HF_STAGE_FREEZE || a.err.stage == HF_STAGE_WAIT);
	ck_assert_int_eq(a.err.undo, HF_UNDO_DONE);
	ck_assert_int_eq(a.err.tid, d.writer->pid);
	lab_says(&a.err, number(d.writer->pid));
	lab_says(&a.err, "writer");
	lab_says(&a.err, d.wchan);
	lab_says(&a.err, "pwrite64");
	ck_assert_uint_ge(a.ms, 690);
	ck_assert_uint_le(a.ms, 1200);
	/* The others run at once, the writer when its disk does. */
	lab_untouched(lab);
	lab_victim_moving(lab, d.other);
	end_d_state(lab, &d);
}
END_TEST

START_TEST(a_thread_that_does_not_stop_can_be_accepted_as_armed)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt a;
	struct lab_sleeper d;

	if (!lab_put_to_sleep(lab, &d)) {
		lab_done(lab);
		return;
	}
	opts.on_armed = HF_ON_ARMED_ACCEPT;
	lab_attempt(lab->top, &opts, NULL, NULL, &a);
	ck_assert_msg(a.r == 0, "%d: %s", a.r, a.err.text);
	ck_assert_uint_eq(a.info.armed, 1);
	ck_assert_uint_eq(a.info.armed_other, 1);
	ck_assert_uint_eq(a.info.held, 3);
	/* It could not be detached: the end of the tracer let it go. */
	ck_assert_int_eq(a.release, 1);
	lab_untouched(lab);
	lab_victim_moving(lab, d.other);
	end_d_state(lab, &d);
}
END_TEST

START_TEST(an_armed_thread_runs_nothing_when_its_sleep_ends)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_sleeper d;
	hf_hold *hold;

	if (!lab_put_to_sleep(lab, &d)) {
		lab_done(lab);
		return;
	}
	opts.on_armed = HF_ON_ARMED_ACCEPT;
	hold = lab_take(lab->top, &opts);
	ck_assert_int_eq(lab_disk_freeze(d.disk, false), 0);
	lab_still(lab, LAB_HOLD_MS);
	ck_assert_int_ge(hf_hold_attend(hold, NULL), 1);
	ck_assert_uint_eq(hf_hold_info(hold)->armed, 0);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 4);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
	lab_sweep();
}
END_TEST

/* ---- Running out of things ------------------------------------------------------------------ */

static void limit_files(const void *arg)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = *(const rlim_t *)arg;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(3);
}

START_TEST(too_few_descriptors_fail_cleanly_wherever_they_run_out)
{
	struct lab *lab = lab_new(_i);
	const char *a_cgroup = lab_cgroup(lab, lab->top, "a");
	struct lab_attempt a = { .r = -1 };
	int failures = 0;
	rlim_t limit;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_start(lab, a_cgroup, "tree", "1", "3", NULL);
	for (limit = 8; a.r != 0 && limit < 64; limit++) {
		lab_attempt(lab->top, NULL, limit_files, &limit, &a);
		lab_as_before(lab);
		if (a.r == 0)
			break;
		failures++;
		ck_assert_msg(a.r == -EMFILE, "%d: %s", a.r, a.err.text);
		ck_assert_int_ne(a.err.undo, HF_UNDO_FAILED);
		ck_assert_int_ne(a.err.text[0], 0);
	}
	ck_assert_int_eq(a.r, 0);
	ck_assert_int_gt(failures, 0);
	lab_done(lab);
}
END_TEST

START_TEST(a_deadline_too_short_fails_cleanly_wherever_it_strikes)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt a;
	int failures = 0;

	lab_start(lab, lab->top, "spin", "200", "5000", NULL);
	lab_start(lab, lab->top, "forkstorm", "4", NULL);
	for (int round = 0; round < 20; round++) {
		opts.timeout_ms = 1 + (unsigned int)round / 5;
		lab_attempt(lab->top, &opts, NULL, NULL, &a);
		ck_assert_msg(a.r == 0 || a.r == -ETIMEDOUT, "%d: %s", a.r, a.err.text);
		failures += a.r != 0;
		if (a.r)
			ck_assert_msg(a.err.undo != HF_UNDO_FAILED, "%s", a.err.note);
		lab_as_before(lab);
	}
	/* With 200 threads and a storm a millisecond is never enough. */
	ck_assert_int_gt(failures, 0);
	lab_done(lab);
}
END_TEST

START_TEST(options_of_an_unknown_size_are_refused)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt a;

	lab_start(lab, lab->top, "spin", "1", NULL);
	opts.size = 0;
	lab_attempt(lab->top, &opts, NULL, NULL, &a);
	ck_assert_int_eq(a.r, -EINVAL);
	lab_says(&a.err, "size");
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("errors");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "path");
	tcase_add_test(tc, what_is_no_cgroup_is_refused);
	lab_add(tc, the_root_cgroup_is_refused);
	lab_add(tc, a_missing_cgroup_is_named);
	lab_add(tc, an_empty_cgroup_is_refused);
	tc = lab_case(suite, "ourselves");
	lab_add(tc, a_target_with_the_holder_in_it_is_refused);
	lab_add(tc, a_holder_whose_first_thread_has_ended_finds_itself);
	lab_add(tc, a_target_with_an_ancestor_of_the_holder_is_refused);
	lab_add(tc, an_ancestor_whose_first_thread_has_ended_is_refused);
	lab_add(tc, below_a_frozen_ancestor);
	tc = lab_case(suite, "permissions");
	lab_add(tc, a_freezer_that_cannot_be_written_is_refused);
	lab_add(tc, somebody_elses_process_may_not_be_traced);
	lab_add(tc, a_process_that_is_not_dumpable_may_not_be_traced);
	tc = lab_case(suite, "traced");
	lab_add(tc, a_traced_thread_is_refused_and_its_tracer_named);
	lab_add(tc, a_traced_thread_can_be_skipped);
	lab_add(tc, what_we_hold_another_holder_cannot_have);
	tc = lab_case(suite, "uninterruptible");
	lab_add(tc, a_thread_that_does_not_stop_is_named_at_the_deadline);
	lab_add(tc, a_thread_that_does_not_stop_can_be_accepted_as_armed);
	lab_add(tc, an_armed_thread_runs_nothing_when_its_sleep_ends);
	tc = lab_case(suite, "limits");
	lab_add(tc, too_few_descriptors_fail_cleanly_wherever_they_run_out);
	lab_add(tc, a_deadline_too_short_fails_cleanly_wherever_it_strikes);
	lab_add(tc, options_of_an_unknown_size_are_refused);
	return hf_suite_run(suite);
}
