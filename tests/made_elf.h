/* SPDX-License-Identifier: MIT */
/*
 * made_elf - a made-up ELF file of four sections: none, code (without bytes), symbols, and their names.
 */
#ifndef HF_TESTS_MADE_ELF_H
#define HF_TESTS_MADE_ELF_H

#include "elf_file.h"

#include "suite.h"

#define MADE_TEXT_AT 0x1000u

struct made_elf {
	Elf64_Ehdr eh;
	Elf64_Shdr sh[4];
	uint8_t rest[];
};

/* free() it. */
static inline struct made_elf *made_elf(struct hf_elf *ret, uint64_t text_len, const Elf64_Sym *syms, size_t n_syms,
					const char *names, size_t names_len)
{
	size_t syms_len = n_syms * sizeof(*syms), syms_at = sizeof(struct made_elf), len = syms_at + syms_len + names_len;
	struct made_elf *made = calloc(1, len);

	ck_assert_ptr_nonnull(made);
	memcpy(made->eh.e_ident, ELFMAG, SELFMAG);
	made->eh.e_ident[EI_CLASS] = ELFCLASS64;
	made->eh.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	made->eh.e_shoff = offsetof(struct made_elf, sh);
	made->eh.e_shentsize = sizeof(Elf64_Shdr);
	made->eh.e_shnum = 4;
	made->sh[1] = (Elf64_Shdr){ .sh_type = SHT_NOBITS, .sh_addr = MADE_TEXT_AT, .sh_size = text_len };
	made->sh[2] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB, .sh_offset = syms_at, .sh_size = syms_len, .sh_link = 3,
				    .sh_entsize = sizeof(Elf64_Sym) };
	made->sh[3] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = syms_at + syms_len, .sh_size = names_len };
	memcpy(made->rest, syms, syms_len);
	memcpy(made->rest + syms_len, names, names_len);
	ck_assert_int_eq(hf_elf_open(ret, made, len), 0);
	return made;
}

#endif
