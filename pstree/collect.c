/* SPDX-License-Identifier: MIT */
/*
 * collect - see collect.h.
 */
#include "collect.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "clock.h"
#include "err.h"
#include "members.h"
#include "own.h"

/* ---- What the collecting files share ----------------------------------------------------- */

int hf_collect_no_memory(struct hf_collector *c)
{
	return hf_fail(c->err, ENOMEM, HF_STAGE_COLLECT, 0, "collecting: out of memory");
}

int hf_collect_unreadable(struct hf_collector *c, int r, pid_t pid, const char *name)
{
	return hf_fail(c->err, -r, HF_STAGE_COLLECT, pid, "collecting: cannot read /proc/%d/%s: %s",
		       (int)pid, name, strerror(-r));
}

char *hf_collect_keep(struct hf_collector *c, const void *bytes, size_t len)
{
	return hf_arena_copy(&c->tree->arena, bytes, len);
}

int hf_collect_nspid(struct hf_collector *c, const struct hf_status *s, const pid_t *own,
		     const pid_t **ret, size_t *ret_n)
{
	pid_t *ids;

	if (s->n_nspid <= 1) {
		*ret = own;
		*ret_n = 1;
		return 0;
	}
	ids = hf_arena_array(&c->tree->arena, pid_t, s->n_nspid);
	if (!ids)
		return hf_collect_no_memory(c);
	memcpy(ids, s->nspid, s->n_nspid * sizeof(*ids));
	*ret = ids;
	*ret_n = s->n_nspid;
	return 0;
}

/* ---- The set, by process ----------------------------------------------------------------- */

/* The next process of the tree, empty but for its pid; it counts once tree->n goes up. */
static struct hf_process *next_process(struct hf_collector *c, pid_t pid)
{
	struct hf_tree *tree = c->tree;
	struct hf_process *p;

	if (tree->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;

		p = reallocarray(tree->procs, cap, sizeof(*p));
		if (!p)
			return NULL;
		tree->procs = p;
		c->cap = cap;
	}
	p = &tree->procs[tree->n];
	*p = (struct hf_process){ .pid = pid };
	return p;
}

static int add_processes(struct hf_collector *c)
{
	const struct hf_task_set *set = hf_hold_tasks(c->hold);
	hf_owned const struct hf_task **members = calloc(set->n + 1, sizeof(*members));
	size_t at = 0, n;

	if (!members)
		return hf_collect_no_memory(c);
	n = hf_members_of(set, members);
	while (at < n) {
		struct hf_members m = { &members[at], 1 };
		struct hf_process *p = next_process(c, members[at]->tgid);
		int r;

		if (!p)
			return hf_collect_no_memory(c);
		while (at + m.n < n && m.tasks[m.n]->tgid == p->pid)
			m.n++;
		r = hf_facts_of_process(c, p, &m);
		if (r < 0)
			return r;
		c->tree->n++;
		at += m.n;
	}
	return 0;
}

/* ---- The dead ---------------------------------------------------------------------------- */

/*
 * A process that has ended has no working directory any more, and one readlink tells so at a
 * third of what reading its stat costs: on a busy machine most of what this scan meets is alive and
 * none of ours.  Where the link may not be read, the answer is "perhaps".
 */
static bool may_be_dead(struct hf_collector *c, const char *pid)
{
	char name[32], path[1];
	size_t len = strlen(pid);

	if (len + sizeof("/cwd") > sizeof(name))
		return false;
	memcpy(name, pid, len);
	memcpy(name + len, "/cwd", sizeof("/cwd"));
	return readlinkat(c->proc_fd, name, path, sizeof(path)) < 0;
}

static int add_if_zombie(struct hf_collector *c, const char *name, size_t n_live)
{
	long pid = strtol(name, NULL, 10);
	struct hf_process *p;
	int r;

	if (hf_process_find(c->tree->procs, n_live, (pid_t)pid) || !may_be_dead(c, name))
		return 0;
	p = next_process(c, (pid_t)pid);
	if (!p)
		return hf_collect_no_memory(c);
	r = hf_facts_of_zombie(c, p, n_live);
	if (r > 0)
		c->tree->n++;
	return r < 0 ? r : 0;
}

