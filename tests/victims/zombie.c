/* SPDX-License-Identifier: MIT */
/*
 * zombie N - a counting parent with N dead children that it has not waited for.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 3);
	uint32_t slot;

	victim_begin();
	slot = victim_claim(1);
	for (unsigned int i = 0; i < n; i++) {
		pid_t child = fork();

		if (child < 0)
			victim_die("fork");
		if (child == 0)
			_exit((int)i);
		victim_await_zombie(child);
	}
	victim_ready_and_spin(slot, 0);
}
