/* SPDX-License-Identifier: MIT */
/*
 * demangle - symbols as people write them: Rust by ourselves (rust.h), C++ by the runtime of C++ itself, which is
 * loaded when the first such symbol is met: most programs have none, and loading it takes as long as all else.
 * Where it is not installed, C++ names stay as they are; so do names that are too long, or might be: a file can have
 * symbols of 300 bytes whose names fill all memory (cxx_size.h), and the runtime offers no way to stop it.
 */
#ifndef HF_DEMANGLE_H
#define HF_DEMANGLE_H

#include "arena.h"

struct hf_demangler {
	void *library;
	char *(*cxx)(const char *name, char *buf, size_t *len, int *ret_status);
	int tried;
	double room;	/* what those names might have taken */
};
#define HF_DEMANGLER_INIT { 0 }

/*
 * The name of a symbol, in the arena, or the symbol itself where it is not mangled.  A version ("@@GLIBC_2.34") is
 * left out.  NULL when memory is short.
 */
const char *hf_demangle(struct hf_demangler *d, struct hf_arena *arena, const char *symbol);
void hf_demangler_done(struct hf_demangler *d);

#endif
