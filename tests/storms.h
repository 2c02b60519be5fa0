/* SPDX-License-Identifier: MIT */
/*
 * storms - the storms that whatever finds everybody has to stand, on both freezers.  To be included once, behind the
 * suite's own
 *
 *	static void storm(int index, const char *victim, const char *n, const char *mode);
 *
 * which does that in the middle of one, many times over.
 */
#ifndef HF_TESTS_STORMS_H
#define HF_TESTS_STORMS_H

#include "lab.h"

START_TEST(forks)
{
	storm(_i, "forkstorm", "6", "fork");
}
END_TEST

START_TEST(forks_by_a_second_thread)
{
	storm(_i, "forkstorm", "4", "thread");
}
END_TEST

START_TEST(forks_of_siblings)
{
	storm(_i, "forkstorm", "6", "sibling");
}
END_TEST

START_TEST(threads)
{
	storm(_i, "threadstorm", "6", NULL);
}
END_TEST

START_TEST(threads_without_their_leader)
{
	storm(_i, "threadstorm", "4", "deadleader");
}
END_TEST

START_TEST(execs)
{
	storm(_i, "execstorm", "4", "leader");
}
END_TEST

START_TEST(execs_by_a_second_thread)
{
	storm(_i, "execstorm", "4", "thread");
}
END_TEST

START_TEST(stops_and_continues)
{
	storm(_i, "stopstorm", "4", NULL);
}
END_TEST

static inline TCase *add_storms(Suite *suite)
{
	TCase *tc = lab_case(suite, "storms");

	lab_add(tc, forks);
	lab_add(tc, forks_by_a_second_thread);
	lab_add(tc, forks_of_siblings);
	lab_add(tc, threads);
	lab_add(tc, threads_without_their_leader);
	lab_add(tc, execs);
	lab_add(tc, execs_by_a_second_thread);
	lab_add(tc, stops_and_continues);
	return tc;
}

#endif
