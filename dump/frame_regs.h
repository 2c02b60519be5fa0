/* SPDX-License-Identifier: MIT */
/*
 * frame_regs - the registers that unwinding needs, by their DWARF numbers.  The only file of dump/ that depends on
 * the architecture.  Pure.
 */
#ifndef HF_FRAME_REGS_H
#define HF_FRAME_REGS_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* System V ABI for x86-64, figure 3.36; DWARF for the Arm 64-bit Architecture, 4.1. */
#if defined(__x86_64__)
#define HF_REG_COUNT 17
#define HF_REG_RESULT 0		/* rax: what a system call gave */
#define HF_REG_FP 6		/* rbp */
#define HF_REG_SP 7		/* rsp */
#define HF_REG_IP 16		/* the return address' column, too */
#define HF_REG_LINK HF_REG_IP	/* there is none: calls push where they return to */
#define HF_RED_ZONE 128		/* below sp: saved registers may still be there in an epilogue */
#define HF_CALL_BACK 0		/* a call that is to be made again is stopped behind its instruction, as all are */
#define HF_ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HF_REG_COUNT 33
#define HF_REG_RESULT 0		/* x0 */
#define HF_REG_FP 29
#define HF_REG_SP 31
#define HF_REG_IP 32
#define HF_REG_LINK 30		/* x30: where a function returns to, until it calls another */
#define HF_RED_ZONE 0
#define HF_CALL_BACK 4		/* a call that is to be made again is stopped at its instruction (arch/arm64/kernel/signal.c) */
#define HF_ELF_MACHINE EM_AARCH64
#else
#error "dump/frame_regs.h: the registers of this architecture by their DWARF numbers"
#endif

struct hf_frame_regs {
	uint64_t r[HF_REG_COUNT];
};

/* From what PTRACE_GETREGSET gave for NT_PRSTATUS.  False for a thread of another ABI (32 bits). */
bool hf_frame_regs_of(const void *prstatus, size_t size, struct hf_frame_regs *ret);

/*
 * The thread pointer, which the C libraries keep at the top of the stack they made for a thread; 0 when it cannot be
 * told from these registers.
 */
uint64_t hf_frame_regs_thread_pointer(const void *prstatus, size_t size);

/* A return address without what pointer authentication has put into its upper bits (aarch64). */
uint64_t hf_frame_regs_strip(uint64_t address);

/*
 * Where the frame that the kernel makes for a signal has a register, in bytes above sp while the code that a handler
 * returns to runs.  0 for all registers where that code has unwind information, which tells the same.
 */
size_t hf_frame_regs_in_signal_frame(unsigned int reg);

/*
 * The number of a system call that code loads right before it makes the call: the code before an address that the call
 * returns to, or that has the instruction that makes it again.  -1 when it does not look like that.
 */
#define HF_CALL_CODE_BEFORE 8	/* bytes of code before the address that are wanted, */
#define HF_CALL_CODE 12		/* and in all */
long hf_frame_regs_call_of(const uint8_t code[HF_CALL_CODE]);

/*
 * When a signal handler runs on an alternate stack, the frame that the kernel made for it is among the words of that
 * stack, and tells the interrupted stack pointer.  words are those of the stack from sp on, aligned.  False
 * when there is no such frame: one is known by saying itself that sp is on its alternate stack.  Handlers that were
 * interrupted by others on the same stack are passed over.
 */
bool hf_frame_regs_interrupted(const uint64_t *words, size_t n, uint64_t sp, uint64_t *ret_sp);

#endif
