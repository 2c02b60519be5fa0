/* SPDX-License-Identifier: MIT */
/*
 * task - see task.h.
 */
#include "task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Rows that are left out are threads that have no ptrace tie to us, and so no stops.  A held thread can
 * only die: nothing resumes it but us, and a SIGKILL (ptrace(2)).
 */
static const uint8_t steps[HF_TASK_STATE_COUNT][HF_STOP_COUNT] = {
	[HF_TASK_ASKED] = {
		[HF_STOP_TRAP] = HF_TASK_HELD,
		[HF_STOP_GROUP] = HF_TASK_HELD_STOPPED,
		[HF_STOP_SIGNAL] = HF_TASK_HELD_SIGNAL,
		[HF_STOP_BIRTH] = HF_TASK_HELD_BIRTH,
		[HF_STOP_EVENT] = HF_TASK_HELD,
		[HF_STOP_DEATH] = HF_TASK_DIED,
	},
	[HF_TASK_ARMED] = {
		[HF_STOP_TRAP] = HF_TASK_HELD,
		[HF_STOP_GROUP] = HF_TASK_HELD_STOPPED,
		[HF_STOP_SIGNAL] = HF_TASK_HELD_SIGNAL,
		[HF_STOP_BIRTH] = HF_TASK_HELD_BIRTH,
		[HF_STOP_EVENT] = HF_TASK_HELD,
		[HF_STOP_DEATH] = HF_TASK_DIED,
	},
	/* One of its threads that execs takes its tid over, and may be ours and stop. */
	[HF_TASK_DEAD_LEADER] = {
		[HF_STOP_TRAP] = HF_TASK_HELD,
		[HF_STOP_GROUP] = HF_TASK_HELD_STOPPED,
		[HF_STOP_SIGNAL] = HF_TASK_HELD_SIGNAL,
		[HF_STOP_BIRTH] = HF_TASK_HELD_BIRTH,
		[HF_STOP_EVENT] = HF_TASK_HELD,
		[HF_STOP_DEATH] = HF_TASK_DIED,
	},
	[HF_TASK_HELD] = { [HF_STOP_DEATH] = HF_TASK_DIED },
	[HF_TASK_HELD_STOPPED] = { [HF_STOP_DEATH] = HF_TASK_DIED },
	[HF_TASK_HELD_SIGNAL] = { [HF_STOP_DEATH] = HF_TASK_DIED },
	[HF_TASK_HELD_BIRTH] = { [HF_STOP_DEATH] = HF_TASK_DIED },
};

enum hf_task_state hf_task_step(enum hf_task_state state, enum hf_stop stop)
{
	return (enum hf_task_state)steps[state][stop];
}

bool hf_task_is_held(enum hf_task_state state)
{
	return state == HF_TASK_HELD || state == HF_TASK_HELD_STOPPED ||
	       state == HF_TASK_HELD_SIGNAL || state == HF_TASK_HELD_BIRTH;
}

bool hf_task_is_ours(enum hf_task_state state)
{
	return state == HF_TASK_ASKED || state == HF_TASK_ARMED || state == HF_TASK_DEAD_LEADER ||
	       hf_task_is_held(state);
}

bool hf_task_is_left_alone(enum hf_task_state state)
{
	return state == HF_TASK_SKIPPED || state == HF_TASK_OUTSIDE || state == HF_TASK_KERNEL;
}

const char *hf_task_state_name(enum hf_task_state state)
{
	switch (state) {
	case HF_TASK_LISTED:
		return "listed";
	case HF_TASK_ASKED:
		return "asked";
	case HF_TASK_ARMED:
		return "armed";
	case HF_TASK_DEAD_LEADER:
		return "dead, a leader of living threads";
	case HF_TASK_HELD:
		return "held";
	case HF_TASK_HELD_STOPPED:
		return "held in a group-stop";
	case HF_TASK_HELD_SIGNAL:
		return "held before a signal";
	case HF_TASK_HELD_BIRTH:
		return "held in a fork";
	case HF_TASK_SKIPPED:
		return "skipped";
	case HF_TASK_OUTSIDE:
		return "outside";
	case HF_TASK_KERNEL:
		return "kernel thread";
	case HF_TASK_RELEASED:
		return "released";
	case HF_TASK_DIED:
		return "died";
	case HF_TASK_GONE:
		return "gone";
	case HF_TASK_IMPOSSIBLE:
	case HF_TASK_STATE_COUNT:
		break;
	}
	return "impossible";
}

/* ---- The set ------------------------------------------------------------------------- */

void hf_task_set_done(struct hf_task_set *set)
{
	free(set->tasks);
	hf_slots_done(&set->slots);
	*set = (struct hf_task_set){ 0 };
}

/* Fibonacci hashing: tids come in runs, and this spreads runs evenly. */
static uint64_t hash_of(pid_t tid)
{
	const uint32_t hash = (uint32_t)tid * 2654435769u;

	return hash;
}

int hf_task_set_reserve(struct hf_task_set *set, size_t n)
{
	size_t cap = set->cap ? set->cap : 64;
	size_t i;
	struct hf_task *tasks;

	if (n <= set->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	tasks = reallocarray(set->tasks, cap, sizeof(*tasks));
	if (!tasks)
		return -ENOMEM;
	set->tasks = tasks;
	if (hf_slots_renew(&set->slots, cap) < 0)
		return -ENOMEM;
	set->cap = cap;
	for (i = 0; i < set->n; i++)
		hf_slots_put(&set->slots, hash_of(tasks[i].tid), (uint32_t)i);
	return 0;
}

struct hf_task *hf_task_set_find(const struct hf_task_set *set, pid_t tid)
{
	uint64_t at = hash_of(tid);
	uint32_t i;

	while (hf_slots_next(&set->slots, &at, &i))
		if (set->tasks[i].tid == tid)
			return &set->tasks[i];
	return NULL;
}

bool hf_task_set_any(const struct hf_task_set *set, enum hf_task_state state)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->tasks[i].state == state)
			return true;
	return false;
}

struct hf_task *hf_task_set_add(struct hf_task_set *set, pid_t tid)
{
	struct hf_task *t;

	if (hf_task_set_reserve(set, set->n + 1) < 0)
		return NULL;
	t = &set->tasks[set->n];
	*t = (struct hf_task){
		.tid = tid,
		.level = HF_LEVEL_OUTSIDE,
		.state = HF_TASK_LISTED,
		.found = '?',
	};
	hf_slots_put(&set->slots, hash_of(tid), (uint32_t)set->n++);
	return t;
}
