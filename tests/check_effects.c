/* SPDX-License-Identifier: MIT */
/*
 * check_effects - tests of pstree/effects.c and base/timers.c: what a process may notice of a hold, from made-up
 * files, and of a process that has something of everything.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "effects.h"
#include "lab.h"
#include "print.h"
#include "suite.h"
#include "timers.h"

/* ---- Parsers ---------------------------------------------------------------------------------------- */

START_TEST(ticks_of_a_timerfd_are_read)
{
	static const struct {
		const char *text;
		int r;
		uint64_t ticks;
	} rows[] = {
		{ "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1\nclockid: 1\nticks: 3\nsettime flags: 01\n", 0, 3 },
		{ "ticks: 0\n", 0, 0 },
		{ "ticks: 18446744073709551615\n", 0, UINT64_MAX },
		{ "ticks: 18446744073709551616\n", -EBADMSG, 7 },
		{ "ticks: \n", -EBADMSG, 7 },
		{ "ticks: 3x\n", -EBADMSG, 7 },
		{ "ticks: 3", -EBADMSG, 7 },
		{ "pos:\t0\n", -EBADMSG, 7 },
		{ "", -EBADMSG, 7 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t ticks = 7;

		ck_assert_int_eq(hf_timerfd_parse(rows[i].text, strlen(rows[i].text), &ticks), rows[i].r);
		ck_assert_uint_eq(ticks, rows[i].ticks);
	}
}
END_TEST

START_TEST(timers_are_walked)
{
	static const char text[] =
		"ID: 1\nsignal: 60/00007fff86e452a8\nnotify: signal/pid.2634\nClockID: 0\n"
		"ID: 2\nsignal: 0/0000\nnotify: none/pid.2634\nClockID: 1\nSomething: new\n"
		"ID: 7\nsignal: 14/0\nnotify: thread/tid.1\n";
	static const struct hf_timer expect[] = { { 1, 60 }, { 2, 0 }, { 7, 14 } };
	struct hf_timer timer;
	size_t pos = 0;

	for (size_t i = 0; i < COUNT_OF(expect); i++) {
		ck_assert_int_eq(hf_timers_next(text, strlen(text), &pos, &timer), 1);
		ck_assert_uint_eq(timer.id, expect[i].id);
		ck_assert_int_eq(timer.signal, expect[i].signal);
	}
	ck_assert_int_eq(hf_timers_next(text, strlen(text), &pos, &timer), 0);
}
END_TEST

START_TEST(timers_that_are_none_are_refused)
{
	static const char *const bad[] = {
		"id: 1\n", "ID: x\n", "ID: 1\n", "ID: 1\nsignal: 1\n", "ID: 1\nsignal: 65/0\nnotify: signal/pid.1\n",
		"ID: 1\nsignal: 1/0\nClockID: 0\n", "ID: 4294967296\nsignal: 1/0\nnotify: none/pid.1\n", "ID: 1",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct hf_timer timer;
		size_t pos = 0;

		memset(&timer, FILLER, sizeof(timer));
		ck_assert_int_eq(hf_timers_next(bad[i], strlen(bad[i]), &pos, &timer), -EBADMSG);
		ck_assert(is_untouched(&timer, sizeof(timer)));
		ck_assert_uint_eq(pos, 0);
	}
}
END_TEST

#define BIT(sig) (UINT64_C(1) << ((sig) - 1))

START_TEST(a_signal_is_fatal_by_default_only)
{
	struct hf_status none = { 0 }, st = { 0 };

	ck_assert_uint_eq(hf_effects_fatal(0, &none), 0);
	ck_assert_uint_eq(hf_effects_fatal(BIT(SIGTERM) | BIT(SIGKILL) | BIT(40), &none),
			  BIT(SIGTERM) | BIT(SIGKILL) | BIT(40));
	ck_assert_uint_eq(hf_effects_fatal(BIT(SIGCHLD) | BIT(SIGWINCH) | BIT(SIGURG) | BIT(SIGCONT) |
					   BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU), &none), 0);
	st.sig_blocked = BIT(SIGTERM);
	st.sig_ignored = BIT(SIGHUP);
	st.sig_caught = BIT(SIGINT);
	ck_assert_uint_eq(hf_effects_fatal(BIT(SIGTERM) | BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT), &st),
			  BIT(SIGQUIT));
}
END_TEST

