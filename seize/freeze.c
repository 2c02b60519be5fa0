/* SPDX-License-Identifier: MIT */
/*
 * freeze - freeze a target and wait for it, finding out meanwhile who is in the way; put settings
 * back.  No ptrace here.
 *
 * Whoever asks CRIU's reviewer's question how many attempts there should be: none are counted.  There is one
 * deadline, and a known cause for each way in which freezing can last.
 */
#include "hold_state.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cgroupfs.h"
#include "err.h"
#include "explain.h"
#include "procfs.h"

#define ACCEPT_AFTER_NS 100000000u
#define LOOK_AFTER_NS 2000000u
/* How long to look, past the deadline, for those whom the error names. */
#define NAME_WITHIN_MS 100

/* Members that are not frozen although they were asked to. */
struct in_way {
	pid_t named[HF_EXPLAIN_NAMED];
	size_t n, n_sleepers, n_kthreads;
	pid_t exec;		/* one in a multi-threaded exec; 0 when there is none */
};

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/*
 * v2 leaves the state letter alone and puts tasks to sleep in get_signal() (do_freezer_trap() where it
 * is not inlined); stopped, traced and vfork-waiting ones count as frozen where they are.  v1 shows
 * D for all of its own, in __refrigerator() or, since Linux 6.1, in the very sleep they were found in; so
 * a D in a sleep that can be frozen cannot be told from one that is frozen already.  Of some it is known that they cannot.
 */
static bool looks_frozen(int version, const struct hf_stat *st, const char *wchan)
{
	if (st->state == 'Z' || st->state == 'X')
		return true;
	if (version == 1)
		return st->state == 'D' && !hf_explain_is_deaf(wchan);
	return starts_with(wchan, "get_signal") || starts_with(wchan, "do_freezer_trap") ||
	       starts_with(wchan, "do_signal_stop") || starts_with(wchan, "ptrace_stop");
}

static void look_in_way(struct in_way *w, int version, pid_t tid)
{
	enum hf_sleep sleep = HF_SLEEP_NONE;
	char wchan[HF_WCHAN_MAX] = "";
	struct hf_stat st;

	if (hf_tid_stat(tid, &st) < 0)
		return;
	hf_tid_wchan(tid, wchan);
	if (st.state == 'D')
		sleep = hf_explain_sleep(tid, NULL);
	if (sleep == HF_SLEEP_EXEC)
		w->exec = tid;
	else if (sleep == HF_SLEEP_VFORK || looks_frozen(version, &st, wchan))
		return;
	if (w->n < HF_EXPLAIN_NAMED)
		w->named[w->n] = tid;
	w->n++;
	if (st.flags & HF_PF_KTHREAD)
		w->n_kthreads++;
	else if (st.state == 'D')
		w->n_sleepers++;
}

/* Whoever can be looked at until the deadline: the target may be frozen meanwhile. */
static struct in_way find_in_way(struct hf_freezer *f, struct hf_deadline deadline)
{
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	struct in_way w = { 0 };
	size_t i, pos;
	pid_t tid;

	for (i = 0; i < f->n_levels; i++) {
		if (hf_freezer_list(f, i, &text) < 0)
			continue;
		for (pos = 0; hf_id_list_next(text.data, text.len, &pos, &tid) > 0 &&
			      hf_deadline_left_ns(deadline) > 0;)
			if (tid > 0)
				look_in_way(&w, f->version, tid);
	}
	return w;
}

static int fail_in_way(struct hf_freezer *f, const struct in_way *w, struct hf_error *err)
{
	char text[512];

	hf_explain_all_stuck(w->named, w->n, text, sizeof(text));
	return hf_fail(err, ETIMEDOUT, HF_STAGE_FREEZE, w->n ? w->named[0] : 0,
		       "cgroup %s was not frozen by the deadline: %s", f->path,
		       w->n ? text : "the kernel names no thread in the way");
}

static bool is_foreign(struct hf_freezer *f)
{
	hf_freezer_notice(f);
	return f->levels[0].theirs;
}

static int fail_thawed(const struct hf_freezer *f, struct hf_error *err)
{
	return hf_fail(err, EBUSY, HF_STAGE_FREEZE, 0,
		       "somebody else thawed cgroup %s while it was being frozen; it is left as they set it",
		       f->path);
}

/* The kernel takes some 4 us a thread, and looking at one 30: it shall be worth its while. */
static uint64_t look_after(const struct hf_freezer *f)
{
	return LOOK_AFTER_NS + f->members * 10000;
}

