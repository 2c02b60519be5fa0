/* SPDX-License-Identifier: MIT */
/*
 * arena - see arena.h.
 */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

/* Blocks double from the first to the last size, so that small trees stay small. */
#define BLOCK_FIRST ((size_t)16 * 1024)
#define BLOCK_LARGEST ((size_t)1024 * 1024)

struct hf_arena_block {
	struct hf_arena_block *prev;
	size_t size, used;
	_Alignas(16) char data[];
};

void hf_arena_done(struct hf_arena *arena)
{
	struct hf_arena_block *block = arena->last, *prev;

	for (; block; block = prev) {
		prev = block->prev;
		free(block);
	}
	arena->last = NULL;
}

/* A block with room for size bytes; what was left of the one before is given up. */
static struct hf_arena_block *add_block(struct hf_arena *arena, size_t size)
{
	size_t room = arena->last ? arena->last->size * 2 : BLOCK_FIRST;
	struct hf_arena_block *block;

	if (room > BLOCK_LARGEST)
		room = BLOCK_LARGEST;
	if (room < size)
		room = size;
	/* Only what is handed out is cleared, so pages of a block that are never used cost nothing. */
	block = malloc(sizeof(*block) + room);
	if (!block)
		return NULL;
	block->prev = arena->last;
	block->size = room;
	block->used = 0;
	arena->last = block;
	return block;
}

void *hf_arena_alloc(struct hf_arena *arena, size_t size, size_t align)
{
	struct hf_arena_block *block = arena->last;
	size_t at = block ? (block->used + align - 1) & ~(align - 1) : 0;

	if (!block || at > block->size || block->size - at < size) {
		block = add_block(arena, size);
		if (!block)
			return NULL;
		at = 0;
	}
	block->used = at + size;
	return memset(block->data + at, 0, size);
}

char *hf_arena_copy(struct hf_arena *arena, const void *bytes, size_t len)
{
	char *copy = hf_arena_alloc(arena, len + 1, 1);

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}
