/* SPDX-License-Identifier: MIT */
/*
 * call - which system call a held thread is in, told by its registers: one request
 * instead of the three that /proc/TID/syscall costs.  The only file of pstree/ that depends on the
 * architecture.
 */
#ifndef HF_CALL_H
#define HF_CALL_H

#include <stdint.h>

#include "holdfast.h"

struct hf_call {
	long nr;	/* in the thread's own ABI (it may be a 32-bit one); -1 when in none */
	uint64_t pc;	/* where it goes on in user space; 0 for an io_uring worker */
};

/* As hf_hold_registers(): -ESRCH when the thread is gone, -EAGAIN when it is not stopped. */
int hf_call_of(hf_hold *hold, pid_t tid, struct hf_call *ret, struct hf_error *err);

#endif
