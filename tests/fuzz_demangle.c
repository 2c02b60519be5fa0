/* SPDX-License-Identifier: MIT */
/*
 * fuzz_demangle - names of symbols from any text: no name is longer than was told before it was made (dump/cxx_size.c),
 * nor than names may be.  C++ names are made by the runtime of C++ where it is installed.
 */
#include "cxx_size.h"
#include "demangle.h"
#include "rust.h"

#include <string.h>

#include "fuzz.h"

/* What is larger takes its time. */
#define ROOM ((double)1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hf_demangler demangler = HF_DEMANGLER_INIT;
	struct hf_arena arena = { 0 };
	char *symbol = fuzz_string(data, size);
	double room = hf_cxx_size_max(symbol);
	const char *name;

	if (room <= ROOM || strncmp(symbol, "_R", 2) == 0) {
		name = hf_demangle(&demangler, &arena, symbol);
		FUZZ_REQUIRE(name && (strlen(name) < HF_DEMANGLED_MAX || strlen(name) <= size));
		FUZZ_REQUIRE(strncmp(symbol, "_Z", 2) != 0 || strlen(name) <= size || (double)strlen(name) <= room);
	}
	demangler.room = 0;
	hf_arena_done(&arena);
	free(symbol);
	return 0;
}
