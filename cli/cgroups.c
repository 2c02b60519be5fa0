/* SPDX-License-Identifier: MIT */
/*
 * cgroups - see cgroups.h.
 */
#include "cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cgroupfs.h"
#include "own.h"
#include "procfs.h"

int hf_mounts_find(struct hf_mounts *ret)
{
	struct hf_buf text = { 0 };
	int i, r = hf_read_at(AT_FDCWD, "/proc/self/mountinfo", &text);

	for (i = 0; r == 0 && i < HF_MOUNT_COUNT; i++)
		if (hf_mountinfo_find_cgroup(text.data, text.len, i == HF_MOUNT_V2 ? 2 : 1, ret->path[i],
					     sizeof(ret->path[i])) < 0)
			ret->path[i][0] = '\0';
	hf_buf_done(&text);
	return r;
}

/* ---- The walk ---------------------------------------------------------------------------- */

struct walk {
	enum hf_mount mount;
	char below[PATH_MAX];
	hf_cgroup_fn *fn;
	void *data;
};

static int is_directory(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

static int walk_level(struct walk *w, int dirfd, size_t len);

static int enter(struct walk *w, int dirfd, size_t len, const char *name)
{
	int n = snprintf(w->below + len, sizeof(w->below) - len, "/%s", name);
	hf_owned_fd fd = -1;
	int r;

	if (n < 0 || (size_t)n >= sizeof(w->below) - len)
		return 0;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;	/* gone, or not ours to read */
	r = w->fn(w->mount, w->below, w->data);
	return r ? r : walk_level(w, fd, len + (size_t)n);
}

static int walk_level(struct walk *w, int dirfd, size_t len)
{
	struct dirent **entries = NULL;
	int n = scandirat(dirfd, ".", &entries, is_directory, alphasort), i, r = 0;

	if (n < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (i = 0; i < n; i++) {
		if (r == 0)
			r = enter(w, dirfd, len, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	w->below[len] = '\0';
	return r;
}

int hf_cgroups_walk(const struct hf_mounts *mounts, hf_cgroup_fn *fn, void *data)
{
	int i, r = 0;

	for (i = 0; r == 0 && i < HF_MOUNT_COUNT; i++) {
		struct walk w = { .mount = (enum hf_mount)i, .fn = fn, .data = data };
		hf_owned_fd fd = mounts->path[i][0] ? open(mounts->path[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

		if (fd >= 0)
			r = walk_level(&w, fd, 0);
	}
	return r;
}

/* ---- Sites ------------------------------------------------------------------------------- */

int hf_sites_add(struct hf_sites *sites, const char *key, const char *path, const char *kind)
{
	struct hf_site site = { .kind = kind };
	size_t i;

	for (i = 0; i < sites->n; i++)
		if (strcmp(sites->list[i].path, path) == 0)
			return 0;
	if (sites->n == sites->cap) {
		size_t cap = sites->cap ? 2 * sites->cap : 16;
		struct hf_site *list = reallocarray(sites->list, cap, sizeof(*list));

		if (!list)
			return -ENOMEM;
		sites->list = list;
		sites->cap = cap;
	}
	site.key = strdup(key);
	site.path = strdup(path);
	if (!site.key || !site.path) {
		free(site.key);
		free(site.path);
		return -ENOMEM;
	}
	sites->list[sites->n++] = site;
	return 0;
}

int hf_sites_add_below(struct hf_sites *sites, const char *key, const struct hf_mounts *mounts,
		       enum hf_mount mount, const char *below, const char *kind)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", mounts->path[mount], below);
	return hf_sites_add(sites, key, path, kind);
}

static int compare_sites(const void *a, const void *b)
{
	const struct hf_site *x = a, *y = b;
	int r = strcmp(x->key, y->key);

	return r ? r : strcmp(x->path, y->path);
}

void hf_sites_sort(struct hf_sites *sites)
{
	if (sites->n)
		qsort(sites->list, sites->n, sizeof(*sites->list), compare_sites);
}

bool hf_sites_is_first(const struct hf_sites *sites, size_t i)
{
	return i == 0 || strcmp(sites->list[i].key, sites->list[i - 1].key) != 0;
}

void hf_sites_done(struct hf_sites *sites)
{
	while (sites->n) {
		sites->n--;
		free(sites->list[sites->n].key);
		free(sites->list[sites->n].path);
	}
	free(sites->list);
	*sites = (struct hf_sites){ 0 };
}

/* Whether a v1 cgroup or one below it has a member: no file of v1 tells it in one. */
static bool has_tasks(int dirfd)
{
	struct dirent **entries = NULL;
	bool found = false;
	char text[32];
	int n, i;

	if (hf_read_small_at(dirfd, "cgroup.procs", text, sizeof(text)) > 0)
		return true;
	n = scandirat(dirfd, ".", &entries, is_directory, NULL);
	for (i = 0; i < n; i++) {
		hf_owned_fd fd = found ? -1 : openat(dirfd, entries[i]->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		found = found || (fd >= 0 && has_tasks(fd));
		free(entries[i]);
	}
	free(entries);
	return found;
}

/* How much a cgroup recommends itself: see cgroups.h. */
static int merit(const char *path)
{
	hf_owned_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum hf_freezer_state state = HF_FREEZER_THAWED;
	struct hf_cgroup_events events;
	char text[512];
	ssize_t n;

	if (fd < 0)
		return 0;
	n = hf_read_small_at(fd, "cgroup.events", text, sizeof(text));
	if (n >= 0)
		return hf_cgroup_events_parse(text, (size_t)n, &events) == 0 && events.populated ? 4 : 2;
	if (!has_tasks(fd))
		return 1;
	n = hf_read_small_at(fd, "freezer.state", text, sizeof(text));
	if (n >= 0)
		hf_freezer_state_parse(text, (size_t)n, &state);
	return state == HF_FREEZER_THAWED ? 3 : 5;
}

const struct hf_site *hf_sites_meant(const struct hf_sites *sites, const char *key)
{
	const struct hf_site *best = NULL;
	int best_merit = -1;
	size_t i;

	for (i = 0; i < sites->n; i++) {
		const struct hf_site *site = &sites->list[i];
		int its = strcmp(site->key, key) == 0 ? merit(site->path) : -1;

		/* Of two alike the upper one: a container's processes are below it. */
		if (its > best_merit || (best && its == best_merit && strlen(site->path) < strlen(best->path))) {
			best = site;
			best_merit = its;
		}
	}
	return best;
}
