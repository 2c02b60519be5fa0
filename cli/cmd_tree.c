/* SPDX-License-Identifier: MIT */
/*
 * cmd_tree - hold a target, collect its processes and threads, release it, print them.
 */
#include <stdlib.h>
#include <string.h>

#include "look.h"
#include "print.h"
#include "signals.h"

static enum hf_format format_of(const struct hf_args *args)
{
	return args->json ? HF_FORMAT_JSON : args->dot ? HF_FORMAT_DOT : HF_FORMAT_TEXT;
}

static unsigned int flags_of(const struct hf_args *args, enum hf_format format)
{
	unsigned int flags = 0;

	if (args->pretty)
		flags |= HF_FORMAT_PRETTY;
	if (format == HF_FORMAT_TEXT && hf_colour_wanted(args->colour))
		flags |= HF_FORMAT_COLOUR;
	if (format == HF_FORMAT_TEXT && !hf_locale_is_utf8())
		flags |= HF_FORMAT_ASCII;
	return flags;
}

static int collect(struct hf_look *look, hf_hold *hold, struct hf_error *err)
{
	struct hf_tree_options opts = HF_TREE_OPTIONS_INIT;
	hf_tree *tree = NULL;
	int r;

	opts.effects = look->args->effects;
	opts.brief = look->brief != HF_BRIEF_NO;
	r = hf_tree_collect(hold, &opts, &tree, err);
	look->seen = tree;
	return r;
}

static int format_tree(struct hf_look *look, const struct hf_hold_info *info, struct hf_error *err)
{
	enum hf_format format = format_of(look->args);

	return hf_tree_format_with(look->seen, info, format, flags_of(look->args, format), &look->text, &look->len, err);
}

/* Of a hold that is kept in the background, which stays. */
static int print_kept(const struct hf_cmd *cmd, const struct hf_args *args)
{
	enum hf_format format = format_of(args);
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *keeper = NULL;
	char *text = NULL;
	size_t len = 0;
	int status, r;

	/* Nobody is held by us. */
	hf_signals_restore();
	r = hf_keeper_open(args->hold, &keeper, &err);
	if (r == 0)
		r = hf_keeper_tree(keeper, format, flags_of(args, format) | (args->effects ? HF_KEEPER_EFFECTS : 0), &text,
				   &len, &err);
	hf_keeper_close(keeper);
	status = r < 0 ? hf_report(cmd->name, &err) : hf_print(cmd->name, text, len);
	free(text);
	return status;
}

static int run_tree(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_look look = { .cmd = cmd, .args = args, .held = collect, .released = format_tree };
	int status = hf_print_possible(cmd->name);

	if (status)
		return status;
	if (args->hold)
		return print_kept(cmd, args);
	if (format_of(args) != HF_FORMAT_JSON && !args->effects)
		look.brief = HF_BRIEF_PROCESSES;
	status = hf_look_and_print(&look);
	hf_tree_free(look.seen);
	return status;
}

const struct hf_cmd hf_cmd_tree = {
	.name = "tree",
	.summary = "hold, collect the processes and threads, release, print them",
	.usage = "[OPTION...] TARGET",
	.about = "Stops every thread of a cgroup and its descendants at one instant, notes who\n"
		 "is there and in which state, lets everything go again, and prints the tree.\n"
		 "The target is stopped for milliseconds; printing comes after.",
	.examples = "  holdfast tree /sys/fs/cgroup/system.slice/cron.service\n"
		    "  holdfast tree --json --unit cron | jq .counts\n"
		    "  holdfast tree -H suspect\n"
		    "  holdfast tree --dot pod | dot -Tsvg > pod.svg\n",
	.operand = HF_OPERAND_TARGET,
	.opts = HF_OPT_TARGET | HF_OPT_BIT(HOLD) | HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(ON_ARMED) |
		HF_OPT_BIT(ON_TRACED) | HF_OPT_BIT(OUTSIDE) | HF_OPT_BIT(NO_RESTART) | HF_OPT_BIT(EFFECTS) | HF_OPT_BIT(JSON) |
		HF_OPT_BIT(PRETTY) | HF_OPT_BIT(DOT) | HF_OPT_BIT(COLOR) | HF_OPT_BIT(NO_COLOR) | HF_OPT_BIT(QUIET) | HF_OPT_BIT(VERBOSE) |
		HF_OPT_EVERYWHERE,
	.run = run_tree,
};
