/* SPDX-License-Identifier: MIT */
/*
 * cmd_kill - send a signal to every process of a target; none escapes by forking.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "cmd.h"
#include "procfs.h"
#include "signals.h"
#include "take.h"
#include "target.h"

static int print_json(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_signalled *done)
{
	char shown[HF_TARGET_SHOWN_MAX], name[32], *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int failed, r;

	if (!f)
		return hf_print_failed(cmd->name, ENOMEM);
	fputs("{\"target\":", f);
	failed = hf_json_string(f, hf_target_shown(args, shown));
	fprintf(f, ",\"signal\":%d,\"name\":\"%s\",\"processes\":%zu,\"skipped\":%zu}\n", args->signal,
		hf_signal_name(args->signal, name, sizeof(name)), done->processes, done->skipped);
	failed |= fclose(f);
	r = failed ? hf_print_failed(cmd->name, ENOMEM) : hf_print(cmd->name, text, len);
	free(text);
	return r;
}

static int print_done(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_signalled *done)
{
	char shown[HF_TARGET_SHOWN_MAX], clean[4096], count[HF_COUNT_MAX], name[32];

	if (args->json)
		return print_json(cmd, args, done);
	if (args->quiet)
		return HF_EXIT_DONE;
	hf_clean(hf_target_shown(args, shown), clean, sizeof(clean));
	hf_count(done->processes, "process", count);
	if (args->signal == SIGKILL)
		return hf_print_line(cmd->name, "killed %s: %s", clean, count);
	return hf_print_line(cmd->name, "signalled %s: %s, %s", clean, count,
			     hf_signal_name(args->signal, name, sizeof(name)));
}

static int run_kill(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct hf_take_options opts = hf_take_options_of(args);
	struct hf_error err = HF_ERROR_INIT;
	struct hf_signalled done;
	struct hf_target target;
	char count[HF_COUNT_MAX];
	int r, status = hf_print_possible(cmd->name);

	if (!status)
		status = hf_target_of(cmd, args, &target);
	if (status)
		return status;
	r = hf_target_signal(&target, args->signal, &opts, &done, &err);
	if (r < 0) {
		status = hf_report(cmd->name, &err);
		if (r == -ECANCELED)
			hf_signals_restore();	/* and what cancelled it ends us */
		return status;
	}
	status = print_done(cmd, args, &done);
	if (status)
		hf_say(cmd->name, "the signal was sent all the same");
	if (done.skipped && !args->quiet)
		hf_say(cmd->name, "%s left out, traced by somebody else", hf_count(done.skipped, "thread", count));
	return hf_exit_worse(status, done.skipped ? HF_EXIT_PARTIAL : HF_EXIT_DONE);
}

const struct hf_cmd hf_cmd_kill = {
	.name = "kill",
	.summary = "signal every process of a target; none escapes by forking",
	.usage = "[OPTION...] TARGET",
	.about = "Sends a signal to every process of the target, once to each, while none of\n"
		 "them can run. KILL, the default, is waited for until all have ended; other\n"
		 "signals are taken by all at the same instant. A cgroup is frozen for it and\n"
		 "put back as it was found; of other targets a hold is taken.",
	.examples = "  holdfast kill /sys/fs/cgroup/system.slice/cron.service\n"
		    "  holdfast kill -s TERM pod\n"
		    "  holdfast kill -s USR1 -p 1234\n",
	.operand = HF_OPERAND_TARGET,
	.opts = HF_OPT_TARGET | HF_OPT_BIT(SIGNAL) | HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(ON_TRACED) | HF_OPT_BIT(JSON) |
		HF_OPT_BIT(QUIET) | HF_OPT_EVERYWHERE,
	.run = run_kill,
};
