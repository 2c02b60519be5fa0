/* SPDX-License-Identifier: MIT */
/*
 * print_text - the tree, drawn for people:
 *
 *	/sys/fs/cgroup/pod (cgroup v2): 4 processes, 11 threads, 10 held, 1 armed, stopped for 2.7 ms
 *	100 server (8 threads)  /usr/bin/server -f
 *	├─ thread 105 flusher [armed: in folio_wait_bit_common]
 *	├─ 101 worker [stopped by SIGTSTP]  ./worker 'first job'
 *	└─ 102 make  make -j4
 *	   └─ 103 cc1  cc1 x.c
 *
 * Only what is out of the ordinary gets words, and a thread a line of its own only then.
 */
#include "print.h"

#include <string.h>

/*
 * Deeper levels are drawn at this one and say their depth: beyond it a line would be all lines, and a
 * chain of ten thousand processes half a gigabyte of them.
 */
#define DEPTH_DRAWN 40

struct glyphs {
	const char *along, *blank, *branch, *last;
};

static const struct glyphs lines = { "│  ", "   ", "├─ ", "└─ " };
static const struct glyphs ascii = { "|  ", "   ", "|- ", "`- " };

struct drawing {
	struct hf_writer *w;
	const struct glyphs *glyphs;
	bool colour;
	size_t depth;			/* of the process being drawn; 0 is a root */
	bool goes_on[DEPTH_DRAWN + 1];	/* whether its ancestor at that depth has a sibling to come */
};

#define DIM "2"
#define BOLD "1"
#define YELLOW "33"
#define RED "31"

static void paint(const struct drawing *d, const char *colour)
{
	if (d->colour)
		hf_writer_putf(d->w, "\033[%sm", colour);
}

static void unpaint(const struct drawing *d)
{
	if (d->colour)
		hf_writer_put(d->w, "\033[0m");
}

/* What stands before a line at this depth, which has another one below it at the same depth or not. */
static void put_lines(const struct drawing *d, size_t depth, bool goes_on)
{
	size_t level;

	if (depth == 0)
		return;
	paint(d, DIM);
	for (level = 1; level < depth && level <= DEPTH_DRAWN; level++)
		hf_writer_put(d->w, d->goes_on[level] ? d->glyphs->along : d->glyphs->blank);
	if (depth <= DEPTH_DRAWN)
		hf_writer_put(d->w, goes_on ? d->glyphs->branch : d->glyphs->last);
	else
		hf_writer_putf(d->w, "[depth %zu] ", depth);
	unpaint(d);
}

static void put_name(const struct drawing *d, pid_t id, const char *comm)
{
	paint(d, DIM);
	hf_writer_putf(d->w, "%d ", (int)id);
	unpaint(d);
	paint(d, BOLD);
	hf_writer_put_shown(d->w, comm, strlen(comm));
	unpaint(d);
}

/* The words are made first, since their colour and whether there are any depends on them. */
static void put_oddity(const struct drawing *d, enum hf_oddity odd, const struct hf_buf *words)
{
	if (odd == HF_ODD_NOT)
		return;
	hf_writer_put(d->w, " ");
	paint(d, odd == HF_ODD_DEAD ? RED : YELLOW);
	hf_writer_put(d->w, "[");
	hf_writer_put_bytes(d->w, words->data, words->len);
	hf_writer_put(d->w, "]");
	unpaint(d);
}

static bool needs_quotes(const char *arg)
{
	return arg[0] == '\0' || strpbrk(arg, " \t\r\n'\"") != NULL;
}

/* Quoted where its end could not be seen otherwise, and so that a shell would read most of them. */
static void put_argument(struct hf_writer *w, const char *arg)
{
	if (!needs_quotes(arg)) {
		hf_writer_put_shown(w, arg, strlen(arg));
		return;
	}
	hf_writer_put(w, "'");
	for (;;) {
		size_t len = strcspn(arg, "'");

		hf_writer_put_shown(w, arg, len);
		if (!arg[len])
			break;
		hf_writer_put(w, "'\\''");
		arg += len + 1;
	}
	hf_writer_put(w, "'");
}

/*
 * Programs that show a title write it over their arguments and leave NULs behind, which look like
 * empty arguments; those at the end are not shown.
 */
