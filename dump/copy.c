/* SPDX-License-Identifier: MIT */
/*
 * copy - all that is done for stacks while the target stands still: for each process its maps, once; for each
 * thread its registers, with one PTRACE_GETREGSET, and the used part of its stack, with many threads to one
 * process_vm_readv(2).
 *
 *	      sp - red zone			 end of the mapping
 *	|.........|==================================|		a stack that grows downwards
 *	           <--- copied, up to the limit --->
 *
 * A thread whose signal handler runs on an alternate stack needs two pieces, for the frames go on where it was
 * interrupted: the second is found by the frame that the kernel made for the signal.
 */
#include "stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "io.h"
#include "members.h"
#include "own.h"
#include "procfs.h"
#include "regs.h"
#include "sys.h"

/* Pieces are read in batches; IOV_MAX is 1024. */
#define BATCH_PIECES 256
#define BATCH_BYTES ((size_t)2 * 1024 * 1024)

struct copier {
	struct hf_stacks *stacks;
	const struct hf_stack_source *source;
	struct hf_buf maps;
	struct hf_buf vdso;
	struct hf_error *err;
	/* the batch */
	struct iovec from[BATCH_PIECES];
	struct hf_window *to[BATCH_PIECES];
	size_t n, bytes;
};

static int no_memory(const struct copier *c)
{
	return hf_fail(c->err, ENOMEM, HF_STAGE_COLLECT, 0, "copying stacks: out of memory");
}

/* ---- Pieces of stack ---------------------------------------------------------------------------- */

/* The piece that sp is in: from below it to the end of its mapping, or as much as the limit allows. */
static bool piece_at(const struct hf_stacks *stacks, const struct hf_space *space, uint64_t sp,
		     struct hf_window *ret)
{
	const struct hf_span *span = hf_space_stack(space, sp);
	uint64_t start, len;

	if (!span)
		return false;
	start = sp > span->start && sp - span->start > HF_RED_ZONE ? sp - HF_RED_ZONE : span->start;
	len = span->end - start;
	*ret = (struct hf_window){ .start = start, .len = (size_t)len };
	if (len > stacks->opts.copy_limit) {
		ret->len = stacks->opts.copy_limit;
		ret->cut = true;
	}
	return true;
}

/*
 * One call reads all pieces of the batch, and stops at the first byte that is not there.  Its piece keeps what came
 * before, and the next call goes on behind it.
 */
static int read_batch(struct copier *c, pid_t tid)
{
	uint8_t *bytes = c->n ? hf_pool_take(&c->stacks->pool, c->bytes) : NULL;
	size_t i = 0, left = c->bytes;

	if (c->n && !bytes)
		return no_memory(c);
	while (i < c->n) {
		ssize_t got = hf_sys_read_memory(tid, bytes, left, c->from + i, c->n - i);

		got = got < 0 ? 0 : got;
		for (; i < c->n && (size_t)got >= c->to[i]->len; i++) {
			c->to[i]->bytes = bytes;
			bytes += c->to[i]->len;
			left -= c->to[i]->len;
			got -= (ssize_t)c->to[i]->len;
		}
		if (i == c->n)
			break;
		c->to[i]->bytes = bytes;
		bytes += c->to[i]->len;
		left -= c->to[i]->len;
		c->to[i]->len = (size_t)got;
		i++;
	}
	c->n = c->bytes = 0;
	return 0;
}

static int add_piece(struct copier *c, pid_t tid, struct hf_window *window)
{
	int r = 0;

	if (c->n == BATCH_PIECES || (c->n && c->bytes + window->len > BATCH_BYTES))
		r = read_batch(c, tid);
	if (r < 0)
		return r;
	c->from[c->n] = (struct iovec){ (void *)(uintptr_t)window->start, window->len };
	c->to[c->n++] = window;
	c->bytes += window->len;
	return 0;
}

/* ---- Signal handlers on alternate stacks ---------------------------------------------------------- */

/*
 * A thread is at home on the stack that has its thread pointer at the top (glibc, musl), the first one on
 * "[stack]".  Elsewhere it may be in a signal handler, or be a coroutine.
 */
