/* SPDX-License-Identifier: MIT */
/*
 * walk - from a thread's registers and the copy of its stack to its frames.  Each frame is at a place; the
 * place's row tells the way up.  Whatever the stack holds, a walk ends: every step goes up the stack, but for the
 * few signal frames that may lead to another one.
 */
#ifndef HF_WALK_H
#define HF_WALK_H

#include "holdfast.h"

#include "memory.h"
#include "odd.h"
#include "place.h"
#include "frame_regs.h"

struct hf_walked {
	uint64_t ip;
	uint32_t place;		/* its number */
	uint8_t how;		/* enum hf_frame_how */
	uint8_t exact;		/* ip is where it was interrupted, not where a call returns to */
};

struct hf_walker {
	struct hf_images images;
	struct hf_places places;
	struct hf_odd *odd;		/* made when it is first needed */
	struct hf_walked *frames;	/* of all threads, one after the other */
	size_t n, cap;
	bool all_odd;			/* for tests: libunwind takes every step that it can */
};

void hf_walker_done(struct hf_walker *w);

/* What a walk starts from. */
struct hf_walk_from {
	pid_t pid;			/* for opening what it has mapped */
	uint32_t process;		/* its number */
	struct hf_space *space;
	struct hf_memory memory;
	struct hf_frame_regs regs;
};

/*
 * Add the frames of a thread to w->frames.  *ret_why is a sentence about an end that is not the outermost frame; it
 * lives in the images' arena or is static.  -ENOMEM.
 */
int hf_walk(struct hf_walker *w, const struct hf_walk_from *from, enum hf_stack_end *ret_end,
	    const char **ret_why);

#endif
