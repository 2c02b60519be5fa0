/* SPDX-License-Identifier: MIT */
/*
 * check_restart_live - what real programs see of a hold, who count how often their calls come back; and what it costs.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "suite.h"

/* Elsewhere calls are few that can be (docs/design.md), and there is no int $0x80. */
#ifdef __x86_64__
#define EACH_IS_RESTARTED true
#else
#define EACH_IS_RESTARTED false
#endif

/* ---- What it costs: every ptrace request of this program is counted --------------------------------- */

static struct {
	size_t getregset, setregset, peek, detach;
} requests;

/* In place of the C library's: the library that is tested finds this one first. */
long ptrace(enum __ptrace_request request, ...)
{
	va_list args;
	pid_t pid;
	void *addr, *data;
	long word = 0, r;

	va_start(args, request);
	pid = va_arg(args, pid_t);
	addr = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);
	if (request == PTRACE_PEEKTEXT)
		data = &word;	/* the system call stores the word; its wrapper returns it */
	r = syscall(SYS_ptrace, request, pid, addr, data);
	requests.getregset += request == PTRACE_GETREGSET;
	requests.setregset += request == PTRACE_SETREGSET;
	requests.peek += request == PTRACE_PEEKTEXT;
	requests.detach += request == PTRACE_DETACH;
	return r == 0 && request == PTRACE_PEEKTEXT ? word : r;
}

/* ---- What programs see --------------------------------------------------------------------------------- */

/* Thousands under `make check-quiet`. */
static unsigned int rounds(void)
{
	const char *text = getenv("HF_TEST_HOLDS");

	return text ? (unsigned int)strtoul(text, NULL, 10) : 200;
}

/* Which of a victim's calls came back, for the message. */
static void check_none_came_back(struct lab *lab, const struct lab_victim *v, unsigned int round)
{
	for (uint32_t i = 0; i < v->n; i++) {
		struct victim_slot *slot = lab_slot(lab, v, i);
		char path[64], name[32] = "?";
		FILE *f;

		if (slot->duty != VICTIM_STAYS || slot->count == 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/comm", slot->tid);
		f = fopen(path, "re");
		if (!f || !fgets(name, sizeof(name), f))
			name[0] = '\0';
		name[strcspn(name, "\n")] = '\0';
		ck_abort_msg("v%d, hold %u: %s came back %d times, with errno %d", lab->version, round,
			     name, (int)slot->count, (int)slot->value);
	}
}

/* The last slot counts, all others belong to sleepers. */
static void await_sleeping(struct lab *lab, const struct lab_victim *v)
{
	for (uint32_t i = 0; i + 1 < v->n; i++)
		lab_await_state(atomic_load(&lab_slot(lab, v, i)->tid), 'S');
}

static void hold_many_times(struct lab *lab, const struct hf_target *target)
{
	struct lab_victim *v = lab_start(lab, lab->top, "sleepers", "all", NULL);
	pid_t pid = v->pid;
	struct hf_target own = *target;

	if (own.kind == HF_TARGET_PROCESSES) {
		own.pids = &pid;
		own.n_pids = 1;
	}
	ck_assert_uint_ge(v->n, 65);
	for (unsigned int round = 0; round < rounds(); round++) {
		hf_hold *hold = NULL;

		ck_assert_int_eq(hf_hold_take(&own, NULL, &hold, NULL), 0);
		ck_assert_uint_ge(hf_hold_info(hold)->held, 65);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		/* Every other hold finds them on their way back into their calls. */
		if (round % 2)
			await_sleeping(lab, v);
		check_none_came_back(lab, v, round);
	}
	await_sleeping(lab, v);
	check_none_came_back(lab, v, rounds());
	lab_as_before(lab);
}

START_TEST(no_blocking_call_comes_back_over_many_holds)
{
	struct lab *lab = lab_new(_i);
	struct hf_target target = HF_TARGET_INIT;

	target.kind = HF_TARGET_CGROUP;
	target.path = lab->top;
	hold_many_times(lab, &target);
	lab_done(lab);
}
END_TEST

START_TEST(nor_where_the_target_is_a_process)
{
	struct lab *lab = lab_new(0);
	struct hf_target target = HF_TARGET_INIT;

	target.kind = HF_TARGET_PROCESSES;
	hold_many_times(lab, &target);
	lab_done(lab);
}
END_TEST

/* As many as there are in the victim's second table, and of these the timed ones. */
#define INTERRUPTED 25
#define TIMED 19

static const struct hf_process *only_process(hf_tree *tree, const struct lab_victim *v)
{
	const struct hf_process *p = hf_tree_find(tree, v->pid);

	ck_assert_ptr_nonnull(p);
	return p;
}

static size_t count_restarts(const struct hf_process *p, enum hf_restart restart)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_threads; i++)
		n += p->threads[i].restart == restart;
	return n;
}

