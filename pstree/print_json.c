/* SPDX-License-Identifier: MIT */
/*
 * print_json - the tree as JSON; holdfast-json(5) is the contract, and every key here is there.
 *
 * The values are made by json-c, but the lists of processes and threads are written one entry at
 * a time: as objects of json-c they would take two kilobytes for every thread.
 *
 * JSON must be UTF-8 (RFC 8259) and names need not be.  A byte that does not fit is shown as \xHH, and
 * then a second key, NAME_hex, has all the bytes.
 */
#include "print.h"

#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "procfs.h"
#include "tree.h"

#define SCHEMA 1

/* ---- Values: failures stick, so that each is looked for once ----------------------------- */

struct maker {
	struct hf_buf text;	/* the string being made */
	bool failed;
};

/* Keys are literals, each put once: nothing is to be copied or looked for. */
#define NEW_LITERAL (JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT)

/* Takes value, which is NULL only when memory was short; JSON's null is put_null(). */
static void put(struct maker *m, json_object *to, const char *key, json_object *value)
{
	if (value && to && json_object_object_add_ex(to, key, value, NEW_LITERAL) == 0)
		return;
	json_object_put(value);
	m->failed = true;
}

static void put_null(struct maker *m, json_object *to, const char *key)
{
	if (!to || json_object_object_add_ex(to, key, NULL, NEW_LITERAL) != 0)
		m->failed = true;
}

static void append(struct maker *m, json_object *to, json_object *value)
{
	if (value && to && json_object_array_add(to, value) == 0)
		return;
	json_object_put(value);
	m->failed = true;
}

static void put_number(struct maker *m, json_object *to, const char *key, int64_t n)
{
	put(m, to, key, json_object_new_int64(n));
}

static void put_unsigned(struct maker *m, json_object *to, const char *key, uint64_t n)
{
	put(m, to, key, json_object_new_uint64(n));
}

/* 0 stands for "none" in our structs, null in JSON. */
static void put_number_or_null(struct maker *m, json_object *to, const char *key, int64_t n)
{
	if (n)
		put_number(m, to, key, n);
	else
		put_null(m, to, key);
}

static void put_word(struct maker *m, json_object *to, const char *key, const char *word)
{
	put(m, to, key, json_object_new_string(word));
}

static json_object *shown(struct maker *m, const char *bytes, size_t len, bool *ret_escaped)
{
	struct hf_writer w = { .out = &m->text };

	m->text.len = 0;
	if (hf_writer_put_utf8(&w, bytes, len))
		*ret_escaped = true;
	return w.failed ? NULL : json_object_new_string_len(m->text.data, (int)m->text.len);
}

static json_object *hex(struct maker *m, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	m->text.len = 0;
	if (hf_buf_reserve(&m->text, 2 * len) < 0)
		return NULL;
	for (i = 0; i < len; i++) {
		m->text.data[2 * i] = digits[(unsigned char)bytes[i] >> 4];
		m->text.data[2 * i + 1] = digits[(unsigned char)bytes[i] & 15];
	}
	return json_object_new_string_len(m->text.data, (int)(2 * len));
}

/* Bytes from the target, with their hex where that is needed; NULL is null. */
static void put_bytes(struct maker *m, json_object *to, const char *key, const char *key_hex,
		      const char *bytes)
{
	bool escaped = false;

	if (!bytes) {
		put_null(m, to, key);
		return;
	}
	put(m, to, key, shown(m, bytes, strlen(bytes), &escaped));
	if (escaped)
		put(m, to, key_hex, hex(m, bytes, strlen(bytes)));
}

static void put_cmdline(struct maker *m, json_object *to, const struct hf_process *p)
{
	json_object *args = json_object_new_array(), *args_hex;
	bool escaped = false;
	size_t at, len;

	for (at = 0; at < p->cmdline_len; at += len + 1) {
		len = strlen(p->cmdline + at);
		append(m, args, shown(m, p->cmdline + at, len, &escaped));
	}
	put(m, to, "cmdline", args);
	if (!escaped)
		return;
	args_hex = json_object_new_array();
	for (at = 0; at < p->cmdline_len; at += len + 1) {
		len = strlen(p->cmdline + at);
		append(m, args_hex, hex(m, p->cmdline + at, len));
	}
	put(m, to, "cmdline_hex", args_hex);
}

static void put_ids(struct maker *m, json_object *to, const char *key, const pid_t *ids, size_t n)
{
	json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < n; i++)
		append(m, array, json_object_new_int64(ids[i]));
	put(m, to, key, array);
}

/* ---- The facts --------------------------------------------------------------------------- */

static void put_time(struct maker *m, json_object *to, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	char date[48], text[64];
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm)) {
		put_null(m, to, "time");
		return;
	}
	snprintf(text, sizeof(text), "%s.%06dZ", date, (int)(us % 1000000));
	put_word(m, to, "time", text);
}

