/* SPDX-License-Identifier: MIT */
/*
 * check_threads - tests of pstree/threads.c and call.c: what is found out about each thread.
 */
#include <dirent.h>
#include <linux/io_uring.h>
#include <sched.h>

#include "still.h"

#define THREADS 17		/* with 15 bytes of 255 each for a name */
_Static_assert(THREADS <= TIDS_MAX, "room for their tids");

static void be_busy(void)
{
	for (;;)
		shared->turns++;
}

START_TEST(a_thread_in_user_space_is_in_no_system_call)
{
	struct hf_deadline deadline = hf_deadline_in_ms(DEADLINE_MS);
	struct hf_nap nap = HF_NAP_INIT;
	pid_t pid = start(be_busy);

	while (shared->turns == 0)
		ck_assert(hf_nap(&nap, deadline));
	seize(pid);
	ck_assert_int_eq(collect_one(pid, HF_TASK_HELD, 'R')->threads[0].syscall, -1);
	end(pid);
}
END_TEST

static void *be_thread(void *number)
{
	size_t i = (size_t)number, byte;
	char name[16] = "";

	for (byte = 0; byte < 15; byte++)
		name[byte] = (char)(i * 15 + byte + 1);
	prctl(PR_SET_NAME, name);
	shared->tids[i] = hf_sys_gettid();
	say_ready();
	return stand_still(NULL);
}

static void be_threads(void)
{
	pthread_t thread;
	size_t i;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, be_thread, (void *)i) != 0)
			_exit(1);
}

static void check_names(const struct hf_process *p)
{
	size_t i, byte;

	ck_assert_uint_eq(p->n_threads, THREADS + 1);
	ck_assert_int_eq(p->threads[0].tid, p->pid);
	for (i = 0; i < THREADS; i++) {
		const struct hf_thread *t = &p->threads[i + 1];

		ck_assert_int_gt(t->tid, p->threads[i].tid);
		ck_assert_uint_eq(t->n_nstid, p->n_nspid);
		ck_assert_int_eq(t->nstid[0], t->tid);
		ck_assert_uint_eq(strlen(t->comm), 15);
		for (byte = 0; byte < 15; byte++)
			ck_assert_int_eq((unsigned char)t->comm[byte], i * 15 + byte + 1);
	}
}

static const struct hf_process *collect_threads(pid_t pid)
{
	size_t i;

	/* The leader last, and the others backwards. */
	for (i = THREADS; i-- > 0;)
		fake_hold_add(hold, shared->tids[i], pid, HF_TASK_ASKED, 'S');
	fake_hold_add(hold, pid, pid, HF_TASK_ASKED, 'S');
	return collect_and_find(pid);
}

START_TEST(the_name_of_a_thread_may_be_any_bytes)
{
	pid_t pid = start(be_threads);

	wait_ready(THREADS);
	check_names(collect_threads(pid));
	end(pid);
}
END_TEST

static void be_namespace(void)
{
	pid_t child;

	if (unshare(CLONE_NEWPID) < 0)
		_exit(1);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_threads();
		stand_still(NULL);
	}
	shared->child = child;
	say_ready();
}

START_TEST(ids_in_every_pid_namespace)
{
	pid_t parent = start(be_namespace), t0;
	const struct hf_process *p;
	struct hf_status status;
	size_t i;

	wait_ready(1 + THREADS);
	/* It knows its threads by their ids in its own namespace: learn ours. */
	t0 = shared->child;
	for (i = 0; i < THREADS; i++) {
		do
			ck_assert_int_lt(++t0 - shared->child, 10000);
		while (hf_tid_status(t0, &status) < 0 || status.tgid != shared->child);
		ck_assert_int_eq(status.nspid[status.n_nspid - 1], (pid_t)i + 2);
		shared->tids[i] = t0;
	}
	p = collect_threads(shared->child);
	check_names(p);
	ck_assert_uint_ge(p->n_nspid, 2);
	ck_assert_int_eq(p->nspid[p->n_nspid - 1], 1);
	for (i = 1; i <= THREADS; i++)
		ck_assert_int_eq(p->threads[i].nstid[p->n_nspid - 1], (pid_t)i + 1);
	end(shared->child);
	end(parent);
}
END_TEST

static int io_uring_with_a_thread(void)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1 };

	return (int)syscall(SYS_io_uring_setup, 4, &params);
}

