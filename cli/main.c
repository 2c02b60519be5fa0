/* SPDX-License-Identifier: MIT */
/*
 * main - the table of commands, and how one of them is found and run.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "rundir.h"
#include "signals.h"

const struct hf_cmd *const hf_cmds[] = {
	&hf_cmd_tree,
	&hf_cmd_stack,
	&hf_cmd_hold,
	&hf_cmd_list,
	&hf_cmd_show,
	&hf_cmd_extend,
	&hf_cmd_release,
	&hf_cmd_run,
	&hf_cmd_kill,
	&hf_cmd_why,
	&hf_cmd_freeze,
	&hf_cmd_thaw,
	&hf_cmd_state,
	&hf_cmd_recover,
	&hf_cmd_check,
	&hf_cmd_help,
	NULL
};

const struct hf_cmd *hf_cmd_find(const char *name)
{
	size_t i;

	for (i = 0; hf_cmds[i]; i++) {
		const struct hf_cmd *cmd = hf_cmds[i];

		if (strcmp(name, cmd->name) == 0 || (cmd->alias && strcmp(name, cmd->alias) == 0))
			return cmd;
	}
	return NULL;
}

const struct hf_cmd *hf_cmd_near(const char *name)
{
	size_t i;

	for (i = 0; hf_cmds[i]; i++)
		if (hf_near(name, hf_cmds[i]->name) ||
		    (hf_cmds[i]->alias && hf_near(name, hf_cmds[i]->alias)))
			return hf_cmds[i];
	return NULL;
}

static int version(void)
{
	return hf_print_line(NULL, "holdfast %s", hf_version());
}

static int unknown_command(const char *name)
{
	const struct hf_cmd *near = hf_cmd_near(name);

	if (near)
		return hf_usage(NULL, "unknown command '%s'; did you mean '%s'?", name, near->name);
	return hf_usage(NULL, "unknown command '%s'", name);
}

/* Options before the command's name: only those that ask about holdfast itself. */
static int without_command(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return hf_help_all();
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return version();
	return hf_usage(NULL, "unknown option %s; options follow the command's name", word);
}

/* The library passes such a path over; here somebody meant it. */
static int refuse_runtime_dir(void)
{
	const char *dir = secure_getenv(HF_RUNDIR_ENV);

	if (!dir || !dir[0] || dir[0] == '/')
		return HF_EXIT_DONE;
	return hf_usage(NULL, HF_RUNDIR_ENV " takes an absolute path, not '%s'", dir);
}

int main(int argc, char **argv)
{
	const struct hf_cmd *cmd;
	struct hf_args args;
	int r;

	hf_std_open();
	hf_signals_block();
	if (argc < 2)
		return hf_usage(NULL, "which command?");
	if (argv[1][0] == '-')
		return without_command(argv[1]);
	if (strcmp(argv[1], "__complete") == 0)
		return hf_complete(argc - 2, argv + 2);
	cmd = hf_cmd_find(argv[1]);
	if (!cmd)
		return unknown_command(argv[1]);
	r = hf_args_parse(cmd, argc - 1, argv + 1, &args);
	if (r)
		return r;
	if (args.help)
		return hf_help_one(cmd);
	if (args.version)
		return version();
	r = refuse_runtime_dir();
	return r ? r : cmd->run(cmd, &args);
}
