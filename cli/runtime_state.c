/* SPDX-License-Identifier: MIT */
/*
 * runtime_state - see runtime_state.h.
 *
 *	runc		/run/runc/ID/state.json				cgroup_paths: { "freezer": PATH, "": PATH of v2 }
 *	  of containerd	/run/containerd/runc/NAMESPACE/ID/state.json	the same
 *	  of Docker	/run/docker/runtime-runc/NAMESPACE/ID/state.json
 *	crun		/run/crun/ID/status				cgroup-path: below the mounts
 *	Docker		/var/lib/docker/containers/ID/config.v2.json	Name: "/NAME"
 *	Podman, CRI-O	/var/lib/containers/storage/overlay-containers/containers.json	[ { id, names } ]
 *	nerdctl		/var/lib/nerdctl/ADDRESS/names/NAMESPACE/NAME	the id
 *
 * Podman's own database is sqlite, but what it stores its containers in has their names, too.
 */
#include "runtime_state.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "own.h"

/* Which of a place's directories a file is below; the user's is where the same program keeps it without root. */
struct source {
	const char *machine, *runtime, *data;
	const char *kind;
};

static const struct source runc_sources[] = {
	{ "/run/runc/*/state.json", "/runc/*/state.json", NULL, "runc" },
	{ "/run/containerd/runc/*/*/state.json", "/containerd/runc/*/*/state.json", NULL, "containerd" },
	{ "/run/docker/runtime-runc/*/*/state.json", "/docker/runtime-runc/*/*/state.json", NULL, "Docker" },
};
static const struct source crun_sources[] = {
	{ "/run/crun/*/status", "/crun/*/status", NULL, "crun" },
};
static const struct source docker_sources[] = {
	{ "/var/lib/docker/containers/*/config.v2.json", NULL, "/docker/containers/*/config.v2.json", "Docker" },
};
static const struct source storage_sources[] = {
	{ "/var/lib/containers/storage/*-containers/*containers.json", NULL,
	  "/containers/storage/*-containers/*containers.json", "Podman" },
};
static const struct source nerdctl_sources[] = {
	{ "/var/lib/nerdctl/*/names/*/*", NULL, "/nerdctl/*/names/*/*", "nerdctl" },
};

struct hf_state_places hf_state_places_here(char *data_buf, unsigned long cap)
{
	struct hf_state_places places = { .root = "", .machine = geteuid() == 0 };
	const char *home = secure_getenv("HOME"), *data = secure_getenv("XDG_DATA_HOME");

	if (places.machine)
		return places;
	places.runtime = secure_getenv("XDG_RUNTIME_DIR");
	if (data && data[0] == '/')
		places.data = data;
	else if (home && (unsigned long)snprintf(data_buf, cap, "%s/.local/share", home) < cap)
		places.data = data_buf;
	return places;
}

/* ---- Files ------------------------------------------------------------------------------- */

/* What is told, and to whom; the file at hand. */
struct reader {
	const struct hf_state_places *places;
	const char *kind;
	hf_state_fn *tell_cgroup;
	hf_name_fn *tell_name;
	void *data;
	struct hf_buf text;
};

typedef int file_fn(struct reader *r, const char *path);

static int each_match(struct reader *r, const char *top, const char *pattern, file_fn *fn)
{
	char whole[PATH_MAX];
	glob_t all;
	size_t i;
	int code = 0;

	if (snprintf(whole, sizeof(whole), "%s%s%s", r->places->root, top, pattern) >= (int)sizeof(whole))
		return 0;
	switch (glob(whole, 0, NULL, &all)) {
	case 0:
		break;
	case GLOB_NOSPACE:
		return -ENOMEM;
	default:
		return 0;
	}
	for (i = 0; code == 0 && i < all.gl_pathc; i++)
		code = fn(r, all.gl_pathv[i]);
	globfree(&all);
	return code;
}

static int each_file(struct reader *r, const struct source *sources, size_t n, file_fn *fn)
{
	const struct hf_state_places *p = r->places;
	size_t i;
	int code = 0;

	for (i = 0; code == 0 && i < n; i++) {
		r->kind = sources[i].kind;
		if (p->machine && sources[i].machine)
			code = each_match(r, "", sources[i].machine, fn);
		if (code == 0 && p->runtime && sources[i].runtime)
			code = each_match(r, p->runtime, sources[i].runtime, fn);
		if (code == 0 && p->data && sources[i].data)
			code = each_match(r, p->data, sources[i].data, fn);
	}
	return code;
}
#define EACH_FILE(r, sources, fn) each_file(r, sources, sizeof(sources) / sizeof(*(sources)), fn)

