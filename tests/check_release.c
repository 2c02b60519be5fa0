/* SPDX-License-Identifier: MIT */
/*
 * check_release - the three ways to let go, seen from the target and from its parents: as found
 * (told nothing), stopped (told once, and SIGCONT brings everybody back), dead (told, and gone).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "suite.h"

/* ---- As found ------------------------------------------------------------------------------- */

START_TEST(parents_are_told_nothing)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *spin = lab_start(lab, lab->top, "spin", "3", NULL);
	struct lab_victim *tree = lab_start(lab, lab->top, "tree", "2", "2", NULL);

	for (int round = 0; round < 5; round++)
		lab_cycle(lab, lab->top);
	lab_await_told(lab, spin->pid, "");
	lab_await_told(lab, tree->pid, "");
	lab_done(lab);
}
END_TEST

START_TEST(a_caller_that_is_the_parent_sees_nothing_either)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start_own(lab, lab->top, "spin", "3", NULL);
	int status;

	lab_cycle(lab, lab->top);
	ck_assert_int_eq(waitpid(v->pid, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
	kill(v->pid, SIGKILL);
	ck_assert_int_eq(waitpid(v->pid, &status, 0), v->pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	lab_done(lab);
}
END_TEST

START_TEST(releasing_twice_does_no_harm)
{
	struct lab *lab = lab_new(_i);
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "3", NULL);
	hold = lab_take(lab->top, NULL);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	lab_as_before(lab);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	hf_hold_free(hold);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_freeze_by_somebody_else_during_the_hold_is_left_as_they_set_it)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	hf_hold *hold = lab_take(lab->top, NULL);

	ck_assert_int_eq(hf_hold_info(hold)->freezer_changed, 0);
	lab_freeze(lab, lab->top, true);
	ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, NULL), 0);
	ck_assert_int_eq(hf_hold_info(hold)->freezer_changed, 1);
	hf_hold_free(hold);
	v->still = true;
	ck_assert(lab_is_frozen(lab, lab->top));
	lab_untouched(lab);
	lab_still(lab, 10);
	lab_freeze(lab, lab->top, false);
	v->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Stopped -------------------------------------------------------------------------------- */

static void await_stopped(struct lab *lab, const struct lab_victim *v)
{
	for (uint32_t i = 0; i < v->n; i++)
		lab_await_state(atomic_load(&lab_slot(lab, v, i)->tid), 'T');
}

START_TEST(released_to_stopped_everybody_is_in_a_group_stop)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *spin = lab_start(lab, lab->top, "spin", "4", NULL);
	struct lab_victim *tree = lab_start(lab, a, "tree", "2", "2", NULL);
	struct lab_victim *before = lab_start(lab, a, "spin", "2", NULL);
	struct lab_victim *zombies = lab_start(lab, lab->top, "zombie", "2", NULL);

	lab_stop(lab, before, SIGTSTP);
	lab_moving(lab);
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_STOPPED);
	spin->still = tree->still = zombies->still = true;
	/* From the return on nobody runs, though a thread may still be on its way into the stop. */
	lab_still(lab, LAB_HOLD_MS);
	await_stopped(lab, spin);
	await_stopped(lab, tree);
	await_stopped(lab, zombies);
	lab_untouched(lab);
	lab_await_told(lab, spin->pid, "stopped 19");
	lab_await_told(lab, tree->pid, "stopped 19");
	lab_await_told(lab, zombies->pid, "stopped 19");
	/* Who was stopped before stays stopped as he was. */
	lab_await_told(lab, before->pid, "stopped 20");
	lab_signal_all(lab, lab->top, SIGCONT);
	spin->still = tree->still = before->still = zombies->still = false;
	lab_as_before(lab);
	lab_await_told(lab, spin->pid, "stopped 19, continued");
	lab_await_told(lab, tree->pid, "stopped 19, continued");
	lab_await_told(lab, before->pid, "stopped 20, continued");
	lab_done(lab);
}
END_TEST

START_TEST(a_process_with_a_dead_leader_can_be_released_to_stopped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "deadleader", "3", NULL);

	lab_moving(lab);
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_STOPPED);
	v->still = true;
	lab_still(lab, 10);
	await_stopped(lab, v);
	lab_untouched(lab);
	kill(v->pid, SIGCONT);
	v->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Dead ----------------------------------------------------------------------------------- */

