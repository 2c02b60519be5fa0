/* SPDX-License-Identifier: MIT */
/*
 * check_cgroupfs - tests of base/cgroupfs.c, cell by cell and without a cgroup.
 */
#include "cgroupfs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "suite.h"

static const struct {
	struct bytes in;
	int r;
	bool populated, frozen;
} events[] = {
	{ BYTES("populated 0\nfrozen 0\n"), 0, false, false },
	{ BYTES("populated 1\nfrozen 0\n"), 0, true, false },
	{ BYTES("populated 0\nfrozen 1\n"), 0, false, true },
	{ BYTES("populated 1\nfrozen 1\n"), 0, true, true },
	{ BYTES("frozen 1\npopulated 0\n"), 0, false, true },
	/* What later kernels may add, before, between and behind. */
	{ BYTES("new\n\nnew key 7\npopulated 1\nfrozen_by 3\nfrozen 1\nlast"), 0, true, true },
	{ BYTES("xpopulated 0\npopulated 1\nunfrozen 1\nfrozen 0\n"), 0, true, false },
	{ BYTES("new \0\xff\npopulated 1\nfrozen 1\n"), 0, true, true },
	{ BYTES(""), -EBADMSG, false, false },
	{ BYTES("\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\n"), -EBADMSG, false, false },
	{ BYTES("frozen 1\n"), -EBADMSG, false, false },	/* before Linux 5.2: no freezer */
	{ BYTES("populated 1\nfrozen 1"), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen "), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen 2\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen 10\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen 1 \n"), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen  1\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen -1\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\nfrozen 1\0\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\nFrozen 1\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\n frozen 1\n"), -EBADMSG, false, false },
	{ BYTES("populated 1\rfrozen 1\r"), -EBADMSG, false, false },
};

START_TEST(events_need_both_keys_whole_and_nothing_else)
{
	char *copy = exact_copy(events[_i].in);
	struct hf_cgroup_events got;

	memset(&got, FILLER, sizeof(got));
	ck_assert_int_eq(hf_cgroup_events_parse(copy, events[_i].in.len, &got), events[_i].r);
	if (events[_i].r < 0) {
		ck_assert(is_untouched(&got, sizeof(got)));
	} else {
		ck_assert_int_eq(got.populated, events[_i].populated);
		ck_assert_int_eq(got.frozen, events[_i].frozen);
	}
	free(copy);
}
END_TEST

START_TEST(events_are_found_behind_more_than_a_page_of_others)
{
	static const char tail[] = "populated 1\nfrozen 1\n";
	static char text[40000];
	struct hf_cgroup_events got = { 0 };
	size_t len = 0;

	while (len < 20000)
		len += (size_t)sprintf(text + len, "key%zu %zu\n", len, len);
	memcpy(text + len, tail, sizeof(tail) - 1);
	ck_assert_int_eq(hf_cgroup_events_parse(text, len + sizeof(tail) - 1, &got), 0);
	ck_assert(got.populated && got.frozen);
}
END_TEST

static const struct {
	struct bytes in;
	int r;
	enum hf_freezer_state state;
} states[] = {
	{ BYTES("THAWED\n"), 0, HF_FREEZER_THAWED },
	{ BYTES("FREEZING\n"), 0, HF_FREEZER_FREEZING },
	{ BYTES("FROZEN\n"), 0, HF_FREEZER_FROZEN },
	{ BYTES("THAWED"), 0, HF_FREEZER_THAWED },
	{ BYTES("FREEZING"), 0, HF_FREEZER_FREEZING },
	{ BYTES("FROZEN"), 0, HF_FREEZER_FROZEN },
	{ BYTES(""), -EBADMSG, 0 },
	{ BYTES("\n"), -EBADMSG, 0 },
	{ BYTES("F"), -EBADMSG, 0 },
	{ BYTES("FRO"), -EBADMSG, 0 },
	{ BYTES("FREEZ\n"), -EBADMSG, 0 },
	{ BYTES("FROZENX\n"), -EBADMSG, 0 },
	{ BYTES("FROZEN\n\n"), -EBADMSG, 0 },
	{ BYTES("FROZEN \n"), -EBADMSG, 0 },
	{ BYTES(" FROZEN\n"), -EBADMSG, 0 },
	{ BYTES("frozen\n"), -EBADMSG, 0 },
	{ BYTES("FROZEN\0\n"), -EBADMSG, 0 },
	{ BYTES("\0"), -EBADMSG, 0 },
	{ BYTES("THAWED\nFROZEN\n"), -EBADMSG, 0 },
};

START_TEST(a_state_is_one_of_three_words_alone)
{
	char *copy = exact_copy(states[_i].in);
	enum hf_freezer_state got;

	memset(&got, FILLER, sizeof(got));
	ck_assert_int_eq(hf_freezer_state_parse(copy, states[_i].in.len, &got), states[_i].r);
	if (states[_i].r < 0)
		ck_assert(is_untouched(&got, sizeof(got)));
	else
		ck_assert_int_eq(got, states[_i].state);
	free(copy);
}
END_TEST

