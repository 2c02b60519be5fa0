/* SPDX-License-Identifier: MIT */
/*
 * signal - send a signal to every process of a target, once to each, while none of them can run: so none escapes
 * by forking.
 *
 *	a cgroup	look, guard, freeze, signal until a pass over the lists has met nobody new
 *			KILL on v2	they die frozen; then the settings are put back
 *			KILL on v1	a frozen task does not die: thawed for it, before it could run an instruction
 *			others		put back as found: all take the signal as they start
 *	all else	a hold is taken; released to dead, or as found
 *
 * Only KILL is waited for, until everybody has ended; a zombie has.
 *
 * Nobody is traced in a cgroup, so who is traced by somebody else, and who may not be traced, can be signalled there.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "err.h"
#include "explain.h"
#include "hold_state.h"
#include "own.h"
#include "procfs.h"
#include "split.h"
#include "sys.h"

/* A list has a 0 for who is in another PID namespace, and for who is just dying: the dying go away. */
#define STRANGERS_AFTER 50

/* One signal to one target. */
struct volley {
	struct hf_hold *hold;		/* of which nobody is held: target, freezer, guard */
	int sig;
	int kill_fd;			/* cgroup.kill, where that can be used; or -1 */
	bool fire;			/* passes signal whom they meet; else they look whether they may */
	bool fresh;			/* the last pass has met somebody new, or missed somebody */
	bool strangers;
	/*
	 * By pid.  LISTED: to be signalled; ASKED: has been, by its pidfd; SKIPPED: could not be; GONE: has ended.  mark:
	 * it counts as signalled.
	 */
	struct hf_task_set processes;
	uint64_t *start_times;		/* of those, in ticks */
	size_t cap_start_times;
	struct hf_error first;		/* of those who could not be signalled */
	size_t failed;
};

static const char *signal_name(int sig, char buf[32])
{
	return hf_signal_name(sig, buf, 32);
}

/* ---- One process --------------------------------------------------------------------------------- */

static int refuse(const struct volley *v, pid_t pid, int code, struct hf_error *err)
{
	char who[128], buf[32];
	struct hf_status st;

	hf_explain_who(pid, who, sizeof(who));
	if (code == EPERM && hf_tid_status(pid, &st) == 0 && st.uid != getuid() && st.uid != geteuid())
		return hf_fail(err, EPERM, HF_STAGE_HOLD, pid,
			       "process %s may not be sent %s: it runs as uid %u and we as uid %u without CAP_KILL; run as root or as that user",
			       who, signal_name(v->sig, buf), st.uid, geteuid());
	if (code == EAGAIN)
		return hf_fail(err, EAGAIN, HF_STAGE_HOLD, pid,
			       "process %s cannot be sent %s: as many signals are queued as RLIMIT_SIGPENDING allows its user",
			       who, signal_name(v->sig, buf));
	return hf_fail(err, code, HF_STAGE_HOLD, pid, "process %s cannot be sent %s: %s", who,
		       signal_name(v->sig, buf), strerror(code));
}

/*
 * The pid was read from a list, and may be another's by now.  What the pidfd stands for keeps that pid until it has
 * been reaped; so if the thread is seen to be of that process and in the target now, and the pidfd can be signalled
 * afterwards, it was this process all the while.
 */
static bool is_still_inside(const struct volley *v, pid_t pid, pid_t tid)
{
	struct hf_status st;

	return hf_tid_status(tid, &st) == 0 && st.tgid == pid && hf_roster_has(v->hold, tid);
}

enum shot {
	SHOT_GONE = 0,		/* it has ended */
	SHOT_DONE,		/* it has got the signal */
	SHOT_UNPROVEN,		/* this thread has ended, or has left the target; another may prove the process's pid */
};

/* An enum shot, or the refusal. */
static int signal_one(const struct volley *v, pid_t pid, pid_t tid, int sig, struct hf_error *err)
{
	hf_owned_fd fd = hf_sys_pidfd_open(pid);
	int r = fd;

	if (fd >= 0 && !is_still_inside(v, pid, tid))
		return SHOT_UNPROVEN;
	if (fd >= 0)
		r = hf_sys_pidfd_signal(fd, sig);
	if (r == -ESRCH)
		return SHOT_GONE;
	return r < 0 ? refuse(v, pid, -r, err) : SHOT_DONE;
}

static struct hf_task *add_process(struct volley *v, pid_t pid, uint64_t start_time)
{
	struct hf_task *p;

