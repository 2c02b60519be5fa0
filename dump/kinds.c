/* SPDX-License-Identifier: MIT */
/*
 * kinds - see kinds.h.  Kinds are found by a hash of all that is compared.
 */
#include "kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "own.h"
#include "slots.h"
#include "stacks.h"

static const struct hf_walked *frames_of(const struct hf_stacks *s, const struct hf_copied_thread *t)
{
	return s->walker.frames + t->first_frame;
}

static uint64_t mix(uint64_t hash, uint64_t n)
{
	hash = (hash ^ n) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t hash_of(const struct hf_stacks *s, enum hf_kinds_of what, const struct hf_copied_thread *t)
{
	const struct hf_walked *f = frames_of(s, t);
	uint64_t hash = mix((uint64_t)t->is.syscall, t->is.n_frames);
	size_t i;

	hash = mix(hash, (uint64_t)t->is.end << 16 | (uint64_t)t->is.state << 8 | (uint8_t)t->is.found);
	for (i = 0; i < t->is.n_frames; i++)
		hash = mix(hash, f[i].place);
	for (i = 0; what == HF_KINDS_OF_NAMES && t->is.process[i]; i++)
		hash = mix(hash, (uint8_t)t->is.process[i]);
	return hash;
}

static bool are_equal(const struct hf_stacks *s, enum hf_kinds_of what, const struct hf_copied_thread *t,
		      const struct hf_copied_thread *u)
{
	const struct hf_walked *f = frames_of(s, t), *g = frames_of(s, u);
	size_t i;

	if (t->is.n_frames != u->is.n_frames || t->is.syscall != u->is.syscall || t->is.end != u->is.end ||
	    t->is.state != u->is.state || t->is.found != u->is.found)
		return false;
	if (what == HF_KINDS_OF_NAMES && strcmp(t->is.process, u->is.process) != 0)
		return false;
	for (i = 0; i < t->is.n_frames; i++)
		if (f[i].place != g[i].place)
			return false;
	return true;
}

/* Which kind each thread is of, and how many each has; kinds by their first thread. */
struct sorting {
	uint32_t *kind_of;	/* by thread */
	uint32_t *first;	/* by kind: its first thread */
	struct hf_slots kinds;	/* by what makes them equal */
	enum hf_kinds_of what;
};

static uint32_t kind_of(struct sorting *so, struct hf_kinds *kinds, const struct hf_stacks *s, uint32_t i)
{
	const uint64_t hash = hash_of(s, so->what, &s->threads[i]) >> 20;
	uint64_t at = hash;
	uint32_t kind;

	while (hf_slots_next(&so->kinds, &at, &kind))
		if (are_equal(s, so->what, &s->threads[i], &s->threads[so->first[kind]]))
			return kind;
	kind = (uint32_t)kinds->n++;
	so->first[kind] = i;
	hf_slots_put(&so->kinds, hash, kind);
	return kind;
}

static void fill(struct sorting *so, struct hf_kinds *kinds, const struct hf_stacks *s)
{
	size_t i, at = 0;

	for (i = 0; i < s->n_threads; i++)
		kinds->all[so->kind_of[i]].n++;
	for (i = 0; i < kinds->n; i++) {
		kinds->all[i].threads = kinds->threads + at;
		at += kinds->all[i].n;
		kinds->all[i].n = 0;
	}
	for (i = 0; i < s->n_threads; i++) {
		struct hf_kind *kind = &kinds->all[so->kind_of[i]];

		kind->threads[kind->n++] = &s->threads[i];
	}
}

static int by_size(const void *a, const void *b)
{
	const struct hf_kind *k = a, *l = b;

	if (k->n != l->n)
		return k->n > l->n ? -1 : 1;
	return (k->threads[0] > l->threads[0]) - (k->threads[0] < l->threads[0]);
}

static int sort(struct hf_kinds *kinds, const struct hf_stacks *s, enum hf_kinds_of what)
{
	hf_owned uint32_t *kind_of_thread = calloc(s->n_threads + 1, sizeof(uint32_t));
	hf_owned uint32_t *first = calloc(s->n_threads + 1, sizeof(uint32_t));
	struct sorting so = { .kind_of = kind_of_thread, .first = first, .what = what };
	bool apart = what == HF_KINDS_OF_THREADS;
	uint32_t i;

	if (!kind_of_thread || !first || hf_slots_renew(&so.kinds, s->n_threads) < 0)
		return -ENOMEM;
	for (i = 0; i < s->n_threads; i++)
		so.kind_of[i] = apart ? (uint32_t)kinds->n++ : kind_of(&so, kinds, s, i);
	hf_slots_done(&so.kinds);
	fill(&so, kinds, s);
	if (!apart && kinds->n)
		qsort(kinds->all, kinds->n, sizeof(*kinds->all), by_size);
	return 0;
}

int hf_kinds_find(struct hf_kinds *kinds, const struct hf_stacks *s, enum hf_kinds_of what)
{
	int r = -ENOMEM;

	*kinds = (struct hf_kinds){
		.threads = calloc(s->n_threads + 1, sizeof(*kinds->threads)),
		.all = calloc(s->n_threads + 1, sizeof(*kinds->all)),
	};
	if (kinds->threads && kinds->all)
		r = sort(kinds, s, what);
	if (r < 0)
		hf_kinds_done(kinds);
	return r;
}

void hf_kinds_done(struct hf_kinds *kinds)
{
	free(kinds->threads);
	free(kinds->all);
	*kinds = (struct hf_kinds){ 0 };
}
