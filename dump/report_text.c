/* SPDX-License-Identifier: MIT */
/*
 * report_text - stacks for people.  A kind is a line about its threads, and one for each frame, as eu-stack(1)
 * prints them:
 *
 *	999 threads of PID 4711 server: TID 4712, 4713, 4714 and 996 more; sleeping in futex (futex_wait_queue)
 *	#0  0x00007f3a5c0e1b4e futex_wait+0x5e - /usr/lib/libc.so.6
 *
 * Equal threads of different processes are of one kind; addresses are those of its first thread.
 */
#include "print.h"
#include "report.h"

#define NAMED_MAX 8	/* threads of a kind; the others are counted */

static void put_shown(struct hf_writer *w, const char *text)
{
	hf_writer_put_shown(w, text, strlen(text));
}

static size_t count_processes(const struct hf_kind *kind)
{
	size_t i, n = 1;

	for (i = 1; i < kind->n; i++)
		n += kind->threads[i]->is.pid != kind->threads[i - 1]->is.pid;
	return n;
}

static void put_tid(struct hf_writer *w, const struct hf_stack *is)
{
	hf_writer_putf(w, "%d", (int)is->tid);
	if (strcmp(is->comm, is->process) != 0) {
		hf_writer_put(w, " ");
		put_shown(w, is->comm);
	}
}

static void put_tids(struct hf_writer *w, const struct hf_kind *kind)
{
	size_t i;

	for (i = 0; i < kind->n && i < NAMED_MAX; i++) {
		hf_writer_put(w, i ? ", " : "TID ");
		put_tid(w, &kind->threads[i]->is);
	}
	if (i < kind->n)
		hf_writer_putf(w, " and %zu more", kind->n - i);
}

static void put_heading(struct hf_writer *w, const struct hf_kind *kind)
{
	const struct hf_stack *first = &kind->threads[0]->is;
	size_t n = count_processes(kind);

	if (kind->n > 1)
		hf_writer_putf(w, "%zu threads of ", kind->n);
	if (n > 1)
		hf_writer_putf(w, "%zu processes ", n);
	else
		hf_writer_putf(w, "PID %d ", (int)first->pid);
	hf_report_processes(w, kind);
	hf_writer_put(w, ": ");
	put_tids(w, kind);
}

struct lines {
	struct hf_writer *w;
	bool bare;		/* no addresses */
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void put_line(const struct hf_frame *f, void *data)
{
	const struct lines *l = data;
	struct hf_writer *w = l->w;

	hf_writer_putf(w, "#%-2zu ", f->depth);
	if (!l->bare)
		hf_writer_putf(w, "0x%016llx ", (unsigned long long)f->ip);
	put_shown(w, hf_report_name(f));
	if (!l->bare && f->symbol && f->offset)
		hf_writer_putf(w, "+0x%llx", (unsigned long long)f->offset);
	hf_writer_put(w, " - ");
	put_shown(w, !f->file ? "[no file]" : l->bare ? last_part(f->file) : f->file);
	if (!l->bare && f->file_deleted)
		hf_writer_put(w, " (deleted)");
	if (f->source) {
		hf_writer_put(w, " ");
		put_shown(w, l->bare ? last_part(f->source) : f->source);
		hf_writer_putf(w, ":%d", f->line);
	}
	if (f->how == HF_FRAME_BY_POINTER)
		hf_writer_put(w, " (by frame pointer)");
	else if (f->how == HF_FRAME_BY_LINK)
		hf_writer_put(w, " (by link register)");
	hf_writer_put(w, "\n");
}

static void put_end(struct hf_writer *w, const struct hf_stack *is)
{
	if (is->end != HF_STACK_END_OUTERMOST)
		hf_writer_putf(w, "    %s: %s\n", is->n_frames ? "it ends here" : "no frames", is->why ? is->why : "");
}

static void put_kind(struct hf_writer *w, const struct hf_stacks *s, const struct hf_kind *kind, bool apart)
{
	const struct hf_stack *is = &kind->threads[0]->is;
	struct lines lines = { w, false };

	if (apart) {
		hf_writer_put(w, "TID ");
		put_tid(w, is);
	} else {
		put_heading(w, kind);
	}
	hf_writer_put(w, apart ? ": " : "; ");
	hf_report_kernel_side(w, kind, true);
	hf_writer_put(w, "\n");
	hf_stack_frames(s, is, put_line, &lines);
	put_end(w, is);
}

static void put_summary(struct hf_writer *w, const struct hf_stacks *s, const struct hf_kinds *kinds,
			const struct hf_hold_info *info, bool apart)
{
	size_t incomplete = hf_stack_incomplete(s);

	hf_put_target(w, info);
	hf_writer_putf(w, "%zu %s, %zu %s", s->n_processes, s->n_processes == 1 ? "process" : "processes",
		       s->n_threads, s->n_threads == 1 ? "thread" : "threads");
	if (!apart)
		hf_writer_putf(w, ", %zu different %s", kinds->n, kinds->n == 1 ? "stack" : "stacks");
	if (incomplete)
		hf_writer_putf(w, ", %zu incomplete", incomplete);
	hf_put_stopped(w, info);
	hf_writer_put(w, "\n");
}

void hf_report_text(const struct hf_stacks *s, const struct hf_kinds *kinds, const struct hf_hold_info *info,
		    bool apart, struct hf_writer *w)
{
	pid_t pid = 0;
	size_t i;

	put_summary(w, s, kinds, info, apart);
	for (i = 0; i < kinds->n; i++) {
		const struct hf_stack *is = &kinds->all[i].threads[0]->is;

		if (!apart || is->pid != pid)
			hf_writer_put(w, "\n");
		if (apart && is->pid != pid) {
			hf_writer_putf(w, "PID %d - ", (int)is->pid);
			put_shown(w, is->process);
			hf_writer_put(w, "\n");
		}
		pid = is->pid;
		put_kind(w, s, &kinds->all[i], apart);
	}
}

/* ---- To be compared --------------------------------------------------------------------------------- */

/* What is the same on another machine: no ids, no addresses, no times, paths by their last part. */
static char *normalised(const struct hf_stacks *s, const struct hf_kind *kind, void *unused)
{
	const struct hf_stack *is = &kind->threads[0]->is;
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };
	struct lines lines = { &w, true };

	(void)unused;
	put_shown(&w, is->process);
	hf_writer_put(&w, ": ");
	/* Whether a wait could be told is a matter of moments. */
	hf_report_kernel_side(&w, kind, false);
	hf_writer_put(&w, "\n");
	hf_stack_frames(s, is, put_line, &lines);
	put_end(&w, is);
	if (w.failed)
		hf_buf_done(&buf);
	return buf.data;
}

static void put_counted(struct hf_writer *w, const char *text, size_t n)
{
	hf_writer_putf(w, "%s%zu x ", w->out->len ? "\n" : "", n);
	hf_writer_put(w, text);
}

void hf_report_normalised(const struct hf_stacks *s, const struct hf_kinds *kinds, struct hf_writer *w)
{
	hf_report_counted(s, kinds, normalised, NULL, put_counted, w);
}
