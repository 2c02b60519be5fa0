/* SPDX-License-Identifier: MIT */
/*
 * take - see take.h.
 */
#include "take.h"
#include "hold.h"
#include "signals.h"
#include "target.h"

#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct job {
	int (*fn)(void *arg);
	void *arg;
	int status;
};

static void *run_job(void *arg)
{
	struct job *job = arg;

	/*
	 * The first sleep while the freezer is waited for is 20 us, and the kernel adds 50 unless told otherwise (timer slack,
	 * prctl(2)).  Not for the library to set in threads of others.
	 */
	prctl(PR_SET_TIMERSLACK, 1ul);
	job->status = job->fn(job->arg);
	return NULL;
}

int hf_on_own_thread(const char *cmd, int (*fn)(void *arg), void (*meanwhile)(void *arg), void *arg)
{
	struct job job = { fn, arg, HF_EXIT_FAILED };
	pthread_t thread;
	int r = pthread_create(&thread, NULL, run_job, &job);

	if (r) {
		hf_say(cmd, "starting the thread that holds: %s; nothing was changed", strerror(r));
		return HF_EXIT_FAILED;
	}
	if (meanwhile)
		meanwhile(arg);
	pthread_join(thread, NULL);
	return job.status;
}

struct hf_take_options hf_take_options_of(const struct hf_args *args)
{
	struct hf_take_options opts = HF_TAKE_OPTIONS_INIT;

	opts.timeout_ms = args->timeout_ms;
	opts.on_armed = args->on_armed;
	opts.on_traced = args->on_traced;
	opts.on_outside = args->on_outside;
	opts.on_newcomers = args->on_newcomers;
	opts.no_restart = args->no_restart;
	opts.guard_message_fd = STDERR_FILENO;
	opts.cancel_fd = hf_signals_cancel_fd();
	/* The kernel may keep us in a PTRACE_SEIZE beyond every deadline; then better dead. */
	opts.dead_man_ms = HF_DEAD_MAN_STEPS;
	return opts;
}

void hf_take_limit(const struct hf_args *args, bool *ret_limited, unsigned int *ret_ms)
{
	*ret_limited = args->limited || args->kind == HF_TARGET_MACHINE;
	*ret_ms = args->limited ? args->for_ms : HF_MACHINE_LIMIT_MS;
}

struct hf_release_options hf_take_release_options_of(const struct hf_args *args)
{
	struct hf_release_options opts = HF_RELEASE_OPTIONS_INIT;

	opts.timeout_ms = args->timeout_ms;
	opts.leave_armed = 1;
	return opts;
}

int hf_take_status(const struct hf_hold_info *info)
{
	return info->skipped || info->outside || info->blind || info->armed_other ? HF_EXIT_PARTIAL : HF_EXIT_DONE;
}

void hf_take_warn(const struct hf_cmd *cmd, const struct hf_args *args,
		  const struct hf_hold_info *info)
{
	char count[HF_COUNT_MAX];

	if (args->quiet)
		return;
	if (info->skipped)
		hf_say_if_ready(cmd->name, "%s left out, traced by somebody else",
				hf_count(info->skipped, "thread", count));
	if (info->blind)
		hf_say_if_ready(cmd->name, "inside a PID namespace a v1 cgroup does not list threads outside "
				"of it; if there are any, they are not held");
	if (info->outside)
		hf_say_if_ready(cmd->name, "%s outside of the target's cgroups left running",
				hf_count(info->outside, "thread", count));
	if (info->armed_other)
		hf_say_if_ready(cmd->name, "%s armed but not stopped: asleep in the kernel, where "
				"registers cannot be read", hf_count(info->armed_other, "thread", count));
}

size_t hf_take_held_line(const char *name, size_t processes, const struct hf_hold_info *info,
			 char ret[HF_HELD_LINE_MAX])
{
	char many[HF_COUNT_MAX], threads[HF_COUNT_MAX], armed[32] = "";

	if (info->armed)
		snprintf(armed, sizeof(armed), " (%zu armed)", info->armed);
	return (size_t)snprintf(ret, HF_HELD_LINE_MAX, "held %s: %s, %s%s, stopped after %.1f ms\n", name,
				hf_count(processes, "process", many),
				hf_count(info->held + info->armed, "thread", threads), armed,
				(double)info->timing_us.stopped / 1e3);
}

