/* SPDX-License-Identifier: MIT */
/*
 * container - see container.h.
 */
#include "container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

#define SHORT_ID 12	/* what docker ps and podman ps show of 64 */

/* Everything that is known of containers, and what is looked for. */
struct search {
	const struct hf_mounts *mounts;
	const char *wanted;
	struct hf_sites sites;		/* key: the id */
	const char *id;			/* of sites: the first that may be meant */
	size_t n_ids;			/* how many different ones may be */
	char ids[450];			/* all of them in words, as far as they fit */
	bool by_name;
	char idle[2 * HF_CONTAINER_ID_MAX];	/* who has a container of that name without a cgroup, or empty */
};

static int see_cgroup(enum hf_mount mount, const char *below, void *data)
{
	struct search *s = data;
	char id[HF_CONTAINER_ID_MAX + 1];
	const char *kind;

	if (!hf_container_of(below, id, &kind))
		return 0;
	return hf_sites_add_below(&s->sites, id, s->mounts, mount, below, kind);
}

static int see_state(const char *id, const char *path, bool relative, const char *kind, void *data)
{
	struct search *s = data;
	char full[2 * PATH_MAX];
	int i, r = 0;

	if (!relative)
		return access(path, F_OK) == 0 ? hf_sites_add(&s->sites, id, path, kind) : 0;
	for (i = 0; r == 0 && i < HF_MOUNT_COUNT; i++) {
		snprintf(full, sizeof(full), "%s%s%s", s->mounts->path[i], path[0] == '/' ? "" : "/", path);
		if (s->mounts->path[i][0] && access(full, F_OK) == 0)
			r = hf_sites_add(&s->sites, id, full, kind);
	}
	return r;
}

static int gather(struct search *s, const struct hf_state_places *places)
{
	int r = hf_cgroups_walk(s->mounts, see_cgroup, s);

	if (r == 0)
		r = hf_state_cgroups(places, see_state, s);
	if (r == 0)
		hf_sites_sort(&s->sites);
	return r;
}

/* ---- Which one --------------------------------------------------------------------------- */

static void may_be_meant(struct search *s, struct hf_site *site)
{
	size_t used = strlen(s->ids);

	if (site->meant)
		return;		/* its other name */
	site->meant = true;
	snprintf(s->ids + used, sizeof(s->ids) - used, "%s%s (%s)", used ? ", " : "", site->key, site->kind);
	if (s->n_ids++ == 0)
		s->id = site->key;
}

/* All whose id begins with these characters; with the NUL among them, whose id is this.  How many. */
static size_t match_id(struct search *s, const char *id, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < s->sites.n; i++)
		if (strncmp(s->sites.list[i].key, id, len) == 0 && hf_sites_is_first(&s->sites, i)) {
			may_be_meant(s, &s->sites.list[i]);
			n++;
		}
	return n;
}

static int match_name(const char *name, const char *id, const char *kind, void *data)
{
	struct search *s = data;

	if (strcmp(name, s->wanted) != 0)
		return 0;
	if (match_id(s, id, strlen(id) + 1))
		s->by_name = true;
	else
		snprintf(s->idle, sizeof(s->idle), "%s has it as %.*s", kind, SHORT_ID, id);
	return 0;
}

static int choose(struct search *s, const struct hf_state_places *places, struct hf_error *err)
{
	int r = 0;

	match_id(s, s->wanted, strlen(s->wanted) + 1);
	if (!s->id)
		r = hf_state_names(places, match_name, s);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0, "looking for container %s: %s", s->wanted, strerror(-r));
	if (!s->id && s->idle[0])
		return hf_fail(err, ESRCH, HF_STAGE_LOOK, 0, "container %s does not run: %s, and it has no cgroup",
			       s->wanted, s->idle);
	if (!s->id)
		match_id(s, s->wanted, strlen(s->wanted));
	if (!s->id)
		return hf_fail(err, ENOENT, HF_STAGE_LOOK, 0, "no container %s: there is no cgroup of one whose id begins "
			       "so, and no runtime knows the name", s->wanted);
	if (s->n_ids > 1)
		return hf_fail(err, ENOTUNIQ, HF_STAGE_LOOK, 0, "%zu containers %s %s: %s", s->n_ids,
			       s->by_name ? "are called" : "have an id that begins with", s->wanted, s->ids);
	return 0;
}

static const char *shortened(const char *id, char ret[HF_CONTAINER_ID_MAX + 1])
{
	snprintf(ret, HF_CONTAINER_ID_MAX + 1, "%.*s", strlen(id) == 64 ? SHORT_ID : HF_CONTAINER_ID_MAX, id);
	return ret;
}

int hf_container_find(const struct hf_mounts *mounts, const struct hf_state_places *places, const char *wanted,
		      char ret[PATH_MAX], char ret_name[HF_CONTAINER_ID_MAX + 1], struct hf_error *err)
{
	struct search s = { .mounts = mounts, .wanted = wanted };
	int r = gather(&s, places);

	if (r == 0)
		r = choose(&s, places, err);
	else
		hf_fail(err, -r, HF_STAGE_LOOK, 0, "looking for container %s: %s", wanted, strerror(-r));
	if (r == 0) {
		snprintf(ret, PATH_MAX, "%s", hf_sites_meant(&s.sites, s.id)->path);
		if (s.by_name)
			snprintf(ret_name, HF_CONTAINER_ID_MAX + 1, "%s", wanted);
		else
			shortened(s.id, ret_name);
	}
	hf_sites_done(&s.sites);
	return r;
}

/* ---- All of them ------------------------------------------------------------------------- */

struct words {
	const struct hf_sites *sites;
	hf_container_word_fn *fn;
	void *data;
};

static int tell_name(const char *name, const char *id, const char *kind, void *data)
{
	const struct words *w = data;
	size_t i;

	(void)kind;
	for (i = 0; i < w->sites->n; i++)
		if (strcmp(w->sites->list[i].key, id) == 0) {
			w->fn(name, w->data);
			break;
		}
	return 0;
}

int hf_container_words(const struct hf_mounts *mounts, const struct hf_state_places *places,
		       hf_container_word_fn *fn, void *data)
{
	struct search s = { .mounts = mounts };
	struct words w = { &s.sites, fn, data };
	char word[HF_CONTAINER_ID_MAX + 1];
	size_t i;
	int r = gather(&s, places);

	for (i = 0; r == 0 && i < s.sites.n; i++)
		if (hf_sites_is_first(&s.sites, i))
			fn(shortened(s.sites.list[i].key, word), data);
	if (r == 0)
		r = hf_state_names(places, tell_name, &w);
	hf_sites_done(&s.sites);
	return r;
}
