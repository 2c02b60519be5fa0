/* SPDX-License-Identifier: MIT */
/*
 * check_reaper - PTRACE_SEIZE of a thread whose exec waits for a sibling that is ours to reap: the deadlock itself,
 * made by hand, and the helper that ends it.
 */
#include "reaper.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "procfs.h"
#include "suite.h"
#include "sys.h"

static int ready[2], poke[2];

static void *sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* A process of two threads, whose leader executes another program when it is poked. */
static pid_t start(void)
{
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(poke), 0);
	pid = fork();
	if (pid == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, sleep_for_ever, NULL) || write(ready[1], "", 1) != 1 ||
		    read(poke[0], &byte, 1) != 1)
			_exit(1);
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(2);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	return pid;
}

static pid_t sibling_of(pid_t pid)
{
	char path[64];
	struct dirent *e;
	pid_t tid = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)))
		if (atoi(e->d_name) > 0 && atoi(e->d_name) != pid)
			tid = atoi(e->d_name);
	closedir(dir);
	ck_assert_int_gt(tid, 0);
	return tid;
}

static void await_letter(pid_t tid, char letter)
{
	struct hf_deadline deadline = hf_deadline_in_ms(20000);
	struct hf_nap nap = HF_NAP_INIT;
	struct hf_stat st;

	while (hf_tid_stat(tid, &st) < 0 || st.state != letter)
		ck_assert_msg(hf_nap(&nap, deadline), "%d is not in state %c", (int)tid, letter);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

START_TEST(seize_and_exec_do_not_wait_for_each_other)
{
	pid_t pid = start(), sibling = sibling_of(pid);
	struct hf_task_set set = { 0 };
	struct hf_reaper *r = NULL;
	int seized;

	ck_assert_int_eq(hf_sys_seize(sibling, 0), 0);
	hf_task_set_add(&set, sibling)->state = HF_TASK_ASKED;
	ck_assert_int_eq(write(poke[1], "", 1), 1);
	/* The exec has killed it, and waits for us to reap it. */
	await_letter(sibling, 'Z');

	hf_reaper_enter(&r, &set);
	seized = hf_sys_seize(pid, 0);
	hf_reaper_leave(r);
	ck_assert_int_eq(seized, 0);
	ck_assert_int_eq(hf_task_set_find(&set, sibling)->state, HF_TASK_DIED);
	hf_reaper_end(r);
	hf_task_set_done(&set);
	end(pid);
}
END_TEST

START_TEST(stops_are_not_taken_for_deaths)
{
	struct hf_deadline deadline = hf_deadline_in_ms(20000);
	struct hf_nap nap = HF_NAP_INIT;
	pid_t pid = start();
	int status, r;

	ck_assert_int_eq(hf_sys_seize(pid, 0), 0);
	ck_assert_int_eq(hf_sys_interrupt(pid), 0);
	await_letter(pid, 't');
	ck_assert_int_eq(hf_sys_reap(pid), 0);
	/* It is still there to be waited for. */
	ck_assert_int_eq(hf_sys_wait(pid, &status), 1);
	ck_assert(WIFSTOPPED(status));
	kill(pid, SIGKILL);
	/* A leader can be reaped once the last of its threads has gone. */
	while ((r = hf_sys_reap(pid)) == 0)
		ck_assert(hf_nap(&nap, deadline));
	ck_assert_int_eq(r, 1);
	ck_assert_int_lt(hf_sys_reap(pid), 0);
}
END_TEST

START_TEST(an_unused_helper_ends)
{
	struct hf_task_set set = { 0 };
	struct hf_reaper *r = NULL;

	hf_reaper_end(NULL);
	hf_reaper_enter(&r, &set);
	hf_reaper_leave(r);
	hf_reaper_end(r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reaper");
	TCase *tc = tcase_create("deadlock");

	tcase_add_test(tc, seize_and_exec_do_not_wait_for_each_other);
	tcase_add_test(tc, stops_are_not_taken_for_deaths);
	tcase_add_test(tc, an_unused_helper_ends);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
