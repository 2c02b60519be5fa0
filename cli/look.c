/* SPDX-License-Identifier: MIT */
/*
 * look - see look.h.
 */
#include "look.h"

#include <stdlib.h>

#include "err.h"
#include "signals.h"
#include "take.h"
#include "target.h"

/* A look under way. */
struct glance {
	struct hf_look *look;
	struct hf_target target;
	hf_hold *hold;
	struct hf_error err;	/* of the look */
};

/* A hold that has been released gives the facts still. */
static int tell_what_was_seen(struct glance *g)
{
	int r = g->look->released(g->look, hf_hold_info(g->hold), &g->err);

	return r < 0 ? hf_report(g->look->cmd->name, &g->err) : HF_EXIT_DONE;
}

/*
 * On the holder's thread.  Not a word is written before the hold is gone: it could block.  The hold itself is left for
 * what comes after, so that armed threads need not wait for that, if it could be released.
 */
static int take_a_look(void *arg)
{
	struct glance *g = arg;
	const struct hf_cmd *cmd = g->look->cmd;
	const struct hf_args *args = g->look->args;
	struct hf_take_options opts = hf_take_options_of(args);
	struct hf_release_options release = hf_take_release_options_of(args);
	struct hf_error release_err = HF_ERROR_INIT;
	const struct hf_hold_info *info;
	int seen, released, status;

	opts.brief = g->look->brief;
	/* Looking has no deadline of its own, and a large target takes its time. */
	opts.dead_man_ms = args->timeout_ms > HF_TIMEOUT_DEFAULT_MS ? args->timeout_ms : HF_TIMEOUT_DEFAULT_MS;
	if (hf_hold_take(&g->target, &opts, &g->hold, &g->err) < 0)
		return hf_report(cmd->name, &g->err);
	seen = g->look->held(g->look, g->hold, &g->err);
	released = hf_hold_release(g->hold, HF_RELEASE_AS_FOUND, &release, &release_err);
	if (seen < 0 && released >= 0)
		hf_fail_note(&g->err, HF_UNDO_DONE, "everything was released");
	info = hf_hold_info(g->hold);
	hf_take_warn(cmd, args, info);
	hf_take_tell(cmd, args, info);
	hf_take_tell_restarts(cmd, args, g->hold);
	status = hf_exit_worse(hf_take_status(info), hf_take_released(cmd, args, released, info, &release_err));
	if (seen < 0)
		status = hf_exit_worse(status, hf_report(cmd->name, &g->err));
	else if (released < 0)
		status = hf_exit_worse(status, tell_what_was_seen(g));
	if (seen < 0 || released < 0) {
		hf_hold_free(g->hold);
		g->hold = NULL;
	}
	return status;
}

int hf_look_and_print(struct hf_look *look)
{
	struct glance g = { .look = look, .err = HF_ERROR_INIT };
	const char *name = look->cmd->name;
	int status = hf_print_possible(name);

	if (!status)
		status = hf_target_of(look->cmd, look->args, &g.target);
	if (status)
		return status;
	status = hf_on_own_thread(name, take_a_look, NULL, &g);
	hf_signals_restore();
	if (g.hold)
		status = hf_exit_worse(status, tell_what_was_seen(&g));
	hf_hold_free(g.hold);
	if (look->partial)
		status = hf_exit_worse(status, HF_EXIT_PARTIAL);
	if (look->text)
		status = hf_exit_worse(status, hf_print(name, look->text, look->len));
	free(look->text);
	return status;
}
