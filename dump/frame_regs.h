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
#define HF_RED_ZONE 128		/* below sp: saved registers may still be there in an epilogue */
#define HF_ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HF_REG_COUNT 33
#define HF_REG_RESULT 0		/* x0 */
#define HF_REG_FP 29
#define HF_REG_SP 31
#define HF_REG_IP 32
#define HF_RED_ZONE 0
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
 * When a signal handler runs on an alternate stack, the frame that the kernel made for it is among the words of that
 * stack, and tells the interrupted stack pointer.  words are those of the stack from sp on, aligned.  False
 * when there is no such frame: one is known by saying itself that sp is on its alternate stack.
 */
bool hf_frame_regs_interrupted(const uint64_t *words, size_t n, uint64_t sp, uint64_t *ret_sp);

#endif
