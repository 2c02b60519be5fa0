/* SPDX-License-Identifier: MIT */
/*
 * event - what a wait status of a seized thread means.  Pure: a number in, a word out.  What to
 * do about it is task's to say.
 */
#ifndef HF_EVENT_H
#define HF_EVENT_H

#include <stdbool.h>

enum hf_stop {
	HF_STOP_UNKNOWN = 0,	/* no status that ptrace(2) describes for a seized thread */
	HF_STOP_TRAP,		/* PTRACE_EVENT_STOP with SIGTRAP: our interrupt, or a newborn's first stop */
	HF_STOP_GROUP,		/* PTRACE_EVENT_STOP with a stop signal: it is in a group-stop */
	HF_STOP_SIGNAL,		/* signal-delivery-stop: the signal has been taken off the queue */
	HF_STOP_BIRTH,		/* PTRACE_EVENT_FORK, VFORK or CLONE: a newborn is attached as well */
	HF_STOP_EVENT,		/* another ptrace event that we never ask for */
	HF_STOP_DEATH,		/* exited, or killed */
	HF_STOP_COUNT
};

/*
 * *ret_sig (may be NULL): the stop signal, the signal to be delivered, or the one that killed; else 0.
 */
enum hf_stop hf_stop_of(int wait_status, int *ret_sig);

#endif
