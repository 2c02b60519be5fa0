/* SPDX-License-Identifier: MIT */
/*
 * guard_memory - let go of the memory that the guard has inherited.  A fork shares its parent's pages until one of
 * them writes; a holder that goes on working, as one that copies a process image does, would make every
 * page that it overwrites the guard's own.
 */
#ifndef HF_GUARD_MEMORY_H
#define HF_GUARD_MEMORY_H

/*
 * Drop the anonymous private memory of this process: heaps, other threads' stacks, buffers.  What stays is
 * what the guard itself needs: its stack, the storage of its thread, data of the program and its libraries.  Runs in
 * the guard: no allocation, bare system calls.  Does nothing in a program under valgrind or a sanitizer.
 */
void hf_guard_drop_memory(void);

#endif
