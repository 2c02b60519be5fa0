/* SPDX-License-Identifier: MIT */
/*
 * print - see print.h.
 */
#include "print.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "procfs.h"
#include "tree.h"

static void count_thread(struct hf_tree_counts *n, const struct hf_thread *t)
{
	n->restarted += t->restart == HF_RESTART_CALL || t->restart == HF_RESTART_IN_FULL;
	n->restarted_in_full += t->restart == HF_RESTART_IN_FULL;
	n->expired += t->restart == HF_RESTART_EXPIRED;
	n->left_interrupted += t->restart == HF_RESTART_LEFT;
	switch (t->state) {
	case HF_THREAD_HELD:
		n->held++;
		break;
	case HF_THREAD_ARMED:
		n->armed++;
		break;
	case HF_THREAD_DIED:
		n->died++;
		break;
	case HF_THREAD_SKIPPED:
		n->skipped++;
		break;
	case HF_THREAD_OUTSIDE:
		n->outside++;
		break;
	case HF_THREAD_KERNEL:
	case HF_THREAD_ZOMBIE:
		break;
	}
}

struct hf_tree_counts hf_tree_count(const hf_tree *tree)
{
	struct hf_tree_counts n = { 0 };
	const struct hf_process *p;
	size_t i;

	for (p = hf_tree_next(tree, NULL); p; p = hf_tree_next(tree, p)) {
		n.processes++;
		n.zombies += p->found == HF_FOUND_ZOMBIE;
		for (i = 0; i < p->n_threads; i++)
			count_thread(&n, &p->threads[i]);
	}
	n.threads = n.held + n.armed + n.died;
	return n;
}

const char *hf_found_word(enum hf_found found)
{
	switch (found) {
	case HF_FOUND_RUNNING:
		return "running";
	case HF_FOUND_STOPPED:
		return "stopped";
	case HF_FOUND_ZOMBIE:
		return "zombie";
	case HF_FOUND_DEAD_LEADER:
		return "dead-leader";
	case HF_FOUND_FROZEN:
		return "frozen";
	case HF_FOUND_TRACED:
		return "traced";
	}
	return "unknown";
}

const char *hf_thread_word(enum hf_thread_state state)
{
	switch (state) {
	case HF_THREAD_HELD:
		return "held";
	case HF_THREAD_ARMED:
		return "armed";
	case HF_THREAD_ZOMBIE:
		return "zombie";
	case HF_THREAD_DIED:
		return "died";
	case HF_THREAD_SKIPPED:
		return "skipped";
	case HF_THREAD_OUTSIDE:
		return "outside";
	case HF_THREAD_KERNEL:
		return "kernel";
	}
	return "unknown";
}

const char *hf_target_word(enum hf_target_kind kind)
{
	switch (kind) {
	case HF_TARGET_CGROUP:
		return "cgroup";
	case HF_TARGET_PROCESSES:
		return "processes";
	case HF_TARGET_MACHINE:
		return "machine";
	}
	return "unknown";
}

HF_API const char *hf_effect_word(enum hf_effect_kind kind)
{
	switch (kind) {
	case HF_EFFECT_TIMEOUT:
		return "timeout";
	case HF_EFFECT_INTERRUPTED:
		return "interrupted";
	case HF_EFFECT_DIES:
		return "dies";
	case HF_EFFECT_TIMER:
		return "timer";
	case HF_EFFECT_WATCHDOG:
		return "watchdog";
	case HF_EFFECT_PEERS:
		return "peers";
	}
	return "unknown";
}

const char *hf_restart_word(enum hf_restart restart)
{
	switch (restart) {
	case HF_RESTART_NONE:
		break;
	case HF_RESTART_CALL:
		return "call";
	case HF_RESTART_IN_FULL:
		return "in-full";
	case HF_RESTART_LEFT:
		return "left";
	case HF_RESTART_EXPIRED:
		return "expired";
	}
	return NULL;
}

const char *hf_freezer_word(enum hf_freezer_state state)
{
	switch (state) {
	case HF_FREEZER_THAWED:
		return "thawed";
	case HF_FREEZER_FREEZING:
		return "freezing";
	case HF_FREEZER_FROZEN:
		return "frozen";
	}
	return "unknown";
}

static void put_count(struct hf_writer *w, size_t n, const char *one, const char *many)
{
	hf_writer_putf(w, "%zu %s", n, n == 1 ? one : many);
}

static void put_count_if_any(struct hf_writer *w, size_t n, const char *what)
{
	if (n)
		hf_writer_putf(w, ", %zu %s", n, what);
}

void hf_put_target(struct hf_writer *w, const struct hf_hold_info *info)
{
	if (!info->path) {
		hf_writer_putf(w, "%s: ", info->target);
		return;
	}
	hf_writer_put_shown(w, info->path, strlen(info->path));
	hf_writer_putf(w, " (cgroup v%d", info->version);
	if (info->found != HF_FREEZER_THAWED)
		hf_writer_putf(w, ", found %s", hf_freezer_word(info->found));
	hf_writer_put(w, "): ");
}

void hf_put_stopped(struct hf_writer *w, const struct hf_hold_info *info)
{
	uint64_t us = info->timing_us.stopped, tenths = (us + 50) / 100;
	char span[HF_SPAN_MAX];

	/* Of less than a second in milliseconds always: holds are compared. */
	if (tenths < 10000)
		hf_writer_putf(w, ", stopped for %llu.%llu ms", (unsigned long long)(tenths / 10),
			       (unsigned long long)(tenths % 10));
	else
		hf_writer_putf(w, ", stopped for %s", hf_span(us, span));
}

