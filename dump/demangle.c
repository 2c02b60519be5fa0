/* SPDX-License-Identifier: MIT */
/*
 * demangle - see demangle.h.
 */
#include "demangle.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "cxx_size.h"
#include "rust.h"

/* What one name may take in memory before its length is known, and all of one look together, which is time. */
#define ROOM_MAX ((double)64 * 1024 * 1024)
#define ROOM_OF_ALL_MAX ((double)4 * 1024 * 1024 * 1024)

/* The Itanium C++ ABI, section 3.4: __cxa_demangle() is part of every runtime of C++. */
static void load_cxx(struct hf_demangler *d)
{
	static const char *const names[] = { "libstdc++.so.6", "libc++abi.so.1" };
	size_t i;

	d->tried = 1;
	for (i = 0; i < sizeof(names) / sizeof(*names) && !d->library; i++)
		/* Bound when called: of its thousands of functions one is, and to bind all takes a millisecond. */
		d->library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
	if (d->library)
		*(void **)&d->cxx = dlsym(d->library, "__cxa_demangle");
}

static const char *of_cxx(struct hf_demangler *d, struct hf_arena *arena, const char *symbol)
{
	double room = hf_cxx_size_max(symbol);
	const char *copy = symbol;
	char *name;
	int status;

	if (room > ROOM_MAX || d->room + room > ROOM_OF_ALL_MAX)
		return symbol;
	d->room += room;
	if (!d->tried)
		load_cxx(d);
	name = d->cxx ? d->cxx(symbol, NULL, NULL, &status) : NULL;
	if (name && strlen(name) < HF_DEMANGLED_MAX)
		copy = hf_arena_copy(arena, name, strlen(name));
	free(name);
	return copy;
}

static const char *of_rust(struct hf_arena *arena, const char *symbol)
{
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };
	const char *copy = symbol;

	if (!hf_rust_demangle(symbol, &w) || !buf.len)
		copy = NULL;
	else if (!w.failed)
		copy = hf_arena_copy(arena, buf.data, buf.len);
	hf_buf_done(&buf);
	return copy;
}

const char *hf_demangle(struct hf_demangler *d, struct hf_arena *arena, const char *symbol)
{
	const char *at = strchr(symbol, '@'), *name = NULL;

	if (at) {
		symbol = hf_arena_copy(arena, symbol, (size_t)(at - symbol));
		if (!symbol)
			return NULL;
	}
	if (symbol[0] != '_')
		return symbol;
	if (symbol[1] == 'R' || strncmp(symbol, "_ZN", 3) == 0)
		name = of_rust(arena, symbol);
	if (!name && symbol[1] == 'Z')
		name = of_cxx(d, arena, symbol);
	return name ? name : symbol;
}

/* Left loaded, it would be found loaded by the next; closed, nothing of it is kept. */
void hf_demangler_done(struct hf_demangler *d)
{
	if (d->library)
		dlclose(d->library);
	*d = (struct hf_demangler)HF_DEMANGLER_INIT;
}
