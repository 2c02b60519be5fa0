/* SPDX-License-Identifier: MIT */
/*
 * check_found - what was not simply running when we came: stopped, dead, half dead, or frozen by
 * somebody else.  It is reported as it was found and put back as it was found, and nobody is told.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "lab.h"
#include "suite.h"

static const int stop_signals[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

static hf_tree *collect(hf_hold *hold)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_tree *tree = NULL;

	ck_assert_msg(hf_tree_collect(hold, NULL, &tree, &err) == 0, "%s", err.text);
	return tree;
}

static const struct hf_process *find(const hf_tree *tree, pid_t pid)
{
	const struct hf_process *p = hf_tree_find(tree, pid);

	ck_assert_msg(p != NULL, "%d is not in the tree", (int)pid);
	return p;
}

/* ---- Stopped -------------------------------------------------------------------------------- */

START_TEST(stopped_processes_stay_stopped_and_their_parent_is_not_told)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *stopped[COUNT_OF(stop_signals)];
	const struct hf_process *p;
	char told[32];
	hf_hold *hold;
	hf_tree *tree;

	lab_start(lab, lab->top, "spin", "2", NULL);
	for (size_t i = 0; i < COUNT_OF(stop_signals); i++) {
		stopped[i] = lab_start(lab, lab->top, "spin", "3", NULL);
		lab_stop(lab, stopped[i], stop_signals[i]);
	}
	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	tree = collect(hold);
	for (size_t i = 0; i < COUNT_OF(stop_signals); i++) {
		p = find(tree, stopped[i]->pid);
		ck_assert_int_eq(p->found, HF_FOUND_STOPPED);
		ck_assert_int_eq(p->stop_signal, stop_signals[i]);
		ck_assert_uint_eq(p->n_threads, 3);
		for (size_t t = 0; t < 3; t++) {
			ck_assert_int_eq(p->threads[t].state, HF_THREAD_HELD);
			ck_assert_int_eq(p->threads[t].found, 'T');
		}
	}
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	hf_tree_free(tree);
	for (size_t i = 0; i < COUNT_OF(stop_signals); i++) {
		lab_await_state(stopped[i]->pid, 'T');
		snprintf(told, sizeof(told), "stopped %d", stop_signals[i]);
		lab_await_told(lab, stopped[i]->pid, told);
	}
	lab_as_before(lab);
	for (size_t i = 0; i < COUNT_OF(stop_signals); i++) {
		lab_continue(lab, stopped[i]);
		snprintf(told, sizeof(told), "stopped %d, continued", stop_signals[i]);
		lab_await_told(lab, stopped[i]->pid, told);
	}
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_held_parent_is_told_nothing_extra_about_its_stopped_child)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *family = lab_start(lab, lab->top, "stopped", "20", NULL);
	struct victim_slot *slot = lab_slot(lab, family, 0);
	pid_t child = (pid_t)atomic_load(&slot->value);

	/* The child's two slots are still, the parent's moves. */
	atomic_store(&slot[0].duty, VICTIM_UNUSED);
	atomic_store(&slot[1].duty, VICTIM_UNUSED);
	for (int round = 0; round < 5; round++)
		lab_cycle(lab, lab->top);
	lab_await_state(child, 'T');
	/* Whatever it had been told in between would stand before these. */
	kill(child, SIGCONT);
	lab_await_told(lab, child, "stopped 20, continued");
	kill(child, SIGKILL);
	lab_await_told(lab, child, "stopped 20, continued, killed 9");
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_stop_signal_during_the_hold_stops_at_the_release)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	hf_hold *hold = lab_take(lab->top, NULL);

	kill(v->pid, SIGSTOP);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_state(v->pid, 'T');
	v->still = true;
	lab_await_told(lab, v->pid, "stopped 19");
	lab_as_before(lab);
	lab_continue(lab, v);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_sigcont_during_the_hold_continues_at_the_release)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	hf_hold *hold;

	lab_stop(lab, v, SIGSTOP);
	hold = lab_take(lab->top, NULL);
	kill(v->pid, SIGCONT);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	v->still = false;
	lab_as_before(lab);
	lab_await_told(lab, v->pid, "stopped 19, continued");
	lab_done(lab);
}
END_TEST

/* ---- Dead ----------------------------------------------------------------------------------- */

