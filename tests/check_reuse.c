/* SPDX-License-Identifier: MIT */
/*
 * check_reuse - a pid gets another owner between two steps of a hold, at exactly the worst moment: the holder is
 * stopped on its way into a system call, the process it is about to deal with is killed, and another one is made with
 * the same number (clone3 with set_tid).  The stranger is not held, not reported and not killed in its place.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "lab_internal.h"
#include "procfs.h"
#include "suite.h"

/* ---- A holder that can be stopped on its way into a system call ------------------------------------ */

struct holder {
	pid_t pid;
	struct shared {
		pid_t ask;			/* about whom it tells what the tree says */
		enum hf_release how;
		_Atomic bool held, let_go;
		int r, released;
		struct hf_error err;
		size_t n_held;
		bool in_tree;
		struct hf_process p;
		struct hf_thread t;
	} *s;
};

__attribute__((noreturn)) static void be_holder(const char *path, struct shared *s)
{
	hf_hold *hold = NULL;
	hf_tree *tree = NULL;
	const struct hf_process *p = NULL;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	s->r = hf_hold_cgroup(path, NULL, &hold, &s->err);
	if (s->r == 0)
		s->r = hf_tree_collect(hold, NULL, &tree, &s->err);
	if (s->r == 0) {
		s->n_held = hf_hold_info(hold)->held;
		p = hf_tree_find(tree, s->ask);
	}
	if (p) {
		s->in_tree = true;
		s->p = *p;
		s->t = p->threads[0];
	}
	atomic_store(&s->held, true);
	while (s->r == 0 && !atomic_load(&s->let_go))
		usleep(500);
	if (s->r == 0)
		s->released = hf_hold_release(hold, s->how, NULL, &s->err);
	hf_hold_free(hold);
	_exit(0);
}

static void start_holder(struct holder *h, const char *path)
{
	int status;

	h->s = mmap(NULL, sizeof(*h->s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(h->s, MAP_FAILED);
	h->pid = fork();
	ck_assert_int_ge(h->pid, 0);
	if (h->pid == 0)
		be_holder(path, h->s);
	ck_assert_int_eq(waitpid(h->pid, &status, __WALL), h->pid);
	ck_assert(WIFSTOPPED(status));
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, h->pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
}

/* The system call that it is entering, and nothing of it is done yet. */
typedef bool wanted_fn(pid_t pid, const struct __ptrace_syscall_info *call, pid_t about);

static void run_holder_until(const struct holder *h, wanted_fn *wanted, pid_t about)
{
	int status, sig = 0;

	for (;;) {
		struct __ptrace_syscall_info call = { 0 };

		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, h->pid, 0, sig), 0);
		ck_assert_int_eq(waitpid(h->pid, &status, __WALL), h->pid);
		ck_assert_msg(WIFSTOPPED(status), "the holder ended too early: %d, %s", h->s->r, h->s->err.text);
		sig = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
		if (sig)
			continue;
		ck_assert_int_gt(ptrace(PTRACE_GET_SYSCALL_INFO, h->pid, sizeof(call), &call), 0);
		if (call.op == PTRACE_SYSCALL_INFO_ENTRY && wanted(h->pid, &call, about))
			return;
	}
}

static bool seizes(pid_t pid, const struct __ptrace_syscall_info *call, pid_t about)
{
	(void)pid;
	return call->entry.nr == SYS_ptrace && call->entry.args[0] == PTRACE_SEIZE &&
	       (pid_t)call->entry.args[1] == about;
}

static bool freezes(pid_t pid, const struct __ptrace_syscall_info *call, pid_t about)
{
	char text[8] = "";
	struct iovec to = { text, sizeof(text) - 1 }, from = { (void *)(uintptr_t)call->entry.args[1], 1 };

	(void)about;
	if (call->entry.nr != SYS_write && call->entry.nr != SYS_pwrite64)
		return false;
	from.iov_len = call->entry.args[2] < to.iov_len ? call->entry.args[2] : to.iov_len;
	return process_vm_readv(pid, &to, 1, &from, 1, 0) > 0 &&
	       (strcmp(text, "1") == 0 || strcmp(text, "FROZEN") == 0);
}

