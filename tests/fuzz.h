/* SPDX-License-Identifier: MIT */
/*
 * fuzz - what every fuzz_*.c offers.  Linked with -fsanitize=fuzzer it is searched by libFuzzer;
 * linked with fuzz_main.c it runs over stored inputs, as it does in the normal test run.
 *
 * The first byte of an input selects the parser, from '0' on; the rest is what is parsed.
 */
#ifndef HF_TESTS_FUZZ_H
#define HF_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert(), whether or not NDEBUG is defined. */
#define FUZZ_REQUIRE(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* Outputs are untouched on failure: they are filled before, and looked at afterwards. */
#define FUZZ_FILLER 0xa5
static inline int fuzz_is_untouched(const void *object, size_t size)
{
	const unsigned char *bytes = object;
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != FUZZ_FILLER)
			return 0;
	return 1;
}

#endif
