/* SPDX-License-Identifier: MIT */
/*
 * cmd_tree - hold a cgroup, collect its processes and threads, release it, print them.  Everything is
 * formatted and written after the release: a reader who does not read cannot keep the target
 * stopped.
 */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "err.h"
#include "own.h"
#include "signals.h"
#include "take.h"
#include "target.h"

struct look {
	const struct hf_cmd *cmd;
	const struct hf_args *args;
	struct hf_target target;
	char *text;		/* the tree, once there is one */
	size_t len;
	int status;
	char named[4096];	/* the target in words: outlives the hold */
};

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
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		flags |= HF_FORMAT_ASCII;
	return flags;
}

static int format_tree(struct look *look, const hf_tree *tree, hf_hold *hold, struct hf_error *err)
{
	enum hf_format format = format_of(look->args);

	return hf_tree_format(tree, hold, format, flags_of(look->args, format), &look->text, &look->len, err);
}

/* On the holder's thread.  Not a word is written before the hold is gone: it could block. */
static int take_a_look(void *arg)
{
	struct look *look = arg;
	struct hf_take_options opts = hf_take_options_of(look->args);
	struct hf_release_options release = hf_take_release_options_of(look->args);
	struct hf_error tree_err = HF_ERROR_INIT, release_err = HF_ERROR_INIT;
	struct hf_tree_options tree_opts = HF_TREE_OPTIONS_INIT;
	struct hf_hold_info info;
	hf_hold *hold = NULL;
	hf_tree *tree = NULL;
	int collected, released;
	char changed[512];

	/* Collecting has no deadline of its own. */
	opts.dead_man_ms = look->args->timeout_ms;
	if (hf_hold_take(&look->target, &opts, &hold, &tree_err) < 0)
		return hf_report(look->cmd->name, &tree_err);
	tree_opts.effects = look->args->effects;
	collected = hf_tree_collect(hold, &tree_opts, &tree, &tree_err);
	released = hf_hold_release(hold, HF_RELEASE_AS_FOUND, &release, &release_err);
	if (collected == 0)
		collected = format_tree(look, tree, hold, &tree_err);
	if (collected < 0 && released >= 0)
		hf_fail_note(&tree_err, HF_UNDO_DONE, "everything was released");
	info = *hf_hold_info(hold);
	snprintf(look->named, sizeof(look->named), "%s", info.target);
	info.target = look->named;
	info.path = NULL;
	info.pids = NULL;
	snprintf(changed, sizeof(changed), "%s", info.changed_path ? info.changed_path : "");
	info.changed_path = changed;
	hf_take_tell_restarts(look->cmd, look->args, hold);
	hf_tree_free(tree);
	hf_hold_free(hold);

	hf_take_warn(look->cmd, look->args, &info);
	hf_take_tell(look->cmd, look->args, &info);
	if (collected < 0)
		look->status = hf_report(look->cmd->name, &tree_err);
	look->status = hf_exit_worse(look->status, hf_take_status(&info));
	return hf_exit_worse(look->status,
			     hf_take_released(look->cmd, look->args, released, &info,
					      &release_err));
}

/* Of a hold that is kept in the background, which stays. */
static int print_kept(const struct hf_cmd *cmd, const struct hf_args *args)
{
	enum hf_format format = format_of(args);
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *keeper = NULL;
	char *text = NULL;
	size_t len = 0;
	int status, r = hf_keeper_open(args->hold, &keeper, &err);

	if (r == 0)
		r = hf_keeper_tree(keeper, format, flags_of(args, format), &text, &len, &err);
	hf_keeper_close(keeper);
	status = r < 0 ? hf_report(cmd->name, &err) : hf_print(cmd->name, text, len);
	free(text);
	return status;
}

static int run_tree(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct look look = { .cmd = cmd, .args = args };
	int status = hf_print_possible(cmd->name);

	if (!status && args->hold)
		return print_kept(cmd, args);
	if (!status)
		status = hf_target_of(cmd, args, &look.target);
	if (status)
		return status;
	status = hf_on_own_thread(cmd->name, take_a_look, NULL, &look);
	hf_signals_restore();
	if (look.text)
		status = hf_exit_worse(status, hf_print(cmd->name, look.text, look.len));
	free(look.text);
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
