/* SPDX-License-Identifier: MIT */
/*
 * regs - see regs.h.
 *
 * x86-64: orig_rax is the number in a system call and -1 outside: entries by interrupts, exceptions and
 * rt_sigreturn() store -1 there (arch/x86/entry/entry_64.S, arch/x86/kernel/signal_64.c).  It still is the number
 * at a stop on the way out of the call, and only after that stop does the kernel look whether the result
 * asks for a restart (arch_do_signal_or_restart()).  So writing the result is enough.
 *
 * aarch64: the kernel decides about the restart before the stop (do_signal()): at the stop its own
 * number of the call is forgotten (NT_ARM_SYSTEM_CALL reads -1), and pc is either back at the svc
 * instruction or behind it, with the result in x0 (measured on Linux 6.1 in QEMU).  x8 keeps the number.
 */
#include "regs.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/user.h>

#include "sys.h"

/* include/linux/errno.h: the call is to be made again; never seen by users. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

/* Places of what is looked for, in words of the ABI's size. */
struct layout {
	enum hf_arch arch;
	size_t words;
	size_t word;		/* bytes of each */
	size_t nr, result, pc;
	size_t args[6];
};

static const struct layout layouts[] = {
	{ HF_ARCH_X86_64, 27, 8, 15, 10, 16, { 14, 13, 12, 7, 9, 8 } },
	{ HF_ARCH_I386, 17, 4, 11, 6, 12, { 0, 1, 2, 3, 4, 5 } },
	{ HF_ARCH_AARCH64, 34, 8, 8, 0, 32, { 0, 1, 2, 3, 4, 5 } },
	{ HF_ARCH_ARM, 18, 4, 7, 0, 15, { 17, 1, 2, 3, 4, 5 } },
};

static const struct layout *layout_of(size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (layouts[i].words * layouts[i].word == size)
			return &layouts[i];
	return NULL;
}

static uint64_t get(const struct layout *l, const unsigned char *set, size_t place)
{
	uint64_t wide;
	uint32_t narrow;

	if (l->word == sizeof(wide)) {
		memcpy(&wide, set + place * sizeof(wide), sizeof(wide));
		return wide;
	}
	memcpy(&narrow, set + place * sizeof(narrow), sizeof(narrow));
	return narrow;
}

static int64_t get_signed(const struct layout *l, const unsigned char *set, size_t place)
{
	uint64_t value = get(l, set, place);

	return l->word == sizeof(value) ? (int64_t)value : (int32_t)value;
}

int hf_regs_decode(const void *set, size_t size, struct hf_regs *ret)
{
	const struct layout *l = layout_of(size);
	size_t i;

	if (!l)
		return -EBADMSG;
	ret->arch = l->arch;
	ret->size = size;
	memcpy(ret->set, set, size);
	/* The number is an int, also where its register is wider (orig_rax, w8). */
	ret->again = false;
	ret->nr = (int32_t)get(l, ret->set, l->nr);
	if (ret->nr < 0)
		ret->nr = -1;
	ret->result = get_signed(l, ret->set, l->result);
	ret->pc = get(l, ret->set, l->pc);
	for (i = 0; i < 6; i++)
		ret->args[i] = get(l, ret->set, l->args[i]);
	return 0;
}

/* ---- The instruction ------------------------------------------------------------------------------ */

#define X86_SYSCALL 0x050fu	/* "syscall", two bytes; "int $0x80" in 64-bit code has the numbers of i386 */
#define A64_SVC 0xd4000001u	/* "svc #0", four bytes */

uint64_t hf_regs_code_at(const struct hf_regs *regs)
{
	return regs->arch == HF_ARCH_AARCH64 ? regs->pc - 4 : regs->pc - 2;
}

bool hf_regs_is_call(const struct hf_regs *regs, uint64_t code, bool *ret_again)
{
	*ret_again = false;
	switch (regs->arch) {
	case HF_ARCH_X86_64:
		return (code & 0xffff) == X86_SYSCALL;
	case HF_ARCH_AARCH64:
		*ret_again = code >> 32 == A64_SVC;
		return *ret_again || (uint32_t)code == A64_SVC;
	case HF_ARCH_I386:
	case HF_ARCH_ARM:
		break;
	}
	return false;
}

