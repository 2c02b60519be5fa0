/* SPDX-License-Identifier: MIT */
/*
 * stacks - the frames of every thread of a process and its descendants, at one instant: hold, copy, release, and only
 * then unwind.
 *
 *	cc stacks.c $(pkg-config --cflags --libs holdfast) -o stacks
 *	sudo ./stacks PID
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast.h>

static void print_frame(const struct hf_frame *f, void *unused)
{
	(void)unused;
	printf("  #%zu %#llx %s (%s)\n", f->depth, (unsigned long long)f->ip, f->name ? f->name : "??",
	       f->file ? f->file : "no file");
}

static int fail(const struct hf_error *err)
{
	fprintf(stderr, "stacks: %s: %s; %s\n", hf_stage_name(err->stage), err->text, err->note);
	return 1;
}

int main(int argc, char **argv)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_target target = HF_TARGET_INIT;
	const struct hf_stack *stack = NULL;
	hf_stacks *stacks = NULL;
	hf_hold *hold = NULL;
	pid_t pid = argc > 1 ? (pid_t)atoi(argv[1]) : 0;
	int r;

	target.kind = HF_TARGET_PROCESSES;
	target.pids = &pid;
	target.n_pids = 1;
	if (hf_hold_take(&target, NULL, &hold, &err) < 0)
		return fail(&err);
	r = hf_stack_copy(hold, NULL, &stacks, &err);
	if (hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, r < 0 ? NULL : &err) < 0)
		r = -1;
	hf_hold_free(hold);
	if (r < 0 || hf_stack_unwind(stacks, &err) < 0)
		return fail(&err);
	while ((stack = hf_stack_next(stacks, stack))) {
		printf("thread %d (%s)\n", (int)stack->tid, stack->comm);
		hf_stack_frames(stacks, stack, print_frame, NULL);
		if (stack->why)
			printf("  %s\n", stack->why);
	}
	hf_stack_free(stacks);
	return 0;
}