/* Waiting until the whole target is frozen. */
struct await {
	uint64_t begun_ns, look_ns, look_after_ns;
	uint64_t sleepers_since_ns;	/* since when only uninterruptible sleepers are missing */
};

/*
 * A v1 cgroup stays FREEZING for ever when a thread in a multi-threaded exec waits for siblings
 * that were killed but sit in the refrigerator, where a SIGKILL has no effect.  Writing FROZEN again does not
 * help; thawing until that exec is through does (v2's frozen threads can die).
 */
static int let_exec_through(struct hf_freezer *f, pid_t tid, struct hf_deadline deadline)
{
	struct hf_nap nap = HF_NAP_INIT;
	int r = hf_freezer_set(f, 0, false);

	if (r < 0)
		return r;
	f->exec_thaws++;
	while (hf_explain_sleep(tid, NULL) == HF_SLEEP_EXEC && hf_nap(&nap, deadline))
		;
	return hf_freezer_set(f, 0, true);
}

/*
 * It stays so, too, when a thread was on its way into a group-stop, a ptrace-stop or a vfork wait as the
 * freezer visited it: it sleeps there, not frozen, and nothing visits it again but another write of FROZEN
 * (since Linux 6.1 such sleepers are frozen where they are; kernel/freezer.c, __set_task_frozen()).
 */
static int unstick(struct hf_freezer *f, const struct in_way *w, struct await *a,
		   struct hf_deadline deadline)
{
	if (f->version == 2)
		return 0;
	if (w->exec) {
		/* Another one may be in the way next: look again as soon as at first. */
		a->look_after_ns = look_after(f);
		return let_exec_through(f, w->exec, deadline);
	}
	return hf_freezer_freeze_again(f);
}

/* True when nothing is missing that could ever come, and that is acceptable. */
static bool enough(struct await *a, const struct in_way *w, bool accept_armed)
{
	uint64_t now = hf_clock_ns();

	/* Kernel threads are not frozen but counted as members (v2, before Linux 6.12.2). */
	if (w->n && w->n == w->n_kthreads)
		return true;
	if (!w->n || w->n != w->n_sleepers + w->n_kthreads) {
		a->sleepers_since_ns = 0;
		return false;
	}
	if (!a->sleepers_since_ns)
		a->sleepers_since_ns = now;
	return accept_armed && now - a->sleepers_since_ns >= ACCEPT_AFTER_NS;
}

/* How long the next look may be away at most: who is accepted then shall not wait for more. */
static uint64_t next_look_within(const struct await *a, bool accept_armed)
{
	uint64_t lasted = a->look_ns - a->sleepers_since_ns;

	if (!accept_armed || !a->sleepers_since_ns)
		return ACCEPT_AFTER_NS;
	return lasted < ACCEPT_AFTER_NS ? ACCEPT_AFTER_NS - lasted : 0;
}

static int await_frozen(struct hf_freezer *f, bool accept_armed, struct hf_deadline deadline,
			struct hf_error *err)
{
	struct await a = { .begun_ns = hf_clock_ns(), .look_after_ns = look_after(f) };
	struct hf_nap nap = HF_NAP_INIT;
	enum hf_freezer_state state;
	struct in_way w = { 0 };
	int r;

	a.look_ns = a.begun_ns;
	for (;;) {
		uint64_t now;

		r = hf_freezer_state(f, &state);
		if (r < 0)
			return hf_fail(err, -r, HF_STAGE_FREEZE, 0, "cannot read the state of cgroup %s: %s",
				       f->path, strerror(-r));
		if (state == HF_FREEZER_FROZEN)
			return HF_FREEZE_WHOLE;
		if (state == HF_FREEZER_THAWED && is_foreign(f))
			return fail_thawed(f, err);
		now = hf_clock_ns();
		if (now - a.look_ns >= a.look_after_ns) {
			w = find_in_way(f, deadline);
			if (enough(&a, &w, accept_armed))
				return w.n == w.n_kthreads ? HF_FREEZE_WHOLE : HF_FREEZE_PART;
			r = unstick(f, &w, &a, deadline);
			if (r < 0)
				return hf_fail(err, -r, HF_STAGE_FREEZE, w.exec,
					       "cannot freeze cgroup %s again: %s", f->path,
					       strerror(-r));
			/* Looking costs some 20 us a thread: spend no more on it than on waiting. */
			a.look_ns = hf_clock_ns();
			a.look_after_ns = a.look_after_ns * 2 + (a.look_ns - now);
			if (a.look_after_ns > next_look_within(&a, accept_armed))
				a.look_after_ns = next_look_within(&a, accept_armed);
		}
		if (!hf_freezer_pause(f, &nap, now - a.begun_ns, deadline))
			break;
	}
	w = find_in_way(f, hf_deadline_in_ms(NAME_WITHIN_MS));
	return fail_in_way(f, &w, err);
}

