/* SPDX-License-Identifier: MIT */
/*
 * look - look first, change nothing.  Who is in the target, how each is found, and every refusal that can be
 * foreseen: ourselves inside, an ancestor frozen, somebody else's tracee, no permission.
 */
#include "hold_state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "err.h"
#include "explain.h"
#include "kin.h"
#include "own.h"
#include "procfs.h"
#include "split.h"
#include "sys.h"

/* ---- Ourselves ----------------------------------------------------------------------------- */

int hf_freezer_refuse_ourselves(struct hf_freezer *f, const struct hf_kin *asker, struct hf_error *err)
{
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	char where[PATH_MAX + 16];
	struct hf_kin kin;
	bool split = hf_split_possible(f);
	size_t i, pos;
	pid_t tid;
	int r;

	snprintf(where, sizeof(where), "cgroup %s", f->path);
	r = hf_kin_find(&kin, asker, err);
	f->members = 0;
	for (i = 0; r == 0 && i < f->n_levels; i++) {
		if (hf_freezer_list(f, i, &text) < 0)
			continue;
		for (pos = 0; r == 0 && hf_id_list_next(text.data, text.len, &pos, &tid) > 0;
		     f->members++)
			r = hf_kin_refuse(&kin, where, split, tid, err);
	}
	return r;
}

int hf_refuse(struct hf_hold *hold, enum hf_obstacle_kind kind, int r, const struct hf_error *err)
{
	struct hf_obstacle o;

	if (r >= 0 || !hold->tell)
		return r;
	if (kind == HF_OBSTACLE_TRACED && err->by && err->by == hold->told_holder)
		return 0;
	o = (struct hf_obstacle){ kind, 1, err->tid, err->by, err->text };
	hold->tell(&o, hold->tell_data);
	hold->blocked++;
	return 0;
}

/* ---- One thread ------------------------------------------------------------------------------ */

/*
 * The path of a process's cgroup in the v1 freezer (version 1) or the v2 hierarchy, as /proc tells
 * it.  0 or -errno.
 */
static int cgroup_of(pid_t tid, int version, struct hf_buf *text, const char **ret, size_t *ret_len)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", tid);
	r = hf_read_at(AT_FDCWD, path, text);
	return r < 0 ? r : hf_proc_cgroup_find(text->data, text->len, version, ret, ret_len);
}

bool hf_look_is_inside(const struct hf_freezer *f, pid_t tid)
{
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	const char *top = f->within, *path;
	size_t len, top_len = strlen(top);

	return cgroup_of(tid, f->version, &text, &path, &len) == 0 && len >= top_len &&
	       !memcmp(path, top, top_len) && (len == top_len || path[top_len] == '/');
}

static int meet_tracer(struct hf_hold *hold, struct hf_task *t, pid_t tracer, struct hf_error *err)
{
	char who[128], by[128];
	int r;

	t->other = tracer;
	if (hold->opts.on_traced == HF_ON_TRACED_SKIP) {
		t->state = HF_TASK_SKIPPED;
		return 0;
	}
	hf_explain_who(t->tid, who, sizeof(who));
	hf_explain_who(tracer, by, sizeof(by));
	r = hf_fail(err, EBUSY, hold->changed ? HF_STAGE_SEIZE : HF_STAGE_LOOK, t->tid,
		       "thread %s is traced by %s, which is %s the target; a thread has one tracer only: end that tracing, or skip what is traced",
		       who, by, hf_roster_has(hold, tracer) ? "inside" : "outside");
	return hf_refuse(hold, HF_OBSTACLE_TRACED, hf_fail_by(err, r, tracer), err);
}

/*
 * Before anything is frozen or stopped the letter is the thread's own; but a v1 freezer shows D
 * for everybody it froze, whatever they did, and only the kernel function tells a group-stopped thread.
 */
static char found_letter(const struct hf_hold *hold, const struct hf_task *t, char letter)
{
	char wchan[HF_WCHAN_MAX];

	if (hold->freezer.version != 1 || letter != 'D' || !hf_hold_found_frozen(hold, t))
		return letter;
	return hf_tid_wchan(t->tid, wchan) == 0 && !strncmp(wchan, "do_signal_stop", 14) ? 'T' : HF_LETTER_FROZEN;
}

