/* SPDX-License-Identifier: MIT */
/*
 * members - see members.h.
 */
#include "members.h"

#include <stdlib.h>

static bool is_listed(const struct hf_task *task)
{
	return task->state != HF_TASK_GONE && task->state != HF_TASK_DEAD_LEADER && task->state != HF_TASK_LISTED &&
	       task->state != HF_TASK_IMPOSSIBLE && task->tgid > 0;
}

/* By process; the leader first, then by tid. */
static int by_member(const void *a, const void *b)
{
	const struct hf_task *s = *(const struct hf_task *const *)a;
	const struct hf_task *t = *(const struct hf_task *const *)b;

	if (s->tgid != t->tgid)
		return s->tgid < t->tgid ? -1 : 1;
	if ((s->tid == s->tgid) != (t->tid == t->tgid))
		return s->tid == s->tgid ? -1 : 1;
	return (s->tid > t->tid) - (s->tid < t->tid);
}

size_t hf_members_of(const struct hf_task_set *set, const struct hf_task **members)
{
	size_t i, n = 0;

	for (i = 0; i < set->n; i++)
		if (is_listed(&set->tasks[i]))
			members[n++] = &set->tasks[i];
	if (n)
		qsort(members, n, sizeof(*members), by_member);
	return n;
}

enum hf_thread_state hf_members_state(enum hf_task_state state)
{
	switch (state) {
	case HF_TASK_HELD:
	case HF_TASK_HELD_STOPPED:
	case HF_TASK_HELD_SIGNAL:
	case HF_TASK_HELD_BIRTH:
		return HF_THREAD_HELD;
	case HF_TASK_ASKED:
	case HF_TASK_ARMED:
		return HF_THREAD_ARMED;
	case HF_TASK_DEAD_LEADER:
		return HF_THREAD_ZOMBIE;
	case HF_TASK_SKIPPED:
		return HF_THREAD_SKIPPED;
	case HF_TASK_OUTSIDE:
		return HF_THREAD_OUTSIDE;
	case HF_TASK_KERNEL:
		return HF_THREAD_KERNEL;
	case HF_TASK_IMPOSSIBLE:
	case HF_TASK_LISTED:
	case HF_TASK_RELEASED:
	case HF_TASK_DIED:
	case HF_TASK_GONE:
	case HF_TASK_STATE_COUNT:
		break;
	}
	return HF_THREAD_DIED;
}
