/* SPDX-License-Identifier: MIT */
/*
 * threads - the facts of the threads of one process.  What a held thread is doing is told by
 * its registers; of a thread that is only armed they cannot be had, and /proc is asked.
 */
#include "collect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "members.h"
#include "regs.h"

/* Where no PID namespace is below ours, the name is all that is missing, and cheaper alone. */
static int read_name(struct hf_collector *c, const struct hf_face *face, struct hf_thread *t)
{
	char name[HF_PROC_NAME_MAX];
	size_t len;
	int r;

	snprintf(name, sizeof(name), "task/%d/comm", (int)t->tid);
	r = hf_read_at(face->fd, name, &c->buf);
	if (r < 0)
		return r;
	len = c->buf.len;
	if (len && c->buf.data[len - 1] == '\n')
		len--;
	t->comm = hf_collect_keep(c, c->buf.data, len);
	return t->comm ? 0 : -ENOMEM;
}

static int read_name_and_ids(struct hf_collector *c, const struct hf_face *face,
			     struct hf_thread *t)
{
	struct hf_status s;
	char name[HF_PROC_NAME_MAX];
	int r;

	snprintf(name, sizeof(name), "task/%d/status", (int)t->tid);
	r = hf_status_read(face->fd, name, &c->buf, &s);
	if (r < 0)
		return r;
	t->comm = hf_collect_keep(c, s.comm, strlen(s.comm));
	return t->comm ? hf_collect_nspid(c, &s, &t->tid, &t->nstid, &t->n_nstid) : -ENOMEM;
}

static int name_thread(struct hf_collector *c, const struct hf_process *p,
		       const struct hf_face *face, struct hf_thread *t)
{
	int r;

	t->nstid = &t->tid;
	t->n_nstid = 1;
	t->comm = "";
	if (t->tid == p->pid) {
		t->comm = p->comm;
		t->nstid = p->nspid;
		t->n_nstid = p->n_nspid;
		return 0;
	}
	if (!face->has_status || face->brief || t->state == HF_THREAD_DIED)
		return 0;
	r = face->status.n_nspid > 1 ? read_name_and_ids(c, face, t) : read_name(c, face, t);
	if (r == -ENOMEM)
		return hf_collect_no_memory(c);
	/* A held thread stays in its process, also when it has been killed, until we reap it. */
	c->regroup |= hf_is_gone(r) && t->state == HF_THREAD_HELD;
	return r < 0 && !hf_is_gone(r) ? hf_collect_unreadable(c, r, t->tid, "comm") : 0;
}

/*
 * io_uring workers never return to user space: their registers are all zero but for the call that
 * made them.  The name alone proves nothing, anybody may take it.
 */
static int read_held(struct hf_collector *c, const struct hf_task *task, struct hf_thread *t)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_regs regs;
	int r;

	r = hf_hold_regs(c->hold, t->tid, &regs, &err);
	if (r == -EAGAIN || hf_is_gone(r))
		return 0;
	if (r < 0) {
		if (c->err)
			*c->err = err;
		return r;
	}
	t->io_worker = regs.pc == 0 && strncmp(t->comm, "iou-", 4) == 0;
	if (t->io_worker || hf_regs_confirm(t->tid, &regs) < 0)
		return 0;
	t->syscall = regs.nr;
	t->restart = hf_hold_restart_of(c->hold, task, &regs);
	return 0;
}

/* The thaw has woken it, and for a moment, until it sleeps again, the kernel tells nothing of it. */
#define SLEEPS_AGAIN_MS 10

static bool read_armed_call(pid_t tid, struct hf_syscall *ret)
{
	struct hf_deadline deadline = hf_deadline_in_ms(SLEEPS_AGAIN_MS);
	struct hf_nap nap = HF_NAP_INIT;
	int r;

	do
		r = hf_tid_syscall(tid, ret);
	while (r == 0 && ret->running && hf_nap(&nap, deadline));
	return r == 0 && !ret->running;
}

/* Not stopped, so its registers cannot be had: ask /proc, which may decline. */
static int read_armed(struct hf_collector *c, const struct hf_task *task, struct hf_thread *t)
{
	struct hf_syscall call;
	char wchan[HF_WCHAN_MAX];

	t->waits_for = task->state == HF_TASK_ARMED ? task->other : 0;
	if (read_armed_call(t->tid, &call))
		t->syscall = call.nr;
	if (hf_tid_wchan(t->tid, wchan) < 0 || !wchan[0])
		return 0;
	t->wchan = hf_collect_keep(c, wchan, strlen(wchan));
	return t->wchan ? 0 : hf_collect_no_memory(c);
}

static int fill_thread(struct hf_collector *c, const struct hf_process *p,
		       const struct hf_face *face, const struct hf_task *task, struct hf_thread *t)
{
	int r;

	t->tid = task->tid;
	t->state = hf_members_state((enum hf_task_state)task->state);
	t->found = task->found ? task->found : '?';
	t->syscall = -1;
	r = name_thread(c, p, face, t);
	if (r < 0 || face->brief)
		return r;
	if (t->state == HF_THREAD_HELD)
		return read_held(c, task, t);
	if (t->state == HF_THREAD_ARMED)
		return read_armed(c, task, t);
	return 0;
}

int hf_facts_of_dead_leader(struct hf_collector *c, const struct hf_process *p,
			    const struct hf_face *face, struct hf_thread *t)
{
	t->tid = p->pid;
	t->state = HF_THREAD_ZOMBIE;
	t->found = 'Z';
	t->syscall = -1;
	return name_thread(c, p, face, t);
}

int hf_facts_of_threads(struct hf_collector *c, struct hf_process *p, const struct hf_face *face,
			const struct hf_members *m, bool dead_leader)
{
	size_t i, n = 0, room = m->n + dead_leader;
	struct hf_thread *threads = hf_arena_array(&c->tree->arena, struct hf_thread, room);
	int r;

	if (!threads)
		return hf_collect_no_memory(c);
	if (dead_leader) {
		r = hf_facts_of_dead_leader(c, p, face, &threads[n++]);
		if (r < 0)
			return r;
	}
	for (i = 0; i < m->n; i++) {
		r = fill_thread(c, p, face, m->tasks[i], &threads[n++]);
		if (r < 0)
			return r;
	}
	p->threads = threads;
	p->n_threads = n;
	return 0;
}
