/* SPDX-License-Identifier: MIT */
/*
 * facts - one process, from /proc/PID.  The directory is opened once and everything is read through
 * it: should the process be killed and its pid given to another, the directory still is that of the
 * first and reading fails with ESRCH.
 *
 * Reading must not need the target to move.  stat, status, comm and the exe link are answered by
 * the kernel alone.  In particular exe is never followed: the file may lie on a file system
 * that is served by a process we hold.
 */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "effects.h"
#include "own.h"
#include "sys.h"
#include "task.h"

#define DELETED " (deleted)"
#define FEW_THREADS 8

static bool is_dead(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

/* ---- The process ------------------------------------------------------------------------- */

static int open_face(struct hf_collector *c, pid_t pid, struct hf_face *face)
{
	char name[HF_PROC_NAME_MAX];

	snprintf(name, sizeof(name), "%d", (int)pid);
	face->fd = openat(c->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (face->fd < 0 && !hf_is_gone(-errno))
		return hf_collect_unreadable(c, -errno, pid, "");
	return 0;
}

/*
 * Of many threads the leader's own: the one of the process adds up the times of all.  Of few that costs less than the
 * longer path.  What is read of either is the same.
 */
static int read_stat(struct hf_collector *c, struct hf_process *p, struct hf_face *face, size_t n_threads)
{
	char name[HF_PROC_NAME_MAX];
	int r;

	if (face->fd < 0)
		return 0;
	if (n_threads <= FEW_THREADS)
		snprintf(name, sizeof(name), "%sstat", face->via);
	else
		snprintf(name, sizeof(name), "%stask/%d/stat", face->via, (int)p->pid);
	r = hf_stat_read(face->fd, name, &c->buf, &face->stat);
	if (hf_is_gone(r))
		return 0;
	if (r < 0)
		return hf_collect_unreadable(c, r, p->pid, "stat");
	face->has_stat = true;
	p->ppid = face->stat.ppid;
	p->pgid = face->stat.pgid;
	p->sid = face->stat.sid;
	p->start_time_ticks = face->stat.start_time_ticks;
	if (face->stat.flags & HF_PF_KTHREAD)
		p->kind = HF_KIND_KTHREAD;
	return 0;
}

static void take_credentials(struct hf_process *p, const struct hf_status *s)
{
	p->uid = s->uid;
	p->euid = s->euid;
	p->suid = s->suid;
	p->fsuid = s->fsuid;
	p->gid = s->gid;
	p->egid = s->egid;
	p->sgid = s->sgid;
	p->fsgid = s->fsgid;
}

/* The array of processes moves as it grows, so the pid of a process is not lent but copied. */
static int own_nspid(struct hf_collector *c, struct hf_process *p, const struct hf_status *s)
{
	pid_t *own = hf_arena_array(&c->tree->arena, pid_t, 1);

	if (!own)
		return hf_collect_no_memory(c);
	*own = p->pid;
	return hf_collect_nspid(c, s, own, &p->nspid, &p->n_nspid);
}

static int read_status(struct hf_collector *c, struct hf_process *p, struct hf_face *face)
{
	struct hf_status *s = &face->status;
	int r = face->fd < 0 ? -ESRCH : hf_status_read(face->fd, "status", &c->buf, s);

	if (r < 0 && !hf_is_gone(r))
		return hf_collect_unreadable(c, r, p->pid, "status");
	face->has_status = r == 0;
	if (face->has_status)
		take_credentials(p, s);
	else
		*s = (struct hf_status){ 0 };
	/* Gone, or the pid is that of a thread: then its owner may have been noted as somebody else. */
	c->regroup |= !face->has_status || s->tgid != p->pid;
	p->comm = hf_collect_keep(c, s->comm, strlen(s->comm));
	if (!p->comm)
		return hf_collect_no_memory(c);
	return own_nspid(c, p, s);
}

/* A dead leader keeps the credentials it died with; those of the process go on with the living. */
static int read_live_credentials(struct hf_collector *c, struct hf_process *p, struct hf_face *face)
{
	struct hf_status live;
	char name[HF_PROC_NAME_MAX];
	int r;

	snprintf(name, sizeof(name), "%sstatus", face->via);
	r = hf_status_read(face->fd, name, &c->buf, &live);
	if (r == 0)
		take_credentials(p, &live);
	else if (!hf_is_gone(r))
		return hf_collect_unreadable(c, r, p->pid, name);
	return 0;
}

/*
 * The kernel writes " (deleted)" behind the path of a file that has no name any more.  A file
 * whose name really ends like that looks the same; asking the file system would tell, and might wait
 * for somebody we hold.
 */
static int read_exe(struct hf_collector *c, struct hf_process *p, const struct hf_face *face)
{
	const size_t tail = sizeof(DELETED) - 1;
	char name[HF_PROC_NAME_MAX];
	size_t len;
	int r;

	snprintf(name, sizeof(name), "%sexe", face->via);
	r = hf_readlink_at(face->fd, name, &c->buf);
	if (r == -ENOMEM)
		return hf_collect_no_memory(c);
	if (r < 0)
		return 0;	/* a zombie, a kernel thread, or not for us to see */
	len = c->buf.len;
	if (len > tail && memcmp(c->buf.data + len - tail, DELETED, tail) == 0) {
		p->exe_deleted = 1;
		len -= tail;
	}
	p->exe = hf_collect_keep(c, c->buf.data, len);
	return p->exe ? 0 : hf_collect_no_memory(c);
}

/*
 * The one file that comes from the memory of the process, which may say that it is as large as its address space
 * (prctl(2), PR_SET_MM), and is read while everybody stands still: the kernel takes its mmap lock for it, and
 * waits when a thread that is armed in the middle of an mmap holds that.  (A vfork parent holds none.)
 * A program that has written over its arguments may leave them without the last NUL.
 */
static int read_cmdline(struct hf_collector *c, struct hf_process *p, const struct hf_face *face)
{
	char name[HF_PROC_NAME_MAX];
	size_t len;
	int r;

	snprintf(name, sizeof(name), "%scmdline", face->via);
	r = hf_read_head_at(face->fd, name, HF_COLLECT_MEMORY_MAX, &c->buf);
	if (r == -ENOMEM)
		return hf_collect_no_memory(c);
	if (r < 0 || c->buf.len == 0)
		return 0;
	p->cmdline_cut = r;
	len = c->buf.len;
	if (c->buf.data[len - 1] != '\0')
		len++;
	p->cmdline = hf_collect_keep(c, c->buf.data, len - 1);
	if (!p->cmdline)
		return hf_collect_no_memory(c);
	p->cmdline_len = len;
	return 0;
}

/*
 * The path that /proc/PID/cgroup gives, for a task that is in none of the target's levels.  v1 says
 * "/" for a task that has ended, wherever it was; that is not taken for an answer.
 */
static int read_cgroup(struct hf_collector *c, struct hf_process *p, const struct hf_face *face,
		       bool dead)
{
	const char *path;
	size_t len;
	int r = hf_read_at(face->fd, "cgroup", &c->buf);

	if (r == -ENOMEM)
		return hf_collect_no_memory(c);
	if (r < 0 || (dead && c->version != 2))
		return 0;
	/* Where the target is no cgroup: the v2 hierarchy, or the v1 freezer where that is all there is. */
	if (hf_proc_cgroup_find(c->buf.data, c->buf.len, c->version ? c->version : 2, &path, &len) < 0 &&
	    (c->version || hf_proc_cgroup_find(c->buf.data, c->buf.len, 1, &path, &len) < 0))
		return 0;
	p->cgroup = hf_collect_keep(c, path, len);
	return p->cgroup ? 0 : hf_collect_no_memory(c);
}

static void take_level(struct hf_collector *c, struct hf_process *p, const struct hf_members *m)
{
	size_t i;

	/* The leader's, or where that is outside or dead the first that is inside. */
	for (i = 0; i < m->n && !p->cgroup; i++)
		if (m->tasks[i]->level < c->n_levels)
			p->cgroup = c->levels[m->tasks[i]->level];
}

/* ---- How it was found -------------------------------------------------------------------- */

/* A live thread of a process whose leader has ended; NULL when the leader lives or all are dead. */
static const struct hf_task *survivor(const struct hf_process *p, const struct hf_face *face,
				      const struct hf_members *m)
{
	size_t i;

	if (!face->has_stat || !is_dead(face->stat.state) || m->tasks[0]->tid == p->pid)
		return NULL;
	for (i = 0; i < m->n; i++)
		if (m->tasks[i]->state != HF_TASK_DIED)
			return m->tasks[i];
	return NULL;
}

/*
 * A stop is one of the whole process, so one thread that tells of it is enough; the signal is known
 * from a thread that was seized in the stop.  In HELD_SIGNAL, `signal` is the one to give back.
 */
static bool found_stopped(const struct hf_members *m, int *ret_signal)
{
	bool stopped = false;
	size_t i;

	*ret_signal = 0;
	for (i = 0; i < m->n; i++) {
		const struct hf_task *task = m->tasks[i];

		if (task->state != HF_TASK_HELD_STOPPED && task->found != 'T')
			continue;
		stopped = true;
		if (!*ret_signal && task->state != HF_TASK_HELD_SIGNAL)
			*ret_signal = task->signal;
	}
	return stopped;
}

static const struct hf_task *first_skipped(const struct hf_members *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->tasks[i]->state == HF_TASK_SKIPPED)
			return m->tasks[i];
	return NULL;
}

static bool found_frozen(const struct hf_collector *c, const struct hf_members *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->tasks[i]->frozen_elsewhere ||
		    (m->tasks[i]->level < c->n_levels &&
		     hf_hold_level_found_frozen(c->hold, m->tasks[i]->level)))
			return true;
	return false;
}

