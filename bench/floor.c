/* SPDX-License-Identifier: MIT */
/*
 * floor CGROUP|PID [copy|tree|facts] - a whole command that holds and releases with the bare system calls of steps.c.  Held
 * meanwhile: with copy, registers and 8 KiB of stack of each thread are copied; with tree or facts, the files under /proc are
 * read that a tree, or one with all facts, is made of.  Prints the microseconds of hold, of what was done held, and release.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "reads.h"
#include "steps.h"

#define STACK_BYTES 8192
#define BATCH 128

static void copy(const struct steps *s)
{
	char *bytes = malloc(s->n * STACK_BYTES);
	struct user_regs_struct *regs = malloc(s->n * sizeof(*regs));
	struct iovec from[BATCH], to;
	size_t i, j, k;

	if (!bytes || !regs)
		steps_die("malloc");
	for (i = 0; i < s->n; i += k) {
		for (k = 0; k < BATCH && i + k < s->n; k++) {
			to = (struct iovec){ &regs[i + k], sizeof(*regs) };
			if (ptrace(PTRACE_GETREGSET, s->tids[i + k], NT_PRSTATUS, &to) < 0)
				steps_die("registers");
#if defined(__x86_64__)
			from[k].iov_base = (void *)regs[i + k].rsp;
#else
			from[k].iov_base = (void *)regs[i + k].sp;
#endif
			from[k].iov_len = STACK_BYTES;
		}
		/* A piece that ends early ends the call: go on behind it. */
		for (j = 0; j < k; j++) {
			to = (struct iovec){ bytes + (i + j) * STACK_BYTES, (k - j) * STACK_BYTES };
			ssize_t got = process_vm_readv(s->tids[i], &to, 1, from + j, k - j, 0);

			if (got > 0)
				j += (size_t)got / STACK_BYTES;
		}
	}
}

int main(int argc, char **argv)
{
	uint64_t start, held_us;
	struct steps s;

	if (argc < 2) {
		fputs("usage: floor CGROUP|PID [copy|tree|facts]\n", stderr);
		return 2;
	}
	steps_open(&s, argv[1]);
	steps_hold(&s);
	start = steps_now_us();
	if (argc > 2 && !strcmp(argv[2], "copy"))
		copy(&s);
	else if (argc > 2)
		reads_of_cgroup(argv[1], argv[2][0] == 'f');
	held_us = steps_now_us() - start;
	steps_release(&s);
	printf("hold %llu while %llu release %llu\n",
	       (unsigned long long)(s.us.freeze + s.us.seize + s.us.thaw + s.us.wait), (unsigned long long)held_us,
	       (unsigned long long)s.us.release);
	steps_done(&s);
	return 0;
}
