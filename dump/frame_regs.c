/* SPDX-License-Identifier: MIT */
/*
 * frame_regs - see frame_regs.h.
 */
#include "frame_regs.h"

#include <string.h>
#include <sys/user.h>

/* A stack_t: ss_sp, ss_flags, ss_size (sigaltstack(2)). */
#define STACK_SP 0
#define STACK_SIZE 2

static bool sp_is_on(const uint64_t *stack, uint64_t sp)
{
	return stack[STACK_SP] && sp >= stack[STACK_SP] && sp - stack[STACK_SP] < stack[STACK_SIZE];
}

#if defined(__x86_64__)

bool hf_frame_regs_of(const void *prstatus, size_t size, struct hf_frame_regs *ret)
{
	struct user_regs_struct u;

	if (size != sizeof(u))
		return false;
	memcpy(&u, prstatus, sizeof(u));
	*ret = (struct hf_frame_regs){ {
		u.rax, u.rdx, u.rcx, u.rbx, u.rsi, u.rdi, u.rbp, u.rsp,
		u.r8, u.r9, u.r10, u.r11, u.r12, u.r13, u.r14, u.r15, u.rip,
	} };
	return true;
}

uint64_t hf_frame_regs_thread_pointer(const void *prstatus, size_t size)
{
	struct user_regs_struct u;

	if (size != sizeof(u))
		return 0;
	memcpy(&u, prstatus, sizeof(u));
	return u.fs_base;
}

uint64_t hf_frame_regs_strip(uint64_t address)
{
	return address;
}

/*
 * struct ucontext of the kernel: flags, link, then ss_sp, ss_flags, ss_size of the stack that was in use,
 * then r8 ... (arch/x86/include/uapi/asm/sigcontext.h): rsp is the 16th of those, cs the low 16 bits of the 19th.
 */
#define CONTEXT 3
#define CONTEXT_RSP (CONTEXT + 15)
#define CONTEXT_CS (CONTEXT + 18)
#define USER_CS 0x33

bool hf_frame_regs_interrupted(const uint64_t *words, size_t n, uint64_t sp, uint64_t *ret_sp)
{
	size_t i;

	for (i = 0; i + CONTEXT_CS < n; i++) {
		const uint64_t *w = words + i;

		if (!sp_is_on(w, sp) || (w[CONTEXT_CS] & 0xffff) != USER_CS)
			continue;
		*ret_sp = w[CONTEXT_RSP];
		return true;
	}
	return false;
}

#elif defined(__aarch64__)

bool hf_frame_regs_of(const void *prstatus, size_t size, struct hf_frame_regs *ret)
{
	struct user_regs_struct u;

	if (size != sizeof(u))
		return false;
	memcpy(&u, prstatus, sizeof(u));
	memcpy(ret->r, u.regs, sizeof(u.regs));
	ret->r[HF_REG_SP] = u.sp;
	ret->r[HF_REG_IP] = u.pc;
	return true;
}

/* tpidr_el0 is in a register set of its own (NT_ARM_TLS). */
uint64_t hf_frame_regs_thread_pointer(const void *prstatus, size_t size)
{
	(void)prstatus;
	(void)size;
	return 0;
}

/* Addresses of user space have at most 52 bits, and 48 unless asked for more (Documentation/arch/arm64/memory.rst). */
uint64_t hf_frame_regs_strip(uint64_t address)
{
	return address & ((UINT64_C(1) << 48) - 1);
}

/*
 * struct ucontext: flags, link, ss_sp, ss_flags, ss_size, 128 bytes for the mask, then, aligned to 16, the fault
 * address and x0 to x30, sp (arch/arm64/include/uapi/asm/{ucontext,sigcontext}.h).
 */
#define CONTEXT (3 + 16 + 1)
#define CONTEXT_SP (CONTEXT + 1 + 31)

bool hf_frame_regs_interrupted(const uint64_t *words, size_t n, uint64_t sp, uint64_t *ret_sp)
{
	size_t i;

	for (i = 0; i + CONTEXT_SP < n; i++) {
		const uint64_t *w = words + i;

		if (!sp_is_on(w, sp))
			continue;
		*ret_sp = w[CONTEXT_SP];
		return true;
	}
	return false;
}

#endif
