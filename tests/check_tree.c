/* SPDX-License-Identifier: MIT */
/*
 * check_tree - tests of pstree/tree.c and arena.c: made-up processes in, a forest out.
 */
#include "tree.h"

#include <stdint.h>
#include <stdio.h>

#include "suite.h"

/* "pid ppid start" of each process, and the walk that must come out, roots in parentheses. */
struct forest {
	struct {
		pid_t pid, ppid;
		uint64_t start;
	} in[8];
	const char *walk;
};

static const struct forest forests[] = {
	{ { { 0 } }, "" },
	{ { { 5, 1, 9 } }, "(5)" },
	/* The parent stands behind its child in the array. */
	{ { { 9, 3, 50 }, { 3, 1, 10 } }, "(3)9" },
	/* Children by start time, whatever their pids. */
	{ { { 3, 1, 10 }, { 4, 3, 40 }, { 5, 3, 20 }, { 6, 3, 30 } }, "(3)564" },
	/* By pid where they started in the same tick. */
	{ { { 3, 1, 10 }, { 7, 3, 20 }, { 5, 3, 20 }, { 6, 3, 20 } }, "(3)567" },
	/* Roots are ordered in the same way; those without a parent here are roots. */
	{ { { 8, 1, 10 }, { 3, 77, 30 }, { 4, 1, 20 }, { 2, 0, 20 } }, "(8)(2)(4)(3)" },
	/* Depth first. */
	{ { { 1, 0, 1 }, { 2, 1, 2 }, { 3, 1, 3 }, { 4, 2, 4 }, { 5, 3, 5 }, { 6, 4, 6 } }, "(1)24635" },
	/* pids have come round: a parent with a higher pid, born in the same tick. */
	{ { { 9, 1, 10 }, { 2, 9, 10 } }, "(9)2" },
	/* A younger process has the pid of the parent. */
	{ { { 3, 4, 10 }, { 4, 1, 20 } }, "(3)(4)" },
	/* Cycles: of one, of two, of three with something hanging on it. */
	{ { { 3, 3, 10 } }, "(3)" },
	{ { { 3, 4, 10 }, { 4, 3, 10 } }, "(3)4" },
	{ { { 5, 6, 10 }, { 6, 7, 10 }, { 7, 5, 10 }, { 8, 6, 10 } }, "(5)768" },
	{ { { 2, 6, 10 }, { 5, 6, 10 }, { 6, 7, 10 }, { 7, 5, 10 } }, "(5)762" },
	/* Two cycles. */
	{ { { 2, 3, 10 }, { 3, 2, 10 }, { 4, 5, 20 }, { 5, 4, 20 } }, "(2)3(4)5" },
};

static size_t processes_of(const struct forest *f, struct hf_process *procs)
{
	size_t n;

	for (n = 0; n < COUNT_OF(f->in) && f->in[n].pid; n++)
		procs[n] = (struct hf_process){
			.pid = f->in[n].pid, .ppid = f->in[n].ppid,
			.start_time_ticks = f->in[n].start,
		};
	return n;
}

START_TEST(edges_and_order_follow_from_ppid_and_age)
{
	const struct forest *f = &forests[_i];
	struct hf_process procs[COUNT_OF(f->in)];
	const struct hf_process *p;
	size_t n = processes_of(f, procs), left = n;
	char walk[64] = "";
	hf_tree *tree = NULL;

	ck_assert_int_eq(hf_tree_of(procs, n, &tree), 0);
	for (p = hf_tree_next(tree, NULL); p; p = hf_tree_next(tree, p)) {
		size_t len = strlen(walk);

		snprintf(walk + len, sizeof(walk) - len, p->parent ? "%d" : "(%d)", (int)p->pid);
		ck_assert_uint_gt(left--, 0);
		if (p->parent)
			ck_assert_int_eq(p->parent->pid, p->ppid);
	}
	ck_assert_str_eq(walk, f->walk);
	ck_assert_uint_eq(left, 0);
	for (; n-- > 0;)
		ck_assert_int_eq(hf_tree_find(tree, procs[n].pid)->ppid, procs[n].ppid);
	hf_tree_free(tree);
}
END_TEST

START_TEST(roots_are_chained)
{
	const struct forest *f = &forests[5];
	struct hf_process procs[COUNT_OF(f->in)];
	const struct hf_process *p;
	hf_tree *tree = NULL;
	size_t n = 0;

	ck_assert_int_eq(hf_tree_of(procs, processes_of(f, procs), &tree), 0);
	for (p = hf_tree_roots(tree); p; p = p->next_sibling) {
		ck_assert_ptr_null(p->parent);
		n++;
	}
	ck_assert_uint_eq(n, 4);
	hf_tree_free(tree);
}
END_TEST

