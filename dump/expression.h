/* SPDX-License-Identifier: MIT */
/*
 * expression - whether a DWARF expression (DWARF 5, section 2.5) of unwind information can be given to libunwind, which
 * does what it says: jumps back for ever, divides the smallest number by -1.  Whoever can put a file into the target
 * can write one.
 */
#ifndef HF_EXPRESSION_H
#define HF_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Without jumps and divisions, which no compiler writes there, an expression ends after as many steps as it has
 * operations.  Also false for what is cut, longer than any that is known, or not known.  Pure.
 */
bool hf_expression_is_tame(const uint8_t *bytes, size_t len);

#endif