int hf_freeze(struct hf_freezer *f, bool accept_armed, struct hf_deadline deadline,
	      struct hf_error *err)
{
	int r = hf_freezer_set(f, 0, true);

	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_FREEZE, 0, "cannot freeze cgroup %s: %s", f->path,
			       strerror(-r));
	return await_frozen(f, accept_armed, deadline, err);
}

/*
 * Their freeze is not ours to help along: nothing is written here.  It may be of a holder who thaws a moment later,
 * and to take it for the found state would be to freeze for good what nobody meant to.
 */
static int await_settled(struct hf_freezer *f, bool accept_armed, struct hf_deadline deadline,
			 struct hf_error *err)
{
	struct await a = { .begun_ns = hf_clock_ns(), .look_after_ns = look_after(f) };
	struct hf_nap nap = HF_NAP_INIT;
	struct in_way w;
	char text[512];

	a.look_ns = a.begun_ns;
	while (hf_freezer_is_freezing(f)) {
		if (hf_clock_ns() - a.look_ns >= a.look_after_ns) {
			w = find_in_way(f, deadline);
			if (enough(&a, &w, accept_armed))
				break;
			a.look_ns = hf_clock_ns();
			a.look_after_ns = next_look_within(&a, accept_armed);
		}
		if (hf_nap(&nap, deadline))
			continue;
		w = find_in_way(f, hf_deadline_in_ms(NAME_WITHIN_MS));
		hf_explain_all_stuck(w.named, w.n, text, sizeof(text));
		return hf_fail(err, ETIMEDOUT, HF_STAGE_LOOK, w.n ? w.named[0] : 0,
			       "cgroup %s is being frozen by somebody else, and was not frozen by the deadline: %s",
			       f->path, w.n ? text : "the kernel names no thread in the way");
	}
	return 0;
}

static bool any_found_frozen(const struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		if (f->levels[i].frozen_found || f->levels[i].self_found)
			return true;
	return false;
}

/*
 * What was found is found again, also when nothing is under way any more: a freeze may have been called off since its
 * setting was read, and would be put back as if it were meant to be there.
 */
int hf_freeze_settle(struct hf_freezer *f, bool accept_armed, struct hf_deadline deadline,
		     struct hf_error *err)
{
	int r;

	if (!any_found_frozen(f))
		return 0;
	r = await_settled(f, accept_armed, deadline, err);
	if (r < 0)
		return r;
	r = hf_freezer_find_again(f);
	return r == 0 ? 0 : hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot read the levels of cgroup %s: %s",
				    f->path, strerror(-r));
}

/* ---- Putting back ----------------------------------------------------------------------------- */

/* A tenth of a second for what fails for want of memory, say: nobody must stay frozen for a moment's trouble. */
#define INSIST_MS 100

static int insist(struct hf_freezer *f, size_t level, bool frozen, struct hf_deadline deadline)
{
	struct hf_nap nap = HF_NAP_INIT;
	int r;

	do
		r = hf_freezer_set(f, level, frozen);
	while (r < 0 && hf_nap(&nap, deadline));
	return r;
}

int hf_freezer_restore(struct hf_freezer *f)
{
	struct hf_deadline deadline = hf_deadline_in_ms(INSIST_MS);
	int first = 0, r;
	size_t i;

	for (i = f->n_levels; i-- > 0;) {
		r = insist(f, i, f->levels[i].self_found, deadline);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

void hf_freezer_freeze_found(struct hf_freezer *f)
{
	struct hf_deadline deadline = hf_deadline_in_ms(INSIST_MS);
	size_t i;

	for (i = f->n_levels; i-- > 1;)
		if (f->levels[i].self_found)
			insist(f, i, true, deadline);
}

int hf_freezer_thaw_all(struct hf_freezer *f)
{
	struct hf_deadline deadline = hf_deadline_in_ms(INSIST_MS);
	int first = 0, r;
	size_t i;

	for (i = f->n_levels; i-- > 0;) {
		r = insist(f, i, false, deadline);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}