static void put_cmdline(struct hf_writer *w, const struct hf_process *p)
{
	size_t len = p->cmdline_len, at;

	while (len > 1 && p->cmdline[len - 2] == '\0')
		len--;
	if (len <= 1)
		return;
	hf_writer_put(w, " ");
	for (at = 0; at < len; at += strlen(p->cmdline + at) + 1) {
		hf_writer_put(w, " ");
		put_argument(w, p->cmdline + at);
	}
	if (p->cmdline_cut)
		hf_writer_put(w, " ...");
}

static void put_process(const struct drawing *d, const struct hf_process *p, struct hf_buf *words)
{
	struct hf_writer aside = { .out = words };
	enum hf_oddity odd;

	words->len = 0;
	odd = hf_put_process_oddity(&aside, p);
	put_lines(d, d->depth, p->next_sibling != NULL);
	put_name(d, p->pid, p->comm);
	put_oddity(d, odd, words);
	if (p->n_threads > 1)
		hf_writer_putf(d->w, " (%zu threads)", p->n_threads);
	put_cmdline(d->w, p);
	hf_writer_put(d->w, "\n");
	if (aside.failed)
		d->w->failed = aside.failed;
}

/* What is to be said of the first thread stands with the process. */
static bool has_line(const struct hf_process *p, const struct hf_thread *t)
{
	return t->tid != p->pid && t->state != HF_THREAD_HELD;
}

static void put_threads(const struct drawing *d, const struct hf_process *p, struct hf_buf *words)
{
	struct hf_writer aside = { .out = words };
	size_t i, left = 0;

	for (i = 0; i < p->n_threads; i++)
		left += has_line(p, &p->threads[i]);
	for (i = 0; left && i < p->n_threads; i++) {
		const struct hf_thread *t = &p->threads[i];
		enum hf_oddity odd;

		if (!has_line(p, t))
			continue;
		words->len = 0;
		odd = hf_put_thread_oddity(&aside, t);
		put_lines(d, d->depth + 1, --left > 0 || p->n_effects || p->first_child);
		hf_writer_put(d->w, "thread ");
		put_name(d, t->tid, t->comm);
		put_oddity(d, odd, words);
		hf_writer_put(d->w, "\n");
	}
	if (aside.failed)
		d->w->failed = aside.failed;
}

/* "! thread 105: epoll_wait returns EINTR" */
static void put_effects(const struct drawing *d, const struct hf_process *p)
{
	size_t i;

	for (i = 0; i < p->n_effects; i++) {
		put_lines(d, d->depth + 1, i + 1 < p->n_effects || p->first_child);
		paint(d, YELLOW);
		hf_writer_put(d->w, "! ");
		unpaint(d);
		if (p->effects[i].tid)
			hf_writer_putf(d->w, "thread %d: ", (int)p->effects[i].tid);
		hf_writer_put(d->w, p->effects[i].text);
		hf_writer_put(d->w, "\n");
	}
}

/* hf_tree_next(), keeping count of the depth. */
static const struct hf_process *step(struct drawing *d, const struct hf_tree *tree,
				     const struct hf_process *p)
{
	const struct hf_process *next = hf_tree_next(tree, p), *up;

	if (p->first_child)
		d->depth++;
	else
		for (up = p; up && !up->next_sibling; up = up->parent)
			d->depth -= up->parent != NULL;
	return next;
}

void hf_format_text(const hf_tree *tree, const struct hf_hold_info *info, unsigned int flags,
		    struct hf_writer *w)
{
	struct drawing d = {
		.w = w,
		.glyphs = flags & HF_FORMAT_ASCII ? &ascii : &lines,
		.colour = flags & HF_FORMAT_COLOUR,
	};
	struct hf_buf words = { 0 };
	const struct hf_process *p;

	hf_put_headline(w, tree, info);
	hf_writer_put(w, "\n");
	for (p = hf_tree_next(tree, NULL); p; p = step(&d, tree, p)) {
		if (d.depth <= DEPTH_DRAWN)
			d.goes_on[d.depth] = p->next_sibling != NULL;
		put_process(&d, p, &words);
		put_threads(&d, p, &words);
		put_effects(&d, p);
	}
	hf_buf_done(&words);
}
