/* SPDX-License-Identifier: MIT */
/*
 * restart - what an interrupted system call of a held thread is made to do at its release.
 *
 * A freeze and a ptrace stop wake a sleeper, and most calls that come back for that are made again by the kernel
 * itself.  Some return EINTR instead, to programs that never expected it (signal(7), "Interruption of system calls
 * and library functions by stop signals").  Those of them that have had no effect yet are made again here.
 *
 * Which calls these are is a table, and judging one is pure: registers in, a verdict out.  What registers do not
 * tell, a second step asks the kernel for; when anything is not sure the call is left alone.
 */
#ifndef HF_RESTART_H
#define HF_RESTART_H

#include <sys/types.h>

#include "holdfast.h"
#include "regs.h"

/* What a verdict still hangs on. */
enum hf_restart_ask {
	HF_ASK_NOTHING = 0,
	HF_ASK_RECEIVER,	/* its descriptor is a socket whose recv and accept take all or nothing */
	HF_ASK_SENDER,		/* its descriptor is a socket whose send has sent nothing when it fails */
	HF_ASK_EPOLL,		/* aarch64: which epoll descriptor it was */
	HF_ASK_RING,		/* aarch64: which io_uring it was */
};

/*
 * Pure: what the registers say.  Good only where hf_regs_is_call() says that they are those of a call;
 * HF_RESTART_NONE when it did not return EINTR.
 */
enum hf_restart hf_restart_of(const struct hf_regs *regs, enum hf_restart_ask *ret_ask);

/* Pure: whether a time-out in registers is no longer than this.  False for any other, and for none. */
bool hf_restart_outlasts(const struct hf_regs *regs, uint64_t ns);

/*
 * The whole verdict about a thread that has been held for held_ns at least in a trap of ours (HF_TASK_HELD), by its
 * registers; *ret_first is the first argument of a call to be made again.  Asks the kernel only about threads whose call
 * returned EINTR.
 */
enum hf_restart hf_restart_judge(pid_t tid, pid_t tgid, const struct hf_regs *regs, uint64_t held_ns,
				 uint64_t *ret_first);

/*
 * Read the registers of such a thread, judge, and see to it that its call is made again once it is let
 * go.  One ptrace request where nothing was interrupted.  Returns what will become of it.
 */
enum hf_restart hf_restart_call(pid_t tid, pid_t tgid, uint64_t held_ns);

#endif
