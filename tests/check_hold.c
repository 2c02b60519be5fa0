/* SPDX-License-Identifier: MIT */
/*
 * check_hold - the main job on real processes: what is held does not run, and what is released
 * runs as before.  Every case on each freezer that this machine has.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "suite.h"

/* ---- Shapes --------------------------------------------------------------------------------- */

START_TEST(busy_threads_are_held_and_run_again)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "4", NULL);
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(a_bushy_tree_is_held_and_runs_again)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "tree", "3", "4", "3000", NULL);
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(a_deep_tree_is_held_and_runs_again)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "tree", "60", "1", NULL);
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(a_wide_tree_is_held_and_runs_again)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "tree", "1", "120", "3000", NULL);
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(five_hundred_threads_are_held_and_run_again)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "500", "10000", NULL);
	lab_cycle(lab, lab->top);
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(nested_cgroups_are_held_whole)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	const char *b = lab_cgroup(lab, a, "b with a space");
	const char *levels[] = { lab->top, a, b, lab_cgroup(lab, lab->top, "c") };
	hf_hold *hold;

	for (size_t i = 0; i < COUNT_OF(levels); i++)
		lab_start(lab, levels[i], "spin", "2", NULL);
	lab_cycle(lab, lab->top);
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->levels, 4);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 8);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(deep_and_wide_cgroups_are_held_whole)
{
	struct lab *lab = lab_new(_i);
	const char *deep = lab->top;
	char name[16];

	for (unsigned int i = 0; i < 12; i++) {
		deep = lab_cgroup(lab, deep, "level");
		snprintf(name, sizeof(name), "wide%u", i);
		lab_start(lab, lab_cgroup(lab, lab->top, name), "spin", "1", "1000", NULL);
		lab_start(lab, deep, "spin", "1", "1000", NULL);
	}
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(threads_outside_the_cgroup_are_held_with_their_process)
{
	struct lab *lab = lab_new(_i);
	const char *part = lab_cgroup(lab, lab->top, "part");
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "4", NULL);
	hf_hold *hold;

	/* v1 takes single threads anywhere, v2 into a cgroup of the type "threaded". */
	lab_move_thread(lab, part, lab_slot(lab, v, 2)->tid);
	lab_moving(lab);
	hold = lab_take(part, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 4);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_cycle(lab, lab->top);
	lab_done(lab);
}
END_TEST

/* One process is outside, its parent and its sibling inside; and the other way round. */
static void family_in_parts(struct lab *lab, const char *held, pid_t outside, bool is_parent)
{
	struct victim_slot *slot = NULL;
	hf_tree *tree = NULL;
	uint64_t count;
	hf_hold *hold;

	for (uint32_t i = 0; i < lab->victims[0].n; i++)
		if (lab_slot(lab, &lab->victims[0], i)->tid == outside)
			slot = lab_slot(lab, &lab->victims[0], i);
	ck_assert_ptr_nonnull(slot);
	lab_moving(lab);
	hold = lab_take(held, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->held, lab_threads(lab, held));
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
	ck_assert_ptr_null(hf_tree_find(tree, outside));
	for (const struct hf_process *p = hf_tree_next(tree, NULL); p; p = hf_tree_next(tree, p)) {
		ck_assert_int_eq(p->threads[0].state, HF_THREAD_HELD);
		if (is_parent) {
			ck_assert_int_eq(p->ppid, outside);
			ck_assert_ptr_null(p->parent);
		}
	}
	for (uint32_t i = 0; i < lab->victims[0].n; i++) {
		count = atomic_load(&lab_slot(lab, &lab->victims[0], i)->count);
		if (lab_slot(lab, &lab->victims[0], i) != slot) {
			usleep(5000);
			ck_assert_uint_eq(atomic_load(&lab_slot(lab, &lab->victims[0], i)->count), count);
		}
	}
	count = atomic_load(&slot->count);
	while (atomic_load(&slot->count) == count)
		usleep(500);
	hf_tree_free(tree);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
}

