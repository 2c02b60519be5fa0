/* SPDX-License-Identifier: MIT */
/*
 * vforkwait NAP_US - a process waiting in vfork for as long as it lives: its child counts, in the
 * memory that it shares with its parent.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	/* Volatile: parent and child share it, as the compiler does not know. */
	volatile unsigned int nap_us = victim_arg(argc, argv, 1, 0);
	volatile uint32_t slot;

	victim_begin();
	slot = victim_claim(1);
	if (vfork() == 0) {
		victim_take(slot, VICTIM_MOVES);
		victim_ready();
		for (;;) {
			victim_count(slot);
			usleep(nap_us);
		}
	}
	victim_die("vfork came back");
}