int hf_look_at_task(struct hf_hold *hold, struct hf_task *t, struct hf_error *err)
{
	struct hf_status st;
	int r = hf_tid_status(t->tid, &st);

	if (hf_is_gone(r)) {
		t->state = HF_TASK_GONE;
		return 0;
	}
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, t->tid, "cannot read /proc/%d/status: %s",
			       t->tid, strerror(-r));
	t->tgid = st.tgid;
	t->many = st.n_threads > 1;
	if (st.state == 'Z' || st.state == 'X') {
		t->state = HF_TASK_GONE;
		return 0;
	}
	if (!hold->first_stop_ns)
		t->found = found_letter(hold, t, st.state);
	if (!hold->opts.brief)
		hf_hold_note_comm(hold, t, st.comm);
	/* Before anybody was seized for this hold, one whom we trace is of another, or the program's own tracee. */
	if (st.tracer == hold->tracer && hold->first_stop_ns) {
		/*
		 * Born to a thread of ours and attached to us by the kernel, or under a new tid since
		 * an exec.  A stop that is on its way is not doubled by another interrupt.
		 */
		if (!hf_task_is_ours((enum hf_task_state)t->state)) {
			hf_sys_interrupt(t->tid);
			t->state = HF_TASK_ASKED;
			hf_roster_adopt(hold, t->tgid);
		}
		return 0;
	}
	return st.tracer ? meet_tracer(hold, t, st.tracer, err) : 1;
}

struct known {
	char path[PATH_MAX];
	size_t len;
	bool frozen;
};

/* What is carried from one thread to the next while everybody is looked at. */
struct census {
	pid_t last_tgid;	/* of the process that was checked last: threads are listed together */
	size_t outside;		/* members that have no id in our PID namespace */
	bool vanished;		/* somebody was listed and gone when looked at */
	struct hf_task_set known;	/* in brief: threads that need no look of their own, with their tgid */
	struct hf_buf tids;	/* not the roster's, which is walked meanwhile */
	struct hf_buf text;
	struct known v1, v2;	/* of other cgroups than the target's: the one that was asked about last */
	char v1_by[PATH_MAX];	/* what freezes v1 */
};

static void census_done(struct census *c)
{
	hf_buf_done(&c->text);
	hf_buf_done(&c->tids);
	hf_task_set_done(&c->known);
}

/* ---- The other freezer --------------------------------------------------------------------------- */

/*
 * A task can be in a cgroup of both hierarchies, and each can freeze it.  Find the one of that version; true when it is
 * another than is known already, and in known then.
 */
static bool find_other(struct census *c, pid_t tid, int version, struct known *known)
{
	const char *path = "";
	size_t len = 0;

	if (cgroup_of(tid, version, &c->text, &path, &len) < 0 || len >= sizeof(known->path))
		len = 0;
	if (len == known->len && !memcmp(path, known->path, len))
		return false;
	known->len = len;
	known->frozen = false;
	memcpy(known->path, path, len);
	known->path[len] = '\0';
	return len > 1;	/* nobody freezes a root */
}

/* By what freezes it, into *ret: the cgroup itself, or one above it. */
static bool is_frozen_by_v1(const struct known *known, char *ret, size_t cap)
{
	struct hf_freezer other __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	enum hf_freezer_state state;

	if (hf_freezer_open_within(&other, 1, known->path) < 0 || hf_freezer_find_top(&other) < 0 ||
	    hf_freezer_state(&other, &state) < 0 || state == HF_FREEZER_THAWED)
		return false;
	if (other.levels[0].self_found || !hf_freezer_frozen_ancestor(&other, ret, cap))
		snprintf(ret, cap, "%s", other.path);
	return true;
}

/* What a v1 freezer has frozen does not stop for ptrace, and to thaw that is not ours. */
static int refuse_v1_frozen(struct census *c, pid_t tid, struct hf_error *err)
{
	char who[128];

	if (find_other(c, tid, 1, &c->v1))
		c->v1.frozen = is_frozen_by_v1(&c->v1, c->v1_by, sizeof(c->v1_by));
	if (!c->v1.frozen)
		return 0;
	hf_explain_who(tid, who, sizeof(who));
	return hf_fail(err, EBUSY, HF_STAGE_LOOK, tid,
		       "thread %s is frozen by the v1 freezer as well, where nothing stops it; write THAWED to %s/freezer.state first",
		       who, c->v1_by);
}