/* The file as JSON, the caller's to put; NULL when it is none or cannot be read. */
static json_object *parse(struct reader *r, const char *path)
{
	json_object *root = NULL;

	if (hf_read_at(AT_FDCWD, path, &r->text) == 0 && r->text.len)
		root = json_tokener_parse(r->text.data);
	return root;
}

/* A member that is a string and not empty, or NULL. */
static const char *string_of(json_object *object, const char *key)
{
	json_object *value = NULL;
	const char *text;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return text[0] ? text : NULL;
}

/* The name of the directory a file is in. */
static void directory_name(const char *path, char *ret, size_t cap)
{
	const char *end = strrchr(path, '/'), *start = end;

	while (start && start > path && start[-1] != '/')
		start--;
	snprintf(ret, cap, "%.*s", end ? (int)(end - start) : 0, start ? start : "");
}

/* ---- Cgroups ----------------------------------------------------------------------------- */

static int read_runc(struct reader *r, const char *path)
{
	json_object *root = parse(r, path), *paths = NULL;
	/* v2 is called "", and "unified" by the releases before 1.1. */
	static const char *const hierarchies[] = { "", "unified", "freezer" };
	char id[NAME_MAX + 1];
	size_t i;
	int code = 0;

	directory_name(path, id, sizeof(id));
	if (json_object_is_type(root, json_type_object) && json_object_object_get_ex(root, "cgroup_paths", &paths))
		for (i = 0; code == 0 && i < sizeof(hierarchies) / sizeof(*hierarchies); i++) {
			const char *cgroup = string_of(paths, hierarchies[i]);

			if (cgroup && cgroup[0] == '/')
				code = r->tell_cgroup(id, cgroup, false, r->kind, r->data);
		}
	json_object_put(root);
	return code;
}

static int read_crun(struct reader *r, const char *path)
{
	json_object *root = parse(r, path);
	const char *cgroup = string_of(root, "cgroup-path");
	char id[NAME_MAX + 1];
	int code = 0;

	directory_name(path, id, sizeof(id));
	if (cgroup && strcmp(cgroup, "/") != 0)
		code = r->tell_cgroup(id, cgroup, true, r->kind, r->data);
	json_object_put(root);
	return code;
}

int hf_state_cgroups(const struct hf_state_places *places, hf_state_fn *fn, void *data)
{
	struct reader r = { .places = places, .tell_cgroup = fn, .data = data };
	int code = EACH_FILE(&r, runc_sources, read_runc);

	if (code == 0)
		code = EACH_FILE(&r, crun_sources, read_crun);
	hf_buf_done(&r.text);
	return code;
}

/* ---- Names ------------------------------------------------------------------------------- */

static int read_docker(struct reader *r, const char *path)
{
	json_object *root = parse(r, path);
	const char *name = string_of(root, "Name"), *id = string_of(root, "ID");
	int code = 0;

	if (name && id && name[name[0] == '/'])
		code = r->tell_name(name + (name[0] == '/'), id, r->kind, r->data);
	json_object_put(root);
	return code;
}

static int read_names_of(struct reader *r, json_object *container)
{
	const char *id = string_of(container, "id");
	json_object *names = NULL;
	size_t i;
	int code = 0;

	if (!id || !json_object_object_get_ex(container, "names", &names) || !json_object_is_type(names, json_type_array))
		return 0;
	for (i = 0; code == 0 && i < json_object_array_length(names); i++) {
		json_object *name = json_object_array_get_idx(names, i);

		if (json_object_is_type(name, json_type_string))
			code = r->tell_name(json_object_get_string(name), id, r->kind, r->data);
	}
	return code;
}

static int read_storage(struct reader *r, const char *path)
{
	json_object *root = parse(r, path);
	size_t i, n = json_object_is_type(root, json_type_array) ? json_object_array_length(root) : 0;
	int code = 0;

	for (i = 0; code == 0 && i < n; i++)
		code = read_names_of(r, json_object_array_get_idx(root, i));
	json_object_put(root);
	return code;
}

static int read_nerdctl(struct reader *r, const char *path)
{
	if (hf_read_at(AT_FDCWD, path, &r->text) < 0)
		return 0;
	r->text.data[strcspn(r->text.data, "\n")] = '\0';
	return r->text.data[0] ? r->tell_name(strrchr(path, '/') + 1, r->text.data, r->kind, r->data) : 0;
}

int hf_state_names(const struct hf_state_places *places, hf_name_fn *fn, void *data)
{
	struct reader r = { .places = places, .tell_name = fn, .data = data };
	int code = EACH_FILE(&r, docker_sources, read_docker);

	if (code == 0)
		code = EACH_FILE(&r, storage_sources, read_storage);
	if (code == 0)
		code = EACH_FILE(&r, nerdctl_sources, read_nerdctl);
	hf_buf_done(&r.text);
	return code;
}
