/* SPDX-License-Identifier: MIT */
/*
 * check_family - holds of processes and all their descendants, without a cgroup: storms, awkward tasks, orphans,
 * refusals.  The victims are put into a cgroup of each hierarchy all the same: the hold does not know.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold_state.h"
#include "lab.h"
#include "procfs.h"
#include "suite.h"
#include "sys.h"

#define ROUNDS 15
#define HOLD_MS 5

/* ---- Tools ---------------------------------------------------------------------------------- */

static int try_to_take(const pid_t *pids, size_t n, const struct hf_take_options *opts, hf_hold **ret,
		       struct hf_error *err)
{
	struct hf_target target = HF_TARGET_INIT;

	target.kind = HF_TARGET_PROCESSES;
	target.pids = pids;
	target.n_pids = n;
	return hf_hold_take(&target, opts, ret, err);
}

static hf_hold *take(pid_t pid)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;
	int r = try_to_take(&pid, 1, NULL, &hold, &err);

	ck_assert_msg(r == 0, "%d, %s: %s [%s]", r, hf_stage_name(err.stage), err.text, err.note);
	return hold;
}

/* It must fail so, and change nothing. */
static void refused(pid_t pid, int code, const char *words)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;
	int r = try_to_take(&pid, 1, NULL, &hold, &err);

	ck_assert_msg(r == -code && !hold, "%d and not %d: %s", r, -code, err.text);
	lab_says(&err, words);
	ck_assert_int_eq(err.undo, HF_UNDO_NONE);
}

/* ---- Storms --------------------------------------------------------------------------------- */

static void storm(int index, const char *victim, const char *n, const char *mode)
{
	struct lab *lab = lab_new(index);
	struct lab_victim *v = lab_start(lab, lab->top, victim, n, mode, NULL);

	for (int round = 0; round < ROUNDS; round++) {
		hf_hold *hold;

		lab_moving(lab);
		hold = take(v->pid);
		lab_still(lab, HOLD_MS);
		lab_let_go(hold, HF_RELEASE_AS_FOUND);
		lab_untouched(lab);
	}
	lab_moving(lab);
	lab_done(lab);
}

#include "storms.h"

/* ---- Everybody, and nobody else ------------------------------------------------------------- */

START_TEST(a_tree_is_held_whole_and_its_neighbours_are_not)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *tree = lab_start(lab, lab->top, "tree", "3", "3", NULL);
	struct lab_victim *other = lab_start(lab, lab->top, "spin", "3", "1000", NULL);
	const struct hf_hold_info *info;
	hf_hold *hold;

	lab_moving(lab);
	hold = take(tree->pid);
	info = hf_hold_info(hold);
	ck_assert_int_eq(info->kind, HF_TARGET_PROCESSES);
	ck_assert_ptr_null(info->path);
	ck_assert_uint_eq(info->n_pids, 1);
	ck_assert_int_eq(info->pids[0], tree->pid);
	ck_assert_uint_eq(info->held, 40);
	ck_assert_uint_eq(info->threads, 40);
	lab_victim_still(lab, tree, LAB_HOLD_MS);
	lab_victim_moving(lab, other);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(several_processes_of_which_one_is_below_another_are_held_once)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *tree = lab_start(lab, lab->top, "tree", "1", "2", NULL);
	struct lab_victim *spin = lab_start(lab, lab->top, "spin", "2", NULL);
	struct hf_error err = HF_ERROR_INIT;
	pid_t pids[] = { lab_slot(lab, tree, 1)->tid, spin->pid, tree->pid, tree->pid };
	hf_hold *hold = NULL;

	ck_assert_msg(try_to_take(pids, COUNT_OF(pids), NULL, &hold, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 5);
	lab_still(lab, LAB_HOLD_MS);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(stopped_and_dead_ones_are_reported_and_put_back)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *stopped = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_victim *leader = lab_start(lab, lab->top, "deadleader", "3", NULL);
	struct lab_victim *parent = lab_start(lab, lab->top, "zombie", "2", NULL);
	pid_t pids[] = { stopped->pid, leader->pid, parent->pid };
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;
	hf_tree *tree = NULL;

	lab_stop(lab, stopped, SIGTSTP);
	ck_assert_msg(try_to_take(pids, COUNT_OF(pids), NULL, &hold, &err) == 0, "%s", err.text);
	lab_still(lab, LAB_HOLD_MS);
	ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, &err), 0);
	ck_assert_int_eq(hf_tree_find(tree, stopped->pid)->found, HF_FOUND_STOPPED);
	ck_assert_int_eq(hf_tree_find(tree, stopped->pid)->stop_signal, SIGTSTP);
	ck_assert_int_eq(hf_tree_find(tree, leader->pid)->found, HF_FOUND_DEAD_LEADER);
	ck_assert_int_eq(hf_tree_find(tree, parent->pid)->first_child->found, HF_FOUND_ZOMBIE);
	ck_assert_str_ne(hf_tree_find(tree, parent->pid)->cgroup, "");
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	hf_tree_free(tree);
	lab_as_before(lab);
	lab_await_state(stopped->pid, 'T');
	lab_await_told(lab, stopped->pid, "stopped 20");
	lab_done(lab);
}
END_TEST

