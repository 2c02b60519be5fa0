/* SPDX-License-Identifier: MIT */
/*
 * release - let everybody go: as found, to a group-stop, or to death; and put the freezer back.
 * What needs memory takes it before the first change; everything may be called again after a failure.
 */
#include "hold_state.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "err.h"
#include "explain.h"
#include "procfs.h"
#include "restart.h"
#include "split.h"
#include "sys.h"

/* Freezing for the release makes all start together.  It is a courtesy and not worth more than this. */
#define REFREEZE_MS 100

static bool is_ours(const struct hf_task *t)
{
	return hf_task_is_ours((enum hf_task_state)t->state);
}

static bool is_held(const struct hf_task *t)
{
	return hf_task_is_held((enum hf_task_state)t->state);
}

/* Only in a trap of ours: elsewhere a signal has come, or no call was interrupted. */
static void restart_call(struct hf_hold *hold, struct hf_task *t)
{
	struct hf_hold_info *info = &hold->info;

	if (t->state != HF_TASK_HELD || hold->opts.no_restart)
		return;
	t->restart = (uint8_t)hf_restart_call(t->tid, t->tgid,
					      hold->held_ns ? hf_clock_ns() - hold->held_ns : 0);
	info->restarted += t->restart == HF_RESTART_CALL || t->restart == HF_RESTART_IN_FULL;
	info->restarted_in_full += t->restart == HF_RESTART_IN_FULL;
	info->expired += t->restart == HF_RESTART_EXPIRED;
	info->left_interrupted += t->restart == HF_RESTART_LEFT;
}

/*
 * ESRCH: a held thread was killed; its death is or will be there to be collected.  For the counts it died while it was
 * held, unless it came to its stop only now.
 */
static void collect_death(struct hf_hold *hold, size_t i)
{
	struct hf_hold_info *info = &hold->info;

	hf_poll_task(hold, i);
	if (hold->set.tasks[i].state == HF_TASK_DIED && hold->set.tasks[i].counted) {
		info->held--;
		info->died++;
	}
}

void hf_release_one(struct hf_hold *hold, size_t i)
{
	struct hf_task *t = &hold->set.tasks[i];
	int r;

	if (!is_held(t))
		return;
	restart_call(hold, t);
	/*
	 * DETACH alone puts a group-stopped thread back into its group-stop, unseen by its parent.  From a
	 * signal-delivery-stop 0 would eat the signal; from any other stop the number is ignored.
	 */
	r = hf_sys_detach(t->tid, t->state == HF_TASK_HELD_SIGNAL ? t->signal : 0);
	if (r == 0)
		t->state = HF_TASK_RELEASED;
	else
		collect_death(hold, i);
}

/* Children before their parents, as far as they were met in that order: a vfork parent waits for its child. */
static void detach_held(struct hf_hold *hold)
{
	size_t i;

	for (i = hold->set.n; i-- > 0;)
		hf_release_one(hold, i);
}

/* On its way out, or killed and about to be. */
static bool is_ending(pid_t tid)
{
	const uint64_t kill = UINT64_C(1) << (SIGKILL - 1);
	struct hf_status status;
	struct hf_stat st;
	int r = hf_tid_stat(tid, &st);

	if (r < 0)
		return hf_is_gone(r);
	if (st.state == 'Z' || st.state == 'X' || (st.flags & HF_PF_EXITING))
		return true;
	r = hf_tid_status(tid, &status);
	return r < 0 ? hf_is_gone(r) : ((status.sig_pending | status.shared_pending) & kill) != 0;
}

/* Of a leader that has ended.  A list that misses somebody was cut short by an end: the next one will tell. */
static bool has_all_ending(const struct hf_task *leader)
{
	struct hf_buf tids __attribute__((cleanup(hf_buf_done))) = { 0 };
	bool complete, ending = true;
	size_t i;

	if (hf_split_threads(leader->tid, &tids, &complete) < 0)
		return false;
	for (i = 0; ending && i < tids.len / sizeof(pid_t); i++)
		ending = is_ending(((const pid_t *)(const void *)tids.data)[i]);
	return ending;
}

/* Poll everybody who is still ours, letting go of those who have stopped.  Returns how many are left. */
static size_t detach_stragglers(struct hf_hold *hold)
{
	size_t i, left = 0;

	for (i = 0; i < hold->set.n; i++) {
		if (!is_ours(&hold->set.tasks[i]))
			continue;
		if (!is_held(&hold->set.tasks[i]))
			hf_poll_task(hold, i);
		hf_release_one(hold, i);
		/* A dead leader cannot be detached, and waits for its threads, not for us. */
		left += is_ours(&hold->set.tasks[i]) && hold->set.tasks[i].state != HF_TASK_DEAD_LEADER;
	}
	return left;
}

