/* SPDX-License-Identifier: MIT */
/*
 * check_symbols - tests of dump/symbols.c: a made-up file with a table of symbols, and which of them names an address.
 */
#include "symbols.h"

#include <stdio.h>

#include "suite.h"

#define TEXT_AT 0x1000u
#define TEXT_LEN 0x1000u

struct made {
	Elf64_Ehdr eh;
	Elf64_Shdr sh[4];	/* null, .text, .symtab, .strtab */
	Elf64_Sym syms[16];
	char names[512];
};

static struct made made;
static struct hf_elf elf;
static size_t n_syms, n_names;

static void begin(void)
{
	memset(&made, 0, sizeof(made));
	n_syms = n_names = 1;
	memcpy(made.eh.e_ident, ELFMAG, SELFMAG);
	made.eh.e_ident[EI_CLASS] = ELFCLASS64;
	made.eh.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	made.eh.e_shoff = offsetof(struct made, sh);
	made.eh.e_shentsize = sizeof(Elf64_Shdr);
	made.eh.e_shnum = 4;
	made.sh[1] = (Elf64_Shdr){ .sh_type = SHT_NOBITS, .sh_addr = TEXT_AT, .sh_size = TEXT_LEN };
	made.sh[2] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB, .sh_offset = offsetof(struct made, syms), .sh_link = 3,
				   .sh_entsize = sizeof(Elf64_Sym) };
	made.sh[3] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct made, names) };
}

static void add(const char *name, uint64_t at, uint64_t size, int bind, int type)
{
	made.syms[n_syms++] = (Elf64_Sym){
		.st_name = (uint32_t)n_names, .st_value = at, .st_size = size, .st_shndx = 1,
		.st_info = (unsigned char)ELF64_ST_INFO(bind, type),
	};
	n_names += (size_t)snprintf(made.names + n_names, sizeof(made.names) - n_names, "%s", name) + 1;
}

static const char *name_of(uint64_t vaddr)
{
	/* Others around it, as there are in a file. */
	struct hf_named named[] = { { .vaddr = TEXT_AT }, { .vaddr = vaddr }, { .vaddr = TEXT_AT + TEXT_LEN - 1 } };
	size_t i;

	made.sh[2].sh_size = n_syms * sizeof(Elf64_Sym);
	made.sh[3].sh_size = n_names;
	ck_assert_int_eq(hf_elf_open(&elf, &made, sizeof(made)), 0);
	hf_named_sort(named, COUNT_OF(named));
	hf_named_by(named, COUNT_OF(named), &elf, SHT_SYMTAB);
	for (i = 0; i < COUNT_OF(named); i++)
		if (named[i].vaddr == vaddr)
			return named[i].symbol ? named[i].symbol : "??";
	return NULL;
}

START_TEST(a_symbol_names_what_is_within_it)
{
	begin();
	add("one", 0x1100, 0x40, STB_LOCAL, STT_FUNC);
	add("two", 0x1140, 0x40, STB_GLOBAL, STT_FUNC);
	ck_assert_str_eq(name_of(0x10ff), "??");
	ck_assert_str_eq(name_of(0x1100), "one");
	ck_assert_str_eq(name_of(0x113f), "one");
	ck_assert_str_eq(name_of(0x1140), "two");
	ck_assert_str_eq(name_of(0x117f), "two");
	ck_assert_str_eq(name_of(0x1180), "??");
}
END_TEST

START_TEST(of_several_the_innermost_then_the_global_one)
{
	begin();
	add("around", 0x1100, 0x100, STB_GLOBAL, STT_FUNC);
	add("weak", 0x1140, 0x40, STB_WEAK, STT_FUNC);
	add("local", 0x1140, 0x40, STB_LOCAL, STT_FUNC);
	ck_assert_str_eq(name_of(0x1150), "weak");
	add("global", 0x1140, 0x40, STB_GLOBAL, STT_FUNC);
	add("another", 0x1140, 0x40, STB_GLOBAL, STT_FUNC);
	ck_assert_str_eq(name_of(0x1150), "global");
	ck_assert_str_eq(name_of(0x1190), "around");
}
END_TEST

START_TEST(a_label_names_what_follows_up_to_the_next_symbol)
{
	begin();
	add("label", 0x1100, 0, STB_LOCAL, STT_NOTYPE);
	add("sized", 0x1200, 0x10, STB_GLOBAL, STT_FUNC);
	ck_assert_str_eq(name_of(0x10ff), "??");
	ck_assert_str_eq(name_of(0x1100), "label");
	ck_assert_str_eq(name_of(0x11ff), "label");
	ck_assert_str_eq(name_of(0x1200), "sized");
	ck_assert_str_eq(name_of(0x1210), "??");
}
END_TEST

START_TEST(a_label_ends_with_its_section)
{
	begin();
	add("label", 0x1ff0, 0, STB_LOCAL, STT_NOTYPE);
	ck_assert_str_eq(name_of(0x1ff8), "label");
	ck_assert_str_eq(name_of(0x2000), "??");
}
END_TEST

START_TEST(data_and_what_is_undefined_names_nothing)
{
	begin();
	add("object", 0x1100, 0x40, STB_GLOBAL, STT_OBJECT);
	add("elsewhere", 0x1100, 0x40, STB_GLOBAL, STT_FUNC);
	made.syms[2].st_shndx = SHN_UNDEF;
	ck_assert_str_eq(name_of(0x1110), "??");
}
END_TEST

START_TEST(a_name_that_does_not_end_is_none)
{
	begin();
	add("one", 0x1100, 0x40, STB_GLOBAL, STT_FUNC);
	made.syms[1].st_name = 400;
	ck_assert_str_eq(name_of(0x1110), "??");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbols");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, a_symbol_names_what_is_within_it);
	tcase_add_test(tc, of_several_the_innermost_then_the_global_one);
	tcase_add_test(tc, a_label_names_what_follows_up_to_the_next_symbol);
	tcase_add_test(tc, a_label_ends_with_its_section);
	tcase_add_test(tc, data_and_what_is_undefined_names_nothing);
	tcase_add_test(tc, a_name_that_does_not_end_is_none);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
