/* SPDX-License-Identifier: MIT */
/*
 * suite - what every check_*.c shares: running its Suite, and the bytes it feeds to parsers.
 */
#ifndef HF_TESTS_SUITE_H
#define HF_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Runs and frees the suite; the result is the exit status of main(). */
static inline int hf_suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Bytes that may contain NUL, as an initialiser: BYTES("a\0b"). */
struct bytes {
	const char *text;
	size_t len;
};
#define BYTES(literal) { literal, sizeof(literal) - 1 }

/* A copy without a byte to spare, so that the sanitizers and valgrind see reads behind the end. */
static inline char *exact_copy(struct bytes b)
{
	char *copy = malloc(b.len ? b.len : 1);

	ck_assert_ptr_nonnull(copy);
	if (b.len)
		memcpy(copy, b.text, b.len);
	return copy;
}

/* Outputs are untouched on failure: fill them first, look afterwards. */
#define FILLER 0xa5
static inline int is_untouched(const void *object, size_t size)
{
	const unsigned char *bytes = object;
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != FILLER)
			return 0;
	return 1;
}

#endif
