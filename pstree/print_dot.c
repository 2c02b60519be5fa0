/* SPDX-License-Identifier: MIT */
/*
 * print_dot - the tree as a Graphviz graph: a node for each process, an edge from parent to child.
 *
 * In a quoted string of the DOT language a backslash begins an escape of labels, a quote ends the
 * string, and an ampersand begins an HTML entity; all else is itself, as long as it is UTF-8.
 */
#include "print.h"

#include <string.h>

static void put_label(struct hf_writer *w, const struct hf_buf *text)
{
	size_t i;

	for (i = 0; i < text->len; i++) {
		switch (text->data[i]) {
		case '"':
			hf_writer_put(w, "\\\"");
			break;
		case '\\':
			hf_writer_put(w, "\\\\");
			break;
		case '&':
			hf_writer_put(w, "&amp;");
			break;
		default:
			hf_writer_put_bytes(w, text->data + i, 1);
		}
	}
}

static const char *look_of(enum hf_oddity odd)
{
	switch (odd) {
	case HF_ODD_NOT:
		break;
	case HF_ODD_ALIVE:
		return ", color=orange";
	case HF_ODD_DEAD:
		return ", color=red, style=dashed";
	}
	return "";
}

/* Lines of a label are put together aside and escaped one by one. */
static void put_node(struct hf_writer *w, const struct hf_process *p, struct hf_buf *line)
{
	struct hf_writer aside = { .out = line };
	enum hf_oddity odd;

	line->len = 0;
	hf_writer_putf(&aside, "%d ", (int)p->pid);
	hf_writer_put_shown(&aside, p->comm, strlen(p->comm));
	hf_writer_putf(w, "\tp%d [label=\"", (int)p->pid);
	put_label(w, line);
	line->len = 0;
	odd = hf_put_process_oddity(&aside, p);
	if (odd != HF_ODD_NOT) {
		hf_writer_put(w, "\\n");
		put_label(w, line);
	}
	if (p->n_threads > 1)
		hf_writer_putf(w, "\\n%zu threads", p->n_threads);
	hf_writer_putf(w, "\"%s];\n", look_of(odd));
	if (p->parent)
		hf_writer_putf(w, "\tp%d -> p%d;\n", (int)p->parent->pid, (int)p->pid);
	if (aside.failed)
		w->failed = aside.failed;
}

void hf_format_dot(const hf_tree *tree, const struct hf_hold_info *info, struct hf_writer *w)
{
	struct hf_buf line = { 0 };
	struct hf_writer aside = { .out = &line };
	const struct hf_process *p;

	hf_put_headline(&aside, tree, info);
	hf_writer_put(w, "digraph holdfast {\n\tgraph [charset=\"UTF-8\", labelloc=t, label=\"");
	put_label(w, &line);
	hf_writer_put(w, "\"];\n\tnode [shape=box];\n");
	for (p = hf_tree_next(tree, NULL); p; p = hf_tree_next(tree, p))
		put_node(w, p, &line);
	hf_writer_put(w, "}\n");
	if (aside.failed)
		w->failed = aside.failed;
	hf_buf_done(&line);
}
