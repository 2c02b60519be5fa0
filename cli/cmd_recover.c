/* SPDX-License-Identifier: MIT */
/*
 * cmd_recover - recover: find what holders left behind that were killed together with their guards, and put it
 * back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd.h"

/* The lines, or the JSON objects, while they are told. */
struct answer {
	FILE *f;
	bool json;
	size_t n, n_changed;
	int failed;		/* short of memory */
};

static void add_line(struct answer *a, const struct hf_leftover *l)
{
	char text[3 * 8192];

	hf_clean(l->text, text, sizeof(text));
	fprintf(a->f, "%s\n", text);
}

static void add_time(struct answer *a, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	char text[32];

	if (!gmtime_r(&s, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm)) {
		fputs("null", a->f);
		return;
	}
	fprintf(a->f, "\"%s.%06dZ\"", text, (int)(us % 1000000));
}

static const char *state_word(int frozen)
{
	return frozen ? "\"frozen\"" : "\"thawed\"";
}

static void add_object(struct answer *a, const struct hf_leftover *l)
{
	fprintf(a->f, "%s{\"kind\":\"%s\",\"path\":", a->n ? "," : "", hf_leftover_word(l->kind));
	a->failed |= hf_json_string(a->f, l->path);
	if (l->version) {
		fprintf(a->f, ",\"version\":%d,\"found\":%s,\"left\":%s,\"holder\":%d,\"since\":", l->version,
			state_word(l->frozen_found), state_word(l->frozen_left), (int)l->holder);
		add_time(a, l->since_us);
	} else {
		fputs(",\"version\":null,\"found\":null,\"left\":null,\"holder\":null,\"since\":null", a->f);
	}
	fputs(",\"text\":", a->f);
	a->failed |= hf_json_string(a->f, l->text);
	fputc('}', a->f);
}

static void add(const struct hf_leftover *l, void *data)
{
	struct answer *a = data;

	if (a->json)
		add_object(a, l);
	else
		add_line(a, l);
	a->n++;
	a->n_changed += l->kind == HF_LEFTOVER_CHANGED;
}

static int run_recover(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_recover_options opts = HF_RECOVER_OPTIONS_INIT;
	struct hf_error err = HF_ERROR_INIT;
	struct answer a = { .json = args->json };
	char *text = NULL;
	size_t len = 0;
	int changed, status;

	/* What is told is lost when it cannot be written; what is done is not undone for that. */
	a.f = open_memstream(&text, &len);
	if (!a.f)
		return hf_print_failed(cmd->name, ENOMEM);
	opts.dry_run = args->dry_run;
	if (a.json)
		fprintf(a.f, "{\"dry_run\":%s,\"leftovers\":[", args->dry_run ? "true" : "false");
	changed = hf_recover(&opts, add, &a, &err);
	if (a.json)
		fprintf(a.f, "],\"recovered\":%zu}\n", args->dry_run ? 0 : a.n_changed);
	else if (a.n == 0 && changed == 0)
		fputs("nothing was left behind\n", a.f);
	a.failed |= fclose(a.f);
	status = a.failed ? hf_print_failed(cmd->name, ENOMEM) : hf_print(cmd->name, text, len);
	free(text);
	/* Where something stays as it should not, it is 4. */
	if (changed < 0)
		status = hf_exit_worse(status, hf_report(cmd->name, &err));
	return status;
}

const struct hf_cmd hf_cmd_recover = {
	.name = "recover",
	.summary = "put back what a killed holdfast left behind",
	.usage = "[OPTION...]",
	.about = "A holdfast that dies is cleaned up after by its guard. Should both have been\n"
		 "killed, recover finds in their journals which cgroups they left frozen (or\n"
		 "thawed), and puts each back as it was found. What somebody else has frozen or\n"
		 "thawed since, what stays frozen by --on-death stay, and what a living holdfast\n"
		 "looks after is not touched.",
	.examples = "  holdfast recover --dry-run\n"
		    "  holdfast recover --json\n",
	.operand = HF_OPERAND_NONE,
	.opts = HF_OPT_BIT(DRY_RUN) | HF_OPT_BIT(JSON) | HF_OPT_EVERYWHERE,
	.run = run_recover,
};
