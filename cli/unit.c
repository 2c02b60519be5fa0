/* SPDX-License-Identifier: MIT */
/*
 * unit - see unit.h.
 */
#include "unit.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "unit_bus.h"

#define INTERFACE(type) "org.freedesktop.systemd1." type

static const struct hf_unit_type types[] = {
	{ ".service", INTERFACE("Service") }, { ".scope", INTERFACE("Scope") },
	{ ".slice", INTERFACE("Slice") },     { ".socket", INTERFACE("Socket") },
	{ ".mount", INTERFACE("Mount") },     { ".swap", INTERFACE("Swap") },
	{ ".automount", NULL },               { ".device", NULL },
	{ ".path", NULL },                    { ".target", NULL },
	{ ".timer", NULL },
};

/* ---- Names ------------------------------------------------------------------------------- */

static bool ends_with(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(text + len - n, suffix, n) == 0;
}

const struct hf_unit_type *hf_unit_type_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (ends_with(name, strlen(name), types[i].suffix))
			return &types[i];
	return NULL;
}

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || c == ':' || c == '_' || c == '.';
}

/* A name as it is being made; too long once it has reached the end of its room. */
struct name {
	char *text;
	size_t len;
};

static void put(struct name *n, char c)
{
	if (n->len <= HF_UNIT_NAME_MAX)
		n->text[n->len++] = c;
}

static void put_escaped(struct name *n, char c)
{
	static const char hex[] = "0123456789abcdef";

	put(n, '\\');
	put(n, 'x');
	put(n, hex[(unsigned char)c >> 4]);
	put(n, hex[(unsigned char)c & 15]);
}

/* "/srv/my data/" to "srv-my\x20data", as systemd-escape --path does it. */
static void put_path(struct name *n, const char *path)
{
	bool first = true;

	while (*path) {
		path += strspn(path, "/");
		if (!*path)
			break;
		if (!first)
			put(n, '-');
		for (; *path && *path != '/'; path++) {
			if (is_plain(*path) && !(first && *path == '.'))
				put(n, *path);
			else
				put_escaped(n, *path);
			first = false;
		}
	}
	if (first)
		put(n, '-');	/* the root directory */
}

static void put_word(struct name *n, const char *word)
{
	for (; *word; word++) {
		if (is_plain(*word) || *word == '-' || *word == '\\' || *word == '@')
			put(n, *word);
		else if (*word == '/')
			put(n, '-');
		else
			put_escaped(n, *word);
	}
}

int hf_unit_name_of(const char *text, char ret[HF_UNIT_NAME_MAX + 1], const char **ret_why)
{
	char made[HF_UNIT_NAME_MAX + 2];
	struct name n = { made, 0 };
	const char *suffix = "", *at;

	if (!*text) {
		*ret_why = "it is empty";
		return -EINVAL;
	}
	if (text[0] == '/') {
		put_path(&n, text);
		suffix = ".mount";
	} else {
		put_word(&n, text);
		if (!hf_unit_type_of(text))
			suffix = ".service";
	}
	for (; *suffix; suffix++)
		put(&n, *suffix);
	if (n.len > HF_UNIT_NAME_MAX) {
		*ret_why = "a unit's name has 255 characters at most";
		return -EINVAL;
	}
	made[n.len] = '\0';
	at = strchr(made, '@');
	if (at == made || made[0] == '.') {
		*ret_why = "a unit's name begins otherwise";
		return -EINVAL;
	}
	if (at && at[1] == '.' && strchr(at + 1, '.') == strrchr(at, '.')) {
		*ret_why = "it is a template; name an instance of it, with a word behind the @";
		return -EINVAL;
	}
	memcpy(ret, made, n.len + 1);
	return 0;
}

bool hf_unit_is_directory(const char *name, const char *directory)
{
	/* Where a name could be taken for a file of the kernel ("memory.service"): cg_escape() of systemd. */
	return strcmp(directory + (directory[0] == '_'), name) == 0;
}

/* ---- By the names of cgroups ------------------------------------------------------------- */

/* "user.slice/user-1000.slice/user@1000.service/", as far as it is the beginning of the path; its uid. */
static const char *skip_user_manager(const char *path, long *ret_uid)
{
	static const char mark[] = "/user@";
	const char *p = strstr(path, mark);
	long uid = 0;

	if (!p || !isdigit((unsigned char)p[sizeof(mark) - 1]))
		return NULL;
	for (p += sizeof(mark) - 1; isdigit((unsigned char)*p) && uid < 10000000000L; p++)
		uid = 10 * uid + (*p - '0');
	if (strncmp(p, ".service/", 9) != 0)
		return NULL;
	*ret_uid = uid;
	return p + 8;
}

/* Units are in slices and in nothing else. */
bool hf_unit_is_managed(const char *below, long uid)
{
	long manager = -1;
	const char *own = skip_user_manager(below, &manager);
	const char *end;

	if (own)
		below = own;
	if (manager != uid)
		return false;
	for (below++; (end = strchr(below, '/')); below = end + 1)
		if (!ends_with(below, (size_t)(end - below), ".slice"))
			return false;
	return true;
}

