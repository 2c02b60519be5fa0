/* SPDX-License-Identifier: MIT */
/*
 * check_procfs_live - tests of the readers of base/procfs.c: on made-up directories, and on the
 * test's own tasks in the real /proc.
 */
#include "procfs.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "made.h"

#define STAT \
	"4619 (c at) R 4605 4605 2610 0 -1 4194304 101 0 0 0 0 0 0 0 20 0 1 0 120780 3133440 378\n"
#define HEAD \
	"Name:\tsrv\nState:\tS (sleeping)\nTgid:\t100\nPid:\t101\nPPid:\t50\nTracerPid:\t0\n" \
	"Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
#define TAIL "NSpid:\t101\t8\t2\nThreads:\t3\nSeccomp:\t0\n"

/* ---- Readers ------------------------------------------------------------------------------ */

START_TEST(readers_take_a_directory_and_a_name)
{
	struct hf_buf buf = { 0 };
	struct hf_stat stat;
	struct hf_status status;

	made_file("stat", (struct bytes)BYTES(STAT));
	made_file("status", (struct bytes)BYTES(HEAD TAIL));
	ck_assert_int_eq(hf_stat_read(made_fd, "stat", &buf, &stat), 0);
	ck_assert_int_eq(stat.pid, 4619);
	ck_assert_str_eq(stat.comm, "c at");
	ck_assert_uint_eq(stat.start_time_ticks, 120780);
	ck_assert_int_eq(hf_status_read(made_fd, "status", &buf, &status), 0);
	ck_assert_int_eq(status.pid, 101);
	hf_buf_done(&buf);
}
END_TEST

START_TEST(readers_fail_for_what_is_missing_empty_or_no_file)
{
	struct hf_buf buf = { 0 };
	struct hf_stat stat;
	struct hf_status status;

	memset(&stat, FILLER, sizeof(stat));
	memset(&status, FILLER, sizeof(status));
	made_file("empty", (struct bytes)BYTES(""));
	ck_assert_int_eq(hf_stat_read(made_fd, "none", &buf, &stat), -ENOENT);
	ck_assert_int_eq(hf_stat_read(made_fd, "empty", &buf, &stat), -EBADMSG);
	ck_assert_int_eq(hf_stat_read(made_fd, ".", &buf, &stat), -EISDIR);
	ck_assert_int_eq(hf_status_read(made_fd, "none", &buf, &status), -ENOENT);
	ck_assert_int_eq(hf_status_read(made_fd, "empty", &buf, &status), -EBADMSG);
	ck_assert(is_untouched(&stat, sizeof(stat)));
	ck_assert(is_untouched(&status, sizeof(status)));
	hf_buf_done(&buf);
}
END_TEST

/* "Groups:" may have 65536 members; what is needed comes behind it. */
START_TEST(a_status_may_be_longer_than_a_page)
{
	static char text[400000];
	struct hf_buf buf = { 0 };
	struct hf_status status;
	size_t len = (size_t)sprintf(text, HEAD "Groups:\t");
	int group;

	for (group = 0; group < 65536; group++)
		len += (size_t)sprintf(text + len, "%d ", group);
	len += (size_t)sprintf(text + len, "\n" TAIL);
	made_file("status", (struct bytes){ text, len });
	ck_assert_int_eq(hf_status_read(made_fd, "status", &buf, &status), 0);
	ck_assert_uint_eq(status.n_threads, 3);
	ck_assert_uint_eq(status.n_nspid, 3);
	hf_buf_done(&buf);
}
END_TEST

/* ---- The test's own tasks ----------------------------------------------------------------- */

static const char *const odd_names[] = {
	"plain", "a) R 1 (b", "new\nline", "\\n", "tab\tand\\back", "\xff\xfe(\x01", ")", "  ", "",
};

START_TEST(a_live_task_reads_as_what_it_is)
{
	struct hf_stat stat;
	struct hf_status status;
	pid_t tid = gettid();

	ck_assert_int_eq(prctl(PR_SET_NAME, odd_names[_i]), 0);
	ck_assert_int_eq(hf_tid_stat(tid, &stat), 0);
	ck_assert_str_eq(stat.comm, odd_names[_i]);
	ck_assert_int_eq(stat.pid, tid);
	ck_assert_int_eq(stat.state, 'R');
	ck_assert_int_eq(stat.ppid, getppid());
	ck_assert_int_eq(stat.pgid, getpgrp());
	ck_assert_int_eq(stat.sid, getsid(0));
	ck_assert_uint_eq(stat.n_threads, 1);
	ck_assert_uint_gt(stat.start_time_ticks, 0);
	ck_assert_uint_eq(stat.flags & (HF_PF_KTHREAD | HF_PF_IO_WORKER), 0);
	ck_assert_int_eq(hf_tid_status(tid, &status), 0);
	ck_assert_str_eq(status.comm, odd_names[_i]);
	ck_assert_int_eq(status.pid, tid);
	ck_assert_int_eq(status.tgid, getpid());
	ck_assert_int_eq(status.ppid, getppid());
	ck_assert_int_eq(status.state, 'R');
	ck_assert_uint_eq(status.uid, getuid());
	ck_assert_uint_eq(status.euid, geteuid());
	ck_assert_uint_eq(status.egid, getegid());
	ck_assert_uint_eq(status.n_threads, 1);
	ck_assert_uint_ge(status.n_nspid, 1);
	ck_assert_int_eq(status.nspid[0], tid);
}
END_TEST

