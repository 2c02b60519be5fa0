/* SPDX-License-Identifier: MIT */
/*
 * err - build and extend a struct hf_error.  Never allocates: an error may have to be built
 * while a cgroup is frozen and memory is short.
 */
#ifndef HF_ERR_H
#define HF_ERR_H

#include "clock.h"
#include "holdfast.h"

/*
 * Fill *err (NULL is allowed) and return -code, so that a failing path is one line.  Whatever
 * *err held before is replaced; its undo becomes HF_UNDO_NONE.  The arguments may include err->text
 * and err->note.  Control bytes become '?', and a text that is too long is cut.
 */
int hf_fail(struct hf_error *err, int code, enum hf_stage stage, pid_t tid, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Name who is in the way (a tracer's thread) in an error that hf_fail() has made.  Returns r. */
int hf_fail_by(struct hf_error *err, int r, pid_t by);

/*
 * What went wrong for a deadline: when that was cancelled, *err becomes an ECANCELED that keeps its notes, since what
 * kept us waiting is of no interest to who would not wait.  Returns -err->code.
 */
int hf_fail_cancelled(struct hf_error *err, struct hf_deadline deadline);

/*
 * Record what became of the changes, without touching the first error's text.  Notes add up,
 * separated by "; "; the worst undo stays.
 */
void hf_fail_note(struct hf_error *err, enum hf_undo undo, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
