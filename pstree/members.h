/* SPDX-License-Identifier: MIT */
/*
 * members - the flat set of a hold, grouped into processes: for whoever tells of it process by process.
 */
#ifndef HF_MEMBERS_H
#define HF_MEMBERS_H

#include <stddef.h>

#include "holdfast.h"

#include "task.h"

/*
 * Those of the set that there is something to tell of, by process, the first thread of each first, then
 * by tid.  members has room for set->n.  Returns how many they are.
 */
size_t hf_members_of(const struct hf_task_set *set, const struct hf_task **members);

/* The public word for a state that such a thread is in. */
enum hf_thread_state hf_members_state(enum hf_task_state state);

#endif
