/* SPDX-License-Identifier: MIT */
/*
 * freezer - one freezer cgroup with all its descendants, v1 or v2: open it, know how each level
 * was found, freeze and thaw it, read its members, put it back.  Knows no ptrace.
 *
 * Every level keeps a setting of its own, and is frozen in effect when it or any ancestor is set:
 *
 *		    own setting			in effect
 *	v2	cgroup.freeze 0|1		cgroup.events "frozen 0|1"	(Linux 5.2)
 *	v1	freezer.self_freezing 0|1	freezer.state
 */
#ifndef HF_FREEZER_H
#define HF_FREEZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "holdfast.h"
#include "io.h"
#include "slots.h"

struct hf_level {
	char *name;		/* path below the target, "" for the target itself */
	int fd;			/* its setting, open for writing; -1 for a level that we never write */
	int self_fd;		/* v1, beside fd: freezer.self_freezing; freezer.state mixes in the ancestors */
	bool self_found;	/* its own setting when we came */
	bool frozen_found;	/* frozen in effect when we came */
	bool threaded;		/* v2: a thread of a process may be in it without the others */
	bool self_now;		/* its own setting as we left it last */
	_Atomic bool *noted;	/* the same for the guard; NULL when there is none */
	bool theirs;		/* somebody else has changed its setting since: not ours to write */
	bool gone;		/* removed meanwhile */
};

#define HF_LOCKS_MAX 64	/* ancestors that are locked; deeper nesting is not told apart */

struct hf_freezer {
	int version;
	int dirfd;
	int events_fd;			/* v2: cgroup.events of the target */
	char *path;			/* absolute */
	size_t mount_len;		/* how much of it is where the hierarchy is mounted; 0: that is not known */
	char *within;			/* the path within the hierarchy, as /proc/PID/cgroup has it; "": its root */
	struct hf_level *levels;	/* [0] is the target; parents come before children */
	size_t n_levels, cap_levels;
	struct hf_slots slots;		/* levels by name */
	int locks[HF_LOCKS_MAX];	/* directories of ancestors, locked as long as they are open */
	size_t n_locks;
	size_t members;			/* threads that were listed last, roughly */
	unsigned int exec_thaws;	/* v1: how often an exec had to be let through for it to freeze */
	bool unlocked;			/* somebody keeps it locked who seemed to do nothing with it */
	bool writable;			/* opened for a hold, or to freeze or thaw */
};
#define HF_FREEZER_INIT { .dirfd = -1, .events_fd = -1 }

/* Find and open a cgroup directory, see hf_hold_cgroup() for `path` and the errors. */
int hf_freezer_open(struct hf_freezer *f, const char *path, struct hf_error *err);

/*
 * Keep other holdfasts off: the target is locked for us alone, its ancestors are shared, so that holds of
 * siblings go together and holds of overlapping cgroups wait.  Without this, the second would
 * take the first one's freeze for the found state and "restore" it.  Before the levels are found.
 * -ETIMEDOUT: another one kept its lock until the deadline.
 */
int hf_freezer_lock(struct hf_freezer *f, struct hf_deadline deadline);
/* By hand, for a fork of the caller's program may have a copy of what keeps it locked. */
void hf_freezer_unlock(struct hf_freezer *f);

/*
 * Record every level as it is found.  With `writable`, what a hold may have to write is opened for
 * writing now, so that no undo needs a new descriptor.  Changes nothing.
 */
int hf_freezer_find_levels(struct hf_freezer *f, bool writable, struct hf_error *err);
/*
 * For a short look at another cgroup: open the one with this path within the hierarchy of that version, find
 * its own level alone.  -ENOENT where no mount shows it.
 */
int hf_freezer_open_within(struct hf_freezer *f, int version, const char *within);
int hf_freezer_find_top(struct hf_freezer *f);
/* Where a hierarchy is mounted first, which may be a part of it, and its root: the caller's to close, or -errno. */
int hf_freezer_open_mount(int version);
int hf_freezer_open_root(int version);
void hf_freezer_done(struct hf_freezer *f);

/* Look for levels that were made since; they are added at the end.  0 or -errno. */
int hf_freezer_rescan(struct hf_freezer *f);

/* The nearest ancestor that is set frozen, as a path in ret (may be cut).  1 when there is one, else 0. */
int hf_freezer_frozen_ancestor(const struct hf_freezer *f, char *ret, size_t cap);

/* Path of a level within its hierarchy: "" stands for the hierarchy's root.  Into ret, may be cut. */
void hf_freezer_level_path(const struct hf_freezer *f, size_t level, char *ret, size_t cap);

/* The ids of all threads of one level, made anew by each call.  -ENOENT or -ENODEV: it is gone. */
int hf_freezer_list(struct hf_freezer *f, size_t level, struct hf_buf *text);

/* State in effect of the whole target.  0 or -errno. */
int hf_freezer_state(const struct hf_freezer *f, enum hf_freezer_state *ret);

/*
 * Write one level's own setting, unless it is as we left it, or somebody else has changed it.
 * A level that is gone counts as done.  0 or -errno.
 */
int hf_freezer_set(struct hf_freezer *f, size_t level, bool frozen);

/* v1: have the freezer visit every member of the target once more.  0 or -errno. */
int hf_freezer_freeze_again(struct hf_freezer *f);

/*
 * Notice settings that are not as we left them, or found them: from then on such a level is theirs and
 * left alone, so that nothing writes over what somebody else decided.  Each write does so for its level.
 */
void hf_freezer_notice(struct hf_freezer *f);
/* Whether that has happened; then the path of the first such level is in ret, may be cut. */
bool hf_freezer_is_foreign(const struct hf_freezer *f, char *ret, size_t cap);

/*
 * Whether a level is to be frozen by the setting that it, or one above it in the target, has as far as we know.
 */
bool hf_freezer_is_set(const struct hf_freezer *f, size_t level);

/*
 * Whether a level that is to be frozen, as it was found or as we have set it since, is still on its way there.  Reads,
 * changes nothing.
 */
bool hf_freezer_is_freezing(const struct hf_freezer *f);
/* Record every level anew, as it is found now.  Only before anything was changed.  0 or -errno. */
int hf_freezer_find_again(struct hf_freezer *f);

/* Sleep a little, or on v2 until the kernel reports a change.  False when the deadline had passed. */
bool hf_freezer_pause(const struct hf_freezer *f, struct hf_nap *nap, uint64_t waited_ns,
		      struct hf_deadline deadline);

#endif
