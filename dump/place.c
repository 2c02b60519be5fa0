/* SPDX-License-Identifier: MIT */
/*
 * place - see place.h.
 */
#include "place.h"

#include <stdlib.h>

#define ROOM_FIRST 512u

void hf_places_done(struct hf_places *places)
{
	free(places->all);
	hf_slots_done(&places->slots);
	*places = (struct hf_places){ .arena = places->arena };
}

static uint64_t hash_of(uint32_t owner, uint64_t vaddr)
{
	return (vaddr ^ ((uint64_t)owner << 40)) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static void put(struct hf_places *places, const struct hf_place *place)
{
	hf_slots_put(&places->slots, hash_of(place->owner, place->vaddr), place->number);
}

static int grow(struct hf_places *places)
{
	size_t i, cap = places->cap ? places->cap * 2 : ROOM_FIRST;
	struct hf_place **all = reallocarray(places->all, cap, sizeof(struct hf_place *));

	if (!all)
		return -1;
	places->all = all;
	if (hf_slots_renew(&places->slots, cap) < 0)
		return -1;
	places->cap = cap;
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
	uint64_t at = hash_of(owner, vaddr);
	uint32_t i;

	*ret_new = false;
	while (hf_slots_next(&places->slots, &at, &i))
		if (places->all[i]->vaddr == vaddr && places->all[i]->owner == owner)
			return places->all[i];
	*ret_new = true;
	return add(places, owner, vaddr);
}
