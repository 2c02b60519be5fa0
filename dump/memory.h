/* SPDX-License-Identifier: MIT */
/*
 * memory - words of a target's memory: from the pieces of stack that were copied while it was held, from the
 * files its read-only parts are mapped from, and, as long as it is held, from itself, a page at a time.
 */
#ifndef HF_MEMORY_H
#define HF_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "space.h"

/* A copied piece of a stack. */
struct hf_window {
	uint64_t start;
	size_t len;
	const uint8_t *bytes;
	bool cut;		/* the stack goes on above, beyond the copy limit */
};
#define HF_WINDOWS 2		/* where a signal handler runs on an alternate stack: that, and the interrupted one */

struct hf_pages;		/* of a process that is held */

struct hf_memory {
	const struct hf_space *space;
	const struct hf_window *windows;
	struct hf_pages *live;	/* NULL: it runs again, and its memory is not what it was */
};

/* The word at an address, which may be unaligned.  False: it is not known. */
bool hf_memory_word_slowly(const struct hf_memory *m, uint64_t address, uint64_t *ret);

static inline bool hf_memory_word(const struct hf_memory *m, uint64_t address, uint64_t *ret)
{
	const struct hf_window *w = &m->windows[0];
	uint64_t at = address - w->start;

	if (address < w->start || w->len < sizeof(*ret) || at > w->len - sizeof(*ret))
		return hf_memory_word_slowly(m, address, ret);
	memcpy(ret, w->bytes + at, sizeof(*ret));
	return true;
}

/* Pages of a held process, read when they are first asked for.  NULL when memory is short. */
struct hf_pages *hf_pages_new(void);
void hf_pages_free(struct hf_pages *pages);
/* From now on of the process that this thread is of. */
void hf_pages_of(struct hf_pages *pages, pid_t tid);

#endif
