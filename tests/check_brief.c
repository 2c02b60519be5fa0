/* SPDX-License-Identifier: MIT */
/*
 * check_brief - holds that look at processes beforehand and not at each of their threads: all is held as it is
 * otherwise, and what only a look at a thread would have told is met when the threads are seized.
 */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "suite.h"
#include "sys.h"

static struct hf_take_options brief(void)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;

	opts.brief = HF_BRIEF_PROCESSES;
	return opts;
}

static hf_tree *collect(hf_hold *hold)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree = NULL;

	ck_assert_msg(hf_tree_collect(hold, NULL, &tree, &err) == 0, "%s", err.text);
	return tree;
}

START_TEST(every_thread_is_held_and_the_first_tells_how_it_was_found)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "5", "1000", NULL);
	struct hf_take_options opts = brief();
	const struct hf_process *p;
	hf_hold *hold;
	hf_tree *tree;
	size_t i;

	lab_start(lab, lab->top, "tree", "1", "3", NULL);
	lab_moving(lab);
	hold = lab_take(lab->top, &opts);
	lab_still(lab, LAB_HOLD_MS);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 9);
	tree = collect(hold);
	p = hf_tree_find(tree, v->pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->n_threads, 5);
	ck_assert_int_ne(p->threads[0].found, '?');
	for (i = 1; i < 5; i++)
		ck_assert_int_eq(p->threads[i].found, '?');
	hf_tree_free(tree);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_untouched(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_brief_that_does_not_exist_is_refused)
{
	struct lab *lab = lab_new(_i);
	struct hf_take_options opts = brief();
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;

	opts.brief = (enum hf_brief)(HF_BRIEF_PROCESSES + 1);
	ck_assert_int_eq(hf_hold_cgroup(lab->top, &opts, &hold, &err), -EINVAL);
	ck_assert_ptr_null(hold);
	lab_done(lab);
}
END_TEST

/* A group-stop is one of the whole process: of such a one each thread is looked at. */
START_TEST(a_stopped_process_stays_stopped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "5", NULL);
	struct hf_take_options opts = brief();
	const struct hf_process *p;
	hf_hold *hold;
	hf_tree *tree;

	lab_start(lab, lab->top, "spin", "2", NULL);
	lab_stop(lab, v, SIGTSTP);
	hold = lab_take(lab->top, &opts);
	tree = collect(hold);
	p = hf_tree_find(tree, v->pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->found, HF_FOUND_STOPPED);
	ck_assert_int_eq(p->stop_signal, SIGTSTP);
	ck_assert_int_eq(p->threads[4].found, 'T');
	hf_tree_free(tree);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_untouched(lab);
	lab_continue(lab, v);
	lab_moving(lab);
	lab_done(lab);
}
END_TEST

/* On v1 each thread shows for itself whether it was stopped before it was frozen. */
START_TEST(a_stopped_process_in_a_frozen_cgroup_stays_both)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	struct hf_take_options opts = brief();
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "3", NULL);
	lab_stop(lab, v, SIGSTOP);
	lab_freeze(lab, lab->top, true);
	hold = lab_take(lab->top, &opts);
	lab_still(lab, LAB_HOLD_MS);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 6);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert(lab_is_frozen(lab, lab->top));
	lab_still(lab, LAB_HOLD_MS);
	lab_freeze(lab, lab->top, false);
	lab_untouched(lab);
	lab_done(lab);
}
END_TEST

/* ---- A thread that is traced alone -------------------------------------------------------------------- */