/* The strongest word wins. */
static void judge(const struct hf_collector *c, struct hf_process *p, const struct hf_face *face,
		  const struct hf_members *m, bool dead_leader)
{
	const struct hf_task *skipped = first_skipped(m);
	int sig;

	if (dead_leader) {
		p->found = HF_FOUND_DEAD_LEADER;
	} else if (skipped) {
		p->found = HF_FOUND_TRACED;
		p->tracer = skipped->other ? skipped->other : face->status.tracer;
	} else if (found_stopped(m, &sig)) {
		p->found = HF_FOUND_STOPPED;
		p->stop_signal = sig;
	} else if (found_frozen(c, m)) {
		p->found = HF_FOUND_FROZEN;
	} else {
		p->found = HF_FOUND_RUNNING;
	}
}

static bool any_deep_sleeper(const struct hf_members *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->tasks[i]->state == HF_TASK_ARMED && !m->tasks[i]->vfork)
			return true;
	return false;
}

/* Another than the one that was looked at before the hold: how that one was found does not count. */
static bool is_another(const struct hf_members *m, const struct hf_face *face)
{
	return m->tasks[0]->start && face->has_stat && face->stat.start_time_ticks != m->tasks[0]->start;
}

/* Every thread of it is held, its leader among them. */
static bool is_ordinary(const struct hf_members *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (!hf_task_is_held((enum hf_task_state)m->tasks[i]->state))
			return false;
	return m->tasks[0]->tid == m->tasks[0]->tgid;
}

