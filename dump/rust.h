/* SPDX-License-Identifier: MIT */
/*
 * rust - names of Rust functions as people write them.  Pure, and for any bytes: a symbol that is not one of
 * Rust's is told apart, and what expands too far is cut off as such.
 *
 *	legacy	_ZN4core3fmt5write17h0123456789abcdefE		core::fmt::write
 *	v0	_RNvNtCs1234_4core3fmt5write			core::fmt::write
 *
 * The hash at the end of a legacy name and the disambiguators of crates are left out (RFC 2603).
 */
#ifndef HF_RUST_H
#define HF_RUST_H

#include <stdbool.h>

#include "writer.h"

/* Of a name that is shown, with its NUL: back references make them any length. */
#define HF_DEMANGLED_MAX ((size_t)64 * 1024)

/*
 * Write the name of a symbol.  False: it is no mangled Rust name, or one that is too long; then nothing that was
 * written counts.
 */
bool hf_rust_demangle(const char *symbol, struct hf_writer *w);

#endif
