/* SPDX-License-Identifier: MIT */
/*
 * cmd_why - why: what would stand in the way of a hold, without stopping, freezing or attaching to
 * anybody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "signals.h"
#include "take.h"
#include "target.h"

/* The lines, or the JSON objects, while they are told. */
struct answer {
	FILE *f;
	bool json;
	size_t n;
	int failed;
};

static void add_line(struct answer *a, const struct hf_obstacle *o)
{
	char text[4 * sizeof(((struct hf_error *)NULL)->text)], hold[HF_KEEPER_NAME_MAX + 1];

	hf_clean(o->text, text, sizeof(text));
	fprintf(a->f, "%-8s %s: %s", o->blocks ? "blocks" : "note", hf_obstacle_word(o->kind), text);
	if (hf_kept_by(o->by, hold))
		fprintf(a->f, "; %d keeps hold %s", (int)o->by, hold);
	fputc('\n', a->f);
}

static void add_id(FILE *f, const char *key, pid_t id)
{
	if (id)
		fprintf(f, ",\"%s\":%d", key, (int)id);
	else
		fprintf(f, ",\"%s\":null", key);
}

static void add_object(struct answer *a, const struct hf_obstacle *o)
{
	char hold[HF_KEEPER_NAME_MAX + 1];

	fprintf(a->f, "%s{\"kind\":\"%s\",\"blocks\":%s", a->n ? "," : "", hf_obstacle_word(o->kind),
		o->blocks ? "true" : "false");
	add_id(a->f, "tid", o->tid);
	add_id(a->f, "by", o->by);
	/* Names of holds are letters, digits and signs that need no escape. */
	if (hf_kept_by(o->by, hold))
		fprintf(a->f, ",\"hold\":\"%s\"", hold);
	else
		fputs(",\"hold\":null", a->f);
	fputs(",\"text\":", a->f);
	a->failed |= hf_json_string(a->f, o->text);
	fputc('}', a->f);
}

static void add(const struct hf_obstacle *o, void *data)
{
	struct answer *a = data;

	if (a->json)
		add_object(a, o);
	else
		add_line(a, o);
	a->n++;
}

static void begin(struct answer *a, const char *path)
{
	if (!a->json)
		return;
	fputs("{\"target\":", a->f);
	a->failed |= hf_json_string(a->f, path);
	fputs(",\"obstacles\":[", a->f);
}

static void end(struct answer *a, int blocked)
{
	if (a->json)
		fprintf(a->f, "],\"holdable\":%s}\n", blocked ? "false" : "true");
	else if (a->n == 0)
		fputs("nothing stands in the way\n", a->f);
}

static int run_why(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_take_options opts = hf_take_options_of(args);
	char shown[HF_TARGET_SHOWN_MAX];
	struct hf_target target;
	struct hf_error err = HF_ERROR_INIT;
	struct answer a = { .json = args->json };
	char *text = NULL;
	size_t len = 0;
	int blocked, status = hf_target_of(cmd, args, &target);

	if (status)
		return status;
	/* Nobody is held by us. */
	hf_signals_restore();
	a.f = open_memstream(&text, &len);
	if (!a.f)
		return hf_print_failed(cmd->name, ENOMEM);
	begin(&a, hf_target_shown(args, shown));
	blocked = hf_why(&target, &opts, add, &a, &err);
	end(&a, blocked);
	a.failed |= fclose(a.f);
	if (blocked < 0)
		status = hf_report(cmd->name, &err);
	else if (a.failed)
		status = hf_print_failed(cmd->name, ENOMEM);
	else
		status = hf_exit_worse(hf_print(cmd->name, text, len),
				       blocked ? HF_EXIT_FAILED : HF_EXIT_DONE);
	free(text);
	return status;
}

const struct hf_cmd hf_cmd_why = {
	.name = "why",
	.summary = "tell what would stand in the way of a hold, changing nothing",
	.usage = "[OPTION...] TARGET",
	.about = "Looks at a cgroup as a hold would, and tells everything that would stand in\n"
		 "the way: traced by somebody else, frozen elsewhere, asleep where nothing stops\n"
		 "it, no permission, ourselves inside, kernel threads, half a process. Nobody is\n"
		 "stopped. A line that begins with 'blocks' tells what would make the hold fail\n"
		 "(exit status 1), a 'note' is good to know.",
	.examples = "  holdfast why --unit cron\n"
		    "  holdfast why --on-traced skip --json pod\n",
	.operand = HF_OPERAND_TARGET,
	.opts = HF_OPT_TARGET | HF_OPT_BIT(ON_ARMED) | HF_OPT_BIT(ON_TRACED) |
		HF_OPT_BIT(OUTSIDE) | HF_OPT_BIT(JSON) | HF_OPT_EVERYWHERE,
	.run = run_why,
};
