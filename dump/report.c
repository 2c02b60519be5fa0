/* SPDX-License-Identifier: MIT */
/*
 * report - see report.h.
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>

#include "err.h"
#include "procfs.h"

/* ---- Words ------------------------------------------------------------------------------------------ */

const char *hf_report_name(const struct hf_frame *frame)
{
	return frame->name ? frame->name : "??";
}

/* Each word of a kind's threads once; there are few, if more than one at all. */
#define WORDS_MAX 4

struct words {
	const char *seen[WORDS_MAX];
	size_t n;
	bool more;
};

/* NULL is no word. */
static void see(struct words *words, const char *word)
{
	size_t i;

	for (i = 0; word && i < words->n; i++)
		if (words->seen[i] == word || strcmp(words->seen[i], word) == 0)
			return;
	if (word && i == WORDS_MAX)
		words->more = true;
	else if (word)
		words->seen[words->n++] = word;
}

static void put_words(struct hf_writer *w, const struct words *words)
{
	size_t i;

	for (i = 0; i < words->n; i++) {
		hf_writer_put(w, i ? ", " : "");
		hf_writer_put_shown(w, words->seen[i], strlen(words->seen[i]));
	}
	hf_writer_put(w, words->more ? ", ..." : "");
}

static void put_waits(struct hf_writer *w, const struct hf_kind *kind)
{
	struct words waits = { .n = 0 };
	size_t i;

	for (i = 0; i < kind->n && !waits.more; i++)
		see(&waits, kind->threads[i]->is.wchan);
	if (!waits.n)
		return;
	hf_writer_put(w, " (");
	put_words(w, &waits);
	hf_writer_put(w, ")");
}

void hf_report_processes(struct hf_writer *w, const struct hf_kind *kind)
{
	struct words names = { .n = 0 };
	size_t i;

	for (i = 0; i < kind->n && !names.more; i++)
		see(&names, kind->threads[i]->is.process);
	put_words(w, &names);
}

void hf_report_kernel_side(struct hf_writer *w, const struct hf_kind *kind, bool waits)
{
	const struct hf_stack *is = &kind->threads[0]->is;
	const char *call = is->syscall >= 0 ? hf_syscall_name(is->syscall) : NULL;

	if (is->state == HF_THREAD_DIED)
		hf_writer_put(w, "died while held");
	else if (is->state == HF_THREAD_OUTSIDE)
		hf_writer_put(w, "outside, and left running");
	else if (is->found == '?')
		hf_writer_put(w, "in an unknown state");
	else
		hf_writer_put(w, hf_state_word(is->found));
	if (call)
		hf_writer_putf(w, " in %s", call);
	else if (is->syscall >= 0)
		hf_writer_putf(w, " in system call %ld", is->syscall);
	if (waits)
		put_waits(w, kind);
}

/* ---- Equal texts ---------------------------------------------------------------------------------------- */

struct counted {
	char *text;
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct counted *)a)->text, ((const struct counted *)b)->text);
}

/* Kinds may differ in what a text does not show. */
static void put_counted(struct hf_writer *w, const struct counted *texts, size_t n, hf_report_put put)
{
	size_t i, j, sum;

	for (i = 0; i < n; i = j) {
		for (sum = 0, j = i; j < n && strcmp(texts[i].text, texts[j].text) == 0; j++)
			sum += texts[j].n;
		put(w, texts[i].text, sum);
	}
}

void hf_report_counted(const struct hf_stacks *s, const struct hf_kinds *kinds, hf_report_make make, void *arg,
		       hf_report_put put, struct hf_writer *w)
{
	struct counted *texts = calloc(kinds->n + 1, sizeof(*texts));
	size_t n = 0;

	while (texts && n < kinds->n && (texts[n].text = make(s, &kinds->all[n], arg))) {
		texts[n].n = kinds->all[n].n;
		n++;
	}
	if (!texts || n < kinds->n) {
		w->failed = -ENOMEM;
	} else if (n) {
		qsort(texts, n, sizeof(*texts), by_text);
		put_counted(w, texts, n, put);
	}
	while (n > 0)
		free(texts[--n].text);
	free(texts);
}

/* ---- The whole ---------------------------------------------------------------------------------------- */

/* Folded and normalised begin with the name of the process, the others name all that there are. */
static enum hf_kinds_of kinds_for(enum hf_stack_format how, bool apart)
{
	if (how == HF_STACK_FORMAT_FOLDED || how == HF_STACK_FORMAT_NORMALISED)
		return HF_KINDS_OF_NAMES;
	return apart ? HF_KINDS_OF_THREADS : HF_KINDS_OF_STACKS;
}

static int format(const struct hf_stacks *s, const struct hf_hold_info *info, enum hf_stack_format how,
		  unsigned int flags, struct hf_writer *w)
{
	bool apart = flags & HF_STACK_NO_MERGE;
	struct hf_kinds kinds = { 0 };
	int r;

	r = hf_kinds_find(&kinds, s, kinds_for(how, apart));
	if (r < 0)
		return r;
	switch (how) {
	case HF_STACK_FORMAT_TEXT:
		hf_report_text(s, &kinds, info, apart, w);
		break;
	case HF_STACK_FORMAT_NORMALISED:
		hf_report_normalised(s, &kinds, w);
		break;
	case HF_STACK_FORMAT_FOLDED:
		hf_report_folded(s, &kinds, w);
		break;
	case HF_STACK_FORMAT_JSON:
		hf_report_json(s, &kinds, info, flags, w);
		break;
	}
	hf_kinds_done(&kinds);
	return w->failed;
}

HF_API int hf_stack_format(const hf_stacks *stacks, const struct hf_hold_info *info, enum hf_stack_format how,
			   unsigned int flags, char **ret_text, size_t *ret_len, struct hf_error *err)
{
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };
	int r;

	if (!stacks || !info)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "formatting: stacks, and the facts of their hold, are needed");
	if ((unsigned int)how > HF_STACK_FORMAT_JSON)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "formatting: unknown format %d", (int)how);
	r = format(stacks, info, how, flags, &w);
	if (r == 0)
		r = hf_buf_add(&buf, "", 0);	/* a text there is, if an empty one */
	if (r < 0) {
		hf_buf_done(&buf);
		return hf_fail(err, -r, HF_STAGE_NONE, 0, "formatting stacks: %s", strerror(-r));
	}
	*ret_text = buf.data;
	if (ret_len)
		*ret_len = buf.len;
	return 0;
}
