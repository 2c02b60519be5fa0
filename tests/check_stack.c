/* SPDX-License-Identifier: MIT */
/*
 * check_stack - stacks of victims whose frames are known, on each freezer: what hf_stack_copy() takes while they are
 * held, and what is made of it after the release.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab.h"
#include "stacks.h"
#include "suite.h"
#include "sys.h"

/* ---- A look at a lab ----------------------------------------------------------------------------- */

static struct lab *lab;
static hf_stacks *stacks;

static void copy_only(const struct hf_stack_options *opts)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = lab_take(lab->top, NULL);

	if (hf_stack_copy(hold, opts, &stacks, &err) < 0)
		ck_abort_msg("hf_stack_copy: %s", err.text);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
}

static void unwind_copies(void)
{
	struct hf_error err = HF_ERROR_INIT;

	if (hf_stack_unwind(stacks, &err) < 0)
		ck_abort_msg("hf_stack_unwind: %s", err.text);
}

static void look(const struct hf_stack_options *opts)
{
	copy_only(opts);
	unwind_copies();
}

/* And wait until those that are to stay where they are have fallen asleep there. */
static void start(const char *mode, const char *number)
{
	const struct lab_victim *v = lab_start(lab, lab->top, "frames", mode, number, NULL);
	uint32_t i;

	for (i = 0; i < v->n; i++)
		if (lab->board->slots[v->first + i].duty == VICTIM_STAYS)
			lab_await_state(lab->board->slots[v->first + i].tid, 'S');
}

static void done(void)
{
	hf_stack_free(stacks);
	stacks = NULL;
	lab_done(lab);
}

/* The names of a thread's frames, innermost first, as "pause wait_here ...". */
static char names[65536];

static void add_name(const struct hf_frame *f, void *unused)
{
	size_t len = strlen(names);

	(void)unused;
	ck_assert_ptr_nonnull(f->stack);
	snprintf(names + len, sizeof(names) - len, "%s%s", len ? " " : "", f->name ? f->name : "??");
}

static const char *names_of(const struct hf_stack *stack)
{
	names[0] = '\0';
	hf_stack_frames(stacks, stack, add_name, NULL);
	return names;
}

/* The stack of the thread that has a slot of the victims. */
static const struct hf_stack *stack_of(uint32_t slot)
{
	const struct hf_stack *stack = NULL;

	while ((stack = hf_stack_next(stacks, stack)))
		if (stack->tid == lab->board->slots[slot].tid)
			return stack;
	ck_abort_msg("the thread of slot %u is not among the stacks", slot);
	return NULL;
}

static void has_frames(const struct hf_stack *stack, const char *begin, const char *within, const char *end)
{
	const char *all = names_of(stack);
	size_t len = strlen(all), end_len = strlen(end);

	ck_assert_msg(!strncmp(all, begin, strlen(begin)), "does not begin with '%s': %s", begin, all);
	ck_assert_msg(strstr(all, within), "has no '%s': %s", within, all);
	ck_assert_msg(len >= end_len && !strcmp(all + len - end_len, end), "does not end with '%s': %s", end, all);
}

static void is_complete(const struct hf_stack *stack)
{
	ck_assert_msg(stack->end == HF_STACK_END_OUTERMOST, "%d: %s: %s", (int)stack->tid,
		      hf_stack_end_word(stack->end), stack->why ? stack->why : names_of(stack));
	ck_assert_ptr_null(stack->why);
}

/* ---- Known frames ---------------------------------------------------------------------------------- */

START_TEST(every_thread_is_in_the_functions_that_it_is_in)
{
	uint32_t i;

	lab = lab_new(_i);
	start("chain", "20");
	look(NULL);
	for (i = 0; i < 20; i++) {
		const struct hf_stack *stack = stack_of(i);

		has_frames(stack, "pause wait_here inner middle outer ", "", "");
		has_frames(stack, "", i ? " chain " : " main ", i ? "" : " _start");
		is_complete(stack);
		ck_assert_int_eq(stack->state, HF_THREAD_HELD);
		ck_assert_int_eq(stack->found, 'S');
		ck_assert_str_eq(stack->process, "frames");
	}
	ck_assert_uint_eq(hf_stack_incomplete(stacks), 0);
	lab_as_before(lab);
	done();
}
END_TEST