START_TEST(parents_and_children_outside_run_on_and_are_not_reported)
{
	struct lab *lab = lab_new(_i);
	const char *in = lab_cgroup(lab, lab->top, "in"), *out = lab_cgroup(lab, lab->top, "out");
	struct lab_victim *v = lab_start(lab, in, "tree", "1", "3", NULL);
	pid_t child = 0;

	for (uint32_t i = 0; i < v->n; i++)
		if (lab_slot(lab, v, i)->tid != v->pid)
			child = lab_slot(lab, v, i)->tid;
	lab_move(out, child);
	family_in_parts(lab, in, child, false);
	lab_move(in, child);
	lab_move(out, v->pid);
	family_in_parts(lab, in, v->pid, true);
	lab_done(lab);
}
END_TEST

START_TEST(only_the_subtree_that_was_named_is_held)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *above = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_victim *below = lab_start(lab, a, "spin", "2", NULL);
	hf_hold *hold = lab_take(a, NULL);

	lab_victim_moving(lab, above);
	lab_victim_still(lab, below, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_path_may_be_relative_to_the_mount)
{
	struct lab *lab = lab_new(_i);
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "2", NULL);
	/* Of two hierarchies only one has the name, so it is not ambiguous. */
	hold = lab_take(strrchr(lab->top, '/') + 1, NULL);
	ck_assert_str_eq(hf_hold_info(hold)->path, lab->top);
	ck_assert_int_eq(hf_hold_info(hold)->version, lab->version);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Again, and two at once ----------------------------------------------------------------- */

START_TEST(a_second_hold_may_follow_at_once)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "3", NULL);
	lab_start(lab, lab->top, "tree", "2", "3", NULL);
	lab_moving(lab);
	for (int round = 0; round < 10; round++) {
		hf_hold *hold = lab_take(lab->top, NULL);

		lab_still(lab, 5);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
	}
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(two_holds_in_one_program_do_not_meet)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	const char *b = lab_cgroup(lab, lab->top, "b");
	struct lab_victim *in_a = lab_start(lab, a, "spin", "2", NULL);
	struct lab_victim *in_b = lab_start(lab, b, "spin", "2", NULL);
	hf_hold *hold_a, *hold_b;

	hold_a = lab_take(a, NULL);
	hold_b = lab_take(b, NULL);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold_a, HF_RELEASE_AS_FOUND);
	lab_victim_moving(lab, in_a);
	lab_victim_still(lab, in_b, LAB_HOLD_MS);
	hold_a = lab_take(a, NULL);
	lab_let_go(hold_b, HF_RELEASE_AS_FOUND);
	lab_victim_moving(lab, in_b);
	lab_victim_still(lab, in_a, LAB_HOLD_MS);
	lab_let_go(hold_a, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

struct other_thread {
	const char *path;
	pthread_barrier_t taken, done;
};

static void *hold_in_other_thread(void *arg)
{
	struct other_thread *t = arg;
	hf_hold *hold = lab_take(t->path, NULL);

	pthread_barrier_wait(&t->taken);
	pthread_barrier_wait(&t->done);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	return NULL;
}

START_TEST(two_threads_hold_one_cgroup_each)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct other_thread t = { .path = lab_cgroup(lab, lab->top, "b") };
	pthread_t thread;
	hf_hold *hold;

	lab_start(lab, a, "spin", "2", NULL);
	lab_start(lab, t.path, "spin", "2", NULL);
	pthread_barrier_init(&t.taken, NULL, 2);
	pthread_barrier_init(&t.done, NULL, 2);
	ck_assert_int_eq(pthread_create(&thread, NULL, hold_in_other_thread, &t), 0);
	hold = lab_take(a, NULL);
	pthread_barrier_wait(&t.taken);
	lab_still(lab, LAB_HOLD_MS);
	pthread_barrier_wait(&t.done);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	pthread_join(thread, NULL);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

static void *use_a_foreign_hold(void *arg)
{
	hf_hold *hold = arg;
	struct hf_error err = HF_ERROR_INIT;
	hf_stacks *stacks = NULL;
	hf_tree *tree = NULL;
	char regs[1024];
	size_t size = sizeof(regs);

	ck_assert_int_eq(hf_hold_attend(hold, &err), -EPERM);
	ck_assert_int_eq(hf_hold_registers(hold, 1, 1, regs, &size, &err), -EPERM);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_DEAD, NULL, &err), -EPERM);
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, &err), -EPERM);
	ck_assert_int_eq(hf_stack_copy(hold, NULL, &stacks, &err), -EPERM);
	ck_assert(!tree && !stacks);
	lab_says(&err, "thread");
	return NULL;
}

