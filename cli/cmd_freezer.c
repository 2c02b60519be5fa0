/* SPDX-License-Identifier: MIT */
/*
 * cmd_freezer - freeze, thaw, state: the plain freezer of a cgroup, on v1 and v2, waited for.  What
 * freeze leaves behind is what was asked for: nobody undoes it but thaw.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "print.h"
#include "signals.h"
#include "target.h"

/* Which cgroup is meant, into *ret.  An exit status. */
static int find(const struct hf_cmd *cmd, const struct hf_args *args, const char **ret)
{
	struct hf_target target;
	int status = hf_target_of(cmd, args, &target);

	*ret = target.path;
	return status;
}

static int print_json(const struct hf_cmd *cmd, const struct hf_cgroup_state *state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int failed, r;

	if (!f)
		return hf_print_failed(cmd->name, ENOMEM);
	fputs("{\"path\":", f);
	failed = hf_json_string(f, state->path);
	fprintf(f, ",\"version\":%d,\"state\":\"%s\",\"self_frozen\":%s}\n", state->version,
		hf_freezer_word(state->state), state->self_frozen ? "true" : "false");
	failed |= fclose(f);
	r = failed ? hf_print_failed(cmd->name, ENOMEM) : hf_print(cmd->name, text, len);
	free(text);
	return r;
}

static int print_state(const struct hf_cmd *cmd, const struct hf_args *args,
		       const struct hf_cgroup_state *state)
{
	bool inherited = state->state != HF_FREEZER_THAWED && !state->self_frozen;
	char path[2 * sizeof(state->path)];

	if (args->json)
		return print_json(cmd, state);
	hf_clean(state->path, path, sizeof(path));
	return hf_print_line(cmd->name, "%s %s (v%d)%s", hf_freezer_word(state->state), path,
			     state->version, inherited ? ", by an ancestor" : "");
}

static struct hf_freezer_options options_of(const struct hf_args *args)
{
	struct hf_freezer_options opts = HF_FREEZER_OPTIONS_INIT;

	opts.timeout_ms = args->timeout_ms;
	opts.guard_message_fd = STDERR_FILENO;
	opts.cancel_fd = hf_signals_cancel_fd();
	return opts;
}

/* What could not be told shall not be so: status 1 says that everything was undone. */
static int undo_freeze(const struct hf_cmd *cmd, const struct hf_args *args, const char *path,
		       const struct hf_cgroup_state *before)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_freezer_options opts = options_of(args);

	if (before->self_frozen)
		return HF_EXIT_FAILED;
	if (hf_cgroup_thaw(path, &opts, NULL, &err) < 0) {
		hf_report(cmd->name, &err);
		return HF_EXIT_NOT_UNDONE;
	}
	hf_say(cmd->name, "the cgroup was thawed again");
	return HF_EXIT_FAILED;
}

static int run_freeze(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_freezer_options opts = options_of(args);
	struct hf_cgroup_state before, state;
	const char *path;
	int r;

	if (hf_print_possible(cmd->name))
		return HF_EXIT_FAILED;
	r = find(cmd, args, &path);
	if (r)
		return r;
	if (hf_cgroup_state(path, &before, &err) < 0)
		return hf_report(cmd->name, &err);
	r = hf_cgroup_freeze(path, &opts, &state, &err);
	if (r < 0) {
		int status = hf_report(cmd->name, &err);

		if (r == -ECANCELED)
			hf_signals_restore();	/* and what cancelled it ends us */
		return status;
	}
	/*
	 * Too late to be cancelled.  Only who must wait for the reader of that line can still be ended, or nothing
	 * but SIGKILL would; the cgroup stays frozen.
	 */
	if (hf_has_room(STDOUT_FILENO))
		hf_signals_ignore();
	r = print_state(cmd, args, &state);
	return r == HF_EXIT_DONE ? r : undo_freeze(cmd, args, path, &before);
}

static int run_thaw(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_freezer_options opts = options_of(args);
	struct hf_cgroup_state state;
	const char *path;
	int status = find(cmd, args, &path);

	if (status)
		return status;
	if (hf_cgroup_thaw(path, &opts, &state, &err) < 0)
		return hf_report(cmd->name, &err);
	status = print_state(cmd, args, &state);
	if (status)
		hf_say(cmd->name, "the cgroup was thawed all the same");
	return status;
}

static int run_state(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_cgroup_state state;
	const char *path;
	int status = find(cmd, args, &path);

	if (status)
		return status;
	if (hf_cgroup_state(path, &state, &err) < 0)
		return hf_report(cmd->name, &err);
	return print_state(cmd, args, &state);
}

#define WHICH (HF_OPT_BIT(CGROUP) | HF_OPT_BIT(UNIT) | HF_OPT_BIT(USER) | HF_OPT_BIT(CONTAINER))

const struct hf_cmd hf_cmd_freeze = {
	.name = "freeze",
	.alias = "pause",
	.summary = "freeze a cgroup and wait until it is frozen",
	.usage = "[OPTION...] CGROUP",
	.about = "Freezes a cgroup and its descendants with the kernel's freezer alone, and\n"
		 "returns when every member is frozen. It stays frozen until somebody thaws\n"
		 "it. If it does not freeze in time, it is put back to what it was.",
	.examples = "  holdfast freeze /sys/fs/cgroup/pod\n"
		    "  holdfast freeze --timeout 500ms pod\n"
		    "  holdfast freeze --unit cron.service\n",
	.operand = HF_OPERAND_CGROUP,
	.opts = WHICH | HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(JSON) | HF_OPT_EVERYWHERE,
	.run = run_freeze,
};

const struct hf_cmd hf_cmd_thaw = {
	.name = "thaw",
	.alias = "resume",
	.summary = "thaw a cgroup and wait until it is thawed",
	.usage = "[OPTION...] CGROUP",
	.about = "Thaws a cgroup, and reads back that it is thawed: one below a frozen\n"
		 "ancestor cannot be, and the ancestor is named.",
	.examples = "  holdfast thaw /sys/fs/cgroup/pod\n",
	.operand = HF_OPERAND_CGROUP,
	.opts = WHICH | HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(JSON) | HF_OPT_EVERYWHERE,
	.run = run_thaw,
};

const struct hf_cmd hf_cmd_state = {
	.name = "state",
	.summary = "tell whether a cgroup is thawed, freezing or frozen",
	.usage = "[OPTION...] CGROUP",
	.about = "Prints the freezer's state of a cgroup, its ancestors included: thawed,\n"
		 "freezing or frozen is the first word.",
	.examples = "  holdfast state pod\n"
		    "  holdfast state --json /sys/fs/cgroup/freezer/pod\n",
	.operand = HF_OPERAND_CGROUP,
	.opts = WHICH | HF_OPT_BIT(JSON) | HF_OPT_EVERYWHERE,
	.run = run_state,
};
