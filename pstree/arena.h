/* SPDX-License-Identifier: MIT */
/*
 * arena - memory that is given back all at once.  A tree is tens of thousands of short strings and
 * small arrays which live and die together: a few big blocks hold them, so that adding one costs
 * nothing while the target stands still, and freeing is one short loop.
 */
#ifndef HF_ARENA_H
#define HF_ARENA_H

#include <stddef.h>

struct hf_arena_block;

/* All zero is empty. */
struct hf_arena {
	struct hf_arena_block *last;
};

void hf_arena_done(struct hf_arena *arena);

/* Zeroed memory, aligned to `align` (a power of two, at most 16).  NULL when memory is short. */
void *hf_arena_alloc(struct hf_arena *arena, size_t size, size_t align);

/* A copy of len bytes, and a NUL after them. */
char *hf_arena_copy(struct hf_arena *arena, const void *bytes, size_t len);

#define hf_arena_array(arena, type, n) \
	((type *)hf_arena_alloc((arena), (n) * sizeof(type), _Alignof(type)))

#endif