/*
 * Two files instead of four, by their paths: held as all of it is, its pid is nobody else's, and there is no need for a
 * descriptor that pins it.  1, or 0 when it is not so ordinary after all, or a negative errno and c->err.
 */
static int facts_in_brief(struct hf_collector *c, struct hf_process *p, const struct hf_members *m)
{
	static const struct hf_status one_id = { .n_nspid = 1 };
	struct hf_face face = { .fd = c->proc_fd, .brief = true };
	int r;

	snprintf(face.via, sizeof(face.via), "%d/", (int)p->pid);
	r = read_stat(c, p, &face, m->n);
	if (r < 0 || !face.has_stat || is_dead(face.stat.state))
		return r;
	/* The pid may be that of a thread by now: then its owner was noted as somebody else. */
	c->regroup |= is_another(m, &face) || hf_sys_tgkill(p->pid, p->pid, 0) == -ESRCH;
	take_level(c, p, m);
	p->comm = hf_collect_keep(c, face.stat.comm, strlen(face.stat.comm));
	if (!p->comm)
		return hf_collect_no_memory(c);
	r = own_nspid(c, p, &one_id);
	if (r == 0)
		r = read_cmdline(c, p, &face);
	if (r == 0)
		r = hf_facts_of_threads(c, p, &face, m, false);
	if (r < 0)
		return r;
	judge(c, p, &face, m, false);
	return 1;
}

