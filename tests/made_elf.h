/* SPDX-License-Identifier: MIT */
/*
 * made_elf - made-up ELF files, of sections.
 */
#ifndef HF_TESTS_MADE_ELF_H
#define HF_TESTS_MADE_ELF_H

#include "elf_file.h"

#include "suite.h"

#define MADE_SECTIONS_MAX 4

struct made_section {
	const char *name;
	Elf64_Shdr sh;		/* type, size and what else is not zero; name and offset are filled in */
	const void *bytes;	/* none where the type is SHT_NOBITS */
};

static inline void made_begin(Elf64_Ehdr *eh)
{
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	eh->e_phentsize = sizeof(Elf64_Phdr);
	eh->e_shentsize = sizeof(Elf64_Shdr);
}

/* Sections are numbered from 1.  Their names stand in the last, which is not among those given.  free() it. */
static inline void *made_elf(struct hf_elf *ret, const struct made_section *sections, size_t n)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Shdr sh[MADE_SECTIONS_MAX + 2];
		char names[256];
	} head = { 0 };
	size_t len = sizeof(head), names_len = 1, i;
	char *file;

	ck_assert_uint_le(n, MADE_SECTIONS_MAX);
	made_begin(&head.eh);
	head.eh.e_shoff = sizeof(head.eh);
	head.eh.e_shnum = (Elf64_Half)(n + 2);
	head.eh.e_shstrndx = (Elf64_Half)(n + 1);
	for (i = 0; i < n; i++) {
		head.sh[i + 1] = sections[i].sh;
		head.sh[i + 1].sh_name = (Elf64_Word)names_len;
		head.sh[i + 1].sh_offset = len;
		strcpy(head.names + names_len, sections[i].name);
		names_len += strlen(sections[i].name) + 1;
		len += sections[i].bytes ? sections[i].sh.sh_size : 0;
	}
	head.sh[n + 1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = (size_t)((char *)head.names - (char *)&head),
				       .sh_size = names_len };
	file = malloc(len);
	ck_assert_ptr_nonnull(file);
	memcpy(file, &head, sizeof(head));
	for (i = 0; i < n; i++)
		if (sections[i].bytes)
			memcpy(file + head.sh[i + 1].sh_offset, sections[i].bytes, sections[i].sh.sh_size);
	ck_assert_int_eq(hf_elf_open(ret, file, len), 0);
	return file;
}

/* Code from MADE_TEXT_AT on, in section 1; symbols of it, and their names. */
#define MADE_TEXT_AT 0x1000u

static inline void *made_elf_of_symbols(struct hf_elf *ret, uint64_t text_len, const Elf64_Sym *syms, size_t n_syms,
					const char *names, size_t names_len)
{
	const struct made_section sections[] = {
		{ ".text", { .sh_type = SHT_NOBITS, .sh_addr = MADE_TEXT_AT, .sh_size = text_len }, NULL },
		{ ".symtab", { .sh_type = SHT_SYMTAB, .sh_size = n_syms * sizeof(*syms), .sh_link = 3,
			       .sh_entsize = sizeof(*syms) }, syms },
		{ ".strtab", { .sh_type = SHT_STRTAB, .sh_size = names_len }, names },
	};

	return made_elf(ret, sections, COUNT_OF(sections));
}

#endif
