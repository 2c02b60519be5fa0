/* SPDX-License-Identifier: MIT */
/*
 * tree - see tree.h.
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "own.h"

static int by_pid(const void *a, const void *b)
{
	const struct hf_process *p = a, *q = b;

	return (p->pid > q->pid) - (p->pid < q->pid);
}

static int by_age(const void *a, const void *b)
{
	const struct hf_process *p = *(struct hf_process *const *)a;
	const struct hf_process *q = *(struct hf_process *const *)b;

	if (p->start_time_ticks != q->start_time_ticks)
		return p->start_time_ticks < q->start_time_ticks ? -1 : 1;
	return by_pid(p, q);
}

struct hf_process *hf_process_find(struct hf_process *procs, size_t n, pid_t pid)
{
	const struct hf_process key = { .pid = pid };

	return n ? bsearch(&key, procs, n, sizeof(*procs), by_pid) : NULL;
}

/*
 * A parent is never younger than its child, neither the one that forked it nor a reaper that
 * took it over.  A younger process with the parent's pid has got that pid again.
 */
static struct hf_process *parent_of(struct hf_process *procs, size_t n,
				    const struct hf_process *child)
{
	struct hf_process *parent = hf_process_find(procs, n, child->ppid);

	if (!parent || parent == child || parent->start_time_ticks > child->start_time_ticks)
		return NULL;
	return parent;
}

/* The oldest of the cycle that p is in becomes a root. */
static void cut_cycle(struct hf_process *procs, struct hf_process *p)
{
	struct hf_process *oldest = p, *q;

	for (q = &procs[p->parent - procs]; q != p; q = &procs[q->parent - procs])
		if (by_age(&q, &oldest) < 0)
			oldest = q;
	oldest->parent = NULL;
}

/*
 * A pid that was used again within one clock tick passes the test of age, and facts read one after
 * the other may then form a cycle.  Climb from each process up to one seen before: if that was on
 * the same climb, it is one.  Each process is climbed over once.
 */
static void cut_cycles(struct hf_process *procs, size_t n, size_t *climb)
{
	size_t i;

	memset(climb, 0, n * sizeof(*climb));
	for (i = 0; i < n; i++) {
		struct hf_process *p = &procs[i];

		while (!climb[p - procs]) {
			climb[p - procs] = i + 1;
			if (!p->parent)
				break;
			p = &procs[p->parent - procs];
		}
		if (p->parent && climb[p - procs] == i + 1)
			cut_cycle(procs, p);
	}
}

int hf_forest_link(struct hf_process *procs, size_t n, const struct hf_process **ret_roots)
{
	hf_owned struct hf_process **order = calloc(n + 1, sizeof(*order));
	hf_owned size_t *climb = calloc(n + 1, sizeof(*climb));
	const struct hf_process *roots = NULL;
	size_t i;

	if (!order || !climb)
		return -ENOMEM;
	if (n)
		qsort(procs, n, sizeof(*procs), by_pid);
	for (i = 0; i < n; i++) {
		procs[i].parent = parent_of(procs, n, &procs[i]);
		procs[i].first_child = procs[i].next_sibling = NULL;
		order[i] = &procs[i];
	}
	cut_cycles(procs, n, climb);
	if (n)
		qsort(order, n, sizeof(struct hf_process *), by_age);
	/* From the youngest to the oldest, each becomes the first of its siblings. */
	for (i = n; i-- > 0;) {
		struct hf_process *p = order[i];

		if (p->parent) {
			struct hf_process *parent = &procs[p->parent - procs];

			p->next_sibling = parent->first_child;
			parent->first_child = p;
		} else {
			p->next_sibling = roots;
			roots = p;
		}
	}
	*ret_roots = roots;
	return 0;
}

int hf_tree_of(const struct hf_process *procs, size_t n, hf_tree **ret_tree)
{
	hf_tree *tree = calloc(1, sizeof(*tree));
	int r;

	if (!tree)
		return -ENOMEM;
	tree->procs = calloc(n + 1, sizeof(*procs));
	if (!tree->procs) {
		hf_tree_free(tree);
		return -ENOMEM;
	}
	if (n)
		memcpy(tree->procs, procs, n * sizeof(*procs));
	tree->n = n;
	r = hf_forest_link(tree->procs, n, &tree->roots);
	if (r < 0) {
		hf_tree_free(tree);
		return r;
	}
	*ret_tree = tree;
	return 0;
}

HF_API void hf_tree_free(hf_tree *tree)
{
	if (!tree)
		return;
	hf_arena_done(&tree->arena);
	free(tree->procs);
	free(tree);
}

HF_API const struct hf_process *hf_tree_roots(const hf_tree *tree)
{
	return tree->roots;
}

HF_API const struct hf_process *hf_tree_find(const hf_tree *tree, pid_t pid)
{
	return hf_process_find(tree->procs, tree->n, pid);
}

HF_API const struct hf_process *hf_tree_next(const hf_tree *tree, const struct hf_process *prev)
{
	if (!prev)
		return tree->roots;
	if (prev->first_child)
		return prev->first_child;
	while (prev && !prev->next_sibling)
		prev = prev->parent;
	return prev ? prev->next_sibling : NULL;
}