START_TEST(a_thread_that_is_traced_alone_is_refused_and_all_undone)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "5", NULL);
	struct hf_take_options opts = brief();
	pid_t tid = lab_slot(lab, v, 3)->tid, tracer = lab_start_tracer(tid, NULL);
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;

	ck_assert_int_eq(hf_hold_cgroup(lab->top, &opts, &hold, &err), -EBUSY);
	ck_assert_ptr_null(hold);
	ck_assert_int_eq(err.tid, tid);
	ck_assert_int_eq(err.stage, HF_STAGE_SEIZE);
	lab_says(&err, "is traced by");
	ck_assert_int_eq(err.undo, HF_UNDO_DONE);
	ck_assert_ptr_nonnull(strstr(err.note, "everybody was released"));
	lab_moving(lab);
	lab_end_tracer(tracer);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_thread_that_is_traced_alone_can_be_skipped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "5", NULL);
	struct hf_take_options opts = brief();
	pid_t tracer = lab_start_tracer(lab_slot(lab, v, 3)->tid, NULL);
	hf_hold *hold;

	opts.on_traced = HF_ON_TRACED_SKIP;
	hold = lab_take(lab->top, &opts);
	ck_assert_uint_eq(hf_hold_info(hold)->skipped, 1);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 4);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_end_tracer(tracer);
	lab_moving(lab);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* Seized in a second pass, for lack of it in the first: its stop is waited for all the same. */
START_TEST(a_tracer_that_comes_and_goes_leaves_nobody_without_a_stop)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", "1000", NULL);
	struct hf_take_options opts = brief();
	pid_t tid = lab_slot(lab, v, 1)->tid, tracer = fork();

	if (tracer == 0)
		for (;;) {
			int status;

			if (hf_sys_seize(tid, 0) < 0)
				continue;
			hf_sys_interrupt(tid);
			waitpid(tid, &status, __WALL);
			hf_sys_detach(tid, 0);
		}
	opts.on_traced = HF_ON_TRACED_SKIP;
	for (int i = 0; i < 150; i++) {
		hf_hold *hold = lab_take(lab->top, &opts);
		const struct hf_hold_info *info = hf_hold_info(hold);

		ck_assert_uint_eq(info->armed, 0);
		ck_assert_uint_eq(info->held + info->skipped, 2);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
	}
	lab_end_tracer(tracer);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

static nlink_t own_threads(void)
{
	struct stat st;

	ck_assert_int_eq(stat("/proc/self/task", &st), 0);
	return st.st_nlink;
}

/* What an undo starts, it ends: of v1's found frozen all have to be seized before they can be let go. */
START_TEST(a_failed_take_leaves_no_thread_of_the_library)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab_cgroup(lab, lab->top, "a"), "spin", "3", NULL);
	const char *frozen[] = { lab_cgroup(lab, lab->top, "b"), lab_cgroup(lab, lab->top, "c") };
	struct hf_take_options opts = brief();
	pid_t tracer = lab_start_tracer(lab_slot(lab, v, 1)->tid, NULL);
	nlink_t before = own_threads();
	hf_hold *hold = NULL;

	for (size_t i = 0; i < COUNT_OF(frozen); i++) {
		lab_start(lab, frozen[i], "spin", "3", NULL);
		lab_freeze(lab, frozen[i], true);
	}
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(hf_hold_cgroup(lab->top, &opts, &hold, NULL), -EBUSY);
	ck_assert_uint_eq(own_threads(), before);
	lab_end_tracer(tracer);
	for (size_t i = 0; i < COUNT_OF(frozen); i++)
		lab_freeze(lab, frozen[i], false);
	lab_moving(lab);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite;
	TCase *tc;

	lab_init();
	suite = suite_create("brief");
	tc = lab_case(suite, "held");
	lab_add(tc, every_thread_is_held_and_the_first_tells_how_it_was_found);
	lab_add(tc, a_brief_that_does_not_exist_is_refused);
	lab_add(tc, a_stopped_process_stays_stopped);
	lab_add(tc, a_stopped_process_in_a_frozen_cgroup_stays_both);
	tc = lab_case(suite, "traced");
	lab_add(tc, a_thread_that_is_traced_alone_is_refused_and_all_undone);
	lab_add(tc, a_thread_that_is_traced_alone_can_be_skipped);
	lab_add(tc, a_tracer_that_comes_and_goes_leaves_nobody_without_a_stop);
	lab_add(tc, a_failed_take_leaves_no_thread_of_the_library);
	return hf_suite_run(suite);
}
