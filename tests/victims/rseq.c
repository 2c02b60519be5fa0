/* SPDX-License-Identifier: MIT */
/*
 * rseq [THREADS] - threads that count in restartable sequences: each adds to the counter of the CPU it runs on, by a load
 * and a store far from each other, which only the kernel makes one step: who was moved, preempted or
 * stopped in between starts over.  After every round the sum must be exact.  The first slot counts rounds, and its
 * value counts rounds with a wrong sum; a value of ~0 says that this machine has no such sequences.
 */
#include "victim.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/rseq.h>

#define ADDS 20000u
#define CPUS 256

static struct {
	_Alignas(64) intptr_t count;
} counters[CPUS];

static pthread_barrier_t barrier;
static unsigned int n_threads;

#if defined(__x86_64__)
/* 1 when it was added, 0 when the sequence was left before the store. */
static int add_on(struct rseq *rs, int cpu, intptr_t *counter)
{
	__asm__ goto(
		".pushsection __rseq_cs, \"aw\"\n"
		".balign 32\n"
		"3: .long 0, 0\n"
		".quad 1f, 2f - 1f, 4f\n"
		".popsection\n"
		"leaq 3b(%%rip), %%rax\n"
		"movq %%rax, %[cs]\n"
		"1: cmpl %[cpu], %[cpu_id]\n"
		"jnz %l[left]\n"
		"movq %[counter], %%rax\n"
		"movl $300, %%ecx\n"	/* far from each other */
		"5: decl %%ecx\n"
		"jnz 5b\n"
		"incq %%rax\n"
		"movq %%rax, %[counter]\n"
		"2:\n"
		".pushsection __rseq_failure, \"ax\"\n"
		".byte 0x0f, 0xb9, 0x3d\n"	/* ud1, whose operand is the signature before an abort handler */
		".long 0x53053053\n"
		"4: jmp %l[left]\n"
		".popsection\n"
		:
		: [cs] "m"(rs->rseq_cs), [cpu] "r"(cpu), [cpu_id] "m"(rs->cpu_id), [counter] "m"(*counter)
		: "rax", "rcx", "memory", "cc"
		: left);
	return 1;
left:
	return 0;
}

static void add(void)
{
	struct rseq *rs = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	int cpu;

	do
		cpu = (int)*(volatile uint32_t *)&rs->cpu_id_start;
	while (!add_on(rs, cpu, &counters[cpu % CPUS].count));
}
#else
static void add(void)
{
	__atomic_fetch_add(&counters[0].count, 1, __ATOMIC_RELAXED);
}
#endif

static void *adder(void *arg)
{
	victim_take(*(uint32_t *)arg, VICTIM_MOVES);
	for (;;) {
		pthread_barrier_wait(&barrier);
		for (unsigned int i = 0; i < ADDS; i++)
			add();
		victim_count(*(uint32_t *)arg);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	uint64_t rounds = 0;
	uint32_t first, *slots;

	n_threads = victim_arg(argc, argv, 1, 4);
	victim_begin();
	first = victim_claim(n_threads + 1);
	slots = calloc(n_threads, sizeof(*slots));
	pthread_barrier_init(&barrier, NULL, n_threads + 1);
	for (uint32_t i = 0; slots && i < n_threads; i++) {
		slots[i] = first + 1 + i;
		victim_thread(adder, &slots[i]);
	}
	victim_take(first, VICTIM_MOVES);
#if defined(__x86_64__)
	if (__rseq_size == 0)
#endif
		atomic_store(&board->slots[first].value, UINT64_MAX);
	for (bool ready = false;; ready = true) {
		intptr_t sum = 0;

		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		rounds++;
		for (int i = 0; i < CPUS; i++)
			sum += counters[i].count;
		victim_count(first);
		if ((uint64_t)sum != rounds * n_threads * ADDS)
			atomic_fetch_add(&board->slots[first].value, 1);
		if (!ready)
			victim_ready();
	}
}
