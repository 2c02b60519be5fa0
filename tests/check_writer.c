/* SPDX-License-Identifier: MIT */
/*
 * check_writer - tests of pstree/writer.c.
 */
#include "writer.h"

#include "suite.h"

static const struct {
	struct bytes in;
	size_t len;
} sequences[] = {
	{ BYTES(""), 0 },
	{ BYTES("a"), 1 },
	{ BYTES("\x7f"), 1 },
	{ BYTES("\x80"), 0 },
	{ BYTES("\xbf"), 0 },
	{ BYTES("\xc0\x80"), 0 },			/* overlong */
	{ BYTES("\xc1\xbf"), 0 },
	{ BYTES("\xc2\x80"), 2 },
	{ BYTES("\xdf\xbf"), 2 },
	{ BYTES("\xc2"), 0 },				/* cut */
	{ BYTES("\xc2" "a"), 0 },
	{ BYTES("\xe0\x9f\xbf"), 0 },
	{ BYTES("\xe0\xa0\x80"), 3 },
	{ BYTES("\xed\x9f\xbf"), 3 },
	{ BYTES("\xed\xa0\x80"), 0 },			/* surrogates */
	{ BYTES("\xed\xbf\xbf"), 0 },
	{ BYTES("\xee\x80\x80"), 3 },
	{ BYTES("\xef\xbf\xbf"), 3 },
	{ BYTES("\xef\xbf"), 0 },
	{ BYTES("\xf0\x8f\xbf\xbf"), 0 },
	{ BYTES("\xf0\x90\x80\x80"), 4 },
	{ BYTES("\xf0\x9f\x98\x80"), 4 },
	{ BYTES("\xf0\x9f\x98"), 0 },
	{ BYTES("\xf4\x8f\xbf\xbf"), 4 },
	{ BYTES("\xf4\x90\x80\x80"), 0 },		/* past the end of Unicode */
	{ BYTES("\xf5\x80\x80\x80"), 0 },
	{ BYTES("\xff"), 0 },
};

START_TEST(utf8_is_told_from_other_bytes)
{
	char *copy = exact_copy(sequences[_i].in);

	ck_assert_uint_eq(hf_utf8_len(copy, sequences[_i].in.len), sequences[_i].len);
	free(copy);
}
END_TEST

static const struct {
	struct bytes in;
	const char *shown;
} names[] = {
	{ BYTES("plain \\x41"), "plain \\x41" },
	{ BYTES("a\nb\tc\rd\x1b[2J"), "a\\nb\\tc\\rd\\x1b[2J" },
	{ BYTES("\x7f"), "\\x7f" },
	{ BYTES("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f" },
	{ BYTES("gr\xfc\xdf"), "gr\\xfc\\xdf" },
	{ BYTES("\xc2\x9b" "31m"), "\\xc2\\x9b31m" },			/* a CSI of eight bits */
	{ BYTES("\xc2\xa0"), "\xc2\xa0" },
	{ BYTES("\xe2\x80\xae" "cba"), "\\xe2\\x80\\xaecba" },		/* right to left */
	{ BYTES("\xe2\x81\xa6" "\xe2\x82\xac"), "\\xe2\\x81\\xa6\xe2\x82\xac" },
	{ BYTES("\xf0\x9f\x98\x80\xf0\x9f"), "\xf0\x9f\x98\x80\\xf0\\x9f" },
};

START_TEST(nothing_steers_a_terminal)
{
	char *copy = exact_copy(names[_i].in);
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };

	hf_writer_put_shown(&w, copy, names[_i].in.len);
	ck_assert_int_eq(w.failed, 0);
	ck_assert_str_eq(buf.data, names[_i].shown);
	hf_buf_done(&buf);
	free(copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *tc = tcase_create("bytes");

	tcase_add_loop_test(tc, utf8_is_told_from_other_bytes, 0, (int)COUNT_OF(sequences));
	tcase_add_loop_test(tc, nothing_steers_a_terminal, 0, (int)COUNT_OF(names));
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
