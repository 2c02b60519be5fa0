/* SPDX-License-Identifier: MIT */
/*
 * check_clock - tests of base/clock.c.  A machine may be slow and never fast: only lower limits of
 * time are asserted, and upper ones only where being late is no excuse.
 */
#include "clock.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "suite.h"

#define MS 1000000ull

START_TEST(the_monotonic_clock_does_not_go_back)
{
	uint64_t before = hf_clock_ns(), now;
	int i;

	ck_assert_uint_gt(before, 0);
	for (i = 0; i < 1000; i++) {
		now = hf_clock_ns();
		ck_assert_uint_ge(now, before);
		before = now;
	}
}
END_TEST

START_TEST(the_real_clock_counts_microseconds_since_1970)
{
	int64_t before = (int64_t)time(NULL) * 1000000, us = hf_clock_real_us();

	/* time(2) may lag behind by a tick. */
	ck_assert_int_ge(us, before - 1000000);
	ck_assert_int_le(us, ((int64_t)time(NULL) + 2) * 1000000);
}
END_TEST

START_TEST(a_deadline_lies_its_time_ahead)
{
	uint64_t before = hf_clock_ns();
	struct hf_deadline d = hf_deadline_in_ms(60000);
	uint64_t after = hf_clock_ns();

	ck_assert_uint_ge(d.at_ns, before + 60000 * MS);
	ck_assert_uint_le(d.at_ns, after + 60000 * MS);
	ck_assert(!hf_deadline_passed(d));
	ck_assert_uint_gt(hf_deadline_left_ns(d), 0);
	ck_assert_uint_le(hf_deadline_left_ns(d), 60000 * MS);
}
END_TEST

START_TEST(a_deadline_in_the_past_has_passed_and_nothing_is_left)
{
	struct hf_deadline now = hf_deadline_in_ms(0), start = { 0 };

	ck_assert(hf_deadline_passed(now));
	ck_assert(hf_deadline_passed(start));
	ck_assert_uint_eq(hf_deadline_left_ns(start), 0);
}
END_TEST

START_TEST(a_deadline_that_cannot_be_counted_never_comes)
{
	static const uint64_t ms[] = { UINT64_MAX, UINT64_MAX / MS, UINT64_MAX / MS + 1 };
	struct hf_deadline d = hf_deadline_in_ms(ms[_i]);

	ck_assert(!hf_deadline_passed(d));
	ck_assert_uint_eq(d.at_ns, UINT64_MAX);
}
END_TEST

START_TEST(the_earlier_of_two_deadlines_counts)
{
	struct hf_deadline far = hf_deadline_in_ms(60000), near = hf_deadline_in_ms(1000);

	ck_assert_uint_lt(hf_deadline_within_ms(far, 1000).at_ns, far.at_ns);
	ck_assert_uint_eq(hf_deadline_within_ms(near, 60000).at_ns, near.at_ns);
	ck_assert_uint_eq(hf_deadline_within_ms((struct hf_deadline){ 0 }, 5).at_ns, 0);
}
END_TEST

START_TEST(naps_grow_from_20_us_to_1_ms)
{
	struct hf_nap nap = HF_NAP_INIT;
	struct hf_deadline d = hf_deadline_in_ms(60000);
	uint64_t before, slept;
	uint32_t us;
	int i;

	ck_assert_uint_eq(nap.next_us, 20);
	for (i = 0; i < 20; i++) {
		us = nap.next_us;
		before = hf_clock_ns();
		ck_assert(hf_nap(&nap, d));
		slept = hf_clock_ns() - before;
		ck_assert_uint_ge(slept, (uint64_t)us * 1000);
		ck_assert(nap.next_us > us || us == 1000);
		ck_assert_uint_le(nap.next_us, 1000);
	}
	ck_assert_uint_eq(nap.next_us, 1000);
}
END_TEST

START_TEST(nobody_naps_after_the_deadline)
{
	struct hf_nap nap = HF_NAP_INIT;

	ck_assert(!hf_nap(&nap, hf_deadline_in_ms(0)));
	ck_assert_uint_eq(nap.next_us, 20);
}
END_TEST

/* Whoever ignores the deadline sleeps for a minute, and runs into the limit of `check`. */
START_TEST(a_nap_is_never_longer_than_what_is_left)
{
	struct hf_nap nap = { 60u * 1000 * 1000 };
	struct hf_deadline d = hf_deadline_in_ms(5);

	ck_assert(hf_nap(&nap, d));
	ck_assert(hf_deadline_passed(d));
}
END_TEST

static void on_alarm(int sig)
{
	(void)sig;
}

START_TEST(a_signal_ends_a_nap_early)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval soon = { { 0, 10000 }, { 0, 10000 } };
	struct hf_nap nap = { 60u * 1000 * 1000 };
	struct hf_deadline d = hf_deadline_in_ms(60000);

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert(hf_nap(&nap, d));
	ck_assert(!hf_deadline_passed(d));
}
END_TEST

static const struct {
	uint64_t us;
	const char *text;
} spans[] = {
	{ 0, "0 us" }, { 999, "999 us" }, { 1000, "1.0 ms" }, { 4200, "4.2 ms" },
	{ 999949, "999.9 ms" }, { 999950, "1.0 s" }, { 1000000, "1.0 s" }, { 3140000, "3.1 s" },
	{ 99949999, "99.9 s" }, { 99950000, "1 min 40 s" }, { 125000000, "2 min 5 s" },
	{ 3599499999, "59 min 59 s" }, { 3599500000, "1 h 0 min" }, { 11400000000, "3 h 10 min" },
};

START_TEST(a_time_is_said_as_people_say_it)
{
	char buf[HF_SPAN_MAX];

	ck_assert_str_eq(hf_span(spans[_i].us, buf), spans[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *clocks = tcase_create("clocks"), *deadline = tcase_create("deadline");
	TCase *nap = tcase_create("nap"), *words = tcase_create("words");

	tcase_add_test(clocks, the_monotonic_clock_does_not_go_back);
	tcase_add_test(clocks, the_real_clock_counts_microseconds_since_1970);
	suite_add_tcase(suite, clocks);
	tcase_add_test(deadline, a_deadline_lies_its_time_ahead);
	tcase_add_test(deadline, a_deadline_in_the_past_has_passed_and_nothing_is_left);
	tcase_add_loop_test(deadline, a_deadline_that_cannot_be_counted_never_comes, 0, 3);
	tcase_add_test(deadline, the_earlier_of_two_deadlines_counts);
	suite_add_tcase(suite, deadline);
	tcase_add_test(nap, naps_grow_from_20_us_to_1_ms);
	tcase_add_test(nap, nobody_naps_after_the_deadline);
	tcase_add_test(nap, a_nap_is_never_longer_than_what_is_left);
	tcase_add_test(nap, a_signal_ends_a_nap_early);
	suite_add_tcase(suite, nap);
	tcase_add_loop_test(words, a_time_is_said_as_people_say_it, 0, COUNT_OF(spans));
	suite_add_tcase(suite, words);
	return hf_suite_run(suite);
}
