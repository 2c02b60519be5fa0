/* SPDX-License-Identifier: MIT */
/*
 * cmd_hold - hold a cgroup until a signal, or for a time, and release it.
 *
 * While it holds it waits in keep.c, and there for room on standard output as well.  A reader who does not
 * read, a stopped terminal or a closed pipe can delay or spoil the `held` line, but never the release.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "detach.h"
#include "err.h"
#include "hold.h"
#include "keep.h"
#include "own.h"
#include "signals.h"
#include "take.h"
#include "target.h"

enum ending {
	ENDING_NONE = 0,	/* go on holding */
	ENDING_ASKED,		/* a signal that means "release" */
	ENDING_TIME,		/* it is over */
	ENDING_SIGNAL,		/* another signal: released, then holdfast dies of it */
	ENDING_OUTPUT,		/* standard output is broken */
	ENDING_ERROR,		/* something failed: released, and told afterwards */
};

struct session {
	const struct hf_cmd *cmd;
	const struct hf_args *args;
	struct hf_target target;
	char name[HF_NAME_MAX + 1];
	struct hf_keep keep;
	int out;			/* standard output, so opened that a terminal does not block either */
	hf_hold *hold;
	enum ending ending;
	int signal;			/* of ENDING_SIGNAL */
	int output_code;		/* of ENDING_OUTPUT */
	struct hf_error err;		/* of ENDING_ERROR */
	char *unsaid;			/* what is left of the announcement, or NULL: there was no memory for it */
	size_t n_unsaid;
	bool cancelled;			/* by a signal, before it stood */
	bool released;
	enum hf_release how;
	uint64_t stopped_us;
};

/* ---- What happens while holding -------------------------------------------------------- */

static void take_signals(struct session *s)
{
	bool changed = false;
	int sig;

	while (s->ending == ENDING_NONE && (sig = hf_signals_next(s->keep.signals))) {
		switch (hf_signal_kind_of(sig)) {
		case HF_SIGNAL_CHILD:
			changed = true;
			break;
		case HF_SIGNAL_JOB:
			hf_say_if_ready(s->cmd->name, "not stopping while it holds; Ctrl-C releases");
			break;
		case HF_SIGNAL_END:
			s->ending = ENDING_ASKED;
			break;
		case HF_SIGNAL_ABORT:
			s->ending = ENDING_SIGNAL;
			s->signal = sig;
			break;
		}
	}
	if (changed && s->ending == ENDING_NONE)
		hf_keep_attend(&s->keep);
}

static void output_broke(struct session *s, int code)
{
	s->ending = ENDING_OUTPUT;
	s->output_code = code;
}

/*
 * Wait for one thing to happen and see to it.  True when standard output is asked for (events) and
 * has room, for PIPE_BUF bytes or without blocking (hf_unblocking()).
 */
static bool wait_once(struct session *s, short events)
{
	struct pollfd out = { .fd = s->out, .events = events };

	switch (hf_keep_wait(&s->keep, &out)) {
	case HF_KEEP_SIGNALS:
		take_signals(s);
		break;
	case HF_KEEP_TIME:
		s->ending = ENDING_TIME;
		break;
	case HF_KEEP_NOTHING:
		break;
	}
	if (s->ending == ENDING_NONE && (out.revents & (POLLERR | POLLHUP | POLLNVAL)))
		output_broke(s, EPIPE);
	return s->ending == ENDING_NONE && (out.revents & POLLOUT);
}

/*
 * Announce the hold while holding: in pieces, each only when there is room for it, the first before
 * anything else may end the hold.  What found no room is said after the release: the line is never left out.
 */
static void write_held(struct session *s, const char *text, size_t len)
{
	bool room = hf_has_room(s->out);

	while (len && s->ending == ENDING_NONE) {
		int code = 0;

		if (room || wait_once(s, POLLOUT))
			code = hf_write_some(s->out, &text, &len);
		room = false;
		if (code)
			output_broke(s, code);
	}
	if (len) {
		s->unsaid = strndup(text, len);
		s->n_unsaid = len;
	}
}