/*
 * Where the threads of a dead leader are ending, too, it is for us to reap it, or its parent is not told.  They do not take
 * long, but for one who sleeps uninterruptibly.
 */
#define ENDING_MS 1000

static void reap_dead_leaders(struct hf_hold *hold, struct hf_deadline deadline)
{
	struct hf_nap nap = HF_NAP_INIT;
	bool ending;
	size_t i;

	deadline = hf_deadline_within_ms(deadline, ENDING_MS);
	do {
		ending = false;
		for (i = 0; i < hold->set.n; i++) {
			if (hold->set.tasks[i].state == HF_TASK_DEAD_LEADER && !hf_poll_task(hold, i))
				ending |= has_all_ending(&hold->set.tasks[i]);
		}
	} while (ending && hf_nap(&nap, deadline));
}

/* An armed thread can be detached only when it has stopped: a vfork parent, once its child is through. */
size_t hf_release_stragglers(struct hf_hold *hold, struct hf_deadline deadline)
{
	struct hf_nap nap = HF_NAP_INIT;
	size_t left;

	while ((left = detach_stragglers(hold)) > 0 && hf_nap(&nap, deadline))
		;
	return left;
}

static int put_back(struct hf_hold *hold, struct hf_error *err)
{
	int r = hf_freezer_restore(&hold->freezer);

	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_RELEASE, 0,
			       "cannot put the freezer of cgroup %s back to %s: %s", hold->freezer.path,
			       hold->freezer.levels[0].self_found ? "frozen" : "thawed", strerror(-r));
	hold->frozen = false;
	hf_journal_settle(hold->guard.journal.page);
	return 0;
}

/* ---- As found ------------------------------------------------------------------------------------ */

static bool anybody_held(const struct hf_hold *hold)
{
	size_t i;

	for (i = 0; i < hold->set.n; i++)
		if (is_held(&hold->set.tasks[i]))
			return true;
	return false;
}

/*
 * Children that were found frozen are frozen first (v1: they had to be thawed), then the whole
 * target, whatever it was found as.  A thread that cannot freeze now only costs the common start.
 */
static void freeze_again(struct hf_hold *hold, struct hf_deadline deadline)
{
	struct hf_error ignored;

	if (!hf_hold_can_freeze(hold))
		return;
	hf_freezer_freeze_found(&hold->freezer);
	/* What somebody else has set since is theirs; what could not freeze before will not now. */
	if (hold->freezer.levels[0].theirs || hold->part)
		return;
	hf_freeze(&hold->freezer, true, hf_deadline_within_ms(deadline, REFREEZE_MS), &ignored);
}

static int release_as_found(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	if (anybody_held(hold))
		freeze_again(hold, deadline);
	detach_held(hold);
	return put_back(hold, err);
}

/* ---- Frozen --------------------------------------------------------------------------------------- */

/*
 * As found, but that the freezer stays on: who is let go goes on into the freeze without an instruction.  Should that
 * not come about, nobody is let go.
 */
static int release_frozen(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	int r;

	if (hold->freezer.levels[0].theirs && !hold->freezer.levels[0].self_now)
		return hf_fail(err, EBUSY, HF_STAGE_RELEASE, 0,
			       "somebody else has thawed cgroup %s during the hold; everybody is still held",
			       hold->freezer.path);
	hf_freezer_freeze_found(&hold->freezer);
	r = hf_freeze(&hold->freezer, hold->part, deadline, err);
	if (r < 0) {
		hf_freezer_restore(&hold->freezer);
		return r;
	}
	hold->frozen = true;
	detach_held(hold);
	hf_journal_settle(hold->guard.journal.page);
	return 0;
}

/* ---- To stopped ------------------------------------------------------------------------------------ */

#define SIGNAL_BIT(sig) (1ull << ((sig) - 1))

/*
 * A process that was found stopped stays so without a signal, unless SIGCONT came meanwhile: it is
 * pending then, since a traced process does not drop it.  A SIGSTOP takes it off the queue.
 */
static bool needs_signal(const struct hf_task *t)
{
	struct hf_status st;

	if (t->state != HF_TASK_HELD_STOPPED)
		return true;
	return hf_tid_status(t->tid, &st) == 0 &&
	       ((st.shared_pending | st.sig_pending) & SIGNAL_BIT(SIGCONT)) != 0;
}

/*
 * Of each process one thread is marked, a held one where there is one.  SIGSTOP is sent while all are held, and stays
 * pending until a thread is let go.  A process whose threads are all armed takes it when it can.
 */
