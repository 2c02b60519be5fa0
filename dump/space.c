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
	if (map->inode) {
		code->image = hf_image_of_map(images, map);
		if (!code->image)
			return -ENOMEM;
	}
	/* All mappings of a file have its name, but for links and mounts. */
	if (code->image && hf_image_is_named(code->image, map)) {
		code->name = code->image->name;
		code->deleted = code->image->deleted;
		return 0;
	}
	code->name = map->name_len ? hf_image_name(arena, map, &code->deleted) : NULL;
	return map->name_len && !code->name ? -ENOMEM : 0;
}

/* A stack of which a part is locked, or kept out of dumps, is several mappings. */
static void add_span(struct hf_space *space, const struct hf_map *map)
{
	if (space->n_spans && space->spans[space->n_spans - 1].end == map->start)
		space->spans[space->n_spans - 1].end = map->end;
	else
		space->spans[space->n_spans++] = (struct hf_span){ map->start, map->end };
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
		if (map.prot & HF_MAP_WRITE)
			add_span(space, &map);
		if (map.prot & HF_MAP_EXEC)
			r = add_code(space, arena, images, &map);
		if (hf_map_is(&map, "[stack]") && space->n_spans)
			space->stack = space->spans[space->n_spans - 1];
		if (hf_map_is(&map, "[vdso]"))
			space->vdso = (struct hf_span){ map.start, map.end };
	}
	return r;
}

/* Both arrays are sorted, since the kernel lists mappings by address.  The first that ends behind it. */
static const struct hf_span *find_span(const struct hf_space *space, uint64_t address)
{
	size_t low = 0, high = space->n_spans;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (address >= space->spans[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < space->n_spans ? &space->spans[low] : NULL;
}

const struct hf_span *hf_space_span(const struct hf_space *space, uint64_t address)
{
	const struct hf_span *span = find_span(space, address);

	return span && address >= span->start ? span : NULL;
}

/* Twice the usual limit of a stack (RLIMIT_STACK), and more than the kernel's guard gap. */
#define GROWTH_MAX (UINT64_C(16) * 1024 * 1024)

const struct hf_span *hf_space_stack(const struct hf_space *space, uint64_t sp)
{
	const struct hf_span *span = find_span(space, sp);

	return span && (sp >= span->start || span->start - sp <= GROWTH_MAX) ? span : NULL;
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