/* ---- The session ----------------------------------------------------------------------- */

static void write_held_line(struct session *s, const struct hf_hold_info *info)
{
	char line[HF_HELD_LINE_MAX];

	write_held(s, line, hf_take_held_line(s->name, hf_hold_count_processes(s->hold), info, line));
}

static void write_held_tree(struct session *s)
{
	hf_tree *tree = NULL;
	char *text = NULL;
	size_t len = 0;
	int r = hf_tree_collect(s->hold, NULL, &tree, &s->err);

	if (r == 0)
		r = hf_tree_format(tree, s->hold, HF_FORMAT_JSON, 0, &text, &len, &s->err);
	hf_tree_free(tree);
	if (r < 0)
		s->ending = ENDING_ERROR;
	else
		write_held(s, text, len);
	free(text);
}

static void keep(struct session *s, const struct hf_hold_info *info)
{
	int r = hf_keep_start(&s->keep, s->hold);

	if (r < 0) {
		hf_fail(&s->err, -r, HF_STAGE_HOLD, 0, "starting the timer: %s", strerror(-r));
		s->ending = ENDING_ERROR;
		return;
	}
	take_signals(s);	/* those that came while the hold was being taken */
	/* --then is how a hold ends that stood. */
	if (s->ending == ENDING_NONE)
		s->how = s->args->then;
	hf_take_warn(s->cmd, s->args, info);
	hf_take_tell(s->cmd, s->args, info);
	if (s->args->json)
		write_held_tree(s);
	else
		write_held_line(s, info);
	while (s->ending == ENDING_NONE)
		wait_once(s, 0);
	if (s->ending != ENDING_ASKED && s->ending != ENDING_TIME)
		s->how = HF_RELEASE_AS_FOUND;
}

static void choose_name(struct session *s, const struct hf_hold_info *info)
{
	if (s->args->name)
		snprintf(s->name, sizeof(s->name), "%s", s->args->name);
	else
		hf_target_name(s->args, info->path, s->name);
}

/* On the holder's thread.  Errors are told once the hold is gone: telling could block. */
static int hold_it(void *arg)
{
	struct session *s = arg;
	struct hf_take_options opts = hf_keep_take_options(&s->keep);
	struct hf_release_options release = hf_take_release_options_of(s->args);
	struct hf_error err = HF_ERROR_INIT;
	struct hf_hold_info info;
	char changed[512];
	int r, status;

	opts.brief = s->args->json ? HF_BRIEF_NO : HF_BRIEF_PROCESSES;
	s->cancelled = hf_hold_take(&s->target, &opts, &s->hold, &err) == -ECANCELED;
	if (!s->hold)
		return hf_report(s->cmd->name, &err);
	info = *hf_hold_info(s->hold);
	status = hf_take_status(&info);
	choose_name(s, &info);
	keep(s, &info);
	r = hf_hold_release(s->hold, s->how, &release, &err);
	s->released = r >= 0;
	info = *hf_hold_info(s->hold);
	snprintf(changed, sizeof(changed), "%s", info.changed_path ? info.changed_path : "");
	info.changed_path = changed;
	s->stopped_us = info.timing_us.stopped;
	hf_take_tell(s->cmd, s->args, &info);
	hf_keep_tell_newcomers(&s->keep, &info);
	hf_take_tell_restarts(s->cmd, s->args, s->hold);
	hf_hold_free(s->hold);

	if (s->ending == ENDING_ERROR) {
		if (s->released)
			hf_fail_note(&s->err, HF_UNDO_DONE, "everything was released");
		status = hf_exit_worse(status, hf_report(s->cmd->name, &s->err));
	}
	return hf_exit_worse(status, hf_take_released(s->cmd, s->args, r, &info, &err));
}

/*
 * The signals that asked for the release, again and again, have been obeyed: they shall not end us before
 * the last line, nor shall one that comes too late.  Only where that line finds no room one that comes later may: a
 * reader who does not read can be left.
 */