	if (v->processes.n == v->cap_start_times) {
		size_t cap = v->cap_start_times ? v->cap_start_times * 2 : 64;
		uint64_t *times = reallocarray(v->start_times, cap, sizeof(*times));

		if (!times)
			return NULL;
		v->start_times = times;
		v->cap_start_times = cap;
	}
	p = hf_task_set_add(&v->processes, pid);
	if (p)
		v->start_times[v->processes.n - 1] = start_time;
	return p;
}

/*
 * Somebody who has not got it yet, or was killed with all others and has not ended so far (kill_at_once()).  One
 * who cannot be signalled keeps nobody else from it.
 */
static void fire_at(struct volley *v, struct hf_task *p, pid_t tid)
{
	struct hf_error err = HF_ERROR_INIT;
	int r = signal_one(v, p->tid, tid, v->sig, &err);

	if (r == SHOT_UNPROVEN) {
		v->fresh = true;
		return;
	}
	p->state = r == SHOT_GONE ? HF_TASK_GONE : HF_TASK_ASKED;
	if (r >= 0 || p->mark) {
		p->mark |= r == SHOT_DONE;
		return;
	}
	p->state = HF_TASK_SKIPPED;
	if (v->failed++ == 0)
		v->first = err;
}

/* Meet a listed thread: its process counts, once. */
static int meet(struct hf_hold *hold, pid_t tid, uint16_t level, void *data, struct hf_error *err)
{
	struct volley *v = data;
	struct hf_task *p;
	struct hf_status st;
	struct hf_stat stat;
	int r;

	(void)hold;
	(void)level;
	v->strangers |= tid == 0;
	if (tid == 0)
		return 0;
	r = hf_tid_status(tid, &st);
	/* A thread that lives shorter than a look at it may be all that is seen of its process. */
	v->fresh |= hf_is_gone(r);
	if (r < 0 || st.state == 'Z' || st.state == 'X')
		return 0;
	p = hf_task_set_find(&v->processes, st.tgid);
	if (!p) {
		if (hf_tid_stat(st.tgid, &stat) < 0 || (stat.flags & HF_PF_KTHREAD))
			return 0;
		p = add_process(v, st.tgid, stat.start_time_ticks);
		if (!p)
			return hf_fail(err, ENOMEM, HF_STAGE_HOLD, tid, "out of memory for process %d", st.tgid);
		v->fresh = true;
		/* SIGCONT is allowed to more than other signals are (kill(2)), and so only its own try tells. */
		if (!v->fire && v->kill_fd < 0 && v->sig != SIGCONT)
			r = signal_one(v, st.tgid, tid, 0, err);
		if (r < 0)
			return r;
	}
	if (v->fire && p->state == HF_TASK_LISTED)
		fire_at(v, p, tid);
	return 0;
}

static int pass(struct volley *v, struct hf_error *err)
{
	struct hf_roster_pass one = { .fn = meet, .data = v, .stage = HF_STAGE_HOLD };
	int r;

	v->fresh = v->strangers = false;
	r = hf_roster_each(v->hold, &one, err);
	v->fresh |= one.unsure;
	return r;
}

/* ---- Everybody in a cgroup ----------------------------------------------------------------------- */

static bool anybody(const struct volley *v)
{
	return hf_task_set_any(&v->processes, HF_TASK_LISTED);
}

/* Who is there, and may we?  Nothing is changed. */
static int look(struct volley *v, struct hf_deadline deadline, struct hf_error *err)
{
	const struct hf_freezer *f = &v->hold->freezer;
	struct hf_nap nap = HF_NAP_INIT;
	char ancestor[4096];
	unsigned int tries = 0;
	int r = hf_freezer_refuse_ourselves(&v->hold->freezer, NULL, err);

	if (r == 0 && f->version == 1 && v->sig == SIGKILL &&
	    hf_freezer_frozen_ancestor(f, ancestor, sizeof(ancestor)))
		return hf_fail(err, EBUSY, HF_STAGE_LOOK, 0,
			       "cgroup %s is frozen by an ancestor, where nobody dies; write THAWED to %s/freezer.state first",
			       f->path, ancestor);
	do {
		if (r == 0)
			r = pass(v, err);
	} while (r == 0 && ((v->fresh && !anybody(v)) || (v->strangers && ++tries < STRANGERS_AFTER)) &&
		 hf_nap(&nap, deadline));
	/* cgroup.kill finds them all the same. */
	if (r == 0 && v->strangers && v->kill_fd < 0)
		return hf_fail(err, EXDEV, HF_STAGE_LOOK, 0,
			       "cgroup %s has processes outside our PID namespace, which have no id here; signal it from outside",
			       f->path);
	if (r == 0 && !anybody(v) && !v->strangers)
		return hf_fail(err, ESRCH, HF_STAGE_LOOK, 0, "cgroup %s is empty: nobody to signal", f->path);
	return r;
}

