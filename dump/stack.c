/* SPDX-License-Identifier: MIT */
/*
 * stack - the public functions of holdfast.h named hf_stack_...: copy, unwind, and look at it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "cancel.h"
#include "clock.h"
#include "err.h"
#include "hold.h"
#include "procfs.h"
#include "stacks.h"

HF_API const char *hf_stack_end_word(enum hf_stack_end end)
{
	switch (end) {
	case HF_STACK_END_OUTERMOST:
		return "outermost";
	case HF_STACK_END_CUT:
		return "cut";
	case HF_STACK_END_NO_INFO:
		return "no-info";
	case HF_STACK_END_DAMAGED:
		return "damaged";
	case HF_STACK_END_NOT_HELD:
		return "not-held";
	case HF_STACK_END_NO_STACK:
		return "no-stack";
	}
	return "unknown";
}

/* ---- Walking ------------------------------------------------------------------------------------ */

/*
 * A sleep that somebody's look has interrupted, ours or a debugger's, goes on as restart_syscall(2).  Which call that was
 * says the code that made it.
 */
static void find_restarted(struct hf_stacks *s, struct hf_copied_thread *t)
{
	const struct hf_place *place;
	struct hf_elf_part code;
	long nr;

	if (t->is.syscall != SYS_restart_syscall || !t->is.n_frames)
		return;
	place = s->walker.places.all[s->walker.frames[t->first_frame].place];
	if (!place->image || place->image->state != HF_IMAGE_READY ||
	    !hf_elf_at(&place->image->elf, place->vaddr - HF_CALL_CODE_BEFORE, &code) || code.len < HF_CALL_CODE)
		return;
	nr = hf_frame_regs_call_of(code.data);
	if (nr >= 0 && hf_syscall_name(nr))
		t->is.syscall = nr;
}

/*
 * A thread that has just been born is still where its parent was, in clone(2), which gave it 0; the C libraries end their
 * unwind information before that, since it would be the parent's.  Nobody has called it.
 */
static bool is_newborn(const struct hf_copied_thread *t)
{
	const long call = t->is.syscall;

	return t->is.end == HF_STACK_END_NO_INFO && t->is.n_frames == 1 && t->regs.r[HF_REG_RESULT] == 0 &&
	       (call == SYS_clone || call == SYS_clone3);
}

static int walk_thread(struct hf_stacks *s, struct hf_copied_thread *t, struct hf_pages *live)
{
	struct hf_copied_process *p = &s->processes[t->process];
	const struct hf_walk_from from = {
		.pid = p->via, .process = t->process, .space = &p->space,
		.memory = { &p->space, t->windows, live }, .regs = t->regs,
	};
	int r;

	t->first_frame = s->walker.n;
	if (!t->has_regs)
		return 0;
	if (p->why) {
		t->is.end = HF_STACK_END_NO_INFO;
		t->is.why = p->why;
		return 0;
	}
	r = hf_walk(&s->walker, &from, &t->is.end, &t->is.why);
	t->is.n_frames = s->walker.n - t->first_frame;
	if (r < 0)
		return r;
	find_restarted(s, t);
	if (is_newborn(t)) {
		t->is.end = HF_STACK_END_OUTERMOST;
		t->is.why = NULL;
	}
	return 0;
}

int hf_stacks_walk(struct hf_stacks *s, bool live, struct hf_error *err)
{
	struct hf_pages *pages = live ? hf_pages_new() : NULL;
	size_t i, j;
	int r = live && !pages ? -ENOMEM : 0;

	for (i = 0; r == 0 && i < s->n_processes; i++) {
		const struct hf_copied_process *p = &s->processes[i];

		if (pages)
			hf_pages_of(pages, p->via);
		for (j = p->first; r == 0 && j < p->first + p->n; j++)
			r = walk_thread(s, &s->threads[j], pages);
	}
	hf_pages_free(pages);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_COLLECT, 0, "unwinding stacks: out of memory");
	s->unwound = true;
	return 0;
}

HF_API int hf_stack_unwind(hf_stacks *stacks, struct hf_error *err)
{
	HF_UNCANCELLED;
	int r = 0;

	if (stacks->named)
		return 0;
	if (!stacks->unwound)
		r = hf_stacks_walk(stacks, false, err);
	if (r < 0)
		return r;
	if (!stacks->opts.no_names && hf_stacks_name(stacks) < 0)
		return hf_fail(err, ENOMEM, HF_STAGE_COLLECT, 0, "naming frames: out of memory");
	/* Last: right after the release not everybody is back in its wait. */
	if (hf_stacks_ask_kernel(stacks) < 0)
		return hf_fail(err, ENOMEM, HF_STAGE_COLLECT, 0, "asking for waits: out of memory");
	stacks->named = true;
	return 0;
}

/* ---- Copying and freeing ------------------------------------------------------------------------- */

