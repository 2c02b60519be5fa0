/* SPDX-License-Identifier: MIT */
/*
 * regs - the registers of a held thread, as far as a system call shows in them.  The only file that
 * knows how the architectures lay them out.  Decoding is pure and the same on every machine, so that
 * each architecture is tested on any.
 */
#ifndef HF_REGS_H
#define HF_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The ABI of a thread, which need not be that of its kernel. */
enum hf_arch {
	HF_ARCH_X86_64 = 1,
	HF_ARCH_I386,
	HF_ARCH_AARCH64,
	HF_ARCH_ARM,
};

#define HF_REGS_SIZE_MAX 272	/* NT_PRSTATUS of aarch64 */

struct hf_regs {
	enum hf_arch arch;
	long nr;		/* system call through which it came to this stop; -1 when none */
	int64_t result;		/* what that call has returned, unless it is to be restarted */
	uint64_t args[6];	/* aarch64: the result has taken the place of the first */
	uint64_t pc;		/* where it goes on in user space; 0 for an io_uring worker */
	bool again;		/* aarch64: pc is back at the call, which is to be made again */
	size_t size;		/* of set */
	unsigned char set[HF_REGS_SIZE_MAX];	/* NT_PRSTATUS, as the kernel gave it */
};

/*
 * Pure: NT_PRSTATUS of any of these ABIs, told apart by their sizes.  0, or -EBADMSG for another size.  On aarch64
 * nr is what it would be if the thread was in a call: hf_regs_confirm() finds out.
 */
int hf_regs_decode(const void *set, size_t size, struct hf_regs *ret);

/*
 * Pure: whether the instructions around pc, the word at hf_regs_code_at(), bear out that it came to this stop
 * through the system call `nr` of its own ABI.  *ret_again: it is about to make that call, not back from it.
 */
bool hf_regs_is_call(const struct hf_regs *regs, uint64_t code, bool *ret_again);
uint64_t hf_regs_code_at(const struct hf_regs *regs);

/*
 * Pure: whether it slept in its call until the stop woke it, for the call is to be made again, or says EINTR.  Where the
 * call has ended with another result, or there was none, nothing is proven.  Nor is it for who asks without waiting
 * (poll(2) and its like, which a stop ends all the same) if the struct timespec or timeval at *ret_timeout is 0; 0: no such.
 */
bool hf_regs_slept(const struct hf_regs *regs, uint64_t *ret_timeout);

/* Pure: change the set so that the call which returned -EINTR is made again with this first argument. */
void hf_regs_make_again(struct hf_regs *regs, uint64_t first);

/* Pure: change the set so that the call returns this instead. */
void hf_regs_set_result(struct hf_regs *regs, int64_t result);

/* The registers of a held thread: one ptrace request.  -ESRCH when it is gone or not stopped. */
int hf_regs_read(pid_t tid, struct hf_regs *ret);
/* Whether a call of it may have returned -EINTR, 32-bit ones among them: where one word tells, half of the price. */
bool hf_regs_may_be_eintr(pid_t tid);
/* aarch64: set nr to -1 when the thread is in no call, and `again`; one more request.  Elsewhere they are right as they are. */
int hf_regs_confirm(pid_t tid, struct hf_regs *regs);
/* Write the set back. */
int hf_regs_write(pid_t tid, const struct hf_regs *regs);

#endif