/*
 * v2 kills all of a cgroup in one write since Linux 5.14, those in other PID namespaces included, but not in a
 * threaded cgroup; nor, anywhere, a process whose first thread has ended: the signal is sent to that one (measured,
 * Linux 6.18; kernel/cgroup/cgroup.c, __cgroup_kill()).  Who is still there later is killed by its pidfd, too.
 */
static bool kill_at_once(struct volley *v)
{
	size_t i;

	if (v->kill_fd < 0 || hf_write_fd(v->kill_fd, "1") < 0)
		return false;
	for (i = 0; i < v->processes.n; i++)
		v->processes.tasks[i].mark = 1;
	return true;
}

/* They are frozen, but somebody may be moved in, and who sleeps uninterruptibly may be on the way to a fork. */
static int meet_everybody(struct volley *v, struct hf_deadline deadline, struct hf_error *err)
{
	unsigned int passes = 1;
	int r;

	for (; (r = pass(v, err)) == 0 && v->fresh; passes++)
		if (hf_deadline_passed(deadline))
			return hf_fail(err, ETIMEDOUT, HF_STAGE_HOLD, 0, passes == 1 ?
				       "the deadline came before a look whether there are others in %s" :
				       "new processes kept appearing in %s until the deadline", v->hold->roster.name);
	return r;
}

static int signal_everybody(struct volley *v, struct hf_deadline deadline, struct hf_error *err)
{
	v->fire = true;
	return meet_everybody(v, deadline, err);
}

/* ---- Waiting for the end ------------------------------------------------------------------------- */

/* A thread of the process that has not ended, one that sleeps uninterruptibly before others; 0 when all have. */
static pid_t living_thread(struct volley *v, size_t i)
{
	struct hf_task *p = &v->processes.tasks[i];
	struct hf_buf *tids = &v->hold->roster.tids;
	const pid_t *ids;
	struct hf_stat st;
	pid_t found = 0;
	bool complete;
	size_t k;

	if (hf_tid_stat(p->tid, &st) < 0 || st.start_time_ticks != v->start_times[i])
		return 0;
	if (st.state != 'Z' && st.state != 'X' && st.n_threads <= 1)
		return p->tid;
	/* A dead thread that is traced keeps its dead leader from being reaped; but all of them have ended. */
	if (st.n_threads <= 1 || hf_split_threads(p->tid, tids, &complete) < 0)
		return 0;
	ids = (const pid_t *)(const void *)tids->data;
	for (k = 0; k < tids->len / sizeof(pid_t); k++) {
		if (hf_tid_stat(ids[k], &st) < 0 || st.state == 'Z' || st.state == 'X')
			continue;
		if (st.state == 'D')
			return ids[k];
		found = ids[k];
	}
	return found;
}

/* How many live; the first of them into tids. */
static size_t count_living(struct volley *v, pid_t tids[HF_EXPLAIN_NAMED])
{
	size_t i, n = 0;

	for (i = 0; i < v->processes.n; i++) {
		struct hf_task *p = &v->processes.tasks[i];
		bool asked = p->state == HF_TASK_LISTED || p->state == HF_TASK_ASKED;
		pid_t tid = asked ? living_thread(v, i) : 0;

		if (tid == 0 && asked)
			p->state = HF_TASK_GONE;
		if (tid && n < HF_EXPLAIN_NAMED)
			tids[n] = tid;
		n += tid != 0;
	}
	return n;
}

static int await_deaths(struct volley *v, struct hf_deadline deadline, struct hf_error *err)
{
	pid_t tids[HF_EXPLAIN_NAMED] = { 0 };
	struct hf_nap nap = HF_NAP_INIT;
	char text[400];
	size_t left;
	int r;

	do {
		/* Whoever comes meanwhile dies, too. */
		r = pass(v, err);
		if (r < 0)
			return r;
		left = count_living(v, tids);
		if (left == 0 && !v->fresh && !v->strangers)
			return 0;
	} while (hf_nap(&nap, deadline));
	hf_explain_all_stuck(tids, left, text, sizeof(text));
	return hf_fail(err, ETIMEDOUT, HF_STAGE_HOLD, tids[0],
		       "%zu of %zu processes were killed but had not ended by the deadline: %s", left, v->processes.n,
		       left ? text : "they are outside our PID namespace");
}

