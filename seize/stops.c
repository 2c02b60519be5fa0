/* SPDX-License-Identifier: MIT */
/*
 * stops - wait for the stops of the threads that were seized: the only place that waits.
 *
 * Every wait is for one tid, never blocks, and is bounded by the deadline.  A tracee's stop has no event that a
 * library could wait for (SIGCHLD belongs to the program, a pidfd reports deaths only), so
 * what is not there yet is asked for again after a short sleep; in practice all stops are there
 * within a fraction of a millisecond of the first.
 */
#include "hold_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "explain.h"
#include "own.h"
#include "procfs.h"
#include "sys.h"

/* A thread that has not stopped after this is looked at: a vfork parent will not stop at all. */
#define LOOK_AFTER_NS 300000u
/* An uninterruptible sleep that lasts this long without a stop is armed, where that is accepted. */
#define ARMED_AFTER_NS 100000000u

/* A newborn that the kernel attached to us at its parent's fork; it brings a stop of its own. */
static void meet_newborn(struct hf_hold *hold, pid_t parent)
{
	unsigned long msg = 0;
	struct hf_status st;
	struct hf_task *t;

	if (hf_sys_geteventmsg(parent, &msg) < 0 || msg == 0)
		return;
	t = hf_task_set_find(&hold->set, (pid_t)msg);
	if (!t)
		t = hf_task_set_add(&hold->set, (pid_t)msg);
	/* When memory is short it is found again by the next pass, or fails there. */
	if (!t || hf_task_is_ours((enum hf_task_state)t->state))
		return;
	t->state = HF_TASK_ASKED;
	t->found = '?';
	if (hf_tid_status(t->tid, &st) == 0) {
		t->tgid = st.tgid;
		t->many = st.n_threads > 1;
		hf_roster_adopt(hold, st.tgid);
	}
}

/* Stopped for us, with nothing left to report: looked at in this order, for what stops in between reports it. */
static bool has_stopped(pid_t tid)
{
	char wchan[HF_WCHAN_MAX];
	struct hf_stat st;

	/* A v1 freezer shows D of everybody; the kernel function tells. */
	if (hf_tid_stat(tid, &st) < 0 ||
	    (st.state != 't' && (hf_tid_wchan(tid, wchan) < 0 || strncmp(wchan, "ptrace_stop", 11) != 0)))
		return false;
	return hf_sys_wait_peek(tid) == 0;
}

/*
 * The tid is not our tracee any more, and no death was reported: an exec has changed tids (ptrace(2), "execve(2) under
 * ptrace").  Either another thread has taken it, the leader's, over; or it was the one that execed, is the leader now, and
 * brings the stop that we asked it for: what is noted of the leader may be of the one before.
 */
static void forget(struct hf_hold *hold, struct hf_task *t)
{
	struct hf_task *leader = hf_task_set_find(&hold->set, t->tgid);

	t->state = HF_TASK_GONE;
	hold->forgot = true;
	if (leader && leader != t && hf_task_is_ours((enum hf_task_state)leader->state) && !has_stopped(leader->tid))
		leader->state = HF_TASK_ASKED;
}

bool hf_poll_task(struct hf_hold *hold, size_t i)
{
	struct hf_task *t = &hold->set.tasks[i];
	enum hf_task_state was = (enum hf_task_state)t->state, is;
	pid_t tid = t->tid;
	int status, sig, r;
	enum hf_stop stop;

	r = hf_sys_wait(tid, &status);
	if (r == 0)
		return false;
	if (r < 0) {
		forget(hold, t);
		return true;
	}
	stop = hf_stop_of(status, &sig);
	is = hf_task_step(was, stop);
	/* A status that cannot be, says nothing: the thread is what it was. */
	if (is == HF_TASK_IMPOSSIBLE)
		return false;
	t->state = is;
	t->signal = (uint8_t)(is == HF_TASK_HELD_STOPPED || is == HF_TASK_HELD_SIGNAL ? sig : 0);
	if (is == HF_TASK_HELD_BIRTH)
		meet_newborn(hold, tid);
	return true;
}

/* Whether an asked thread is one that will not stop, and that is all right. */
static bool is_armed(struct hf_hold *hold, struct hf_task *t, uint64_t waited_ns)
{
	pid_t child = 0;

	switch (hf_explain_sleep(t->tid, &child)) {
	case HF_SLEEP_VFORK:
		t->other = child;
		t->vfork = 1;
		return true;
	case HF_SLEEP_OTHER:
		t->vfork = 0;
		/* When the freezer has been waited for in vain, the sleep has lasted long enough. */
		return hold->opts.on_armed == HF_ON_ARMED_ACCEPT &&
		       (hold->part || waited_ns >= ARMED_AFTER_NS);
	case HF_SLEEP_EXEC:
		hold->exec_waits = true;
		break;
	case HF_SLEEP_NONE:
		break;
	}
	return false;
}

/* It ended between our look and its stop.  As long as other threads of it live, wait(2) says nothing of that. */
bool hf_task_is_dead_leader(const struct hf_task *t)
{
	struct hf_stat st;

	return t->tid == t->tgid && hf_tid_stat(t->tid, &st) == 0 && st.state == 'Z';
}

