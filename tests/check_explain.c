/* SPDX-License-Identifier: MIT */
/*
 * check_explain - each reason why ptrace(2) says EPERM is told from the others, and sleeps are told by what they
 * wait for.
 */
#include "explain.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "procfs.h"
#include "suite.h"

#define NOBODY 65534

static char text[512];

static void await_letter(pid_t pid, char letter)
{
	struct hf_deadline deadline = hf_deadline_in_ms(20000);
	struct hf_nap nap = HF_NAP_INIT;
	struct hf_stat st;

	while (hf_tid_stat(pid, &st) < 0 || st.state != letter)
		ck_assert_msg(hf_nap(&nap, deadline), "%d is not in state %c", (int)pid, letter);
}

/* A child that sleeps; reaped by end(). */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	ck_assert_int_gt(pid, 0);
	await_letter(pid, 'S');
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void explained(pid_t tid, const char *words)
{
	hf_explain_eperm(tid, text, sizeof(text));
	ck_assert_msg(strstr(text, words), "\"%s\" does not say \"%s\"", text, words);
}

START_TEST(a_thread_that_is_gone)
{
	pid_t pid = sleeper();

	end(pid);
	explained(pid, "gone");
}
END_TEST

START_TEST(a_dead_one)
{
	pid_t pid = sleeper();

	kill(pid, SIGKILL);
	await_letter(pid, 'Z');
	explained(pid, "dead and not yet reaped");
	end(pid);
}
END_TEST

START_TEST(a_kernel_thread)
{
	struct hf_stat st;

	/* kthreadd is process 2 of the machine; a PID namespace has none. */
	if (hf_tid_stat(2, &st) < 0 || !(st.flags & HF_PF_KTHREAD))
		return;
	explained(2, "kernel thread");
}
END_TEST

START_TEST(ourselves)
{
	explained(getpid(), "our own process");
}
END_TEST

START_TEST(somebody_elses_tracee)
{
	pid_t victim = sleeper(), tracer;
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	tracer = fork();
	if (tracer == 0) {
		if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) < 0)
			_exit(1);
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	snprintf(text, sizeof(text), "traced by %d", (int)tracer);
	{
		char words[64];

		memcpy(words, text, sizeof(words));
		explained(victim, words);
	}
	end(tracer);
	end(victim);
}
END_TEST

/* Run fn as nobody, without capabilities, and pass on what it returns. */
static void as_nobody(int (*fn)(pid_t victim), pid_t victim)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(100);
		_exit(fn(victim));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}

static int says_other_uid(pid_t victim)
{
	hf_explain_eperm(victim, text, sizeof(text));
	return !strstr(text, "runs as uid 0") || !strstr(text, "without CAP_SYS_PTRACE");
}

static int says_not_dumpable(pid_t victim)
{
	pid_t pid = fork();
	int bad;

	(void)victim;
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		for (;;)
			pause();
	}
	await_letter(pid, 'S');
	hf_explain_eperm(pid, text, sizeof(text));
	bad = !strstr(text, "not dumpable") && !strstr(text, "Yama");
	end(pid);
	return bad;
}

static int says_seccomp(pid_t victim)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return 99;
	hf_explain_eperm(victim, text, sizeof(text));
	return !strstr(text, "seccomp filter of our own");
}

START_TEST(another_user)
{
	pid_t victim = sleeper();

	as_nobody(says_other_uid, victim);
	end(victim);
}
END_TEST

START_TEST(not_dumpable)
{
	as_nobody(says_not_dumpable, 0);
}
END_TEST

START_TEST(a_filter_of_our_own)
{
	pid_t victim = sleeper();

	as_nobody(says_seccomp, victim);
	end(victim);
}
END_TEST

/* ---- Sleeps ------------------------------------------------------------------------------------ */

START_TEST(a_vfork_parent_waits_for_its_child)
{
	pid_t pid = fork(), child = 0;

	if (pid == 0) {
		if (vfork() == 0)
			for (;;)
				pause();
		_exit(0);
	}
	await_letter(pid, 'D');
	ck_assert_int_eq(hf_explain_sleep(pid, &child), HF_SLEEP_VFORK);
	ck_assert_int_gt(child, pid);
	hf_explain_stuck(pid, text, sizeof(text));
	ck_assert_msg(strstr(text, "state D") && strstr(text, "vfork"), "\"%s\"", text);
	end(child);
	end(pid);
}
END_TEST

START_TEST(an_ordinary_sleep_is_none)
{
	pid_t pid = sleeper();

	ck_assert_int_eq(hf_explain_sleep(pid, NULL), HF_SLEEP_NONE);
	hf_explain_who(pid, text, sizeof(text));
	ck_assert_msg(strstr(text, "("), "\"%s\"", text);
	end(pid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tc = tcase_create("eperm");

	tcase_add_test(tc, a_thread_that_is_gone);
	tcase_add_test(tc, a_dead_one);
	tcase_add_test(tc, a_kernel_thread);
	tcase_add_test(tc, ourselves);
	tcase_add_test(tc, somebody_elses_tracee);
	if (geteuid() == 0) {
		tcase_add_test(tc, another_user);
		tcase_add_test(tc, not_dumpable);
		tcase_add_test(tc, a_filter_of_our_own);
	} else {
		printf("left out: what another user is told, since we are not root\n");
	}
	suite_add_tcase(suite, tc);
	tc = tcase_create("sleeps");
	tcase_add_test(tc, a_vfork_parent_waits_for_its_child);
	tcase_add_test(tc, an_ordinary_sleep_is_none);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
