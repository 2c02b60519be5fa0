/* SPDX-License-Identifier: MIT */
/*
 * cxx_size - how long the name of a C++ symbol can be at most, told without making it.  A symbol refers to its own
 * parts (S0_, T_), and so 270 bytes may stand for gigabytes; the runtime of C++ would make them all.
 */
#ifndef HF_CXX_SIZE_H
#define HF_CXX_SIZE_H

/* At least as many bytes as the name has; for nearly all symbols some ten times that.  May be infinite. */
double hf_cxx_size_max(const char *symbol);

#endif