/* More than are asked after the release, where they are of one kind. */
START_TEST(every_thread_has_its_own_name)
{
	const struct lab_victim *v;
	char name[16];
	uint32_t i;

	lab = lab_new(_i);
	v = lab_start(lab, lab->top, "frames", "chain", "30", NULL);
	look(NULL);
	ck_assert_str_eq(stack_of(v->first)->comm, "frames");
	for (i = 1; i < 30; i++) {
		snprintf(name, sizeof(name), "chain-%u", i);
		ck_assert_str_eq(stack_of(v->first + i)->comm, name);
		ck_assert_str_eq(stack_of(v->first + i)->process, "frames");
	}
	done();
}
END_TEST

START_TEST(a_process_that_has_ended_since_is_unwound_all_the_same)
{
	lab = lab_new(_i);
	start("chain", "3");
	copy_only(NULL);
	lab_signal_all(lab, lab->top, SIGKILL);
	lab_await_empty(lab, lab->top);
	unwind_copies();
	has_frames(stack_of(1), "pause wait_here inner middle outer chain ", "", "");
	is_complete(stack_of(1));
	done();
}
END_TEST

START_TEST(a_handler_on_an_alternate_stack_leads_to_what_it_interrupted)
{
	lab = lab_new(_i);
	start("alt", NULL);
	look(NULL);
	has_frames(stack_of(0), "pause wait_here on_signal ", " raise_it alt ", "");
	is_complete(stack_of(0));
	lab_as_before(lab);
	done();
}
END_TEST

/* ---- How they were found ------------------------------------------------------------------------------ */

/* In brief, so that no look has told; then everybody gets the time to be back where he was. */
static void look_in_brief(const pid_t *sleepers, size_t n)
{
	const struct hf_release_options leave = { sizeof(leave), .leave_armed = 1 };
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold;
	size_t i;

	opts.brief = HF_BRIEF_PROCESSES;
	hold = lab_take(lab->top, &opts);
	ck_assert_msg(hf_stack_copy(hold, NULL, &stacks, &err) == 0, "%s", err.text);
	ck_assert_msg(hf_hold_release(hold, HF_RELEASE_AS_FOUND, &leave, &err) >= 0, "%s", err.text);
	hf_hold_free(hold);
	for (i = 0; i < n; i++)
		lab_await_state(sleepers[i], 'S');
	unwind_copies();
}

static void was_found(uint32_t slot, char found, long call)
{
	const struct hf_stack *stack = stack_of(slot);

	ck_assert_msg(stack->found == found && stack->syscall == call, "slot %u: found %c, in call %ld", slot, stack->found,
		      stack->syscall);
}

START_TEST(registers_tell_who_slept_and_who_ran)
{
	const struct lab_victim *v;
	pid_t sleepers[2];

	lab = lab_new(_i);
	v = lab_start(lab, lab->top, "mixed", "vfork", NULL);
	sleepers[0] = lab_slot(lab, v, 2)->tid;
	sleepers[1] = lab_slot(lab, v, 3)->tid;
	lab_await_state(sleepers[0], 'S');
	lab_await_state(sleepers[1], 'S');
	lab_await_state(lab_slot(lab, v, 4)->tid, 'D');
	look_in_brief(sleepers, 2);
	was_found(v->first + 1, 'R', -1);
	was_found(v->first + 2, 'S', SYS_clock_nanosleep);
	was_found(v->first + 3, 'S', SYS_read);
	ck_assert_int_eq(stack_of(v->first + 4)->state, HF_THREAD_ARMED);
	ck_assert_int_eq(stack_of(v->first + 4)->found, 'D');
	lab_moving(lab);
	done();
}
END_TEST

/* A stop ends that like a sleep. */
START_TEST(who_asks_without_waiting_does_not_sleep)
{
	const struct lab_victim *v;
	unsigned int i;

	lab = lab_new(_i);
	v = lab_start(lab, lab->top, "frames", "ask", NULL);
	for (i = 0; i < 40; i++) {
		look_in_brief(NULL, 0);
		ck_assert_int_eq(stack_of(v->first)->found, 'R');
		ck_assert_ptr_null(stack_of(v->first)->wchan);
		hf_stack_free(stacks);
		stacks = NULL;
	}
	lab_as_before(lab);
	done();
}
END_TEST