void hf_put_headline(struct hf_writer *w, const hf_tree *tree, const struct hf_hold_info *info)
{
	struct hf_tree_counts n = hf_tree_count(tree);

	hf_put_target(w, info);
	put_count(w, n.processes, "process", "processes");
	hf_writer_put(w, ", ");
	put_count(w, n.threads, "thread", "threads");
	if (n.held != n.threads)
		hf_writer_putf(w, ", %zu held", n.held);
	put_count_if_any(w, n.armed, "armed");
	put_count_if_any(w, n.died, "died");
	put_count_if_any(w, n.skipped, "skipped");
	put_count_if_any(w, n.zombies, n.zombies == 1 ? "zombie" : "zombies");
	hf_put_stopped(w, info);
}

enum hf_oddity hf_put_thread_oddity(struct hf_writer *w, const struct hf_thread *t)
{
	switch (t->state) {
	case HF_THREAD_HELD:
		return HF_ODD_NOT;
	case HF_THREAD_ARMED:
		if (t->waits_for)
			hf_writer_putf(w, "armed: waits for child %d", (int)t->waits_for);
		else if (t->wchan)
			hf_writer_putf(w, "armed: in %s", t->wchan);
		else
			hf_writer_put(w, "armed");
		return HF_ODD_ALIVE;
	case HF_THREAD_ZOMBIE:
		hf_writer_put(w, "zombie");
		return HF_ODD_DEAD;
	case HF_THREAD_DIED:
		hf_writer_put(w, "died while held");
		return HF_ODD_DEAD;
	case HF_THREAD_SKIPPED:
		hf_writer_put(w, "skipped");
		return HF_ODD_ALIVE;
	case HF_THREAD_OUTSIDE:
		hf_writer_put(w, "outside, runs");
		return HF_ODD_ALIVE;
	case HF_THREAD_KERNEL:
		return HF_ODD_NOT;
	}
	return HF_ODD_NOT;
}

static enum hf_oddity put_found_oddity(struct hf_writer *w, const struct hf_process *p)
{
	char name[32];

	switch (p->found) {
	case HF_FOUND_RUNNING:
		return HF_ODD_NOT;
	case HF_FOUND_STOPPED:
		hf_writer_put(w, "stopped");
		if (p->stop_signal)
			hf_writer_putf(w, " by %s", hf_signal_name(p->stop_signal, name, sizeof(name)));
		return HF_ODD_ALIVE;
	case HF_FOUND_ZOMBIE:
		hf_writer_put(w, "zombie");
		return HF_ODD_DEAD;
	case HF_FOUND_DEAD_LEADER:
		hf_writer_put(w, "dead leader");
		return HF_ODD_DEAD;
	case HF_FOUND_FROZEN:
		hf_writer_put(w, "frozen when found");
		return HF_ODD_ALIVE;
	case HF_FOUND_TRACED:
		hf_writer_putf(w, "traced by %d", (int)p->tracer);
		return HF_ODD_ALIVE;
	}
	return HF_ODD_NOT;
}

/* A first thread that is skipped, or dead before the others, has been said in other words. */
static bool adds_to(const struct hf_process *p, const struct hf_thread *t)
{
	return t->tid == p->pid &&
	       (t->state == HF_THREAD_ARMED || t->state == HF_THREAD_DIED || t->state == HF_THREAD_OUTSIDE);
}

enum hf_oddity hf_put_process_oddity(struct hf_writer *w, const struct hf_process *p)
{
	enum hf_oddity odd = put_found_oddity(w, p), more;

	if (p->kind == HF_KIND_KTHREAD) {
		hf_writer_put(w, odd ? ", kernel thread" : "kernel thread");
		odd = odd ? odd : HF_ODD_ALIVE;
	}
	if (p->n_threads == 0 || !adds_to(p, &p->threads[0]))
		return odd;
	if (odd)
		hf_writer_put(w, ", ");
	more = hf_put_thread_oddity(w, &p->threads[0]);
	return more > odd ? more : odd;
}

int hf_tree_format_with(const hf_tree *tree, const struct hf_hold_info *info, enum hf_format format,
			unsigned int flags, char **ret_text, size_t *ret_len, struct hf_error *err)
{
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };

	switch (format) {
	case HF_FORMAT_TEXT:
		hf_format_text(tree, info, flags, &w);
		break;
	case HF_FORMAT_JSON:
		if (tree->brief)
			return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "formatting: a brief tree has not what JSON tells");
		hf_format_json(tree, info, flags, &w);
		break;
	case HF_FORMAT_DOT:
		hf_format_dot(tree, info, &w);
		break;
	default:	/* the number comes from a caller, who may be newer than we are */
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "formatting: unknown format %d",
			       (int)format);
	}
	if (w.failed) {
		hf_buf_done(&buf);
		return hf_fail(err, -w.failed, HF_STAGE_NONE, 0, "formatting the process tree: %s",
			       strerror(-w.failed));
	}
	*ret_text = buf.data;
	if (ret_len)
		*ret_len = buf.len;
	return 0;
}

HF_API int hf_tree_format(const hf_tree *tree, hf_hold *hold, enum hf_format format,
			  unsigned int flags, char **ret_text, size_t *ret_len, struct hf_error *err)
{
	if (!tree || !hold)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "formatting: a tree, and the hold that it is of, are needed");
	return hf_tree_format_with(tree, hf_hold_info(hold), format, flags, ret_text, ret_len, err);
}
