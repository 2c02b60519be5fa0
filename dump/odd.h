/* SPDX-License-Identifier: MIT */
/*
 * odd - one step up from a frame whose row is not plain: expressions (procedure linkage tables, frames that are
 * realigned, glibc's signal frames), and signal frames that have no call frame information and are known by
 * their code (musl's, Go's).  libunwind does these, over our own memory; this is the only part that knows it.
 *
 * Why not every step: libunwind decodes the information anew for each frame of each thread, some
 * 0.8 us of which a row costs 0.02.  Plain rows are the same from both, which tests compare on real programs.
 */
#ifndef HF_ODD_H
#define HF_ODD_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "frame_regs.h"

struct hf_odd;

/* NULL when memory is short. */
struct hf_odd *hf_odd_new(void);
void hf_odd_free(struct hf_odd *odd);

enum hf_odd_step {
	HF_ODD_NO = 0,		/* there is no way up */
	HF_ODD_UP,
	HF_ODD_OUTERMOST,
};

/* Whether the code at an address is what a signal handler returns to, where no information says so. */
bool hf_odd_is_signal(struct hf_odd *odd, const struct hf_memory *memory, const struct hf_code *code, uint64_t ip);

/*
 * From regs to those of the caller.  code is where the frame is; exact says that regs is where it was interrupted,
 * and not where a call returns to; signal that it is a signal frame.
 */
enum hf_odd_step hf_odd_up(struct hf_odd *odd, const struct hf_memory *memory, const struct hf_code *code,
			   bool exact, bool signal, struct hf_frame_regs *regs);

#endif