int hf_facts_of_process(struct hf_collector *c, struct hf_process *p, const struct hf_members *m)
{
	struct hf_face face = { .fd = -1 };
	hf_owned_fd fd = -1;
	const struct hf_task *live;
	int r;

	p->kind = HF_KIND_PROCESS;
	p->cmdline = "";
	r = c->brief && is_ordinary(m) ? facts_in_brief(c, p, m) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	r = open_face(c, p->pid, &face);
	fd = face.fd;
	if (r == 0)
		r = read_stat(c, p, &face, m->n);
	c->regroup |= is_another(m, &face);
	if (r == 0)
		r = read_status(c, p, &face);
	if (r < 0)
		return r;
	live = survivor(p, &face, m);
	if (live) {
		snprintf(face.via, sizeof(face.via), "task/%d/", (int)live->tid);
		r = read_live_credentials(c, p, &face);
	}
	take_level(c, p, m);
	if (r == 0 && fd >= 0) {
		r = read_exe(c, p, &face);
		/* It takes the lock of the memory map, which who sleeps in the kernel may hold. */
		if (r == 0 && !any_deep_sleeper(m))
			r = read_cmdline(c, p, &face);
		if (r == 0 && !p->cgroup)
			r = read_cgroup(c, p, &face, false);
	}
	if (r == 0)
		r = hf_facts_of_threads(c, p, &face, m, live != NULL);
	if (r == 0 && c->effects && fd >= 0)
		r = hf_effects_of_process(c, p, &face, !any_deep_sleeper(m));
	if (r < 0)
		return r;
	judge(c, p, &face, m, live != NULL);
	return 0;
}

/* ---- Zombies ----------------------------------------------------------------------------- */

static bool is_in_target(const struct hf_collector *c, const char *path)
{
	size_t len = c->target ? strlen(c->target) : 0;

	if (!path || !c->target || strncmp(path, c->target, len) != 0)
		return false;
	return path[len] == '\0' || path[len] == '/' || strcmp(c->target, "/") == 0;
}

int hf_facts_of_zombie(struct hf_collector *c, struct hf_process *p, size_t n_live)
{
	struct hf_face face = { .fd = -1 };
	hf_owned_fd fd = -1;
	struct hf_thread *t;
	int r;

	r = open_face(c, p->pid, &face);
	fd = face.fd;
	if (r == 0)
		r = read_stat(c, p, &face, 1);
	/* A stranger whose facts are not for us (hidepid=) is nobody of ours. */
	if (r == -EPERM || r == -EACCES) {
		if (c->err)
			*c->err = (struct hf_error)HF_ERROR_INIT;
		return 0;
	}
	/* Where other threads of it are left it is a dead leader, and they would be in the hold. */
	if (r < 0 || !face.has_stat || !is_dead(face.stat.state) || face.stat.n_threads > 1)
		return r;
	r = read_cgroup(c, p, &face, true);
	if (r < 0)
		return r;
	if (!hf_process_find(c->tree->procs, n_live, p->ppid) && !is_in_target(c, p->cgroup))
		return 0;
	r = read_status(c, p, &face);
	if (r < 0 || !face.has_status)
		return r;	/* reaped while we looked */
	p->kind = HF_KIND_PROCESS;
	p->found = HF_FOUND_ZOMBIE;
	p->cmdline = "";
	t = hf_arena_array(&c->tree->arena, struct hf_thread, 1);
	if (!t)
		return hf_collect_no_memory(c);
	r = hf_facts_of_dead_leader(c, p, &face, t);
	if (r < 0)
		return r;
	p->threads = t;
	p->n_threads = 1;
	return 1;
}
