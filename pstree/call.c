/* SPDX-License-Identifier: MIT */
/*
 * call - see call.h.
 */
#include "call.h"

#include <elf.h>
#include <sys/user.h>

#if defined(__x86_64__) && defined(__LP64__)

/*
 * orig_rax is the number in a system call and -1 outside: the entry code for interrupts and
 * exceptions stores -1 there (arch/x86/entry/entry_64.S).  It still is the number at a stop on the
 * way out of the call, so "in a call" means: it came to this stop through one.
 */
int hf_call_of(hf_hold *hold, pid_t tid, struct hf_call *ret, struct hf_error *err)
{
	union {
		struct user_regs_struct of64;
		struct {
			int32_t bx, cx, dx, si, di, bp, ax, ds, es, fs, gs;
			int32_t orig_ax;
			uint32_t ip, cs, flags, sp, ss;
		} of32;
	} regs;
	size_t size = sizeof(regs);
	int r = hf_hold_registers(hold, tid, NT_PRSTATUS, &regs, &size, err);

	if (r < 0)
		return r;
	/* The kernel writes the layout of the thread's ABI, and only the size tells which. */
	if (size == sizeof(regs.of32)) {
		ret->nr = regs.of32.orig_ax;
		ret->pc = regs.of32.ip;
	} else {
		ret->nr = (long)regs.of64.orig_rax;
		ret->pc = regs.of64.rip;
	}
	if (ret->nr < 0)
		ret->nr = -1;
	return 0;
}

#elif defined(__aarch64__)

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

/*
 * x8 keeps its value between calls and cannot tell whether the thread is in one; the kernel's own
 * syscallno is a register set of its own, -1 outside (since Linux 3.19).
 */
int hf_call_of(hf_hold *hold, pid_t tid, struct hf_call *ret, struct hf_error *err)
{
	union {
		struct user_regs_struct of64;
		uint32_t of32[18];	/* r0 to r15, the flags, the first r0 */
	} regs;
	size_t size = sizeof(regs), nr_size = sizeof(int);
	int nr = -1;
	int r = hf_hold_registers(hold, tid, NT_PRSTATUS, &regs, &size, err);

	if (r < 0)
		return r;
	if (size == sizeof(regs.of32)) {
		/* A 32-bit thread has no such register set. */
		ret->pc = regs.of32[15];
		ret->nr = -1;
		return 0;
	}
	r = hf_hold_registers(hold, tid, NT_ARM_SYSTEM_CALL, &nr, &nr_size, err);
	if (r < 0)
		return r;
	ret->pc = regs.of64.pc;
	ret->nr = nr < 0 ? -1 : nr;
	return 0;
}

#else
#error "pstree/call.c: tell where this architecture keeps the system call number"
#endif