static void let_holder_run(const struct holder *h)
{
	ck_assert_int_eq(ptrace(PTRACE_DETACH, h->pid, 0, 0), 0);
	while (!atomic_load(&h->s->held))
		usleep(500);
	ck_assert_msg(h->s->r == 0, "%d: %s [%s]", h->s->r, h->s->err.text, h->s->err.note);
}

static void end_holder(const struct holder *h, enum hf_release how)
{
	h->s->how = how;
	atomic_store(&h->s->let_go, true);
	ck_assert_int_eq(waitpid(h->pid, NULL, 0), h->pid);
	ck_assert_msg(h->s->released == 0, "%d: %s", h->s->released, h->s->err.text);
	munmap(h->s, sizeof(*h->s));
}

/* ---- Another owner ------------------------------------------------------------------------------------ */

/* A process with this very number, a child of the test, in a cgroup (NULL: the test's), that counts. */
static struct victim_slot *reuse(struct lab *lab, pid_t pid, const char *cgroup)
{
	struct victim_slot *slot = &lab->board->slots[atomic_fetch_add(&lab->board->n_slots, 1)];
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1,
	};
	uint64_t begin = lab_ms();
	pid_t child;

	/* A number is given back some moments after its owner has vanished from /proc. */
	do
		child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	while (child < 0 && errno == EEXIST && lab_ms() - begin < LAB_PATIENCE_MS / 4);
	ck_assert_msg(child >= 0, "clone3: %s", strerror(errno));
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "stranger");
		if (cgroup && lab_write(cgroup, "cgroup.procs", "0") < 0)
			_exit(1);
		for (;;)
			atomic_fetch_add(&slot->count, 1);
	}
	ck_assert_int_eq(child, pid);
	while (atomic_load(&slot->count) == 0)
		usleep(500);
	return slot;
}

static void kill_and_await(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	lab_await_gone(pid);
}

static void must_count(struct victim_slot *slot)
{
	uint64_t count = atomic_load(&slot->count), begin = lab_ms();

	while (atomic_load(&slot->count) == count)
		ck_assert_msg(lab_ms() - begin < LAB_PATIENCE_MS / 4, "the stranger does not run");
}

static void must_not_count(struct victim_slot *slot)
{
	uint64_t count = atomic_load(&slot->count), begin = lab_ms();

	while (lab_ms() - begin < LAB_HOLD_MS)
		ck_assert_uint_eq(atomic_load(&slot->count), count);
}

