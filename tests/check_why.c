/* SPDX-License-Identifier: MIT */
/*
 * check_why - everything that can stand in the way of a hold is told, with whether it blocks, who it is about and what it
 * is; and nobody notices that it was asked.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "lab.h"
#include "lab_internal.h"
#include "procfs.h"
#include "suite.h"
#include "sys.h"

#define ANSWERS_MAX 32
static uid_t nobody = 65534;

struct answer {
	int r, n;
	struct hf_error err;
	struct told {
		enum hf_obstacle_kind kind;
		int blocks;
		pid_t tid;
		char text[600];
	} told[ANSWERS_MAX];
};
static struct answer *got;

static void note(const struct hf_obstacle *o, void *data)
{
	struct told *t = &got->told[got->n];

	(void)data;
	if (got->n == ANSWERS_MAX)
		return;
	t->kind = o->kind;
	t->blocks = o->blocks;
	t->tid = o->tid;
	snprintf(t->text, sizeof(t->text), "%s", o->text);
	got->n++;
}

/* Asked in a child, which may prepare for it. */
static void ask(const char *path, const struct hf_take_options *opts, void (*prepare)(const void *), const void *arg)
{
	struct hf_target target = HF_TARGET_INIT;
	int status;
	pid_t pid;

	if (!got)
		got = mmap(NULL, sizeof(*got), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(got, MAP_FAILED);
	memset(got, 0, sizeof(*got));
	target.path = path;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (prepare)
			prepare(arg);
		got->r = hf_why(&target, opts, note, NULL, &got->err);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* One of the answers is this; tid 0 for none, -1 for any. */
static void told(enum hf_obstacle_kind kind, int blocks, pid_t tid, const char *words)
{
	for (int i = 0; i < got->n; i++)
		if (got->told[i].kind == kind && got->told[i].blocks == blocks &&
		    (tid == -1 || got->told[i].tid == tid) && strstr(got->told[i].text, words))
			return;
	ck_abort_msg("not told: %s, %s, about %d: %s; but %d answers, the first: %s, about %d: %s [%d %s]",
		     hf_obstacle_word(kind), blocks ? "blocks" : "note", (int)tid, words, got->n,
		     got->n ? hf_obstacle_word(got->told[0].kind) : "-", (int)got->told[0].tid,
		     got->told[0].text, got->r, got->err.text);
}

static void nothing_else_blocks(int n)
{
	int blocks = 0;

	for (int i = 0; i < got->n; i++)
		blocks += got->told[i].blocks;
	ck_assert_int_eq(blocks, n);
	ck_assert_int_eq(got->r, n);
}

START_TEST(nothing_and_nobody)
{
	struct lab *lab = lab_new(_i);
	const char *empty = lab_cgroup(lab, lab->top, "empty");

	ask(empty, NULL, NULL, NULL);
	told(HF_OBSTACLE_EMPTY, 1, 0, "is empty");
	nothing_else_blocks(1);
	lab_start(lab, lab->top, "spin", "2", NULL);
	ask(lab->top, NULL, NULL, NULL);
	ck_assert_int_eq(got->n, 0);
	ck_assert_int_eq(got->r, 0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(ourselves)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "2", NULL);
	ask(lab->top, NULL, lab_join, lab->top);
	told(HF_OBSTACLE_OURSELVES, 1, -1, "itself");
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(permissions)
{
	static const char *const files[] = {
		"", "cgroup.procs", "cgroup.threads", "cgroup.freeze", "tasks", "freezer.state",
	};
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	char path[LAB_PATH + 32];

	ask(lab->top, NULL, lab_become_user, &nobody);
	told(HF_OBSTACLE_PERMISSION, 1, 0, "cannot open the freezer of cgroup");
	told(HF_OBSTACLE_PERMISSION, 1, v->pid, "CAP_SYS_PTRACE");
	nothing_else_blocks(2);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", lab->top, files[i]);
		if (chown(path, nobody, nobody) < 0)
			ck_assert_int_eq(errno, ENOENT);
	}
	ask(lab->top, NULL, lab_become_user, &nobody);
	told(HF_OBSTACLE_PERMISSION, 1, v->pid, "(spin) may not be traced: it runs as uid 0");
	nothing_else_blocks(1);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

static void traced_from(struct lab *lab, const char *cgroup, const char *words)
{
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "2", NULL);
	struct hf_take_options skip = HF_TAKE_OPTIONS_INIT;
	pid_t tid = atomic_load(&lab_slot(lab, v, 1)->tid);
	pid_t tracer = lab_start_tracer(tid, cgroup);
	struct lab_attempt a;

	skip.on_traced = HF_ON_TRACED_SKIP;
	ask(lab->top, NULL, NULL, NULL);
	told(HF_OBSTACLE_TRACED, 1, tid, words);
	nothing_else_blocks(1);
	/* As a hold says it. */
	lab_attempt(lab->top, NULL, NULL, NULL, &a);
	ck_assert_int_eq(a.r, -EBUSY);
	ck_assert_int_eq(a.err.tid, tid);
	lab_says(&a.err, words);
	ask(lab->top, &skip, NULL, NULL);
	told(HF_OBSTACLE_TRACED, 0, tid, "would be left out");
	nothing_else_blocks(0);
	lab_attempt(lab->top, &skip, NULL, NULL, &a);
	ck_assert_msg(a.r == 0, "%d: %s", a.r, a.err.text);
	ck_assert_uint_eq(a.info.skipped, 1);
	ck_assert_uint_eq(a.info.held, cgroup ? 2 : 1);
	ck_assert_int_eq(lab_tracer_of(tid), tracer);
	if (cgroup)
		ck_assert_int_eq(lab_tracer_of(tracer), 0);
	lab_end_tracer(tracer);
	lab_as_before(lab);
}

START_TEST(traced)
{
	struct lab *lab = lab_new(_i);

	traced_from(lab, NULL, "which is outside the target");
	lab_done(lab);
	lab = lab_new(_i);
	traced_from(lab, lab->top, "which is inside the target");
	lab_done(lab);
}
END_TEST

START_TEST(frozen_elsewhere)
{
	struct lab *lab = lab_new(_i);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	struct lab_victim *v = lab_start(lab, inner, "spin", "2", NULL);
	char words[LAB_PATH + 64];
	const char *other;

	lab_freeze(lab, inner, true);
	v->still = true;
	ask(lab->top, NULL, NULL, NULL);
	told(HF_OBSTACLE_FROZEN, 0, 0, "/inner is set frozen");
	nothing_else_blocks(0);
	lab_freeze(lab, inner, false);
	lab_freeze(lab, lab->top, true);
	ask(inner, NULL, NULL, NULL);
	if (lab->version == 1) {
		snprintf(words, sizeof(words), "write THAWED to %s/freezer.state first", lab->top);
		told(HF_OBSTACLE_FROZEN, 1, 0, words);
		nothing_else_blocks(1);
	} else {
		told(HF_OBSTACLE_FROZEN, 0, 0, "an ancestor is frozen");
		nothing_else_blocks(0);
	}
	lab_freeze(lab, lab->top, false);
	v->still = false;
	other = lab_other(lab);
	if (other) {
		lab_move(other, v->pid);
		lab_other_freeze(lab, true);
		ask(lab->top, NULL, NULL, NULL);
		if (lab->version == 2) {
			snprintf(words, sizeof(words), "write THAWED to %s/freezer.state first", other);
			told(HF_OBSTACLE_FROZEN, 1, v->pid, words);
		} else {
			told(HF_OBSTACLE_FROZEN, 0, v->pid, "is frozen by a v2 cgroup that is not the target;");
		}
		nothing_else_blocks(lab->version == 2);
		lab_other_freeze(lab, false);
	}
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(being_frozen)
{
	struct lab *lab = lab_new(_i);
	struct lab_victim *v = lab_start(lab, NULL, "uffd", lab->top, NULL);

	if (lab->version == 2)
		lab_write(lab->top, "cgroup.freeze", "1");
	else
		lab_write(lab->top, "freezer.state", "FROZEN");
	lab_await_state((pid_t)atomic_load(&lab_slot(lab, v, 0)->value), 'R');
	ask(lab->top, NULL, NULL, NULL);
	told(HF_OBSTACLE_FROZEN, 0, 0, "is being frozen by somebody else");
	lab_freeze(lab, lab->top, false);
	lab_poke(lab);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(asleep)
{
	struct hf_take_options accept = HF_TAKE_OPTIONS_INIT;
	struct lab *lab = lab_new(_i);
	struct lab_victim *vforker = lab_start(lab, lab->top, "vforker", NULL);
	struct lab_victim *uffd = lab_start(lab, NULL, "uffd", lab->top, NULL);
	struct lab_victim *writer = NULL;
	char file[LAB_PATH + 16], wchan[HF_WCHAN_MAX];
	pid_t faulting = (pid_t)atomic_load(&lab_slot(lab, uffd, 0)->value);
	const char *why, *disk = lab_disk(&why);

	accept.on_armed = HF_ON_ARMED_ACCEPT;
	if (disk) {
		snprintf(file, sizeof(file), "%s/mnt/file", disk);
		writer = lab_start(lab, lab->top, "writer", file, NULL);
		ck_assert_int_eq(lab_disk_freeze(disk, true), 0);
		lab_await_state(writer->pid, 'D');
		while (hf_tid_wchan(writer->pid, wchan) == 0 && !wchan[0])
			usleep(1000);
	} else {
		lab_left_out("a thread that sleeps on a frozen disk", why);
	}
	ask(lab->top, NULL, NULL, NULL);
	told(HF_OBSTACLE_ASLEEP, 0, vforker->pid, "is a vfork parent that waits for its child");
	told(HF_OBSTACLE_ASLEEP, 1, faulting, "in kernel function handle_userfault, system call write");
	if (disk) {
		told(HF_OBSTACLE_ASLEEP, 1, writer->pid, wchan);
		told(HF_OBSTACLE_ASLEEP, 1, writer->pid, "system call pwrite64");
	}
	nothing_else_blocks(1 + (disk != NULL));
	ask(lab->top, &accept, NULL, NULL);
	nothing_else_blocks(0);
	if (disk)
		ck_assert_int_eq(lab_disk_freeze(disk, false), 0);
	lab_as_before(lab);
	lab_done(lab);
	lab_sweep();
}
END_TEST

START_TEST(half_a_process)
{
	struct hf_take_options report = HF_TAKE_OPTIONS_INIT;
	struct lab *lab = lab_new(_i);
	const char *part = lab_cgroup(lab, lab->top, "part");
	struct lab_victim *v = lab_start(lab, lab->top, "spin", "3", NULL);

	report.on_outside = HF_ON_OUTSIDE_REPORT;
	lab_move_thread(lab, part, atomic_load(&lab_slot(lab, v, 1)->tid));
	ask(part, NULL, NULL, NULL);
	told(HF_OBSTACLE_HALF, 0, v->pid, "is outside of the target");
	told(HF_OBSTACLE_HALF, 0, atomic_load(&lab_slot(lab, v, 2)->tid), "it would be held as well");
	nothing_else_blocks(0);
	ask(part, &report, NULL, NULL);
	told(HF_OBSTACLE_HALF, 0, v->pid, "which would go on running");
	nothing_else_blocks(0);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(held_by_another)
{
	struct lab *lab = lab_new(_i);
	hf_hold *hold;

	lab_start(lab, lab->top, "spin", "1", NULL);
	hold = lab_take(lab->top, NULL);
	ask(lab->top, NULL, NULL, NULL);
	told(HF_OBSTACLE_HELD, 1, 0, " holds cgroup ");
	/* That he traces everybody is no news. */
	nothing_else_blocks(1);
	lab_still(lab, 10);
	lab_let_go(hold, HF_RELEASE_AS_FOUND);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("why");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "obstacles");
	lab_add(tc, nothing_and_nobody);
	lab_add(tc, ourselves);
	lab_add(tc, permissions);
	lab_add(tc, traced);
	lab_add(tc, frozen_elsewhere);
	lab_add(tc, being_frozen);
	lab_add(tc, asleep);
	lab_add(tc, half_a_process);
	lab_add(tc, held_by_another);
	return hf_suite_run(suite);
}
