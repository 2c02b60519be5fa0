/* SPDX-License-Identifier: MIT */
/*
 * tree DEPTH WIDTH [NAP_US] - a process with WIDTH children, each with WIDTH children, and so on
 * for DEPTH generations; every one of them counts.
 */
#include "victim.h"

static unsigned int width, nap_us;

/* Processes in a tree of that depth. */
static uint32_t size_of(unsigned int depth)
{
	uint32_t size = 1;

	while (depth--)
		size = size * width + 1;
	return size;
}

/* Be the root of a tree whose slots begin at `slot`: mine first, then child by child. */
__attribute__((noreturn)) static void grow(unsigned int depth, uint32_t slot, int is_root)
{
	uint32_t next = slot + 1;

	for (unsigned int i = 0; depth && i < width; i++) {
		pid_t pid = fork();

		if (pid < 0)
			victim_die("fork");
		if (pid == 0)
			grow(depth - 1, next, 0);
		next += size_of(depth - 1);
	}
	if (is_root) {
		victim_await(slot + 1, size_of(depth) - 1);
		victim_take(slot, VICTIM_MOVES);
		victim_ready();
	}
	victim_spin(slot, nap_us);
}

int main(int argc, char **argv)
{
	unsigned int depth = victim_arg(argc, argv, 1, 2);

	width = victim_arg(argc, argv, 2, 2);
	nap_us = victim_arg(argc, argv, 3, 2000);
	victim_begin();
	grow(depth, victim_claim(size_of(depth)), 1);
}
