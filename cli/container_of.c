/* SPDX-License-Identifier: MIT */
/*
 * container_of - how container runtimes spell a container's id in the name of its cgroup; see container.h.
 *
 *	systemd driver	system.slice/docker-ID.scope, machine.slice/libpod-ID.scope,
 *			kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/cri-containerd-ID.scope
 *	cgroupfs	docker/ID, libpod_parent/libpod-ID, kubepods/burstable/podUID/ID, NAMESPACE/ID
 *	both mixed up	system.slice/containerd.service/kubepods-podUID.slice:cri-containerd:ID
 *
 * An ID is 64 hexadecimal digits where the runtime has made it, and any word where the user of runc or crun has.
 */
#include "container.h"

#include <ctype.h>
#include <string.h>

#define LONG_ID 64

enum id_form { FORM_LONG, FORM_ANY, FORM_UID };

static const struct spelling {
	const char *before, *after;
	enum id_form form;
	const char *kind;
} spellings[] = {
	{ "", "", FORM_LONG, "container" },
	{ "docker-", ".scope", FORM_LONG, "Docker" },
	{ "libpod-", ".scope", FORM_LONG, "Podman" },
	{ "libpod-", "", FORM_LONG, "Podman" },
	{ "libpod-payload-", "", FORM_LONG, "Podman" },
	{ "machine-libpod_pod_", ".slice", FORM_LONG, "Podman pod" },
	{ "user-libpod_pod_", ".slice", FORM_LONG, "Podman pod" },
	{ "cri-containerd-", ".scope", FORM_LONG, "containerd" },
	{ "nerdctl-", ".scope", FORM_LONG, "containerd" },
	{ "crio-", ".scope", FORM_LONG, "CRI-O" },
	{ "crio-", "", FORM_LONG, "CRI-O" },
	{ "runc-", ".scope", FORM_ANY, "runc" },
	{ "crun-", ".scope", FORM_ANY, "crun" },
	{ "pod", "", FORM_UID, "Kubernetes pod" },
};

/* SLICE:PREFIX:ID: what the systemd driver would have made a scope of, taken for a path by the cgroupfs driver. */
static const struct {
	const char *prefix;
	enum id_form form;
	const char *kind;
} mixed[] = {
	{ "docker", FORM_LONG, "Docker" },	     { "libpod", FORM_LONG, "Podman" },
	{ "cri-containerd", FORM_LONG, "containerd" }, { "nerdctl", FORM_LONG, "containerd" },
	{ "crio", FORM_LONG, "CRI-O" },		     { "runc", FORM_ANY, "runc" },
	{ "crun", FORM_ANY, "crun" },
};

static bool is_hex(char c)
{
	return isdigit((unsigned char)c) || (c >= 'a' && c <= 'f');
}

static bool is_long(const char *id, size_t len)
{
	size_t i;

	for (i = 0; i < len && is_hex(id[i]); i++)
		;
	return len == LONG_ID && i == len;
}

/* 8-4-4-4-12 digits; slices have '_' for '-'.  Static pods have 32 digits without any. */
static bool is_uid(const char *id, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		bool joint = len == 36 && (i == 8 || i == 13 || i == 18 || i == 23);

		if (joint ? id[i] != '-' && id[i] != '_' : !is_hex(id[i]))
			return false;
	}
	return len == 36 || len == 32;
}

static bool take_id(const char *id, size_t len, enum id_form form, char ret[HF_CONTAINER_ID_MAX + 1])
{
	size_t i;

	if (len == 0 || len > HF_CONTAINER_ID_MAX)
		return false;
	if ((form == FORM_LONG && !is_long(id, len)) || (form == FORM_UID && !is_uid(id, len)))
		return false;
	for (i = 0; i < len; i++)
		ret[i] = (char)(form == FORM_UID && id[i] == '_' ? '-' : id[i]);
	ret[len] = '\0';
	return true;
}

static bool is_mixed(const char *name, char ret_id[HF_CONTAINER_ID_MAX + 1], const char **ret_kind)
{
	const char *first = strchr(name, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	size_t i, len = second ? (size_t)(second - first - 1) : 0;

	for (i = 0; second && i < sizeof(mixed) / sizeof(*mixed); i++) {
		if (strlen(mixed[i].prefix) != len || memcmp(mixed[i].prefix, first + 1, len) != 0)
			continue;
		*ret_kind = mixed[i].kind;
		return take_id(second + 1, strlen(second + 1), mixed[i].form, ret_id);
	}
	return false;
}

/* "kubepods-burstable-podUID.slice"; the part before -pod is longer where kubelet has a parent of its own. */
static bool is_pod_slice(const char *name, char ret_id[HF_CONTAINER_ID_MAX + 1], const char **ret_kind)
{
	const char *kubepods = strstr(name, "kubepods"), *uid = kubepods ? strstr(kubepods, "-pod") : NULL;
	const char *end = uid ? strstr(uid, ".slice") : NULL;

	if (!end || strcmp(end, ".slice") != 0)
		return false;
	*ret_kind = "Kubernetes pod";
	return take_id(uid + 4, (size_t)(end - uid - 4), FORM_UID, ret_id);
}

bool hf_container_of(const char *below, char ret_id[HF_CONTAINER_ID_MAX + 1], const char **ret_kind)
{
	const char *slash = strrchr(below, '/'), *name = slash ? slash + 1 : below;
	size_t i, len = strlen(name);

	for (i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		const struct spelling *s = &spellings[i];
		size_t before = strlen(s->before), after = strlen(s->after);

		if (len <= before + after || memcmp(name, s->before, before) != 0 ||
		    memcmp(name + len - after, s->after, after) != 0)
			continue;
		*ret_kind = s->kind;
		if (take_id(name + before, len - before - after, s->form, ret_id))
			return true;
	}
	return is_pod_slice(name, ret_id, ret_kind) || is_mixed(name, ret_id, ret_kind);
}