START_TEST(another_thread_may_not_use_the_hold)
{
	struct lab *lab = lab_new(_i);
	pthread_t thread;
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "2", NULL);
	hold = lab_take(lab->top, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, use_a_foreign_hold, hold), 0);
	pthread_join(thread, NULL);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- What is said about it ------------------------------------------------------------------ */

START_TEST(the_facts_are_exact)
{
	struct lab *lab = lab_new(_i);
	const struct hf_hold_info *info;
	struct hf_timing t;
	uint64_t begin, end, held_ms;
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "7", NULL);
	lab_start(lab, lab->top, "tree", "2", "3", NULL);
	begin = lab_ms();
	hold = lab_take(lab->top, NULL);
	end = lab_ms();
	lab_still(lab, LAB_HOLD_MS);
	held_ms = lab_ms() - end;
	info = hf_hold_info(hold);
	ck_assert_str_eq(info->path, lab->top);
	ck_assert_int_eq(info->version, lab->version);
	ck_assert_int_eq(info->found, HF_FREEZER_THAWED);
	ck_assert_uint_eq(info->levels, 1);
	ck_assert_uint_eq(info->threads, 7 + 13);
	ck_assert_uint_eq(info->held, 7 + 13);
	ck_assert_uint_eq(info->armed, 0);
	ck_assert_uint_eq(info->armed_other, 0);
	ck_assert_uint_eq(info->skipped, 0);
	ck_assert_uint_eq(info->died, 0);
	ck_assert_uint_eq(info->newcomers, 0);
	ck_assert_int_gt(info->time_us, 1600000000000000);
	ck_assert_int_eq(info->released_us, 0);
	t = info->timing_us;
	ck_assert_uint_gt(t.freeze, 0);
	ck_assert_uint_gt(t.seize, 0);
	/* The parts of the taking are parts of it, and it was stopped for as long as we looked. */
	ck_assert_uint_le(t.freeze + t.seize + t.thaw + t.wait, (end - begin + 1) * 1000);
	/* Milliseconds are cut off at both ends. */
	ck_assert_uint_gt(t.stopped, (held_ms - 1) * 1000);
	ck_assert_uint_le(t.stopped, (lab_ms() - begin + 1) * 1000);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	info = hf_hold_info(hold);
	ck_assert_int_gt(info->released_us - info->time_us, ((int64_t)held_ms - 1) * 1000);
	ck_assert_uint_ge(info->timing_us.stopped, t.stopped);
	/* The counts stay those of the hold. */
	ck_assert_uint_eq(info->held, 7 + 13);
	ck_assert_uint_eq(info->threads, 7 + 13);
	hf_hold_free(hold);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

static size_t count_processes(const hf_tree *tree, size_t *ret_threads)
{
	const struct hf_process *p = NULL;
	size_t n = 0;

	*ret_threads = 0;
	while ((p = hf_tree_next(tree, p))) {
		n++;
		for (size_t i = 0; i < p->n_threads; i++) {
			ck_assert_int_eq(p->threads[i].state, HF_THREAD_HELD);
			(*ret_threads)++;
		}
	}
	return n;
}

