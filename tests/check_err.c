/* SPDX-License-Identifier: MIT */
/*
 * check_err - tests of base/err.c.
 */
#include "err.h"

#include <errno.h>
#include <stdio.h>

#include "suite.h"

START_TEST(failing_fills_every_member_and_returns_the_negative_code)
{
	struct hf_error err;

	memset(&err, FILLER, sizeof(err));
	ck_assert_int_eq(hf_fail(&err, EBUSY, HF_STAGE_SEIZE, 42, "thread %d: %s", 42, "traced"),
			 -EBUSY);
	ck_assert_int_eq(err.code, EBUSY);
	ck_assert_int_eq(err.stage, HF_STAGE_SEIZE);
	ck_assert_int_eq(err.undo, HF_UNDO_NONE);
	ck_assert_int_eq(err.tid, 42);
	ck_assert_str_eq(err.text, "thread 42: traced");
	ck_assert_str_eq(err.note, "");
}
END_TEST

START_TEST(an_error_that_nobody_wants_is_only_returned)
{
	ck_assert_int_eq(hf_fail(NULL, ENOENT, HF_STAGE_LOOK, 0, "nothing"), -ENOENT);
	hf_fail_note(NULL, HF_UNDO_FAILED, "nothing");
}
END_TEST

START_TEST(a_second_failure_replaces_the_first_and_its_notes)
{
	struct hf_error err = HF_ERROR_INIT;

	hf_fail(&err, EIO, HF_STAGE_THAW, 1, "first");
	hf_fail_note(&err, HF_UNDO_FAILED, "of the first");
	hf_fail(&err, EPERM, HF_STAGE_LOOK, 0, "second");
	ck_assert_str_eq(err.text, "second");
	ck_assert_str_eq(err.note, "");
	ck_assert_int_eq(err.undo, HF_UNDO_NONE);
}
END_TEST

START_TEST(an_error_can_be_wrapped_in_its_own_text)
{
	struct hf_error err = HF_ERROR_INIT;

	hf_fail(&err, EIO, HF_STAGE_FREEZE, 0, "inner");
	hf_fail(&err, err.code, err.stage, err.tid, "outer: %s, again: %s", err.text, err.text);
	ck_assert_str_eq(err.text, "outer: inner, again: inner");
}
END_TEST

START_TEST(a_long_text_is_cut_and_ended)
{
	struct hf_error err = HF_ERROR_INIT;
	char much[2000];
	int i;

	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	hf_fail(&err, EIO, HF_STAGE_LOOK, 0, "%s", much);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	for (i = 0; i < 5; i++)
		hf_fail_note(&err, HF_UNDO_DONE, "%.100s", much);
	ck_assert_uint_eq(strlen(err.note), sizeof(err.note) - 1);
	ck_assert_int_eq(err.code, EIO);
}
END_TEST

START_TEST(notes_that_fill_the_room_exactly_do_no_harm)
{
	struct hf_error err = HF_ERROR_INIT;
	char much[sizeof(err.note)];
	int size = _i;

	memset(much, 'x', sizeof(much));
	hf_fail(&err, EIO, HF_STAGE_LOOK, 7, "text");
	hf_fail_note(&err, HF_UNDO_DONE, "%.*s", size, much);
	hf_fail_note(&err, HF_UNDO_FAILED, "more");
	ck_assert_uint_lt(strlen(err.note), sizeof(err.note));
	ck_assert_uint_ge(strlen(err.note), (size_t)size);
	ck_assert_int_eq(err.undo, HF_UNDO_FAILED);
	ck_assert_str_eq(err.text, "text");
}
END_TEST

START_TEST(notes_add_up_and_the_worst_undo_stays)
{
	struct hf_error err = HF_ERROR_INIT;

	hf_fail(&err, EIO, HF_STAGE_WAIT, 0, "the first error");
	hf_fail_note(&err, HF_UNDO_DONE, "thawed %s", "/pod");
	ck_assert_int_eq(err.undo, HF_UNDO_DONE);
	hf_fail_note(&err, HF_UNDO_FAILED, "thread %d is still stopped", 9);
	hf_fail_note(&err, HF_UNDO_DONE, "the rest runs");
	ck_assert_int_eq(err.undo, HF_UNDO_FAILED);
	ck_assert_str_eq(err.note, "thawed /pod; thread 9 is still stopped; the rest runs");
	ck_assert_str_eq(err.text, "the first error");
}
END_TEST

START_TEST(names_cannot_break_the_line_or_steer_the_terminal)
{
	struct hf_error err = HF_ERROR_INIT;

	hf_fail(&err, EIO, HF_STAGE_LOOK, 0, "task '%s'", "a\nb\033[2J\x7f\t\xc3\xa9\xff");
	ck_assert_str_eq(err.text, "task 'a?b?[2J??\xc3\xa9\xff'");
	hf_fail_note(&err, HF_UNDO_DONE, "%s", "x\r\ny");
	ck_assert_str_eq(err.note, "x??y");
}
END_TEST

START_TEST(every_stage_has_a_word_of_its_own)
{
	int other;

	ck_assert_str_ne(hf_stage_name((enum hf_stage)_i), hf_stage_name((enum hf_stage)1000));
	for (other = HF_STAGE_NONE; other < _i; other++)
		ck_assert_str_ne(hf_stage_name((enum hf_stage)_i),
				 hf_stage_name((enum hf_stage)other));
}
END_TEST

START_TEST(the_linked_version_is_that_of_the_header)
{
	ck_assert_str_eq(hf_version(), HF_VERSION);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("err");
	TCase *fail = tcase_create("fail"), *limits = tcase_create("limits");
	TCase *words = tcase_create("words");

	tcase_add_test(fail, failing_fills_every_member_and_returns_the_negative_code);
	tcase_add_test(fail, an_error_that_nobody_wants_is_only_returned);
	tcase_add_test(fail, a_second_failure_replaces_the_first_and_its_notes);
	tcase_add_test(fail, an_error_can_be_wrapped_in_its_own_text);
	tcase_add_test(fail, notes_add_up_and_the_worst_undo_stays);
	suite_add_tcase(suite, fail);
	tcase_add_test(limits, a_long_text_is_cut_and_ended);
	tcase_add_loop_test(limits, notes_that_fill_the_room_exactly_do_no_harm, 290, 300);
	tcase_add_test(limits, names_cannot_break_the_line_or_steer_the_terminal);
	suite_add_tcase(suite, limits);
	tcase_add_loop_test(words, every_stage_has_a_word_of_its_own, HF_STAGE_NONE,
			    HF_STAGE_RELEASE + 1);
	tcase_add_test(words, the_linked_version_is_that_of_the_header);
	suite_add_tcase(suite, words);
	return hf_suite_run(suite);
}
