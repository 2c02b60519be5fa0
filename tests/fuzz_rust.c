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
	hf_rust_demangle(symbol, &w);
	/* Each step writes a part of the symbol, or a short word. */
	FUZZ_REQUIRE(buf.len <= 20000 * (size + 64));
	hf_buf_done(&buf);
	free(symbol);
	return 0;
}
