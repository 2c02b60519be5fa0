/* SPDX-License-Identifier: MIT */
/*
 * hold_state - what a hold is made of, for the files that work on it together:
 *
 *	roster*.c	who is in the target now
 *	look.c		look first, change nothing: may we hold them
 *	freeze.c	freeze and wait, and say who is in the way
 *	take.c		freeze, list, seize, thaw, verify, in order; undo when it fails
 *	meet.c		seize one thread; one pass over everybody who is listed
 *	stops.c		wait for the stops of the threads that were seized
 *	release.c	let go: as found, stopped, or dead
 *	hold.c		the object, and what can be asked of it
 *	why.c		look without taking: what stands in the way
 *	while.c		a hold for as long as a function lasts
 *	signal.c	one signal to everybody
 */
#ifndef HF_HOLD_STATE_H
#define HF_HOLD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "freezer.h"
#include "guard.h"
#include "holdfast.h"
#include "io.h"
#include "kin.h"
#include "procfs.h"
#include "reaper.h"
#include "roster.h"
#include "task.h"

/*
 * A holder with a dead man's switch that hangs while it takes or releases is ended this long after its deadline, by
 * which time it should have undone everything.
 */
#define HF_DEAD_MAN_GRACE_MS 1000

struct hf_hold {
	pid_t tracer;			/* the thread that took it: ptrace ties are its own */
	const struct hf_kin *asker;	/* while it is taken: on whose behalf; NULL: on the caller's own */
	struct hf_take_options opts;
	struct hf_roster roster;
	struct hf_freezer freezer;	/* of a cgroup; version 0, and no levels, of another target */
	struct hf_guard guard;
	struct hf_reaper *reaper;	/* while it is taken, where it is needed; else NULL */
	struct hf_task_set set;
	char (*comms)[HF_THREAD_COMM];	/* names of the threads of the set, where a look has told them; by index */
	size_t n_comms;
	char **level_paths;		/* of the levels that were there when it was taken */
	size_t n_level_paths;
	bool frozen;			/* v1: its tasks are frozen at the moment, and so do not stop */
	bool target_frozen;		/* nobody in the target can be inside an exec now */
	bool part;			/* it could not be frozen whole: somebody sleeps uninterruptibly */
	bool thawed_by_guard;		/* a PTRACE_SEIZE hung, and the guard ended that */
	bool forgot;			/* one who was ours turned out to have lost its tid to an exec */
	bool exec_waits;		/* somebody was met in an exec that waits for its siblings */
	bool strangers;			/* the last pass met threads without an id */
	uint16_t pass;			/* number of the pass over the lists; never 0 in one */
	bool changed;			/* something is to be undone */
	bool released;
	enum hf_release how;		/* it was released */
	uint64_t first_stop_ns;		/* CLOCK_MONOTONIC of the first change; 0 before */
	uint64_t mark_ns;		/* where the step that is being timed began */
	uint64_t held_ns;		/* CLOCK_MONOTONIC since when everybody is held */
	uint64_t release_ns;
	struct hf_hold_info info;
	char changed_path[512];		/* for info, may be cut */
	hf_obstacle_fn tell;		/* for hf_why(): refusals are told and not obeyed; else NULL */
	void *tell_data;
	int blocked;			/* how many were told */
	pid_t told_holder;		/* who holds the target was told: that he traces is no news */
};

/* hold.c: a thread's name, as it was looked at.  Without memory it is not known. */
void hf_hold_note_comm(struct hf_hold *hold, const struct hf_task *t, const char *comm);

/* hold.c: whether a thread's cgroup was frozen when we came; false for HF_LEVEL_OUTSIDE. */
bool hf_hold_found_frozen(const struct hf_hold *hold, const struct hf_task *t);

/* look.c */

/*
 * Fill the set with everybody who is in the target now, as HF_TASK_LISTED or HF_TASK_SKIPPED,
 * each with its process and the state it was found in.  Every refusal that can be foreseen happens
 * here.  Changes nothing.
 */
int hf_look(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err);

/*
 * Learn who a newly listed thread is: its process, its found state.  Returns 1 when it can be
 * seized, 0 when it cannot and need not (gone, a zombie, skipped: its state says which), or the
 * refusal as a negative errno.
 */
int hf_look_at_task(struct hf_hold *hold, struct hf_task *t, struct hf_error *err);

/* Whether a thread is in a cgroup or below, as its /proc/TID/cgroup tells.  False when it is gone. */
bool hf_look_is_inside(const struct hf_freezer *f, pid_t tid);

/* Refuse, with EBUSY, a target that contains the caller's process or one of its ancestors; of the asker's, too (kin.h). */
int hf_freezer_refuse_ourselves(struct hf_freezer *f, const struct hf_kin *asker, struct hf_error *err);

/*
 * What a check came to: passes r on, but when hf_why() asks, tells the refusal that *err describes and
 * returns 0, so that the look goes on.
 */
int hf_refuse(struct hf_hold *hold, enum hf_obstacle_kind kind, int r, const struct hf_error *err);

/*
 * hold.c: copy a caller's struct, which may be of an older library and then smaller, over the defaults in
 * *to, which has `ours` bytes.  0 or -EINVAL.
 */
int hf_options_copy(void *to, const void *from, size_t size, size_t ours, struct hf_error *err);

/* hold.c: copy a caller's options over the defaults; sizes may differ.  0 or -EINVAL. */
int hf_take_options_copy(struct hf_take_options *to, const struct hf_take_options *from,
			 struct hf_error *err);

