/* SPDX-License-Identifier: MIT */
/*
 * reaper - keeps PTRACE_SEIZE of a thread that is not frozen from a deadlock with execve(2).
 *
 * An exec by a thread of a larger process kills its siblings and waits until they are reaped, and holds
 * cred_guard_mutex meanwhile.  A sibling that we have seized is ours to reap; but we may be inside
 * PTRACE_SEIZE of another thread of that process, which waits for that very mutex, deaf to signals and
 * deadlines (measured, Linux 6.18).  wait(2) works from any thread of the tracer's program, so a helper thread
 * reaps while the holder's thread is stuck.  It is started before the first stop where such a SEIZE is foreseen, else
 * with it.  Processes that are frozen as a whole need none: nobody in there can be inside an exec.
 */
#ifndef HF_REAPER_H
#define HF_REAPER_H

#include "task.h"

struct hf_reaper;

/*
 * Make the helper: *r starts as NULL, and stays so when there is none to be had.  It takes as long as some ten stops, so
 * where it is foreseen it is made before the first.
 */
void hf_reaper_begin(struct hf_reaper **r, struct hf_task_set *set);

/*
 * Around one PTRACE_SEIZE by the holder's thread.  Enter makes the helper if it has not been made, or goes on
 * without it.  Between the two the helper may turn threads of the set that have died into HF_TASK_DIED; after leave
 * it does not touch the set.
 */
void hf_reaper_enter(struct hf_reaper **r, struct hf_task_set *set);
void hf_reaper_leave(struct hf_reaper *r);

/* End the helper.  NULL is allowed. */
void hf_reaper_end(struct hf_reaper *r);

#endif