START_TEST(a_vfork_parent_is_armed_and_let_go_when_the_holder_ends)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *waits = lab_start(lab, lab->top, "vforkwait", "1000", NULL);
	struct hf_release_options opts = { sizeof(opts), 0, 1 };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		hf_hold *hold = take(waits->pid);
		hf_tree *tree = NULL;
		const struct hf_thread *t;

		lab_victim_still(lab, waits, LAB_HOLD_MS);
		ck_assert_int_eq(hf_tree_collect(hold, NULL, &tree, NULL), 0);
		t = &hf_tree_find(tree, waits->pid)->threads[0];
		ck_assert_int_eq(t->state, HF_THREAD_ARMED);
		ck_assert_int_eq(t->waits_for, hf_tree_find(tree, waits->pid)->first_child->pid);
		ck_assert_int_eq(hf_hold_release(hold, HF_RELEASE_AS_FOUND, &opts, NULL), 1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(released_to_stopped_and_to_dead)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *tree = lab_start(lab, lab->top, "tree", "2", "2", NULL);

	lab_let_go(take(tree->pid), HF_RELEASE_STOPPED);
	lab_untouched(lab);
	lab_still(lab, LAB_HOLD_MS);
	lab_await_state(tree->pid, 'T');
	lab_let_go(take(tree->pid), HF_RELEASE_DEAD);
	lab_await_empty(lab, lab->top);
	lab_await_told(lab, tree->pid, "stopped 19, killed 9");
	lab_done(lab);
}
END_TEST

/* ---- A leader that ends in between ---------------------------------------------------------- */

static void *count_on(void *slot)
{
	for (;;)
		atomic_fetch_add((_Atomic uint64_t *)slot, 1);
	return NULL;
}

