/* SPDX-License-Identifier: MIT */
/*
 * take - the story of a hold of a cgroup, in order:
 *
 *	look		who is there, how each is found; refusals		nothing is changed
 *	early		v1: seize who is group-stopped already
 *	freeze		write, wait
 *	list, seize	SEIZE and INTERRUPT back to back, per thread
 *	v2: stops
 *	verify		list again; newcomers are seized too, until a pass finds nobody new
 *	thaw
 *	v1: stops, and verify once more
 *
 * v2 tasks enter their ptrace stop while they are frozen, so every stop is collected before the
 * thaw.  v1 tasks do not: their trap waits until they are thawed, and is taken before any user
 * instruction (measured on Linux 6.18; kernel/signal.c takes traps before it returns).
 *
 * A target without a cgroup is seized as it runs: only the passes are left of the story.  There, too, whoever is born
 * to a thread of ours is ours, so that a storm of forks runs dry.
 *
 * "Frozen" is a moment, not a lock: a fatal signal still removes members, an administrator can still
 * move some in.  So lists are read until one whole pass has found nobody new, and anything that was
 * ambiguous (a tid that vanished, an EPERM on a live thread) makes a pass count as not clean:
 * its successor may have been born after the list was read.
 */
#include "hold_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "lock.h"

#define NEWCOMERS_MS 1000

/* ---- The story --------------------------------------------------------------------------------------- */

/* Add the time since *mark_ns to *us, and set the mark anew. */
static void since_us(uint64_t *mark_ns, uint64_t *us)
{
	uint64_t now = hf_clock_ns();

	*us += (now - *mark_ns) / 1000;
	*mark_ns = now;
}

/*
 * v1, before the freeze: a group-stopped thread cannot be seized once it is frozen (hf_seize_must_wait()), and
 * one seized afterwards could be continued in between.  Seized now it stays where it is.
 */
static int seize_stopped_early(struct hf_hold *hold, struct hf_error *err)
{
	bool dirty = false;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < hold->set.n; i++) {
		struct hf_task *t = &hold->set.tasks[i];

		if (t->state == HF_TASK_LISTED && t->found == 'T' &&
		    !hf_hold_found_frozen(hold, t))
			r = hf_seize(hold, t, &dirty, err);
	}
	return r;
}

/*
 * Somebody else may have written the freezer meanwhile.  Thawed by them, the target ran while it was not held
 * whole; and what they freeze on v1 has no stops for us.
 */
static int refuse_foreign(struct hf_hold *hold, bool frozen_by_us, struct hf_error *err)
{
	const struct hf_freezer *f = &hold->freezer;
	char path[512];

	if (!hf_freezer_is_foreign(f, path, sizeof(path)))
		return 0;
	if (frozen_by_us && !f->levels[0].self_now)
		return hf_fail(err, EBUSY, HF_STAGE_THAW, 0,
			       "somebody else thawed cgroup %s while the hold was taken; it is left as they set it",
			       f->path);
	if (f->version == 1)
		return hf_fail(err, EBUSY, HF_STAGE_THAW, 0,
			       "somebody else froze or thawed cgroup %s while the hold of %s was taken; it is left as they set it",
			       path, f->path);
	return 0;
}

/* What the user had frozen stays so on v2; on v1 its tasks could not stop. */
static int undo_freeze(struct hf_freezer *f)
{
	return f->version == 2 ? hf_freezer_restore(f) : hf_freezer_thaw_all(f);
}

/* Thaw under the hold. */
static int thaw(struct hf_hold *hold, struct hf_error *err)
{
	bool frozen_by_us = hold->freezer.levels[0].self_now;
	int r;

	hf_freezer_notice(&hold->freezer);
	r = refuse_foreign(hold, frozen_by_us, err);
	if (r < 0)
		return r;
	r = undo_freeze(&hold->freezer);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_THAW, 0, "cannot thaw cgroup %s: %s",
			       hold->freezer.path, strerror(-r));
	hold->frozen = hold->target_frozen = false;
	return 0;
}

/* So that the holder's death lets nobody run: not for one instruction before the guard comes. */
static bool stays_frozen(const struct hf_hold *hold)
{
	return hold->opts.on_death != HF_ON_DEATH_RESUME;
}

