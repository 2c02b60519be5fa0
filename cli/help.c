/* SPDX-License-Identifier: MIT */
/*
 * help - what `help`, `--help` and the shell's completion show, all made from the tables of commands
 * and options.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "own.h"
#include "target.h"

#define HELP_COLUMN 30
#define HELP_WIDTH 80

/* A page is built in memory and then written at once; running out of it is an output error. */
struct page {
	FILE *f;
	char *text;
	size_t len;
};

static bool page_open(struct page *page)
{
	page->f = open_memstream(&page->text, &page->len);
	return page->f != NULL;
}

static int page_show(struct page *page)
{
	int failed = fclose(page->f);
	int r = failed ? hf_print_failed(NULL, ENOMEM) : hf_print(NULL, page->text, page->len);

	free(page->text);
	return r;
}

/* Words from column HELP_COLUMN on, broken at HELP_WIDTH; the cursor is at column `at`. */
static void wrapped(FILE *f, size_t at, const char *text)
{
	if (at + 1 > HELP_COLUMN) {
		fputc('\n', f);
		at = 0;
	}
	fprintf(f, "%*s", (int)(HELP_COLUMN - at), "");
	for (at = HELP_COLUMN; *text;) {
		size_t word = strcspn(text, " ");

		if (at > HELP_COLUMN && at + 1 + word > HELP_WIDTH) {
			fprintf(f, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		} else if (at > HELP_COLUMN) {
			fputc(' ', f);
			at++;
		}
		fwrite(text, 1, word, f);
		at += word;
		text += word + (text[word] == ' ');
	}
	fputc('\n', f);
}

static void show_option(FILE *f, const struct hf_opt *o)
{
	int at = o->letter ? fprintf(f, "  -%c, --%s", o->letter, o->name)
			   : fprintf(f, "      --%s", o->name);

	if (o->arg)
		at += fprintf(f, " %s", o->arg);
	wrapped(f, (size_t)at, o->help);
}

int hf_help_one(const struct hf_cmd *cmd)
{
	struct page page;
	int id;

	if (!page_open(&page))
		return hf_print_failed(NULL, ENOMEM);
	fprintf(page.f, "usage: holdfast %s%s%s\n", cmd->name, *cmd->usage ? " " : "", cmd->usage);
	if (cmd->alias)
		fprintf(page.f, "   or: holdfast %s%s%s\n", cmd->alias, *cmd->usage ? " " : "",
			cmd->usage);
	fprintf(page.f, "\n%s\n\nOptions:\n", cmd->about);
	for (id = 0; id < HF_OPT_COUNT; id++)
		if (hf_cmd_takes(cmd, id))
			show_option(page.f, &hf_opts[id]);
	fprintf(page.f, "\nExamples:\n%s", cmd->examples);
	return page_show(&page);
}

int hf_help_all(void)
{
	struct page page;
	size_t i;

	if (!page_open(&page))
		return hf_print_failed(NULL, ENOMEM);
	fprintf(page.f, "usage: holdfast COMMAND [OPTION...]\n\n"
		"Stop a group of processes at one instant, hold them, see what is held, let them go\n"
		"again.\n\nCommands:\n");
	for (i = 0; hf_cmds[i]; i++)
		fprintf(page.f, "  %-8s %s\n", hf_cmds[i]->name, hf_cmds[i]->summary);
	fprintf(page.f, "\n'holdfast help COMMAND' shows a command's options and examples; "
		"holdfast(1) is the\nmanual.\n");
	return page_show(&page);
}

static int run_help(const struct hf_cmd *cmd, const struct hf_args *args)
{
	const struct hf_cmd *about;

	if (!args->operand)
		return hf_help_all();
	about = hf_cmd_find(args->operand);
	if (about)
		return hf_help_one(about);
	about = hf_cmd_near(args->operand);
	if (about)
		return hf_usage(cmd->name, "no command is called '%s'; did you mean '%s'?",
				args->operand, about->name);
	return hf_usage(NULL, "no command is called '%s'", args->operand);
}

const struct hf_cmd hf_cmd_help = {
	.name = "help",
	.summary = "show the commands, or one of them",
	.usage = "[COMMAND]",
	.about = "Shows what holdfast can do, or what a command does and takes.",
	.examples = "  holdfast help hold\n",
	.operand = HF_OPERAND_COMMAND,
	.opts = HF_OPT_EVERYWHERE,
	.run = run_help,
};

/* ---- Completion ------------------------------------------------------------------------ */

static void complete_options(FILE *f, const struct hf_cmd *cmd)
{
	int id;

	for (id = 0; id < HF_OPT_COUNT; id++) {
		if (!hf_cmd_takes(cmd, id))
			continue;
		fprintf(f, "--%s\n", hf_opts[id].name);
		if (hf_opts[id].letter)
			fprintf(f, "-%c\n", hf_opts[id].letter);
	}
}

/* The words an option's argument may be; one like PATH is given as it is, for the shell to know. */
static void complete_argument(FILE *f, const struct hf_cmd *cmd, const char *option)
{
	char word[32];
	size_t pos = 0;
	int id;

	for (id = 0; id < HF_OPT_COUNT; id++) {
		const struct hf_opt *o = &hf_opts[id];
		bool this = strncmp(option, "--", 2) == 0
			? strcmp(option + 2, o->name) == 0
			: option[0] == '-' && o->letter && option[1] == o->letter && !option[2];

		if (!this || !o->arg || !hf_cmd_takes(cmd, id))
			continue;
		while (hf_choice_next(o->arg, &pos, word, sizeof(word)))
			fprintf(f, "%s\n", word);
	}
}

/* One line for each: a word with a line break in it would be two. */
static void put_word(const char *word, void *data)
{
	if (!strpbrk(word, "\n\r"))
		fprintf(data, "%s\n", word);
}

/* What there is on this machine that the argument may name: units, containers. */
static void complete_found(FILE *f, const struct hf_cmd *cmd, const char *option)
{
	if (!(cmd->opts & HF_OPT_BIT(UNIT)))
		return;
	if (strcmp(option, "-u") == 0 || strcmp(option, "--unit") == 0)
		hf_target_units(false, put_word, f);
	else if (strcmp(option, "-c") == 0 || strcmp(option, "--container") == 0)
		hf_target_containers(put_word, f);
}

/* What stands where no option does; behind "--" a program, of commands that run one. */
static const char *operand_word(const struct hf_cmd *cmd, const char *where)
{
	bool behind = strcmp(where, "--") == 0;

	switch (cmd->operand) {
	case HF_OPERAND_NONE:
		return NULL;
	case HF_OPERAND_COMMAND:
		return behind ? NULL : "COMMAND";
	case HF_OPERAND_HOLD:
	case HF_OPERAND_HOLD_TIME:
		return behind ? NULL : "HOLD";
	case HF_OPERAND_TARGET_PROGRAM:
		return behind ? "PROGRAM" : "PATH";
	case HF_OPERAND_CGROUP:
	case HF_OPERAND_TARGET:
		break;
	}
	return behind ? NULL : "PATH";
}

/*
 * `holdfast __complete` prints the commands; with a command its options; with an option of it as well,
 * what the option's argument may be; with "operand" in place of the option, what the operand is, and with "--" what
 * follows that.  With "found" behind an option whose argument is a NAME or an ID, what of that is here.
 */
int hf_complete(int argc, char **argv)
{
	const struct hf_cmd *cmd = argc > 0 ? hf_cmd_find(argv[0]) : NULL;
	bool operand = argc > 1 && (strcmp(argv[1], "operand") == 0 || strcmp(argv[1], "--") == 0);
	const char *word = cmd && operand ? operand_word(cmd, argv[1]) : NULL;
	struct page page;
	size_t i;

	if (!page_open(&page))
		return hf_print_failed(NULL, ENOMEM);
	for (i = 0; argc == 0 && hf_cmds[i]; i++)
		fprintf(page.f, "%s\n", hf_cmds[i]->name);
	if (cmd && argc == 3 && strcmp(argv[2], "found") == 0)
		complete_found(page.f, cmd, argv[1]);
	else if (cmd && argc == 1)
		complete_options(page.f, cmd);
	else if (word)
		fprintf(page.f, "%s\n", word);
	else if (cmd && !operand)
		complete_argument(page.f, cmd, argv[1]);
	return page_show(&page);
}
