/* SPDX-License-Identifier: MIT */
/*
 * regs THREADS - each thread spins in a loop of three instructions with a value of its own in a
 * register that nothing else touches (r12, or x20 on aarch64).  The value is that of its slot.
 * The program's text is where its program counter must be.
 */
#include "victim.h"

__attribute__((noreturn)) static void spin_with_value(uint32_t slot)
{
	uint64_t value = 0x686f6c6466617374u + slot;	/* "holdfast" */
	_Atomic uint64_t *count = &board->slots[slot].count;

	atomic_store(&board->slots[slot].value, value);
	victim_take(slot, VICTIM_MOVES);
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%r12\n"
			 "1: lock incq (%1)\n"
			 "jmp 1b\n"
			 : : "r"(value), "r"(count) : "r12", "memory");
#elif defined(__aarch64__)
	__asm__ volatile("mov x20, %0\n"
			 "1: ldr x21, [%1]\n"
			 "add x21, x21, #1\n"
			 "str x21, [%1]\n"
			 "b 1b\n"
			 : : "r"(value), "r"(count) : "x20", "x21", "memory");
#endif
	for (;;)
		atomic_fetch_add(count, 1);
}

static void *thread_main(void *arg)
{
	spin_with_value((uint32_t)(uintptr_t)arg);
}

int main(int argc, char **argv)
{
	unsigned int n = victim_arg(argc, argv, 1, 4);
	uint32_t first;

	victim_begin();
	first = victim_claim(n);
	for (uint32_t i = 1; i < n; i++)
		victim_thread(thread_main, (void *)(uintptr_t)(first + i));
	victim_await(first + 1, n - 1);
	victim_take(first, VICTIM_MOVES);
	victim_ready();
	spin_with_value(first);
}
