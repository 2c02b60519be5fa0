/* SPDX-License-Identifier: MIT */
/*
 * check_regs - tests of base/regs.c: registers of every architecture, made up, and those of a real thread.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "procfs.h"
#include "regs.h"
#include "suite.h"
#include "sys.h"

static uint64_t words[34];
static uint32_t halves[18];

START_TEST(the_size_tells_the_architecture)
{
	static const struct {
		size_t size;
		enum hf_arch arch;
	} rows[] = { { 216, HF_ARCH_X86_64 }, { 68, HF_ARCH_I386 }, { 272, HF_ARCH_AARCH64 }, { 72, HF_ARCH_ARM } };
	struct hf_regs regs;

	ck_assert_int_eq(hf_regs_decode(words, rows[_i].size, &regs), 0);
	ck_assert_int_eq(regs.arch, rows[_i].arch);
	ck_assert_uint_eq(regs.size, rows[_i].size);
}
END_TEST

START_TEST(other_sizes_are_refused)
{
	struct hf_regs regs;
	size_t size;

	memset(&regs, FILLER, sizeof(regs));
	for (size = 0; size < 300; size++)
		if (size != 216 && size != 68 && size != 272 && size != 72)
			ck_assert_int_eq(hf_regs_decode(words, size, &regs), -EBADMSG);
	ck_assert(is_untouched(&regs, sizeof(regs)));
}
END_TEST

/* The places are those of struct user_regs_struct (sys/user.h) of each architecture. */
START_TEST(x86_64_registers_are_where_the_kernel_puts_them)
{
	struct hf_regs regs;
	size_t i;

	for (i = 0; i < 27; i++)
		words[i] = 100 + i;
	ck_assert_int_eq(hf_regs_decode(words, 216, &regs), 0);
	ck_assert_int_eq(regs.nr, 115);
	ck_assert_int_eq(regs.result, 110);
	ck_assert_uint_eq(regs.pc, 116);
	ck_assert_uint_eq(regs.args[0], 114);	/* rdi, rsi, rdx, r10, r8, r9 */
	ck_assert_uint_eq(regs.args[1], 113);
	ck_assert_uint_eq(regs.args[2], 112);
	ck_assert_uint_eq(regs.args[3], 107);
	ck_assert_uint_eq(regs.args[4], 109);
	ck_assert_uint_eq(regs.args[5], 108);
	words[15] = (uint64_t)-1;
	words[10] = (uint64_t)-EINTR;
	ck_assert_int_eq(hf_regs_decode(words, 216, &regs), 0);
	ck_assert_int_eq(regs.nr, -1);
	ck_assert_int_eq(regs.result, -EINTR);
}
END_TEST

START_TEST(aarch64_registers_are_where_the_kernel_puts_them)
{
	struct hf_regs regs;
	size_t i;

	for (i = 0; i < 34; i++)
		words[i] = 100 + i;
	ck_assert_int_eq(hf_regs_decode(words, 272, &regs), 0);
	ck_assert_int_eq(regs.nr, 108);
	ck_assert_int_eq(regs.result, 100);
	ck_assert_uint_eq(regs.pc, 132);
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(regs.args[i], 100 + i);
}
END_TEST

START_TEST(a_32_bit_result_has_its_sign)
{
	struct hf_regs regs;

	halves[6] = (uint32_t)-EINTR;
	halves[11] = 256;
	halves[12] = 0xf0001000u;
	ck_assert_int_eq(hf_regs_decode(halves, 68, &regs), 0);
	ck_assert_int_eq(regs.result, -EINTR);
	ck_assert_int_eq(regs.nr, 256);
	ck_assert_uint_eq(regs.pc, 0xf0001000u);
}
END_TEST