START_TEST(zombies_are_reported_and_left_to_their_parent)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "zombie", "3", NULL);
	const struct hf_process *p, *child;
	unsigned int n = 0;
	hf_hold *hold;
	hf_tree *tree;

	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	tree = collect(hold);
	p = find(tree, v->pid);
	ck_assert_int_eq(p->found, HF_FOUND_RUNNING);
	for (child = p->first_child; child; child = child->next_sibling) {
		ck_assert_int_eq(child->found, HF_FOUND_ZOMBIE);
		ck_assert_ptr_null(child->exe);
		ck_assert_int_eq(lab_state(child->pid), 'Z');
		n++;
	}
	ck_assert_uint_eq(n, 3);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	for (child = p->first_child; child; child = child->next_sibling)
		ck_assert_int_eq(lab_state(child->pid), 'Z');
	hf_tree_free(tree);
	lab_done(lab);
}
END_TEST

START_TEST(a_dead_leader_has_live_threads_and_they_are_held)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "deadleader", "4", NULL);
	const struct hf_process *p;
	unsigned int held = 0;
	hf_hold *hold;
	hf_tree *tree;

	lab_moving(lab);
	ck_assert_int_eq(lab_state(v->pid), 'Z');
	hold = lab_take(lab->top, NULL);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 4);
	tree = collect(hold);
	p = find(tree, v->pid);
	ck_assert_int_eq(p->found, HF_FOUND_DEAD_LEADER);
	ck_assert_ptr_nonnull(p->exe);
	ck_assert_ptr_nonnull(strstr(p->exe, "deadleader"));
	for (size_t i = 0; i < p->n_threads; i++) {
		if (p->threads[i].tid == v->pid)
			ck_assert_int_eq(p->threads[i].state, HF_THREAD_ZOMBIE);
		else
			ck_assert_int_eq(p->threads[i].state, HF_THREAD_HELD);
		held += p->threads[i].state == HF_THREAD_HELD;
	}
	ck_assert_uint_eq(held, 4);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	hf_tree_free(tree);
	lab_as_before(lab);
	ck_assert_int_eq(lab_state(v->pid), 'Z');
	lab_done(lab);
}
END_TEST

/* ---- Frozen by somebody else ---------------------------------------------------------------- */

START_TEST(a_cgroup_found_frozen_is_held_and_stays_frozen)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);
	struct lab_victim *stopped = lab_start(lab, lab->top, "spin", "2", NULL);
	const struct hf_process *p;
	hf_hold *hold;
	hf_tree *tree;

	lab_moving(lab);
	/* Stopped and frozen: PTRACE_SEIZE of such a one hangs on v1 if done at the wrong moment. */
	lab_stop(lab, stopped, SIGSTOP);
	lab_freeze(lab, lab->top, true);
	v->still = true;
	for (int round = 0; round < 3; round++) {
		hold = lab_take(lab->top, NULL);
		ck_assert_int_eq(hf_hold_info(hold)->found, HF_FREEZER_FROZEN);
		ck_assert_uint_eq(hf_hold_info(hold)->held, 5);
		tree = collect(hold);
		p = find(tree, v->pid);
		ck_assert_int_eq(p->found, HF_FOUND_FROZEN);
		/* The v1 freezer shows D for all of them, which says nothing of what they did. */
		for (size_t i = 0; i < p->n_threads; i++)
			ck_assert_int_eq(p->threads[i].found == HF_LETTER_FROZEN, lab->version == 1);
		hf_tree_free(tree);
		lab_still(lab, LAB_HOLD_MS);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		ck_assert(lab_is_frozen(lab, lab->top));
		lab_still(lab, 10);
		lab_untouched(lab);
	}
	lab_freeze(lab, lab->top, false);
	v->still = false;
	lab_as_before(lab);
	lab_await_state(stopped->pid, 'T');
	lab_await_told(lab, stopped->pid, "stopped 19");
	lab_continue(lab, stopped);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/*
 * Who is let go enters the freeze when it gets a processor, which others keep busy, and for a moment of that its cgroup
 * does not count as frozen.
 */
