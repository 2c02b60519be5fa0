/* SPDX-License-Identifier: MIT */
/*
 * report_json - stacks as JSON; holdfast-json(5) is the contract, and every key here is there.
 */
#include <errno.h>
#include <stdio.h>

#include "json_maker.h"
#include "print.h"
#include "procfs.h"
#include "report.h"

#define SCHEMA 1

static json_object *counts_of(struct hf_json_maker *m, const struct hf_stacks *s, const struct hf_kinds *kinds)
{
	json_object *counts = json_object_new_object();

	hf_json_put_unsigned(m, counts, "processes", s->n_processes);
	hf_json_put_unsigned(m, counts, "threads", s->n_threads);
	hf_json_put_unsigned(m, counts, "stacks", kinds->n);
	hf_json_put_unsigned(m, counts, "incomplete", hf_stack_incomplete(s));
	return counts;
}

static json_object *head_of(struct hf_json_maker *m, const struct hf_stacks *s, const struct hf_kinds *kinds,
			    const struct hf_hold_info *info)
{
	json_object *head = json_object_new_object();

	hf_json_put_number(m, head, "schema", SCHEMA);
	hf_json_put_word(m, head, "holdfast", HF_VERSION);
	hf_json_put_time(m, head, info->time_us);
	hf_json_put_target(m, head, info);
	hf_json_put_timing(m, head, &info->timing_us);
	hf_json_put(m, head, "counts", counts_of(m, s, kinds));
	return head;
}

static json_object *thread_of(struct hf_json_maker *m, const struct hf_stack *is)
{
	json_object *thread = json_object_new_object();

	hf_json_put_number(m, thread, "pid", is->pid);
	hf_json_put_number(m, thread, "tid", is->tid);
	hf_json_put_bytes(m, thread, "process", "process_hex", is->process);
	hf_json_put_bytes(m, thread, "comm", "comm_hex", is->comm);
	hf_json_put_bytes(m, thread, "wchan", "wchan_hex", is->wchan);
	return thread;
}

/* What all threads of a kind have in common. */
static json_object *common_of(struct hf_json_maker *m, const struct hf_stack *is)
{
	json_object *common = json_object_new_object();
	const char *name = is->syscall >= 0 ? hf_syscall_name(is->syscall) : NULL;

	hf_json_put_word(m, common, "state", hf_thread_word(is->state));
	hf_json_put_word(m, common, "found", hf_state_word(is->found));
	if (is->syscall >= 0)
		hf_json_put_number(m, common, "syscall", is->syscall);
	else
		hf_json_put_null(m, common, "syscall");
	hf_json_put_bytes(m, common, "syscall_name", "syscall_name_hex", name);
	hf_json_put_word(m, common, "end", hf_stack_end_word(is->end));
	hf_json_put_bytes(m, common, "why", "why_hex", is->why);
	return common;
}

static const char *how_word(enum hf_frame_how how)
{
	switch (how) {
	case HF_FRAME_INNERMOST:
		return "registers";
	case HF_FRAME_BY_CFI:
		return "cfi";
	case HF_FRAME_BY_POINTER:
		return "frame-pointer";
	case HF_FRAME_BY_LINK:
		return "link-register";
	}
	return "unknown";
}

/* Numbers of addresses are strings: readers that keep them as doubles would lose bits. */
static void put_address(struct hf_json_maker *m, json_object *to, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
	hf_json_put_word(m, to, key, text);
}

static json_object *frame_of(struct hf_json_maker *m, const struct hf_frame *f)
{
	json_object *frame = json_object_new_object();

	put_address(m, frame, "ip", f->ip);
	hf_json_put_bytes(m, frame, "name", "name_hex", f->name);
	if (f->symbol && strcmp(f->symbol, f->name) != 0)
		hf_json_put_bytes(m, frame, "symbol", "symbol_hex", f->symbol);
	if (f->symbol)
		hf_json_put_unsigned(m, frame, "offset", f->offset);
	hf_json_put_bytes(m, frame, "file", "file_hex", f->file);
	if (f->file_deleted)
		hf_json_put(m, frame, "file_deleted", json_object_new_boolean(true));
	if (f->file_address)
		put_address(m, frame, "file_address", f->file_address);
	if (f->build_id)
		hf_json_put(m, frame, "build_id", hf_json_hex(m, (const char *)f->build_id, f->n_build_id));
	if (f->source) {
		hf_json_put_bytes(m, frame, "source", "source_hex", f->source);
		hf_json_put_number(m, frame, "line", f->line);
	}
	hf_json_put_word(m, frame, "how", how_word(f->how));
	return frame;
}

static void write_frame(const struct hf_frame *f, void *data)
{
	struct hf_json_document *d = data;

	hf_json_write_entry(d, NULL, frame_of(&d->maker, f));
}

static void write_kind(struct hf_json_document *d, const struct hf_stacks *s, const struct hf_kind *kind)
{
	size_t i;

	hf_json_separate(d, NULL);
	hf_json_begin(d, "{");
	hf_json_separate(d, "threads");
	hf_json_begin(d, "[");
	for (i = 0; i < kind->n; i++)
		hf_json_write_entry(d, NULL, thread_of(&d->maker, &kind->threads[i]->is));
	hf_json_end(d, "]");
	hf_json_write_members(d, common_of(&d->maker, &kind->threads[0]->is));
	hf_json_separate(d, "frames");
	hf_json_begin(d, "[");
	hf_stack_frames(s, &kind->threads[0]->is, write_frame, d);
	hf_json_end(d, "]");
	hf_json_end(d, "}");
}

void hf_report_json(const struct hf_stacks *s, const struct hf_kinds *kinds, const struct hf_hold_info *info,
		    unsigned int flags, struct hf_writer *w)
{
	struct hf_json_document d = { .w = w, .pretty = flags & HF_FORMAT_PRETTY };
	size_t i;

	hf_json_begin(&d, "{");
	hf_json_write_members(&d, head_of(&d.maker, s, kinds, info));
	hf_json_separate(&d, "stacks");
	hf_json_begin(&d, "[");
	for (i = 0; i < kinds->n; i++)
		write_kind(&d, s, &kinds->all[i]);
	hf_json_end(&d, "]");
	hf_json_end(&d, "}");
	hf_writer_put(w, "\n");
	if (d.maker.failed)
		w->failed = -ENOMEM;
	hf_buf_done(&d.maker.text);
}
