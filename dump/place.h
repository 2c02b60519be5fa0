/* SPDX-License-Identifier: MIT */
/*
 * place - the distinct addresses that frames are at.  A thousand threads that wait in the same function have some
 * twenty of them between them: each is looked up, decoded and named once, whichever process it is met in.
 */
#ifndef HF_PLACE_H
#define HF_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "cfi.h"
#include "image.h"
#include "slots.h"

struct hf_place {
	uint64_t vaddr;			/* in the file; without one, in the process */
	uint32_t owner;			/* number of its image, or HF_PLACE_NO_FILE + that of the process */
	uint32_t number;
	struct hf_image *image;		/* or NULL */
	struct hf_row row;
	const char *symbol;		/* the name as the file has it; NULL when it has none */
	const char *name;		/* for people: demangled; or the symbol itself */
	uint64_t symbol_offset;		/* of vaddr from the symbol */
	const char *source;		/* file, or NULL */
	int line;
};
#define HF_PLACE_NO_FILE 0x80000000u

/* All zero is empty. */
struct hf_places {
	struct hf_place **all;		/* by number; pointers stay good */
	size_t n, cap;
	struct hf_slots slots;
	struct hf_arena *arena;		/* where they live; lent */
};

void hf_places_done(struct hf_places *places);

/*
 * The place of an address of an image, or (image NULL) of a process.  *ret_new tells that it was made, with nothing
 * but its address filled in.  NULL when memory is short.
 */
struct hf_place *hf_place_of(struct hf_places *places, uint32_t owner, uint64_t vaddr, bool *ret_new);

#endif