START_TEST(what_was_frozen_counts_as_frozen_when_the_release_returns)
{
	static const enum hf_release hows[] = { HF_RELEASE_FROZEN, HF_RELEASE_AS_FOUND };
	struct lab *lab = lab_new(_i);
	const char *target = lab_cgroup(lab, lab->top, "target");
	char path[LAB_PATH + 32], text[256];
	int fd;

	lab_start(lab, target, "spin", "20", "1000", NULL);
	lab_start(lab, lab_cgroup(lab, lab->top, "busy"), "spin", "6", NULL);
	lab_moving(lab);
	snprintf(path, sizeof(path), "%s/%s", target, lab->version == 2 ? "cgroup.events" : "freezer.state");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	for (int round = 0; round < 100; round++) {
		struct hf_deadline looking;

		lab_let_go(lab_take(target, NULL), hows[round > 0]);
		looking = hf_deadline_in_ms(15);
		do {
			ck_assert_int_gt(hf_read_again(fd, text, sizeof(text)), 0);
			ck_assert_msg(strstr(text, lab->version == 2 ? "frozen 1" : "FROZEN"), "round %d: %s", round, text);
		} while (!hf_deadline_passed(looking));
	}
	close(fd);
	lab_freeze(lab, target, false);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_nested_cgroup_found_frozen_stays_frozen_and_the_others_run)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	const char *b = lab_cgroup(lab, lab->top, "b");
	const char *b_c = lab_cgroup(lab, b, "c");
	struct lab_victim *top = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_victim *in_a = lab_start(lab, a, "spin", "2", NULL);
	struct lab_victim *in_c = lab_start(lab, b_c, "spin", "2", NULL);
	hf_hold *hold;
	hf_tree *tree;

	lab_start(lab, b, "spin", "1", NULL);
	lab_moving(lab);
	lab_freeze(lab, a, true);
	lab_freeze(lab, b_c, true);
	in_a->still = true;
	in_c->still = true;
	hold = lab_take(lab->top, NULL);
	tree = collect(hold);
	ck_assert_int_eq(find(tree, top->pid)->found, HF_FOUND_RUNNING);
	ck_assert_int_eq(find(tree, in_a->pid)->found, HF_FOUND_FROZEN);
	ck_assert_int_eq(find(tree, in_c->pid)->found, HF_FOUND_FROZEN);
	ck_assert_int_eq(hf_hold_info(hold)->found, HF_FREEZER_THAWED);
	hf_tree_free(tree);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	ck_assert(lab_is_frozen(lab, a));
	ck_assert(lab_is_frozen(lab, b_c));
	lab_as_before(lab);
	lab_freeze(lab, a, false);
	lab_freeze(lab, b_c, false);
	in_a->still = false;
	in_c->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* A hold of a v1 cgroup, or of no cgroup at all, tells what a v2 cgroup had frozen, and leaves that so. */
START_TEST(what_another_cgroup_has_frozen_is_found_frozen)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_victim *free_one = lab_start(lab, lab->top, "spin", "2", NULL);
	const pid_t pids[] = { v->pid, free_one->pid };
	struct hf_target target = HF_TARGET_INIT;
	struct hf_error err = HF_ERROR_INIT;
	const char *in;
	hf_hold *hold = NULL;
	hf_tree *tree;

	in = lab->version == 1 ? lab_other(lab) : lab_cgroup(lab, lab->top, "in");
	if (!in) {
		lab_done(lab);
		return;
	}
	target.kind = lab->version == 1 ? HF_TARGET_CGROUP : HF_TARGET_PROCESSES;
	target.path = lab->top;
	target.pids = pids;
	target.n_pids = COUNT_OF(pids);
	lab_move(in, v->pid);
	if (lab->version == 1)
		lab_other_freeze(lab, true);
	else
		lab_freeze(lab, in, true);
	v->still = true;
	ck_assert_msg(hf_hold_take(&target, NULL, &hold, &err) == 0, "%s", err.text);
	tree = collect(hold);
	ck_assert_int_eq(find(tree, v->pid)->found, HF_FOUND_FROZEN);
	ck_assert_int_eq(find(tree, free_one->pid)->found, HF_FOUND_RUNNING);
	hf_tree_free(tree);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_victim_still(lab, v, 10);
	lab_victim_moving(lab, free_one);
	if (lab->version == 1)
		lab_other_freeze(lab, false);
	else
		lab_freeze(lab, in, false);
	v->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_frozen_cgroup_stays_frozen_when_the_hold_fails)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *v = lab_start(lab, a, "spin", "2", NULL);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct lab_attempt attempt;
	hf_hold *hold;

	opts.timeout_ms = 100;
	lab_freeze(lab, a, true);
	v->still = true;
	hold = lab_take(a, NULL);
	/* The second holder cannot have what the first has. */
	lab_attempt(a, &opts, NULL, NULL, &attempt);
	ck_assert_int_eq(attempt.r, -EBUSY);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_await_frozen(lab, a, true);
	lab_untouched(lab);
	lab_freeze(lab, a, false);
	v->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* ---- Registers ------------------------------------------------------------------------------ */