START_TEST(pending_signals_are_seen)
{
	struct hf_status status;
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq((int)syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2), 0);
	ck_assert_int_eq(hf_tid_status(gettid(), &status), 0);
	ck_assert_uint_eq(status.shared_pending, 1ull << (SIGUSR1 - 1));
	ck_assert_uint_eq(status.sig_pending, 1ull << (SIGUSR2 - 1));
}
END_TEST

START_TEST(a_live_task_in_a_system_call_shows_which)
{
	char wchan[HF_WCHAN_MAX];
	struct hf_syscall sc;

	/* A task that looks at itself is inside the pread(2) with which it looks. */
	ck_assert_int_eq(hf_tid_syscall(gettid(), &sc), 0);
	ck_assert(!sc.running);
	ck_assert_int_eq(sc.nr, SYS_pread64);
	ck_assert_str_eq(hf_syscall_name(sc.nr), "pread64");
	ck_assert_uint_ne(sc.pc, 0);
	memset(wchan, FILLER, sizeof(wchan));
	ck_assert_int_eq(hf_tid_wchan(gettid(), wchan), 0);
	ck_assert_str_eq(wchan, "");
}
END_TEST

struct sleeper {
	int to_us[2], to_it[2];
	pid_t tid;
};

static void *sleep_in_read(void *arg)
{
	struct sleeper *s = arg;
	char byte;

	s->tid = gettid();
	ck_assert_int_eq(write(s->to_us[1], "", 1), 1);
	if (read(s->to_it[0], &byte, 1) != 1)
		return NULL;
	return s;
}

START_TEST(a_thread_that_is_no_leader_is_found_by_its_tid)
{
	struct hf_syscall sc = { .running = true };
	struct hf_status status;
	struct sleeper s;
	pthread_t thread;
	char byte, wchan[HF_WCHAN_MAX];
	void *result;

	ck_assert_int_eq(pipe(s.to_us), 0);
	ck_assert_int_eq(pipe(s.to_it), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, sleep_in_read, &s), 0);
	ck_assert_int_eq(read(s.to_us[0], &byte, 1), 1);
	ck_assert_int_eq(hf_tid_status(s.tid, &status), 0);
	ck_assert_int_ne(status.pid, getpid());
	ck_assert_int_eq(status.pid, s.tid);
	ck_assert_int_eq(status.tgid, getpid());
	ck_assert_uint_ge(status.n_threads, 2);	/* sanitizers may have one of their own */
	/* It has told us before it sleeps: look until it does; check's limit ends it otherwise. */
	while (sc.running || sc.nr != SYS_read || sc.args[0] != (uint64_t)s.to_it[0])
		ck_assert_int_eq(hf_tid_syscall(s.tid, &sc), 0);
	ck_assert_int_eq(hf_tid_wchan(s.tid, wchan), 0);
	ck_assert_ptr_nonnull(strstr(wchan, "pipe"));
	ck_assert_int_eq(write(s.to_it[1], "", 1), 1);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, &s);
}
END_TEST

START_TEST(a_zombie_reads_and_a_reaped_one_is_gone)
{
	char wchan[HF_WCHAN_MAX];
	struct hf_syscall sc;
	struct hf_stat stat;
	struct hf_status status;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(hf_tid_stat(pid, &stat), 0);
	ck_assert_int_eq(stat.state, 'Z');
	ck_assert_int_eq(stat.ppid, getpid());
	ck_assert_int_eq(hf_tid_status(pid, &status), 0);
	ck_assert_int_eq(status.state, 'Z');
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	memset(&stat, FILLER, sizeof(stat));
	memset(&status, FILLER, sizeof(status));
	memset(&sc, FILLER, sizeof(sc));
	memset(wchan, FILLER, sizeof(wchan));
	ck_assert(hf_is_gone(hf_tid_stat(pid, &stat)));
	ck_assert(hf_is_gone(hf_tid_status(pid, &status)));
	ck_assert(hf_is_gone(hf_tid_syscall(pid, &sc)));
	ck_assert(hf_is_gone(hf_tid_wchan(pid, wchan)));
	ck_assert(is_untouched(&stat, sizeof(stat)));
	ck_assert(is_untouched(&status, sizeof(status)));
	ck_assert(is_untouched(&sc, sizeof(sc)));
	ck_assert(is_untouched(wchan, sizeof(wchan)));
}
END_TEST