void hf_regs_set_result(struct hf_regs *regs, int64_t result)
{
	const struct layout *l = layout_of(regs->size);

	if (l && l->word == sizeof(result))
		memcpy(regs->set + l->result * l->word, &result, sizeof(result));
}

void hf_regs_make_again(struct hf_regs *regs, uint64_t first)
{
	const struct layout *l = layout_of(regs->size);
	uint64_t pc = regs->pc - 4;

	if (regs->arch == HF_ARCH_X86_64)
		hf_regs_set_result(regs, -ERESTARTNOHAND);
	if (l && regs->arch == HF_ARCH_AARCH64) {
		memcpy(regs->set + l->args[0] * l->word, &first, sizeof(first));
		memcpy(regs->set + l->pc * l->word, &pc, sizeof(pc));
	}
}

/* Numbers of calls that are to be made again without having slept; -1: the architecture has none. */
static const struct restless {
	enum hf_arch arch;
	long poll, ppoll, select, pselect6;
	long births[4];		/* clone(2) and its like say ERESTARTNOINTR when a signal comes while they work */
} restless[] = {
	{ HF_ARCH_X86_64, 7, 271, 23, 270, { 56, 57, 58, 435 } },
	{ HF_ARCH_AARCH64, -1, 73, -1, 72, { 220, 435, -1, -1 } },
};

static const struct restless *restless_of(enum hf_arch arch)
{
	size_t i;

	for (i = 0; i < sizeof(restless) / sizeof(*restless); i++)
		if (restless[i].arch == arch)
			return &restless[i];
	return NULL;
}

bool hf_regs_slept(const struct hf_regs *regs, uint64_t *ret_timeout)
{
	const struct restless *r = restless_of(regs->arch);
	size_t i;

	*ret_timeout = 0;
	if (regs->nr < 0 || !(regs->again || regs->result == -EINTR || regs->result == -ERESTARTSYS ||
			      regs->result == -ERESTARTNOINTR || regs->result == -ERESTARTNOHAND ||
			      regs->result == -ERESTART_RESTARTBLOCK))
		return false;
	for (i = 0; r && i < sizeof(r->births) / sizeof(*r->births); i++)
		if (regs->nr == r->births[i])
			return false;
	if (r && regs->nr == r->poll)
		return (int32_t)regs->args[2] != 0;
	if (r && regs->nr == r->ppoll)
		*ret_timeout = regs->args[2];
	if (r && (regs->nr == r->select || regs->nr == r->pselect6))
		*ret_timeout = regs->args[4];
	return true;
}

/* ---- Of a thread ------------------------------------------------------------------------------------ */

int hf_regs_read(pid_t tid, struct hf_regs *ret)
{
	unsigned char set[HF_REGS_SIZE_MAX];
	size_t size = sizeof(set);
	int r = hf_sys_getregset(tid, NT_PRSTATUS, set, &size);

	return r < 0 ? r : hf_regs_decode(set, size, ret);
}

bool hf_regs_may_be_eintr(pid_t tid)
{
#if defined(__x86_64__)
	uint64_t word;

	return hf_sys_peek_user(tid, offsetof(struct user_regs_struct, rax), &word) < 0 ||
	       (int32_t)word == -EINTR;
#else
	(void)tid;
	return true;
#endif
}

int hf_regs_confirm(pid_t tid, struct hf_regs *regs)
{
	uint64_t code;
	int r;

	if (regs->arch == HF_ARCH_ARM)
		regs->nr = -1;	/* r7 alone tells nothing, and Thumb code is not read here */
	if (regs->arch != HF_ARCH_AARCH64 || regs->pc == 0 || regs->nr < 0)
		return 0;
	r = hf_sys_peek(tid, hf_regs_code_at(regs), &code);
	if (r == -ESRCH)
		return r;
	if (r < 0 || !hf_regs_is_call(regs, code, &regs->again))
		regs->nr = -1;
	return 0;
}

int hf_regs_write(pid_t tid, const struct hf_regs *regs)
{
	return hf_sys_setregset(tid, NT_PRSTATUS, regs->set, regs->size);
}