START_TEST(the_instruction_tells_whose_call_it_is)
{
	static const struct {
		enum hf_arch arch;
		uint64_t code;
		bool call, again;
	} rows[] = {
		{ HF_ARCH_X86_64, 0x1234050f, true, false },	/* syscall */
		{ HF_ARCH_X86_64, 0x123480cd, false, false },	/* int $0x80: numbers of i386 */
		{ HF_ARCH_X86_64, 0x0f05, false, false },
		{ HF_ARCH_AARCH64, 0xb140041fd4000001, true, false },	/* svc, cmn */
		{ HF_ARCH_AARCH64, 0xd4000001d2800e68, true, true },	/* mov, svc */
		{ HF_ARCH_AARCH64, 0xb140041fd2800e68, false, false },
		{ HF_ARCH_I386, 0x050f, false, false },
		{ HF_ARCH_ARM, 0xd4000001, false, false },
	};
	struct hf_regs regs = { .arch = rows[_i].arch, .pc = 0x1000 };
	bool again;

	ck_assert_int_eq(hf_regs_is_call(&regs, rows[_i].code, &again), rows[_i].call);
	ck_assert_int_eq(again, rows[_i].again);
	ck_assert_uint_eq(hf_regs_code_at(&regs), rows[_i].arch == HF_ARCH_AARCH64 ? 0xffc : 0xffe);
}
END_TEST

START_TEST(a_call_that_is_to_be_made_again_was_a_sleep)
{
	static const struct {
		struct hf_regs regs;
		bool slept;
		uint64_t timeout;
	} rows[] = {
		{ { .arch = HF_ARCH_X86_64, .nr = 202, .result = -512 }, true, 0 },	/* ERESTARTSYS */
		{ { .arch = HF_ARCH_X86_64, .nr = 202, .result = -513 }, true, 0 },	/* ERESTARTNOINTR: a PI futex */
		{ { .arch = HF_ARCH_X86_64, .nr = 34, .result = -514 }, true, 0 },	/* ERESTARTNOHAND */
		{ { .arch = HF_ARCH_X86_64, .nr = 230, .result = -516 }, true, 0 },	/* ERESTART_RESTARTBLOCK */
		{ { .arch = HF_ARCH_X86_64, .nr = 281, .result = -EINTR }, true, 0 },
		{ { .arch = HF_ARCH_AARCH64, .nr = 98, .result = 5, .again = true }, true, 0 },
		{ { .arch = HF_ARCH_I386, .nr = 162, .result = -516 }, true, 0 },
		/* Births, while they work. */
		{ { .arch = HF_ARCH_X86_64, .nr = 56, .result = -513 }, false, 0 },
		{ { .arch = HF_ARCH_X86_64, .nr = 435, .result = -513 }, false, 0 },
		{ { .arch = HF_ARCH_AARCH64, .nr = 220, .result = 0, .again = true }, false, 0 },
		/* poll(2) and its like wait, or do not. */
		{ { .arch = HF_ARCH_X86_64, .nr = 7, .result = -516, .args = { 1, 1, 1000 } }, true, 0 },
		{ { .arch = HF_ARCH_X86_64, .nr = 7, .result = -516, .args = { 1, 1, 0xffffffff } }, true, 0 },
		{ { .arch = HF_ARCH_X86_64, .nr = 7, .result = -514, .args = { 1, 1, 0 } }, false, 0 },
		{ { .arch = HF_ARCH_X86_64, .nr = 271, .result = -514, .args = { 1, 1, 77 } }, true, 77 },
		{ { .arch = HF_ARCH_X86_64, .nr = 23, .result = -514, .args = { 1, 2, 3, 4, 78 } }, true, 78 },
		{ { .arch = HF_ARCH_X86_64, .nr = 270, .result = -514, .args = { 1, 2, 3, 4, 79 } }, true, 79 },
		{ { .arch = HF_ARCH_AARCH64, .nr = 73, .again = true, .args = { 1, 1, 80 } }, true, 80 },
		{ { .arch = HF_ARCH_X86_64, .nr = 0, .result = 7 }, false, 0 },
		{ { .arch = HF_ARCH_X86_64, .nr = 0, .result = -EAGAIN }, false, 0 },
		/* A number that a program has in that register. */
		{ { .arch = HF_ARCH_X86_64, .nr = -1, .result = -512 }, false, 0 },
	};
	uint64_t timeout = 1;

	ck_assert_int_eq(hf_regs_slept(&rows[_i].regs, &timeout), rows[_i].slept);
	ck_assert_uint_eq(timeout, rows[_i].timeout);
}
END_TEST

