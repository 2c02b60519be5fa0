/* SPDX-License-Identifier: MIT */
/*
 * print_json - the tree as JSON; holdfast-json(5) is the contract, and every key here is there.
 */
#include "print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "json_maker.h"
#include "procfs.h"
#include "tree.h"

#define SCHEMA 1

static void put_cmdline(struct hf_json_maker *m, json_object *to, const struct hf_process *p)
{
	json_object *args = json_object_new_array(), *args_hex;
	bool escaped = false;
	size_t at, len;

	for (at = 0; at < p->cmdline_len; at += len + 1) {
		len = strlen(p->cmdline + at);
		hf_json_append(m, args, hf_json_shown(m, p->cmdline + at, len, &escaped));
	}
	hf_json_put(m, to, "cmdline", args);
	if (!escaped)
		return;
	args_hex = json_object_new_array();
	for (at = 0; at < p->cmdline_len; at += len + 1) {
		len = strlen(p->cmdline + at);
		hf_json_append(m, args_hex, hf_json_hex(m, p->cmdline + at, len));
	}
	hf_json_put(m, to, "cmdline_hex", args_hex);
}

/* ---- The facts --------------------------------------------------------------------------- */

static void put_counts(struct hf_json_maker *m, json_object *to, const struct hf_tree_counts *n)
{
	json_object *counts = json_object_new_object();

	hf_json_put_unsigned(m, counts, "processes", n->processes);
	hf_json_put_unsigned(m, counts, "threads", n->threads);
	hf_json_put_unsigned(m, counts, "held", n->held);
	hf_json_put_unsigned(m, counts, "armed", n->armed);
	hf_json_put_unsigned(m, counts, "zombies", n->zombies);
	hf_json_put_unsigned(m, counts, "skipped", n->skipped);
	hf_json_put_unsigned(m, counts, "died", n->died);
	hf_json_put_unsigned(m, counts, "restarted", n->restarted);
	hf_json_put_unsigned(m, counts, "restarted_in_full", n->restarted_in_full);
	hf_json_put_unsigned(m, counts, "expired", n->expired);
	hf_json_put_unsigned(m, counts, "left_interrupted", n->left_interrupted);
	hf_json_put(m, to, "counts", counts);
}

static json_object *head_of(struct hf_json_maker *m, const struct hf_tree_counts *n,
			    const struct hf_hold_info *info)
{
	json_object *head = json_object_new_object();

	hf_json_put_number(m, head, "schema", SCHEMA);
	hf_json_put_word(m, head, "holdfast", HF_VERSION);
	hf_json_put_time(m, head, info->time_us);
	hf_json_put_target(m, head, info);
	hf_json_put_timing(m, head, &info->timing_us);
	put_counts(m, head, n);
	return head;
}

static json_object *thread_of(struct hf_json_maker *m, const struct hf_thread *t)
{
	json_object *thread = json_object_new_object();

	hf_json_put_number(m, thread, "tid", t->tid);
	hf_json_put_ids(m, thread, "nstid", t->nstid, t->n_nstid);
	hf_json_put_bytes(m, thread, "comm", "comm_hex", t->comm);
	hf_json_put_word(m, thread, "state", hf_thread_word(t->state));
	hf_json_put_word(m, thread, "found", hf_state_word(t->found));
	if (t->syscall >= 0)
		hf_json_put_number(m, thread, "syscall", t->syscall);
	else
		hf_json_put_null(m, thread, "syscall");
	if (t->wchan)
		hf_json_put_word(m, thread, "wchan", t->wchan);
	else
		hf_json_put_null(m, thread, "wchan");
	if (t->waits_for)
		hf_json_put_number(m, thread, "waits_for", t->waits_for);
	if (t->restart)
		hf_json_put_word(m, thread, "restart", hf_restart_word(t->restart));
	if (t->io_worker)
		hf_json_put_word(m, thread, "kind", "io-worker");
	return thread;
}

/* All of a process but its threads and children. */
static json_object *process_of(struct hf_json_maker *m, const struct hf_process *p)
{
	json_object *process = json_object_new_object();

	hf_json_put_number(m, process, "pid", p->pid);
	hf_json_put_number(m, process, "ppid", p->ppid);
	hf_json_put_ids(m, process, "nspid", p->nspid, p->n_nspid);
	hf_json_put_number(m, process, "pgid", p->pgid);
	hf_json_put_number(m, process, "sid", p->sid);
	hf_json_put_bytes(m, process, "comm", "comm_hex", p->comm);
	hf_json_put_bytes(m, process, "exe", "exe_hex", p->exe);
	hf_json_put(m, process, "exe_deleted", json_object_new_boolean(p->exe_deleted));
	put_cmdline(m, process, p);
	if (p->cmdline_cut)
		hf_json_put(m, process, "cmdline_cut", json_object_new_boolean(true));
	hf_json_put_number(m, process, "uid", p->euid);
	hf_json_put_number(m, process, "gid", p->egid);
	hf_json_put_unsigned(m, process, "start_time_ticks", p->start_time_ticks);
	hf_json_put_bytes(m, process, "cgroup", "cgroup_hex", p->cgroup);
	hf_json_put_word(m, process, "found", hf_found_word(p->found));
	hf_json_put_number_or_null(m, process, "stop_signal", p->stop_signal);
	hf_json_put_number_or_null(m, process, "tracer", p->tracer);
	hf_json_put_word(m, process, "kind", p->kind == HF_KIND_KTHREAD ? "kthread" : "process");
	return process;
}

