/* SPDX-License-Identifier: MIT */
/*
 * meet - whoever is listed is seized and asked to stop, once: one thread, and one pass over everybody.  Whether
 * there has to be another pass is for take to say.
 */
#include "hold_state.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "err.h"
#include "explain.h"
#include "procfs.h"
#include "sys.h"

/*
 * Newborns arrive attached and stopped.  Never PTRACE_O_EXITKILL: a holder that dies must not take the
 * target along.  Never TRACEEXIT: waiting for a dead leader with live threads would hang.
 */
#define SEIZE_OPTIONS (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

/* ---- One thread -------------------------------------------------------------------------------- */

/*
 * SEIZE failed.  EPERM and ESRCH say little: the thread may be dying, gone, ours already, somebody
 * else's, or changing hands in an exec.  /proc decides.
 */
static int sort_out(struct hf_hold *hold, struct hf_task *t, int why, bool *dirty,
		    struct hf_error *err)
{
	char who[128], reason[256];
	struct hf_stat st;
	int r = hf_look_at_task(hold, t, err);

	*dirty = true;
	if (r <= 0)
		return r;
	if (why == -ESRCH)
		return 0;	/* alive again: that tid has a new owner, which the next pass seizes */
	if (why == -EPERM && hf_tid_stat(t->tid, &st) == 0 && (st.flags & HF_PF_KTHREAD)) {
		t->state = HF_TASK_KERNEL;
		return 0;
	}
	/*
	 * A dying thread is refused some moments before its state letter says so; a new try tells.
	 * The other reasons stay.
	 */
	if (why == -EPERM && t->tries++ < 100)
		return 0;
	hf_explain_who(t->tid, who, sizeof(who));
	if (why == -EPERM) {
		hf_explain_eperm(t->tid, reason, sizeof(reason));
		return hf_fail(err, EPERM, HF_STAGE_SEIZE, t->tid, "cannot seize thread %s: %s", who,
			       reason);
	}
	return hf_fail(err, -why, HF_STAGE_SEIZE, t->tid, "cannot seize thread %s: %s", who,
		       strerror(-why));
}

/*
 * An exec by a thread that is no leader gives that thread the leader's tid (ptrace(2), "execve(2) under ptrace").
 * SEIZE waits for an exec in progress to end, and so may have attached to a thread that now has another
 * tid than it was asked for: that one is to be interrupted, and has a stop yet to come, whatever was noted of the
 * thread that had the tid before.
 */
static void interrupt_execed(struct hf_hold *hold, struct hf_task *t, bool *dirty)
{
	struct hf_task *leader = hf_task_set_find(&hold->set, t->tgid);

	t->state = HF_TASK_GONE;
	*dirty = true;
	if (leader && leader != t && hf_sys_interrupt(leader->tid) == 0)
		leader->state = HF_TASK_ASKED;
}

/*
 * Seized, a tid is nobody else's before we reap it; but it may have got another owner since it was looked at, and be of
 * another process than is noted.  Its threads would be taken for those of the one we hold, and signals go to strangers.
 */
static void check_process(struct hf_task *t)
{
	struct hf_status st;

	if (t->tgid == t->tid || hf_sys_tgkill(t->tgid, t->tid, 0) != -ESRCH || hf_tid_status(t->tid, &st) < 0)
		return;
	t->tgid = st.tgid;
	t->many = st.n_threads > 1;
	t->found = '?';
}

/* Whether it has siblings outside of the target, or may have. */
static bool may_be_apart(const struct hf_hold *hold, const struct hf_task *t)
{
	return t->level == HF_LEVEL_OUTSIDE || (t->many && hold->freezer.levels[t->level].threaded);
}

/*
 * Whether a sibling can be inside an exec.  All of the target may be frozen, and the sibling be outside of it: whoever is
 * thawed for its sake then dies, and is ours to reap if it was seized before.
 */
static bool may_wait_for_exec(const struct hf_hold *hold, const struct hf_task *t)
{
	return !hold->target_frozen || may_be_apart(hold, t);
}

void hf_seize_prepare(struct hf_hold *hold)
{
	bool needed = !hf_hold_can_freeze(hold);
	size_t i;

	for (i = 0; !needed && i < hold->set.n; i++)
		needed = may_be_apart(hold, &hold->set.tasks[i]);
	if (needed)
		hf_reaper_begin(&hold->reaper, &hold->set);
}

int hf_seize(struct hf_hold *hold, struct hf_task *t, bool *dirty, struct hf_error *err)
{
	bool free_to_exec = may_wait_for_exec(hold, t);
	int r;

	if (free_to_exec)
		hf_reaper_enter(&hold->reaper, &hold->set);
	hf_guard_enter(&hold->guard);
	r = hf_sys_seize(t->tid, SEIZE_OPTIONS);
	if (free_to_exec)
		hf_reaper_leave(hold->reaper);
	if (hf_guard_leave(&hold->guard, &hold->freezer)) {
		hold->thawed_by_guard = true;
		hold->frozen = hold->target_frozen = false;
	}
	if (r < 0)
		return sort_out(hold, t, r, dirty, err);
	t->state = HF_TASK_ASKED;
	check_process(t);
	/*
	 * At once: with milliseconds between the two a signal may be taken first, and the thread
	 * stops in its delivery instead (which is handled, but is one case more).
	 */
	r = hf_sys_interrupt(t->tid);
	if (r < 0 && hf_sys_wait_peek(t->tid) == -ECHILD)
		interrupt_execed(hold, t, dirty);
	else if (r < 0)
		/* It is dying (EIO), most likely.  Whoever lives must not come out of the freeze unasked. */
		hf_sys_interrupt(t->tid);
	return 0;
}