/* Exactly what is needed changes, and nothing else. */
START_TEST(made_again_on_x86_64_only_the_result_changes)
{
	struct hf_regs regs;
	size_t i;

	for (i = 0; i < 27; i++)
		words[i] = 100 + i;
	words[10] = (uint64_t)-EINTR;
	ck_assert_int_eq(hf_regs_decode(words, 216, &regs), 0);
	hf_regs_make_again(&regs, 7);
	words[10] = (uint64_t)-514;
	ck_assert_mem_eq(regs.set, words, 216);
}
END_TEST

START_TEST(made_again_on_aarch64_pc_and_the_first_argument_change)
{
	struct hf_regs regs;
	size_t i;

	for (i = 0; i < 34; i++)
		words[i] = 100 + i;
	words[0] = (uint64_t)-EINTR;
	words[32] = 0x401004;
	ck_assert_int_eq(hf_regs_decode(words, 272, &regs), 0);
	hf_regs_make_again(&regs, 7);
	words[0] = 7;
	words[32] = 0x401000;
	ck_assert_mem_eq(regs.set, words, 272);
}
END_TEST

START_TEST(a_sleeping_child_is_in_the_call_it_sleeps_in)
{
	pid_t pid = fork();
	struct hf_deadline deadline = hf_deadline_in_ms(3000);
	struct hf_nap nap = HF_NAP_INIT;
	struct hf_stat st;
	struct hf_regs regs;
	int status;

	if (pid == 0)
		for (;;)
			pause();
	while (hf_tid_stat(pid, &st) == 0 && st.state != 'S')
		ck_assert(hf_nap(&nap, deadline));
	ck_assert_int_eq(hf_sys_seize(pid, 0), 0);
	ck_assert_int_eq(hf_sys_interrupt(pid), 0);
	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	ck_assert_int_eq(hf_regs_read(pid, &regs), 0);
	ck_assert_int_eq(hf_regs_confirm(pid, &regs), 0);
#ifdef SYS_pause
	ck_assert_int_eq(regs.nr, SYS_pause);
#else
	ck_assert_int_eq(regs.nr, SYS_ppoll);
#endif
	/* Written back as they were they change nothing. */
	ck_assert_int_eq(hf_regs_write(pid, &regs), 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	ck_assert_int_eq(hf_regs_read(pid, &regs), -ESRCH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("regs");
	TCase *tc = tcase_create("decode");

	tcase_add_loop_test(tc, the_size_tells_the_architecture, 0, 4);
	tcase_add_test(tc, other_sizes_are_refused);
	tcase_add_test(tc, x86_64_registers_are_where_the_kernel_puts_them);
	tcase_add_test(tc, aarch64_registers_are_where_the_kernel_puts_them);
	tcase_add_test(tc, a_32_bit_result_has_its_sign);
	tcase_add_loop_test(tc, the_instruction_tells_whose_call_it_is, 0, 8);
	tcase_add_loop_test(tc, a_call_that_is_to_be_made_again_was_a_sleep, 0, 20);
	tcase_add_test(tc, made_again_on_x86_64_only_the_result_changes);
	tcase_add_test(tc, made_again_on_aarch64_pc_and_the_first_argument_change);
	suite_add_tcase(suite, tc);
	tc = tcase_create("live");
	tcase_add_test(tc, a_sleeping_child_is_in_the_call_it_sleeps_in);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