/* That does no harm to a hold of another target; who was frozen stays so. */
static bool is_frozen_by_v2(struct census *c, pid_t tid)
{
	struct hf_freezer other __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	struct hf_cgroup_events events;
	char text[512];
	ssize_t n;

	if (!find_other(c, tid, 2, &c->v2) || hf_freezer_open_within(&other, 2, c->v2.path) < 0)
		return c->v2.frozen;
	n = hf_read_small_at(other.dirfd, "cgroup.events", text, sizeof(text));
	c->v2.frozen = n >= 0 && hf_cgroup_events_parse(text, (size_t)n, &events) == 0 && events.frozen;
	return c->v2.frozen;
}

/*
 * Opening mem asks the kernel the very question that PTRACE_SEIZE will ask (PTRACE_MODE_ATTACH;
 * proc(5)), without a side effect.  One thread stands for its process: credentials may differ
 * between threads, and then SEIZE itself finds out.
 */
static int may_trace(pid_t tid, struct hf_error *err)
{
	char path[64], who[128], why[256];
	hf_owned_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 || (errno != EACCES && errno != EPERM))
		return 0;
	hf_explain_who(tid, who, sizeof(who));
	hf_explain_eperm(tid, why, sizeof(why));
	return hf_fail(err, EPERM, HF_STAGE_LOOK, tid, "thread %s may not be traced: %s", who, why);
}

/* ---- In brief ----------------------------------------------------------------------------------- */

/*
 * A look at a thread takes longer than to stop it, and of most processes the first thread tells enough: a group-stop is
 * one of all of them, and which process a thread is of its list tells at a twentieth of the price.  What this misses is
 * met when they are seized.  Not of those who were found frozen by v1, where a group-stop shows in each thread alone.
 */
static bool stands_for_all(const struct hf_hold *hold, const struct hf_task *leader)
{
	return hold->opts.brief && !hold->tell && leader->many && leader->tid == leader->tgid &&
	       (leader->found == 'S' || leader->found == 'R') &&
	       !(hold->freezer.version == 1 && hf_hold_found_frozen(hold, leader));
}

/* Without memory, or the list, they are looked at one by one. */
static void know_threads(const struct hf_hold *hold, struct census *c, const struct hf_task *leader)
{
	/* Targets without a cgroup are listed process by process: this one's has just been read. */
	const struct hf_buf *tids = &hold->roster.tids;
	bool complete;
	size_t i;

	if (hold->roster.kind == HF_TARGET_CGROUP) {
		if (hf_split_threads(leader->tid, &c->tids, &complete) < 0)
			return;
		tids = &c->tids;
	}
	for (i = 0; i < tids->len / sizeof(pid_t); i++) {
		pid_t tid = ((const pid_t *)(const void *)tids->data)[i];
		struct hf_task *t = hf_task_set_find(&c->known, tid);

		if (!t)
			t = hf_task_set_add(&c->known, tid);
		if (t)
			t->tgid = leader->tid;
	}
}

/* Whether no more need be known of a thread than that. */
static bool is_known(const struct census *c, struct hf_task *t)
{
	const struct hf_task *known = hf_task_set_find(&c->known, t->tid);

	if (!known)
		return false;
	t->tgid = known->tgid;
	t->many = true;
	return true;
}

/* ---- Everybody --------------------------------------------------------------------------------- */

static int look_at(struct hf_hold *hold, pid_t tid, uint16_t level, void *data, struct hf_error *err)
{
	struct census *c = data;
	struct hf_stat st;
	struct hf_task *t;
	int r;

	if (tid == 0) {
		c->outside++;
		return 0;
	}
	/* Who was gone may be there again: an exec gives the number of its dead leader to the thread that made it. */
	t = hf_task_set_find(&hold->set, tid);
	if (t && t->state != HF_TASK_GONE)
		return 0;
	if (!t)
		t = hf_task_set_add(&hold->set, tid);
	if (!t)
		return hf_fail(err, ENOMEM, HF_STAGE_LOOK, tid, "out of memory for thread %d", tid);
	t->state = HF_TASK_LISTED;
	t->level = level;
	if (is_known(c, t))
		return 0;
	r = hf_look_at_task(hold, t, err);
	/* From here to the SEIZE its number may get another owner; who was looked at can be told by this. */
	if (t->tid == t->tgid && hf_tid_stat(tid, &st) == 0)
		t->start = st.start_time_ticks;
	if (t->state == HF_TASK_GONE)
		c->vanished = true;
	if (r <= 0)
		return r;
	if (stands_for_all(hold, t))
		know_threads(hold, c, t);
	if (t->tgid == c->last_tgid)
		return 0;
	c->last_tgid = t->tgid;
	t->frozen_elsewhere = hold->freezer.version != 2 && is_frozen_by_v2(c, tid);
	r = hf_refuse(hold, HF_OBSTACLE_PERMISSION, may_trace(tid, err), err);
	if (r < 0 || hold->freezer.version == 1)
		return r;
	r = refuse_v1_frozen(c, tid, err);
	t->mark = r < 0;
	return hf_refuse(hold, HF_OBSTACLE_FROZEN, r, err);
}