START_TEST(an_empty_tree_has_no_roots)
{
	hf_tree *tree = NULL;

	ck_assert_int_eq(hf_tree_of(NULL, 0, &tree), 0);
	ck_assert_ptr_null(hf_tree_roots(tree));
	ck_assert_ptr_null(hf_tree_next(tree, NULL));
	ck_assert_ptr_null(hf_tree_find(tree, 1));
	hf_tree_free(tree);
	hf_tree_free(NULL);
}
END_TEST

START_TEST(a_pid_that_is_not_there_is_not_found)
{
	const struct hf_process procs[] = { { .pid = 2 }, { .pid = 4 }, { .pid = 6 } };
	hf_tree *tree = NULL;
	pid_t pid;

	ck_assert_int_eq(hf_tree_of(procs, COUNT_OF(procs), &tree), 0);
	for (pid = -1; pid < 9; pid++)
		ck_assert_int_eq(hf_tree_find(tree, pid) != NULL, pid == 2 || pid == 4 || pid == 6);
	hf_tree_free(tree);
}
END_TEST

/* Many processes: parent i / width of i, so that width 1 is a chain and width n a star. */
static void walk_many(size_t n, size_t width)
{
	struct hf_process *procs = calloc(n, sizeof(*procs));
	const struct hf_process *p;
	hf_tree *tree = NULL;
	size_t i, seen = 0;

	ck_assert_ptr_nonnull(procs);
	for (i = 0; i < n; i++) {
		/* Scattered pids, given in reverse, so that nothing is sorted by chance. */
		procs[n - 1 - i].pid = (pid_t)(1 + i * 7919 % 4194301);
		procs[n - 1 - i].ppid = i ? (pid_t)(1 + (i - 1) / width * 7919 % 4194301) : 0;
		procs[n - 1 - i].start_time_ticks = i;
	}
	ck_assert_int_eq(hf_tree_of(procs, n, &tree), 0);
	for (p = hf_tree_next(tree, NULL); p; p = hf_tree_next(tree, p)) {
		ck_assert(!p->parent == !p->start_time_ticks);
		ck_assert(!p->next_sibling || p->start_time_ticks < p->next_sibling->start_time_ticks);
		seen++;
	}
	ck_assert_uint_eq(seen, n);
	hf_tree_free(tree);
	free(procs);
}

START_TEST(a_chain_of_ten_thousand)
{
	walk_many(10000, 1);
}
END_TEST

START_TEST(twenty_thousand_children)
{
	walk_many(20000, 20000);
}
END_TEST

START_TEST(a_broad_tree)
{
	walk_many(20000, 3);
}
END_TEST

START_TEST(memory_of_an_arena_is_zero_and_aligned)
{
	static const size_t aligns[] = { 1, 2, 4, 8, 16 };
	struct hf_arena arena = { 0 };
	size_t i, j;

	/* From one byte to more than a block, each filled, so that overlapping ones would show. */
	for (i = 0; i < 3000; i++) {
		size_t size = i % 500 == 499 ? i * 1000 : i % 97, align = aligns[i % COUNT_OF(aligns)];
		unsigned char *bytes = hf_arena_alloc(&arena, size, align);

		ck_assert_ptr_nonnull(bytes);
		ck_assert_uint_eq((uintptr_t)bytes % align, 0);
		for (j = 0; j < size; j++)
			if (bytes[j] != 0)
				ck_abort_msg("byte %zu of allocation %zu is not zero", j, i);
		memset(bytes, 0xff, size);
	}
	ck_assert_str_eq(hf_arena_copy(&arena, "abcdef", 3), "abc");
	ck_assert_str_eq(hf_arena_copy(&arena, NULL, 0), "");
	hf_arena_done(&arena);
	hf_arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *forest = tcase_create("forest");
	TCase *size = tcase_create("size");
	TCase *arena = tcase_create("arena");

	tcase_add_loop_test(forest, edges_and_order_follow_from_ppid_and_age, 0,
			    (int)COUNT_OF(forests));
	tcase_add_test(forest, roots_are_chained);
	tcase_add_test(forest, an_empty_tree_has_no_roots);
	tcase_add_test(forest, a_pid_that_is_not_there_is_not_found);
	tcase_add_test(size, a_chain_of_ten_thousand);
	tcase_add_test(size, twenty_thousand_children);
	tcase_add_test(size, a_broad_tree);
	tcase_set_timeout(size, 20);
	tcase_add_test(arena, memory_of_an_arena_is_zero_and_aligned);
	suite_add_tcase(suite, forest);
	suite_add_tcase(suite, size);
	suite_add_tcase(suite, arena);
	return hf_suite_run(suite);
}
