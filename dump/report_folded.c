/* SPDX-License-Identifier: MIT */
/*
 * report_folded - one line for each different stack, as flamegraph.pl and its like read them: the process, then the
 * frames from the outermost to the innermost, separated by ";", a space, and how many threads.
 */
#include <errno.h>
#include <stdlib.h>

#include "report.h"

struct folding {
	const char **names;	/* innermost first */
	size_t n;
};

/* ";" separates frames and a newline lines, whatever a name holds. */
static void put_name(struct hf_writer *w, const char *name)
{
	const char *semicolon;

	while ((semicolon = strchr(name, ';'))) {
		hf_writer_put_shown(w, name, (size_t)(semicolon - name));
		hf_writer_put(w, ":");
		name = semicolon + 1;
	}
	hf_writer_put_shown(w, name, strlen(name));
}

static void note_name(const struct hf_frame *f, void *data)
{
	struct folding *folding = data;

	folding->names[folding->n++] = f->name ? f->name : f->file ? f->file : "[no file]";
}

static char *fold(const struct hf_stacks *s, const struct hf_kind *kind, void *arg)
{
	const struct hf_stack *is = &kind->threads[0]->is;
	struct folding *folding = arg;
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };

	folding->n = 0;
	hf_stack_frames(s, is, note_name, folding);
	put_name(&w, is->process[0] ? is->process : "[no name]");
	/* In the place of the frames that are missing, so that nobody takes the next one for the outermost. */
	if (is->n_frames == 0)
		hf_writer_put(&w, ";[no frames]");
	else if (is->end != HF_STACK_END_OUTERMOST)
		hf_writer_put(&w, ";[incomplete]");
	while (folding->n > 0) {
		hf_writer_put(&w, ";");
		put_name(&w, folding->names[--folding->n]);
	}
	if (w.failed)
		hf_buf_done(&buf);
	return buf.data;
}

static void put_line(struct hf_writer *w, const char *text, size_t n)
{
	hf_writer_put(w, text);
	hf_writer_putf(w, " %zu\n", n);
}

void hf_report_folded(const struct hf_stacks *s, const struct hf_kinds *kinds, struct hf_writer *w)
{
	struct folding folding = { calloc(s->walker.n + 1, sizeof(*folding.names)), 0 };

	if (folding.names)
		hf_report_counted(s, kinds, fold, &folding, put_line, w);
	else
		w->failed = -ENOMEM;
	free(folding.names);
}
