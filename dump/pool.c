/* SPDX-License-Identifier: MIT */
/*
 * pool - see pool.h.
 */
#include "pool.h"

#include <sys/mman.h>

#define HUGE ((size_t)2 * 1024 * 1024)
#define BLOCK_FIRST ((size_t)128 * 1024)
#define BLOCK_LARGEST ((size_t)16 * 1024 * 1024)

struct hf_pool_block {
	struct hf_pool_block *prev;
	size_t size, used;
	_Alignas(16) uint8_t bytes[];
};

static struct hf_pool_block *add_block(struct hf_pool *pool, size_t size)
{
	size_t room = pool->last ? pool->last->size * 4 : BLOCK_FIRST;
	struct hf_pool_block *block;

	if (room > BLOCK_LARGEST)
		room = BLOCK_LARGEST;
	if (room < size + sizeof(*block))
		room = size + sizeof(*block);
	room = (room + HUGE - 1) / HUGE * HUGE;
	if (!pool->last && size + sizeof(*block) <= BLOCK_FIRST)
		room = BLOCK_FIRST;
	block = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return NULL;
	if (room >= HUGE)
		madvise(block, room, MADV_HUGEPAGE);
	*block = (struct hf_pool_block){ .prev = pool->last, .size = room };
	pool->last = block;
	pool->held += room;
	return block;
}

uint8_t *hf_pool_take(struct hf_pool *pool, size_t size)
{
	struct hf_pool_block *block = pool->last;
	uint8_t *taken;

	size = (size + 15) & ~(size_t)15;
	if (!block || block->size - sizeof(*block) - block->used < size)
		block = add_block(pool, size);
	if (!block)
		return NULL;
	taken = block->bytes + block->used;
	block->used += size;
	return taken;
}

void hf_pool_done(struct hf_pool *pool)
{
	struct hf_pool_block *block = pool->last, *prev;

	for (; block; block = prev) {
		prev = block->prev;
		munmap(block, block->size);
	}
	*pool = (struct hf_pool){ 0 };
}