/* Beside those who run they are not back in their waits at once. */
START_TEST(an_unchanged_target_has_the_same_states_each_time)
{
	const struct lab_victim *v[6];
	unsigned int i, j;

	lab = lab_new(_i);
	lab_start(lab, lab->top, "spin", "3", NULL);
	for (i = 0; i < 6; i++) {
		v[i] = lab_start(lab, lab->top, "frames", i % 2 ? "fault" : "pour", NULL);
		lab_await_state(lab_slot(lab, v[i], 0)->tid, 'S');
	}
	for (i = 0; i < 20; i++) {
		look_in_brief(NULL, 0);
		for (j = 0; j < 6; j++)
			was_found(v[j]->first, 'S', j % 2 ? -1 : SYS_write);
		hf_stack_free(stacks);
		stacks = NULL;
		for (j = 0; j < 6; j++)
			lab_await_state(lab_slot(lab, v[j], 0)->tid, 'S');
	}
	done();
}
END_TEST

/* Nothing can be asked while they are held: what the look has told stands. */
START_TEST(a_look_tells_where_registers_do_not)
{
	const struct lab_victim *v;
	hf_hold *hold;

	lab = lab_new(_i);
	v = lab_start(lab, lab->top, "frames", "pour", NULL);
	lab_await_state(lab_slot(lab, v, 0)->tid, 'S');
	hold = lab_take(lab->top, NULL);
	ck_assert_int_eq(hf_stack_copy(hold, NULL, &stacks, NULL), 0);
	unwind_copies();
	was_found(v->first, 'S', SYS_write);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	done();
}
END_TEST

START_TEST(who_waits_again_where_he_was_had_slept)
{
	static const struct {
		const char *mode;
		long call;
		const char *wchan;
	} rows[] = {
		{ "pour", SYS_write, "write" },
		{ "fault", -1, "userfault" },
	};
	const struct lab_victim *v[2];
	pid_t sleepers[2];
	size_t i;

	lab = lab_new(_i);
	for (i = 0; i < 2; i++) {
		v[i] = lab_start(lab, lab->top, "frames", rows[i].mode, NULL);
		sleepers[i] = lab_slot(lab, v[i], 0)->tid;
		lab_await_state(sleepers[i], 'S');
	}
	look_in_brief(sleepers, 2);
	for (i = 0; i < 2; i++) {
		was_found(v[i]->first, 'S', rows[i].call);
		ck_assert_ptr_nonnull(stack_of(v[i]->first)->wchan);
		ck_assert_ptr_nonnull(strstr(stack_of(v[i]->first)->wchan, rows[i].wchan));
	}
	lab_as_before(lab);
	done();
}
END_TEST

/* ---- Limits ------------------------------------------------------------------------------------------ */

START_TEST(a_stack_beyond_the_limit_is_cut_and_says_so)
{
	const struct hf_stack_options opts = { sizeof(opts), .copy_limit = 64 * 1024 };

	lab = lab_new(_i);
	start("deep", "5000");
	look(&opts);
	has_frames(stack_of(0), "pause wait_here recurse recurse ", "", " recurse");
	ck_assert_int_eq(stack_of(0)->end, HF_STACK_END_CUT);
	ck_assert_ptr_nonnull(strstr(stack_of(0)->why, "larger"));
	ck_assert_uint_eq(hf_stack_incomplete(stacks), 1);
	ck_assert_uint_gt(stack_of(0)->n_frames, 500);
	done();
}
END_TEST

START_TEST(while_it_is_held_no_limit_matters)
{
	const struct hf_stack_options opts = { sizeof(opts), .copy_limit = 4096, .while_held = 1 };

	lab = lab_new(_i);
	start("deep", "5000");
	look(&opts);
	ck_assert_uint_gt(stack_of(0)->n_frames, 5000);
	is_complete(stack_of(0));
	ck_assert_uint_eq(hf_stack_incomplete(stacks), 0);
	lab_as_before(lab);
	done();
}
END_TEST