START_TEST(released_to_dead_everybody_is_gone_and_parents_are_told)
{
	static const char *const kinds[][3] = {
		{ "spin", "5", NULL }, { "tree", "3", "2" }, { "zombie", "2", NULL },
		{ "deadleader", "3", NULL }, { "sleepers", NULL, NULL }, { "stopped", "19", NULL },
	};
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *victims[COUNT_OF(kinds)];

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		victims[i] = lab_start(lab, i % 2 ? a : lab->top, kinds[i][0], kinds[i][1],
				       kinds[i][2], NULL);
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_DEAD);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		lab_await_told(lab, victims[i]->pid, "killed 9");
		lab_await_gone(victims[i]->pid);
		victims[i]->still = true;
	}
	lab_untouched(lab);
	lab_still(lab, 10);
	lab_done(lab);
}
END_TEST

START_TEST(a_vfork_parent_and_its_child_can_be_released_to_dead)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "vforker", NULL);

	lab_await_state(v->pid, 'D');
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_DEAD);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	lab_await_told(lab, v->pid, "killed 9");
	lab_done(lab);
}
END_TEST

START_TEST(a_cgroup_found_frozen_can_be_released_to_dead)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);

	lab_freeze(lab, lab->top, true);
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_DEAD);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	lab_await_told(lab, v->pid, "killed 9");
	/* Its setting is put back as found even so. */
	ck_assert(lab_own_bit(lab, lab->top));
	lab_done(lab);
}
END_TEST

START_TEST(a_caller_may_kill_its_own_child)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start_own(lab, lab->top, "spin", "3", NULL);

	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_DEAD);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	lab_await_gone(v->pid);
	lab_done(lab);
}
END_TEST

/* ---- PID namespaces ------------------------------------------------------------------------- */

START_TEST(members_of_a_pid_namespace_are_held_with_both_their_numbers)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, NULL, "pidns", lab->top, "3", NULL);
	pid_t init = (pid_t)atomic_load(&lab_slot(lab, v, 0)->value);
	const struct hf_process *p;
	hf_tree *tree = NULL;
	hf_hold *hold;

	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 4);
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
	p = hf_tree_find(tree, init);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_ge(p->n_nspid, 2);
	ck_assert_int_eq(p->nspid[0], init);
	ck_assert_int_eq(p->nspid[p->n_nspid - 1], 1);
	ck_assert_int_eq(p->threads[0].nstid[p->threads[0].n_nstid - 1], 1);
	ck_assert_ptr_nonnull(p->first_child);
	ck_assert_int_gt(p->first_child->nspid[p->n_nspid - 1], 1);
	hf_tree_free(tree);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_pid_namespace_can_be_released_to_dead)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, NULL, "pidns", lab->top, "5", NULL);
	pid_t init = (pid_t)atomic_load(&lab_slot(lab, v, 0)->value);
	uint64_t begin;

	lab_moving(lab);
	begin = lab_ms();
	lab_let_go(lab_take(lab->top, NULL), HF_RELEASE_DEAD);
	/* init cannot end before its namespace is empty: killed first it would wait for us. */
	ck_assert_uint_lt(lab_ms() - begin, 5000);
	ck_assert_uint_eq(lab_threads(lab, lab->top), 0);
	lab_await_told(lab, init, "killed 9");
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("release");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "as found");
	lab_add(tc, parents_are_told_nothing);
	lab_add(tc, a_caller_that_is_the_parent_sees_nothing_either);
	lab_add(tc, releasing_twice_does_no_harm);
	lab_add(tc, a_freeze_by_somebody_else_during_the_hold_is_left_as_they_set_it);
	tc = lab_case(suite, "stopped");
	lab_add(tc, released_to_stopped_everybody_is_in_a_group_stop);
	lab_add(tc, a_process_with_a_dead_leader_can_be_released_to_stopped);
	tc = lab_case(suite, "dead");
	lab_add(tc, released_to_dead_everybody_is_gone_and_parents_are_told);
	lab_add(tc, a_vfork_parent_and_its_child_can_be_released_to_dead);
	lab_add(tc, a_cgroup_found_frozen_can_be_released_to_dead);
	lab_add(tc, a_caller_may_kill_its_own_child);
	tc = lab_case(suite, "pid namespaces");
	lab_add(tc, members_of_a_pid_namespace_are_held_with_both_their_numbers);
	lab_add(tc, a_pid_namespace_can_be_released_to_dead);
	return hf_suite_run(suite);
}
