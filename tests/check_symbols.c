/* SPDX-License-Identifier: MIT */
/*
 * check_symbols - tests of dump/symbols.c: a made-up file with a table of symbols, and which of them names an address.
 */
#include "symbols.h"

#include <stdio.h>

#include "made_elf.h"

#define TEXT_LEN 0x1000u

static Elf64_Sym syms[64];
static char names[512];
static void *made;
static size_t n_syms, n_names;

static void begin(void)
{
	memset(syms, 0, sizeof(syms));
	memset(names, 0, sizeof(names));
	n_syms = n_names = 1;
}

static void end(void)
{
	free(made);
	made = NULL;
}

static void add(const char *name, uint64_t at, uint64_t size, int bind, int type)
{
	syms[n_syms++] = (Elf64_Sym){
		.st_name = (uint32_t)n_names, .st_value = at, .st_size = size, .st_shndx = 1,
		.st_info = (unsigned char)ELF64_ST_INFO(bind, type),
	};
	n_names += (size_t)snprintf(names + n_names, sizeof(names) - n_names, "%s", name) + 1;
}

static void name_all(struct hf_named *named, size_t n)
{
	struct hf_elf elf;

	end();
	made = made_elf_of_symbols(&elf, TEXT_LEN, syms, n_syms, names, n_names);
	hf_named_sort(named, n);
	hf_named_by(named, n, &elf, SHT_SYMTAB);
}

static const char *name_of(uint64_t vaddr)
{
	/* Others around it, as there are in a file. */
	struct hf_named named[] = { { .vaddr = MADE_TEXT_AT }, { .vaddr = vaddr },
				    { .vaddr = MADE_TEXT_AT + TEXT_LEN - 1 } };
	size_t i;

	name_all(named, COUNT_OF(named));
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
	syms[2].st_shndx = SHN_UNDEF;
	ck_assert_str_eq(name_of(0x1110), "??");
}
END_TEST

START_TEST(a_name_that_does_not_end_is_none)
{
	begin();
	add("one", 0x1100, 0x40, STB_GLOBAL, STT_FUNC);
	syms[1].st_name = 400;
	ck_assert_str_eq(name_of(0x1110), "??");
}
END_TEST

/* What symbols.h says, symbol by symbol. */
static const char *expected(uint64_t vaddr)
{
	static const int rank_of[] = { [STB_LOCAL] = 1, [STB_GLOBAL] = 3, [STB_WEAK] = 2 };
	const Elf64_Sym *best = NULL;
	size_t i;

	for (i = 1; i < n_syms; i++) {
		const Elf64_Sym *sym = &syms[i];

		if (vaddr < sym->st_value || vaddr - sym->st_value >= sym->st_size)
			continue;
		if (!best || sym->st_value > best->st_value ||
		    (sym->st_value == best->st_value &&
		     rank_of[ELF64_ST_BIND(sym->st_info)] > rank_of[ELF64_ST_BIND(best->st_info)]))
			best = sym;
	}
	return best ? names + best->st_name : NULL;
}

/* Whatever their number, and however they lie over each other.  The numbers are the same in each run. */
START_TEST(all_addresses_have_the_name_that_each_has_alone)
{
	struct hf_named named[40] = { 0 };
	unsigned int seed = (unsigned int)_i;
	size_t n = 1 + (size_t)_i % COUNT_OF(named), i;
	char name[8];

	begin();
	for (i = 1; i < COUNT_OF(syms); i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		add(name, MADE_TEXT_AT + (uint64_t)rand_r(&seed) % 24,
		    1 + (uint64_t)rand_r(&seed) % 80, rand_r(&seed) % 3, STT_FUNC);
	}
	/* To the end of all addresses. */
	syms[1].st_size = UINT64_MAX;
	for (i = 0; i < n; i++)
		named[i].vaddr = MADE_TEXT_AT + (uint64_t)rand_r(&seed) % 100;
	name_all(named, n);
	for (i = 0; i < n; i++)
		ck_assert_pstr_eq(named[i].symbol, expected(named[i].vaddr));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbols");
	TCase *tc = tcase_create("names");

	tcase_add_checked_fixture(tc, NULL, end);
	tcase_add_test(tc, a_symbol_names_what_is_within_it);
	tcase_add_test(tc, of_several_the_innermost_then_the_global_one);
	tcase_add_test(tc, a_label_names_what_follows_up_to_the_next_symbol);
	tcase_add_test(tc, a_label_ends_with_its_section);
	tcase_add_test(tc, data_and_what_is_undefined_names_nothing);
	tcase_add_test(tc, a_name_that_does_not_end_is_none);
	tcase_add_loop_test(tc, all_addresses_have_the_name_that_each_has_alone, 0, 160);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