static int kill_everybody(struct volley *v, struct hf_deadline deadline, struct hf_error *err)
{
	/* The count is of those who are there now, when nobody can come or go by itself. */
	int r = v->kill_fd >= 0 ? meet_everybody(v, deadline, err) : 0;

	if (r == 0 && kill_at_once(v))
		v->fire = true;
	else if (r == 0)
		r = signal_everybody(v, deadline, err);
	if (r == 0 && v->hold->freezer.version == 1)
		r = hf_freezer_thaw_all(&v->hold->freezer);
	return r < 0 ? r : await_deaths(v, deadline, err);
}

/* ---- A cgroup ------------------------------------------------------------------------------------ */

static size_t count_signalled(const struct volley *v)
{
	size_t i, n = 0;

	for (i = 0; i < v->processes.n; i++)
		n += v->processes.tasks[i].mark;
	return n;
}

static int put_back(struct volley *v, int r, struct hf_error *err)
{
	struct hf_freezer *f = &v->hold->freezer;
	int undo = hf_freezer_restore(f);

	if (undo < 0) {
		if (r == 0)
			r = hf_fail(err, -undo, HF_STAGE_THAW, 0, "%zu processes were signalled", count_signalled(v));
		hf_fail_note(err, HF_UNDO_FAILED, "the freezer of cgroup %s could not be put back as it was found: %s",
			     f->path, strerror(-undo));
		return r;
	}
	hf_journal_settle(v->hold->guard.journal.page);
	if (r < 0)
		hf_fail_note(err, HF_UNDO_DONE, "the cgroup was put back as it was found");
	return r;
}

static int signal_frozen(struct volley *v, struct hf_deadline deadline, struct hf_error *err)
{
	int r = hf_freeze(&v->hold->freezer, true, deadline, err);

	if (r >= 0)
		r = v->sig == SIGKILL ? kill_everybody(v, deadline, err) : signal_everybody(v, deadline, err);
	if (r == 0 && v->failed) {
		r = -v->first.code;
		*err = v->first;
		hf_fail_note(err, HF_UNDO_NONE, "%zu processes could not be signalled, %zu were", v->failed,
			     count_signalled(v));
	}
	return put_back(v, r, err);
}

