/* SPDX-License-Identifier: MIT */
/*
 * hold - the whole set: look, freeze, seize, thaw, keep, release (the public functions of
 * holdfast.h named hf_hold_...).  Knows threads and nothing of families; this header is what pstree/
 * may ask of a hold.
 */
#ifndef HF_HOLD_H
#define HF_HOLD_H

#include "holdfast.h"

#include "kin.h"
#include "regs.h"
#include "task.h"

/* hf_hold_take() for another process, whose kin is not held either. */
int hf_hold_take_for(const struct hf_kin *asker, const struct hf_target *target, const struct hf_take_options *opts,
		     hf_hold **ret_hold, struct hf_error *err);

/* The flat set of threads, in the order they were listed.  Lent. */
const struct hf_task_set *hf_hold_tasks(const hf_hold *hold);

/* What a thread of it was called when it was looked at; NULL when that is not known (HF_BRIEF_PROCESSES).  Lent. */
const char *hf_hold_comm(const hf_hold *hold, const struct hf_task *t);

/* Different processes among the threads that are held or armed.  0 short of memory. */
size_t hf_hold_count_processes(const hf_hold *hold);

/* When the guard is to end a holder that does not end by itself (CLOCK_MONOTONIC; 0: never), while the hold stands. */
void hf_hold_dead_man(hf_hold *hold, uint64_t at_ns);

/* When a thread turns out to be of another process than noted: learn that anew.  How many were. */
size_t hf_hold_regroup(hf_hold *hold);

/*
 * Path of a level's cgroup within its hierarchy ("/pod/a"); for HF_LEVEL_OUTSIDE NULL.  Lent.
 * And whether that level was frozen, by itself or by an ancestor, when we came.
 */
const char *hf_hold_level_path(const hf_hold *hold, uint16_t level);
bool hf_hold_level_found_frozen(const hf_hold *hold, uint16_t level);

/* EPERM: this is not the thread that took the hold. */
int hf_hold_check_tracer(const hf_hold *hold, struct hf_error *err);
/* hf_hold_registers() of the general ones, decoded; by the thread that took the hold, which is not looked at each time. */
int hf_hold_regs(hf_hold *hold, pid_t tid, struct hf_regs *ret, struct hf_error *err);
/* What will become of the call of a held thread at its release, by these registers. */
enum hf_restart hf_hold_restart_of(const hf_hold *hold, const struct hf_task *t,
				   const struct hf_regs *regs);

/* What the time of collecting was, for hf_hold_info. */
void hf_hold_note_collect(hf_hold *hold, uint64_t us);

#endif
