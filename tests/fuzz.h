/* SPDX-License-Identifier: MIT */
/*
 * fuzz - what every fuzz_NAME.c shares.  Such a file is a target by being there, and tests/corpus/NAME
 * are its stored inputs.  Linked with fuzz_main.c it runs over them, as it does in the normal test run;
 * linked with libFuzzer it searches for more (`make fuzz`, fuzz.sh).
 *
 * An input is what the parser gets, whole and as it is: a file of the kernel, recorded, is one.  Where
 * a target needs values to be made up, it takes them from the same bytes.
 */
#ifndef HF_TESTS_FUZZ_H
#define HF_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* data has exactly size bytes: the sanitizers and valgrind see reads behind its end. */
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

/* A copy without a byte to spare; free() it. */
static inline void *fuzz_exact(const void *bytes, size_t size)
{
	void *copy = calloc(1, size ? size : 1);

	FUZZ_REQUIRE(copy != NULL);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

/* The same as a string; NULs among the bytes become underscores. */
static inline char *fuzz_string(const void *bytes, size_t size)
{
	char *copy = malloc(size + 1);
	size_t i;

	FUZZ_REQUIRE(copy != NULL);
	for (i = 0; i < size; i++) {
		char c = ((const char *)bytes)[i];

		copy[i] = c ? c : '_';
	}
	copy[size] = '\0';
	return copy;
}

/* What is left of an input that values are made of.  When it is used up they are zero. */
struct fuzz_source {
	const uint8_t *at;
	size_t len;
};

static inline void fuzz_take(struct fuzz_source *s, void *ret, size_t size)
{
	size_t n = size < s->len ? size : s->len;

	memset(ret, 0, size);
	if (n)
		memcpy(ret, s->at, n);
	s->at += n;
	s->len -= n;
}

static inline uint64_t fuzz_take_u64(struct fuzz_source *s)
{
	uint64_t value;

	fuzz_take(s, &value, sizeof(value));
	return value;
}

static inline uint32_t fuzz_take_u32(struct fuzz_source *s)
{
	return (uint32_t)fuzz_take_u64(s);
}

/* 0 to INT_MAX. */
static inline int fuzz_take_id(struct fuzz_source *s)
{
	return (int)(fuzz_take_u64(s) & 0x7fffffff);
}

/* A string shorter than cap, from as many bytes; it ends at the first NUL. */
static inline void fuzz_take_string(struct fuzz_source *s, char *ret, size_t cap)
{
	fuzz_take(s, ret, cap);
	ret[cap - 1] = '\0';
	memset(ret + strlen(ret), 0, cap - strlen(ret));
}

#endif