static void put_target(struct maker *m, json_object *to, const struct hf_hold_info *info)
{
	json_object *target = json_object_new_object();

	put_word(m, target, "kind", hf_target_word(info->kind));
	put_bytes(m, target, "path", "path_hex", info->path);
	put_number_or_null(m, target, "version", info->version);
	if (info->path)
		put_word(m, target, "found", hf_freezer_word(info->found));
	else
		put_null(m, target, "found");
	put(m, target, "freezer_changed", json_object_new_boolean(info->freezer_changed));
	if (info->n_pids)
		put_ids(m, target, "pids", info->pids, info->n_pids);
	put(m, to, "target", target);
}

static void put_timing(struct maker *m, json_object *to, const struct hf_timing *t)
{
	json_object *timing = json_object_new_object();

	put_unsigned(m, timing, "freeze", t->freeze);
	put_unsigned(m, timing, "seize", t->seize);
	put_unsigned(m, timing, "thaw", t->thaw);
	put_unsigned(m, timing, "wait", t->wait);
	put_unsigned(m, timing, "collect", t->collect);
	put_unsigned(m, timing, "stopped", t->stopped);
	put(m, to, "timing_us", timing);
}

static void put_counts(struct maker *m, json_object *to, const struct hf_tree_counts *n)
{
	json_object *counts = json_object_new_object();

	put_unsigned(m, counts, "processes", n->processes);
	put_unsigned(m, counts, "threads", n->threads);
	put_unsigned(m, counts, "held", n->held);
	put_unsigned(m, counts, "armed", n->armed);
	put_unsigned(m, counts, "zombies", n->zombies);
	put_unsigned(m, counts, "skipped", n->skipped);
	put_unsigned(m, counts, "died", n->died);
	put_unsigned(m, counts, "restarted", n->restarted);
	put_unsigned(m, counts, "restarted_in_full", n->restarted_in_full);
	put_unsigned(m, counts, "expired", n->expired);
	put_unsigned(m, counts, "left_interrupted", n->left_interrupted);
	put(m, to, "counts", counts);
}

static json_object *head_of(struct maker *m, const struct hf_tree_counts *n,
			    const struct hf_hold_info *info)
{
	json_object *head = json_object_new_object();

	put_number(m, head, "schema", SCHEMA);
	put_word(m, head, "holdfast", HF_VERSION);
	put_time(m, head, info->time_us);
	put_target(m, head, info);
	put_timing(m, head, &info->timing_us);
	put_counts(m, head, n);
	return head;
}

static json_object *thread_of(struct maker *m, const struct hf_thread *t)
{
	json_object *thread = json_object_new_object();

	put_number(m, thread, "tid", t->tid);
	put_ids(m, thread, "nstid", t->nstid, t->n_nstid);
	put_bytes(m, thread, "comm", "comm_hex", t->comm);
	put_word(m, thread, "state", hf_thread_word(t->state));
	put_word(m, thread, "found", hf_state_word(t->found));
	if (t->syscall >= 0)
		put_number(m, thread, "syscall", t->syscall);
	else
		put_null(m, thread, "syscall");
	if (t->wchan)
		put_word(m, thread, "wchan", t->wchan);
	else
		put_null(m, thread, "wchan");
	if (t->waits_for)
		put_number(m, thread, "waits_for", t->waits_for);
	if (t->restart)
		put_word(m, thread, "restart", hf_restart_word(t->restart));
	if (t->io_worker)
		put_word(m, thread, "kind", "io-worker");
	return thread;
}

/* All of a process but its threads and children. */
static json_object *process_of(struct maker *m, const struct hf_process *p)
{
	json_object *process = json_object_new_object();

	put_number(m, process, "pid", p->pid);
	put_number(m, process, "ppid", p->ppid);
	put_ids(m, process, "nspid", p->nspid, p->n_nspid);
	put_number(m, process, "pgid", p->pgid);
	put_number(m, process, "sid", p->sid);
	put_bytes(m, process, "comm", "comm_hex", p->comm);
	put_bytes(m, process, "exe", "exe_hex", p->exe);
	put(m, process, "exe_deleted", json_object_new_boolean(p->exe_deleted));
	put_cmdline(m, process, p);
	put_number(m, process, "uid", p->euid);
	put_number(m, process, "gid", p->egid);
	put_unsigned(m, process, "start_time_ticks", p->start_time_ticks);
	put_bytes(m, process, "cgroup", "cgroup_hex", p->cgroup);
	put_word(m, process, "found", hf_found_word(p->found));
	put_number_or_null(m, process, "stop_signal", p->stop_signal);
	put_number_or_null(m, process, "tracer", p->tracer);
	put_word(m, process, "kind", p->kind == HF_KIND_KTHREAD ? "kthread" : "process");
	return process;
}

static json_object *effect_of(struct maker *m, const struct hf_effect *e)
{
	json_object *effect = json_object_new_object();

	put_word(m, effect, "kind", hf_effect_word(e->kind));
	put_number_or_null(m, effect, "tid", e->tid);
	put_word(m, effect, "text", e->text);
	return effect;
}