static int signal_processes(struct hf_hold *hold, struct hf_task_set *seen, struct hf_error *err)
{
	int first = 0, r, pass;
	size_t i;

	/* Held threads first: they stand for their process. */
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < hold->set.n; i++) {
			struct hf_task *t = &hold->set.tasks[i];

			if (pass == 0)
				t->mark = 0;
			if ((pass == 0 ? !is_held(t) : !is_ours(t)) || hf_task_set_find(seen, t->tgid))
				continue;
			hf_task_set_add(seen, t->tgid);
			t->mark = is_held(t);
			r = needs_signal(t) ? hf_sys_kill(t->tgid, SIGSTOP) : 0;
			if (r == 0 || r == -ESRCH || first < 0)
				continue;
			first = hf_fail(err, -r, HF_STAGE_RELEASE, t->tid,
					"cannot send SIGSTOP to process %d: %s", t->tgid, strerror(-r));
		}
	return first;
}

static bool is_stopped_or_gone(pid_t tid)
{
	struct hf_stat st;

	return hf_tid_stat(tid, &st) < 0 || st.state == 'T' || st.state == 'Z' || st.state == 'X';
}

/* Wait for the stop of those who have been let go: of the marked ones, or of all. */
static int await_stops(struct hf_hold *hold, bool all, struct hf_deadline deadline,
		       struct hf_error *err)
{
	char text[400];
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		const struct hf_task *t = &hold->set.tasks[i];
		struct hf_nap nap = HF_NAP_INIT;

		if ((!all && !t->mark) || t->state != HF_TASK_RELEASED)
			continue;
		while (!is_stopped_or_gone(t->tid)) {
			if (hf_nap(&nap, deadline))
				continue;
			hf_explain_stuck(t->tid, text, sizeof(text));
			return hf_fail(err, ETIMEDOUT, HF_STAGE_RELEASE, t->tid,
				       "SIGSTOP was sent, but not stopped by the deadline: %s", text);
		}
	}
	return 0;
}

/*
 * Not one instruction may run, and afterwards it must look like kill -STOP.  The marked thread of each
 * process is let go alone: it takes the SIGSTOP before it returns to user mode, and thereby asks all others
 * of its group to stop.  Once it shows the stop they have been asked, and detached they go straight into it.
 */
static int stop_marked_first(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	size_t i;

	for (i = 0; i < hold->set.n; i++)
		if (hold->set.tasks[i].mark)
			hf_release_one(hold, i);
	return await_stops(hold, false, deadline, err);
}

/* A thread that stays frozen, by an ancestor or by somebody's new setting, stops when it is thawed. */
static bool stays_frozen(const struct hf_freezer *f)
{
	enum hf_freezer_state state;

	return f->n_levels && hf_freezer_state(f, &state) == 0 && state != HF_FREEZER_THAWED;
}

static int release_stopped(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	struct hf_task_set seen __attribute__((cleanup(hf_task_set_done))) = { 0 };
	bool frozen;
	int r, later;

	if (hf_task_set_reserve(&seen, hold->set.n) < 0)
		return hf_fail(err, ENOMEM, HF_STAGE_RELEASE, 0, "out of memory; everybody is still held");
	/* A frozen thread does not take the SIGSTOP.  Everybody is held, so thawing lets nobody run. */
	hf_freezer_thaw_all(&hold->freezer);
	r = signal_processes(hold, &seen, err);
	frozen = stays_frozen(&hold->freezer);
	later = frozen ? 0 : stop_marked_first(hold, deadline, r == 0 ? err : NULL);
	if (r == 0)
		r = later;
	detach_held(hold);
	if (r == 0 && !frozen)
		r = await_stops(hold, true, deadline, err);
	later = put_back(hold, r == 0 ? err : NULL);
	return r == 0 ? later : r;
}

/* ---- To dead ------------------------------------------------------------------------------------------ */

static bool is_namespace_init(pid_t tgid)
{
	struct hf_status st;

	return hf_tid_status(tgid, &st) == 0 && st.n_nspid > 1 && st.nspid[st.n_nspid - 1] == 1;
}

/*
 * In which round they die: the init of a PID namespace last, for its end waits until everybody in there is reaped, which
 * is for us to do (kernel/pid_namespace.c, zap_pid_ns_processes()).
 */
enum { ROUND_OTHERS = 1, ROUND_INITS };

static void assign_rounds(struct hf_hold *hold)
{
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		struct hf_task *t = &hold->set.tasks[i];

		t->mark = !is_ours(t) ? 0 : is_namespace_init(t->tgid) ? ROUND_INITS : ROUND_OTHERS;
	}
}

/* Kill those of a round, and reap until none of them is left. */
static size_t kill_round(struct hf_hold *hold, uint8_t round, struct hf_deadline deadline)
{
	struct hf_nap nap = HF_NAP_INIT;
	size_t i, left;

	for (i = 0; i < hold->set.n; i++) {
		const struct hf_task *t = &hold->set.tasks[i];

		/* By the thread that is ours, whose number nobody else can have before we have reaped it. */
		if (is_ours(t) && t->mark == round)
			hf_sys_tgkill(t->tgid, t->tid, SIGKILL);
	}
	do {
		left = 0;
		for (i = 0; i < hold->set.n; i++)
			if (is_ours(&hold->set.tasks[i]) && hold->set.tasks[i].mark == round) {
				hf_poll_task(hold, i);
				left += is_ours(&hold->set.tasks[i]);
			}
	} while (left && hf_nap(&nap, deadline));
	return left;
}