START_TEST(only_the_used_part_of_a_stack_is_copied)
{
	lab = lab_new(_i);
	start("chain", "100");
	copy_only(NULL);
	/* Of a hundred stacks of 64 KiB, some 5 KiB of each. */
	ck_assert_uint_le(stacks->threads[50].windows[0].len, 8192);
	ck_assert_uint_le(stacks->pool.held, 4u * 1024 * 1024);
	done();
}
END_TEST

START_TEST(a_frame_as_large_as_a_megabyte_needs_a_larger_limit)
{
	const struct hf_stack_options opts = { sizeof(opts), .copy_limit = 2 * 1024 * 1024 };

	lab = lab_new(_i);
	start("big", NULL);
	look(NULL);
	ck_assert_int_eq(stack_of(0)->end, HF_STACK_END_CUT);
	hf_stack_free(stacks);
	look(&opts);
	has_frames(stack_of(0), "pause wait_here need_much main ", "", " _start");
	is_complete(stack_of(0));
	done();
}
END_TEST

/* ---- Odd stacks ---------------------------------------------------------------------------------------- */

START_TEST(a_damaged_stack_ends_with_a_reason)
{
	lab = lab_new(_i);
	start("damaged", NULL);
	look(NULL);
	has_frames(stack_of(0), "pause wait_here overwrite", "", "");
	ck_assert_int_eq(stack_of(0)->end, HF_STACK_END_DAMAGED);
	ck_assert_ptr_nonnull(stack_of(0)->why);
	ck_assert_uint_le(stack_of(0)->n_frames, 4);
	lab_as_before(lab);
	done();
}
END_TEST

START_TEST(a_thread_in_the_vdso_has_its_name)
{
	unsigned int tries;

	lab = lab_new(_i);
	start("clock", NULL);
	for (tries = 0; tries < 200; tries++) {
		hf_stack_free(stacks);
		stacks = NULL;
		look(NULL);
		is_complete(stack_of(0));
		has_frames(stack_of(0), "", "ask_for_the_time main ", " _start");
		/* The latter on aarch64. */
		if (strstr(names, "vdso_clock_gettime") || strstr(names, "kernel_clock_gettime"))
			break;
	}
	ck_assert_msg(tries < 200, "never met in the vdso: %s", names);
	lab_as_before(lab);
	done();
}
END_TEST

START_TEST(an_armed_thread_is_listed_with_the_reason)
{
	const struct hf_release_options leave = { sizeof(leave), .leave_armed = 1 };
	const struct hf_stack *stack = NULL;
	hf_hold *hold;
	size_t armed = 0;

	lab = lab_new(_i);
	lab_start(lab, lab->top, "vforkwait", NULL);
	hold = lab_take(lab->top, NULL);
	ck_assert_int_eq(hf_stack_copy(hold, NULL, &stacks, NULL), 0);
	ck_assert_int_ge(hf_hold_release(hold, HF_RELEASE_AS_FOUND, &leave, NULL), 0);
	hf_hold_free(hold);
	unwind_copies();
	while ((stack = hf_stack_next(stacks, stack))) {
		if (stack->state != HF_THREAD_ARMED)
			continue;
		armed++;
		ck_assert_int_eq(stack->end, HF_STACK_END_NOT_HELD);
		ck_assert_uint_eq(stack->n_frames, 0);
		ck_assert_ptr_nonnull(stack->why);
	}
	ck_assert_uint_eq(armed, 1);
	ck_assert_uint_eq(hf_stack_incomplete(stacks), 1);
	done();
}
END_TEST

START_TEST(the_kernel_side_is_told_where_a_thread_waits_as_before)
{
	const struct hf_stack_options opts = { sizeof(opts), .each_wchan = 1 };
	unsigned int tries;

	lab = lab_new(_i);
	start("chain", "3");
	/* Right after the release a thread may not be back in its wait, and then nothing is told. */
	for (tries = 0; tries < 200 && (!stacks || !stack_of(1)->wchan); tries++) {
		hf_stack_free(stacks);
		look(&opts);
		ck_assert_int_eq(stack_of(1)->syscall, SYS_pause);
	}
	ck_assert_ptr_nonnull(stack_of(1)->wchan);
	ck_assert_ptr_nonnull(strstr(stack_of(1)->wchan, SYS_pause == SYS_ppoll ? "poll" : "pause"));
	done();
}
END_TEST