struct search {
	const struct hf_mounts *mounts;
	const char *name;
	long uid;
	struct hf_sites sites;
};

static int see(enum hf_mount mount, const char *below, void *data)
{
	struct search *s = data;

	if (!hf_unit_is_directory(s->name, strrchr(below, '/') + 1) || !hf_unit_is_managed(below, s->uid))
		return 0;
	return hf_sites_add_below(&s->sites, below, s->mounts, mount, below, NULL);
}

static int several(const struct search *s, struct hf_error *err)
{
	char list[400] = "";
	size_t i, used = 0;

	for (i = 0; i < s->sites.n && used < sizeof(list); i++)
		if (hf_sites_is_first(&s->sites, i))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
						 s->sites.list[i].key);
	return hf_fail(err, ENOTUNIQ, HF_STAGE_LOOK, 0, "several cgroups are called %s: %s; name one with --cgroup",
		       s->name, list);
}

int hf_unit_find_by_path(const struct hf_mounts *mounts, const char *name, bool user, char ret[PATH_MAX],
			 struct hf_error *err)
{
	struct search s = { .mounts = mounts, .name = name, .uid = user ? (long)geteuid() : -1 };
	const struct hf_site *site;
	int r = hf_cgroups_walk(mounts, see, &s);

	hf_sites_sort(&s.sites);
	if (r < 0) {
		r = hf_fail(err, -r, HF_STAGE_LOOK, 0, "looking for the cgroup of unit %s: %s", name, strerror(-r));
	} else if (s.sites.n == 0) {
		r = hf_fail(err, ENOENT, HF_STAGE_LOOK, 0, "no cgroup of a unit %s%s: it is not running, or there is none "
			    "of that name", name, user ? " of this user" : "");
	} else if (strcmp(s.sites.list[0].key, s.sites.list[s.sites.n - 1].key) != 0) {
		r = several(&s, err);
	} else {
		site = hf_sites_meant(&s.sites, s.sites.list[0].key);
		snprintf(ret, PATH_MAX, "%s", site->path);
	}
	hf_sites_done(&s.sites);
	return r;
}

/* ---- By asking systemd ------------------------------------------------------------------- */

/* Where the cgroup that systemd names is below the freezer mounts. */
static int locate(const struct hf_mounts *mounts, const char *name, const char *below, char ret[PATH_MAX],
		  struct hf_error *err)
{
	struct hf_sites sites = { 0 };
	const struct hf_site *site;
	char path[2 * PATH_MAX];
	int i, r = 0;

	for (i = 0; r == 0 && i < HF_MOUNT_COUNT; i++) {
		snprintf(path, sizeof(path), "%s%s", mounts->path[i], below);
		if (mounts->path[i][0] && access(path, F_OK) == 0)
			r = hf_sites_add(&sites, "", path, NULL);
	}
	site = hf_sites_meant(&sites, "");
	if (r < 0)
		hf_fail(err, -r, HF_STAGE_LOOK, 0, "looking for the cgroup of unit %s: %s", name, strerror(-r));
	else if (!site)
		r = hf_fail(err, ENOENT, HF_STAGE_LOOK, 0, "unit %s is in cgroup %s, which is below no freezer that is "
			    "mounted here (systemd uses no v1 freezer); name its main process with --pid", name, below);
	else
		snprintf(ret, PATH_MAX, "%s", site->path);
	hf_sites_done(&sites);
	return r;
}

static int refuse_whole_machine(const char *name, bool user, struct hf_error *err)
{
	if (!user && strcmp(name, "init.scope") == 0)
		return hf_fail(err, EBUSY, HF_STAGE_LOOK, 0, "unit init.scope is systemd itself, PID 1, without which the "
			       "machine does not run; it cannot be held");
	if (strcmp(name, "-.slice") == 0)
		return hf_fail(err, EBUSY, HF_STAGE_LOOK, 0, "unit -.slice is everything, systemd included; for the whole "
			       "machine there is --all");
	return 0;
}

int hf_unit_find(const struct hf_mounts *mounts, const char *name, bool user, unsigned int timeout_ms,
		 char ret[PATH_MAX], char *note, struct hf_error *err)
{
	const struct hf_unit_type *type = hf_unit_type_of(name);
	char below[PATH_MAX];
	int r = refuse_whole_machine(name, user, err);

	note[0] = '\0';
	if (r < 0)
		return r;
	if (!type || !type->interface)
		return hf_fail(err, EINVAL, HF_STAGE_LOOK, 0, "unit %s is a%s %s, which has no processes", name,
			       type && strchr("aeiou", type->suffix[1]) ? "n" : "", type ? type->suffix + 1 : "thing");
	r = hf_unit_bus_ask(name, type->interface, user, timeout_ms, below, note, err);
	if (r < 0)
		return r;
	return r ? locate(mounts, name, below, ret, err) : hf_unit_find_by_path(mounts, name, user, ret, err);
}