START_TEST(the_tree_has_everybody_in_its_place)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *spin = lab_start(lab, lab->top, "spin", "5", NULL);
	struct lab_victim *tree_victim = lab_start(lab, lab->top, "tree", "2", "3", NULL);
	struct hf_error err = HF_ERROR_INIT;
	const struct hf_process *p, *child;
	hf_tree *tree = NULL;
	size_t n_threads, n = 0;
	hf_hold *hold = lab_take(lab->top, NULL);

	ck_assert_msg(hf_tree_collect(hold, NULL, &tree, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(count_processes(tree, &n_threads), 1 + 13);
	ck_assert_uint_eq(n_threads, 5 + 13);
	p = hf_tree_find(tree, spin->pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(p->parent);
	ck_assert_int_eq(p->ppid, lab->warden_pid);
	ck_assert_int_eq(p->pgid, spin->pid);
	ck_assert_int_eq(p->sid, getsid(0));
	ck_assert_int_eq(p->found, HF_FOUND_RUNNING);
	ck_assert_int_eq(p->kind, HF_KIND_PROCESS);
	ck_assert_str_eq(p->comm, "spin");
	ck_assert_uint_eq(p->n_threads, 5);
	ck_assert_ptr_nonnull(p->exe);
	ck_assert_ptr_nonnull(strstr(p->exe, "/victims/spin"));
	ck_assert_str_eq(p->cgroup, strstr(lab->top, "/hf-test-"));
	p = hf_tree_find(tree, tree_victim->pid);
	ck_assert_ptr_nonnull(p);
	for (child = p->first_child; child; child = child->next_sibling) {
		ck_assert_ptr_eq(child->parent, p);
		ck_assert_int_eq(child->ppid, p->pid);
		ck_assert_ptr_nonnull(child->first_child);
		n++;
	}
	ck_assert_uint_eq(n, 3);
	ck_assert_ptr_null(hf_tree_find(tree, getpid()));
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	/* The tree outlives the hold. */
	ck_assert_str_eq(hf_tree_find(tree, spin->pid)->comm, "spin");
	hf_tree_free(tree);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(odd_names_are_given_as_they_are)
{
	static const char odd[] = ") S 1 (\n\t\\\xff\x01";
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "odd", odd, "", "a\nb", "\xc3\x28\xff", NULL);
	struct lab_victim *u = lab_start(lab, lab->top, "odd", "unlinked", NULL);
	const struct hf_process *p;
	hf_tree *tree = NULL;
	size_t len;
	hf_hold *hold;

	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
	p = hf_tree_find(tree, v->pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_str_eq(p->comm, odd);
	ck_assert_uint_eq(p->n_threads, 2);
	ck_assert_str_eq(p->threads[1].comm, "\x01\xff\\\t\n( 1 S )");
	/* The program, then four arguments, of which one is empty. */
	len = strlen(p->cmdline) + 1;
	ck_assert_uint_eq(p->cmdline_len, len + sizeof(odd) + 1 + 4 + 4);
	ck_assert_int_eq(memcmp(p->cmdline + len + sizeof(odd), "\0a\nb\0\xc3\x28\xff", 9), 0);
	ck_assert_int_eq(p->exe_deleted, 0);
	p = hf_tree_find(tree, u->pid);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->exe_deleted, 1);
	ck_assert_ptr_nonnull(strstr(p->exe, "hf-test-odd"));
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	hf_tree_free(tree);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hold");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "shapes");
	lab_add(tc, busy_threads_are_held_and_run_again);
	lab_add(tc, a_bushy_tree_is_held_and_runs_again);
	lab_add(tc, a_deep_tree_is_held_and_runs_again);
	lab_add(tc, a_wide_tree_is_held_and_runs_again);
	lab_add(tc, five_hundred_threads_are_held_and_run_again);
	lab_add(tc, nested_cgroups_are_held_whole);
	lab_add(tc, deep_and_wide_cgroups_are_held_whole);
	lab_add(tc, threads_outside_the_cgroup_are_held_with_their_process);
	lab_add(tc, parents_and_children_outside_run_on_and_are_not_reported);
	lab_add(tc, only_the_subtree_that_was_named_is_held);
	lab_add(tc, a_path_may_be_relative_to_the_mount);
	tc = lab_case(suite, "again");
	lab_add(tc, a_second_hold_may_follow_at_once);
	lab_add(tc, two_holds_in_one_program_do_not_meet);
	lab_add(tc, two_threads_hold_one_cgroup_each);
	lab_add(tc, another_thread_may_not_use_the_hold);
	tc = lab_case(suite, "facts");
	lab_add(tc, the_facts_are_exact);
	lab_add(tc, the_tree_has_everybody_in_its_place);
	lab_add(tc, odd_names_are_given_as_they_are);
	return hf_suite_run(suite);
}