static bool is_at_home(const struct hf_space *space, const struct hf_stack *is, uint64_t sp, uint64_t tp)
{
	const struct hf_span *span;

	if (is->tid == is->pid)
		return sp >= space->stack.start && sp < space->stack.end;
	span = hf_space_span(space, sp);
	return span && tp > sp && tp < span->end;
}

static int add_interrupted(struct copier *c, const struct hf_copied_process *p, struct hf_copied_thread *t)
{
	const struct hf_window *w = &t->windows[0];
	uint64_t sp = t->regs.r[HF_REG_SP], interrupted;
	size_t skip = (size_t)(-w->start & 7);
	hf_owned uint64_t *words = NULL;
	size_t n;

	if (!w->bytes || w->len < skip + sizeof(*words))
		return 0;
	n = (w->len - skip) / sizeof(*words);
	words = malloc(n * sizeof(*words));
	if (!words)
		return no_memory(c);
	memcpy(words, w->bytes + skip, n * sizeof(*words));
	if (!hf_frame_regs_interrupted(words, n, sp, &interrupted) ||
	    !piece_at(c->stacks, &p->space, interrupted, &t->windows[1]))
		return 0;
	return add_piece(c, p->via, &t->windows[1]);
}

/* ---- Threads --------------------------------------------------------------------------------------- */

static void without_frames(struct hf_copied_thread *t, enum hf_stack_end end, const char *why)
{
	t->is.end = end;
	t->is.why = why;
}

/*
 * Threads that have no registers to read, in words.  They are as they were found, so that can be asked now; but who is armed
 * has been seen in his sleep, which asking him to stop may have disturbed for a moment.
 */
static void explain_state(struct hf_copied_thread *t)
{
	char letter;

	if (t->is.state != HF_THREAD_HELD && t->is.found == '?' && hf_thread_state(t->is.pid, t->is.tid, &letter) == 0)
		t->is.found = t->is.state == HF_THREAD_ARMED ? 'D' : letter;
	switch (t->is.state) {
	case HF_THREAD_HELD:
		break;
	case HF_THREAD_ARMED:
		without_frames(t, HF_STACK_END_NOT_HELD, "it sleeps in the kernel, where its registers cannot be read");
		break;
	case HF_THREAD_SKIPPED:
		without_frames(t, HF_STACK_END_NOT_HELD, "it is traced by somebody else");
		break;
	case HF_THREAD_OUTSIDE:
		without_frames(t, HF_STACK_END_NOT_HELD, "it is outside of the target, and was left running");
		break;
	case HF_THREAD_KERNEL:
		without_frames(t, HF_STACK_END_NO_STACK, "it is a kernel thread");
		break;
	case HF_THREAD_ZOMBIE:
	case HF_THREAD_DIED:
		without_frames(t, HF_STACK_END_NO_STACK, "it died");
		break;
	}
}

/* Its registers are all zero but for the call that made it.  The name alone proves nothing, anybody may take it. */
static bool is_io_worker(pid_t tid)
{
	struct hf_stat st;

	return hf_tid_stat(tid, &st) == 0 && !strncmp(st.comm, "iou-", 4);
}

/* Seconds and their parts, of 0 each. */
static bool is_zero_time(pid_t tid, uint64_t at)
{
	struct iovec from = { (void *)(uintptr_t)at, 2 * sizeof(uint64_t) };
	uint64_t parts[2];

	return hf_sys_read_memory(tid, parts, sizeof(parts), &from, 1) == sizeof(parts) && !parts[0] && !parts[1];
}

/* A look has told of an earlier moment.  Where neither tells anything /proc is asked after the release (kernel.c). */
static void find_state(struct hf_copied_thread *t, const struct hf_regs *regs)
{
	uint64_t timeout;

	if (strchr("?RSD", t->is.found) && hf_regs_slept(regs, &timeout) && !(timeout && is_zero_time(t->is.tid, timeout)))
		t->is.found = 'S';
}