START_TEST(what_is_made_of_each_call_is_reported)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "sleepers", "eintr", NULL);
	const struct hf_hold_info *info;
	const struct hf_process *p;
	hf_tree *tree = NULL;
	hf_hold *hold = lab_take(lab->top, NULL);

	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
	p = only_process(tree, v);
	ck_assert_uint_eq(count_restarts(p, HF_RESTART_CALL), INTERRUPTED - TIMED);
	ck_assert_uint_eq(count_restarts(p, HF_RESTART_IN_FULL), TIMED);
	ck_assert_uint_eq(count_restarts(p, HF_RESTART_LEFT), 0);
	ck_assert_uint_eq(count_restarts(p, HF_RESTART_NONE), p->n_threads - INTERRUPTED);
	hf_tree_free(tree);
	ck_assert_uint_eq(hf_hold_info(hold)->restarted, 0);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	info = hf_hold_info(hold);
	ck_assert_uint_eq(info->restarted, INTERRUPTED);
	ck_assert_uint_eq(info->restarted_in_full, TIMED);
	ck_assert_uint_eq(info->left_interrupted, 0);
	hf_hold_free(hold);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* And that these tests would see an EINTR. */
START_TEST(without_the_restart_each_comes_back_once_a_hold)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "sleepers", "eintr", NULL);
	hf_tree *tree = NULL;
	hf_hold *hold;

	opts.no_restart = 1;
	for (uint64_t round = 1; round <= 3; round++) {
		await_sleeping(lab, v);
		hold = lab_take(lab->top, &opts);
		if (round == 1) {
			ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
			ck_assert_uint_eq(count_restarts(only_process(tree, v), HF_RESTART_LEFT), INTERRUPTED);
			hf_tree_free(tree);
		}
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		for (uint32_t i = 0; i + 1 < v->n; i++) {
			struct victim_slot *slot = lab_slot(lab, v, i);
			struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
			struct hf_nap nap = HF_NAP_INIT;

			while (slot->count < round)
				ck_assert(hf_nap(&nap, deadline));
			ck_assert_uint_eq(slot->count, round);
			ck_assert_uint_eq(slot->value, EINTR);
		}
	}
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

static void await_count(struct victim_slot *slot, uint64_t count)
{
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (atomic_load(&slot->count) < count)
		ck_assert_msg(hf_nap(&nap, deadline), "not %d times", (int)count);
}

/* The call's slot has come back that often, each time with EINTR; the handler ran that often. */
static void check_caught(struct lab *lab, const struct lab_victim *v, uint64_t returns, uint64_t handled)
{
	await_count(lab_slot(lab, v, 0), returns);
	await_count(lab_slot(lab, v, 1), handled);
	lab_await_state(atomic_load(&lab_slot(lab, v, 0)->tid), 'S');
	ck_assert_uint_eq(lab_slot(lab, v, 0)->count, returns);
	ck_assert_uint_eq(lab_slot(lab, v, 1)->count, handled);
	if (returns)
		ck_assert_uint_eq(lab_slot(lab, v, 0)->value, EINTR);
}

