/* SPDX-License-Identifier: MIT */
/*
 * lock - keep other holdfasts off a target, and say who keeps us off.  The locks themselves are in
 * freezer_open.c, hf_freezer_lock().
 */
#ifndef HF_LOCK_H
#define HF_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "freezer.h"

/*
 * Lock the target, before its levels are found.  0; -EBUSY: another holdfast holds it, or one that overlaps, until
 * the deadline; -errno.
 */
int hf_lock_out_others(struct hf_freezer *f, struct hf_deadline deadline, struct hf_error *err);

/*
 * After the levels were found: without the lock, frozen is what somebody else makes of it right now, and must not be
 * taken for the found state.  0 or -EBUSY.
 */
int hf_lock_refuse_found(const struct hf_freezer *f, struct hf_error *err);

/* Whether somebody in the target is traced (by whom), or it is being frozen: a lock on it is then meant. */
bool hf_lock_is_meant(const struct hf_freezer *f, pid_t *ret_tracer);

/* Who holds the target, or one that overlaps it, in words; returns the thread that traces there, 0 when none does yet. */
pid_t hf_lock_holder(const struct hf_freezer *f, char *buf, size_t cap);

/* Another holdfast has locked the target, or one that overlaps it: say who.  Returns -EBUSY. */
int hf_lock_refuse(const struct hf_freezer *f, struct hf_error *err);

#endif