/* Opened while it lived, read when it is gone: read(2) says ESRCH then. */
START_TEST(a_task_that_dies_between_open_and_read_is_gone)
{
	struct hf_buf buf = { 0 };
	struct hf_stat stat;
	char path[32];
	pid_t pid = fork();
	int dir;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(hf_stat_read(dir, "stat", &buf, &stat), 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(hf_is_gone(hf_stat_read(dir, "stat", &buf, &stat)));
	close(dir);
	hf_buf_done(&buf);
}
END_TEST

START_TEST(a_stopped_task_reads_as_stopped)
{
	struct hf_status status;
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	ck_assert_int_eq(hf_tid_status(pid, &status), 0);
	ck_assert_int_eq(status.state, 'T');
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* Added to the suite only where setgroups(2) is allowed. */
START_TEST(a_live_task_may_be_in_thousands_of_groups)
{
	static gid_t groups[5000];
	struct hf_status status;
	gid_t i;

	for (i = 0; i < COUNT_OF(groups); i++)
		groups[i] = 100000 + i;
	ck_assert_int_eq(setgroups(COUNT_OF(groups), groups), 0);
	ck_assert_int_eq(hf_tid_status(gettid(), &status), 0);
	ck_assert_int_eq(status.pid, gettid());
	ck_assert_uint_eq(status.n_threads, 1);
}
END_TEST

START_TEST(our_own_cgroup_and_mounts_can_be_read)
{
	struct hf_buf buf = { 0 };
	char where[PATH_MAX];
	const char *path;
	size_t len;
	int found = 0, version, r;

	for (version = 1; version <= 2; version++) {
		ck_assert_int_eq(hf_read_at(AT_FDCWD, "/proc/self/mountinfo", &buf), 0);
		r = hf_mountinfo_find_cgroup(buf.data, buf.len, version, where, sizeof(where));
		if (r == -ENOENT)
			continue;
		ck_assert_int_eq(r, 0);
		ck_assert_int_eq(access(where, X_OK), 0);
		ck_assert_int_eq(hf_read_at(AT_FDCWD, "/proc/self/cgroup", &buf), 0);
		ck_assert_int_eq(hf_proc_cgroup_find(buf.data, buf.len, version, &path, &len), 0);
		found++;
	}
	if (!found)
		printf("left out: no freezer hierarchy is mounted here\n");
	hf_buf_done(&buf);
}
END_TEST

#define LOOP(tcase, test, table) tcase_add_loop_test(tcase, test, 0, (int)COUNT_OF(table))

static TCase *reader_case(void)
{
	TCase *tcase = tcase_create("readers");

	tcase_add_checked_fixture(tcase, made_setup, made_teardown);
	tcase_add_test(tcase, readers_take_a_directory_and_a_name);
	tcase_add_test(tcase, readers_fail_for_what_is_missing_empty_or_no_file);
	tcase_add_test(tcase, a_status_may_be_longer_than_a_page);
	return tcase;
}

static TCase *live_case(void)
{
	TCase *tcase = tcase_create("live");

	LOOP(tcase, a_live_task_reads_as_what_it_is, odd_names);
	tcase_add_test(tcase, pending_signals_are_seen);
	tcase_add_test(tcase, a_live_task_in_a_system_call_shows_which);
	tcase_add_test(tcase, a_thread_that_is_no_leader_is_found_by_its_tid);
	tcase_add_test(tcase, a_zombie_reads_and_a_reaped_one_is_gone);
	tcase_add_test(tcase, a_task_that_dies_between_open_and_read_is_gone);
	tcase_add_test(tcase, a_stopped_task_reads_as_stopped);
	tcase_add_test(tcase, our_own_cgroup_and_mounts_can_be_read);
	if (geteuid() == 0)
		tcase_add_test(tcase, a_live_task_may_be_in_thousands_of_groups);
	else
		printf("left out: thousands of groups, which only root can have\n");
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("procfs live");

	suite_add_tcase(suite, reader_case());
	suite_add_tcase(suite, live_case());
	return hf_suite_run(suite);
}