static int check_options(struct hf_stack_options *opts, const struct hf_stack_options *from, struct hf_error *err)
{
	*opts = (struct hf_stack_options)HF_STACK_OPTIONS_INIT;
	if (from && (from->size < sizeof(size_t) || from->size > sizeof(*opts)))
		return hf_fail(err, EINVAL, HF_STAGE_COLLECT, 0, "copying stacks: options of size %zu", from->size);
	if (from)
		memcpy(opts, from, from->size);
	if (!opts->copy_limit)
		opts->copy_limit = HF_STACK_COPY_DEFAULT;
	return 0;
}

int hf_stack_copy_from(const struct hf_stack_source *source, const struct hf_stack_options *opts,
		       hf_stacks **ret_stacks, struct hf_error *err)
{
	struct hf_stacks *s;
	int r;

	s = calloc(1, sizeof(*s));
	if (!s)
		return hf_fail(err, ENOMEM, HF_STAGE_COLLECT, 0, "copying stacks: out of memory");
	s->walker.images.arena = s->walker.places.arena = &s->arena;
	r = check_options(&s->opts, opts, err);
	if (r == 0)
		r = hf_stacks_copy(s, source, err);
	if (r == 0 && s->opts.while_held)
		r = hf_stacks_walk(s, true, err);
	if (r < 0)
		hf_stack_free(s);
	else
		*ret_stacks = s;
	return r;
}

static int regs_of_hold(void *from, pid_t tid, struct hf_regs *ret, struct hf_error *err)
{
	return hf_hold_regs(from, tid, ret, err);
}

static const char *comm_of_hold(void *from, const struct hf_task *task)
{
	return hf_hold_comm(from, task);
}

HF_API int hf_stack_copy(hf_hold *hold, const struct hf_stack_options *opts, hf_stacks **ret_stacks,
			 struct hf_error *err)
{
	HF_UNCANCELLED;
	const struct hf_stack_source source = { hf_hold_tasks(hold), regs_of_hold, comm_of_hold, hold };
	uint64_t start_ns = hf_clock_ns();
	int r;

	if (hf_hold_info(hold)->released_us)
		return hf_fail(err, EINVAL, HF_STAGE_COLLECT, 0, "copying stacks: the hold has been released");
	r = hf_hold_check_tracer(hold, err);
	if (r < 0)
		return r;
	r = hf_stack_copy_from(&source, opts, ret_stacks, err);
	hf_hold_note_collect(hold, (hf_clock_ns() - start_ns) / 1000);
	return r;
}

HF_API void hf_stack_free(hf_stacks *stacks)
{
	if (!stacks)
		return;
	hf_demangler_done(&stacks->demangler);
	hf_walker_done(&stacks->walker);
	hf_pool_done(&stacks->pool);
	hf_arena_done(&stacks->arena);
	free(stacks->threads);
	free(stacks->processes);
	free(stacks);
}

/* ---- Looking ---------------------------------------------------------------------------------------- */

/* The public part stands first in each. */
static const struct hf_copied_thread *thread_of(const struct hf_stack *stack)
{
	return (const struct hf_copied_thread *)(const void *)stack;
}

HF_API const struct hf_stack *hf_stack_next(const hf_stacks *stacks, const struct hf_stack *prev)
{
	size_t i = prev ? (size_t)(thread_of(prev) - stacks->threads) + 1 : 0;

	return i < stacks->n_threads ? &stacks->threads[i].is : NULL;
}

HF_API size_t hf_stack_incomplete(const hf_stacks *stacks)
{
	size_t i, n = 0;

	for (i = 0; i < stacks->n_threads; i++)
		n += stacks->threads[i].is.state == HF_THREAD_DIED ||
		     (stacks->threads[i].is.end != HF_STACK_END_OUTERMOST &&
		      stacks->threads[i].is.end != HF_STACK_END_NO_STACK);
	return n;
}

/* The mapping that a frame is in.  Its place may be that of another file of the same build-id. */
static const struct hf_code *code_of(const struct hf_stacks *stacks, const struct hf_copied_thread *t, uint64_t address)
{
	return hf_space_code(&stacks->processes[t->process].space, address);
}

HF_API void hf_stack_frames(const hf_stacks *stacks, const struct hf_stack *stack, hf_frame_fn fn, void *data)
{
	const struct hf_copied_thread *t = thread_of(stack);
	const struct hf_walked *walked = stacks->walker.frames + t->first_frame;
	size_t i;

	for (i = 0; i < stack->n_frames; i++) {
		const struct hf_place *place = stacks->walker.places.all[walked[i].place];
		const struct hf_image *image = place->image;
		uint64_t called = !walked[i].exact;	/* places are where the call is, a byte back */
		const struct hf_code *code = code_of(stacks, t, walked[i].ip - called);
		struct hf_frame frame = {
			.stack = stack, .depth = i, .ip = walked[i].ip, .interrupted = walked[i].exact,
			.how = (enum hf_frame_how)walked[i].how,
			.file = code ? code->name : NULL, .file_deleted = code && code->deleted,
			.file_address = image ? place->vaddr + called : 0,
			.build_id = image ? image->build_id : NULL, .n_build_id = image ? image->n_build_id : 0,
			.symbol = place->symbol, .name = place->name,
			.offset = place->symbol ? place->symbol_offset + called : 0,
			.source = place->source, .line = place->line,
		};

		fn(&frame, data);
	}
}
