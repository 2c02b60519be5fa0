/* SPDX-License-Identifier: MIT */
/*
 * check_names - tests of base/names.c.
 */
#include "procfs.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "suite.h"

static const struct {
	int sig;
	const char *name;
} signals[] = {
	{ SIGHUP, "SIGHUP" },	      { SIGKILL, "SIGKILL" },	  { SIGSTOP, "SIGSTOP" },
	{ SIGTSTP, "SIGTSTP" },	      { SIGTTIN, "SIGTTIN" },	  { SIGTTOU, "SIGTTOU" },
	{ SIGCONT, "SIGCONT" },	      { SIGCHLD, "SIGCHLD" },	  { SIGSYS, "SIGSYS" },
	{ SIGIO, "SIGIO" },	      { SIGABRT, "SIGABRT" },	  { 34, "SIGRTMIN" },
	{ 35, "SIGRTMIN+1" },	      { 37, "SIGRTMIN+3" },	  { 64, "SIGRTMIN+30" },
	{ 32, "signal 32" },	      { 33, "signal 33" },	  { 65, "signal 65" },
	{ 77, "signal 77" },	      { 0, "signal 0" },	  { -1, "signal -1" },
	{ 1 << 30, "signal 1073741824" }, { -2147483647, "signal -2147483647" },
};

START_TEST(a_signal_has_its_name)
{
	char buf[32];

	ck_assert_str_eq(hf_signal_name(signals[_i].sig, buf, sizeof(buf)), signals[_i].name);
}
END_TEST

START_TEST(every_standard_signal_has_the_name_that_the_c_library_gives_it)
{
	char buf[32], want[32];

	snprintf(want, sizeof(want), "SIG%s", sigabbrev_np(_i));
	/* The C library has two words for this one. */
	ck_assert_str_eq(hf_signal_name(_i, buf, sizeof(buf)), _i == SIGIO ? "SIGIO" : want);
}
END_TEST

START_TEST(a_small_buffer_is_not_overrun)
{
	char buf[8];

	memset(buf, FILLER, sizeof(buf));
	ck_assert_str_eq(hf_signal_name(77, buf, 5), "sign");
	ck_assert(is_untouched(buf + 5, 3));
}
END_TEST

static const struct {
	long nr;
	const char *name;
} calls[] = {
	{ SYS_read, "read" },
	{ SYS_futex, "futex" },
	{ SYS_epoll_pwait, "epoll_pwait" },
	{ SYS_clone, "clone" },
	{ SYS_wait4, "wait4" },
	{ SYS_execve, "execve" },
	{ SYS_nanosleep, "nanosleep" },
	{ SYS_clock_nanosleep, "clock_nanosleep" },
	{ SYS_restart_syscall, "restart_syscall" },
	{ SYS_io_uring_enter, "io_uring_enter" },
	{ SYS_process_vm_readv, "process_vm_readv" },
	{ SYS_openat2, "openat2" },
#ifdef SYS_vfork
	{ SYS_vfork, "vfork" },
	{ SYS_epoll_wait, "epoll_wait" },
	{ SYS_open, "open" },
	{ SYS_arch_prctl, "arch_prctl" },
#endif
	{ -1, NULL },
	{ 100000, NULL },
	{ 0x40000000, NULL },
};

START_TEST(a_system_call_has_its_name)
{
	const char *name = hf_syscall_name(calls[_i].nr);

	if (calls[_i].name)
		ck_assert_ptr_nonnull(name);
	ck_assert_pstr_eq(name, calls[_i].name);
}
END_TEST

/* Both tables of numbers are without a hole up to there, so a hole is a name that was forgotten. */
START_TEST(every_system_call_that_can_be_is_known)
{
#if defined(__x86_64__)
	const long last = 334;
#elif defined(__aarch64__)
	const long last = 243;
#else
	const long last = -1;
#endif
	long nr;

	for (nr = 0; nr <= last; nr++)
		ck_assert_msg(hf_syscall_name(nr) != NULL, "%ld has no name", nr);
}
END_TEST

static const struct {
	char letter;
	const char *word;
} states[] = {
	{ 'R', "running" }, { 'S', "sleeping" }, { 'D', "disk-sleep" }, { 'T', "stopped" },
	{ 't', "tracing-stop" }, { 'Z', "zombie" }, { 'X', "dead" }, { 'x', "dead" },
	{ 'P', "parked" }, { 'I', "idle" }, { 'F', "frozen" }, { 'r', "unknown" }, { '?', "unknown" },
	{ '\0', "unknown" }, { (char)0xff, "unknown" },
};

START_TEST(a_state_has_its_word)
{
	ck_assert_str_eq(hf_state_word(states[_i].letter), states[_i].word);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *names = tcase_create("names");

	tcase_add_loop_test(names, a_signal_has_its_name, 0, (int)COUNT_OF(signals));
	tcase_add_loop_test(names, every_standard_signal_has_the_name_that_the_c_library_gives_it,
			    1, 32);
	tcase_add_test(names, a_small_buffer_is_not_overrun);
	tcase_add_loop_test(names, a_system_call_has_its_name, 0, (int)COUNT_OF(calls));
	tcase_add_test(names, every_system_call_that_can_be_is_known);
	tcase_add_loop_test(names, a_state_has_its_word, 0, (int)COUNT_OF(states));
	suite_add_tcase(suite, names);
	return hf_suite_run(suite);
}
