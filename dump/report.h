/* SPDX-License-Identifier: MIT */
/*
 * report - stacks as text, as JSON, as folded lines; into memory, never onto a stream.
 *
 *	report.c	what the formats share
 *	report_text.c	for people, as eu-stack(1) prints them; and without ids and addresses, to be compared
 *	report_folded.c	for flame graphs
 *	report_json.c	holdfast-json(5)
 */
#ifndef HF_REPORT_H
#define HF_REPORT_H

#include "kinds.h"
#include "stacks.h"
#include "writer.h"

/* What a frame is called where nothing is known of it: "??". */
const char *hf_report_name(const struct hf_frame *frame);

/*
 * "sleeping in futex (futex_wait_queue)": the state a kind was found in, its system call, and the kernel functions that
 * its threads wait in, as far as they are known and wanted.
 */
void hf_report_kernel_side(struct hf_writer *w, const struct hf_kind *kind, bool waits);

/* The names of its processes, each once: "nginx", "worker-a, worker-b". */
void hf_report_processes(struct hf_writer *w, const struct hf_kind *kind);

/*
 * Make a text of each kind, and put each different one with how many threads have it, sorted.  make returns
 * malloc()ed memory, or NULL when it is short.
 */
typedef char *(*hf_report_make)(const struct hf_stacks *stacks, const struct hf_kind *kind, void *arg);
typedef void (*hf_report_put)(struct hf_writer *w, const char *text, size_t n);
void hf_report_counted(const struct hf_stacks *stacks, const struct hf_kinds *kinds, hf_report_make make, void *arg,
		       hf_report_put put, struct hf_writer *w);

void hf_report_text(const struct hf_stacks *stacks, const struct hf_kinds *kinds, const struct hf_hold_info *info,
		    bool apart, struct hf_writer *w);
void hf_report_normalised(const struct hf_stacks *stacks, const struct hf_kinds *kinds, struct hf_writer *w);
void hf_report_folded(const struct hf_stacks *stacks, const struct hf_kinds *kinds, struct hf_writer *w);
void hf_report_json(const struct hf_stacks *stacks, const struct hf_kinds *kinds, const struct hf_hold_info *info,
		    unsigned int flags, struct hf_writer *w);

#endif
