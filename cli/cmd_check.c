/* SPDX-License-Identifier: MIT */
/*
 * cmd_check - what this kernel, these mounts and this user can do, and why not.  One line per question:
 * the verdict, what was asked, the reason, and the remedy where there is one.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe.h"
#include "cmd.h"

static const struct {
	const char *what;
	hf_probe *probe;
} questions[] = {
	{ "kernel", hf_probe_kernel },
	{ "freezer v2", hf_probe_freezer_v2 },
	{ "freezer v1", hf_probe_freezer_v1 },
	{ "own cgroup", hf_probe_own_cgroup },
	{ "units", hf_probe_units },
	{ "ptrace", hf_probe_ptrace },
	{ "privilege", hf_probe_privilege },
	{ "seccomp", hf_probe_seccomp },
	{ "yama", hf_probe_yama },
	{ "proc", hf_probe_proc },
	{ "children", hf_probe_children },
	{ "wchan", hf_probe_wchan },
	{ "pid namespace", hf_probe_pid_namespace },
	{ "pid_max", hf_probe_pid_max },
	{ "runtime", hf_probe_runtime },
};
#define N_QUESTIONS (sizeof(questions) / sizeof(*questions))

static const struct {
	const char *word, *colour;
} verdicts[] = {
	[HF_VERDICT_OK] = { "ok", "\033[32m" },
	[HF_VERDICT_LIMITED] = { "limited", "\033[33m" },
	[HF_VERDICT_NO] = { "no", "\033[31m" },
};

void hf_found(struct hf_finding *ret, enum hf_verdict verdict, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	ret->verdict = verdict;
	snprintf(ret->remedy, sizeof(ret->remedy), "%s", remedy ? remedy : "");
	va_start(ap, fmt);
	vsnprintf(ret->reason, sizeof(ret->reason), fmt, ap);
	va_end(ap);
}

static void print_line(FILE *f, const char *what, const struct hf_finding *found, bool colour)
{
	char reason[2 * sizeof(found->reason)];

	hf_clean(found->reason, reason, sizeof(reason));
	fprintf(f, "%s%-7s%s  %s: %s%s%s\n", colour ? verdicts[found->verdict].colour : "",
		verdicts[found->verdict].word, colour ? "\033[0m" : "", what, reason,
		found->remedy[0] ? "; " : "", found->remedy);
}

static int print_object(FILE *f, const char *what, const struct hf_finding *found, bool first)
{
	int failed;

	fputs(first ? "[{\"what\":" : ",{\"what\":", f);
	failed = hf_json_string(f, what);
	fprintf(f, ",\"verdict\":\"%s\",\"reason\":", verdicts[found->verdict].word);
	failed |= hf_json_string(f, found->reason);
	fputs(",\"remedy\":", f);
	if (found->remedy[0])
		failed |= hf_json_string(f, found->remedy);
	else
		fputs("null", f);
	fputc('}', f);
	return failed;
}

static int run_check(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_ability able = { 0 };
	bool colour = hf_colour_wanted(args->colour);
	char *text = NULL;
	size_t i, len = 0;
	FILE *f = open_memstream(&text, &len);
	int status, failed = 0;

	if (!f)
		return hf_print_failed(cmd->name, ENOMEM);
	for (i = 0; i < N_QUESTIONS; i++) {
		struct hf_finding found;

		questions[i].probe(&able, &found);
		if (args->json)
			failed |= print_object(f, questions[i].what, &found, i == 0);
		else
			print_line(f, questions[i].what, &found, colour);
	}
	if (args->json)
		fputs("]\n", f);
	failed |= fclose(f);
	status = failed ? hf_print_failed(cmd->name, ENOMEM) : hf_print(cmd->name, text, len);
	free(text);
	hf_buf_done(&able.buf);
	if (status == HF_EXIT_DONE && !(able.kernel && able.freezer && able.ptrace && able.proc))
		return HF_EXIT_FAILED;
	return status;
}

const struct hf_cmd hf_cmd_check = {
	.name = "check",
	.summary = "tell what this kernel, these mounts and this user can do",
	.usage = "[OPTION...]",
	.about = "Asks the kernel, one line for each question: ok, limited or no, the reason,\n"
		 "and what would help. Changes nothing. Ends with 0 if this user can hold a\n"
		 "cgroup here, else with 1.",
	.examples = "  holdfast check\n"
		    "  sudo holdfast check --json | jq '.[] | select(.verdict != \"ok\")'\n",
	.opts = HF_OPT_BIT(JSON) | HF_OPT_BIT(COLOR) | HF_OPT_BIT(NO_COLOR) | HF_OPT_EVERYWHERE,
	.run = run_check,
};