static void signal_during_a_hold(int version, const char *flags)
{
	struct lab *lab = lab_new(version);
	struct lab_victim *v = lab_start(lab, lab->top, "caught", "epoll", flags, NULL);
	hf_hold *hold;

	check_caught(lab, v, 0, 0);
	lab_cycle(lab, lab->top);
	check_caught(lab, v, 0, 0);
	for (uint64_t n = 1; n <= 5; n++) {
		hold = lab_take(lab->top, NULL);
		ck_assert_int_eq(kill(v->pid, SIGUSR1), 0);
		lab_still(lab, 5);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		check_caught(lab, v, n, n);
	}
	lab_as_before(lab);
	lab_done(lab);
}

START_TEST(a_signal_with_a_handler_interrupts_the_call_as_ever)
{
	signal_during_a_hold(_i, NULL);
}
END_TEST

/* epoll_wait() is never restarted after a handler, whatever its flags (signal(7)). */
START_TEST(also_where_the_handler_has_sa_restart)
{
	signal_during_a_hold(_i, "restart");
}
END_TEST

START_TEST(a_signal_without_a_handler_interrupts_nothing)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "sleepers", "eintr", NULL);
	hf_hold *hold = lab_take(lab->top, NULL);

	ck_assert_int_eq(kill(v->pid, SIGWINCH), 0);
	ck_assert_int_eq(kill(v->pid, SIGCONT), 0);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	await_sleeping(lab, v);
	for (uint32_t i = 0; i + 1 < v->n; i++)
		ck_assert_uint_eq(lab_slot(lab, v, i)->count, 0);
	lab_done(lab);
}
END_TEST

START_TEST(calls_come_back_from_a_stop_as_the_stop_would_have_them)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "caught", "epoll", NULL);

	/* Stopped by somebody else: their EINTR, which is not ours to hide. */
	lab_stop(lab, v, SIGSTOP);
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_AS_FOUND);
	lab_continue(lab, v);
	check_caught(lab, v, 1, 0);
	/* Stopped by us, at the release. */
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_STOPPED);
	lab_await_state(v->pid, 'T');
	lab_signal_all(lab, lab->top, SIGCONT);
	check_caught(lab, v, 1, 0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* What epoll_wait() returned after a hold of that time, poked or not; 1000 + its result. */
static void check_timed(int version, unsigned int hold_ms, bool poke, uint64_t value, size_t expired)
{
	struct lab *lab = lab_new(version);
	struct lab_victim *v = lab_start(lab, lab->top, "caught", "timed", NULL);
	hf_hold *hold = lab_take(lab->top, NULL);

	/* The hold has to last longer than the time-out: that is what is tested. */
	usleep(hold_ms * 1000);
	if (poke)
		lab_poke(lab);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	ck_assert_uint_eq(hf_hold_info(hold)->expired, expired);
	ck_assert_uint_eq(hf_hold_info(hold)->restarted, 1 - expired);
	hf_hold_free(hold);
	await_count(lab_slot(lab, v, 0), 1);
	ck_assert_uint_eq(lab_slot(lab, v, 0)->value, value);
	lab_as_before(lab);
	lab_done(lab);
}

START_TEST(a_wait_that_the_hold_outlasts_times_out)
{
	check_timed(_i, 1010, false, 1000, 1);
}
END_TEST

START_TEST(unless_an_event_is_there)
{
	check_timed(_i, 1010, true, 1001, 0);
}
END_TEST

START_TEST(a_wait_that_outlasts_the_hold_goes_on)
{
	check_timed(_i, 1, true, 1001, 0);
}
END_TEST

/* A connection goes on being made; asked for again it would be EALREADY. */
static void check_left(int version, const char *what)
{
	struct lab *lab = lab_new(version);
	struct lab_victim *v = lab_start(lab, lab->top, "caught", what, NULL);
	hf_hold *hold = lab_take(lab->top, NULL);

	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	ck_assert_uint_eq(hf_hold_info(hold)->restarted, 0);
	ck_assert_uint_eq(hf_hold_info(hold)->left_interrupted, 1);
	hf_hold_free(hold);
	await_count(lab_slot(lab, v, 0), 1);
	ck_assert_uint_eq(lab_slot(lab, v, 0)->value, EINTR);
	lab_as_before(lab);
	lab_done(lab);
}

START_TEST(a_connect_is_left_interrupted)
{
	check_left(_i, "connect");
}
END_TEST

START_TEST(a_call_with_the_numbers_of_another_abi_is_left_interrupted)
{
	check_left(_i, "int80");
}
END_TEST

/* ---- What it costs ------------------------------------------------------------------------------------ */

START_TEST(it_costs_one_request_a_thread)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab *lab = lab_new(_i);
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "200", "3000", NULL);
	hold = lab_take(lab->top, NULL);
	memset(&requests, 0, sizeof(requests));
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert_uint_eq(requests.detach, 200);
	ck_assert_uint_eq(requests.getregset, 200);
	ck_assert_uint_eq(requests.setregset + requests.peek, 0);
	opts.no_restart = 1;
	hold = lab_take(lab->top, &opts);
	memset(&requests, 0, sizeof(requests));
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert_uint_eq(requests.detach, 200);
	ck_assert_uint_eq(requests.getregset + requests.setregset + requests.peek, 0);
	lab_done(lab);
}
END_TEST

