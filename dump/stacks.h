/* SPDX-License-Identifier: MIT */
/*
 * stacks - what hf_stacks is made of, for the files that work on it one after the other:
 *
 *	copy.c		while the target is held: registers, pieces of stack, maps
 *	stack.c		after the release: unwinding (walk.c), and what callers see of it
 *	kernel.c	the kernel side of each thread
 *	names.c		names for the places
 *	report*.c	text, JSON, folded
 */
#ifndef HF_STACKS_H
#define HF_STACKS_H

#include "holdfast.h"

#include "regs.h"
#include "task.h"

#include "arena.h"
#include "demangle.h"
#include "pool.h"
#include "walk.h"

struct hf_copied_thread {
	struct hf_stack is;		/* what callers see */
	uint32_t process;		/* index */
	bool has_regs;
	struct hf_frame_regs regs;
	struct hf_window windows[HF_WINDOWS];
	size_t first_frame;		/* in the walker's */
};

struct hf_copied_process {
	pid_t pid;
	pid_t via;			/* a thread of it that is held: a leader that has ended has no memory */
	const char *comm;
	struct hf_space space;
	const char *why;		/* it could not be copied; NULL when it was */
	size_t first, n;		/* its threads */
};

struct hf_stacks {
	struct hf_stack_options opts;
	struct hf_arena arena;
	struct hf_pool pool;		/* the pieces of stack */
	struct hf_copied_thread *threads;
	size_t n_threads;
	struct hf_copied_process *processes;
	size_t n_processes;
	struct hf_walker walker;
	struct hf_demangler demangler;
	size_t unpacked;		/* bytes, of symbols that files have compressed */
	bool unwound, named;
};

/* Whose stacks: threads that are held, by us or by a keeper, and how their registers are read. */
struct hf_stack_source {
	const struct hf_task_set *set;
	/* 0, or -ESRCH or -EAGAIN: it died; other errors end the copy. */
	int (*regs)(void *from, pid_t tid, struct hf_regs *ret, struct hf_error *err);
	/* What it is called; NULL when that is not known. */
	const char *(*comm)(void *from, const struct hf_task *task);
	void *from;
};

/* copy.c: fill threads and processes. */
int hf_stacks_copy(struct hf_stacks *stacks, const struct hf_stack_source *source, struct hf_error *err);

/* stack.c: hf_stack_copy() from any source. */
int hf_stack_copy_from(const struct hf_stack_source *source, const struct hf_stack_options *opts,
		       hf_stacks **ret_stacks, struct hf_error *err);

/* stack.c: walk all; live: the target is held, and is read where the copies do not reach. */
int hf_stacks_walk(struct hf_stacks *stacks, bool live, struct hf_error *err);

/* kernel.c: in which kernel function threads wait now, if they wait where they did then.  0 or -ENOMEM. */
int hf_stacks_ask_kernel(struct hf_stacks *stacks);

/* names.c: 0 or -ENOMEM. */
int hf_stacks_name(struct hf_stacks *stacks);

#endif
