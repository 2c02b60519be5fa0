/* SPDX-License-Identifier: MIT */
/*
 * cgroupfs - pure parsers for cgroup files.  Same rules as procfs.h: any bytes, no opening,
 * -EBADMSG for what does not fit, outputs untouched on failure.
 */
#ifndef HF_CGROUPFS_H
#define HF_CGROUPFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "holdfast.h"

/* cgroup.events of v2 (cgroup-v2.rst).  Missing keys make it -EBADMSG. */
struct hf_cgroup_events {
	bool populated;
	bool frozen;
};
int hf_cgroup_events_parse(const char *text, size_t len, struct hf_cgroup_events *ret);

/* freezer.state of v1: THAWED, FREEZING or FROZEN, alone, with or without a newline. */
int hf_freezer_state_parse(const char *text, size_t len, enum hf_freezer_state *ret);

/* cgroup.freeze, freezer.self_freezing, freezer.parent_freezing: "0" or "1". */
int hf_bit_parse(const char *text, size_t len, bool *ret);

/*
 * The next id of a list (cgroup.threads, cgroup.procs, tasks), one per line.  *pos starts at 0
 * and moves on.  Returns 1 and *ret_id, 0 at the end, -EBADMSG for a line that is no id.  An id of
 * 0 is given as it is: v2 writes it for a task outside the reader's PID namespace.  A last line
 * without a newline may have been cut, and is no id.
 */
int hf_id_list_next(const char *text, size_t len, size_t *pos, pid_t *ret_id);

#endif