/* v1's tasks had to be thawed for their stops; stopped as they are, the freezer takes them again. */
static int freeze_under_hold(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	int r;

	hf_freezer_freeze_found(&hold->freezer);
	r = hf_freeze(&hold->freezer, true, deadline, err);
	if (r < 0)
		return r;
	hold->frozen = true;
	since_us(&hold->mark_ns, &hold->info.timing_us.freeze);
	return 0;
}

/*
 * v1: what was found frozen had to be thawed for the stops, and is frozen again now that nobody can run.  So the
 * freezer shows during the hold what it showed before, and somebody else's thawing can be seen.
 */
static int freeze_found(struct hf_hold *hold, struct hf_error *err)
{
	int r = hf_freezer_restore(&hold->freezer);

	return r == 0 ? 0 : hf_fail(err, -r, HF_STAGE_FREEZE, 0, "cannot freeze cgroup %s again: %s",
				    hold->freezer.path, strerror(-r));
}

/*
 * Somebody who was listed before the freeze, and is on no list since: gone, moved out of the target, or moved
 * between two of its cgroups behind the back of the passes, and then still to be seized.
 */
static bool anybody_missed(struct hf_hold *hold)
{
	bool missed = false;
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		struct hf_task *t = &hold->set.tasks[i];

		if (t->state != HF_TASK_LISTED || hf_seize_must_wait(hold, t))
			continue;
		/* The dead keep their place in /proc/TID/cgroup until they are reaped. */
		if (hf_look_at_task(hold, t, NULL) > 0 && hf_roster_has(hold, t->tid))
			missed = true;
		else if (t->state == HF_TASK_LISTED)
			t->state = HF_TASK_GONE;
	}
	return missed;
}

/*
 * v2 lists a thread as 0 when it is outside our PID namespace, and one that is just dying, too.  The
 * dead go away; who stays cannot be named, and so not be held.
 */
#define STRANGERS_AFTER 50

static int meet_strangers(struct hf_hold *hold, unsigned int *met, struct hf_deadline deadline,
			  struct hf_error *err)
{
	struct hf_nap nap = HF_NAP_INIT;

	if (!hold->strangers)
		return 0;
	if (++*met < STRANGERS_AFTER && hf_nap(&nap, deadline))
		return 0;
	return hf_fail(err, EXDEV, HF_STAGE_SEIZE, 0,
		       "threads from outside our PID namespace are in %s", hold->roster.name);
}

/* Out of time after so many passes; the last one met somebody new, as the first one does. */
static int fail_unclean(struct hf_hold *hold, unsigned int passes, struct hf_error *err)
{
	const char *where = hold->roster.name;

	if (passes == 0)
		return hf_fail(err, ETIMEDOUT, HF_STAGE_SEIZE, 0, "the deadline came before anybody in %s was seized", where);
	if (passes == 1)
		return hf_fail(err, ETIMEDOUT, HF_STAGE_VERIFY, 0,
			       "the deadline came when %zu threads in %s had been seized, and before a look whether others had come",
			       hold->set.n, where);
	return hf_fail(err, ETIMEDOUT, HF_STAGE_VERIFY, 0, "new threads kept appearing in %s until the deadline", where);
}

/*
 * Passes over everybody, until one finds nobody new.  With `stops`, the stops of those who have
 * been seized are waited for before each, and in the end.
 */
static int pass_until_clean(struct hf_hold *hold, bool stops, struct hf_deadline deadline,
			    struct hf_error *err)
{
	unsigned int passes = 0, met = 0;
	bool dirty = true;
	int r;

	for (;; passes++) {
		r = meet_strangers(hold, &met, deadline, err);
		if (r == 0 && stops)
			r = hf_collect_stops(hold, deadline, err);
		if (r < 0)
			return r;
		/* The tid of one of ours has gone over to somebody who is not, in an exec. */
		if (stops && hold->forgot)
			dirty = true;
		if (!dirty)
			return 0;
		if (hf_deadline_passed(deadline))
			return fail_unclean(hold, passes, err);
		dirty = hold->strangers = hold->forgot = false;
		r = hf_meet_all(hold, &dirty, err);
		if (r < 0)
			return r;
		if (!dirty)
			dirty = anybody_missed(hold);
	}
}

