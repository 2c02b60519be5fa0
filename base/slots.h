/* SPDX-License-Identifier: MIT */
/*
 * slots - things that lie in an array, found by a hash of what they are known by: their numbers in it, in open addressing, at
 * most half full, so that looking for what is not there ends soon.  Nothing is taken out again.
 */
#ifndef HF_SLOTS_H
#define HF_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is empty, without room. */
struct hf_slots {
	uint32_t *at;		/* number + 1; 0 is free */
	size_t n;		/* a power of two */
};

void hf_slots_done(struct hf_slots *s);

/* Empty, with room for so many; whoever grows puts all again.  0; or -ENOMEM, and they are as they were. */
int hf_slots_renew(struct hf_slots *s, size_t room);

/* There must be room for it.  The lower bits of the hash must be well mixed. */
void hf_slots_put(struct hf_slots *s, uint64_t hash, uint32_t number);

/* One after another the numbers that may be meant by a hash, which *at is at first.  False: there are no more. */
static inline bool hf_slots_next(const struct hf_slots *s, uint64_t *at, uint32_t *ret)
{
	uint32_t found = s->n ? s->at[*at & (s->n - 1)] : 0;

	++*at;
	*ret = found - 1;
	return found != 0;
}

/*
 * Bits of this process that others do not know, and which stay as they are; which: 0 or 1.  For hashes of what others choose,
 * who could choose what meets in one slot.
 */
uint64_t hf_slots_secret(unsigned int which);

#endif
