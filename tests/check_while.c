/* SPDX-License-Identifier: MIT */
/*
 * check_while - tests of seize/while.c: a hold lasts as long as its function, however that ends.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "suite.h"

enum what { WHAT_RETURN, WHAT_STOP, WHAT_END_THREAD, WHAT_END_PROCESS };

struct visit {
	struct lab *lab;
	enum what what;
	int returns;
	unsigned int called;
	size_t held;
};

static int visit(hf_hold *hold, void *data)
{
	struct visit *v = data;

	v->called++;
	v->held = hf_hold_info(hold)->held;
	lab_still(v->lab, LAB_HOLD_MS);
	switch (v->what) {
	case WHAT_RETURN:
		break;
	case WHAT_STOP:
		ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_STOPPED, NULL, NULL), 0);
		break;
	case WHAT_END_THREAD:
		pthread_exit(NULL);
	case WHAT_END_PROCESS:
		_exit(7);
	}
	return v->returns;
}

static int during(struct visit *v, int *ret, struct hf_error *err)
{
	struct hf_target target = HF_TARGET_INIT;

	target.path = v->lab->top;
	return hf_hold_while(&target, NULL, visit, v, ret, err);
}

static struct visit make(int index, enum what what)
{
	struct visit v = { .lab = lab_new(index), .what = what };

	lab_start(v.lab, v.lab->top, "spin", "3", NULL);
	lab_moving(v.lab);
	return v;
}

START_TEST(it_is_held_inside_and_runs_afterwards_whatever_is_returned)
{
	static const int returned[] = { 0, 5, -1, -ENOMEM };
	struct visit v = make(_i, WHAT_RETURN);
	struct hf_error err = HF_ERROR_INIT;

	for (size_t i = 0; i < COUNT_OF(returned); i++) {
		int ret = 12345;

		v.returns = returned[i];
		ck_assert_msg(during(&v, &ret, &err) == 0, "%s", err.text);
		ck_assert_int_eq(ret, returned[i]);
		ck_assert_uint_eq(v.called, i + 1);
		ck_assert_uint_eq(v.held, 3);
		lab_as_before(v.lab);
	}
	ck_assert_int_eq(during(&v, NULL, NULL), 0);
	lab_as_before(v.lab);
	lab_done(v.lab);
}
END_TEST

START_TEST(what_the_function_released_by_itself_stays_so)
{
	struct visit v = make(_i, WHAT_STOP);
	struct hf_error err = HF_ERROR_INIT;
	int ret;

	ck_assert_msg(during(&v, &ret, &err) == 0, "%s", err.text);
	lab_await_state(v.lab->victims[0].pid, 'T');
	lab_untouched(v.lab);
	lab_done(v.lab);
}
END_TEST

/* It takes the frames that a cancellation unwinds for still there, and its own end of the thread for an error in them. */
#if defined(__SANITIZE_ADDRESS__)
#define CAN_BE_CANCELLED false
#else
#define CAN_BE_CANCELLED true
#endif

static int nothing(hf_hold *hold, void *data)
{
	(void)hold;
	(void)data;
	return 0;
}

static void *hold_again_and_again(void *arg)
{
	const struct lab *lab = arg;
	struct hf_target target = HF_TARGET_INIT;

	target.path = lab->top;
	for (;;) {
		hf_hold_while(&target, NULL, nothing, NULL, NULL, NULL);
		pthread_testcancel();
	}
	return arg;	/* not reached */
}

/* While it freezes, seizes, thaws, lets go: nothing of that is left half done. */
START_TEST(a_thread_that_is_cancelled_at_any_moment_leaves_nothing)
{
	struct lab *lab = lab_new(_i);
	pthread_t thread;
	void *came_to;

	lab_start(lab, lab->top, "frames", "chain", "30", NULL);
	for (unsigned int round = 0; round < 100; round++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, hold_again_and_again, lab), 0);
		usleep(1000 + round * 97 % 5000);
		ck_assert_int_eq(pthread_cancel(thread), 0);
		ck_assert_int_eq(pthread_join(thread, &came_to), 0);
		ck_assert_ptr_eq(came_to, PTHREAD_CANCELED);
		ck_assert(!lab_is_frozen(lab, lab->top));
		lab_moving(lab);
	}
	lab_as_before(lab);
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_AS_FOUND);
	lab_done(lab);
}
END_TEST

static void *end_inside(void *arg)
{
	int ret;

	during(arg, &ret, NULL);
	return arg;	/* not reached */
}

START_TEST(a_thread_that_ends_inside_has_released)
{
	struct visit v = make(_i, WHAT_END_THREAD);
	pthread_t thread;
	void *came_to = &v;

	ck_assert_int_eq(pthread_create(&thread, NULL, end_inside, &v), 0);
	ck_assert_int_eq(pthread_join(thread, &came_to), 0);
	ck_assert_ptr_null(came_to);
	ck_assert_uint_eq(v.called, 1);
	lab_as_before(v.lab);
	/* Its locks are gone, too. */
	lab_let_go(lab_take(v.lab->top, NULL), HF_RELEASE_AS_FOUND);
	lab_done(v.lab);
}
END_TEST

START_TEST(a_process_that_ends_inside_has_released)
{
	struct visit v = make(_i, WHAT_END_PROCESS);
	int status, ret;
	pid_t pid = fork();

	if (pid == 0) {
		during(&v, &ret, NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	lab_await_settings(v.lab);
	lab_as_before(v.lab);
	lab_done(v.lab);
}
END_TEST

START_TEST(without_a_hold_the_function_is_not_called)
{
	struct visit v = { .lab = lab_new(_i) };
	struct hf_target target = HF_TARGET_INIT;
	struct hf_error err = HF_ERROR_INIT;
	int ret = 12345;

	ck_assert_int_eq(during(&v, &ret, &err), -ESRCH);
	ck_assert_uint_eq(v.called, 0);
	ck_assert_int_eq(ret, 12345);
	target.path = v.lab->top;
	ck_assert_int_eq(hf_hold_while(&target, NULL, NULL, NULL, NULL, &err), -EINVAL);
	lab_done(v.lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("while");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "while");
	lab_add(tc, it_is_held_inside_and_runs_afterwards_whatever_is_returned);
	lab_add(tc, what_the_function_released_by_itself_stays_so);
	lab_add(tc, a_thread_that_ends_inside_has_released);
	if (CAN_BE_CANCELLED)
		lab_add(tc, a_thread_that_is_cancelled_at_any_moment_leaves_nothing);
	else
		lab_left_out("cancelled threads", "the address sanitizer loses track of their stacks");
	lab_add(tc, a_process_that_ends_inside_has_released);
	lab_add(tc, without_a_hold_the_function_is_not_called);
	return hf_suite_run(suite);
}