/* It goes on to wait as it did, but in another call: what it waits in now is not what it waited in then. */
START_TEST(a_wait_that_has_ended_since_is_not_told)
{
	struct hf_error err = HF_ERROR_INIT;
	const struct lab_victim *v;

	lab = lab_new(_i);
	v = lab_start(lab, lab->top, "frames", "sleep", NULL);
	lab_await_state(lab->board->slots[v->first].tid, 'S');
	copy_only(NULL);
	/* To that thread: while the stop is pending of one, the kernel gives the signal of a process to another. */
	ck_assert_int_eq(hf_sys_tgkill(v->pid, lab->board->slots[v->first].tid, SIGUSR2), 0);
	while (!lab->board->slots[v->first].count)
		usleep(500);
	lab_await_state(lab->board->slots[v->first].tid, 'S');
	ck_assert_int_eq(hf_stack_unwind(stacks, &err), 0);
	ck_assert_int_eq(stack_of(v->first)->syscall, SYS_pause);
	ck_assert_ptr_null(stack_of(v->first)->wchan);
	done();
}
END_TEST

START_TEST(a_released_hold_cannot_be_copied)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold;

	lab = lab_new(_i);
	start("chain", "2");
	hold = lab_take(lab->top, NULL);
	ck_assert_int_ge(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	ck_assert_int_eq(hf_stack_copy(hold, NULL, &stacks, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "released"));
	hf_hold_free(hold);
	done();
}
END_TEST

/* ---- libunwind and rows --------------------------------------------------------------------------------- */

static void walk_again_by_libunwind(struct hf_walked **ret, size_t *ret_n)
{
	struct hf_error err = HF_ERROR_INIT;

	*ret = stacks->walker.frames;
	*ret_n = stacks->walker.n;
	stacks->walker.frames = NULL;
	stacks->walker.n = stacks->walker.cap = 0;
	stacks->walker.all_odd = true;
	ck_assert_int_eq(hf_stacks_walk(stacks, false, &err), 0);
}

START_TEST(rows_and_libunwind_find_the_same_frames)
{
	struct hf_walked *by_rows;
	size_t n, i;

	lab = lab_new(_i);
	start("chain", "5");
	start("alt", NULL);
	start("deep", "200");
	look(NULL);
	walk_again_by_libunwind(&by_rows, &n);
	ck_assert_uint_eq(stacks->walker.n, n);
	for (i = 0; i < n; i++)
		ck_assert_uint_eq(stacks->walker.frames[i].ip, by_rows[i].ip);
	free(by_rows);
	done();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "frames");
	lab_add(tc, every_thread_is_in_the_functions_that_it_is_in);
	lab_add(tc, every_thread_has_its_own_name);
	lab_add(tc, a_process_that_has_ended_since_is_unwound_all_the_same);
	lab_add(tc, a_handler_on_an_alternate_stack_leads_to_what_it_interrupted);
	lab_add(tc, rows_and_libunwind_find_the_same_frames);
	tc = lab_case(suite, "found");
	lab_add(tc, registers_tell_who_slept_and_who_ran);
	lab_add(tc, who_asks_without_waiting_does_not_sleep);
	lab_add(tc, an_unchanged_target_has_the_same_states_each_time);
	lab_add(tc, a_look_tells_where_registers_do_not);
	lab_add(tc, who_waits_again_where_he_was_had_slept);
	tc = lab_case(suite, "limits");
	lab_add(tc, a_stack_beyond_the_limit_is_cut_and_says_so);
	lab_add(tc, while_it_is_held_no_limit_matters);
	lab_add(tc, only_the_used_part_of_a_stack_is_copied);
	lab_add(tc, a_frame_as_large_as_a_megabyte_needs_a_larger_limit);
	tc = lab_case(suite, "odd stacks");
	lab_add(tc, a_damaged_stack_ends_with_a_reason);
	lab_add(tc, a_thread_in_the_vdso_has_its_name);
	lab_add(tc, an_armed_thread_is_listed_with_the_reason);
	lab_add(tc, the_kernel_side_is_told_where_a_thread_waits_as_before);
	lab_add(tc, a_wait_that_has_ended_since_is_not_told);
	lab_add(tc, a_released_hold_cannot_be_copied);
	return hf_suite_run(suite);
}
