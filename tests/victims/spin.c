/* SPDX-License-Identifier: MIT */
/*
 * spin THREADS [NAP_US] - a process whose threads do nothing but count.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 1);
	unsigned int nap_us = victim_arg(argc, argv, 2, 0);
	uint32_t first;

	victim_begin();
	first = victim_claim(n);
	for (uint32_t i = 1; i < n; i++)
		victim_spinner(first + i, nap_us);
	victim_await(first + 1, n - 1);
	victim_ready_and_spin(first, nap_us);
}
