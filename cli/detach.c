/* SPDX-License-Identifier: MIT */
/*
 * detach - see detach.h.
 */
#include "detach.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "own.h"
#include "signals.h"
#include "take.h"
#include "target.h"

/* What comes before the directory of a cgroup in the words for it. */
#define CGROUP "cgroup "

struct hf_hold_info hf_kept_info(const struct hf_keeper_info *k)
{
	const bool is_cgroup = k->kind == HF_TARGET_CGROUP && strncmp(k->target, CGROUP, strlen(CGROUP)) == 0;

	return (struct hf_hold_info){
		.path = is_cgroup ? k->target + strlen(CGROUP) : NULL, .version = k->version, .found = k->found,
		.freezer_changed = k->freezer_changed,
		.kind = k->kind, .target = k->target, .threads = k->threads, .held = k->held, .armed = k->armed,
		.armed_other = k->armed_other, .skipped = k->skipped, .outside = k->outside, .blind = k->blind,
		.newcomers = k->newcomers, .died = k->died, .time_us = k->held_since_us, .timing_us = { .stopped = k->took_us },
	};
}

/*
 * Until the announcement is out a signal that asks for the end still ends the hold: who was not told of it would not
 * know that it stands.  0, or errno; ECANCELED for such a signal.
 */
static int announce(const char *text, size_t len)
{
	int cancel_fd = hf_signals_cancel_fd();
	struct pollfd fds[] = {
		{ .fd = hf_unblocking(STDOUT_FILENO), .events = POLLOUT },
		{ .fd = cancel_fd > 0 ? cancel_fd : -1, .events = POLLIN },
	};

	while (len) {
		int code = 0;

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return ECANCELED;
		if (fds[0].revents & POLLOUT)
			code = hf_write_some(fds[0].fd, &text, &len);
		else if (fds[0].revents)
			code = EPIPE;
		if (code)
			return code;
	}
	/* It stands and is known: no signal changes that any more. */
	hf_signals_ignore();
	return 0;
}

static void tell_kept(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_keeper_info *k,
		      const struct hf_hold_info *info)
{
	char span[HF_SPAN_MAX];

	hf_take_warn(cmd, args, info);
	hf_take_tell(cmd, args, info);
	if (k->left_ms < 0)
		hf_say_if_ready(cmd->name, "hold %s has no time limit: it stays until 'holdfast release %s'", k->name,
				k->name);
	else if (!args->quiet)
		hf_say_if_ready(cmd->name, "hold %s ends by itself in %s; 'holdfast release %s' ends it sooner", k->name,
				hf_span((uint64_t)(k->left_ms + 500) / 1000 * 1000000, span), k->name);
}

/* An exit status; *ret_code is 0, errno when it could not be announced. */
static int print_kept(const struct hf_cmd *cmd, const struct hf_args *args, hf_keeper *keeper, int *ret_code,
		      struct hf_error *err)
{
	struct hf_keeper_info k;
	struct hf_hold_info info;
	char line[HF_HELD_LINE_MAX], *tree = NULL;
	size_t len = 0;
	int r = hf_keeper_info(keeper, &k, err);

	if (r == 0 && args->json)
		r = hf_keeper_tree(keeper, HF_FORMAT_JSON, 0, &tree, &len, err);
	*ret_code = -r;
	if (r < 0)
		return hf_report(cmd->name, err);
	info = hf_kept_info(&k);
	tell_kept(cmd, args, &k, &info);
	if (!tree)
		len = hf_take_held_line(k.name, k.processes, &info, line);
	*ret_code = announce(tree ? tree : line, len);
	free(tree);
	if (*ret_code == ECANCELED)
		return HF_EXIT_FAILED;
	return *ret_code ? hf_print_failed(cmd->name, *ret_code) : hf_take_status(&info);
}

/* It stands, but whoever asked for it has not been told: undo it. */
static int let_go_kept(const struct hf_cmd *cmd, hf_keeper *keeper)
{
	struct hf_error err = HF_ERROR_INIT;
	int r = hf_keeper_release(keeper, HF_RELEASE_AS_FOUND, NULL, &err);

	/* It may have ended meanwhile, by its time or by somebody else's release. */
	if (r >= 0 || r == -EPIPE) {
		hf_say(cmd->name, "%s", r < 0 ? err.text : "everything was released");
		return HF_EXIT_FAILED;
	}
	hf_say(cmd->name, "the hold could not be released: %s", err.text);
	return HF_EXIT_NOT_UNDONE;
}

int hf_detach(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_target *target)
{
	struct hf_keeper_options kopts = HF_KEEPER_OPTIONS_INIT;
	struct hf_take_options opts = hf_take_options_of(args);
	struct hf_error err = HF_ERROR_INIT;
	char name[HF_NAME_MAX + 1];
	hf_keeper *keeper = NULL;
	unsigned int for_ms;
	bool limited;
	int r, status, code;

	kopts.name = args->name;
	if (!args->name && (args->unit || args->container)) {
		/* The keeper would call it after the cgroup's path, which is all that it knows. */
		hf_target_name(args, NULL, name);
		name[HF_KEEPER_NAME_MAX] = '\0';	/* a unit's may be longer */
		kopts.name = name;
	}
	hf_take_limit(args, &limited, &for_ms);
	if (limited)
		kopts.limit_ms = for_ms ? for_ms : HF_KEEPER_NO_LIMIT;
	opts.on_death = args->on_death;
	r = hf_keeper_start(target, &opts, &kopts, &keeper, &err);
	if (r < 0) {
		status = hf_report(cmd->name, &err);
		if (r == -ECANCELED)
			hf_signals_restore();	/* and what cancelled it ends us */
		return status;
	}
	status = print_kept(cmd, args, keeper, &code, &err);
	if (code)
		status = hf_exit_worse(status, let_go_kept(cmd, keeper));
	hf_keeper_close(keeper);
	if (code == ECANCELED)
		hf_signals_restore();	/* and what cancelled it ends us */
	return status;
}
