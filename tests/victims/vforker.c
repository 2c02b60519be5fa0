/* SPDX-License-Identifier: MIT */
/*
 * vforker - a process waiting in vfork: its child is blocked in read until it is poked, and then
 * executes a program.  A second thread counts all the time.
 *
 * Slots: 0 the second thread; 1 the parent, which counts after vfork has come back; 2 the child,
 * which counts after its exec.  The child's pid is the value of slot 2.
 * Started again by the child as: vforker SLOT
 */
#include "victim.h"

int main(int argc, char **argv)
{
	static char slot_text[16];
	char *child_argv[] = { argv[0], slot_text, NULL };
	uint32_t first;
	int poke;
	pid_t child;

	victim_begin();
	if (argc > 1)
		victim_spin((uint32_t)atoi(argv[1]), 0);
	poke = victim_fd("VICTIM_POKE_FD");
	first = victim_claim(3);
	snprintf(slot_text, sizeof(slot_text), "%u", first + 2);
	victim_spinner(first, 0);
	victim_await(first, 1);
	child = vfork();
	if (child < 0)
		victim_die("vfork");
	if (child == 0) {
		char byte;

		atomic_store(&board->slots[first + 2].value, (uint64_t)getpid());
		victim_ready();
		if (read(poke, &byte, 1) != 1)
			_exit(97);
		execv("/proc/self/exe", child_argv);
		_exit(98);
	}
	victim_spin(first + 1, 0);
}
