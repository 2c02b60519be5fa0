/* SPDX-License-Identifier: MIT */
/*
 * cmd_stack - what every thread of a target was doing at one instant: hold it, copy what unwinding needs, release it,
 * and then unwind, name and print the stacks.
 */
#include <stdlib.h>

#include "detach.h"
#include "look.h"
#include "signals.h"
#include "take.h"

static struct hf_stack_options options_of(const struct hf_args *args)
{
	struct hf_stack_options opts = HF_STACK_OPTIONS_INIT;

	opts.copy_limit = args->limit;
	opts.while_held = args->while_held;
	opts.no_names = args->no_names;
	opts.lines = args->lines;
	opts.each_wchan = args->json || args->no_merge;
	return opts;
}

static int copy(struct hf_look *look, hf_hold *hold, struct hf_error *err)
{
	const struct hf_stack_options opts = options_of(look->args);
	hf_stacks *stacks = NULL;
	int r;

	r = hf_stack_copy(hold, &opts, &stacks, err);
	look->seen = stacks;
	return r;
}

static enum hf_stack_format format_of(const struct hf_args *args)
{
	if (args->json)
		return HF_STACK_FORMAT_JSON;
	if (args->folded)
		return HF_STACK_FORMAT_FOLDED;
	return args->normalise ? HF_STACK_FORMAT_NORMALISED : HF_STACK_FORMAT_TEXT;
}

static void explain_cut(const struct hf_look *look, const hf_stacks *stacks)
{
	const struct hf_stack *stack = NULL;
	char count[HF_COUNT_MAX];
	size_t n = 0;

	while ((stack = hf_stack_next(stacks, stack)))
		n += stack->end == HF_STACK_END_CUT;
	if (n && !look->args->quiet)
		hf_say(look->cmd->name, "%s larger than the copy limit; raise it with --limit, or unwind "
		       "--while-held", hf_count(n, "stack", count));
}

static int unwind(struct hf_look *look, const struct hf_hold_info *info, struct hf_error *err)
{
	const struct hf_args *args = look->args;
	hf_stacks *stacks = look->seen;
	unsigned int flags = 0;
	int r = hf_stack_unwind(stacks, err);

	if (r < 0)
		return r;
	if (args->pretty)
		flags |= HF_FORMAT_PRETTY;
	if (args->no_merge)
		flags |= HF_STACK_NO_MERGE;
	explain_cut(look, stacks);
	look->partial = hf_stack_incomplete(stacks) > 0;
	return hf_stack_format(stacks, info, format_of(args), flags, &look->text, &look->len, err);
}

/* Of a hold that is kept in the background, which stays. */
static int print_kept(struct hf_look *look)
{
	const struct hf_stack_options opts = options_of(look->args);
	struct hf_error err = HF_ERROR_INIT;
	hf_stacks *stacks = NULL;
	hf_keeper *keeper = NULL;
	struct hf_hold_info info;
	struct hf_keeper_info k;
	int status, r;

	/* Nobody is held by us. */
	hf_signals_restore();
	r = hf_keeper_open(look->args->hold, &keeper, &err);
	if (r == 0)
		r = hf_keeper_stack_copy(keeper, &opts, &stacks, &err);
	if (r == 0)
		r = hf_keeper_info(keeper, &k, &err);
	hf_keeper_close(keeper);
	look->seen = stacks;
	if (r == 0) {
		info = hf_kept_info(&k);
		info.timing_us.stopped = k.stopped_us;
		r = unwind(look, &info, &err);
	}
	if (r < 0)
		return hf_report(look->cmd->name, &err);
	status = hf_exit_worse(hf_take_status(&info), look->partial ? HF_EXIT_PARTIAL : HF_EXIT_DONE);
	status = hf_exit_worse(status, hf_print(look->cmd->name, look->text, look->len));
	free(look->text);
	return status;
}

static int run_stack(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_look look = { .cmd = cmd, .args = args, .brief = HF_BRIEF_PROCESSES, .held = copy, .released = unwind };
	int status = hf_print_possible(cmd->name);

	if (status)
		return status;
	status = args->hold ? print_kept(&look) : hf_look_and_print(&look);
	hf_stack_free(look.seen);
	return status;
}

const struct hf_cmd hf_cmd_stack = {
	.name = "stack",
	.summary = "every thread's backtrace at one instant",
	.usage = "[OPTION...] TARGET",
	.about = "Stops every thread of the target at one instant, copies its\n"
		 "registers and the used part of its stack, lets everything go again, and then\n"
		 "unwinds, names and prints the stacks. Threads with equal stacks are shown once.\n"
		 "Exit status 3: a stack, or the hold, is not complete.",
	.examples = "  holdfast stack system.slice/cron.service\n"
		    "  holdfast stack --pid 4711\n"
		    "  holdfast stack -H suspect\n"
		    "  holdfast stack --no-merge pod\n"
		    "  holdfast stack --folded pod | flamegraph.pl > pod.svg\n"
		    "  holdfast stack --normalise pod > here; diff here there\n",
	.operand = HF_OPERAND_TARGET,
	.opts = HF_OPT_TARGET | HF_OPT_BIT(HOLD) | HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(ON_ARMED) |
		HF_OPT_BIT(ON_TRACED) | HF_OPT_BIT(OUTSIDE) | HF_OPT_BIT(LIMIT) |
		HF_OPT_BIT(WHILE_HELD) | HF_OPT_BIT(NO_NAMES) | HF_OPT_BIT(NO_MERGE) | HF_OPT_BIT(LINES) |
		HF_OPT_BIT(JSON) | HF_OPT_BIT(PRETTY) | HF_OPT_BIT(FOLDED) | HF_OPT_BIT(NORMALISE) |
		HF_OPT_BIT(QUIET) | HF_OPT_BIT(VERBOSE) | HF_OPT_EVERYWHERE,
	.run = run_stack,
};
