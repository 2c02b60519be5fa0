/* SPDX-License-Identifier: MIT */
/*
 * check_scan - tests of base/scan.c: where numbers, lines and fields end, and what is none.
 */
#include "scan.h"

#include <errno.h>
#include <limits.h>

#include "suite.h"

static const struct {
	struct bytes in;
	unsigned int base;
	uint64_t max;
	int r;
	uint64_t value;
	size_t left;
} numbers[] = {
	{ BYTES("0"), 10, UINT64_MAX, 0, 0, 0 },
	{ BYTES("42 rest"), 10, UINT64_MAX, 0, 42, 5 },
	{ BYTES("007"), 10, UINT64_MAX, 0, 7, 0 },
	{ BYTES("9\0009"), 10, UINT64_MAX, 0, 9, 2 },
	{ BYTES("18446744073709551615"), 10, UINT64_MAX, 0, UINT64_MAX, 0 },
	{ BYTES("18446744073709551616"), 10, UINT64_MAX, -EBADMSG, 0, 20 },
	{ BYTES("18446744073709551620"), 10, UINT64_MAX, -EBADMSG, 0, 20 },
	{ BYTES("99999999999999999999999"), 10, UINT64_MAX, -EBADMSG, 0, 23 },
	{ BYTES("4294967295"), 10, UINT32_MAX, 0, UINT32_MAX, 0 },
	{ BYTES("4294967296"), 10, UINT32_MAX, -EBADMSG, 0, 10 },
	{ BYTES("2147483648"), 10, INT_MAX, -EBADMSG, 0, 10 },
	{ BYTES(""), 10, UINT64_MAX, -EBADMSG, 0, 0 },
	{ BYTES("-1"), 10, UINT64_MAX, -EBADMSG, 0, 2 },
	{ BYTES("+1"), 10, UINT64_MAX, -EBADMSG, 0, 2 },
	{ BYTES(" 1"), 10, UINT64_MAX, -EBADMSG, 0, 2 },
	{ BYTES("x"), 10, UINT64_MAX, -EBADMSG, 0, 1 },
	{ BYTES("12a"), 10, UINT64_MAX, 0, 12, 1 },
	{ BYTES("ffffffffffffffff"), 16, UINT64_MAX, 0, UINT64_MAX, 0 },
	{ BYTES("10000000000000000"), 16, UINT64_MAX, -EBADMSG, 0, 17 },
	{ BYTES("00000000000000001"), 16, UINT64_MAX, 0, 1, 0 },
	{ BYTES("DeadBeefg"), 16, UINT64_MAX, 0, 0xdeadbeef, 1 },
	{ BYTES("0x10"), 16, UINT64_MAX, 0, 0, 3 },
	{ BYTES("\xb2"), 10, UINT64_MAX, -EBADMSG, 0, 1 },
};

START_TEST(a_number_ends_at_the_first_other_byte_and_must_fit)
{
	char *copy = exact_copy(numbers[_i].in);
	struct hf_scan s = hf_scan_of(copy, numbers[_i].in.len);
	uint64_t value;

	memset(&value, FILLER, sizeof(value));
	ck_assert_int_eq(hf_scan_number(&s, numbers[_i].base, numbers[_i].max, &value),
			 numbers[_i].r);
	ck_assert_uint_eq(s.len, numbers[_i].left);
	if (numbers[_i].r < 0)
		ck_assert(is_untouched(&value, sizeof(value)));
	else
		ck_assert_uint_eq(value, numbers[_i].value);
	free(copy);
}
END_TEST

START_TEST(lines_end_with_a_newline_or_have_been_cut)
{
	struct hf_scan s = hf_scan_of("one\n\ntwo", 8), line;

	ck_assert_int_eq(hf_scan_line(&s, &line), 1);
	ck_assert(hf_scan_is(line, "one"));
	ck_assert_int_eq(hf_scan_line(&s, &line), 1);
	ck_assert(hf_scan_is(line, ""));
	ck_assert_int_eq(hf_scan_line(&s, &line), -EBADMSG);
	ck_assert_uint_eq(s.len, 3);
	s = hf_scan_of("x\n", 0);
	ck_assert_int_eq(hf_scan_line(&s, &line), 0);
	s = hf_scan_of(NULL, 0);
	ck_assert_int_eq(hf_scan_line(&s, &line), 0);
}
END_TEST

START_TEST(a_field_may_be_empty_or_the_last)
{
	struct hf_scan s = hf_scan_of("a  b", 4), field;

	ck_assert(hf_scan_field(&s, ' ', &field));
	ck_assert(hf_scan_is(field, "a"));
	ck_assert(hf_scan_field(&s, ' ', &field));
	ck_assert(hf_scan_is(field, ""));
	ck_assert(!hf_scan_field(&s, ' ', &field));
	ck_assert(hf_scan_is(field, "b"));
	ck_assert(!hf_scan_field(&s, ' ', &field));
	ck_assert_uint_eq(field.len, 0);
}
END_TEST

static const struct {
	struct bytes list;
	bool has;
} lists[] = {
	{ BYTES("freezer"), true },
	{ BYTES("cpu,freezer"), true },
	{ BYTES("freezer,cpu"), true },
	{ BYTES("a,freezer,b"), true },
	{ BYTES(",freezer"), true },
	{ BYTES(""), false },
	{ BYTES(","), false },
	{ BYTES("freezerx"), false },
	{ BYTES("xfreezer"), false },
	{ BYTES("freeze,r"), false },
	{ BYTES("freeze"), false },
	{ BYTES("name=freezer"), false },
	{ BYTES("freezer "), false },
	{ BYTES("freezer\0"), false },
};

START_TEST(only_whole_members_of_a_list_count)
{
	char *copy = exact_copy(lists[_i].list);

	ck_assert_int_eq(hf_scan_list_has(hf_scan_of(copy, lists[_i].list.len), "freezer"),
			 lists[_i].has);
	free(copy);
}
END_TEST

START_TEST(a_word_is_skipped_only_when_all_of_it_is_there)
{
	struct hf_scan s = hf_scan_of("frozen 1", 8);

	ck_assert(!hf_scan_skip(&s, "frozen 10"));
	ck_assert(!hf_scan_skip(&s, "Frozen"));
	ck_assert_uint_eq(s.len, 8);
	ck_assert(hf_scan_skip(&s, "frozen"));
	hf_scan_blanks(&s);
	ck_assert(hf_scan_is(s, "1"));
	hf_scan_advance(&s, 1);
	hf_scan_blanks(&s);
	ck_assert(hf_scan_skip(&s, ""));
	ck_assert_uint_eq(s.len, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan");
	TCase *number = tcase_create("number"), *text = tcase_create("text");

	tcase_add_loop_test(number, a_number_ends_at_the_first_other_byte_and_must_fit, 0,
			    (int)COUNT_OF(numbers));
	suite_add_tcase(suite, number);
	tcase_add_test(text, lines_end_with_a_newline_or_have_been_cut);
	tcase_add_test(text, a_field_may_be_empty_or_the_last);
	tcase_add_loop_test(text, only_whole_members_of_a_list_count, 0, (int)COUNT_OF(lists));
	tcase_add_test(text, a_word_is_skipped_only_when_all_of_it_is_there);
	suite_add_tcase(suite, text);
	return hf_suite_run(suite);
}
