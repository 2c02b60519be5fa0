/* SPDX-License-Identifier: MIT */
/*
 * roster_family - processes and all their descendants: from each process to its threads, from each thread to its
 * children (/proc/PID/task/TID/children, CONFIG_PROC_CHILDREN).
 *
 * The list of a thread's children is exact while that thread and its children stand still, and so in the pass that
 * counts, since that one meets nobody who runs.  Before, three things can hide a process, and each has an answer:
 *
 *	its parent ended, and a reaper outside has it now	the births (births.h), or, if it was born to one
 *								of ours, the kernel has attached it to us
 *	a sibling vanished while the list was read		as many as in the pass before must be met
 *	its pid was another's a moment ago			who has been seized must be listed once more
 */
#include "roster.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "explain.h"
#include "hold_state.h"
#include "kin.h"
#include "procfs.h"

/* ---- The roots ------------------------------------------------------------------------------------ */

/* A dead leader counts itself among the threads, and others may live. */
static bool has_ended(const struct hf_stat *st)
{
	return st->state == 'X' || (st->state == 'Z' && st->n_threads <= 1);
}

static int refuse_root(pid_t pid, uint64_t *ret_start, struct hf_error *err)
{
	char who[128], parent[128];
	struct hf_status status;
	struct hf_stat stat;

	if (hf_tid_status(pid, &status) < 0 || hf_tid_stat(pid, &stat) < 0)
		return hf_fail(err, ESRCH, HF_STAGE_LOOK, pid, "there is no process %d", pid);
	hf_explain_who(pid, who, sizeof(who));
	if (status.tgid != pid)
		return hf_fail(err, EINVAL, HF_STAGE_LOOK, pid,
			       "%d (%s) is a thread, not a process; name its process, %d", pid, status.comm,
			       status.tgid);
	if (stat.flags & HF_PF_KTHREAD)
		return hf_fail(err, EINVAL, HF_STAGE_LOOK, pid,
			       "%s is a kernel thread, which nobody can hold", who);
	/* In an exec by another thread the leader dies, and its number goes to that one: at the second look it is there. */
	if (has_ended(&stat) && (hf_tid_stat(pid, &stat) < 0 || has_ended(&stat))) {
		hf_explain_who(status.ppid, parent, sizeof(parent));
		return hf_fail(err, ESRCH, HF_STAGE_LOOK, pid,
			       "process %s is a zombie: it has ended, and its parent %s has not reaped it",
			       who, parent);
	}
	*ret_start = stat.start_time_ticks;
	return 0;
}

static int refuse_without_children(struct hf_error *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", getpid(), getpid());
	if (access(path, R_OK) == 0)
		return 0;
	return hf_fail(err, ENOSYS, HF_STAGE_LOOK, 0,
		       "this kernel does not list the children of a thread (CONFIG_PROC_CHILDREN); hold a cgroup instead");
}

int hf_roster_begin_family(struct hf_hold *hold, struct hf_error *err)
{
	struct hf_roster *ro = &hold->roster;
	char where[64];
	struct hf_kin kin;
	size_t i;
	int r = hf_kin_find(&kin, hold->asker, err);

	if (r == 0)
		r = refuse_without_children(err);
	for (i = 0; r == 0 && i < ro->n_pids; i++) {
		snprintf(where, sizeof(where), "the tree of process %d", ro->pids[i]);
		r = refuse_root(ro->pids[i], &ro->start_times[i], err);
		/* Its descendants are below it as their ancestors are above: we are one, or we are not. */
		if (r == 0)
			r = hf_kin_refuse(&kin, where, false, ro->pids[i], err);
	}
	/* Before anybody is listed: whoever is born to one who is listed then, is told. */
	if (r == 0 && !hold->tell)
		hf_births_begin(&ro->births);
	return r;
}

/* ---- A pass --------------------------------------------------------------------------------------- */

static bool is_ours(const struct hf_hold *hold, pid_t tid)
{
	const struct hf_task *t = hf_task_set_find(&hold->set, tid);

	return t && hf_task_is_ours((enum hf_task_state)t->state);
}

/* Come to a process in this pass, if that has not been done.  0 or -ENOMEM. */
static int visit(struct hf_hold *hold, pid_t pid)
{
	struct hf_roster *ro = &hold->roster;
	struct hf_task *p = hf_task_set_find(&ro->processes, pid);
	struct hf_task *b = hf_task_set_find(&ro->births.born, pid);

	/* Whoever its parent was, who may have ended before anybody met him: its own children belong. */
	if (b)
		b->mark = 1;
	if (!p)
		p = hf_task_set_add(&ro->processes, pid);
	if (!p)
		return -ENOMEM;
	if (p->pass == hold->pass)
		return 0;
	p->pass = hold->pass;
	return hf_buf_add(&ro->queue, &pid, sizeof(pid));
}

/* A root is the process that was meant only as long as it is as old as that. */
static int visit_roots(struct hf_hold *hold)
{
	const struct hf_roster *ro = &hold->roster;
	struct hf_stat st;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < ro->n_pids; i++)
		if (hf_tid_stat(ro->pids[i], &st) == 0 && st.start_time_ticks == ro->start_times[i])
			r = visit(hold, ro->pids[i]);
	return r;
}