START_TEST(and_two_more_for_a_call_that_is_restarted)
{
	struct lab *lab = lab_new(_i);
	size_t threads;
	hf_hold *hold;

	lab_start(lab, lab->top, "sleepers", "eintr", NULL);
	hold = lab_take(lab->top, NULL);
	threads = hf_hold_info(hold)->held;
	memset(&requests, 0, sizeof(requests));
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert_uint_eq(requests.detach, threads);
	ck_assert_uint_eq(requests.getregset, threads);
	ck_assert_uint_eq(requests.peek, INTERRUPTED);
	ck_assert_uint_eq(requests.setregset, INTERRUPTED);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restart_live");
	TCase *tc;

	lab_init();
	if (EACH_IS_RESTARTED) {
		tc = lab_case(suite, "programs");
		tcase_set_timeout(tc, 3600);
		lab_add(tc, no_blocking_call_comes_back_over_many_holds);
		tcase_add_test(tc, nor_where_the_target_is_a_process);
		tc = lab_case(suite, "restarts");
		lab_add(tc, what_is_made_of_each_call_is_reported);
		lab_add(tc, without_the_restart_each_comes_back_once_a_hold);
		lab_add(tc, a_signal_without_a_handler_interrupts_nothing);
		lab_add(tc, a_call_with_the_numbers_of_another_abi_is_left_interrupted);
		lab_add(tc, and_two_more_for_a_call_that_is_restarted);
	} else {
		lab_left_out("the calls of every kind", "only some of them are restarted on this architecture");
	}
	tc = lab_case(suite, "signals");
	lab_add(tc, a_signal_with_a_handler_interrupts_the_call_as_ever);
	lab_add(tc, also_where_the_handler_has_sa_restart);
	lab_add(tc, calls_come_back_from_a_stop_as_the_stop_would_have_them);
	lab_add(tc, a_connect_is_left_interrupted);
	lab_add(tc, a_wait_that_the_hold_outlasts_times_out);
	lab_add(tc, unless_an_event_is_there);
	lab_add(tc, a_wait_that_outlasts_the_hold_goes_on);
	lab_add(tc, it_costs_one_request_a_thread);
	return hf_suite_run(suite);
}