__attribute__((noreturn)) static void end_leader_when_told(int go, int ready, _Atomic uint64_t *count)
{
	pthread_t thread;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_create(&thread, NULL, count_on, count) != 0 || write(ready, "", 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	syscall(SYS_exit, 0);
	_exit(1);
}

/* What wait(2) never tells: between SEIZE and stop the leader has ended, and its thread lives. */
START_TEST(a_leader_that_ends_before_its_stop_is_not_waited_for_and_is_reaped_in_the_end)
{
	_Atomic uint64_t *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);
	struct hf_hold *hold = hf_hold_alloc();
	struct hf_error err = HF_ERROR_INIT;
	struct hf_nap nap = HF_NAP_INIT;
	struct hf_task *leader, *thread;
	int go[2], ready[2], status;
	char byte, path[64];
	pid_t pid, tid = 0;
	DIR *dir;

	ck_assert_int_eq(pipe2(go, O_CLOEXEC) | pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		end_leader_when_told(go[0], ready[1], count);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *e; (e = readdir(dir));)
		if (atoi(e->d_name) > 0 && atoi(e->d_name) != pid)
			tid = atoi(e->d_name);
	closedir(dir);
	hold->roster.kind = HF_TARGET_PROCESSES;
	ck_assert_int_eq(hf_sys_seize(pid, 0) | hf_sys_seize(tid, 0), 0);
	ck_assert_int_eq(write(go[1], "", 1), 1);
	lab_await_state(pid, 'Z');
	ck_assert_int_eq(hf_sys_interrupt(tid), 0);
	hf_task_set_reserve(&hold->set, 2);
	leader = hf_task_set_add(&hold->set, pid);
	thread = hf_task_set_add(&hold->set, tid);
	leader->tgid = thread->tgid = pid;
	leader->state = thread->state = HF_TASK_ASKED;
	ck_assert_msg(hf_collect_stops(hold, deadline, &err) == 0, "%s", err.text);
	ck_assert_int_eq(leader->state, HF_TASK_DEAD_LEADER);
	ck_assert_int_eq(thread->state, HF_TASK_HELD);
	/* It is nothing that a release would wait for. */
	ck_assert_int_eq(hf_sys_kill(pid, SIGKILL), 0);
	while (leader->state != HF_TASK_DIED || thread->state != HF_TASK_DIED) {
		hf_poll_task(hold, 1);
		hf_poll_task(hold, 0);
		ck_assert(hf_nap(&nap, deadline));
	}
	ck_assert_int_eq(waitpid(pid, &status, __WALL), -1);
	hf_hold_discard(hold);
}
END_TEST

/* ---- Orphans -------------------------------------------------------------------------------- */

/* The victims of one test: a parent that makes, when told, a child that leaves a grandchild behind. */
struct orphanage {
	int go[2], made[2];
	pid_t parent;
};

__attribute__((noreturn)) static void make_an_orphan_when_told(const struct orphanage *o)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(o->go[0], &byte, 1) == 1 && fork() == 0) {
		if (fork() == 0) {
			pid_t self = getpid();

			/* Its parent has ended when it is another's. */
			while (getppid() != 1 && getppid() != atoi(getenv("HF_TEST_REAPER")))
				;
			if (write(o->made[1], &self, sizeof(self)) != sizeof(self))
				_exit(1);
		} else {
			_exit(0);
		}
	}
	for (;;)
		pause();
}

/* What a look and then a pass list. */
static int remember(struct hf_hold *hold, pid_t tid, uint16_t level, void *data, struct hf_error *err)
{
	(void)level;
	(void)data;
	(void)err;
	return hf_task_set_find(&hold->set, tid) || hf_task_set_add(&hold->set, tid) ? 0 : -ENOMEM;
}

