/* SPDX-License-Identifier: MIT */
/*
 * cfi_entry - the entries of .eh_frame, for the two files that read them: cfi.c, which finds the one for an
 * address, and cfi_row.c, which runs its instructions.
 */
#ifndef HF_CFI_ENTRY_H
#define HF_CFI_ENTRY_H

#include "cfi.h"
#include "cursor.h"

/* A common information entry with what a frame description entry adds. */
struct hf_entry {
	uint64_t start, end;		/* addresses */
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;			/* column of the return address */
	bool augmented;			/* 'z': entries have augmentation data, of a length that is told */
	bool signal;			/* 'S': a signal frame */
	uint8_t encoding;		/* of addresses, DW_EH_PE_... */
	struct hf_cursor first, then;	/* instructions of the common, and of this entry */
};

/* The frame description entry at an address of .eh_frame.  False when there is none that makes sense. */
bool hf_entry_read(const struct hf_cfi *cfi, uint64_t vaddr, struct hf_entry *ret);

/* A number encoded as DW_EH_PE_ says; c reads bytes that are linked to vaddr, where at points to. */
uint64_t hf_encoded(struct hf_cursor *c, uint8_t encoding, const struct hf_elf_part *part, uint64_t data_base);

/* Run the instructions up to vaddr, which the entry describes. */
void hf_entry_row(const struct hf_entry *entry, uint64_t vaddr, struct hf_row *ret);

#endif
