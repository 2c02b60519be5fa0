/* SPDX-License-Identifier: MIT */
/*
 * check_frame_regs - tests of dump/frame_regs.c: what is known of one architecture's code and signal frames.
 */
#include "frame_regs.h"


#include "suite.h"

#if defined(__x86_64__)

/* The code before the address, and four bytes behind it. */
static const struct {
	uint8_t code[HF_CALL_CODE];
	long nr;
} calls[] = {
	{ { 0x90, 0xb8, 0xe6, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0, 0 }, 230 },	/* mov $230,%eax; syscall */
	{ { 0x90, 0xb8, 0xe6, 0, 0, 0, 0x0f, 0x34, 0x48, 0x3d, 0, 0 }, -1 },	/* sysenter */
	{ { 0x90, 0xb9, 0xe6, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0, 0 }, -1 },	/* mov $230,%ecx */
	{ { 0xb8, 0xe6, 0, 0, 0, 0x0f, 0x05, 0x90, 0x48, 0x3d, 0, 0 }, -1 },	/* not right before */
};

#elif defined(__aarch64__)

static const struct {
	uint8_t code[HF_CALL_CODE];
	long nr;
} calls[] = {
	{ { 0xa8, 0x0c, 0x80, 0xd2, 0x01, 0, 0, 0xd4, 0x1f, 0x20, 0x03, 0xd5 }, 101 },	/* mov x8,#101; svc #0; | nop */
	{ { 0x1f, 0x20, 0x03, 0xd5, 0xa8, 0x0c, 0x80, 0xd2, 0x01, 0, 0, 0xd4 }, 101 },	/* nop; mov x8,#101; | svc #0 */
	{ { 0x1f, 0x20, 0x03, 0xd5, 0x68, 0x0e, 0x80, 0x52, 0x01, 0, 0, 0xd4 }, 115 },	/* nop; mov w8,#115; | svc #0 */
	{ { 0x1f, 0x20, 0x03, 0xd5, 0xa7, 0x0c, 0x80, 0xd2, 0x01, 0, 0, 0xd4 }, -1 },	/* mov x7,#101 */
	{ { 0xa8, 0x0c, 0x80, 0xd2, 0x21, 0, 0, 0xd4, 0x1f, 0x20, 0x03, 0xd5 }, -1 },	/* svc #1 */
};

#endif

START_TEST(the_number_of_a_call_is_read_from_the_code_that_makes_it)
{
	ck_assert_int_eq(hf_frame_regs_call_of(calls[_i].code), calls[_i].nr);
}
END_TEST

START_TEST(an_alternate_stack_tells_where_its_signal_came)
{
	/* A stack of 512 words; sp is at its 16th, and at the 64th is what the kernel wrote of it. */
	static uint64_t stack[512];
	const uint64_t base = 0x7f0000001000, sp = base + 16 * sizeof(uint64_t);
	uint64_t *at = stack + 64, found = 0;

	at[0] = base;
	at[2] = sizeof(stack);
	/* It is not among the words that there are. */
	ck_assert(!hf_frame_regs_interrupted(stack + 16, 40, sp, &found));
#if defined(__x86_64__)
	at[3 + 15] = 0x7ffc12345678;
	ck_assert(!hf_frame_regs_interrupted(stack + 16, COUNT_OF(stack) - 16, sp, &found));
	at[3 + 18] = 0x33;	/* cs */
#elif defined(__aarch64__)
	at[20 + 1 + 31] = 0x7ffc12345678;
	at[-1] = 1;
	ck_assert(!hf_frame_regs_interrupted(stack + 16, COUNT_OF(stack) - 16, sp, &found));
	at[-1] = 0;
	at[20 + 1 + 31 + 2] = 0x5;	/* EL1 */
	ck_assert(!hf_frame_regs_interrupted(stack + 16, COUNT_OF(stack) - 16, sp, &found));
	at[20 + 1 + 31 + 2] = 0x60001000;
#endif
	ck_assert(hf_frame_regs_interrupted(stack + 16, COUNT_OF(stack) - 16, sp, &found));
	ck_assert_uint_eq(found, 0x7ffc12345678);
	/* Of another stack. */
	ck_assert(!hf_frame_regs_interrupted(stack + 16, COUNT_OF(stack) - 16, base - 8, &found));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame_regs");
	TCase *tc = tcase_create("architecture");

	tcase_add_loop_test(tc, the_number_of_a_call_is_read_from_the_code_that_makes_it, 0, COUNT_OF(calls));
	tcase_add_test(tc, an_alternate_stack_tells_where_its_signal_came);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
