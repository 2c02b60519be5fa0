/* SPDX-License-Identifier: MIT */
/*
 * command - the COMMAND of `run`: looked for, started as the normal program that it would be without us, watched,
 * told to end.  Knows nothing of holds.
 */
#ifndef HF_COMMAND_H
#define HF_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct hf_command {
	char **argv;
	pid_t pid;		/* 0 before it was started, and once it has been reaped */
	int exec_fd;		/* where a failed exec is told */
	int status;		/* as a shell says it, once it has ended: its own, or 128 + signal */
	int exec_code;		/* why it was not run at all, a positive errno; 0 when it was */
};
#define HF_COMMAND_INIT { .exec_fd = -1 }

/*
 * Whether there is such a program, by the rules of execvp(3): 0, or a positive errno.  For asking before anything
 * is stopped; what is true then may be otherwise when it is run.
 */
int hf_command_look(const char *name);

/* The exit status for a program that cannot be run for that reason, as a shell has it: 126 or 127. */
int hf_command_exit_of(int code);

/*
 * Start it with the environment of this process.  It has the signal mask, the dispositions and the descriptors that
 * holdfast was started with, the terminal, and SIGTERM should holdfast die.  That is tied to the thread that
 * calls this (prctl(2), PR_SET_PDEATHSIG), which so has to be one that lasts.  0 or -errno.
 */
int hf_command_start(struct hf_command *c);

/*
 * Ctrl-Z has stopped all of the foreground, what the command waits for included, but us, who do not stop: let them go
 * on.  Also when the terminal's signal is seen: a command that waits for a child of vfork(2) does not show as stopped
 * (a shell that was about to run a program stood so for ever).
 */
void hf_command_go_on(const struct hf_command *c);

/*
 * Whether it has ended; reaps it, and then fills status and exec_code.  Never blocks.  Upon SIGCHLD.  A command
 * that Ctrl-Z has stopped is continued, with its process group: it would stand in the way of its own end.
 */
bool hf_command_ended(struct hf_command *c);

/* Send it a signal, if it runs. */
void hf_command_signal(const struct hf_command *c, int sig);

void hf_command_done(struct hf_command *c);

#endif