static int signal_cgroup(struct volley *v, const char *path, struct hf_deadline deadline, struct hf_error *err)
{
	struct hf_hold *hold = v->hold;
	int r = hf_take_open_cgroup(hold, path, deadline, err);

	if (r == 0 && v->sig == SIGKILL && hold->freezer.version == 2 && !hold->freezer.levels[0].threaded)
		v->kill_fd = openat(hold->freezer.dirfd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (r == 0)
		r = look(v, deadline, err);
	if (r == 0)
		r = hf_guard_post(&hold->guard, &hold->freezer, hold->opts.no_guard, hold->opts.no_journal,
				  hold->opts.guard_message_fd, err);
	if (r < 0)
		return r;
	if (hold->opts.dead_man_ms)
		hf_guard_dead_man(&hold->guard, deadline.at_ns + HF_DEAD_MAN_GRACE_MS * 1000000ull);
	return signal_frozen(v, deadline, err);
}

/* ---- Anything else ------------------------------------------------------------------------------- */

/* Held as they are, nobody can take their pids. */
static void signal_held(struct volley *v)
{
	const struct hf_task_set *set = &v->hold->set;
	struct hf_task *p;
	size_t i;

	for (i = 0; i < set->n; i++) {
		const struct hf_task *t = &set->tasks[i];

		p = hf_task_set_find(&v->processes, t->tgid);
		if (!hf_task_is_ours((enum hf_task_state)t->state) || (p && p->state != HF_TASK_LISTED))
			continue;
		if (!p)
			p = hf_task_set_add(&v->processes, t->tgid);
		if (p && v->sig == SIGKILL)
			p->mark = 1;	/* by the release */
		else if (p)
			fire_at(v, p, t->tid);
		else if (v->failed++ == 0)
			hf_fail(&v->first, ENOMEM, HF_STAGE_HOLD, t->tgid, "out of memory");
	}
}

static int signal_hold(struct volley *v, const struct hf_target *target, struct hf_deadline deadline,
		       struct hf_error *err)
{
	struct hf_release_options opts = HF_RELEASE_OPTIONS_INIT;
	int r = hf_hold_take(target, &v->hold->opts, &v->hold, err);

	if (r < 0)
		return r;
	signal_held(v);
	opts.timeout_ms = (unsigned int)(hf_deadline_left_ns(deadline) / 1000000) + 1;
	opts.leave_armed = 1;	/* this thread ends */
	r = hf_hold_release(v->hold, v->sig == SIGKILL ? HF_RELEASE_DEAD : HF_RELEASE_AS_FOUND, &opts, err);
	if (r == -ETIMEDOUT && v->sig == SIGKILL) {
		/* Not undone is the wrong word for it. */
		err->undo = HF_UNDO_NONE;
		err->note[0] = '\0';
		hf_fail_note(err, HF_UNDO_DONE, "they end when they wake up; nobody is held any more");
	}
	if (r >= 0 && v->failed) {
		*err = v->first;
		hf_fail_note(err, HF_UNDO_DONE, "%zu processes could not be signalled, %zu were; everybody was released",
			     v->failed, count_signalled(v));
		r = -v->first.code;
	}
	return r < 0 ? r : 0;
}

/* ---- All ----------------------------------------------------------------------------------------- */

struct errand {
	const struct hf_target *target;
	struct volley v;
	struct hf_signalled done;
	struct hf_error err;
	int r;
};

static void *run_errand(void *arg)
{
	struct errand *e = arg;
	struct hf_deadline deadline = hf_deadline_in_ms(e->v.hold->opts.timeout_ms);
	struct hf_hold *own = e->v.hold;

	if (own->opts.cancel_fd > 0)
		deadline.cancel_fd = own->opts.cancel_fd;
	if (e->target->kind == HF_TARGET_CGROUP)
		e->r = signal_cgroup(&e->v, e->target->path, deadline, &e->err);
	else
		e->r = signal_hold(&e->v, e->target, deadline, &e->err);
	if (e->r < 0)
		e->r = hf_fail_cancelled(&e->err, deadline);
	e->done.processes = count_signalled(&e->v);
	if (e->v.hold != own) {
		e->done.skipped = hf_hold_info(e->v.hold)->skipped;
		hf_hold_free(e->v.hold);
	}
	hf_hold_discard(own);
	hf_task_set_done(&e->v.processes);
	free(e->v.start_times);
	hf_own_close(&e->v.kill_fd);
	return NULL;
}

/*
 * On a thread of its own: its end lets go of threads that sleep uninterruptibly (release.c), and the caller's has no
 * part in any ptrace tie.  No signal of the program is taken by it.
 */
static int send_on_errand(struct errand *e)
{
	sigset_t all, before;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, NULL, run_errand, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		hf_hold_discard(e->v.hold);
		return hf_fail(&e->err, r, HF_STAGE_NONE, 0, "cannot start a thread: %s", strerror(r));
	}
	pthread_join(thread, NULL);
	return e->r;
}

/* What the signal is sent to, and with which options; an empty hold carries both. */
static int prepare(struct errand *e, const struct hf_target *target, int sig, const struct hf_take_options *opts)
{
	struct hf_hold *hold = e->v.hold;
	int r = hf_take_options_copy(&hold->opts, opts, &e->err);

	if (r == 0 && (sig < 1 || sig > SIGRTMAX))
		r = hf_fail(&e->err, EINVAL, HF_STAGE_NONE, 0, "%d is no signal", sig);
	if (r == 0 && hold->opts.on_death != HF_ON_DEATH_RESUME)
		r = hf_fail(&e->err, EINVAL, HF_STAGE_NONE, 0, "on_death is for a hold, and this is none");
	hold->opts.on_armed = HF_ON_ARMED_ACCEPT;	/* a signal waits for them to wake up */
	return r == 0 && target->kind == HF_TARGET_CGROUP ? hf_roster_init(&hold->roster, target, &e->err) : r;
}

HF_API int hf_target_signal(const struct hf_target *target, int sig, const struct hf_take_options *opts,
			    struct hf_signalled *ret, struct hf_error *err)
{
	HF_UNCANCELLED;
	struct errand e = { .v = { .sig = sig, .kill_fd = -1 } };
	struct hf_target own;
	int r = target ? hf_target_copy(&own, target, err) :
			 hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no target was named");

	if (r < 0)
		return r;
	e.target = &own;
	e.v.hold = hf_hold_alloc();
	if (!e.v.hold)
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	r = prepare(&e, &own, sig, opts);
	if (r == 0)
		r = send_on_errand(&e);
	else
		hf_hold_discard(e.v.hold);
	if (r < 0 && err)
		*err = e.err;
	if (r == 0 && ret)
		*ret = e.done;
	return r;
}
