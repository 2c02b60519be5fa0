/* SPDX-License-Identifier: MIT */
/*
 * check_slots - tests of base/slots.c.
 */
#include "slots.h"

#include <stdbool.h>

#include "suite.h"

#define ROOM 1000u

/* How many numbers a hash may mean, and whether this one is among them. */
static size_t count(const struct hf_slots *s, uint64_t hash, uint32_t wanted, bool *ret_found)
{
	uint64_t at = hash;
	uint32_t number;
	size_t n = 0;

	*ret_found = false;
	for (; hf_slots_next(s, &at, &number); n++)
		*ret_found |= number == wanted;
	return n;
}

START_TEST(nothing_is_found_where_nothing_has_room)
{
	struct hf_slots s = { 0 };
	uint64_t at = 7;
	uint32_t number;

	ck_assert(!hf_slots_next(&s, &at, &number));
	hf_slots_done(&s);
}
END_TEST

/* Well mixed; all of one hash; and those that go round the end. */
static const uint64_t factors[] = { UINT64_C(0x9e3779b97f4a7c15), 0, UINT64_MAX };

START_TEST(what_is_put_is_found)
{
	struct hf_slots s = { 0 };
	uint32_t i;
	bool found;

	ck_assert_int_eq(hf_slots_renew(&s, ROOM), 0);
	for (i = 0; i < ROOM; i++)
		hf_slots_put(&s, i * factors[_i], i);
	for (i = 0; i < ROOM; i++) {
		count(&s, i * factors[_i], i, &found);
		ck_assert_msg(found, "%u", i);
	}
	/* What is not there is looked for, and that ends. */
	ck_assert_uint_le(count(&s, 12345, ROOM, &found), ROOM);
	ck_assert(!found);
	hf_slots_done(&s);
}
END_TEST

START_TEST(at_most_half_are_used)
{
	struct hf_slots s = { 0 };
	size_t room;

	for (room = 0; room < 5000; room++) {
		ck_assert_int_eq(hf_slots_renew(&s, room), 0);
		ck_assert_uint_ge(s.n, 2 * room);
		ck_assert_uint_eq(s.n & (s.n - 1), 0);
	}
	hf_slots_done(&s);
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(renewed_they_are_empty)
{
	struct hf_slots s = { 0 };
	bool found;

	ck_assert_int_eq(hf_slots_renew(&s, ROOM), 0);
	hf_slots_put(&s, 42, 1);
	ck_assert_uint_eq(count(&s, 42, 1, &found), 1);
	ck_assert_int_eq(hf_slots_renew(&s, 2 * ROOM), 0);
	ck_assert_uint_eq(count(&s, 42, 1, &found), 0);
	hf_slots_done(&s);
}
END_TEST

START_TEST(the_secret_stays_and_has_two_halves)
{
	ck_assert_uint_ne(hf_slots_secret(0), 0);
	ck_assert_uint_ne(hf_slots_secret(0), hf_slots_secret(1));
	ck_assert_uint_eq(hf_slots_secret(0), hf_slots_secret(0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tc = tcase_create("slots");

	tcase_add_test(tc, nothing_is_found_where_nothing_has_room);
	tcase_add_loop_test(tc, what_is_put_is_found, 0, COUNT_OF(factors));
	tcase_add_test(tc, at_most_half_are_used);
	tcase_add_test(tc, renewed_they_are_empty);
	tcase_add_test(tc, the_secret_stays_and_has_two_halves);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
