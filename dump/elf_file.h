/* SPDX-License-Identifier: MIT */
/*
 * elf_file - where things are in a 64-bit ELF file that is in memory as a whole.  Pure: bytes and a length in,
 * parts of them out.  The bytes may be anything: what points outside of them is not there.
 *
 * Why not libelf: a stack needs five things of a file (program headers, a section by its name, symbols, build-id,
 * debug link), all of them read in place from the mapped file; that is this page, and it is fuzzed.
 */
#ifndef HF_ELF_FILE_H
#define HF_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hf_elf {
	const uint8_t *data;
	size_t len;
	uint16_t machine;
	uint64_t phoff, shoff;		/* both tables are inside of the bytes */
	uint32_t phnum, shnum;
	const char *names;		/* of sections; NULL when there are none */
	size_t names_len;
};

/* Bytes of the file, and the address they are linked to (0: none). */
struct hf_elf_part {
	const uint8_t *data;
	size_t len;
	uint64_t vaddr;
};

/* A table of symbols.  Entries are read with hf_elf_symbol(): they may not be aligned. */
struct hf_elf_symbols {
	const uint8_t *data;
	size_t n;
	const char *names;
	size_t names_len;
};

/* 0, or -ENOEXEC: no ELF file of 64 bits in this machine's byte order. */
int hf_elf_open(struct hf_elf *e, const void *data, size_t len);

bool hf_elf_segment(const struct hf_elf *e, uint32_t i, Elf64_Phdr *ret);
/* The bytes of the first segment of a type that has any. */
bool hf_elf_segment_of_type(const struct hf_elf *e, uint32_t type, struct hf_elf_part *ret);
/* A section with bytes in the file, not compressed. */
bool hf_elf_section(const struct hf_elf *e, const char *name, struct hf_elf_part *ret);

/* The bytes at an address, up to the end of what the file has of that segment. */
bool hf_elf_at(const struct hf_elf *e, uint64_t vaddr, struct hf_elf_part *ret);
/*
 * The address that an offset of the file is linked to, seen in a mapping that can be executed: such a segment is
 * preferred, as pages at the borders of segments are mapped with both.
 */
bool hf_elf_vaddr_of(const struct hf_elf *e, uint64_t offset, uint64_t *ret);

/* NT_GNU_BUILD_ID, of at most as many bytes (a SHA-512; linkers write a SHA-1). */
#define HF_ELF_BUILD_ID_MAX 64
bool hf_elf_build_id(const struct hf_elf *e, const uint8_t **ret, size_t *ret_len);

/* SHT_SYMTAB, or SHT_DYNSYM. */
bool hf_elf_symbols(const struct hf_elf *e, uint32_t type, struct hf_elf_symbols *ret);
static inline void hf_elf_symbol(const struct hf_elf_symbols *s, size_t i, Elf64_Sym *ret)
{
	memcpy(ret, s->data + i * sizeof(*ret), sizeof(*ret));
}
/* Whether a section, by its index, holds this address. */
bool hf_elf_section_holds(const struct hf_elf *e, uint16_t index, uint64_t vaddr);
/* Its name, NUL-terminated within the file; "" when it is not, or is longer (64 KiB) than anybody writes names. */
const char *hf_elf_symbol_name(const struct hf_elf_symbols *s, uint32_t st_name);

#endif
