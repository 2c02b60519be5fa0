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

/* The C libraries' restorer has unwind information. */
size_t hf_frame_regs_in_signal_frame(unsigned int reg)
{
	(void)reg;
	return 0;
}

/* mov $imm32,%eax; syscall */
long hf_frame_regs_call_of(const uint8_t code[HF_CALL_CODE])
{
	const uint8_t *mov = code + HF_CALL_CODE_BEFORE - 7;
	uint32_t nr;

	memcpy(&nr, mov + 1, sizeof(nr));
	return mov[0] == 0xb8 && mov[5] == 0x0f && mov[6] == 0x05 ? (long)nr : -1;
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

		if (!sp_is_on(w, sp) || (w[CONTEXT_CS] & 0xffff) != USER_CS || sp_is_on(w, w[CONTEXT_RSP]))
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
#define CONTEXT_PSTATE (CONTEXT_SP + 2)
#define PSTATE_NEVER UINT64_C(0xffffffff0000000f)
#define STACK_IN_CONTEXT 2
#define SIGINFO_SIZE 128

/* Above sp are siginfo and ucontext.  The vdso's restorer has no unwind information since Linux 5.8 (vdso/sigreturn.S). */
size_t hf_frame_regs_in_signal_frame(unsigned int reg)
{
	const size_t first = SIGINFO_SIZE + (STACK_IN_CONTEXT + CONTEXT + 1) * sizeof(uint64_t);

	/* x0 to x30, sp and pc, which is numbered alike. */
	return first + reg * sizeof(uint64_t);
}

#define SVC 0xd4000001u			/* svc #0 */
#define IS_MOV_TO_8(insn) (((insn) & 0x7fe0001fu) == 0x52800008u)	/* mov x8, or w8, #imm16 */

/* mov x8,#imm16; svc #0 */
long hf_frame_regs_call_of(const uint8_t code[HF_CALL_CODE])
{
	uint32_t insns[HF_CALL_CODE / 4], mov;

	memcpy(insns, code, sizeof(insns));
	mov = insns[2] == SVC ? insns[1] : insns[1] == SVC ? insns[0] : 0;
	return IS_MOV_TO_8(mov) ? (long)(mov >> 5 & 0xffff) : -1;
}

bool hf_frame_regs_interrupted(const uint64_t *words, size_t n, uint64_t sp, uint64_t *ret_sp)
{
	size_t i;

	for (i = STACK_IN_CONTEXT; i + CONTEXT_PSTATE < n; i++) {
		const uint64_t *w = words + i;

		/* Flags and link are 0, and so is the mode (EL0) in pstate: three pointers into one stack alone prove nothing. */
		if (!sp_is_on(w, sp) || w[-2] || w[-1] || (w[CONTEXT_PSTATE] & PSTATE_NEVER) || sp_is_on(w, w[CONTEXT_SP]))
			continue;
		*ret_sp = w[CONTEXT_SP];
		return true;
	}
	return false;
}

#endif
