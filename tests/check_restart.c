/* SPDX-License-Identifier: MIT */
/*
 * check_restart - tests of the table in seize/restart.c, cell by cell, for both architectures wherever they run.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab.h"
#include "restart.h"
#include "suite.h"

/* ---- The table ------------------------------------------------------------------------------------- */

/* The numbers come from the kernel's headers, as text: those of another architecture can be read as well. */
static long number_in(const char *header, const char *name)
{
	FILE *f = fopen(header, "re");
	char line[256], word[64];
	long nr, found = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "#define __NR_%63s %ld", word, &nr) == 2 && strcmp(word, name) == 0)
			found = nr;
	if (f)
		fclose(f);
	return found;
}

static const struct {
	enum hf_arch arch;
	const char *header;
} archs[] = {
	{ HF_ARCH_X86_64, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h" },
	{ HF_ARCH_AARCH64, "/usr/include/asm-generic/unistd.h" },
};

#define CALL HF_RESTART_CALL
#define FULL HF_RESTART_IN_FULL
#define LEFT HF_RESTART_LEFT
#define SOME 0x7000u		/* a pointer that is not NULL */

struct row {
	const char *name;
	uint64_t args[6];
	enum hf_restart x86_64, aarch64;
	enum hf_restart_ask ask_x86_64, ask_aarch64;
};

static const struct row rows[] = {
	/* Time-outs: an int, a pointer, a flag, a socket's. */
	{ "epoll_wait", { 5, SOME, 1, (uint32_t)-1 }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "epoll_wait", { 5, SOME, 1, 0xdead0000ffffffff }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "epoll_wait", { 5, SOME, 1, 1000 }, FULL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "epoll_wait", { 5, SOME, 1, 0 }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "epoll_pwait", { 5, SOME, 1, (uint32_t)-1, 0 }, CALL, CALL, HF_ASK_NOTHING, HF_ASK_EPOLL },
	{ "epoll_pwait", { 5, SOME, 1, 1000, 0 }, FULL, FULL, HF_ASK_NOTHING, HF_ASK_EPOLL },
	{ "epoll_pwait", { 5, SOME, 1, (uint32_t)-1, SOME }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_EPOLL },
	{ "epoll_pwait2", { 5, SOME, 1, 0, 0 }, CALL, CALL, HF_ASK_NOTHING, HF_ASK_EPOLL },
	{ "epoll_pwait2", { 5, SOME, 1, SOME, 0 }, FULL, FULL, HF_ASK_NOTHING, HF_ASK_EPOLL },
	{ "semop", { 5, SOME, 1, SOME }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "semtimedop", { 5, SOME, 1, 0 }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "semtimedop", { 5, SOME, 1, SOME }, FULL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "rt_sigtimedwait", { SOME, 0, 0, 8 }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "rt_sigtimedwait", { SOME, 0, SOME, 8 }, FULL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "io_getevents", { SOME, 1, 1, SOME, 0 }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "io_getevents", { SOME, 1, 1, SOME, SOME }, FULL, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "io_uring_enter", { 5, 0, 1, 1, 0 }, CALL, CALL, HF_ASK_NOTHING, HF_ASK_RING },
	{ "io_uring_enter", { 5, 0, 1, 1, SOME }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_RING },
	{ "io_uring_enter", { 5, 0, 1, 1 | 8, SOME, 24 }, FULL, LEFT, HF_ASK_NOTHING, HF_ASK_RING },
	{ "io_uring_enter", { 5, 0, 1, 1 | 8 | 32, SOME, 24 }, CALL, LEFT, HF_ASK_NOTHING, HF_ASK_RING },
	/* Something was to be submitted; nothing was waited for. */
	{ "io_uring_enter", { 5, 1, 1, 1, 0 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_RING },
	{ "io_uring_enter", { 5, 0, 1, 0, 0 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_RING },
	{ "recvfrom", { 5 }, FULL, LEFT, HF_ASK_RECEIVER, HF_ASK_RECEIVER },
	{ "recvmsg", { 5 }, FULL, LEFT, HF_ASK_RECEIVER, HF_ASK_RECEIVER },
	{ "recvmmsg", { 5 }, FULL, LEFT, HF_ASK_RECEIVER, HF_ASK_RECEIVER },
	{ "accept", { 5 }, FULL, LEFT, HF_ASK_RECEIVER, HF_ASK_RECEIVER },
	{ "accept4", { 5 }, FULL, LEFT, HF_ASK_RECEIVER, HF_ASK_RECEIVER },
	{ "read", { 5 }, FULL, LEFT, HF_ASK_RECEIVER, HF_ASK_RECEIVER },
	{ "readv", { 5 }, FULL, LEFT, HF_ASK_RECEIVER, HF_ASK_RECEIVER },
	{ "write", { 5, SOME, 4, MSG_OOB }, FULL, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	{ "writev", { 5, SOME, MSG_OOB }, FULL, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	{ "sendto", { 5, SOME, 4, 0 }, FULL, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	{ "sendto", { 5, SOME, 4, MSG_NOSIGNAL }, FULL, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	{ "sendto", { 5, SOME, 4, MSG_FASTOPEN }, LEFT, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	{ "sendto", { 5, SOME, 4, MSG_ZEROCOPY }, LEFT, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	{ "sendmsg", { 5, SOME, 0 }, FULL, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	{ "sendmsg", { 5, SOME, MSG_MORE }, LEFT, LEFT, HF_ASK_SENDER, HF_ASK_SENDER },
	/* Never: they may have had effects, or are for others to answer for. */
	{ "connect", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "sendmmsg", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "pread64", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "pwrite64", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "splice", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "ioctl", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "close", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "openat", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "fallocate", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "clone", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
	{ "ppoll", { 5 }, LEFT, LEFT, HF_ASK_NOTHING, HF_ASK_NOTHING },
};

/* On another architecture than its own, and those that have its headers, the numbers of one are not to be had. */
static bool has_numbers(size_t arch)
{
	return access(archs[arch].header, R_OK) == 0;
}

static void check_row(const struct row *row, size_t arch)
{
	long nr = number_in(archs[arch].header, row->name);
	bool x86 = archs[arch].arch == HF_ARCH_X86_64;
	struct hf_regs regs = { .arch = archs[arch].arch, .nr = nr, .result = -EINTR, .pc = 0x1000 };
	enum hf_restart_ask ask;
	enum hf_restart is;

	if (nr < 0)
		return;		/* aarch64 has no epoll_wait */
	memcpy(regs.args, row->args, sizeof(regs.args));
	is = hf_restart_of(&regs, &ask);
	ck_assert_msg(is == (x86 ? row->x86_64 : row->aarch64), "%s, arch %d: verdict %d", row->name,
		      (int)regs.arch, (int)is);
	if (is != HF_RESTART_LEFT)
		ck_assert_int_eq(ask, x86 ? row->ask_x86_64 : row->ask_aarch64);
	/* What did not return EINTR is nobody's business, whatever it returned. */
	for (regs.result = -600; regs.result < 600; regs.result++)
		if (regs.result != -EINTR)
			ck_assert_int_eq(hf_restart_of(&regs, &ask), HF_RESTART_NONE);
	/* Nor is an io_uring worker. */
	regs.result = -EINTR;
	regs.pc = 0;
	ck_assert_int_eq(hf_restart_of(&regs, &ask), HF_RESTART_NONE);
}

START_TEST(each_call_has_its_verdict)
{
	for (size_t arch = 0; arch < COUNT_OF(archs); arch++)
		check_row(&rows[_i], arch);
}
END_TEST

/* Every number there is: only those of the rows above may be restarted, with any arguments. */
START_TEST(no_other_call_is_ever_restarted)
{
	static const uint64_t fills[] = { 0, 1, (uint64_t)-1, SOME };

	for (size_t arch = 0; arch < COUNT_OF(archs); arch++) {
		bool known[1024] = { false }, x86 = archs[arch].arch == HF_ARCH_X86_64;

		if (!has_numbers(arch))
			continue;
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			long nr = number_in(archs[arch].header, rows[i].name);

			if (nr >= 0 && (x86 ? rows[i].x86_64 : rows[i].aarch64) != LEFT)
				known[nr] = true;
		}
		for (long nr = 0; nr < 1024; nr++)
			for (size_t fill = 0; fill < COUNT_OF(fills) && !known[nr]; fill++) {
				struct hf_regs regs = {
					.arch = archs[arch].arch, .nr = nr, .result = -EINTR, .pc = 1,
				};
				enum hf_restart_ask ask;

				for (size_t i = 0; i < 6; i++)
					regs.args[i] = fills[fill];
				ck_assert_int_eq(hf_restart_of(&regs, &ask), HF_RESTART_LEFT);
			}
	}
}
END_TEST

START_TEST(outside_of_a_call_nothing_was_interrupted)
{
	struct hf_regs regs = { .arch = HF_ARCH_X86_64, .nr = -1, .result = -EINTR, .pc = 0x1000 };
	enum hf_restart_ask ask;

	ck_assert_int_eq(hf_restart_of(&regs, &ask), HF_RESTART_NONE);
}
END_TEST

START_TEST(other_abis_are_left_alone)
{
	static const struct {
		enum hf_arch arch;
		long nr;
	} others[] = {
		{ HF_ARCH_I386, 256 }, { HF_ARCH_ARM, 252 },	/* epoll_wait */
		{ HF_ARCH_I386, 232 }, { HF_ARCH_X86_64, 0x40000000 | 232 },	/* x32 */
	};
	struct hf_regs regs = { .arch = others[_i].arch, .nr = others[_i].nr, .result = -EINTR, .pc = 1 };
	enum hf_restart_ask ask;

	ck_assert_int_eq(hf_restart_of(&regs, &ask), HF_RESTART_LEFT);
}
END_TEST

START_TEST(only_a_time_out_in_registers_can_be_outlasted)
{
	struct hf_regs regs = { .arch = HF_ARCH_X86_64, .nr = 232, .result = -EINTR, .pc = 1,
				.args = { 5, SOME, 1, 300 } };

	ck_assert(!hf_restart_outlasts(&regs, 299999999));
	ck_assert(hf_restart_outlasts(&regs, 300000000));
	regs.args[3] = (uint32_t)-1;
	ck_assert(!hf_restart_outlasts(&regs, UINT64_MAX));
	regs.args[3] = INT32_MAX;
	ck_assert(!hf_restart_outlasts(&regs, 2147483646999999));
	ck_assert(hf_restart_outlasts(&regs, 2147483647000000));
	regs.nr = 441;		/* epoll_pwait2: a pointer */
	ck_assert(!hf_restart_outlasts(&regs, UINT64_MAX));
	regs.nr = 999;
	ck_assert(!hf_restart_outlasts(&regs, UINT64_MAX));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restart");
	TCase *tc = tcase_create("table");
	size_t arch;

	for (arch = 0; arch < COUNT_OF(archs); arch++)
		if (!has_numbers(arch))
			lab_left_out("the numbers of an architecture's calls", archs[arch].header);

	tcase_add_loop_test(tc, each_call_has_its_verdict, 0, COUNT_OF(rows));
	tcase_add_test(tc, no_other_call_is_ever_restarted);
	tcase_add_test(tc, outside_of_a_call_nothing_was_interrupted);
	tcase_add_test(tc, only_a_time_out_in_registers_can_be_outlasted);
	tcase_add_loop_test(tc, other_abis_are_left_alone, 0, 4);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