START_TEST(the_watchdog_is_for_whom_it_names)
{
	static const struct {
		struct bytes environment;
		uint64_t us;
	} rows[] = {
		{ BYTES("A=1\0WATCHDOG_USEC=30000000\0B=2\0"), 30000000 },
		{ BYTES("WATCHDOG_USEC=5\0WATCHDOG_PID=100\0"), 5 },
		{ BYTES("WATCHDOG_USEC=5\0WATCHDOG_PID=101\0"), 0 },
		{ BYTES("XWATCHDOG_USEC=5\0"), 0 },
		{ BYTES("WATCHDOG_USEC=\0"), 0 },
		{ BYTES("WATCHDOG_USEC"), 0 },
		{ BYTES("WATCHDOG_USEC=5 without an end"), 0 },
		{ BYTES(""), 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* The literal's own NUL is left out where it is not part of the text. */
		char *copy = exact_copy(rows[i].environment);

		ck_assert_uint_eq(hf_effects_watchdog_us(copy, rows[i].environment.len, 100), rows[i].us);
		free(copy);
	}
}
END_TEST

/* ---- A process ------------------------------------------------------------------------------------------ */

static const struct hf_effect *find(const struct hf_process *p, enum hf_effect_kind kind, const char *word)
{
	for (size_t i = 0; i < p->n_effects; i++)
		if (p->effects[i].kind == kind && strstr(p->effects[i].text, word))
			return &p->effects[i];
	return NULL;
}

static void check_effects(const struct hf_process *p, bool dies)
{
	const struct hf_effect *e;

#ifdef __x86_64__
	e = find(p, HF_EFFECT_TIMEOUT, "epoll_");
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(e->tid, p->threads[1].tid);
	ck_assert_ptr_null(find(p, HF_EFFECT_INTERRUPTED, ""));
#endif
	e = find(p, HF_EFFECT_TIMER, "timerfd");
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(e->tid, 0);
	/* The one that has an hour to go is not among them. */
	ck_assert_ptr_null(find((const struct hf_process *)&(struct hf_process){
				.effects = e + 1, .n_effects = (size_t)(p->effects + p->n_effects - (e + 1)) },
				HF_EFFECT_TIMER, "timerfd"));
	ck_assert_ptr_nonnull(find(p, HF_EFFECT_TIMER, "SIGRTMIN+5 is pending"));
	ck_assert_ptr_nonnull(find(p, HF_EFFECT_TIMER, "SIGALRM"));
	ck_assert_ptr_nonnull(find(p, HF_EFFECT_WATCHDOG, "2.5 s"));
	ck_assert_ptr_nonnull(find(p, HF_EFFECT_PEERS, "2 established TCP connections"));
	ck_assert_ptr_nonnull(find(p, HF_EFFECT_PEERS, "1 with keepalive"));
	ck_assert_int_eq(find(p, HF_EFFECT_DIES, "SIGTERM") != NULL, dies);
}

START_TEST(a_process_with_something_of_everything)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "noticed", NULL);
	struct hf_tree_options opts = HF_TREE_OPTIONS_INIT;
	hf_tree *tree = NULL;
	hf_hold *hold;

	opts.effects = 1;
	hold = lab_take(lab->top, NULL);
	ck_assert_int_eq(hf_tree_collect(hold, &opts, &tree, NULL), 0);
	check_effects(hf_tree_find(tree, v->pid), false);
	hf_tree_free(tree);
	/* It says that it will die, and it does. */
	ck_assert_int_eq(kill(v->pid, SIGTERM), 0);
	ck_assert_int_eq(hf_tree_collect(hold, &opts, &tree, NULL), 0);
	check_effects(hf_tree_find(tree, v->pid), true);
	hf_tree_free(tree);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	v->still = true;
	lab_await_told(lab, v->pid, "killed 15");
	lab_done(lab);
}
END_TEST

START_TEST(nobody_asked_nothing_is_told)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "noticed", NULL);
	hf_hold *hold = lab_take(lab->top, NULL);
	hf_tree *tree = NULL;
	char *text = NULL;

	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
	ck_assert_uint_eq(hf_tree_find(tree, v->pid)->n_effects, 0);
	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_JSON, 0, &text, NULL, NULL), 0);
	ck_assert_ptr_null(strstr(text, "\"effects\""));
	free(text);
	hf_tree_free(tree);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_quiet_process_has_no_effects)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	struct hf_tree_options opts = HF_TREE_OPTIONS_INIT;
	hf_hold *hold = lab_take(lab->top, NULL);
	hf_tree *tree = NULL;
	char *text = NULL;

	opts.effects = 1;
	ck_assert_int_eq(hf_tree_collect(hold, &opts, &tree, NULL), 0);
	ck_assert_uint_eq(hf_tree_find(tree, v->pid)->n_effects, 0);
	ck_assert_int_eq(hf_tree_format(tree, hold, HF_FORMAT_JSON, 0, &text, NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"effects\":[]"));
	free(text);
	hf_tree_free(tree);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("effects");
	TCase *tc = tcase_create("parsers");

	tcase_add_test(tc, ticks_of_a_timerfd_are_read);
	tcase_add_test(tc, timers_are_walked);
	tcase_add_test(tc, timers_that_are_none_are_refused);
	tcase_add_test(tc, a_signal_is_fatal_by_default_only);
	tcase_add_test(tc, the_watchdog_is_for_whom_it_names);
	suite_add_tcase(suite, tc);
	lab_init();
	tc = lab_case(suite, "live");
	lab_add(tc, a_process_with_something_of_everything);
	lab_add(tc, nobody_asked_nothing_is_told);
	lab_add(tc, a_quiet_process_has_no_effects);
	return hf_suite_run(suite);
}
