/* SPDX-License-Identifier: MIT */
/*
 * why - look without taking: everything that would stand in the way of a hold.  The refusals are look.c's
 * own, told instead of obeyed; what only shows when threads are asked to stop is foreseen here.
 */
#include "hold_state.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cancel.h"
#include "err.h"
#include "explain.h"
#include "lock.h"
#include "procfs.h"
#include "split.h"
#include "sys.h"

/* An uninterruptible sleep is worth a word when it lasts; most end within microseconds. */
#define ASLEEP_MS 100

HF_API const char *hf_obstacle_word(enum hf_obstacle_kind kind)
{
	switch (kind) {
	case HF_OBSTACLE_OURSELVES:
		return "ourselves";
	case HF_OBSTACLE_HELD:
		return "held";
	case HF_OBSTACLE_FROZEN:
		return "frozen";
	case HF_OBSTACLE_TRACED:
		return "traced";
	case HF_OBSTACLE_PERMISSION:
		return "permission";
	case HF_OBSTACLE_ASLEEP:
		return "asleep";
	case HF_OBSTACLE_KERNEL:
		return "kernel";
	case HF_OBSTACLE_HALF:
		return "half";
	case HF_OBSTACLE_NAMESPACE:
		return "namespace";
	case HF_OBSTACLE_EMPTY:
		return "empty";
	}
	return "unknown";
}

static void tell(struct hf_hold *hold, enum hf_obstacle_kind kind, bool blocks, pid_t tid, pid_t by,
		 const char *fmt, ...) __attribute__((format(printf, 6, 7)));

static void tell(struct hf_hold *hold, enum hf_obstacle_kind kind, bool blocks, pid_t tid, pid_t by,
		 const char *fmt, ...)
{
	struct hf_obstacle o = { kind, blocks, tid, by, NULL };
	char text[sizeof(((struct hf_error *)NULL)->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o.text = text;
	hold->tell(&o, hold->tell_data);
	hold->blocked += blocks;
}

/* ---- What look.c does not look at ----------------------------------------------------------------- */

static void tell_found_frozen(struct hf_hold *hold)
{
	const struct hf_freezer *f = &hold->freezer;
	char path[PATH_MAX];
	size_t i;

	if (f->n_levels && hf_freezer_is_freezing(f))
		tell(hold, HF_OBSTACLE_FROZEN, false, 0, 0,
		     "cgroup %s is being frozen by somebody else; a hold would wait until that is done", f->path);
	for (i = 0; i < f->n_levels; i++) {
		if (!f->levels[i].self_found)
			continue;
		hf_freezer_level_path(f, i, path, sizeof(path));
		tell(hold, HF_OBSTACLE_FROZEN, false, 0, 0,
		     "cgroup %s is set frozen; what is in it would be held as well, and be frozen again afterwards",
		     path);
	}
	if (f->version == 2 && hf_freezer_frozen_ancestor(f, path, sizeof(path)))
		tell(hold, HF_OBSTACLE_FROZEN, false, 0, 0,
		     "an ancestor is frozen, %s; what is in the target would be held as well, and stay frozen",
		     path);
}

/* Once for all of them: they stop for us like others. */
static void tell_frozen_elsewhere(struct hf_hold *hold)
{
	const struct hf_task *first = NULL;
	char who[128], more[64] = "";
	size_t i, n = 0;

	for (i = 0; i < hold->set.n; i++) {
		if (!hold->set.tasks[i].frozen_elsewhere)
			continue;
		if (n++ == 0)
			first = &hold->set.tasks[i];
	}
	if (!first)
		return;
	hf_explain_who(first->tid, who, sizeof(who));
	if (n > 1)
		snprintf(more, sizeof(more), " (and so %s %zu more)", n == 2 ? "is" : "are", n - 1);
	tell(hold, HF_OBSTACLE_FROZEN, false, first->tid, 0,
	     "process %s is frozen by a v2 cgroup that is not the target%s; it would be held as well, and stay frozen",
	     who, more);
}

static void tell_skipped(struct hf_hold *hold)
{
	char who[128], by[128];
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		const struct hf_task *t = &hold->set.tasks[i];

		if (t->state != HF_TASK_SKIPPED)
			continue;
		hf_explain_who(t->tid, who, sizeof(who));
		hf_explain_who(t->other, by, sizeof(by));
		tell(hold, HF_OBSTACLE_TRACED, false, t->tid, t->other,
		     "thread %s is traced by %s and would be left out", who, by);
	}
}

static void tell_kernel_threads(struct hf_hold *hold)
{
	struct hf_stat st;
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		pid_t tid = hold->set.tasks[i].tid;

		if (hf_tid_stat(tid, &st) == 0 && (st.flags & HF_PF_KTHREAD))
			tell(hold, HF_OBSTACLE_KERNEL, false, tid, 0,
			     "%d (%s) is a kernel thread, which nobody can hold", tid, st.comm);
	}
}