/*
 * A tid is read from a list before it is seized: should its owner have died in between, and the tid have
 * come round, a stranger has been seized in its place.  The last pass has not seen that one listed; nor a thread
 * that was moved out meanwhile, which is none of the target's now.
 */
static void find_strangers(struct hf_hold *hold)
{
	enum hf_task_state was;
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		struct hf_task *t = &hold->set.tasks[i];

		if (t->level == HF_LEVEL_OUTSIDE || t->pass == hold->pass ||
		    !hf_task_is_ours((enum hf_task_state)t->state))
			continue;
		hf_poll_task(hold, i);
		t = &hold->set.tasks[i];
		if (!hf_task_is_ours((enum hf_task_state)t->state))
			continue;
		/* No list has the dead.  It is ours to reap, when its threads have ended, too. */
		if (hf_task_is_dead_leader(t)) {
			t->state = HF_TASK_DEAD_LEADER;
			continue;
		}
		if (hf_roster_has(hold, t->tid))
			continue;
		t->level = HF_LEVEL_OUTSIDE;
		was = (enum hf_task_state)t->state;
		hf_look_at_task(hold, t, NULL);
		/* Whoever has died since is no less to be reaped. */
		if (t->state == HF_TASK_GONE)
			t->state = was;
	}
}

static bool is_of_ours(const struct hf_task *t, bool outside)
{
	return (t->level == HF_LEVEL_OUTSIDE) == outside && hf_task_is_ours((enum hf_task_state)t->state);
}

static bool anybody_outside(const struct hf_hold *hold)
{
	size_t i;

	for (i = 0; i < hold->set.n; i++)
		if (is_of_ours(&hold->set.tasks[i], true))
			return true;
	return false;
}

/*
 * A process that was born to a thread outside of the target is outside itself, and came to us only because its
 * parent was seized: it goes on.  Most holds have nobody outside, and no need to look whose threads are inside.
 */
static int let_strangers_go(struct hf_hold *hold, struct hf_error *err)
{
	struct hf_task_set inside __attribute__((cleanup(hf_task_set_done))) = { 0 };
	const struct hf_task *t;
	size_t i;

	if (!anybody_outside(hold))
		return 0;
	for (i = 0; i < hold->set.n; i++) {
		t = &hold->set.tasks[i];
		if (is_of_ours(t, false) && !hf_task_set_find(&inside, t->tgid) &&
		    !hf_task_set_add(&inside, t->tgid))
			return hf_fail(err, ENOMEM, HF_STAGE_VERIFY, t->tid, "out of memory");
	}
	for (i = 0; i < hold->set.n; i++) {
		t = &hold->set.tasks[i];
		if (t->level != HF_LEVEL_OUTSIDE || hf_task_set_find(&inside, t->tgid))
			continue;
		hf_release_one(hold, i);
		/* It never was one of them: no report has it. */
		if (hold->set.tasks[i].state == HF_TASK_RELEASED)
			hold->set.tasks[i].state = HF_TASK_GONE;
	}
	return 0;
}

/*
 * Who was seized early, stopped, may be continued meanwhile, and killed by a sibling's exec, which then waits for us to
 * reap it, while we wait for the exec to end and the freezer to have everybody.
 */
static int freeze_all(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	bool accept = hold->opts.on_armed == HF_ON_ARMED_ACCEPT, early = false;
	size_t i;
	int r;

	for (i = 0; !early && i < hold->set.n; i++)
		early = hf_task_is_ours((enum hf_task_state)hold->set.tasks[i].state);
	if (early)
		hf_reaper_enter(&hold->reaper, &hold->set);
	r = hf_freeze(&hold->freezer, accept, deadline, err);
	if (early)
		hf_reaper_leave(hold->reaper);
	return r;
}

/*
 * Seize everybody while the target is frozen, watched by the guard: should one PTRACE_SEIZE hang, the guard
 * thaws, the call returns, and the target is frozen once more.
 */