/* Who is known for good, whatever has become of the parent, while it is ours: nobody else can have its pid. */
static int visit_known(struct hf_hold *hold)
{
	const struct hf_task *p;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < hold->set.n; i++) {
		const struct hf_task *t = &hold->set.tasks[i];

		if (!hf_task_is_ours((enum hf_task_state)t->state))
			continue;
		p = hf_task_set_find(&hold->roster.processes, t->tgid);
		if (p && p->mark)
			r = visit(hold, t->tgid);
	}
	return r;
}

/* Come to in this pass or the one before: its pid has not gone round to another since. */
static bool visited_lately(const struct hf_hold *hold, const struct hf_task *p)
{
	return p && (uint16_t)(hold->pass - p->pass) <= 1;
}

/*
 * Whether a process is one of the family, as far as is known: for the births.  Who was born since we listen is what
 * he was born as, for a pid that was known before may be another's now; but one that was listed among somebody's
 * children before his birth was read belongs, even if the parent that the birth names was never met: he ended first.
 */
static bool belongs(pid_t pid, void *data)
{
	const struct hf_hold *hold = data;
	const struct hf_task *b = hf_task_set_find(&hold->roster.births.born, pid);
	const struct hf_task *p = hf_task_set_find(&hold->roster.processes, pid);

	return b ? b->mark || visited_lately(hold, p) : p != NULL;
}

/*
 * Orphans: born to one of the family.  A parent that was met only now may have children who came before; each of
 * those that turn out makes the pass unsure.
 */
static int visit_born(struct hf_hold *hold, bool *unsure)
{
	struct hf_births *births = &hold->roster.births;
	bool lost = births->lost;
	int r = hf_births_read(births, belongs, hold);
	size_t i;

	*unsure |= births->lost && !lost;

	for (i = 0; r == 0 && i < births->born.n; i++) {
		struct hf_task *b = &births->born.tasks[i];

		if (!b->mark && belongs(b->other, hold)) {
			b->mark = 1;
			*unsure = true;
		}
		if (b->mark && b->state != HF_TASK_GONE)
			r = visit(hold, b->tid);
	}
	return r;
}

static int visit_children(struct hf_hold *hold, pid_t pid, pid_t tid, struct hf_roster_pass *pass,
			  struct hf_error *err)
{
	struct hf_buf *text = &hold->roster.text;
	char path[64];
	size_t pos = 0;
	pid_t child;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
	r = hf_read_at(AT_FDCWD, path, text);
	if (hf_is_gone(r)) {
		/* One of ours goes only when it is killed; its children are known by then, or with a sibling. */
		pass->unsure |= !is_ours(hold, tid);
		return 0;
	}
	while (r == 0 && (r = hf_children_next(text->data, text->len, &pos, &child)) > 0)
		r = visit(hold, child);
	return r == 0 || r == -ENOMEM ? r :
	       hf_fail(err, -r, pass->stage, tid, "cannot read the children of thread %d: %s", tid, strerror(-r));
}

static bool any_of_ours(const struct hf_hold *hold, const pid_t *tids, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_ours(hold, tids[i]))
			return true;
	return false;
}

/* Its threads, and then their children. */
static int list_process(struct hf_hold *hold, pid_t pid, struct hf_roster_pass *pass, struct hf_error *err)
{
	struct hf_roster *ro = &hold->roster;
	struct hf_task *p, *b;
	const pid_t *tids;
	size_t i, n;
	int r = hf_roster_read_threads(hold, pid, pass, err);

	if (r < 0)
		return r;
	tids = (const pid_t *)(const void *)ro->tids.data;
	n = ro->tids.len / sizeof(pid_t);
	ro->listed += n;
	if (n == 0) {
		b = hf_task_set_find(&ro->births.born, pid);
		if (b)
			b->state = HF_TASK_GONE;
		/* Its children are told by their births, or may have been missed. */
		pass->unsure |= ro->births.fd < 0 || ro->births.lost;
	}
	/* Listed while it was ours, when no other could have its pid: from now on it belongs. */
	p = hf_task_set_find(&ro->processes, pid);
	if (p && any_of_ours(hold, tids, n))
		p->mark = 1;
	r = hf_roster_meet_threads(hold, 0, pass, err);
	for (i = 0; r == 0 && i < n; i++)
		r = visit_children(hold, pid, tids[i], pass, err);
	return r;
}

int hf_roster_each_family(struct hf_hold *hold, struct hf_roster_pass *pass, struct hf_error *err)
{
	struct hf_roster *ro = &hold->roster;
	size_t at, before = ro->listed;
	int r;

	ro->queue.len = ro->listed = 0;
	r = visit_roots(hold);
	if (r == 0)
		r = visit_known(hold);
	if (r == 0)
		r = visit_born(hold, &pass->unsure);
	/* The queue grows while it is walked. */
	for (at = 0; r == 0 && at < ro->queue.len / sizeof(pid_t); at++)
		r = list_process(hold, ((const pid_t *)(const void *)ro->queue.data)[at], pass, err);
	/* Born during the pass, to somebody who ran: the next one comes to them. */
	if (r == 0) {
		size_t met = ro->queue.len;

		r = visit_born(hold, &pass->unsure);
		pass->unsure |= ro->queue.len != met;
	}
	pass->unsure |= ro->listed != before;
	return r == -ENOMEM ? hf_fail(err, ENOMEM, pass->stage, 0, "out of memory for the family of %s",
				      ro->name) : r;
}