static void drop_answered(const struct session *s)
{
	while (s->released && s->ending == ENDING_ASKED && hf_signals_next(s->keep.signals))
		;
	if (s->released && !s->n_unsaid && hf_has_room(STDOUT_FILENO))
		hf_signals_ignore();
}

static int print_released(const struct session *s)
{
	static const char *const left[] = {
		[HF_RELEASE_AS_FOUND] = "",
		[HF_RELEASE_STOPPED] = ", left stopped",
		[HF_RELEASE_DEAD] = ", killed",
	};
	double seconds = (double)s->stopped_us / 1e6;

	if (!s->released)
		return HF_EXIT_DONE;
	if (s->ending == ENDING_OUTPUT) {
		if (!s->args->quiet)
			hf_say(s->cmd->name, "released %s: held for %.1f s", s->name, seconds);
		return hf_print_failed(s->cmd->name, s->output_code);
	}
	if (s->n_unsaid && !s->unsaid)
		return hf_print_failed(s->cmd->name, ENOMEM);
	if (s->n_unsaid && hf_print(s->cmd->name, s->unsaid, s->n_unsaid) != HF_EXIT_DONE)
		return HF_EXIT_FAILED;
	return hf_print_line(s->cmd->name, "released %s: held for %.1f s%s", s->name, seconds,
			     left[s->how]);
}

static int run_hold(const struct hf_cmd *cmd, const struct hf_args *args)
{
	struct session s = { .cmd = cmd, .args = args, .keep = HF_KEEP_INIT };
	int status = hf_print_possible(cmd->name);

	if (!status)
		status = hf_target_of(cmd, args, &s.target);
	if (!status && args->detach)
		return hf_detach(cmd, args, &s.target);
	if (!status)
		status = hf_keep_open(&s.keep, cmd, args);
	if (!status) {
		s.out = hf_unblocking(STDOUT_FILENO);
		status = hf_on_own_thread(cmd->name, hold_it, NULL, &s);
		drop_answered(&s);
	}
	hf_keep_done(&s.keep);
	if (s.cancelled)
		hf_signals_restore();	/* and what cancelled it ends us */
	status = hf_exit_worse(status, print_released(&s));
	free(s.unsaid);
	if (s.ending == ENDING_SIGNAL)
		hf_signals_end_by(s.signal);
	return status;
}

const struct hf_cmd hf_cmd_hold = {
	.name = "hold",
	.summary = "hold until Ctrl-C, a signal or a duration, then release",
	.usage = "[OPTION...] TARGET",
	.about = "Stops every thread of a cgroup and its descendants at one instant and keeps\n"
		 "them stopped. Prints one line when everything is held, and one after the\n"
		 "release. Ctrl-C, SIGTERM and SIGHUP release: that is the normal end. With -d the\n"
		 "hold is kept in the background; list, show, extend and release are for it.",
	.examples = "  holdfast hold --for 10s /sys/fs/cgroup/system.slice/cron.service\n"
		    "  holdfast hold --container web\n"
		    "  holdfast hold --json --for 1s pod | { read -r tree; echo \"$tree\" | jq .roots; cat; }\n"
		    "  holdfast hold --then stop pod\n"
		    "  holdfast hold -d --name suspect --for 1h --pid 4711\n",
	.operand = HF_OPERAND_TARGET,
	.opts = HF_OPT_TARGET | HF_OPT_BIT(FOR) | HF_OPT_BIT(NAME) | HF_OPT_BIT(THEN) |
		HF_OPT_BIT(TIMEOUT) | HF_OPT_BIT(ON_ARMED) | HF_OPT_BIT(ON_TRACED) | HF_OPT_BIT(OUTSIDE) | HF_OPT_BIT(NO_RESTART) | HF_OPT_BIT(ON_DEATH) |
		HF_OPT_BIT(DETACH) | HF_OPT_BIT(NEWCOMERS) |
		HF_OPT_BIT(JSON) | HF_OPT_BIT(COLOR) | HF_OPT_BIT(NO_COLOR) | HF_OPT_BIT(QUIET) |
		HF_OPT_BIT(VERBOSE) | HF_OPT_EVERYWHERE,
	.run = run_hold,
};