/* *ret_tp: its thread pointer. */
static int copy_registers(struct copier *c, struct hf_copied_thread *t, uint64_t *ret_tp)
{
	struct hf_regs regs;
	int r = c->source->regs(c->source->from, t->is.tid, &regs, c->err);

	if (r == -ESRCH || r == -EAGAIN) {
		t->is.state = HF_THREAD_DIED;
		without_frames(t, HF_STACK_END_NO_STACK, "it died");
		return 0;
	}
	if (r < 0)
		return r;
	if (regs.pc == 0 && is_io_worker(t->is.tid)) {
		without_frames(t, HF_STACK_END_NO_STACK, "it is an io_uring worker");
		return 0;
	}
	t->has_regs = hf_frame_regs_of(regs.set, regs.size, &t->regs);
	/* Numbers of another ABI are of other calls. */
	if (hf_regs_confirm(t->is.tid, &regs) == 0) {
		find_state(t, &regs);
		if (t->has_regs)
			t->is.syscall = regs.nr;
	}
	*ret_tp = hf_frame_regs_thread_pointer(regs.set, regs.size);
	if (!t->has_regs)
		without_frames(t, HF_STACK_END_NO_INFO, "it is a thread of 32 bits, which is not unwound");
	return 0;
}

/* Its registers, and what is to be read of its stack.  *ret_away: it is not at home. */
static int copy_thread(struct copier *c, const struct hf_copied_process *p, struct hf_copied_thread *t,
		       bool *ret_away)
{
	uint64_t tp = 0, sp;
	int r;

	*ret_away = false;
	if (t->is.state != HF_THREAD_HELD)
		return 0;
	r = copy_registers(c, t, &tp);
	if (r < 0 || !t->has_regs)
		return r;
	sp = t->regs.r[HF_REG_SP];
	if (!piece_at(c->stacks, &p->space, sp, &t->windows[0]))
		return 0;
	*ret_away = !is_at_home(&p->space, &t->is, sp, tp);
	return add_piece(c, p->via, &t->windows[0]);
}

/* ---- Processes -------------------------------------------------------------------------------------- */

/*
 * The vdso is in no file.  It is the same for nearly all processes: its first page, where its build-id
 * is, tells.
 */
static int copy_vdso(struct copier *c, struct hf_copied_process *p)
{
	size_t len = (size_t)(p->space.vdso.end - p->space.vdso.start), first = len < 4096 ? len : 4096;
	struct iovec from = { (void *)(uintptr_t)p->space.vdso.start, first };
	struct hf_code *code = hf_space_code(&p->space, p->space.vdso.start);

	if (!len || !code || hf_buf_reserve(&c->vdso, len) < 0 ||
	    hf_sys_read_memory(p->via, c->vdso.data, first, &from, 1) != (ssize_t)first)
		return 0;
	code->image = hf_image_that_begins(&c->stacks->walker.images, c->vdso.data, first, len);
	if (code->image)
		return 0;
	from.iov_len = len;
	if (hf_sys_read_memory(p->via, c->vdso.data, len, &from, 1) != (ssize_t)len)
		return 0;
	code->image = hf_image_of_bytes(&c->stacks->walker.images, "[vdso]", c->vdso.data, len);
	return code->image ? 0 : no_memory(c);
}

static int read_space(struct copier *c, struct hf_copied_process *p)
{
	struct hf_stacks *s = c->stacks;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)p->via);
	r = hf_read_at(AT_FDCWD, path, &c->maps);
	if (r == 0)
		r = hf_space_read(&p->space, &s->arena, &s->walker.images, c->maps.data, c->maps.len);
	if (r == -ENOMEM)
		return no_memory(c);
	p->why = r < 0 ? "its maps cannot be read" : NULL;
	return r < 0 ? 0 : copy_vdso(c, p);
}

/* The first thread of it that is held stands for it: others may have ended, or not be stopped. */
static pid_t find_held(const struct hf_stacks *s, const struct hf_copied_process *p)
{
	size_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (s->threads[i].is.state == HF_THREAD_HELD)
			return s->threads[i].is.tid;
	return 0;
}

