/* SPDX-License-Identifier: MIT */
/*
 * check_event - every kind of wait status of a seized thread means what ptrace(2) says it means.
 */
#include "event.h"

#include <signal.h>
#include <sys/ptrace.h>

#include "suite.h"

/* As the kernel builds them: wait(2), and ptrace(2) "Stopped states". */
#define STOPPED(sig, event) (((event) << 16) | ((sig) << 8) | 0x7f)
#define EXITED(code) ((code) << 8)
#define KILLED(sig) (sig)
#define DUMPED(sig) ((sig) | 0x80)

static const struct {
	int status;
	enum hf_stop stop;
	int sig;
} cells[] = {
	{ STOPPED(SIGTRAP, PTRACE_EVENT_STOP), HF_STOP_TRAP, 0 },
	{ STOPPED(SIGSTOP, PTRACE_EVENT_STOP), HF_STOP_GROUP, SIGSTOP },
	{ STOPPED(SIGTSTP, PTRACE_EVENT_STOP), HF_STOP_GROUP, SIGTSTP },
	{ STOPPED(SIGTTIN, PTRACE_EVENT_STOP), HF_STOP_GROUP, SIGTTIN },
	{ STOPPED(SIGTTOU, PTRACE_EVENT_STOP), HF_STOP_GROUP, SIGTTOU },
	{ STOPPED(SIGUSR1, 0), HF_STOP_SIGNAL, SIGUSR1 },
	{ STOPPED(SIGSTOP, 0), HF_STOP_SIGNAL, SIGSTOP },
	{ STOPPED(SIGTRAP, 0), HF_STOP_SIGNAL, SIGTRAP },
	{ STOPPED(64, 0), HF_STOP_SIGNAL, 64 },
	{ STOPPED(SIGTRAP, PTRACE_EVENT_FORK), HF_STOP_BIRTH, 0 },
	{ STOPPED(SIGTRAP, PTRACE_EVENT_VFORK), HF_STOP_BIRTH, 0 },
	{ STOPPED(SIGTRAP, PTRACE_EVENT_CLONE), HF_STOP_BIRTH, 0 },
	{ STOPPED(SIGTRAP, PTRACE_EVENT_EXEC), HF_STOP_EVENT, 0 },
	{ STOPPED(SIGTRAP, PTRACE_EVENT_EXIT), HF_STOP_EVENT, 0 },
	{ STOPPED(SIGTRAP, PTRACE_EVENT_VFORK_DONE), HF_STOP_EVENT, 0 },
	{ STOPPED(SIGTRAP, PTRACE_EVENT_SECCOMP), HF_STOP_EVENT, 0 },
	{ EXITED(0), HF_STOP_DEATH, 0 },
	{ EXITED(255), HF_STOP_DEATH, 0 },
	{ KILLED(SIGKILL), HF_STOP_DEATH, SIGKILL },
	{ DUMPED(SIGSEGV), HF_STOP_DEATH, SIGSEGV },
	{ 0xffff, HF_STOP_UNKNOWN, 0 },	/* continued: never asked for */
};

START_TEST(status_means_this_stop)
{
	int sig = -1;

	ck_assert_int_eq(hf_stop_of(cells[_i].status, &sig), cells[_i].stop);
	ck_assert_int_eq(sig, cells[_i].sig);
	ck_assert_int_eq(hf_stop_of(cells[_i].status, NULL), cells[_i].stop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event");
	TCase *tc = tcase_create("cells");

	tcase_add_loop_test(tc, status_means_this_stop, 0, COUNT_OF(cells));
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
