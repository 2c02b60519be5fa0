/* SPDX-License-Identifier: MIT */
/*
 * place - see place.h.  A hash with open addressing, at most half full.
 */
#include "place.h"

#include <stdlib.h>

#define SLOTS_FIRST 1024u

void hf_places_done(struct hf_places *places)
{
	free(places->all);
	free(places->slots);
	*places = (struct hf_places){ .arena = places->arena };
}

static size_t first_slot(const struct hf_places *places, uint32_t owner, uint64_t vaddr)
{
	uint64_t hash = (vaddr ^ ((uint64_t)owner << 40)) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(hash >> 32) & (places->n_slots - 1);
}

static void put(struct hf_places *places, const struct hf_place *place)
{
	size_t at = first_slot(places, place->owner, place->vaddr);

	while (places->slots[at])
		at = (at + 1) & (places->n_slots - 1);
	places->slots[at] = place->number + 1;
}

static int grow(struct hf_places *places)
{
	size_t i, n_slots = places->n_slots ? places->n_slots * 2 : SLOTS_FIRST;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));
	struct hf_place **all;

	if (!slots)
		return -1;
	all = reallocarray(places->all, n_slots / 2, sizeof(struct hf_place *));
	if (!all) {
		free(slots);
		return -1;
	}
	free(places->slots);
	places->all = all;
	places->cap = n_slots / 2;
	places->slots = slots;
	places->n_slots = n_slots;
	for (i = 0; i < places->n; i++)
		put(places, places->all[i]);
	return 0;
}

static struct hf_place *add(struct hf_places *places, uint32_t owner, uint64_t vaddr)
{
	struct hf_place *place;

	if (places->n == places->cap && grow(places) < 0)
		return NULL;
	place = hf_arena_array(places->arena, struct hf_place, 1);
	if (!place)
		return NULL;
	place->owner = owner;
	place->vaddr = vaddr;
	place->number = (uint32_t)places->n;
	places->all[places->n++] = place;
	put(places, place);
	return place;
}

struct hf_place *hf_place_of(struct hf_places *places, uint32_t owner, uint64_t vaddr, bool *ret_new)
{
	size_t at;

	*ret_new = false;
	if (places->n_slots) {
		for (at = first_slot(places, owner, vaddr); places->slots[at]; at = (at + 1) & (places->n_slots - 1)) {
			struct hf_place *place = places->all[places->slots[at] - 1];

			if (place->vaddr == vaddr && place->owner == owner)
				return place;
		}
	}
	*ret_new = true;
	return add(places, owner, vaddr);
}
