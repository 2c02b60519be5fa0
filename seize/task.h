/* SPDX-License-Identifier: MIT */
/*
 * task - one thread: its state, what each kind of stop makes of it, and how it is let go.  The
 * history of a thread is in its state, not in flags beside it; a pair of state and stop that
 * nobody thought of is HF_TASK_IMPOSSIBLE, an error by construction.  Pure.
 */
#ifndef HF_TASK_H
#define HF_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event.h"
#include "slots.h"

enum hf_task_state {
	HF_TASK_IMPOSSIBLE = 0,
	HF_TASK_LISTED,		/* seen in the target, not seized (yet) */
	HF_TASK_ASKED,		/* seized and interrupted; no stop reported yet */
	HF_TASK_ARMED,		/* asked, and known to sleep uninterruptibly: its stop comes later */
	HF_TASK_HELD,		/* in our trap */
	HF_TASK_HELD_STOPPED,	/* in a group-stop that began before ours */
	HF_TASK_HELD_SIGNAL,	/* about to take a signal, which is given back at detach */
	HF_TASK_HELD_BIRTH,	/* stopped in fork, vfork or clone, its newborn attached */
	HF_TASK_DEAD_LEADER,	/* ended before it stopped, while others of its process live: its death is
				   told, and to be reaped by us, when they have ended, too (ptrace(2)) */
	HF_TASK_SKIPPED,	/* traced by somebody else; never seized */
	HF_TASK_OUTSIDE,	/* in no cgroup of the target, and left alone as asked */
	HF_TASK_KERNEL,		/* a kernel thread, which nobody can seize */
	HF_TASK_RELEASED,	/* detached */
	HF_TASK_DIED,		/* died after it had been seized, and reaped */
	HF_TASK_GONE,		/* vanished before it was seized, or a zombie then */
	HF_TASK_STATE_COUNT
};

#define HF_LEVEL_OUTSIDE UINT16_MAX	/* in none of the target's cgroups: reached through its process */

struct hf_task {
	pid_t tid, tgid;
	uint64_t start;		/* of a first thread, when it was looked at: field 22 of its stat; 0 when not known */
	pid_t other;		/* SKIPPED: its tracer.  ARMED: the child a vfork parent waits for, or 0 */
	uint16_t level;		/* index of its cgroup level, or HF_LEVEL_OUTSIDE */
	uint16_t pass;		/* number of the pass that saw it listed last; 0 when none has */
	uint8_t state;		/* enum hf_task_state */
	uint8_t signal;		/* HELD_STOPPED: the stop signal.  HELD_SIGNAL: the one to give back */
	char found;		/* state letter before the hold; '?' when not known */
	uint8_t vfork : 1;	/* ARMED: it is a vfork parent */
	uint8_t many : 1;	/* its process had other threads when it was looked at */
	uint8_t counted : 1;	/* among the held, when they were counted last */
	uint8_t frozen_elsewhere : 1;	/* a first thread, found frozen by a v2 cgroup that is not the target */
	uint8_t tries;		/* failed attempts to seize it */
	uint8_t mark;		/* used by a look for who is frozen by the other freezer, by a release for its round */
	uint8_t restart;	/* RELEASED: enum hf_restart, what was made of its interrupted call */
};

/* What a stop makes of a thread.  HF_TASK_IMPOSSIBLE for a pair that cannot be. */
enum hf_task_state hf_task_step(enum hf_task_state state, enum hf_stop stop);

/* ptrace-stopped: registers can be read, and it can be detached. */
bool hf_task_is_held(enum hf_task_state state);
/* Seized by us and not yet let go: held, asked or armed, or a dead leader that is still to be reaped. */
bool hf_task_is_ours(enum hf_task_state state);
/* Never to be seized, and no newcomer: skipped, outside, a kernel thread. */
bool hf_task_is_left_alone(enum hf_task_state state);
const char *hf_task_state_name(enum hf_task_state state);

/*
 * All threads of a hold, found by tid.  One array, in the order they were listed, and an index
 * by tid with open addressing; pointers into it are good until the next hf_task_set_add().
 */
struct hf_task_set {
	struct hf_task *tasks;
	size_t n, cap;
	struct hf_slots slots;
};

void hf_task_set_done(struct hf_task_set *set);
/* Room for n tasks in all, so that adding up to then cannot fail.  0 or -ENOMEM. */
int hf_task_set_reserve(struct hf_task_set *set, size_t n);
struct hf_task *hf_task_set_find(const struct hf_task_set *set, pid_t tid);
/* Whether anybody in it is in this state. */
bool hf_task_set_any(const struct hf_task_set *set, enum hf_task_state state);
/* Add a tid that is not in the set, as HF_TASK_LISTED.  NULL when memory is short. */
struct hf_task *hf_task_set_add(struct hf_task_set *set, pid_t tid);

#endif
