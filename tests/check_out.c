/* SPDX-License-Identifier: MIT */
/*
 * check_out - tests of the pure parts of cli/out.c and cli/json.c.
 */
#include "out.h"

#include "suite.h"

START_TEST(one_is_singular_and_everything_else_plural)
{
	char buf[HF_COUNT_MAX];

	ck_assert_str_eq(hf_count(1, "thread", buf), "1 thread");
	ck_assert_str_eq(hf_count(0, "thread", buf), "0 threads");
	ck_assert_str_eq(hf_count(340, "thread", buf), "340 threads");
	ck_assert_str_eq(hf_count(1, "process", buf), "1 process");
	ck_assert_str_eq(hf_count(12, "process", buf), "12 processes");
}
END_TEST

START_TEST(control_characters_are_shown_not_sent)
{
	char buf[64];

	hf_clean("a\033[31mb\n\x7f\xc2\x9b" "c\xc3\xa4\xff", buf, sizeof(buf));
	ck_assert_str_eq(buf, "a\\x1b[31mb\\n\\x7f\\xc2\\x9b" "c\xc3\xa4\\xff");
}
END_TEST

START_TEST(cleaning_never_writes_behind_the_end)
{
	char text[64], buf[20];

	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(buf, FILLER, sizeof(buf));
	hf_clean(text, buf, 16);
	ck_assert_str_eq(buf, "\\n\\n\\n\\n\\n\\n\\n");
	ck_assert(is_untouched(buf + 16, 4));
}
END_TEST

START_TEST(the_graver_exit_status_wins)
{
	ck_assert_int_eq(hf_exit_worse(0, 0), 0);
	ck_assert_int_eq(hf_exit_worse(0, HF_EXIT_PARTIAL), HF_EXIT_PARTIAL);
	ck_assert_int_eq(hf_exit_worse(HF_EXIT_FAILED, HF_EXIT_PARTIAL), HF_EXIT_FAILED);
	ck_assert_int_eq(hf_exit_worse(HF_EXIT_PARTIAL, HF_EXIT_FAILED), HF_EXIT_FAILED);
	ck_assert_int_eq(hf_exit_worse(HF_EXIT_FAILED, HF_EXIT_NOT_UNDONE), HF_EXIT_NOT_UNDONE);
}
END_TEST

static const struct {
	const char *text, *json;
} strings[] = {
	{ "", "\"\"" }, { "plain", "\"plain\"" }, { "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "\n\t\x1f\x7f", "\"\\u000a\\u0009\\u001f\\u007f\"" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "\xff", "\"\\\\xff\"" }, { "a\x80z", "\"a\\\\x80z\"" },
	{ "\xc0\xaf", "\"\\\\xc0\\\\xaf\"" },			/* overlong */
	{ "\xe2\x82", "\"\\\\xe2\\\\x82\"" },
};

START_TEST(a_json_string_is_valid_and_loses_nothing)
{
	struct bytes b = { strings[_i].text, strlen(strings[_i].text) + 1 };
	char *copy = exact_copy(b), *json = NULL;
	size_t len;
	FILE *f = open_memstream(&json, &len);

	ck_assert_int_eq(hf_json_string(f, copy), 0);
	fclose(f);
	ck_assert_str_eq(json, strings[_i].json);
	free(json);
	free(copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("out");
	TCase *tc = tcase_create("text");

	tcase_add_test(tc, one_is_singular_and_everything_else_plural);
	tcase_add_test(tc, control_characters_are_shown_not_sent);
	tcase_add_test(tc, cleaning_never_writes_behind_the_end);
	tcase_add_test(tc, the_graver_exit_status_wins);
	tcase_add_loop_test(tc, a_json_string_is_valid_and_loses_nothing, 0, COUNT_OF(strings));
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
