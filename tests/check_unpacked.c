/* SPDX-License-Identifier: MIT */
/*
 * check_unpacked - tests of dump/names.c: symbols that a file has compressed (.gnu_debugdata), and how much of them is
 * unpacked for one look.
 */
#include "stacks.h"

#include <lzma.h>

#include "frame_regs.h"
#include "made_elf.h"

#define MEBI ((size_t)1024 * 1024)
#define PLACE (MADE_TEXT_AT + 8)

/* The symbol "packed" in a file of at least so many bytes. */
static void *made_symbols(struct hf_elf *ret, size_t size)
{
	static const Elf64_Sym syms[2] = { [1] = { .st_name = 1, .st_value = MADE_TEXT_AT, .st_size = 16, .st_shndx = 1,
						   .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC) } };
	char *names = calloc(1, size);
	void *file;

	ck_assert_ptr_nonnull(names);
	strcpy(names + 1, "packed");
	file = made_elf_of_symbols(ret, 4096, syms, COUNT_OF(syms), names, size);
	free(names);
	return file;
}

/* A file that has those compressed, as an image that a frame is in. */
static struct hf_place *add_image(struct hf_stacks *stacks, size_t size)
{
	struct hf_elf elf;
	void *inner = made_symbols(&elf, size);
	size_t room = lzma_stream_buffer_bound(elf.len), len = 0;
	uint8_t *packed = malloc(room);
	struct made_section section = { ".gnu_debugdata", { .sh_type = SHT_PROGBITS }, packed };
	struct hf_image *image;
	struct hf_place *place;
	void *file;
	bool is_new;

	ck_assert_int_eq(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, elf.data, elf.len, packed, &len, room), LZMA_OK);
	free(inner);
	section.sh.sh_size = len;
	file = made_elf(&elf, &section, 1);
	((Elf64_Ehdr *)file)->e_machine = HF_ELF_MACHINE;
	image = hf_image_of_bytes(&stacks->walker.images, "file", file, elf.len);
	ck_assert(image && image->state == HF_IMAGE_READY);
	free(file);
	free(packed);
	place = hf_place_of(&stacks->walker.places, image->number, PLACE, &is_new);
	ck_assert_ptr_nonnull(place);
	place->image = image;
	return place;
}

START_TEST(compressed_symbols_are_unpacked_as_long_as_all_of_them_are_not_too_large)
{
	struct hf_stacks *stacks = calloc(1, sizeof(*stacks));
	const struct hf_place *small, *large, *second, *last;

	stacks->walker.images.arena = stacks->walker.places.arena = &stacks->arena;
	small = add_image(stacks, 4096);
	large = add_image(stacks, 129 * MEBI);
	second = add_image(stacks, 129 * MEBI);
	last = add_image(stacks, 4096);
	ck_assert_int_eq(hf_stacks_name(stacks), 0);
	ck_assert_str_eq(small->name, "packed");
	ck_assert_str_eq(large->name, "packed");
	ck_assert_uint_eq(large->symbol_offset, 8);
	ck_assert_ptr_null(second->name);
	ck_assert_ptr_null(second->image->mini.elf.data);
	ck_assert_ptr_null(last->name);
	hf_stack_free(stacks);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unpacked");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, compressed_symbols_are_unpacked_as_long_as_all_of_them_are_not_too_large);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