START_TEST(who_is_born_and_orphaned_after_the_look_is_found_by_its_birth)
{
	struct hf_roster_pass pass = { .fn = remember, .stage = HF_STAGE_SEIZE };
	struct hf_target target = { sizeof(target), HF_TARGET_PROCESSES, NULL, NULL, 1, NULL, 0 };
	struct hf_error err = HF_ERROR_INIT;
	struct hf_hold *hold = hf_hold_alloc();
	struct orphanage o;
	char self[16];
	pid_t orphan;

	/* We are the reaper of the orphan: outside of the family. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	snprintf(self, sizeof(self), "%d", getpid());
	setenv("HF_TEST_REAPER", self, 1);
	ck_assert_int_eq(pipe2(o.go, O_CLOEXEC) | pipe2(o.made, O_CLOEXEC), 0);
	o.parent = fork();
	if (o.parent == 0)
		make_an_orphan_when_told(&o);
	target.pids = &o.parent;
	ck_assert_int_eq(hf_roster_init(&hold->roster, &target, &err), 0);
	ck_assert_msg(hf_roster_begin(hold, &err) == 0, "%s", err.text);
	if (hold->roster.births.fd < 0) {
		lab_left_out("orphans", "this kernel or namespace tells no process events");
	} else {
		ck_assert_int_eq(hf_roster_each(hold, &pass, &err), 0);
		ck_assert_uint_eq(hold->set.n, 1);
		ck_assert_int_eq(write(o.go[1], "", 1), 1);
		ck_assert_int_eq(read(o.made[0], &orphan, sizeof(orphan)), sizeof(orphan));
		pass.unsure = false;
		ck_assert_int_eq(hf_roster_each(hold, &pass, &err), 0);
		ck_assert_ptr_nonnull(hf_task_set_find(&hold->set, orphan));
		ck_assert(hf_roster_has(hold, orphan));
		ck_assert(!hf_roster_has(hold, getpid()));
		kill(orphan, SIGKILL);
	}
	kill(o.parent, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	hf_hold_discard(hold);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------- */

START_TEST(what_is_no_process_to_be_held_is_refused_in_clear_words)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct hf_error err = HF_ERROR_INIT;
	hf_hold *hold = NULL;
	char words[128];
	siginfo_t info;
	pid_t dead, thread = lab_slot(lab, v, 0)->tid == v->pid ? lab_slot(lab, v, 1)->tid :
								  lab_slot(lab, v, 0)->tid;

	snprintf(words, sizeof(words), "%d (spin) is a thread, not a process; name its process, %d", thread,
		 v->pid);
	refused(thread, EINVAL, words);
	refused(getpid(), EBUSY, "the holder itself");
	refused(getppid(), EBUSY, "an ancestor of the holder");
	dead = fork();
	if (dead == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)dead, &info, WEXITED | WNOWAIT), 0);
	refused(dead, ESRCH, "is a zombie: it has ended, and its parent");
	ck_assert_int_eq(waitpid(dead, NULL, 0), dead);
	snprintf(words, sizeof(words), "there is no process %d", dead);
	refused(dead, ESRCH, words);
	refused(-1, EINVAL, "-1 is no process");
	ck_assert_int_eq(try_to_take(NULL, 0, NULL, &hold, &err), -EINVAL);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_kernel_thread_is_refused)
{
	struct hf_stat st;

	/* kthreadd, where it can be seen. */
	if (hf_tid_stat(2, &st) == 0 && (st.flags & HF_PF_KTHREAD))
		refused(2, EINVAL, "is a kernel thread, which nobody can hold");
	else
		lab_left_out("a kernel thread", "none is visible here");
}
END_TEST