/* Whether addr lies in an executable mapping of the victim's own program. */
static bool is_in_text(pid_t pid, const char *program, uint64_t addr)
{
	char path[64], line[512];
	unsigned long start, end;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx r-xp", &start, &end) == 2 && strstr(line, "r-xp") &&
		    strstr(line, program) && addr >= start && addr < end)
			found = true;
	fclose(f);
	return found;
}

START_TEST(registers_are_those_of_the_thread)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "regs", "6", NULL);
	struct hf_error err = HF_ERROR_INIT;
	struct user_regs_struct regs;
	uint64_t value, pc;
	size_t size;
	hf_hold *hold;

	lab_moving(lab);
	hold = lab_take(lab->top, NULL);
	for (uint32_t i = 0; i < v->n; i++) {
		struct victim_slot *slot = lab_slot(lab, v, i);

		size = sizeof(regs);
		ck_assert_msg(hf_hold_registers(hold, slot->tid, NT_PRSTATUS, &regs, &size,
						&err) == 0, "%s", err.text);
		ck_assert_uint_eq(size, sizeof(regs));
#if defined(__x86_64__)
		value = regs.r12;
		pc = regs.rip;
#else
		value = regs.regs[20];
		pc = regs.pc;
#endif
		ck_assert_uint_eq(value, slot->value);
		ck_assert_msg(is_in_text(v->pid, "/victims/regs", pc), "pc %#llx",
			      (unsigned long long)pc);
	}
	size = sizeof(regs);
	ck_assert_int_eq(hf_hold_registers(hold, getpid(), NT_PRSTATUS, &regs, &size, &err), -ESRCH);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(registers_of_a_cgroup_found_frozen_can_be_read)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "regs", "3", NULL);
	struct user_regs_struct regs;
	size_t size;
	hf_hold *hold;

	lab_freeze(lab, lab->top, true);
	v->still = true;
	hold = lab_take(lab->top, NULL);
	for (uint32_t i = 0; i < v->n; i++) {
		size = sizeof(regs);
		ck_assert_int_eq(hf_hold_registers(hold, lab_slot(lab, v, i)->tid, NT_PRSTATUS,
						   &regs, &size, NULL), 0);
	}
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_freeze(lab, lab->top, false);
	v->still = false;
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("found");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "stopped");
	lab_add(tc, stopped_processes_stay_stopped_and_their_parent_is_not_told);
	lab_add(tc, a_held_parent_is_told_nothing_extra_about_its_stopped_child);
	lab_add(tc, a_stop_signal_during_the_hold_stops_at_the_release);
	lab_add(tc, a_sigcont_during_the_hold_continues_at_the_release);
	tc = lab_case(suite, "dead");
	lab_add(tc, zombies_are_reported_and_left_to_their_parent);
	lab_add(tc, a_dead_leader_has_live_threads_and_they_are_held);
	tc = lab_case(suite, "frozen");
	lab_add(tc, a_cgroup_found_frozen_is_held_and_stays_frozen);
	lab_add(tc, what_was_frozen_counts_as_frozen_when_the_release_returns);
	lab_add(tc, a_nested_cgroup_found_frozen_stays_frozen_and_the_others_run);
	lab_add(tc, what_another_cgroup_has_frozen_is_found_frozen);
	lab_add(tc, a_frozen_cgroup_stays_frozen_when_the_hold_fails);
	tc = lab_case(suite, "registers");
	lab_add(tc, registers_are_those_of_the_thread);
	lab_add(tc, registers_of_a_cgroup_found_frozen_can_be_read);
	return hf_suite_run(suite);
}
