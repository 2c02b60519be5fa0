/* SPDX-License-Identifier: MIT */
/*
 * print - a tree as text, as JSON, as a Graphviz graph; into memory, never onto a stream.
 *
 *	print.c		what all formats say in the same words
 *	print_text.c	drawn like a process tree
 *	print_json.c	holdfast-json(5), with json_maker.c
 *	print_dot.c	Graphviz
 *
 * All that comes from the hold comes in a plain struct hf_hold_info, so that tests can make one up.
 */
#ifndef HF_PRINT_H
#define HF_PRINT_H

#include "holdfast.h"
#include "writer.h"

/* hf_tree_format() without a hold. */
int hf_tree_format_with(const hf_tree *tree, const struct hf_hold_info *info, enum hf_format format,
			unsigned int flags, char **ret_text, size_t *ret_len, struct hf_error *err);

void hf_format_text(const hf_tree *tree, const struct hf_hold_info *info, unsigned int flags,
		    struct hf_writer *w);
void hf_format_json(const hf_tree *tree, const struct hf_hold_info *info, unsigned int flags,
		    struct hf_writer *w);
void hf_format_dot(const hf_tree *tree, const struct hf_hold_info *info, struct hf_writer *w);

/*
 * What is in the tree, as it was collected: a hold that has been released meanwhile holds nobody.
 * threads is held + armed + died.
 */
struct hf_tree_counts {
	size_t processes, threads, held, armed, died, skipped, outside, zombies;
	size_t restarted, restarted_in_full, expired, left_interrupted;
};
struct hf_tree_counts hf_tree_count(const hf_tree *tree);

/* "cgroup", "processes", "machine". */
const char *hf_target_word(enum hf_target_kind kind);
/* "running", "stopped", "zombie", "dead-leader", "frozen", "traced". */
const char *hf_found_word(enum hf_found found);
/* "held", "armed", "zombie", "died", "skipped", "outside", "kernel". */
const char *hf_thread_word(enum hf_thread_state state);
/* "call", "in-full", "left", "expired"; NULL for HF_RESTART_NONE. */
const char *hf_restart_word(enum hf_restart restart);
/* "thawed", "freezing", "frozen". */
const char *hf_freezer_word(enum hf_freezer_state state);

/* The target in words, as a headline begins: "/sys/fs/cgroup/pod (cgroup v2): ". */
void hf_put_target(struct hf_writer *w, const struct hf_hold_info *info);
/* ", stopped for 2.7 ms", or in seconds and longer where it was that long. */
void hf_put_stopped(struct hf_writer *w, const struct hf_hold_info *info);
/* The target and the numbers in one line, without a newline. */
void hf_put_headline(struct hf_writer *w, const hf_tree *tree, const struct hf_hold_info *info);

/* How far something is from plainly running and held. */
enum hf_oddity {
	HF_ODD_NOT = 0,
	HF_ODD_ALIVE,
	HF_ODD_DEAD,
};
/* The words for it, separated by ", "; nothing for HF_ODD_NOT. */
enum hf_oddity hf_put_thread_oddity(struct hf_writer *w, const struct hf_thread *t);
/* Of a process, with what its first thread adds to it. */
enum hf_oddity hf_put_process_oddity(struct hf_writer *w, const struct hf_process *p);

#endif
