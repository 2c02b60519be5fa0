/* SPDX-License-Identifier: MIT */
/*
 * cmd_kept - list, show, extend, release: the holds that are kept in the background.  These commands hold nobody
 * themselves, so signals need not wait, and a keeper that does not answer can be left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "print.h"
#include "signals.h"

/* ---- One hold ---------------------------------------------------------------------------- */

/* "in 4 min 10 s", "never" */
#define LEFT_MAX (HF_SPAN_MAX + 8)
static const char *left(const struct hf_keeper_info *k, char ret[LEFT_MAX])
{
	char span[HF_SPAN_MAX];

	if (k->left_ms < 0)
		snprintf(ret, LEFT_MAX, "never");
	else
		snprintf(ret, LEFT_MAX, "in %s", hf_span((uint64_t)k->left_ms * 1000, span));
	return ret;
}

#define SINCE_MAX 32
static const char *since(int64_t us, char ret[SINCE_MAX])
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;

	if (!localtime_r(&s, &tm) || !strftime(ret, SINCE_MAX, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(ret, SINCE_MAX, "?");
	return ret;
}

static int add_object(FILE *f, const struct hf_keeper_info *k)
{
	int failed;

	fputs("{\"name\":", f);
	failed = hf_json_string(f, k->name);
	fprintf(f, ",\"kind\":\"%s\",\"target\":", hf_target_word(k->kind));
	failed |= hf_json_string(f, k->target);
	fprintf(f, ",\"keeper\":%d,\"uid\":%u,\"taken_by\":%d,\"taken_by_comm\":", (int)k->keeper,
		(unsigned int)k->uid, (int)k->taken_by);
	failed |= hf_json_string(f, k->taken_by_comm);
	fprintf(f, ",\"held_since_us\":%lld,\"took_us\":%llu,\"stopped_us\":%llu,\"left_ms\":",
		(long long)k->held_since_us, (unsigned long long)k->took_us, (unsigned long long)k->stopped_us);
	if (k->left_ms < 0)
		fputs("null", f);
	else
		fprintf(f, "%lld", (long long)k->left_ms);
	fprintf(f, ",\"processes\":%zu,\"threads\":%zu,\"held\":%zu,\"armed\":%zu,\"skipped\":%zu,\"outside\":%zu"
		",\"died\":%zu,\"newcomers\":%zu,\"freezer_changed\":%s", k->processes, k->threads, k->held, k->armed,
		k->skipped, k->outside, k->died, k->newcomers, k->freezer_changed ? "true" : "false");
	return failed;
}

/* ---- list -------------------------------------------------------------------------------- */

struct listing {
	const struct hf_cmd *cmd;
	FILE *f;
	bool json;
	size_t n;
	int failed;		/* short of memory */
	int status;
};

static void add_row(struct listing *l, const struct hf_keeper_info *k)
{
	char ends[LEFT_MAX], begun[SINCE_MAX], target[2 * sizeof(k->target)];

	if (l->json) {
		if (l->n)
			fputc(',', l->f);
		l->failed |= add_object(l->f, k);
		fputc('}', l->f);
		return;
	}
	if (l->n == 0)
		fprintf(l->f, "%-20s %9s %7s  %-19s  %-14s %s\n", "NAME", "PROCESSES", "THREADS", "SINCE", "ENDS",
			"TARGET");
	hf_clean(k->target, target, sizeof(target));
	fprintf(l->f, "%-20s %9zu %7zu  %-19s  %-14s %s\n", k->name, k->processes, k->held + k->armed,
		since(k->held_since_us, begun), left(k, ends), target);
}

static int list_one(const char *name, void *data)
{
	struct listing *l = data;
	struct hf_error err = HF_ERROR_INIT;
	struct hf_keeper_info k;
	hf_keeper *keeper = NULL;
	int r = hf_keeper_open(name, &keeper, &err);

	if (r == 0)
		r = hf_keeper_info(keeper, &k, &err);
	hf_keeper_close(keeper);
	if (r == 0) {
		add_row(l, &k);
		l->n++;
	} else if (r != -ENOENT && r != -EPIPE) {
		/* One that has just ended is no failure. */
		l->status = hf_report(l->cmd->name, &err);
	}
	return 0;
}

static int run_list(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct listing l = { .cmd = cmd, .json = args->json };
	struct hf_error err = HF_ERROR_INIT;
	char *text = NULL;
	size_t len = 0;
	int r;

	hf_signals_restore();
	l.f = open_memstream(&text, &len);
	if (!l.f)
		return hf_print_failed(cmd->name, ENOMEM);
	if (l.json)
		fputc('[', l.f);
	r = hf_keeper_list(list_one, &l, &err);
	if (l.json)
		fputs("]\n", l.f);
	l.failed |= fclose(l.f);
	if (r < 0)
		l.status = hf_exit_worse(l.status, hf_report(cmd->name, &err));
	r = l.failed ? hf_print_failed(cmd->name, ENOMEM) : hf_print(cmd->name, text, len);
	free(text);
	return hf_exit_worse(l.status, r);
}

/* ---- show -------------------------------------------------------------------------------- */

static int show_text(FILE *f, const struct hf_keeper_info *k, const char *tree)
{
	char ends[LEFT_MAX], begun[SINCE_MAX], span[HF_SPAN_MAX], by[2 * sizeof(k->taken_by_comm)];
	char count[HF_COUNT_MAX];

	hf_clean(k->taken_by_comm, by, sizeof(by));
	fprintf(f, "hold %s: since %s (%s), ends %s\n", k->name, since(k->held_since_us, begun),
		hf_span(k->stopped_us, span), left(k, ends));
	fprintf(f, "taken by process %d (%s) of user %u, kept by process %d\n", (int)k->taken_by, by,
		(unsigned int)k->uid, (int)k->keeper);
	if (k->died)
		fprintf(f, "%s died since\n", hf_count(k->died, "thread", count));
	if (k->newcomers)
		fprintf(f, "%s came since, and %s not held\n", hf_count(k->newcomers, "thread", count),
			k->newcomers == 1 ? "is" : "are");
	if (k->freezer_changed)
		fputs("somebody else has frozen or thawed the cgroup since\n", f);
	fputs(tree, f);
	return 0;
}

static int show_json(FILE *f, const struct hf_keeper_info *k, const char *tree)
{
	int failed = add_object(f, k);

	fprintf(f, ",\"tree\":%.*s}\n", (int)strcspn(tree, "\n"), tree);
	return failed;
}

static int run_show(const struct hf_cmd *cmd, const struct hf_args *args)
{
	unsigned int flags = hf_colour_wanted(args->colour) && !args->json ? HF_FORMAT_COLOUR : 0;
	struct hf_error err = HF_ERROR_INIT;
	struct hf_keeper_info k;
	hf_keeper *keeper = NULL;
	char *tree = NULL, *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int failed = 0, status, r;

	hf_signals_restore();
	r = hf_keeper_open(args->operand, &keeper, &err);
	if (!args->json && !hf_locale_is_utf8())
		flags |= HF_FORMAT_ASCII;
	if (r == 0)
		r = hf_keeper_info(keeper, &k, &err);
	if (r == 0)
		r = hf_keeper_tree(keeper, args->json ? HF_FORMAT_JSON : HF_FORMAT_TEXT, flags, &tree, &len, &err);
	hf_keeper_close(keeper);
	if (r == 0 && f)
		failed = args->json ? show_json(f, &k, tree) : show_text(f, &k, tree);
	failed |= !f || fclose(f);
	if (r < 0)
		status = hf_report(cmd->name, &err);
	else
		status = failed ? hf_print_failed(cmd->name, ENOMEM) : hf_print(cmd->name, text, len);
	free(text);
	free(tree);
	return status;
}

/* ---- extend ------------------------------------------------------------------------------ */

static int run_extend(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *keeper = NULL;
	char span[HF_SPAN_MAX];
	int status, r;

	hf_signals_restore();
	r = hf_keeper_open(args->operand, &keeper, &err);
	if (r == 0)
		r = hf_keeper_extend(keeper, args->for_ms ? args->for_ms : HF_KEEPER_NO_LIMIT, &err);
	hf_keeper_close(keeper);
	if (r < 0)
		return hf_report(cmd->name, &err);
	status = args->for_ms == 0 ?
		 hf_print_line(cmd->name, "extended %s: it ends when it is released, and never by itself", args->operand) :
		 hf_print_line(cmd->name, "extended %s: it ends in %s", args->operand, hf_span(args->for_ms * 1000ull, span));
	if (status)
		hf_say(cmd->name, "hold %s was extended all the same", args->operand);
	return status;
}

/* ---- release ----------------------------------------------------------------------------- */

struct releasing {
	const struct hf_cmd *cmd;
	const struct hf_args *args;
	size_t n;
	int status;
};

static int release_one(const char *name, void *data)
{
	static const char *const how[] = {
		[HF_RELEASE_AS_FOUND] = "", [HF_RELEASE_STOPPED] = ", left stopped", [HF_RELEASE_DEAD] = ", killed",
		[HF_RELEASE_FROZEN] = ", left frozen",
	};
	struct releasing *rel = data;
	struct hf_error err = HF_ERROR_INIT;
	hf_keeper *keeper = NULL;
	uint64_t stopped_us = 0;
	int status, r = hf_keeper_open(name, &keeper, &err);

	if (r == 0)
		r = hf_keeper_release(keeper, rel->args->then, &stopped_us, &err);
	hf_keeper_close(keeper);
	status = r < 0 ? hf_report(rel->cmd->name, &err) :
		 hf_print_line(rel->cmd->name, "released %s: held for %.1f s%s", name, (double)stopped_us / 1e6,
			       how[rel->args->then]);
	if (r >= 0 && status)
		hf_say(rel->cmd->name, "hold %s was released all the same%s", name, how[rel->args->then]);
	rel->n++;
	rel->status = hf_exit_worse(rel->status, status);
	return 0;
}

static int run_release(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct releasing rel = { .cmd = cmd, .args = args };
	struct hf_error err = HF_ERROR_INIT;

	hf_signals_restore();
	if (!args->all) {
		release_one(args->operand, &rel);
		return rel.status;
	}
	if (hf_keeper_list(release_one, &rel, &err) < 0)
		return hf_exit_worse(rel.status, hf_report(cmd->name, &err));
	if (rel.n == 0 && !args->quiet)
		hf_say(cmd->name, "no hold is kept");
	return rel.status;
}

const struct hf_cmd hf_cmd_list = {
	.name = "list",
	.summary = "list the holds that are kept in the background",
	.usage = "[OPTION...]",
	.about = "Lists the holds of this user that were left in the background with hold -d.",
	.examples = "  holdfast list\n"
		    "  holdfast list --json | jq -r '.[].name'\n",
	.operand = HF_OPERAND_NONE,
	.opts = HF_OPT_BIT(JSON) | HF_OPT_EVERYWHERE,
	.run = run_list,
};

const struct hf_cmd hf_cmd_show = {
	.name = "show",
	.summary = "show a hold that is kept: its tree, since when, how long yet",
	.usage = "[OPTION...] NAME",
	.about = "Shows a hold that is kept in the background: since when and by whom, when it\n"
		 "ends by itself, who died or came since, and the tree of its processes.",
	.examples = "  holdfast show suspect\n",
	.operand = HF_OPERAND_HOLD,
	.opts = HF_OPT_BIT(JSON) | HF_OPT_BIT(COLOR) | HF_OPT_BIT(NO_COLOR) | HF_OPT_EVERYWHERE,
	.run = run_show,
};

const struct hf_cmd hf_cmd_extend = {
	.name = "extend",
	.summary = "have a hold that is kept last longer, or end sooner",
	.usage = "[OPTION...] NAME DURATION",
	.about = "From now on the hold lasts for DURATION, and then ends by itself; 0 stands for\n"
		 "no limit.",
	.examples = "  holdfast extend suspect 1h\n",
	.operand = HF_OPERAND_HOLD_TIME,
	.opts = HF_OPT_EVERYWHERE,
	.run = run_extend,
};

const struct hf_cmd hf_cmd_release = {
	.name = "release",
	.summary = "release a hold that is kept",
	.usage = "[OPTION...] NAME | --all",
	.about = "Lets everybody go whom a keeper in the background holds, and ends the keeper:\n"
		 "as they were found, or stopped, killed, or left in a frozen cgroup, where\n"
		 "another tool can attach before they have run one instruction.",
	.examples = "  holdfast release suspect\n"
		    "  holdfast release --frozen pod && criu dump ...\n",
	.operand = HF_OPERAND_HOLD,
	.opts = HF_OPT_BIT(ALL_HOLDS) | HF_OPT_BIT(STOP) | HF_OPT_BIT(KILL) | HF_OPT_BIT(FROZEN) |
		HF_OPT_BIT(QUIET) | HF_OPT_EVERYWHERE,
	.run = run_release,
};
