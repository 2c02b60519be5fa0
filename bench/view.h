/* SPDX-License-Identifier: MIT */
/*
 * view - what a thread inside the target saw of being stopped, in memory shared between crowd.c and who measures.
 */
#ifndef HF_BENCH_VIEW_H
#define HF_BENCH_VIEW_H

#include <stdint.h>

struct view {
	uint64_t longest_us;	/* between two looks at the clock, since it was asked last */
	uint32_t asked;		/* 1: begin anew; 0 again when it has */
	uint32_t unused;
};

#endif