static int release_dead(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	char text[400];
	size_t left, i;
	int r;

	/* A v1-frozen task does not die before it is thawed. */
	hf_freezer_thaw_all(&hold->freezer);
	assign_rounds(hold);
	left = kill_round(hold, ROUND_OTHERS, deadline);
	left += kill_round(hold, ROUND_INITS, deadline);
	r = put_back(hold, err);
	if (left == 0 || r < 0)
		return r;
	for (i = 0; i < hold->set.n && !is_ours(&hold->set.tasks[i]); i++)
		;
	hf_explain_stuck(hold->set.tasks[i].tid, text, sizeof(text));
	return hf_fail(err, ETIMEDOUT, HF_STAGE_RELEASE, hold->set.tasks[i].tid,
		       "%zu threads were killed but had not ended by the deadline: %s", left, text);
}

/* ---- Into a freeze -------------------------------------------------------------------------------------- */

#define AGAIN_MS 100	/* until the last of them has got a processor */
#define COUNTED_MS 10	/* from its going to sleep to its being counted are microseconds */

/* Whether a thread that was let go is yet to be woken, or to go to sleep in the freeze. */
static bool is_on_its_way(const struct hf_task *t)
{
	char state;

	return hf_thread_state(t->tgid, t->tid, &state) == 0 && (state == 't' || state == 'R');
}

/*
 * Who is let go into a v2 freeze wakes up, and is frozen again before it returns to user mode; for that moment its
 * cgroup counts as unfrozen (kernel/cgroup/freezer.c, cgroup_leave_frozen()).  Nobody is to see that once we have
 * returned.  On v1 FROZEN stays.
 */
void hf_release_await_frozen(const struct hf_hold *hold, struct hf_deadline deadline)
{
	const struct hf_freezer *f = &hold->freezer;
	uint16_t level = HF_LEVEL_OUTSIDE;
	struct hf_deadline counted;
	struct hf_nap nap = HF_NAP_INIT;
	bool any = false, set = false;
	size_t i;

	deadline = hf_deadline_within_ms(deadline, AGAIN_MS);
	for (i = 0; i < hold->set.n; i++) {
		const struct hf_task *t = &hold->set.tasks[i];

		/* They were listed level by level. */
		if (t->level != level) {
			level = t->level;
			set = level != HF_LEVEL_OUTSIDE && hf_freezer_is_set(f, level);
		}
		if (!set || t->state != HF_TASK_RELEASED)
			continue;
		any = true;
		while (is_on_its_way(t))
			if (!hf_nap(&nap, deadline))
				return;
		if (hf_deadline_left_ns(deadline) == 0)
			return;
	}
	/* Kernel threads are never counted (before Linux 6.12.2). */
	counted = hf_deadline_within_ms(deadline, COUNTED_MS);
	while (any && hf_freezer_is_freezing(f) && hf_nap(&nap, counted))
		;
}

/* ---- All ---------------------------------------------------------------------------------------------- */

int hf_release_all(struct hf_hold *hold, enum hf_release how, bool leave_armed,
		   struct hf_deadline deadline, struct hf_error *err)
{
	size_t left;
	int r = 0;

	/* From now on a death is one while letting go. */
	hf_guard_on_death(&hold->guard, HF_ON_DEATH_RESUME);
	hf_freezer_notice(&hold->freezer);
	switch (how) {
	case HF_RELEASE_AS_FOUND:
		r = release_as_found(hold, deadline, err);
		break;
	case HF_RELEASE_STOPPED:
		r = release_stopped(hold, deadline, err);
		break;
	case HF_RELEASE_DEAD:
		r = release_dead(hold, deadline, err);
		break;
	case HF_RELEASE_FROZEN:
		r = release_frozen(hold, deadline, err);
		if (r < 0)
			return r;
		break;
	}
	hold->release_ns = hf_clock_ns();
	/* Who is still frozen, because of a failure, would be waited for in vain. */
	left = leave_armed || r < 0 ? detach_stragglers(hold) : hf_release_stragglers(hold, deadline);
	if (r >= 0)
		reap_dead_leaders(hold, deadline);
	/* Beside one who sleeps uninterruptibly the others do not count either. */
	if (r == 0 && left == 0 && hold->freezer.version == 2)
		hf_release_await_frozen(hold, deadline);
	return r < 0 ? r : (int)left;
}
