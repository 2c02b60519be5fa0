/* SPDX-License-Identifier: MIT */
/*
 * check_own - tests of base/own.h: what belongs to a scope is gone after it, unless it was taken.
 */
#include "own.h"

#include <fcntl.h>

#include "suite.h"

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(a_descriptor_is_closed_at_the_end_of_its_scope)
{
	int seen;

	{
		hf_owned_fd fd = open("/", O_RDONLY | O_CLOEXEC);

		seen = fd;
		ck_assert(is_open(seen));
	}
	ck_assert(!is_open(seen));
}
END_TEST

START_TEST(a_taken_descriptor_stays_open)
{
	int taken;

	{
		hf_owned_fd fd = open("/", O_RDONLY | O_CLOEXEC);

		taken = hf_take_fd(&fd);
		ck_assert_int_eq(fd, -1);
	}
	ck_assert(is_open(taken));
	close(taken);
}
END_TEST

START_TEST(a_descriptor_that_was_never_opened_is_left_alone)
{
	errno = 0;
	{
		hf_owned_fd fd = -1;

		(void)fd;
	}
	ck_assert_int_eq(errno, 0);
}
END_TEST

START_TEST(cleaning_up_keeps_errno)
{
	errno = EXDEV;
	{
		/* 1000 is not open: closing it fails with EBADF. */
		hf_owned_fd fd = 1000;
		hf_owned char *text = NULL;
		hf_owned_dir DIR *dir = NULL;

		(void)fd;
		(void)text;
		(void)dir;
	}
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static char *make_text(int keep)
{
	hf_owned char *text = strdup("text");

	ck_assert_ptr_nonnull(text);
	return keep ? hf_take_ptr(text) : NULL;
}

/* The half that is not taken is a leak if it is not freed: the sanitizers and valgrind see it. */
START_TEST(memory_is_freed_unless_it_was_taken)
{
	char *kept = make_text(1);

	ck_assert_str_eq(kept, "text");
	free(kept);
	ck_assert_ptr_null(make_text(0));
}
END_TEST

START_TEST(a_directory_is_closed_at_the_end_of_its_scope)
{
	int seen;

	{
		hf_owned_dir DIR *dir = opendir("/");

		ck_assert_ptr_nonnull(dir);
		seen = dirfd(dir);
	}
	ck_assert(!is_open(seen));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("own");
	TCase *scope = tcase_create("scope");

	tcase_add_test(scope, a_descriptor_is_closed_at_the_end_of_its_scope);
	tcase_add_test(scope, a_taken_descriptor_stays_open);
	tcase_add_test(scope, a_descriptor_that_was_never_opened_is_left_alone);
	tcase_add_test(scope, cleaning_up_keeps_errno);
	tcase_add_test(scope, memory_is_freed_unless_it_was_taken);
	tcase_add_test(scope, a_directory_is_closed_at_the_end_of_its_scope);
	suite_add_tcase(suite, scope);
	return hf_suite_run(suite);
}