static void *borrow_a_name(void *unused)
{
	prctl(PR_SET_NAME, "iou-borrowed");
	shared->tids[0] = hf_sys_gettid();
	say_ready();
	return stand_still(unused);
}

static void be_io_uring(void)
{
	pthread_t thread;

	if (io_uring_with_a_thread() < 0 || pthread_create(&thread, NULL, borrow_a_name, NULL) != 0)
		_exit(1);
}

/* The thread of this process that is neither of the two. */
static pid_t third_thread(pid_t pid, pid_t second)
{
	char path[64];
	struct dirent *entry;
	pid_t third = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != pid &&
		    atoi(entry->d_name) != second)
			third = atoi(entry->d_name);
	closedir(dir);
	return third;
}

START_TEST(io_uring_workers_are_told_by_more_than_a_name)
{
	pid_t pid = start(be_io_uring), second, third;
	const struct hf_process *p;
	size_t i;

	wait_ready(1);
	second = shared->tids[0];
	third = third_thread(pid, second);
	ck_assert_int_gt(third, 0);
	seize(second);
	seize(third);
	fake_hold_add(hold, pid, pid, HF_TASK_ASKED, 'S');
	fake_hold_add(hold, second, pid, HF_TASK_HELD, 'S');
	fake_hold_add(hold, third, pid, HF_TASK_HELD, 'S');
	p = collect_and_find(pid);
	for (i = 0; i < p->n_threads; i++) {
		ck_assert_int_eq(p->threads[i].io_worker, p->threads[i].tid == third);
		if (p->threads[i].tid == third)
			ck_assert_int_eq(p->threads[i].syscall, -1);
	}
	/* The process is not dead for its parent before its tracer has reaped the threads. */
	kill(pid, SIGKILL);
	waitpid(second, NULL, __WALL);
	waitpid(third, NULL, __WALL);
	end(pid);
}
END_TEST

/* The child is there, sharing memory, until the parent is killed. */
static void be_vfork_parent(void)
{
	if (vfork() == 0) {
		shared->child = getpid();
		say_ready();
		stand_still(NULL);
	}
}

START_TEST(an_armed_thread_says_where_it_waits)
{
	pid_t pid = start(be_vfork_parent);
	const struct hf_process *p, *child;
	struct hf_syscall call;

	wait_ready(1);
	wait_state(pid, 'D');
	fake_hold_add(hold, pid, pid, HF_TASK_ARMED, 'D')->other = shared->child;
	fake_hold_add(hold, shared->child, shared->child, HF_TASK_ASKED, 'S');
	collect();
	p = hf_tree_find(tree, pid);
	child = hf_tree_find(tree, shared->child);
	ck_assert_ptr_eq(p->first_child, child);
	ck_assert_ptr_eq(child->parent, p);
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_ARMED);
	ck_assert_int_eq(p->threads[0].waits_for, child->pid);
	ck_assert_int_eq(child->threads[0].waits_for, 0);
	ck_assert_int_eq(hf_tid_syscall(pid, &call), 0);
	ck_assert_int_ge(call.nr, 0);
	ck_assert_int_eq(p->threads[0].syscall, call.nr);
	if (geteuid() == 0)
		ck_assert_ptr_nonnull(p->threads[0].wchan);
	end(shared->child);
	end(pid);
}
END_TEST

/* It was killed behind our back: the hold still believes that it is held. */
START_TEST(a_process_may_vanish_unnoticed)
{
	pid_t pid = start(be_named);
	const struct hf_process *p;

	wait_ready(1);
	end(pid);
	p = collect_one(pid, HF_TASK_HELD, 'S');
	ck_assert_int_eq(p->threads[0].state, HF_THREAD_HELD);
	ck_assert_int_eq(p->threads[0].syscall, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("threads");
	TCase *tc = add_case(suite, "threads");
	int ring = io_uring_with_a_thread();

	tcase_add_test(tc, a_thread_in_user_space_is_in_no_system_call);
	tcase_add_test(tc, the_name_of_a_thread_may_be_any_bytes);
	add_for_root(tc, ids_in_every_pid_namespace, "ids in every PID namespace");
	tcase_add_test(tc, an_armed_thread_says_where_it_waits);
	tcase_add_test(tc, a_process_may_vanish_unnoticed);
	if (ring >= 0)
		tcase_add_test(tc, io_uring_workers_are_told_by_more_than_a_name);
	else
		printf("left out: io_uring workers: io_uring_setup: %s\n", strerror(errno));
	close(ring);
	return hf_suite_run(suite);
}