/* Of this moment: threads that came into the target, or ended, since it was listed are no reason for a word. */
static bool is_outside(const struct hf_hold *hold, pid_t tid)
{
	struct hf_stat st;

	return hf_tid_stat(tid, &st) == 0 && st.state != 'Z' && st.state != 'X' &&
	       !hf_look_is_inside(&hold->freezer, tid);
}

static bool anybody_outside(struct hf_hold *hold, pid_t tgid)
{
	struct hf_buf *tids = &hold->roster.tids;
	bool complete;
	size_t i;

	if (hf_split_threads(tgid, tids, &complete) < 0)
		return false;
	for (i = 0; i < tids->len / sizeof(pid_t); i++)
		if (is_outside(hold, ((const pid_t *)(const void *)tids->data)[i]))
			return true;
	return false;
}

static int tell_half(pid_t tgid, void *data)
{
	struct hf_hold *hold = data;
	char who[128];

	if (!anybody_outside(hold, tgid))
		return 0;
	hf_explain_who(tgid, who, sizeof(who));
	tell(hold, HF_OBSTACLE_HALF, false, tgid, 0,
	     "process %s has threads outside of the target, which would go on running", who);
	return 0;
}

/* Threads outside that would be held are in the set, looked at like all others. */
static void tell_outsiders(struct hf_hold *hold)
{
	char who[128];
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		const struct hf_task *t = &hold->set.tasks[i];

		if (t->level != HF_LEVEL_OUTSIDE || t->state != HF_TASK_LISTED || !is_outside(hold, t->tid))
			continue;
		hf_explain_who(t->tid, who, sizeof(who));
		tell(hold, HF_OBSTACLE_HALF, false, t->tid, 0,
		     "thread %s is outside of the target, but others of its process are inside; it would be held as well",
		     who);
	}
}

static void tell_asleep(struct hf_hold *hold, const struct hf_task *t)
{
	bool blocks = hold->opts.on_armed == HF_ON_ARMED_FAIL;
	char text[400];
	pid_t child = 0;

	switch (hf_explain_sleep(t->tid, &child)) {
	case HF_SLEEP_VFORK:
		tell(hold, HF_OBSTACLE_ASLEEP, false, t->tid, 0,
		     "thread %d is a vfork parent that waits for its child %d; it would be armed, not stopped",
		     t->tid, child);
		break;
	case HF_SLEEP_EXEC:
	case HF_SLEEP_OTHER:
		hf_explain_stuck(t->tid, text, sizeof(text));
		tell(hold, HF_OBSTACLE_ASLEEP, blocks, t->tid, 0, "%s", text);
		break;
	case HF_SLEEP_NONE:
		break;
	}
}

/*
 * In a sleep that looks like any other, until somebody freezes or stops it: on a FUSE server, or in the kernel on a
 * page fault that is handled by a program.
 */
static bool is_deaf(pid_t tid)
{
	char wchan[HF_WCHAN_MAX];
	struct hf_syscall call;

	return hf_tid_wchan(tid, wchan) == 0 && hf_explain_is_deaf(wchan) &&
	       hf_tid_syscall(tid, &call) == 0 && !call.running && call.nr >= 0;
}