/* ---- The document ------------------------------------------------------------------------ */

struct document {
	struct hf_writer *w;
	struct maker maker;
	bool pretty, effects;
	unsigned int level;
	bool empty;		/* nothing yet in the object or array that is open */
};

static void new_line(struct document *d)
{
	unsigned int i;

	if (!d->pretty)
		return;
	hf_writer_put(d->w, "\n");
	for (i = 0; i < d->level; i++)
		hf_writer_put(d->w, "  ");
}

/* Before each member or element. */
static void separate(struct document *d, const char *key)
{
	if (!d->empty)
		hf_writer_put(d->w, ",");
	d->empty = false;
	new_line(d);
	if (key)
		hf_writer_putf(d->w, d->pretty ? "\"%s\": " : "\"%s\":", key);
}

static void begin(struct document *d, const char *bracket)
{
	hf_writer_put(d->w, bracket);
	d->level++;
	d->empty = true;
}

static void end(struct document *d, const char *bracket)
{
	d->level--;
	if (!d->empty)
		new_line(d);
	hf_writer_put(d->w, bracket);
	d->empty = false;
}

/* Lines of json-c begin at the margin; inside strings there is no newline that is not escaped. */
static void write_value(struct document *d, json_object *value)
{
	int layout = d->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
			       : JSON_C_TO_STRING_PLAIN;
	const char *text = json_object_to_json_string_ext(value,
							  layout | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text) {
		d->maker.failed = true;
		return;
	}
	for (;;) {
		size_t len = strcspn(text, "\n");

		hf_writer_put_bytes(d->w, text, len);
		if (!text[len])
			return;
		new_line(d);
		text += len + 1;
	}
}

/* Take value and write it, as a member where there is a key. */
static void write_entry(struct document *d, const char *key, json_object *value)
{
	separate(d, key);
	if (value)
		write_value(d, value);
	else
		d->maker.failed = true;
	json_object_put(value);
}

/* Take an object and write its members into the one that is open. */
static void write_members(struct document *d, json_object *object)
{
	if (!object) {
		d->maker.failed = true;
		return;
	}
	json_object_object_foreach(object, key, value) {
		separate(d, key);
		write_value(d, value);
	}
	json_object_put(object);
}

static void write_process(struct document *d, const struct hf_process *p)
{
	const struct hf_process *child;
	json_object *children = json_object_new_array();
	size_t i;

	separate(d, NULL);
	begin(d, "{");
	write_members(d, process_of(&d->maker, p));
	separate(d, "threads");
	begin(d, "[");
	for (i = 0; i < p->n_threads; i++)
		write_entry(d, NULL, thread_of(&d->maker, &p->threads[i]));
	end(d, "]");
	if (d->effects) {
		separate(d, "effects");
		begin(d, "[");
		for (i = 0; i < p->n_effects; i++)
			write_entry(d, NULL, effect_of(&d->maker, &p->effects[i]));
		end(d, "]");
	}
	for (child = p->first_child; child; child = child->next_sibling)
		append(&d->maker, children, json_object_new_int64(child->pid));
	write_entry(d, "children", children);
	end(d, "}");
}

static void warn(struct maker *m, json_object *to, size_t n, const char *text_one,
		 const char *text_many)
{
	char text[160];

	if (n == 0)
		return;
	snprintf(text, sizeof(text), "%zu %s", n, n == 1 ? text_one : text_many);
	append(m, to, json_object_new_string(text));
}

static json_object *warnings_of(struct maker *m, const struct hf_tree_counts *n,
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
		append(m, warnings, json_object_new_string(
			"somebody else froze or thawed the target, or a cgroup below it, during the hold; it is left as they set it"));
	return warnings;
}

static void write_document(struct document *d, const hf_tree *tree, const struct hf_hold_info *info)
{
	struct hf_tree_counts n = hf_tree_count(tree);
	json_object *roots = json_object_new_array();
	const struct hf_process *p;

	begin(d, "{");
	write_members(d, head_of(&d->maker, &n, info));
	separate(d, "processes");
	begin(d, "[");
	for (p = hf_tree_next(tree, NULL); p; p = hf_tree_next(tree, p))
		write_process(d, p);
	end(d, "]");
	for (p = hf_tree_roots(tree); p; p = p->next_sibling)
		append(&d->maker, roots, json_object_new_int64(p->pid));
	write_entry(d, "roots", roots);
	write_entry(d, "warnings", warnings_of(&d->maker, &n, info));
	end(d, "}");
	hf_writer_put(d->w, "\n");
}

void hf_format_json(const hf_tree *tree, const struct hf_hold_info *info, unsigned int flags,
		    struct hf_writer *w)
{
	struct document d = { .w = w, .pretty = flags & HF_FORMAT_PRETTY, .effects = tree->effects };

	write_document(&d, tree, info);
	if (d.maker.failed)
		w->failed = -ENOMEM;
	hf_buf_done(&d.maker.text);
}