/* Its name is the hold's, which may be gone before the stacks are.  Who has none will be asked (kernel.c). */
static int name_thread(struct copier *c, const struct hf_copied_process *p, struct hf_stack *is)
{
	is->process = p->comm;
	if (is->tid == is->pid || (is->comm && strcmp(is->comm, p->comm) == 0))
		is->comm = p->comm;
	else if (is->comm)
		is->comm = hf_arena_copy(&c->stacks->arena, is->comm, strlen(is->comm));
	else
		return 0;
	return is->comm ? 0 : no_memory(c);
}

static int name_process(struct copier *c, struct hf_copied_process *p)
{
	char path[64], name[HF_COMM_MAX];
	ssize_t len;
	size_t i;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)p->pid);
	len = hf_read_small_at(AT_FDCWD, path, name, sizeof(name));
	if (len > 0 && name[len - 1] == '\n')
		len--;
	p->comm = hf_arena_copy(&c->stacks->arena, name, len > 0 ? (size_t)len : 0);
	if (!p->comm)
		return no_memory(c);
	for (i = p->first; r == 0 && i < p->first + p->n; i++)
		r = name_thread(c, p, &c->stacks->threads[i].is);
	return r;
}

static int copy_process(struct copier *c, struct hf_copied_process *p, bool *away)
{
	struct hf_copied_thread *threads = c->stacks->threads + p->first;
	size_t i;
	int r = name_process(c, p);

	p->via = find_held(c->stacks, p);
	if (r == 0 && p->via)
		r = read_space(c, p);
	for (i = 0; r == 0 && i < p->n; i++) {
		explain_state(&threads[i]);
		r = copy_thread(c, p, &threads[i], &away[i]);
	}
	if (r == 0)
		r = read_batch(c, p->via);
	for (i = 0; r == 0 && i < p->n; i++)
		if (away[i])
			r = add_interrupted(c, p, &threads[i]);
	return r < 0 ? r : read_batch(c, p->via);
}

/* ---- The set ------------------------------------------------------------------------------------------ */

static void add_thread(struct copier *c, const struct hf_task *task)
{
	struct hf_stacks *s = c->stacks;
	struct hf_copied_thread *t = &s->threads[s->n_threads];
	struct hf_copied_process *p = s->n_processes ? &s->processes[s->n_processes - 1] : NULL;

	t->is = (struct hf_stack){
		.pid = task->tgid, .tid = task->tid, .state = hf_members_state((enum hf_task_state)task->state),
		.found = task->found ? task->found : '?', .syscall = -1, .comm = c->source->comm(c->source->from, task),
	};
	if (!p || p->pid != task->tgid) {
		p = &s->processes[s->n_processes++];
		*p = (struct hf_copied_process){ .pid = task->tgid, .comm = "", .first = s->n_threads };
	}
	t->process = (uint32_t)(p - s->processes);
	p->n++;
	s->n_threads++;
}

static int list(struct copier *c, const struct hf_task **members, size_t n)
{
	struct hf_stacks *s = c->stacks;
	size_t i;

	s->threads = calloc(n + 1, sizeof(*s->threads));
	s->processes = calloc(n + 1, sizeof(*s->processes));
	if (!s->threads || !s->processes)
		return no_memory(c);
	for (i = 0; i < n; i++)
		add_thread(c, members[i]);
	return 0;
}

int hf_stacks_copy(struct hf_stacks *stacks, const struct hf_stack_source *source, struct hf_error *err)
{
	const struct hf_task_set *set = source->set;
	hf_owned const struct hf_task **members = calloc(set->n + 1, sizeof(*members));
	hf_owned bool *away = calloc(set->n + 1, sizeof(*away));
	hf_owned struct copier *c = calloc(1, sizeof(*c));
	size_t i;
	int r;

	if (!members || !away || !c)
		return hf_fail(err, ENOMEM, HF_STAGE_COLLECT, 0, "copying stacks: out of memory");
	c->stacks = stacks;
	c->source = source;
	c->err = err;
	r = list(c, members, hf_members_of(set, members));
	for (i = 0; r == 0 && i < stacks->n_processes; i++)
		r = copy_process(c, &stacks->processes[i], away);
	hf_buf_done(&c->maps);
	hf_buf_done(&c->vdso);
	return r;
}
