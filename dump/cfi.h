/* SPDX-License-Identifier: MIT */
/*
 * cfi - call frame information of one file (.eh_frame, DWARF 5 section 6.4), and what it says of one address:
 * a row.  Pure: bytes in, a row out; any bytes are survived.
 *
 * A row is decoded once for each distinct address and then serves every thread of every process that
 * stands there.  Most rows are plain: the frame's address is a register and an offset, and saved registers are
 * at offsets from it.  The few others (expressions of procedure linkage tables and of signal frames) are called odd,
 * and are left to libunwind.
 */
#ifndef HF_CFI_H
#define HF_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf_file.h"

enum hf_row_kind {
	HF_ROW_NONE = 0,	/* no information about this address */
	HF_ROW_PLAIN,
	HF_ROW_ODD,		/* there is information, but it takes more than a row to hold it */
	HF_ROW_LAST,		/* it says that nobody has called: the outermost frame */
	HF_ROW_DAMAGED,		/* there is information, and it makes no sense */
};

enum hf_rule_kind {
	HF_RULE_SAVED = 0,	/* in memory at the frame's address + offset */
	HF_RULE_IS,		/* the frame's address + offset itself */
	HF_RULE_REGISTER,	/* in the register numbered offset */
	HF_RULE_LOST,		/* undefined */
};

/* x86-64 saves six registers and the return address; aarch64 x19 to x30. */
#define HF_ROW_RULES 13

struct hf_row {
	uint8_t kind;		/* enum hf_row_kind */
	uint8_t signal;		/* 1: a signal frame, whose caller was interrupted and not calling */
	uint8_t signed_ra;	/* 1: the return address is authenticated (aarch64) */
	uint8_t ra;		/* the column of the return address */
	uint8_t base;		/* frame's address = this register + offset */
	uint8_t n_rules;
	int32_t offset;
	struct hf_rule {
		uint8_t reg, kind;	/* enum hf_rule_kind */
		int32_t offset;
	} rules[HF_ROW_RULES];
};

/* A frame description entry, as found for an address. */
struct hf_fde {
	uint64_t start, end;	/* the addresses it describes */
	uint64_t vaddr;		/* of the entry itself */
};

struct hf_fde_place;

struct hf_cfi {
	const struct hf_elf *elf;
	struct hf_elf_part frames;	/* .eh_frame */
	struct hf_elf_part table;	/* the search table of .eh_frame_hdr; empty when there is none */
	uint64_t table_base;
	size_t n_table;
	struct hf_fde_place *places;	/* made from .eh_frame where there is no such table */
	size_t n_places;
};

/* What an ELF file has; without any information everything is HF_ROW_NONE.  0 or -ENOMEM.  elf is lent. */
int hf_cfi_open(struct hf_cfi *cfi, const struct hf_elf *elf);
void hf_cfi_done(struct hf_cfi *cfi);

/* The entry that describes an address. */
bool hf_cfi_find(const struct hf_cfi *cfi, uint64_t vaddr, struct hf_fde *ret);

/* The row of an address. */
void hf_cfi_row(const struct hf_cfi *cfi, uint64_t vaddr, struct hf_row *ret);

#endif