static int seize_frozen(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	bool dirty = false;
	int r;

	do {
		r = freeze_all(hold, deadline, err);
		if (r < 0)
			return r;
		hold->part = r == HF_FREEZE_PART;
		hold->frozen = hold->freezer.version == 1;
		hold->target_frozen = !hold->part;
		hold->thawed_by_guard = false;
		since_us(&hold->mark_ns, &hold->info.timing_us.freeze);
		hf_guard_watch(&hold->guard, true);
		/* v2 goes on under the freeze, with the stops; v1 has to be thawed for them, and makes all its passes first. */
		if (hold->freezer.version == 1)
			r = pass_until_clean(hold, false, deadline, err);
		else
			r = hf_meet_all(hold, &dirty, err);
		hf_guard_watch(&hold->guard, false);
		since_us(&hold->mark_ns, &hold->info.timing_us.seize);
	} while (r == 0 && hold->thawed_by_guard);
	return r;
}

/* All of them ended, or left, while the hold was taken. */
static int refuse_nobody(struct hf_hold *hold, struct hf_error *err)
{
	size_t i;

	for (i = 0; i < hold->set.n; i++)
		if ((hf_task_is_ours((enum hf_task_state)hold->set.tasks[i].state) &&
		     hold->set.tasks[i].state != HF_TASK_DEAD_LEADER) ||
		    hf_task_is_left_alone((enum hf_task_state)hold->set.tasks[i].state))
			return 0;
	return hf_fail(err, ESRCH, HF_STAGE_VERIFY, 0,
		       "everybody in %s ended or left while the hold was taken", hold->roster.name);
}

/* Frozen meanwhile: everybody stands still at one instant. */
static int take_frozen(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	struct hf_timing *us = &hold->info.timing_us;
	int r = 0;

	hf_guard_on_death(&hold->guard, hold->opts.on_death);
	if (hold->freezer.version == 1)
		r = seize_stopped_early(hold, err);
	if (r == 0)
		r = seize_frozen(hold, deadline, err);
	if (r == 0 && hold->freezer.version == 2) {
		r = pass_until_clean(hold, true, deadline, err);
		since_us(&hold->mark_ns, &us->wait);
	}
	if (r == 0 && !(hold->freezer.version == 2 && stays_frozen(hold))) {
		r = thaw(hold, err);
		since_us(&hold->mark_ns, &us->thaw);
	}
	/*
	 * A pass has found nobody new already; but an exec may have given the tid of one of ours to a thread that is not, and
	 * that the stops tell.  Without this list, too, some hold in a thousand had a runaway in a storm of execs.
	 */
	if (r == 0 && hold->freezer.version == 1) {
		r = pass_until_clean(hold, true, deadline, err);
		since_us(&hold->mark_ns, &us->wait);
	}
	return r;
}

/* Without a freezer, one after the other, until nobody is left who runs. */
static int take_running(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	int r = pass_until_clean(hold, true, deadline, err);

	since_us(&hold->mark_ns, &hold->info.timing_us.seize);
	return r;
}

/* Everybody who runs now; who is held already is passed over. */
static int take_all(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	int r = hf_hold_can_freeze(hold) ? take_frozen(hold, deadline, err) : take_running(hold, deadline, err);

	if (r == 0)
		find_strangers(hold);
	if (r == 0)
		r = let_strangers_go(hold, err);
	if (r < 0 || hold->freezer.version != 1)
		return r;
	return stays_frozen(hold) ? freeze_under_hold(hold, deadline, err) : freeze_found(hold, err);
}

static int take_stopped(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	int r;

	hold->first_stop_ns = hold->mark_ns = hf_clock_ns();
	hold->changed = true;
	r = take_all(hold, deadline, err);
	return r < 0 ? r : refuse_nobody(hold, err);
}

/* What somebody else has set meanwhile stays; what we have set does not. */
static void take_back_freeze(struct hf_hold *hold)
{
	undo_freeze(&hold->freezer);
	hold->frozen = hold->target_frozen = false;
}

int hf_take_newcomers(struct hf_hold *hold, struct hf_error *err)
{
	struct hf_error second;
	int r;

	hold->mark_ns = hf_clock_ns();
	r = take_all(hold, hf_deadline_in_ms(NEWCOMERS_MS), err);
	hf_reaper_end(hold->reaper);
	hold->reaper = NULL;
	/* Thawed under the hold, as it was before; a cgroup that stays frozen has them all the same. */
	if (r < 0 && hf_hold_can_freeze(hold) && !stays_frozen(hold) && thaw(hold, &second) < 0)
		take_back_freeze(hold);
	return r;
}