START_TEST(a_traced_member_fails_the_hold_or_is_skipped)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *tree = lab_start(lab, lab->top, "tree", "1", "2", NULL);
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	pid_t traced = lab_slot(lab, tree, 1)->tid, tracer;
	hf_hold *hold = NULL;
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	tracer = fork();
	if (tracer == 0) {
		if (hf_hold_take(&(struct hf_target){ sizeof(struct hf_target), HF_TARGET_PROCESSES, NULL, &traced,
						      1, NULL, 0 }, NULL, &hold, NULL) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(try_to_take(&tree->pid, 1, NULL, &hold, &err), -EBUSY);
	lab_says(&err, "is traced by");
	lab_says(&err, "which is outside the target");
	opts.on_traced = HF_ON_TRACED_SKIP;
	ck_assert_msg(try_to_take(&tree->pid, 1, &opts, &hold, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(hf_hold_info(hold)->held, 2);
	ck_assert_uint_eq(hf_hold_info(hold)->skipped, 1);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	kill(tracer, SIGKILL);
	ck_assert_int_eq(waitpid(tracer, NULL, 0), tracer);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* On v1 it would never stop, and only the one who froze it may thaw it; on v2 it stops where it is. */
START_TEST(who_is_frozen_by_somebody_else_is_refused_on_v1_and_held_on_v2)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);

	lab_freeze(lab, lab->top, true);
	if (lab->version == 1)
		refused(v->pid, EBUSY, "/freezer.state first");
	else
		lab_let_go(take(v->pid), HF_RELEASE_AS_FOUND);
	ck_assert(lab_own_bit(lab, lab->top));
	lab_await_frozen(lab, lab->top, true);
	lab_still(lab, LAB_HOLD_MS);
	lab_freeze(lab, lab->top, false);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(only_a_cgroup_can_be_kept_or_killed_after_a_death)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	pid_t pid = getppid();
	hf_hold *hold = NULL;

	opts.on_death = HF_ON_DEATH_STAY;
	ck_assert_int_eq(try_to_take(&pid, 1, &opts, &hold, &err), -EINVAL);
	lab_says(&err, "only a cgroup");
}
END_TEST

/* ---- Deaths --------------------------------------------------------------------------------- */

__attribute__((noreturn)) static void hold_again_and_again(pid_t pid)
{
	for (;;) {
		hf_hold *hold = NULL;

		if (try_to_take(&pid, 1, NULL, &hold, NULL) < 0)
			_exit(1);
		hf_hold_free(hold);
	}
}

START_TEST(the_holder_killed_at_any_moment_leaves_nothing_behind)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *tree = lab_start(lab, lab->top, "tree", "2", "3", NULL);
	struct lab_victim *stopped = lab_start(lab, lab->top, "spin", "2", NULL);

	lab_stop(lab, stopped, SIGSTOP);
	for (unsigned int round = 0; round < 40; round++) {
		/* Not to wait for anything, but to strike at a different moment each time. */
		struct timespec ts = { 0, (long)(round * 9973 % 64) * 100000 };
		int status;
		pid_t pid = fork();

		if (pid == 0)
			hold_again_and_again(round & 1 ? stopped->pid : tree->pid);
		nanosleep(&ts, NULL);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status), "round %u: the holder failed", round);
		lab_as_before(lab);
		lab_await_state(stopped->pid, 'T');
	}
	lab_await_told(lab, stopped->pid, "stopped 19");
	lab_done(lab);
}
END_TEST

START_TEST(a_member_that_is_killed_while_held_is_reaped_and_told)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct hf_deadline deadline = hf_deadline_in_ms(LAB_PATIENCE_MS / 4);
	struct hf_nap nap = HF_NAP_INIT;
	hf_hold *hold = take(v->pid);

	kill(v->pid, SIGKILL);
	while (hf_hold_attend(hold, NULL) >= 0 && hf_hold_info(hold)->died < 2)
		ck_assert(hf_nap(&nap, deadline));
	lab_await_told(lab, v->pid, "killed 9");
	ck_assert_uint_eq(hf_hold_info(hold)->newcomers, 0);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("family");
	TCase *tc;

	lab_init();
	add_storms(suite);
	tc = lab_case(suite, "members");
	lab_add(tc, a_tree_is_held_whole_and_its_neighbours_are_not);
	lab_add(tc, several_processes_of_which_one_is_below_another_are_held_once);
	lab_add(tc, stopped_and_dead_ones_are_reported_and_put_back);
	lab_add(tc, a_vfork_parent_is_armed_and_let_go_when_the_holder_ends);
	lab_add(tc, released_to_stopped_and_to_dead);
	tcase_add_test(tc, a_leader_that_ends_before_its_stop_is_not_waited_for_and_is_reaped_in_the_end);
	tc = lab_case(suite, "orphans");
	tcase_add_test(tc, who_is_born_and_orphaned_after_the_look_is_found_by_its_birth);
	tc = lab_case(suite, "refusals");
	lab_add(tc, what_is_no_process_to_be_held_is_refused_in_clear_words);
	tcase_add_test(tc, a_kernel_thread_is_refused);
	lab_add(tc, a_traced_member_fails_the_hold_or_is_skipped);
	lab_add(tc, who_is_frozen_by_somebody_else_is_refused_on_v1_and_held_on_v2);
	tcase_add_test(tc, only_a_cgroup_can_be_kept_or_killed_after_a_death);
	tc = lab_case(suite, "deaths");
	lab_add(tc, the_holder_killed_at_any_moment_leaves_nothing_behind);
	lab_add(tc, a_member_that_is_killed_while_held_is_reaped_and_told);
	return hf_suite_run(suite);
}
