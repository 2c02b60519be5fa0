/* SPDX-License-Identifier: MIT */
/*
 * names - names for all places, file by file.
 */
#include <errno.h>
#include <stdlib.h>

#include "lines.h"
#include "own.h"
#include "stacks.h"
#include "symbols.h"

static int by_image(const void *a, const void *b)
{
	const struct hf_place *p = *(const struct hf_place *const *)a, *q = *(const struct hf_place *const *)b;

	return (p->owner > q->owner) - (p->owner < q->owner);
}

static bool all_named(const struct hf_named *named, size_t n)
{
	while (n > 0)
		if (!named[--n].symbol)
			return false;
	return true;
}

/* All that is unpacked for one look; it is kept, for names are in it.  What would come to more has no names. */
#define UNPACKED_MAX ((size_t)256 * 1024 * 1024)

/* What was too much for one is so for those that follow: each would be unpacked to find that out. */
static bool unpack(struct hf_stacks *stacks, struct hf_image *image)
{
	if (stacks->unpacked > UNPACKED_MAX || !hf_debug_file_unpack(&image->mini, &image->elf))
		return false;
	stacks->unpacked += image->mini.elf.len;
	if (stacks->unpacked > UNPACKED_MAX)
		hf_debug_file_done(&image->mini);
	return stacks->unpacked <= UNPACKED_MAX;
}

/*
 * From all that may know, the most complete first: the file's own symbols, those of its separate file, those for
 * dynamic linking, which every library has, and for the rest those that are compressed.
 */
static void find_symbols(struct hf_stacks *stacks, struct hf_image *image, struct hf_named *named, size_t n)
{
	struct hf_elf_symbols own;

	hf_named_sort(named, n);
	hf_named_by(named, n, &image->elf, SHT_SYMTAB);
	/* One that has its symbols may have its lines there all the same. */
	if ((stacks->opts.lines || !hf_elf_symbols(&image->elf, SHT_SYMTAB, &own)) && image->build_id &&
	    hf_debug_file_open(&image->debug, image->build_id, image->n_build_id, image->pid))
		hf_named_by(named, n, &image->debug.elf, SHT_SYMTAB);
	if (!all_named(named, n))
		hf_named_by(named, n, &image->elf, SHT_DYNSYM);
	if (!all_named(named, n) && unpack(stacks, image))
		hf_named_by(named, n, &image->mini.elf, SHT_SYMTAB);
}

/* In the separate file where there is one, since then the file itself has none. */
static void find_lines(struct hf_stacks *stacks, const struct hf_image *image, const struct hf_named *named, size_t n)
{
	struct hf_lines *lines = NULL;
	size_t i;

	if (image->debug.elf.data)
		lines = hf_lines_open(&image->debug.elf);
	if (!lines)
		lines = hf_lines_open(&image->elf);
	for (i = 0; lines && i < n; i++) {
		struct hf_place *place = named[i].owner;

		hf_lines_find(lines, &stacks->arena, place->vaddr, &place->source, &place->line);
	}
	hf_lines_close(lines);
}

static int name_image(struct hf_stacks *stacks, struct hf_image *image, struct hf_named *named, size_t n)
{
	const char *name = NULL;
	size_t i;

	find_symbols(stacks, image, named, n);
	for (i = 0; i < n; i++) {
		struct hf_place *place = named[i].owner;

		if (!named[i].symbol)
			continue;
		/* Frames of one function stand together. */
		if (i == 0 || named[i].symbol != named[i - 1].symbol)
			name = hf_demangle(&stacks->demangler, &stacks->arena, named[i].symbol);
		if (!name)
			return -ENOMEM;
		place->symbol = named[i].symbol;
		place->name = name;
		place->symbol_offset = place->vaddr - named[i].start;
	}
	if (stacks->opts.lines)
		find_lines(stacks, image, named, n);
	return 0;
}

int hf_stacks_name(struct hf_stacks *stacks)
{
	const struct hf_places *places = &stacks->walker.places;
	hf_owned struct hf_place **sorted = calloc(places->n + 1, sizeof(struct hf_place *));
	hf_owned struct hf_named *named = calloc(places->n + 1, sizeof(*named));
	size_t i, n;
	int r = 0;

	if (!sorted || !named)
		return -ENOMEM;
	if (places->n) {
		memcpy(sorted, places->all, places->n * sizeof(struct hf_place *));
		qsort(sorted, places->n, sizeof(struct hf_place *), by_image);
	}
	for (i = 0; r == 0 && i < places->n; i += n) {
		for (n = 0; i + n < places->n && sorted[i + n]->owner == sorted[i]->owner; n++)
			named[n] = (struct hf_named){ .vaddr = sorted[i + n]->vaddr, .owner = sorted[i + n] };
		if (sorted[i]->image && sorted[i]->image->state == HF_IMAGE_READY)
			r = name_image(stacks, sorted[i]->image, named, n);
	}
	return r;
}
