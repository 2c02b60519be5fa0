/* SPDX-License-Identifier: MIT */
/*
 * calls COMMAND [ARG...] - run a command, and count the system calls of it and of whatever it starts: exactly, whatever
 * the mood of the machine.  When all have ended they are told on standard error as one line of JSON, by name.  A command
 * that traces others can be counted as well.  Ends as the command does.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procfs.h"

#define CALLS_MAX 1024
#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)

static unsigned long counts[CALLS_MAX];

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	raise(SIGSTOP);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

static void count_entry(pid_t tid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY &&
	    info.entry.nr < CALLS_MAX)
		counts[info.entry.nr]++;
}

/* What a stop of a tracee is to go on with: a signal that is its own. */
static int signal_of(pid_t tid, int status)
{
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		count_entry(tid);
		return 0;
	}
	return status >> 16 ? 0 : sig;
}

static int follow_all(pid_t first)
{
	int status, result = 125;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid <= 0)
			continue;
		if (WIFSTOPPED(status)) {
			ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(long)signal_of(tid, status));
			continue;
		}
		if (tid == first)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return result;
}

int main(int argc, char **argv)
{
	const char *before = "{";
	int status, result;
	pid_t pid;
	long nr;

	if (argc < 2) {
		fputs("usage: calls COMMAND [ARG...]\n", stderr);
		return 2;
	}
	pid = start(argv + 1);
	if (waitpid(pid, &status, WUNTRACED) < 0 || ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) < 0)
		die("tracing");
	kill(pid, SIGCONT);
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	result = follow_all(pid);
	for (nr = 0; nr < CALLS_MAX; nr++) {
		const char *name = hf_syscall_name(nr);

		if (!counts[nr])
			continue;
		if (name)
			fprintf(stderr, "%s\"%s\":%lu", before, name, counts[nr]);
		else
			fprintf(stderr, "%s\"%ld\":%lu", before, nr, counts[nr]);
		before = ",";
	}
	fputs(before[0] == '{' ? "{}\n" : "}\n", stderr);
	return result;
}
