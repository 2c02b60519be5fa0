/* SPDX-License-Identifier: MIT */
/*
 * check_cfi - tests of dump/cfi.c and dump/cfi_row.c: made-up unwind information, and the row of an address.
 */
#include "cfi.h"

#include <stdint.h>

#include "frame_regs.h"
#include "made_elf.h"

#define START 0x1000u

/* One common entry ("zR", addresses as they are), and one entry for 16 bytes of code from START on. */
static void row_of(struct bytes first, struct bytes then, uint8_t data_align, struct hf_row *ret)
{
	static const uint64_t place[2] = { START, 16 };
	const uint8_t common[] = { 1, 'z', 'R', 0, 1, data_align, HF_REG_IP, 1, 0 };
	uint32_t common_len = (uint32_t)(4 + sizeof(common) + first.len);
	uint32_t head[2] = { (uint32_t)(4 + sizeof(place) + 1 + then.len), common_len + 8 };
	size_t len = 4 + common_len + 4 + head[0];
	uint8_t *frames = calloc(1, len), *at = frames;
	const struct made_section section = { ".eh_frame", { .sh_type = SHT_PROGBITS, .sh_size = len }, frames };
	struct hf_cfi cfi;
	struct hf_elf elf;
	void *file;

	ck_assert_ptr_nonnull(frames);
	memcpy(at, &common_len, 4);
	memcpy(at + 8, common, sizeof(common));
	memcpy(at + 8 + sizeof(common), first.text, first.len);
	at += 4 + common_len;
	memcpy(at, head, sizeof(head));
	memcpy(at + 8, place, sizeof(place));
	memcpy(at + 8 + sizeof(place) + 1, then.text, then.len);
	file = made_elf(&elf, &section, 1);
	ck_assert_int_eq(hf_cfi_open(&cfi, &elf), 0);
	hf_cfi_row(&cfi, START + 8, ret);
	hf_cfi_done(&cfi);
	free(file);
	free(frames);
}

/* The frame's address is the stack pointer + 8, the return address is at -8 from it. */
static const char usual_bytes[] = { 0x0c, HF_REG_SP, 8, 0x05, HF_REG_IP, 1 };
static const struct bytes usual = { usual_bytes, sizeof(usual_bytes) };

#define MINUS_8 0x78
#define MOST_NEGATIVE "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"	/* SLEB128 of INT64_MIN; as ULEB128 it is the same bits */

static const struct {
	struct bytes then;
	uint8_t data_align;
	enum hf_row_kind kind;
	int n_rules;
} rows[] = {
	{ BYTES(""), MINUS_8, HF_ROW_PLAIN, 1 },
	{ BYTES("\x05\x03\x02"), MINUS_8, HF_ROW_PLAIN, 2 },			/* offset_extended */
	{ BYTES("\x2f\x03\x02"), MINUS_8, HF_ROW_PLAIN, 2 },			/* negative_offset_extended */
	/* The most negative number has no positive one: it stays what it is, and fits into no row. */
	{ BYTES("\x2f\x03" MOST_NEGATIVE), 1, HF_ROW_ODD, 0 },
	{ BYTES("\x11\x03" MOST_NEGATIVE), 1, HF_ROW_ODD, 0 },
	{ BYTES("\x12\x05" MOST_NEGATIVE), 1, HF_ROW_ODD, 0 },
	{ BYTES("\x0b"), MINUS_8, HF_ROW_DAMAGED, 0 },				/* restores what was not remembered */
	{ BYTES("\x3f"), MINUS_8, HF_ROW_DAMAGED, 0 },				/* no such instruction */
};

START_TEST(instructions_give_a_row)
{
	struct hf_row row;

	row_of(usual, rows[_i].then, rows[_i].data_align, &row);
	ck_assert_int_eq(row.kind, rows[_i].kind);
	if (row.kind == HF_ROW_PLAIN) {
		ck_assert_int_eq(row.offset, 8);
		ck_assert_int_eq(row.n_rules, rows[_i].n_rules);
	}
}
END_TEST

START_TEST(a_negative_offset_is_to_the_other_side)
{
	struct hf_row one, other;

	row_of(usual, (struct bytes)BYTES("\x05\x03\x02"), MINUS_8, &one);
	row_of(usual, (struct bytes)BYTES("\x2f\x03\x02"), MINUS_8, &other);
	ck_assert_int_eq(one.rules[0].reg, 3);
	ck_assert_int_eq(one.rules[0].offset, -16);
	ck_assert_int_eq(other.rules[0].offset, 16);
}
END_TEST

static const struct {
	size_t n;
	enum hf_row_kind kind;
} lengths[] = { { 1000, HF_ROW_PLAIN }, { 1000000, HF_ROW_DAMAGED } };

/* They are run for each address that a frame is at. */
START_TEST(instructions_have_a_largest_number)
{
	char *nops = calloc(1, lengths[_i].n);
	struct hf_row row;

	row_of(usual, (struct bytes){ nops, lengths[_i].n }, MINUS_8, &row);
	ck_assert_int_eq(row.kind, lengths[_i].kind);
	free(nops);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cfi");
	TCase *tc = tcase_create("rows");

	tcase_add_loop_test(tc, instructions_give_a_row, 0, (int)COUNT_OF(rows));
	tcase_add_test(tc, a_negative_offset_is_to_the_other_side);
	tcase_add_loop_test(tc, instructions_have_a_largest_number, 0, (int)COUNT_OF(lengths));
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
