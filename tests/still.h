/* SPDX-License-Identifier: MIT */
/*
 * still - processes that stand still, for the tests of what pstree/ collects: victims of
 * a test of their own, in a hold that is put together by hand.  They stand by waiting; the ones
 * whose registers matter are seized.
 */
#ifndef HF_TESTS_STILL_H
#define HF_TESTS_STILL_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "collect.h"
#include "fake_hold.h"
#include "suite.h"
#include "sys.h"

#define DEADLINE_MS 3000
#define TIDS_MAX 17

/* What a victim tells about itself, and the pipe that says it is ready: shared, or inherited. */
static struct shared {
	pid_t tids[TIDS_MAX];
	pid_t child;
	volatile unsigned int turns;
} *shared;
static int ready[2];

/* Of each test: made before it, freed after it. */
static hf_hold *hold;
static hf_tree *tree;

static inline void setup(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	/* What victims leave behind comes to us; not every init reaps. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	hold = fake_hold_new();
}

static inline void teardown(void)
{
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	hf_tree_free(tree);
	fake_hold_free(hold);
}

static inline void say_ready(void)
{
	if (write(ready[1], "", 1) != 1)
		_exit(1);
}

static inline void wait_ready(size_t n)
{
	char c;

	while (n-- > 0)
		ck_assert_int_eq(read(ready[0], &c, 1), 1);
}

static inline void *stand_still(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* A victim never outlives its test. */
static inline pid_t start(void (*body)(void))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		body();
		stand_still(NULL);
	}
	return pid;
}

static inline void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

static inline char state_of(pid_t tid)
{
	struct hf_stat stat;

	return hf_tid_stat(tid, &stat) == 0 ? stat.state : '\0';
}

static inline void wait_state(pid_t tid, char state)
{
	struct hf_deadline deadline = hf_deadline_in_ms(DEADLINE_MS);
	struct hf_nap nap = HF_NAP_INIT;

	while (state_of(tid) != state)
		ck_assert_msg(hf_nap(&nap, deadline), "%d does not come to state %c", (int)tid, state);
}

static inline void seize(pid_t tid)
{
	struct hf_deadline deadline = hf_deadline_in_ms(DEADLINE_MS);
	struct hf_nap nap = HF_NAP_INIT;
	int status, r;

	ck_assert_int_eq(hf_sys_seize(tid, 0), 0);
	ck_assert_int_eq(hf_sys_interrupt(tid), 0);
	while ((r = hf_sys_wait(tid, &status)) == 0)
		ck_assert_msg(hf_nap(&nap, deadline), "%d does not stop", (int)tid);
	ck_assert_int_eq(r, 1);
}

static inline void collect(void)
{
	struct hf_error err = HF_ERROR_INIT;
	int r = hf_tree_collect(hold, NULL, &tree, &err);

	ck_assert_msg(r == 0, "hf_tree_collect: %d, %s", r, err.text);
	ck_assert_uint_eq(fake_hold_noted(hold), 1);
}

static inline const struct hf_process *collect_and_find(pid_t pid)
{
	const struct hf_process *p;

	collect();
	p = hf_tree_find(tree, pid);
	ck_assert_ptr_nonnull(p);
	return p;
}

/* The process of a hold of one thread in this state. */
static inline const struct hf_process *collect_one(pid_t pid, enum hf_task_state state, char found)
{
	fake_hold_add_level(hold, "/pod", false);
	fake_hold_add(hold, pid, pid, state, found);
	return collect_and_find(pid);
}

/* The path that /proc gives a zombie on v2; false where there is no v2. */
static inline bool v2_path_of(pid_t pid, char *path, size_t cap)
{
	struct hf_buf buf = { 0 };
	char name[64];
	const char *found;
	size_t len;
	bool ok;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	ok = hf_read_at(AT_FDCWD, name, &buf) == 0 &&
	     hf_proc_cgroup_find(buf.data, buf.len, 2, &found, &len) == 0 && len < cap;
	if (ok) {
		memcpy(path, found, len);
		path[len] = '\0';
	}
	hf_buf_done(&buf);
	return ok;
}

/* ---- Victims of more than one test ------------------------------------------------------- */

static inline void be_named(void)
{
	setsid();
	prctl(PR_SET_NAME, "a) R (\n\xff\"");
	say_ready();
}

static inline void be_bad_parent(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	shared->child = child;
	say_ready();
}

#define OTHER_UID 12345

static inline void *outlive(void *unused)
{
	prctl(PR_SET_NAME, "survivor");
	shared->tids[0] = hf_sys_gettid();
	/* The system call changes this thread alone, as it does for all but the dead. */
	if (syscall(SYS_setresuid, OTHER_UID, OTHER_UID, OTHER_UID) < 0)
		_exit(1);
	say_ready();
	return stand_still(unused);
}

static inline void lose_leader(void)
{
	pthread_t thread;

	prctl(PR_SET_NAME, "leader");
	if (pthread_create(&thread, NULL, outlive, NULL) != 0)
		_exit(1);
	pthread_exit(NULL);
}

/* ---- Suites ------------------------------------------------------------------------------ */

static inline TCase *add_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 10);
	suite_add_tcase(suite, tc);
	return tc;
}

/* What only root may do is left out for others, and said. */
static inline void add_for_root(TCase *tc, const TTest *test, const char *what)
{
	if (geteuid() == 0)
		tcase_add_test(tc, test);
	else
		printf("left out: %s: only root can make the victim\n", what);
}

#endif
