/* SPDX-License-Identifier: MIT */
/*
 * pool - memory for the pieces of stack, which are taken while the target stands still: it comes in large
 * blocks of huge pages where the kernel has them, since a fault for each 4 KiB would cost as much as the copy.
 */
#ifndef HF_POOL_H
#define HF_POOL_H

#include <stddef.h>
#include <stdint.h>

struct hf_pool_block;

/* All zero is empty. */
struct hf_pool {
	struct hf_pool_block *last;
	size_t held;		/* bytes of all blocks */
};

/* Memory of size bytes, aligned to 16, as it comes.  NULL when memory is short. */
uint8_t *hf_pool_take(struct hf_pool *pool, size_t size);
void hf_pool_done(struct hf_pool *pool);

#endif
