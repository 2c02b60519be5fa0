/* SPDX-License-Identifier: MIT */
/*
 * keep - see keep.h.
 */
#include "keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "hold.h"
#include "own.h"
#include "signals.h"
#include "take.h"

/*
 * A holdfast that is stopped (kill -STOP) or hangs cannot obey --for itself: this long after its time the guard
 * ends it.
 */
#define DEAD_MAN_MS 1000

/* Newcomers raise no signal: they are looked for this often. */
#define LOOK_EVERY_MS 1000

int hf_keep_open(struct hf_keep *k, const struct hf_cmd *cmd, const struct hf_args *args)
{
	k->cmd = cmd;
	k->args = args;
	hf_take_limit(args, &k->limited, &k->for_ms);
	k->signals = hf_signals_open();
	if (k->limited)
		k->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (k->signals >= 0 && (!k->limited || k->timer >= 0))
		return HF_EXIT_DONE;
	hf_say(cmd->name, "preparing to wait for signals and the time: %s; nothing was changed",
	       strerror(k->signals < 0 ? -k->signals : errno));
	return HF_EXIT_FAILED;
}

void hf_keep_done(struct hf_keep *k)
{
	hf_own_close(&k->signals);
	hf_own_close(&k->timer);
	free(k->told);
	*k = (struct hf_keep)HF_KEEP_INIT;
}

struct hf_take_options hf_keep_take_options(const struct hf_keep *k)
{
	struct hf_take_options opts = hf_take_options_of(k->args);

	opts.on_death = k->args->on_death;
	if (k->limited)
		opts.dead_man_ms = k->for_ms + DEAD_MAN_MS;
	return opts;
}

int hf_keep_start(struct hf_keep *k, hf_hold *hold)
{
	struct itimerspec when = { .it_value = { .tv_sec = k->for_ms / 1000,
						 .tv_nsec = k->for_ms % 1000 * 1000000L } };

	k->hold = hold;
	if (k->timer < 0)
		return 0;
	if (k->for_ms == 0)
		when.it_value.tv_nsec = 1;	/* zero would disarm it */
	return timerfd_settime(k->timer, 0, &when, NULL) < 0 ? -errno : 0;
}

/* ---- Looking after it ------------------------------------------------------------------- */

/* Whether this death is new; notes it.  Short of memory, a death may be told twice. */
static bool newly_dead(struct hf_keep *k, const struct hf_task_set *set, size_t i)
{
	if (set->tasks[i].state != HF_TASK_DIED)
		return false;
	if (set->n > k->n_told) {
		unsigned char *told = realloc(k->told, set->n);

		if (!told)
			return true;
		memset(told + k->n_told, 0, set->n - k->n_told);
		k->told = told;
		k->n_told = set->n;
	}
	if (k->told[i])
		return false;
	k->told[i] = 1;
	return true;
}

static void tell_deaths(struct hf_keep *k)
{
	const struct hf_task_set *set = hf_hold_tasks(k->hold);
	char list[128] = "", count[HF_COUNT_MAX];
	size_t i, dead = 0, used = 0;

	for (i = 0; i < set->n; i++) {
		if (!newly_dead(k, set, i))
			continue;
		if (dead++ < 8)
			used += (size_t)snprintf(list + used, sizeof(list) - used, " %d",
						 (int)set->tasks[i].tid);
	}
	if (dead == 1)
		hf_say_if_ready(k->cmd->name, "thread%s died while held", list);
	else if (dead)
		hf_say_if_ready(k->cmd->name, "%s died while held:%s%s",
				hf_count(dead, "thread", count), list, dead > 8 ? " ..." : "");
}

void hf_keep_tell_newcomers(struct hf_keep *k, const struct hf_hold_info *info)
{
	char count[HF_COUNT_MAX];

	if (info->newcomers > k->newcomers && !k->newcomers_expected && !k->args->quiet)
		hf_say_if_ready(k->cmd->name, "%s came into the cgroup during the hold, and %s not held",
				hf_count(info->newcomers, "thread", count), info->newcomers == 1 ? "is" : "are");
	k->newcomers = info->newcomers;
}

void hf_keep_attend(struct hf_keep *k)
{
	struct hf_error err = HF_ERROR_INIT;

	if (hf_hold_attend(k->hold, &err) < 0)
		hf_say_if_ready(k->cmd->name, "%s", err.text);
	if (k->args->quiet)
		return;
	tell_deaths(k);
	hf_keep_tell_newcomers(k, hf_hold_info(k->hold));
}

enum hf_keep_news hf_keep_wait(struct hf_keep *k, struct pollfd *also)
{
	struct pollfd fds[] = {
		{ .fd = k->signals, .events = POLLIN },
		{ .fd = k->timer, .events = POLLIN },
		*also,
	};
	int r = poll(fds, 3, LOOK_EVERY_MS);

	also->revents = r > 0 ? fds[2].revents : 0;
	if (r == 0)
		hf_keep_attend(k);
	if (r <= 0)
		return HF_KEEP_NOTHING;
	if (fds[0].revents)
		return HF_KEEP_SIGNALS;
	return fds[1].revents ? HF_KEEP_TIME : HF_KEEP_NOTHING;
}