static const struct {
	struct bytes in;
	int r;
	bool bit;
} bits[] = {
	{ BYTES("0\n"), 0, false }, { BYTES("1\n"), 0, true },
	{ BYTES("0"), 0, false },   { BYTES("1"), 0, true },
	{ BYTES(""), -EBADMSG, 0 }, { BYTES("\n"), -EBADMSG, 0 },
	{ BYTES("2\n"), -EBADMSG, 0 }, { BYTES("10\n"), -EBADMSG, 0 },
	{ BYTES("01\n"), -EBADMSG, 0 }, { BYTES("-1\n"), -EBADMSG, 0 },
	{ BYTES("1\n\n"), -EBADMSG, 0 }, { BYTES(" 1\n"), -EBADMSG, 0 },
	{ BYTES("1\0"), -EBADMSG, 0 }, { BYTES("max\n"), -EBADMSG, 0 },
};

START_TEST(a_bit_is_0_or_1_alone)
{
	char *copy = exact_copy(bits[_i].in);
	bool got;

	memset(&got, FILLER, sizeof(got));
	ck_assert_int_eq(hf_bit_parse(copy, bits[_i].in.len, &got), bits[_i].r);
	if (bits[_i].r < 0)
		ck_assert(is_untouched(&got, sizeof(got)));
	else
		ck_assert_int_eq(got, bits[_i].bit);
	free(copy);
}
END_TEST

/* ids ends with -1 where the list ends well, with -2 where it ends in -EBADMSG. */
static const struct {
	struct bytes in;
	pid_t ids[5];
} lists[] = {
	{ BYTES(""), { -1 } },
	{ BYTES("1\n"), { 1, -1 } },
	{ BYTES("1\n22\n333\n"), { 1, 22, 333, -1 } },
	{ BYTES("7\n7\n"), { 7, 7, -1 } },
	{ BYTES("0\n0\n12\n0\n"), { 0, 0, 12, 0, -1 } },
	{ BYTES("2147483647\n"), { INT_MAX, -1 } },
	{ BYTES("2147483648\n"), { -2 } },
	{ BYTES("4294967297\n"), { -2 } },
	{ BYTES("18446744073709551617\n"), { -2 } },
	{ BYTES("1\n22"), { 1, -2 } },
	{ BYTES("\n"), { -2 } },
	{ BYTES("1\n\n2\n"), { 1, -2 } },
	{ BYTES("1\n-2\n"), { 1, -2 } },
	{ BYTES("1\n 2\n"), { 1, -2 } },
	{ BYTES("1\n2 \n"), { 1, -2 } },
	{ BYTES("1\n2 3\n"), { 1, -2 } },
	{ BYTES("1\nx\n"), { 1, -2 } },
	{ BYTES("1\n0x10\n"), { 1, -2 } },
	{ BYTES("1\n2\0\n"), { 1, -2 } },
	{ BYTES("\0"), { -2 } },
	{ BYTES("1\r\n"), { -2 } },
};

START_TEST(a_list_gives_its_ids_in_order_and_stops_at_garbage)
{
	struct bytes in = lists[_i].in;
	char *copy = exact_copy(in);
	const pid_t *want = lists[_i].ids;
	size_t pos = 0, before;
	pid_t id;

	for (; *want >= 0; want++) {
		ck_assert_int_eq(hf_id_list_next(copy, in.len, &pos, &id), 1);
		ck_assert_int_eq(id, *want);
	}
	before = pos;
	memset(&id, FILLER, sizeof(id));
	ck_assert_int_eq(hf_id_list_next(copy, in.len, &pos, &id), *want == -1 ? 0 : -EBADMSG);
	ck_assert_uint_eq(pos, before);
	ck_assert(is_untouched(&id, sizeof(id)));
	/* And the answer is the same when it is asked for again. */
	ck_assert_int_eq(hf_id_list_next(copy, in.len, &pos, &id), *want == -1 ? 0 : -EBADMSG);
	free(copy);
}
END_TEST

START_TEST(a_list_may_be_longer_than_a_page)
{
	static char text[200000];
	size_t len = 0, pos = 0;
	pid_t id, want;

	for (want = 1; want <= 20000; want++)
		len += (size_t)sprintf(text + len, "%d\n", want);
	for (want = 1; want <= 20000; want++) {
		ck_assert_int_eq(hf_id_list_next(text, len, &pos, &id), 1);
		ck_assert_int_eq(id, want);
	}
	ck_assert_int_eq(hf_id_list_next(text, len, &pos, &id), 0);
	ck_assert_uint_eq(pos, len);
}
END_TEST

START_TEST(nothing_at_all_is_an_empty_list)
{
	size_t pos = 0;
	pid_t id;

	ck_assert_int_eq(hf_id_list_next(NULL, 0, &pos, &id), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroupfs");
	TCase *parse = tcase_create("parse"), *list = tcase_create("list");

	tcase_add_loop_test(parse, events_need_both_keys_whole_and_nothing_else, 0,
			    (int)COUNT_OF(events));
	tcase_add_test(parse, events_are_found_behind_more_than_a_page_of_others);
	tcase_add_loop_test(parse, a_state_is_one_of_three_words_alone, 0, (int)COUNT_OF(states));
	tcase_add_loop_test(parse, a_bit_is_0_or_1_alone, 0, (int)COUNT_OF(bits));
	suite_add_tcase(suite, parse);
	tcase_add_loop_test(list, a_list_gives_its_ids_in_order_and_stops_at_garbage, 0,
			    (int)COUNT_OF(lists));
	tcase_add_test(list, a_list_may_be_longer_than_a_page);
	tcase_add_test(list, nothing_at_all_is_an_empty_list);
	suite_add_tcase(suite, list);
	return hf_suite_run(suite);
}