/*
 * Nobody can seize the dead, so the set does not have them; but while their parents stand still
 * they stay, and belong in the picture.
 */
static int add_zombies(struct hf_collector *c)
{
	hf_owned_fd fd = openat(c->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hf_owned_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t n_live = c->tree->n;
	const struct dirent *entry;
	int r;

	if (!dir)
		return hf_fail(c->err, errno, HF_STAGE_COLLECT, 0, "collecting: cannot open /proc: %s",
			       strerror(errno));
	hf_take_fd(&fd);
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		r = add_if_zombie(c, entry->d_name, n_live);
		if (r < 0)
			return r;
	}
	if (errno)
		return hf_fail(c->err, errno, HF_STAGE_COLLECT, 0, "collecting: cannot list /proc: %s",
			       strerror(errno));
	return 0;
}

/* ---- The whole --------------------------------------------------------------------------- */

/* The tree outlives the hold, so it has its own copy of each path; processes share it. */
static int copy_levels(struct hf_collector *c, unsigned int n_levels)
{
	unsigned int i;

	c->levels = hf_arena_array(&c->tree->arena, const char *, n_levels + 1);
	if (!c->levels)
		return hf_collect_no_memory(c);
	for (i = 0; i < n_levels; i++) {
		const char *path = hf_hold_level_path(c->hold, (uint16_t)i);

		if (!path)
			continue;
		c->levels[i] = hf_arena_copy(&c->tree->arena, path, strlen(path));
		if (!c->levels[i])
			return hf_collect_no_memory(c);
		if (!c->target || strlen(path) < strlen(c->target))
			c->target = c->levels[i];
	}
	c->n_levels = n_levels;
	return 0;
}

static int collect(struct hf_collector *c, unsigned int n_levels)
{
	int r = copy_levels(c, n_levels);

	if (r == 0)
		r = add_processes(c);
	if (r == 0 && c->regroup && hf_hold_regroup(c->hold) > 0) {
		c->tree->n = 0;
		r = add_processes(c);
	}
	if (r == 0)
		r = add_zombies(c);
	if (r == 0 && hf_forest_link(c->tree->procs, c->tree->n, &c->tree->roots) < 0)
		r = hf_collect_no_memory(c);
	return r;
}

HF_API int hf_tree_collect(hf_hold *hold, const struct hf_tree_options *opts, hf_tree **ret_tree,
			   struct hf_error *err)
{
	HF_UNCANCELLED;
	const struct hf_hold_info *info = hf_hold_info(hold);
	hf_owned_fd proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t start_ns = hf_clock_ns();
	struct hf_collector c = {
		.hold = hold, .version = info->version, .proc_fd = proc_fd, .err = err,
	};
	int r;

	if (opts && (opts->size < sizeof(size_t) || opts->size > sizeof(*opts)))
		return hf_fail(err, EINVAL, HF_STAGE_COLLECT, 0, "collecting: options of size %zu",
			       opts->size);
	c.effects = opts && opts->size > offsetof(struct hf_tree_options, effects) && opts->effects;
	c.brief = opts && opts->size > offsetof(struct hf_tree_options, brief) && opts->brief && !c.effects;
	if (info->released_us)
		return hf_fail(err, EINVAL, HF_STAGE_COLLECT, 0,
			       "collecting: the hold has been released");
	if (proc_fd < 0)
		return hf_fail(err, errno, HF_STAGE_COLLECT, 0, "collecting: cannot open /proc: %s",
			       strerror(errno));
	r = hf_hold_check_tracer(hold, err);
	if (r < 0)
		return r;
	c.tree = calloc(1, sizeof(*c.tree));
	if (!c.tree)
		return hf_collect_no_memory(&c);
	c.tree->effects = c.effects;
	c.tree->brief = c.brief;
	r = collect(&c, info->levels);
	hf_buf_done(&c.buf);
	if (r < 0) {
		hf_tree_free(c.tree);
		return r;
	}
	hf_hold_note_collect(hold, (hf_clock_ns() - start_ns) / 1000);
	*ret_tree = c.tree;
	return 0;
}