static void end_stranger(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void must_be_untraced(pid_t pid)
{
	struct hf_status status;

	ck_assert_int_eq(hf_tid_status(pid, &status), 0);
	ck_assert_int_eq(status.tracer, 0);
}

/*
 * Listed, dead, and its number somebody's outside by the time of the SEIZE.  A v2-frozen process can be killed; on v1
 * it is one that is stopped, which is seized before the freeze.
 */
START_TEST(a_stranger_with_the_number_of_one_who_was_listed_is_not_held)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *stays = lab_start(lab, lab->top, "spin", "2", NULL);
	struct lab_victim *dies = lab_start(lab, lab->top, "spin", "1", NULL);
	pid_t pid = dies->pid;
	struct victim_slot *stranger;
	struct holder h;

	if (lab->version == 1)
		lab_stop(lab, dies, SIGSTOP);
	start_holder(&h, lab->top);
	h.s->ask = pid;
	run_holder_until(&h, seizes, pid);
	dies->still = true;
	kill_and_await(pid);
	stranger = reuse(lab, pid, NULL);
	let_holder_run(&h);
	must_count(stranger);
	must_be_untraced(pid);
	ck_assert(!h.s->in_tree);
	ck_assert_uint_eq(h.s->n_held, 2);
	lab_victim_still(lab, stays, LAB_HOLD_MS);
	end_holder(&h, HF_RELEASE_AS_FOUND);
	must_count(stranger);
	end_stranger(pid);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/* Looked at as a stopped one; what is frozen then is another, who ran. */
START_TEST(one_who_came_by_that_number_is_held_and_reported_as_itself)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *dies = lab_start(lab, lab->top, "spin", "1", NULL);
	pid_t pid = dies->pid;
	struct victim_slot *successor;
	struct hf_stat stat;
	struct holder h;

	lab_start(lab, lab->top, "spin", "1", NULL);
	/* On v1 a stopped one is seized before the freeze, and then its number cannot get another owner. */
	if (lab->version == 2)
		lab_stop(lab, dies, SIGTSTP);
	start_holder(&h, lab->top);
	h.s->ask = pid;
	run_holder_until(&h, freezes, 0);
	dies->still = true;
	kill_and_await(pid);
	successor = reuse(lab, pid, lab->top);
	let_holder_run(&h);
	must_not_count(successor);
	ck_assert(h.s->in_tree);
	ck_assert_uint_eq(h.s->n_held, 2);
	ck_assert_int_eq(h.s->p.found, HF_FOUND_RUNNING);
	ck_assert_int_eq(h.s->p.stop_signal, 0);
	ck_assert_int_eq(h.s->t.found, '?');
	ck_assert_int_eq(h.s->t.state, HF_THREAD_HELD);
	ck_assert_int_eq(hf_tid_stat(pid, &stat), 0);
	ck_assert_uint_eq(h.s->p.start_time_ticks, stat.start_time_ticks);
	end_holder(&h, HF_RELEASE_AS_FOUND);
	must_count(successor);
	end_stranger(pid);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

/*
 * A thread's number has come round to a process inside, and that of the process it was a thread of to one outside:
 * who believes what was learned at the look kills the one outside.
 */
static void signal_reaches_the_right_one(struct lab *lab, enum hf_release how)
{
	struct lab_victim *dies = lab_start(lab, lab->top, "spin", "2", NULL);
	pid_t pid = dies->pid, tid = atomic_load(&lab_slot(lab, dies, 1)->tid);
	struct victim_slot *inside, *outside;
	struct holder h;

	lab_start(lab, lab->top, "spin", "1", NULL);
	start_holder(&h, lab->top);
	h.s->ask = tid;
	run_holder_until(&h, freezes, 0);
	dies->still = true;
	kill_and_await(pid);
	inside = reuse(lab, tid, lab->top);
	outside = reuse(lab, pid, NULL);
	let_holder_run(&h);
	must_not_count(inside);
	must_count(outside);
	ck_assert(h.s->in_tree);
	ck_assert_uint_eq(h.s->n_held, 2);
	end_holder(&h, how);
	must_count(outside);
	must_be_untraced(pid);
	if (how == HF_RELEASE_DEAD)
		ck_assert_int_eq(waitpid(tid, NULL, 0), tid);
	else
		lab_await_state(tid, 'T');
	if (how != HF_RELEASE_DEAD)
		end_stranger(tid);
	end_stranger(pid);
}

START_TEST(who_is_killed_or_stopped_is_who_was_held)
{
	static const enum hf_release hows[] = { HF_RELEASE_DEAD, HF_RELEASE_STOPPED };

	for (size_t i = 0; i < COUNT_OF(hows); i++) {
		struct lab *lab = lab_new(_i);

		signal_reaches_the_right_one(lab, hows[i]);
		lab_untouched(lab);
		lab_done(lab);
	}
}
END_TEST

/* Whether a pid can be chosen here. */
static bool can_choose(void)
{
	pid_t pid = 300;
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1,
	};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid(child, NULL, 0);
	return child > 0 || errno == EEXIST;
}

int main(void)
{
	Suite *suite = suite_create("reuse");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "reuse");
	if (can_choose()) {
		lab_add(tc, a_stranger_with_the_number_of_one_who_was_listed_is_not_held);
		lab_add(tc, one_who_came_by_that_number_is_held_and_reported_as_itself);
		lab_add(tc, who_is_killed_or_stopped_is_who_was_held);
	} else {
		lab_left_out("pids that get another owner", strerror(errno));
	}
	return hf_suite_run(suite);
}