void hf_take_dead_man(struct hf_hold *hold, uint64_t from_now_ms)
{
	if (hold->opts.dead_man_ms)
		hf_guard_dead_man(&hold->guard, hf_clock_ns() + from_now_ms * 1000000);
}

/*
 * Where nothing is frozen, the kernel undoes all when the holder dies; but one that hangs has to be made to.  Started
 * after the look: before it, the guard pushed threads of the target onto the processor that looks, and what they waited
 * there came on top of the stop (measured, two processors: of a fifth of the holds 3 ms instead of 2).
 */
static int post_guard(struct hf_hold *hold, struct hf_error *err)
{
	if (!hf_hold_can_freeze(hold) && !hold->opts.dead_man_ms)
		return 0;
	return hf_guard_post(&hold->guard, &hold->freezer, hold->opts.no_guard, hold->opts.no_journal,
			     hold->opts.guard_message_fd, err);
}

static int take_looked_at(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	int r = post_guard(hold, err);

	if (r < 0)
		return r;
	hf_seize_prepare(hold);
	hf_take_dead_man(hold, hf_deadline_left_ns(deadline) / 1000000 + HF_DEAD_MAN_GRACE_MS);
	r = take_stopped(hold, deadline, err);
	if (r < 0)
		hf_take_undo(hold, err);
	/* To undo may have taken a SEIZE, too. */
	hf_reaper_end(hold->reaper);
	hold->reaper = NULL;
	return r;
}

void hf_take_stand(struct hf_hold *hold)
{
	hf_guard_on_death(&hold->guard, hold->opts.on_death);
	if (hold->opts.dead_man_ms == HF_DEAD_MAN_STEPS)
		hf_guard_dead_man(&hold->guard, 0);
	else
		hf_take_dead_man(hold, hold->opts.dead_man_ms);
}

int hf_take_open_cgroup(struct hf_hold *hold, const char *path, struct hf_deadline deadline,
			struct hf_error *err)
{
	int r = hf_freezer_open(&hold->freezer, path, err);

	if (r == 0 && asprintf(&hold->roster.name, "cgroup %s", hold->freezer.path) < 0) {
		hold->roster.name = NULL;
		return hf_fail(err, ENOMEM, HF_STAGE_LOOK, 0, "out of memory");
	}
	if (r == 0)
		r = hf_lock_out_others(&hold->freezer, deadline, err);
	if (r == 0)
		r = hf_freezer_find_levels(&hold->freezer, true, err);
	if (r == 0)
		r = hf_lock_refuse_found(&hold->freezer, err);
	return r == 0 ? hf_freeze_settle(&hold->freezer, hold->opts.on_armed == HF_ON_ARMED_ACCEPT, deadline, err) : r;
}

static int take(struct hf_hold *hold, const struct hf_target *target, struct hf_deadline deadline,
		struct hf_error *err)
{
	int r = hf_roster_init(&hold->roster, target, err);

	if (r == 0 && target->kind == HF_TARGET_CGROUP)
		r = hf_take_open_cgroup(hold, target->path, deadline, err);
	if (r == 0)
		r = hf_look(hold, deadline, err);
	/* Room for as many newcomers as there are members: no allocation while they are frozen. */
	if (r == 0 && hf_task_set_reserve(&hold->set, hold->set.n * 2) < 0)
		r = hf_fail(err, ENOMEM, HF_STAGE_LOOK, 0, "out of memory for %zu threads", hold->set.n);
	return r < 0 ? r : take_looked_at(hold, deadline, err);
}

int hf_take(struct hf_hold *hold, const struct hf_target *target, struct hf_error *err)
{
	struct hf_deadline deadline = hf_deadline_in_ms(hold->opts.timeout_ms);
	struct hf_error own = HF_ERROR_INIT;
	int r;

	if (hold->opts.cancel_fd > 0)
		deadline.cancel_fd = hold->opts.cancel_fd;
	r = take(hold, target, deadline, &own);
	hf_births_end(&hold->roster.births);
	if (r == 0) {
		hold->info.time_us = hf_clock_real_us();
		hold->held_ns = hf_clock_ns();
		hf_take_stand(hold);
		return 0;
	}
	r = hf_fail_cancelled(&own, deadline);
	if (err)
		*err = own;
	return r;
}
