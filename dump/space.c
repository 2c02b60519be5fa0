/* SPDX-License-Identifier: MIT */
/*
 * space - see space.h.
 */
#include "space.h"

#include <errno.h>
#include <string.h>

struct counts {
	size_t spans, codes;
};

static int count(const char *text, size_t len, struct counts *n)
{
	struct hf_scan s = hf_scan_of(text, len);
	struct hf_map map;
	int r;

	*n = (struct counts){ 0 };
	while ((r = hf_map_next(&s, &map)) > 0) {
		n->spans += (map.prot & HF_MAP_WRITE) != 0;
		n->codes += (map.prot & HF_MAP_EXEC) != 0;
	}
	return r;
}

static int add_code(struct hf_space *space, struct hf_arena *arena, struct hf_images *images,
		    const struct hf_map *map)
{
	struct hf_code *code = &space->codes[space->n_codes++];

	*code = (struct hf_code){ .start = map->start, .end = map->end, .offset = map->offset };
	if (map->inode)
		code->file = code->image = hf_image_of_map(images, map);
	else if (map->name_len)
		code->name = hf_arena_copy(arena, map->name, map->name_len);
	return (map->inode && !code->image) || (!map->inode && map->name_len && !code->name) ? -ENOMEM : 0;
}

int hf_space_read(struct hf_space *space, struct hf_arena *arena, struct hf_images *images, const char *text,
		  size_t len)
{
	struct hf_scan s = hf_scan_of(text, len);
	struct counts n;
	struct hf_map map;
	int r = count(text, len, &n);

	*space = (struct hf_space){ 0 };
	if (r < 0)
		return r;
	space->spans = hf_arena_array(arena, struct hf_span, n.spans);
	space->codes = hf_arena_array(arena, struct hf_code, n.codes);
	if (!space->spans || !space->codes)
		return -ENOMEM;
	while (r == 0 && hf_map_next(&s, &map) > 0) {
		struct hf_span span = { map.start, map.end };

		if (map.prot & HF_MAP_WRITE)
			space->spans[space->n_spans++] = span;
		if (map.prot & HF_MAP_EXEC)
			r = add_code(space, arena, images, &map);
		if (hf_map_is(&map, "[stack]"))
			space->stack = span;
		if (hf_map_is(&map, "[vdso]"))
			space->vdso = span;
	}
	return r;
}

/* Both arrays are sorted, since the kernel lists mappings by address. */
const struct hf_span *hf_space_span(const struct hf_space *space, uint64_t address)
{
	size_t low = 0, high = space->n_spans;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (address >= space->spans[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < space->n_spans && address >= space->spans[low].start ? &space->spans[low] : NULL;
}

struct hf_code *hf_space_code(const struct hf_space *space, uint64_t address)
{
	size_t low = 0, high = space->n_codes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (address >= space->codes[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < space->n_codes && address >= space->codes[low].start ? &space->codes[low] : NULL;
}
