/* SPDX-License-Identifier: MIT */
/*
 * event - see event.h.
 */
#include "event.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum hf_stop hf_stop_of(int wait_status, int *ret_sig)
{
	int sig = 0;
	enum hf_stop stop;

	if (WIFSIGNALED(wait_status)) {
		sig = WTERMSIG(wait_status);
		stop = HF_STOP_DEATH;
	} else if (WIFEXITED(wait_status)) {
		stop = HF_STOP_DEATH;
	} else if (WIFSTOPPED(wait_status)) {
		sig = WSTOPSIG(wait_status);
		switch (wait_status >> 16) {
		case 0:
			stop = HF_STOP_SIGNAL;
			break;
		case PTRACE_EVENT_STOP:
			/*
			 * In a group-stop the signal is the one that stopped the group, which can
			 * never be SIGTRAP (ptrace(2), "Group-stop", under PTRACE_SEIZE).
			 */
			stop = sig == SIGTRAP ? HF_STOP_TRAP : HF_STOP_GROUP;
			if (stop == HF_STOP_TRAP)
				sig = 0;
			break;
		case PTRACE_EVENT_FORK:
		case PTRACE_EVENT_VFORK:
		case PTRACE_EVENT_CLONE:
			stop = HF_STOP_BIRTH;
			sig = 0;
			break;
		default:
			stop = HF_STOP_EVENT;
			sig = 0;
			break;
		}
	} else {
		stop = HF_STOP_UNKNOWN;
	}
	if (ret_sig)
		*ret_sig = sig;
	return stop;
}