/* ---- Passes over the lists ------------------------------------------------------------------------ */

/*
 * A v1 task that is frozen in a group-stop must not be seized: PTRACE_SEIZE waits, deaf to everything but a
 * fatal signal, until it is thawed.  It was found so, and is seized after the thaw.
 */
bool hf_seize_must_wait(const struct hf_hold *hold, const struct hf_task *t)
{
	return hold->freezer.version == 1 && hold->frozen && t->found == 'T';
}

/* Held it cannot exec, but before it was seized a sibling of it could, unless they were frozen. */
static bool may_have_execed(const struct hf_hold *hold, const struct hf_task *t)
{
	if (t->state == HF_TASK_DEAD_LEADER)
		return true;
	return hf_task_is_held((enum hf_task_state)t->state) &&
	       (!hf_hold_can_freeze(hold) || hold->part || t->level == HF_LEVEL_OUTSIDE);
}

/*
 * An exec by a sibling kills a leader without a word to us, and gives its tid to the one that execs (ptrace(2),
 * "execve(2) under ptrace"): that one may be nobody's tracee, or be ours and have a stop of its own yet to report.
 */
static void check_still_the_same(struct hf_task *t, bool *dirty)
{
	int r = hf_sys_wait_peek(t->tid);

	if (r == 0 && (t->state != HF_TASK_DEAD_LEADER || hf_task_is_dead_leader(t)))
		return;
	t->state = r < 0 ? HF_TASK_LISTED : HF_TASK_ASKED;
	t->tgid = r < 0 ? 0 : t->tgid;
	*dirty = true;
}

/* A tid from a list, in this pass.  New ones are seized; *data is set when the pass was not clean. */
static int meet(struct hf_hold *hold, pid_t tid, uint16_t level, void *data, struct hf_error *err)
{
	bool *dirty = data;
	struct hf_task *t = hf_task_set_find(&hold->set, tid);
	enum hf_task_state was;
	int r;

	if (tid == 0) {
		hold->strangers = *dirty = true;
		return 0;
	}
	if (!t)
		t = hf_task_set_add(&hold->set, tid);
	if (!t)
		return hf_fail(err, ENOMEM, HF_STAGE_SEIZE, tid, "out of memory for thread %d", tid);
	if (t->level == HF_LEVEL_OUTSIDE)
		t->level = level;
	if (level != HF_LEVEL_OUTSIDE)
		t->pass = hold->pass;
	if (may_have_execed(hold, t))
		check_still_the_same(t, dirty);
	was = (enum hf_task_state)t->state;
	if (hf_task_is_left_alone(was) || (hf_task_is_ours(was) && t->tgid) || hf_seize_must_wait(hold, t))
		return 0;
	/*
	 * Known from the look that came first: seize it as it is.  Anybody else is looked at: new
	 * ones, newborns that the kernel attached to us, and tids that were given up and are listed again.
	 */
	if (was != HF_TASK_LISTED || !t->tgid) {
		if (!hf_task_is_ours(was))
			t->state = HF_TASK_LISTED;
		r = hf_look_at_task(hold, t, err);
		if (r < 0)
			return r;
		if (t->state != was)
			*dirty = true;
		if (r == 0 || t->state != HF_TASK_LISTED)
			return 0;
		if (level == HF_LEVEL_OUTSIDE && hold->opts.on_outside == HF_ON_OUTSIDE_REPORT) {
			t->state = HF_TASK_OUTSIDE;
			return 0;
		}
	}
	*dirty = true;
	return hf_seize(hold, t, dirty, err);
}

/* Threads outside, of half-held processes: those who were known before the freeze, and whoever is not known yet. */
static int meet_outsiders(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < hold->set.n; i++)
		if (hold->set.tasks[i].level == HF_LEVEL_OUTSIDE &&
		    hold->set.tasks[i].state == HF_TASK_LISTED)
			r = meet(hold, hold->set.tasks[i].tid, HF_LEVEL_OUTSIDE, pass->data, err);
	return r == 0 ? hf_roster_outsiders(hold, pass, err) : r;
}

/* One pass over everybody. */
int hf_meet_all(struct hf_hold *hold, bool *dirty, struct hf_error *err)
{
	struct hf_roster_pass pass = { .fn = meet, .data = dirty, .stage = HF_STAGE_SEIZE };
	int r = hf_roster_each(hold, &pass, err);

	if (r == 0)
		r = meet_outsiders(hold, &pass, err);
	*dirty |= pass.unsure;
	return r;
}
