/* SPDX-License-Identifier: MIT */
/*
 * check_task - the state table cell by cell, and the set that finds threads by tid.
 */
#include "task.h"

#include <stdlib.h>

#include "suite.h"

/* ---- The table ------------------------------------------------------------------------------- */

/* In the order of enum hf_stop: unknown, trap, group, signal, birth, event, death. */
#define NO HF_TASK_IMPOSSIBLE
#define ANY_STOP \
	{ NO, HF_TASK_HELD, HF_TASK_HELD_STOPPED, HF_TASK_HELD_SIGNAL, HF_TASK_HELD_BIRTH, \
	  HF_TASK_HELD, HF_TASK_DIED }
#define DEATH_ONLY { NO, NO, NO, NO, NO, NO, HF_TASK_DIED }
#define NOTHING { NO, NO, NO, NO, NO, NO, NO }

static const struct {
	enum hf_task_state state;
	enum hf_task_state after[HF_STOP_COUNT];
	bool held, ours;
} rows[] = {
	{ HF_TASK_IMPOSSIBLE, NOTHING, false, false },
	{ HF_TASK_LISTED, NOTHING, false, false },
	{ HF_TASK_ASKED, ANY_STOP, false, true },
	{ HF_TASK_ARMED, ANY_STOP, false, true },
	{ HF_TASK_HELD, DEATH_ONLY, true, true },
	{ HF_TASK_HELD_STOPPED, DEATH_ONLY, true, true },
	{ HF_TASK_HELD_SIGNAL, DEATH_ONLY, true, true },
	{ HF_TASK_HELD_BIRTH, DEATH_ONLY, true, true },
	{ HF_TASK_DEAD_LEADER, ANY_STOP, false, true },
	{ HF_TASK_SKIPPED, NOTHING, false, false },
	{ HF_TASK_OUTSIDE, NOTHING, false, false },
	{ HF_TASK_KERNEL, NOTHING, false, false },
	{ HF_TASK_RELEASED, NOTHING, false, false },
	{ HF_TASK_DIED, NOTHING, false, false },
	{ HF_TASK_GONE, NOTHING, false, false },
};

START_TEST(state_and_stop_give_this_state)
{
	int stop;

	for (stop = 0; stop < HF_STOP_COUNT; stop++)
		ck_assert_msg(hf_task_step(rows[_i].state, (enum hf_stop)stop) == rows[_i].after[stop],
			      "%s and stop %d", hf_task_state_name(rows[_i].state), stop);
}
END_TEST

START_TEST(state_is_held_or_ours)
{
	ck_assert_int_eq(hf_task_is_held(rows[_i].state), rows[_i].held);
	ck_assert_int_eq(hf_task_is_ours(rows[_i].state), rows[_i].ours);
}
END_TEST

START_TEST(every_state_has_a_row_and_a_name_of_its_own)
{
	int i, j;

	ck_assert_int_eq(COUNT_OF(rows), HF_TASK_STATE_COUNT);
	for (i = 0; i < HF_TASK_STATE_COUNT; i++) {
		ck_assert_int_eq(rows[i].state, i);
		for (j = 0; j < i; j++)
			ck_assert_str_ne(hf_task_state_name((enum hf_task_state)i),
					 hf_task_state_name((enum hf_task_state)j));
	}
}
END_TEST

/* ---- The set --------------------------------------------------------------------------------- */

START_TEST(empty_set_finds_nobody)
{
	struct hf_task_set set = { 0 };

	ck_assert_ptr_null(hf_task_set_find(&set, 1));
	hf_task_set_done(&set);
}
END_TEST

START_TEST(added_threads_are_found_and_strangers_are_not)
{
	struct hf_task_set set = { 0 };
	pid_t tid;

	/* A run, a stride of a power of two, and the ends of the range: what a poor hash stumbles on. */
	for (tid = 1; tid <= 5000; tid++)
		ck_assert_ptr_nonnull(hf_task_set_add(&set, tid));
	for (tid = 1 << 16; tid < 1 << 22; tid += 1 << 12)
		ck_assert_ptr_nonnull(hf_task_set_add(&set, tid));
	ck_assert_ptr_nonnull(hf_task_set_add(&set, 0x7fffffff));

	for (tid = 1; tid <= 5000; tid++)
		ck_assert_int_eq(hf_task_set_find(&set, tid)->tid, tid);
	for (tid = 1 << 16; tid < 1 << 22; tid += 1 << 12)
		ck_assert_int_eq(hf_task_set_find(&set, tid)->tid, tid);
	ck_assert_int_eq(hf_task_set_find(&set, 0x7fffffff)->tid, 0x7fffffff);
	ck_assert_ptr_null(hf_task_set_find(&set, 5001));
	ck_assert_ptr_null(hf_task_set_find(&set, (1 << 16) + 1));
	hf_task_set_done(&set);
}
END_TEST

START_TEST(new_thread_is_listed_and_nothing_else)
{
	struct hf_task_set set = { 0 };
	const struct hf_task *t = hf_task_set_add(&set, 7);

	ck_assert_int_eq(t->state, HF_TASK_LISTED);
	ck_assert_int_eq(t->level, HF_LEVEL_OUTSIDE);
	ck_assert_int_eq(t->found, '?');
	ck_assert_int_eq(t->tgid, 0);
	ck_assert_int_eq(t->signal, 0);
	hf_task_set_done(&set);
}
END_TEST

START_TEST(threads_stay_in_the_order_they_were_added)
{
	struct hf_task_set set = { 0 };
	size_t i;

	for (i = 0; i < 1000; i++)
		hf_task_set_add(&set, (pid_t)(2000 - i));
	ck_assert_uint_eq(set.n, 1000);
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(set.tasks[i].tid, (pid_t)(2000 - i));
	hf_task_set_done(&set);
}
END_TEST

START_TEST(reserved_room_is_not_moved)
{
	struct hf_task_set set = { 0 };
	const struct hf_task *tasks;
	pid_t tid;

	ck_assert_int_eq(hf_task_set_reserve(&set, 3000), 0);
	tasks = set.tasks;
	for (tid = 1; tid <= 3000; tid++)
		hf_task_set_add(&set, tid);
	ck_assert_ptr_eq(set.tasks, tasks);
	hf_task_set_done(&set);
}
END_TEST

START_TEST(a_thread_costs_less_than_a_hundred_bytes)
{
	/* Memory per held thread: the entry and its share of the index, at the emptiest. */
	ck_assert_uint_le(2 * (sizeof(struct hf_task) + 2 * sizeof(uint32_t)), 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("task");
	TCase *tc = tcase_create("table");

	tcase_add_loop_test(tc, state_and_stop_give_this_state, 0, COUNT_OF(rows));
	tcase_add_loop_test(tc, state_is_held_or_ours, 0, COUNT_OF(rows));
	tcase_add_test(tc, every_state_has_a_row_and_a_name_of_its_own);
	suite_add_tcase(suite, tc);

	tc = tcase_create("set");
	tcase_add_test(tc, empty_set_finds_nobody);
	tcase_add_test(tc, added_threads_are_found_and_strangers_are_not);
	tcase_add_test(tc, new_thread_is_listed_and_nothing_else);
	tcase_add_test(tc, threads_stay_in_the_order_they_were_added);
	tcase_add_test(tc, reserved_room_is_not_moved);
	tcase_add_test(tc, a_thread_costs_less_than_a_hundred_bytes);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