/* hold.c: an empty hold of the calling thread, or NULL. */
struct hf_hold *hf_hold_alloc(void);
/* hold.c: whether the target has a freezer, and so can be frozen at all. */
static inline bool hf_hold_can_freeze(const struct hf_hold *hold)
{
	return hold->freezer.n_levels > 0;
}

/* hold.c: copy a caller's target over an empty one; sizes may differ.  0 or -EINVAL. */
int hf_target_copy(struct hf_target *to, const struct hf_target *from, struct hf_error *err);

/* hold.c: free what a hold is made of, without releasing anybody. */
void hf_hold_discard(struct hf_hold *hold);

/* freeze.c */

/* How freezing ended, when it did not fail. */
enum hf_freeze_end {
	HF_FREEZE_WHOLE = 0,
	HF_FREEZE_PART,		/* all but threads that sleep uninterruptibly, which is accepted */
};

/*
 * Freeze the target and wait.  On failure the error names every thread that is in the way; the caller
 * undoes.  accept_armed: be content when only uninterruptible sleepers are missing.
 */
int hf_freeze(struct hf_freezer *f, bool accept_armed, struct hf_deadline deadline,
	      struct hf_error *err);

/*
 * A target that somebody else is freezing right now is waited for, so that what they come to is what was found, and
 * not the way there.  Changes nothing.  ETIMEDOUT names the threads that are in their way.
 */
int hf_freeze_settle(struct hf_freezer *f, bool accept_armed, struct hf_deadline deadline,
		     struct hf_error *err);

/*
 * Put each level's setting to what was found, children first, so that nobody in a child who was found frozen
 * runs in between.  Returns the first failure; goes on after it.
 */
int hf_freezer_restore(struct hf_freezer *f);
/* Freeze again the children that were found frozen (v1: they had to be thawed). */
void hf_freezer_freeze_found(struct hf_freezer *f);
/* Thaw every level, so that v1 tasks can reach their stops. */
int hf_freezer_thaw_all(struct hf_freezer *f);

/* stops.c */

/*
 * Wait until every asked thread has stopped or died, or is known to be armed and that is accepted.
 * ETIMEDOUT names those who did not.
 */
int hf_collect_stops(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err);

/*
 * For what cannot be left half done: go on with a step, which takes some milliseconds and returns how many are still
 * missing, for as long as they are missing because they have had no processor.  Returns how many are left in the end.
 */
size_t hf_await_starved(struct hf_hold *hold, struct hf_deadline deadline, size_t (*step)(struct hf_hold *hold));

/*
 * One look at one thread of ours, without blocking: true when its state changed.  May add a
 * newborn to the set and so move it: threads are named by their place, not by a pointer.
 */
bool hf_poll_task(struct hf_hold *hold, size_t i);

/* Whether a thread of ours has ended as a leader of threads that live: nobody will be told of that before they end. */
bool hf_task_is_dead_leader(const struct hf_task *t);

/* meet.c */

/* Before the first stop: what seizing is going to need, and takes time to start. */
void hf_seize_prepare(struct hf_hold *hold);
/*
 * Seize a thread and ask it to stop.  0 as well when it cannot be and need not: its state says what became of it;
 * *dirty is set when somebody else may have come in its place.
 */
int hf_seize(struct hf_hold *hold, struct hf_task *t, bool *dirty, struct hf_error *err);
/* Whether a thread must not be seized now, because it is frozen. */
bool hf_seize_must_wait(const struct hf_hold *hold, const struct hf_task *t);
/* One pass over everybody.  *dirty is set when there must be another: somebody is new, or may have been missed. */
int hf_meet_all(struct hf_hold *hold, bool *dirty, struct hf_error *err);

/* take.c */

/* A cgroup: find it, lock it, know how each level is found. */
int hf_take_open_cgroup(struct hf_hold *hold, const char *path, struct hf_deadline deadline,
			struct hf_error *err);
int hf_take(struct hf_hold *hold, const struct hf_target *target, struct hf_error *err);
/* From now on the hold stands: the dead man's switch is off or counts anew, and a death is one while holding. */
void hf_take_stand(struct hf_hold *hold);
/* Take those into the hold who have come since.  When that fails nothing that was held is let go. */
int hf_take_newcomers(struct hf_hold *hold, struct hf_error *err);
/* The holder is killed should it not come on by then, if that was asked for. */
void hf_take_dead_man(struct hf_hold *hold, uint64_t from_now_ms);

/* undo.c */

/*
 * Undo what taking has changed, within a short time, or this where somebody gets no processor; what came of it is noted
 * in *err.
 */
#define HF_UNDO_MAX_MS 5500
void hf_take_undo(struct hf_hold *hold, struct hf_error *err);

/*
 * recover.c: somebody has frozen or thawed this cgroup on purpose: what a dead holder left of it is not put back any
 * more.  Where the journals cannot be had or written nothing changes.
 */
void hf_recover_forget(const struct hf_freezer *f);

/* release.c */
int hf_release_all(struct hf_hold *hold, enum hf_release how, bool leave_armed,
		   struct hf_deadline deadline, struct hf_error *err);
/* Let go of one thread of ours now, if it is stopped. */
void hf_release_one(struct hf_hold *hold, size_t i);
/* Let go of threads that stop only now, until the deadline.  Returns how many are left. */
size_t hf_release_stragglers(struct hf_hold *hold, struct hf_deadline deadline);
/* v2, when nobody is left: who was let go into a freeze that is to stay is in it. */
void hf_release_await_frozen(const struct hf_hold *hold, struct hf_deadline deadline);

#endif
