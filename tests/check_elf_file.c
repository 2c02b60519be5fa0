/* SPDX-License-Identifier: MIT */
/*
 * check_elf_file - tests of dump/elf_file.c: what a file that claims to be huge is not read for.
 */
#include "made_elf.h"

#include <sys/mman.h>
#include <unistd.h>

#define ROOM ((size_t)2 * 1024 * 1024 * 1024)
#define ALLOWED ((size_t)512 * 1024)

/* A file of which only the first bytes may be read: what reads on ends the test. */
static uint8_t *made_sparse(void)
{
	uint8_t *file = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert(file != MAP_FAILED);
	ck_assert_int_eq(mprotect(file, ALLOWED, PROT_READ | PROT_WRITE), 0);
	made_begin((Elf64_Ehdr *)(void *)file);
	return file;
}

START_TEST(of_the_names_of_sections_no_more_is_read_than_is_compared)
{
	uint8_t *file = made_sparse();
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)file;
	Elf64_Shdr *sh = (Elf64_Shdr *)(void *)(file + sizeof(*eh));
	struct hf_elf_part part;
	struct hf_elf elf;

	eh->e_shoff = sizeof(*eh);
	eh->e_shnum = 3;
	eh->e_shstrndx = 2;
	sh[1] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS, .sh_size = 16 };
	sh[2] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = 4096, .sh_size = ROOM - 4096 };
	memset(file + 4096, 'x', ALLOWED - 4096);
	ck_assert_int_eq(hf_elf_open(&elf, file, ROOM), 0);
	ck_assert(!hf_elf_section(&elf, ".text", &part));
	strcpy((char *)file + 4096, ".text");
	ck_assert(hf_elf_section(&elf, ".text", &part));
	ck_assert(!hf_elf_section(&elf, ".tex", &part));
	munmap(file, ROOM);
}
END_TEST

START_TEST(a_name_of_a_symbol_has_a_largest_length)
{
	uint8_t *file = made_sparse();
	const struct hf_elf_symbols symbols = { .names = (const char *)file, .names_len = ROOM };

	memset(file, 'x', ALLOWED);
	ck_assert_str_eq(hf_elf_symbol_name(&symbols, 1), "");
	file[65536] = '\0';
	ck_assert_str_eq(hf_elf_symbol_name(&symbols, 0), "");
	ck_assert_uint_eq(strlen(hf_elf_symbol_name(&symbols, 1)), 65535);
	ck_assert_str_eq(hf_elf_symbol_name(&symbols, (uint32_t)ROOM), "");
	munmap(file, ROOM);
}
END_TEST

START_TEST(segments_have_a_largest_number)
{
	const Elf64_Phdr last = { .p_type = PT_NOTE, .p_filesz = 1 };
	uint8_t *file = made_sparse();
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)file;
	struct hf_elf_part part;
	struct hf_elf elf;

	eh->e_phoff = sizeof(*eh);
	eh->e_phnum = 60000;
	ck_assert_int_eq(hf_elf_open(&elf, file, ROOM), 0);
	ck_assert(!hf_elf_segment_of_type(&elf, PT_NOTE, &part));
	memcpy(file + sizeof(*eh) + 1000 * sizeof(last), &last, sizeof(last));
	ck_assert(hf_elf_segment_of_type(&elf, PT_NOTE, &part));
	munmap(file, ROOM);
}
END_TEST

/* The first section has the number of all. */
START_TEST(sections_and_symbols_have_a_largest_number)
{
	uint8_t *file = made_sparse();
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)file;
	Elf64_Shdr *sh = (Elf64_Shdr *)(void *)(file + sizeof(*eh));
	struct hf_elf_symbols symbols;
	struct hf_elf elf;

	eh->e_shoff = sizeof(*eh);
	sh[0].sh_size = 3;
	sh[1] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB, .sh_size = ROOM, .sh_link = 2, .sh_entsize = sizeof(Elf64_Sym) };
	sh[2] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_size = ROOM };
	ck_assert_int_eq(hf_elf_open(&elf, file, ROOM), 0);
	ck_assert(hf_elf_symbols(&elf, SHT_SYMTAB, &symbols));
	ck_assert_uint_eq(symbols.n, 50000000);
	ck_assert(!hf_elf_symbols(&elf, SHT_DYNSYM, &symbols));
	sh[0].sh_size = 5000000;
	ck_assert_int_eq(hf_elf_open(&elf, file, ROOM), 0);
	ck_assert(!hf_elf_symbols(&elf, SHT_DYNSYM, &symbols));
	munmap(file, ROOM);
}
END_TEST

static const struct {
	uint32_t len;
	bool is;
} ids[] = {
	{ 0, false }, { 1, true }, { 20, true }, { HF_ELF_BUILD_ID_MAX, true }, { HF_ELF_BUILD_ID_MAX + 1, false },
};

START_TEST(a_build_id_has_a_largest_length)
{
	struct {
		Elf64_Nhdr nh;
		char name[4];
		uint8_t id[128];
	} note = { { 4, ids[_i].len, NT_GNU_BUILD_ID }, "GNU", { 1, 2, 3 } };
	const struct made_section section = { ".note.gnu.build-id", { .sh_type = SHT_NOTE, .sh_size = sizeof(note) }, &note };
	struct hf_elf elf;
	void *file = made_elf(&elf, &section, 1);
	const uint8_t *id;
	size_t n;

	ck_assert(hf_elf_build_id(&elf, &id, &n) == ids[_i].is);
	if (ids[_i].is)
		ck_assert(n == ids[_i].len && memcmp(id, note.id, n) == 0);
	free(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf_file");
	TCase *tc = tcase_create("limits");

	tcase_add_test(tc, of_the_names_of_sections_no_more_is_read_than_is_compared);
	tcase_add_test(tc, a_name_of_a_symbol_has_a_largest_length);
	tcase_add_test(tc, segments_have_a_largest_number);
	tcase_add_test(tc, sections_and_symbols_have_a_largest_number);
	tcase_add_loop_test(tc, a_build_id_has_a_largest_length, 0, (int)COUNT_OF(ids));
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
