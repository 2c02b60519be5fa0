/* SPDX-License-Identifier: MIT */
/*
 * lines - source files and lines of addresses, by debugging information (DWARF).  libdw does this; it is loaded when lines
 * are first asked for, since it takes longer to load than all else takes.  Where the library was built without its
 * headers, or runs without it, there are no lines.
 */
#ifndef HF_LINES_H
#define HF_LINES_H

#include "arena.h"
#include "elf_file.h"

struct hf_lines;	/* of one file */

/* NULL when there are none. */
struct hf_lines *hf_lines_open(const struct hf_elf *elf);
void hf_lines_close(struct hf_lines *lines);

/* The source of an address, its name in the arena.  False when it is not known. */
int hf_lines_find(struct hf_lines *lines, struct hf_arena *arena, uint64_t vaddr, const char **ret_source, int *ret_line);

#endif
