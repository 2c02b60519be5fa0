/* SPDX-License-Identifier: MIT */
/*
 * fuzz_rust - names of dump/rust.c from any text: it ends, and what it writes has a bound.
 */
#include "rust.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };
	char *symbol = malloc(size + 1);

	FUZZ_REQUIRE(symbol);
	if (size)
		memcpy(symbol, data, size);
	symbol[size] = '\0';
	if (hf_rust_demangle(symbol, &w))
		FUZZ_REQUIRE(buf.len < HF_DEMANGLED_MAX);
	/* Legacy names, in which "1a" is "::a", are written before they are measured. */
	FUZZ_REQUIRE(buf.len < HF_DEMANGLED_MAX + 2 * size);
	hf_buf_done(&buf);
	free(symbol);
	return 0;
}
