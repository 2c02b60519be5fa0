/* SPDX-License-Identifier: MIT */
/*
 * cmd - a command of holdfast.  Each cmd_*.c defines its own; the table in main.c is the only list,
 * and help and completion are made from it.
 */
#ifndef HF_CMD_H
#define HF_CMD_H

#include <stdint.h>

#include "options.h"
#include "out.h"
#include "report.h"

enum hf_operand {
	HF_OPERAND_NONE = 0,
	HF_OPERAND_CGROUP,	/* exactly one, by its path, or as that of a unit or a container */
	HF_OPERAND_TARGET,	/* a cgroup as that, or another target by its own option; one kind of them */
	HF_OPERAND_HOLD,	/* the name of a hold that is kept, or --all where that is taken */
	HF_OPERAND_HOLD_TIME,	/* and how long it is to last from now on */
	HF_OPERAND_TARGET_PROGRAM,	/* a target, "--", and a program with its arguments */
	HF_OPERAND_COMMAND,	/* the name of a command, or nothing */
};

struct hf_cmd {
	const char *name;
	const char *alias;	/* a second name it answers to, or NULL */
	const char *summary;	/* one line, no full stop */
	const char *usage;	/* what follows the name */
	const char *about;	/* a paragraph or two, lines broken */
	const char *examples;	/* whole lines, each beginning with two spaces */
	enum hf_operand operand;
	uint64_t opts;		/* HF_OPT_BIT()s */
	int (*run)(const struct hf_cmd *cmd, const struct hf_args *args);
};

extern const struct hf_cmd hf_cmd_tree, hf_cmd_stack, hf_cmd_hold, hf_cmd_run, hf_cmd_kill,
	hf_cmd_list, hf_cmd_show, hf_cmd_extend, hf_cmd_release, hf_cmd_why, hf_cmd_freeze, hf_cmd_thaw, hf_cmd_state,
	hf_cmd_recover, hf_cmd_check, hf_cmd_help;

/* All of them, ended by NULL. */
extern const struct hf_cmd *const hf_cmds[];

/* Whether a command takes an option. */
static inline bool hf_cmd_takes(const struct hf_cmd *cmd, int id)
{
	return cmd->opts & (UINT64_C(1) << id);
}

/* By name or alias; NULL when there is none. */
const struct hf_cmd *hf_cmd_find(const char *name);
/* A command whose name may have been meant, or NULL. */
const struct hf_cmd *hf_cmd_near(const char *name);

/* help.c: all commands; one command (an exit status); the words for the shell's completion. */
int hf_help_all(void);
int hf_help_one(const struct hf_cmd *cmd);
int hf_complete(int argc, char **argv);

#endif
