/* SPDX-License-Identifier: MIT */
/*
 * leftover - the sentence about one cgroup that a dead holder left behind.  Pure.
 */
#ifndef HF_LEFTOVER_H
#define HF_LEFTOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "holdfast.h"

/* What the sentence has beyond the public facts. */
struct hf_leftover_more {
	bool dry_run;
	int code;			/* errno of FAILED and UNREADABLE; EBADMSG, EXDEV have words of their own */
	enum hf_on_death on_death;	/* of KEPT */
	pid_t guard;			/* of HELD: the dead holder's guard, which lives; else 0 */
};

/* errno in words. */
const char *hf_leftover_reason(int code);

/* Without a full stop; may be cut. */
void hf_leftover_say(const struct hf_leftover *l, const struct hf_leftover_more *more, char *ret, size_t cap);

#endif