static json_object *effect_of(struct hf_json_maker *m, const struct hf_effect *e)
{
	json_object *effect = json_object_new_object();

	hf_json_put_word(m, effect, "kind", hf_effect_word(e->kind));
	hf_json_put_number_or_null(m, effect, "tid", e->tid);
	hf_json_put_word(m, effect, "text", e->text);
	return effect;
}

/* ---- The document ------------------------------------------------------------------------ */

static void write_process(struct hf_json_document *d, const struct hf_process *p, bool effects)
{
	const struct hf_process *child;
	json_object *children = json_object_new_array();
	size_t i;

	hf_json_separate(d, NULL);
	hf_json_begin(d, "{");
	hf_json_write_members(d, process_of(&d->maker, p));
	hf_json_separate(d, "threads");
	hf_json_begin(d, "[");
	for (i = 0; i < p->n_threads; i++)
		hf_json_write_entry(d, NULL, thread_of(&d->maker, &p->threads[i]));
	hf_json_end(d, "]");
	if (effects) {
		hf_json_separate(d, "effects");
		hf_json_begin(d, "[");
		for (i = 0; i < p->n_effects; i++)
			hf_json_write_entry(d, NULL, effect_of(&d->maker, &p->effects[i]));
		hf_json_end(d, "]");
	}
	for (child = p->first_child; child; child = child->next_sibling)
		hf_json_append(&d->maker, children, json_object_new_int64(child->pid));
	hf_json_write_entry(d, "children", children);
	hf_json_end(d, "}");
}

static void warn(struct hf_json_maker *m, json_object *to, size_t n, const char *text_one,
		 const char *text_many)
{
	char text[160];

	if (n == 0)
		return;
	snprintf(text, sizeof(text), "%zu %s", n, n == 1 ? text_one : text_many);
	hf_json_append(m, to, json_object_new_string(text));
}

static json_object *warnings_of(struct hf_json_maker *m, const struct hf_tree_counts *n,
				const struct hf_hold_info *info)
{
	json_object *warnings = json_object_new_array();

	warn(m, warnings, info->newcomers,
	     "thread came into the target after it was held, and runs",
	     "threads came into the target after it was held, and run");
	warn(m, warnings, n->skipped,
	     "thread is traced by somebody else and was left alone",
	     "threads are traced by somebody else and were left alone");
	warn(m, warnings, n->outside,
	     "thread is outside of the target's cgroups and was left running",
	     "threads are outside of the target's cgroups and were left running");
	warn(m, warnings, info->kernel, "kernel thread is in the target, and nobody can hold it",
	     "kernel threads are in the target, and nobody can hold them");
	warn(m, warnings, info->armed_other,
	     "armed thread sleeps uninterruptibly: its system call may still finish",
	     "armed threads sleep uninterruptibly: their system calls may still finish");
	warn(m, warnings, n->died,
	     "thread died while it was held", "threads died while they were held");
	if (info->freezer_changed)
		hf_json_append(m, warnings, json_object_new_string(
			"somebody else froze or thawed the target, or a cgroup below it, during the hold; it is left as they set it"));
	return warnings;
}

static void write_document(struct hf_json_document *d, const hf_tree *tree, const struct hf_hold_info *info)
{
	struct hf_tree_counts n = hf_tree_count(tree);
	json_object *roots = json_object_new_array();
	const struct hf_process *p;

	hf_json_begin(d, "{");
	hf_json_write_members(d, head_of(&d->maker, &n, info));
	hf_json_separate(d, "processes");
	hf_json_begin(d, "[");
	for (p = hf_tree_next(tree, NULL); p; p = hf_tree_next(tree, p))
		write_process(d, p, tree->effects);
	hf_json_end(d, "]");
	for (p = hf_tree_roots(tree); p; p = p->next_sibling)
		hf_json_append(&d->maker, roots, json_object_new_int64(p->pid));
	hf_json_write_entry(d, "roots", roots);
	hf_json_write_entry(d, "warnings", warnings_of(&d->maker, &n, info));
	hf_json_end(d, "}");
	hf_writer_put(d->w, "\n");
}

void hf_format_json(const hf_tree *tree, const struct hf_hold_info *info, unsigned int flags,
		    struct hf_writer *w)
{
	struct hf_json_document d = { .w = w, .pretty = flags & HF_FORMAT_PRETTY };

	write_document(&d, tree, info);
	if (d.maker.failed)
		w->failed = -ENOMEM;
	hf_buf_done(&d.maker.text);
}