void hf_take_tell(const struct hf_cmd *cmd, const struct hf_args *args,
		  const struct hf_hold_info *info)
{
	const struct hf_timing *t = &info->timing_us;
	const struct {
		const char *word;
		uint64_t us;
	} steps[] = {
		{ "freeze", t->freeze }, { "seize", t->seize }, { "thaw", t->thaw },
		{ "wait", t->wait }, { "collect", t->collect }, { "release", t->release },
	};
	char span[HF_SPAN_MAX], line[256] = "", threads[HF_COUNT_MAX], levels[HF_COUNT_MAX];
	char where[HF_COUNT_MAX + 16] = "";
	size_t i, used = 0;

	if (!args->verbose)
		return;
	if (info->version)
		snprintf(where, sizeof(where), " (v%d): %s", info->version,
			 hf_count(info->levels, "cgroup", levels));
	hf_say_if_ready(cmd->name, "%s%s, %s: %zu held, %zu armed, %zu skipped, %zu died", info->target,
			where, hf_count(info->threads, "thread", threads), info->held, info->armed,
			info->skipped, info->died);
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i].us && used < sizeof(line))
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s %s",
						 used ? ", " : "", steps[i].word,
						 hf_span(steps[i].us, span));
	if (info->exec_thaws)
		hf_say_if_ready(cmd->name, "thawed %s in between: a multi-threaded exec had to end first",
				hf_count(info->exec_thaws, "time", levels));
	hf_say_if_ready(cmd->name, "stopped for %s: %s", hf_span(t->stopped, span), line);
}

/* The first few tids of those, " 12 13 14 ...". */
static void list_restarted_in_full(const hf_hold *hold, char *ret, size_t cap)
{
	const struct hf_task_set *set = hf_hold_tasks(hold);
	size_t i, n = 0, used = 0;

	ret[0] = '\0';
	for (i = 0; i < set->n && n <= 8; i++) {
		if (set->tasks[i].restart != HF_RESTART_IN_FULL)
			continue;
		if (n++ < 8)
			used += (size_t)snprintf(ret + used, cap - used, " %d", (int)set->tasks[i].tid);
		else
			snprintf(ret + used, cap - used, " ...");
	}
}

void hf_take_tell_restarts(const struct hf_cmd *cmd, const struct hf_args *args, hf_hold *hold)
{
	const struct hf_hold_info *info = hf_hold_info(hold);
	char count[HF_COUNT_MAX], list[160];

	if (!args->verbose || !(info->restarted || info->expired || info->left_interrupted))
		return;
	hf_say_if_ready(cmd->name, "%s restarted, %zu timed out, %zu left to return EINTR",
			hf_count(info->restarted, "interrupted call", count), info->expired,
			info->left_interrupted);
	if (!info->restarted_in_full)
		return;
	list_restarted_in_full(hold, list, sizeof(list));
	hf_say_if_ready(cmd->name, "%s restarted with the whole time-out:%s",
			hf_count(info->restarted_in_full, "thread", count), list);
}

int hf_take_released(const struct hf_cmd *cmd, const struct hf_args *args, int r,
		     const struct hf_hold_info *info, const struct hf_error *err)
{
	char count[HF_COUNT_MAX];

	if (info->freezer_changed && !args->quiet)
		hf_say_if_ready(cmd->name, "somebody else froze or thawed %s during the hold; it was left as "
				"they set it", info->changed_path);

	if (r < 0)
		return hf_report(cmd->name, err);
	if (r > 0 && args->verbose)
		hf_say_if_ready(cmd->name, "%s still asleep in the kernel; the kernel lets go of %s now",
				hf_count((size_t)r, "thread", count), r == 1 ? "it" : "them");
	return HF_EXIT_DONE;
}