static void tell_deaf(struct hf_hold *hold, const struct hf_task *t)
{
	char text[400];

	if (!is_deaf(t->tid))
		return;
	hf_explain_stuck(t->tid, text, sizeof(text));
	tell(hold, HF_OBSTACLE_ASLEEP, hold->opts.on_armed == HF_ON_ARMED_FAIL, t->tid, 0, "%s", text);
}

/* What a v1 freezer has frozen looks asleep and is not; of another target than its own that was told of the process. */
static bool is_frozen_by_v1(const struct hf_hold *hold, const struct hf_task *t)
{
	size_t i;

	if (hold->freezer.version == 1)
		return hf_hold_found_frozen(hold, t);
	for (i = 0; t->found == 'D' && i < hold->set.n; i++)
		if (hold->set.tasks[i].mark && hold->set.tasks[i].tgid == t->tgid)
			return true;
	return false;
}

/* Those who were asleep at the look and still are. */
static void tell_sleepers(struct hf_hold *hold)
{
	const struct timespec pause = { 0, ASLEEP_MS * 1000000L };
	bool paused = false;
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		const struct hf_task *t = &hold->set.tasks[i];

		if (is_frozen_by_v1(hold, t) || (t->found != 'D' && (t->found != 'S' || !is_deaf(t->tid))))
			continue;
		if (!paused)
			nanosleep(&pause, NULL);
		paused = true;
		if (t->found == 'D')
			tell_asleep(hold, t);
		else
			tell_deaf(hold, t);
	}
}

/* ---- All -------------------------------------------------------------------------------------------- */

/* Not to be allowed to write the freezer is an obstacle; not to find the cgroup ends the look. */
static int find_levels(struct hf_hold *hold, struct hf_error *err)
{
	int r = hf_freezer_find_levels(&hold->freezer, true, err);

	if (r == -EACCES || r == -EPERM || r == -EROFS)
		return hf_refuse(hold, HF_OBSTACLE_PERMISSION, r, err);
	return r;
}

static int look_at_cgroup(struct hf_hold *hold, const char *path, struct hf_error *err)
{
	struct hf_deadline now = hf_deadline_in_ms(0);
	char who[128];
	pid_t by;
	int r = hf_freezer_open(&hold->freezer, path, err);

	if (r < 0)
		return r;
	if (hf_freezer_lock(&hold->freezer, now) == -ETIMEDOUT) {
		by = hold->told_holder = hf_lock_holder(&hold->freezer, who, sizeof(who));
		tell(hold, HF_OBSTACLE_HELD, true, 0, by, "%s holds cgroup %s, or one above or below it", who,
		     hold->freezer.path);
	}
	return find_levels(hold, err);
}

static int look(struct hf_hold *hold, const struct hf_target *target, struct hf_error *err)
{
	int r = hf_roster_init(&hold->roster, target, err);

	if (r == 0 && target->kind == HF_TARGET_CGROUP)
		r = look_at_cgroup(hold, target->path, err);
	if (r == 0)
		r = hf_look(hold, hf_deadline_in_ms(0), err);
	if (r < 0)
		return r;
	tell_found_frozen(hold);
	tell_frozen_elsewhere(hold);
	tell_skipped(hold);
	tell_kernel_threads(hold);
	tell_outsiders(hold);
	if (hold->opts.on_outside == HF_ON_OUTSIDE_REPORT && hf_split_possible(&hold->freezer))
		hf_split_each(&hold->set, tell_half, hold);
	tell_sleepers(hold);
	return hold->blocked;
}

HF_API int hf_why(const struct hf_target *target, const struct hf_take_options *opts, hf_obstacle_fn fn, void *data,
		  struct hf_error *err)
{
	HF_UNCANCELLED;
	struct hf_error own = HF_ERROR_INIT;
	struct hf_target copy;
	struct hf_hold *hold;
	int r;

	if (!target || !fn)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no target was named");
	hold = hf_hold_alloc();
	if (!hold)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	hold->tell = fn;
	hold->tell_data = data;
	r = hf_target_copy(&copy, target, &own);
	if (r == 0)
		r = hf_take_options_copy(&hold->opts, opts, &own);
	if (r == 0)
		r = look(hold, &copy, &own);
	if (r < 0 && err)
		*err = own;
	hf_hold_discard(hold);
	return r;
}
