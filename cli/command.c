/* SPDX-License-Identifier: MIT */
/*
 * command - see command.h.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out.h"
#include "own.h"
#include "signals.h"

/* ---- Before -------------------------------------------------------------------------------- */

static int look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

int hf_command_look(const char *name)
{
	const char *dirs = getenv("PATH"), *end;
	char path[PATH_MAX];
	int code, worst = ENOENT;

	if (strchr(name, '/') || !*name)
		return look_at(name);
	/* Without PATH execvp(3) has one of its own, which is not ours to know. */
	if (!dirs)
		return 0;
	for (;; dirs = end + 1) {
		end = dirs + strcspn(dirs, ":");
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(end - dirs), dirs, end > dirs ? "/" : "", name);
		code = look_at(path);
		if (code == 0)
			return 0;
		if (code == EACCES)
			worst = EACCES;
		if (!*end)
			return worst;
	}
}

int hf_command_exit_of(int code)
{
	return code == ENOENT ? HF_EXIT_NOT_FOUND : HF_EXIT_NOT_EXECUTABLE;
}

/* ---- In the child -------------------------------------------------------------------------- */

/*
 * Between fork(2) and exec, beside threads that may have been inside malloc(): only what signal-safety(7) lists, and
 * execvp(3), which in glibc and musl needs no more than that.
 */
__attribute__((noreturn)) static void become(const struct hf_command *c, pid_t parent, int exec_fd)
{
	ssize_t n;
	int code;

	hf_signals_as_found();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Dead before that: nobody would tell us any more. */
	if (getppid() != parent)
		_exit(HF_EXIT_RUN_FAILED);
	execvp(c->argv[0], c->argv);
	code = errno;
	n = write(exec_fd, &code, sizeof(code));
	_exit(n == sizeof(code) ? hf_command_exit_of(code) : HF_EXIT_RUN_FAILED);
}

/* ---- While it runs ------------------------------------------------------------------------- */

int hf_command_start(struct hf_command *c)
{
	hf_owned_fd read_end = -1, write_end = -1;
	pid_t pid, parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	read_end = ends[0];
	write_end = ends[1];
	pid = fork();
	if (pid == 0)
		become(c, parent, write_end);
	if (pid < 0)
		return -errno;
	c->pid = pid;
	c->exec_fd = hf_take_fd(&read_end);
	return 0;
}

/* 1 and *info when it has ended or was stopped. */
static int look_for(const struct hf_command *c, int what, siginfo_t *info)
{
	int r;

	info->si_pid = 0;
	do
		r = waitid(P_PID, (id_t)c->pid, info, what | WNOHANG);
	while (r < 0 && errno == EINTR);
	return r == 0 && info->si_pid == c->pid;
}

void hf_command_go_on(const struct hf_command *c)
{
	if (c->pid == 0)
		return;
	if (getpgid(c->pid) == getpgrp())
		kill(0, SIGCONT);
	else
		hf_command_signal(c, SIGCONT);
}

bool hf_command_ended(struct hf_command *c)
{
	siginfo_t info;

	if (c->pid == 0)
		return true;
	/*
	 * SIGTTIN and SIGTTOU would come again at once: those wait for the shell's `fg`, and SIGSTOP for whoever has
	 * sent it.
	 */
	if (look_for(c, WSTOPPED, &info) && info.si_status == SIGTSTP)
		hf_command_go_on(c);
	if (!look_for(c, WEXITED, &info))
		return false;
	c->pid = 0;
	c->status = info.si_code == CLD_EXITED ? info.si_status : HF_EXIT_BY_SIGNAL + info.si_status;
	if (read(c->exec_fd, &c->exec_code, sizeof(c->exec_code)) != sizeof(c->exec_code))
		c->exec_code = 0;
	return true;
}

void hf_command_signal(const struct hf_command *c, int sig)
{
	/* Not reaped, so that the pid is its own. */
	if (c->pid > 0)
		kill(c->pid, sig);
}

void hf_command_done(struct hf_command *c)
{
	hf_own_close(&c->exec_fd);
	c->exec_fd = -1;
}
