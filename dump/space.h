/* SPDX-License-Identifier: MIT */
/*
 * space - the address space of one process as far as stacks need it, from the text of its maps: where its
 * stacks may be, and what its code is mapped from.  Pure but for the images it makes known.
 */
#ifndef HF_SPACE_H
#define HF_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "image.h"

/* Mappings that can be written, one behind the other. */
struct hf_span {
	uint64_t start, end;
};

/* A mapping that can be executed. */
struct hf_code {
	uint64_t start, end, offset;
	struct hf_image *image;	/* the file, or another of the same build-id, once it is opened; NULL: no file is behind it */
	const char *name;	/* as maps shows it, which may not be the file's only one; "[vsyscall]"; NULL: none */
	bool deleted;		/* nothing has that name any more, or something else has */
	bool opened;		/* image stands for it, and slide is known if it is READY */
	uint64_t slide;		/* address in the process - slide = address in the file */
};

struct hf_space {
	struct hf_span *spans;	/* by address */
	size_t n_spans;
	struct hf_code *codes;	/* by address */
	size_t n_codes;
	struct hf_span stack;	/* "[stack]", that of the first thread */
	struct hf_span vdso;	/* empty when there is none */
};

/* Read maps.  The space lives in the arena.  0, -ENOMEM or -EBADMSG. */
int hf_space_read(struct hf_space *space, struct hf_arena *arena, struct hf_images *images, const char *text,
		  size_t len);

/* The mapping that an address is in, or NULL. */
const struct hf_span *hf_space_span(const struct hf_space *space, uint64_t address);
/*
 * The same, or else the next above, when that is not farther than a stack may have to grow: of a stack pointer, which may
 * be below its stack, where nothing has been written yet, or where the stack has overflowed.
 */
const struct hf_span *hf_space_stack(const struct hf_space *space, uint64_t sp);
struct hf_code *hf_space_code(const struct hf_space *space, uint64_t address);

#endif
