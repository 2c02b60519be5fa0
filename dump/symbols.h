/* SPDX-License-Identifier: MIT */
/*
 * symbols - names for addresses of one file.  The addresses are collected first, and sorted; then each table of
 * symbols is passed over once, whatever their number.
 *
 * A symbol with a size names what is within it; of several the one that begins last, then the global one before
 * the weak and the local.  One without a size (a label of assembler) names what follows in its section, up to the
 * next symbol.
 */
#ifndef HF_SYMBOLS_H
#define HF_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "elf_file.h"

/* A symbol that has an address within it. */
struct hf_cover {
	uint64_t at;
	size_t symbol;		/* its number in the table + 1; 0: none */
	uint8_t rank;
};

struct hf_named {
	uint64_t vaddr;
	const char *symbol;	/* NULL: none yet */
	uint64_t start;		/* of the symbol */
	void *owner;		/* whoever asks */
	/* While a table is passed over: what begins last before it, by the offset of its name, and what covers it. */
	uint64_t before_at;
	uint32_t before;
	uint16_t before_section;
	uint8_t before_sized;
	struct hf_cover found;
	struct hf_cover below;	/* the one at index i is of node i of a tree over all: it covers all below that */
};

/* By address. */
void hf_named_sort(struct hf_named *named, size_t n);

/* Name those of n sorted addresses that have no name yet, by one table of a file (SHT_SYMTAB, SHT_DYNSYM). */
void hf_named_by(struct hf_named *named, size_t n, const struct hf_elf *elf, uint32_t type);

#endif