static int fail_stuck(struct hf_hold *hold, struct hf_error *err)
{
	pid_t tids[HF_EXPLAIN_NAMED] = { 0 };
	char text[512], path[512];
	size_t i, n = 0;

	for (i = 0; i < hold->set.n; i++)
		if (hold->set.tasks[i].state == HF_TASK_ASKED && n++ < HF_EXPLAIN_NAMED)
			tids[n - 1] = hold->set.tasks[i].tid;
	hf_explain_all_stuck(tids, n, text, sizeof(text));
	/* v1: who is frozen does not stop. */
	hf_freezer_notice(&hold->freezer);
	if (hold->freezer.version == 1 && hf_freezer_is_foreign(&hold->freezer, path, sizeof(path)))
		return hf_fail(err, ETIMEDOUT, HF_STAGE_WAIT, tids[0],
			       "somebody else froze or thawed cgroup %s meanwhile, and not stopped by the deadline: %s",
			       path, text);
	return hf_fail(err, ETIMEDOUT, HF_STAGE_WAIT, tids[0], "not stopped by the deadline: %s", text);
}

/*
 * Wait a little for one thread.  The patience is shared by a whole pass and used up by sleeping in
 * vain; a sleep that a stop came out of refills it, since then the others are on their way too.
 */
static void await_one(struct hf_hold *hold, size_t i, uint64_t *patience_ns,
		      struct hf_deadline deadline)
{
	struct hf_nap nap = HF_NAP_INIT;
	uint64_t begun_ns = 0;

	while (!hf_poll_task(hold, i)) {
		uint64_t now = hf_clock_ns();

		if (begun_ns == 0)
			begun_ns = now;
		if (now - begun_ns >= *patience_ns || !hf_nap(&nap, deadline)) {
			*patience_ns = 0;
			return;
		}
	}
	if (begun_ns)
		*patience_ns = LOOK_AFTER_NS;
}

/*
 * One pass over those who are missing, from *first on; those who use up the patience are looked at
 * and left for the next pass.  Returns how many are still missing.
 */
static size_t collect_pass(struct hf_hold *hold, size_t *first, uint64_t begun_ns,
			   struct hf_deadline deadline)
{
	uint64_t patience_ns = LOOK_AFTER_NS;
	size_t i, missing = 0, first_missing = hold->set.n;

	/* The set may grow, and move, while it is walked: a newborn is added at its end. */
	for (i = *first; i < hold->set.n; i++) {
		if (hold->set.tasks[i].state != HF_TASK_ASKED)
			continue;
		await_one(hold, i, &patience_ns, deadline);
		if (hold->set.tasks[i].state != HF_TASK_ASKED)
			continue;
		if (hf_task_is_dead_leader(&hold->set.tasks[i])) {
			hold->set.tasks[i].state = HF_TASK_DEAD_LEADER;
			continue;
		}
		if (is_armed(hold, &hold->set.tasks[i], hf_clock_ns() - begun_ns)) {
			hold->set.tasks[i].state = HF_TASK_ARMED;
			continue;
		}
		missing++;
		if (first_missing > i)
			first_missing = i;
	}
	*first = first_missing;
	return missing;
}

/* ---- Without a processor ------------------------------------------------------------------------------- */

#define CHANCES 4	/* steps in which one who ran, or sleeps, has not stopped: he will not */

struct starved {
	uint64_t turns;
	unsigned int chances;
};

/* Whether he is yet to be waited for: who is runnable, and has had no processor since the last step, has lost no chance. */
static bool wants_more(const struct hf_task *t, struct starved *s)
{
	bool runnable;
	uint64_t turns;
	char letter;

	if (s->chances == CHANCES)
		return false;
	runnable = hf_thread_state(t->tgid, t->tid, &letter) == 0 && letter == 'R' &&
		   hf_thread_turns(t->tgid, t->tid, &turns) == 0;
	if (!runnable || (s->turns && turns != s->turns))
		s->chances++;
	if (runnable)
		s->turns = turns;
	return s->chances < CHANCES;
}

/* Beyond room are those who were born since. */
static bool anybody_wants_more(const struct hf_hold *hold, struct starved *all, size_t room)
{
	bool any = false;
	size_t i;

	for (i = 0; i < hold->set.n && i < room; i++)
		if (hf_task_is_ours((enum hf_task_state)hold->set.tasks[i].state))
			any |= wants_more(&hold->set.tasks[i], &all[i]);
	return any;
}

/*
 * A thread that was told to stop stops as soon as it gets a processor, which beside busier ones, or real-time ones, takes
 * longer than an undo should.  Left alone it would stop then, for ever.
 */
size_t hf_await_starved(struct hf_hold *hold, struct hf_deadline deadline, size_t (*step)(struct hf_hold *hold))
{
	const size_t room = hold->set.n;
	hf_owned struct starved *all = calloc(room + 1, sizeof(*all));
	size_t left;

	while ((left = step(hold)) > 0 && all && anybody_wants_more(hold, all, room) && !hf_deadline_passed(deadline))
		;
	return left;
}

/* An exec that is missing has killed its siblings, and waits for those we hold to be reaped, by us. */
static void reap_for_exec(struct hf_hold *hold)
{
	size_t i;

	for (i = 0; hold->exec_waits && i < hold->set.n; i++)
		if (hf_task_is_held((enum hf_task_state)hold->set.tasks[i].state))
			hf_poll_task(hold, i);
	hold->exec_waits = false;
}

int hf_collect_stops(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	uint64_t begun_ns = hf_clock_ns();
	struct hf_nap nap = HF_NAP_INIT;
	size_t first = 0;

	while (collect_pass(hold, &first, begun_ns, deadline) > 0) {
		reap_for_exec(hold);
		if (!hf_nap(&nap, deadline))
			return fail_stuck(hold, err);
	}
	return 0;
}