/* The inode number of the first PID namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h). */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCu

/* NSpid does not tell: in a /proc that was mounted inside, it begins with that namespace. */
static bool in_child_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/pid", &st) == 0 && st.st_ino != FIRST_PID_NAMESPACE;
}

static bool anybody_alive(const struct hf_task_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->tasks[i].state != HF_TASK_GONE)
			return true;
	return false;
}

static int refuse_frozen_ancestor(const struct hf_freezer *f, struct hf_error *err)
{
	char ancestor[PATH_MAX];

	/*
	 * A v1 task under a frozen ancestor does not stop for ptrace, and no write to its own cgroup
	 * helps; on v2 it stops all the same.
	 */
	if (f->version != 1 || !hf_freezer_frozen_ancestor(f, ancestor, sizeof(ancestor)))
		return 0;
	return hf_fail(err, EBUSY, HF_STAGE_LOOK, 0,
		       "cgroup %s is frozen by an ancestor; write THAWED to %s/freezer.state first",
		       f->path, ancestor);
}

static int refuse_strangers(const struct hf_hold *hold, size_t n, struct hf_error *err)
{
	return hf_fail(err, EXDEV, HF_STAGE_LOOK, 0,
		       "cgroup %s has threads outside our PID namespace (%zu), which have no id here; hold it from outside",
		       hold->freezer.path, n);
}

static int refuse_empty(const struct hf_hold *hold, struct hf_error *err)
{
	if (hold->roster.kind != HF_TARGET_CGROUP)
		return hf_fail(err, ESRCH, HF_STAGE_LOOK, 0, "nobody to hold: %s has ended, or is left out",
			       hold->roster.name);
	return hf_fail(err, ESRCH, HF_STAGE_LOOK, 0, "cgroup %s is empty: nobody to hold%s",
		       hold->freezer.path,
		       hold->freezer.version == 1 && in_child_pid_namespace() ?
		       " that we could see; a v1 cgroup does not list threads outside our PID namespace" :
		       "");
}

int hf_look(struct hf_hold *hold, struct hf_deadline deadline, struct hf_error *err)
{
	struct census c __attribute__((cleanup(census_done))) = { .last_tgid = 0 };
	struct hf_roster_pass pass = { .fn = look_at, .data = &c, .stage = HF_STAGE_LOOK };
	struct hf_nap nap = HF_NAP_INIT;
	unsigned int tries = 0;
	int r = hf_roster_begin(hold, err);

	/* What cannot be a target at all cannot be looked at either. */
	if (r == 0 || r == -EBUSY)
		r = hf_refuse(hold, HF_OBSTACLE_OURSELVES, r, err);
	if (r == 0)
		r = hf_refuse(hold, HF_OBSTACLE_FROZEN,
			      refuse_frozen_ancestor(&hold->freezer, err), err);
	/* Threads that live shorter than a look at them: there is somebody, look again. */
	do {
		c.last_tgid = 0;
		c.vanished = false;
		c.outside = 0;
		if (r == 0)
			r = hf_roster_each(hold, &pass, err);
		/* So may be who is listed as 0: v2 does so for the dying as well (see take.c). */
	} while (r == 0 && ((c.vanished && !anybody_alive(&hold->set)) || (c.outside && ++tries < 50)) &&
		 hf_nap(&nap, deadline));
	hold->info.blind = hold->freezer.version == 1 && in_child_pid_namespace();
	/* The rest of half-held processes, where it would be held. */
	if (r == 0 && hold->opts.on_outside == HF_ON_OUTSIDE_HOLD)
		r = hf_roster_outsiders(hold, &pass, err);
	if (r == 0 && c.outside)
		r = hf_refuse(hold, HF_OBSTACLE_NAMESPACE, refuse_strangers(hold, c.outside, err), err);
	else if (r == 0 && !anybody_alive(&hold->set))
		r = hf_refuse(hold, HF_OBSTACLE_EMPTY, refuse_empty(hold, err), err);
	return r;
}
