/* SPDX-License-Identifier: MIT */
/*
 * split - processes that are not wholly in the target.  Where single threads can be in a cgroup (v1,
 * and threaded v2 cgroups) the rest of a process would go on running.
 */
#ifndef HF_SPLIT_H
#define HF_SPLIT_H

#include <sys/types.h>

#include "freezer.h"
#include "io.h"
#include "task.h"

/* Whether threads of one process can be in different cgroups here at all. */
bool hf_split_possible(const struct hf_freezer *f);

/*
 * Call fn for each process of which the kernel counts other threads than are in the set, until it
 * returns a negative value, which is passed on.  -ENOMEM.
 */
int hf_split_each(const struct hf_task_set *set, int (*fn)(pid_t tgid, void *data), void *data);

/*
 * A tid that came round between our look and its seizure is a thread of another process than was noted.  Held
 * ones do not come round: read the process of each anew.  Returns how many were another's.
 */
size_t hf_split_regroup(struct hf_task_set *set);

/*
 * The threads of a process, as an array of pid_t in *buf; nobody when it is gone.  *ret_complete is false when fewer were
 * listed than the kernel counts: a list of /proc/PID/task ends early when the thread under its cursor exits.
 */
int hf_split_threads(pid_t tgid, struct hf_buf *buf, bool *ret_complete);

#endif
