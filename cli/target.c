/* SPDX-License-Identifier: MIT */
/*
 * target - see target.h.
 */
#include "target.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "err.h"
#include "unit.h"

/* systemd answers in milliseconds.  If it does not, it hangs, or is held itself; its units can be found all the same. */
#define SYSTEMD_MS 2000u

/* What was found of the one target that this command has. */
static struct {
	char path[PATH_MAX];
	char name[HF_UNIT_NAME_MAX + 1];
} found;

static int find_unit(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_mounts *mounts,
		     struct hf_error *err)
{
	unsigned int patience = args->timeout_ms && args->timeout_ms < SYSTEMD_MS ? args->timeout_ms : SYSTEMD_MS;
	char note[HF_NOTE_MAX];
	const char *why;
	int r;

	if (hf_unit_name_of(args->unit, found.name, &why) < 0)
		return hf_usage(cmd->name, "--unit: '%s' is no name of a unit: %s", args->unit, why);
	r = hf_unit_find(mounts, found.name, args->user, patience, found.path, note, err);
	if (note[0] && !args->quiet)
		hf_say(cmd->name, "systemd was asked for unit %s: %s; going by the names of cgroups", found.name, note);
	return r < 0 ? hf_report(cmd->name, err) : HF_EXIT_DONE;
}

static int find_container(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_mounts *mounts,
			  struct hf_error *err)
{
	char data[PATH_MAX];
	struct hf_state_places places = hf_state_places_here(data, sizeof(data));
	int r = hf_container_find(mounts, &places, args->container, found.path, found.name, err);

	return r < 0 ? hf_report(cmd->name, err) : HF_EXIT_DONE;
}

int hf_target_of(const struct hf_cmd *cmd, const struct hf_args *args, struct hf_target *ret)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_mounts mounts;
	int r = HF_EXIT_DONE;

	*ret = (struct hf_target)HF_TARGET_INIT;
	ret->kind = args->kind;
	ret->path = args->operand;
	ret->pids = args->pids;
	ret->n_pids = args->n_pids;
	ret->excepts = args->excepts;
	ret->n_excepts = args->n_excepts;
	if (!args->unit && !args->container)
		return HF_EXIT_DONE;
	r = hf_mounts_find(&mounts);
	if (r < 0) {
		hf_fail(&err, -r, HF_STAGE_LOOK, 0, "cannot read /proc/self/mountinfo: %s", strerror(-r));
		return hf_report(cmd->name, &err);
	}
	r = args->unit ? find_unit(cmd, args, &mounts, &err) : find_container(cmd, args, &mounts, &err);
	ret->path = found.path;
	return r;
}

const char *hf_target_shown(const struct hf_args *args, char buf[HF_TARGET_SHOWN_MAX])
{
	if (args->unit || args->container)
		return args->unit ? args->unit : args->container;
	switch (args->kind) {
	case HF_TARGET_PROCESSES:
		snprintf(buf, HF_TARGET_SHOWN_MAX, args->n_pids > 1 ? "%d+%zu" : "%d", (int)args->pids[0],
			 args->n_pids - 1);
		return buf;
	case HF_TARGET_MACHINE:
		return "all";
	case HF_TARGET_CGROUP:
		break;
	}
	return args->operand;
}

void hf_target_name(const struct hf_args *args, const char *path, char ret[HF_NAME_MAX + 1])
{
	char shown[HF_TARGET_SHOWN_MAX];

	if (args->unit || args->container)
		hf_name_of_path(found.name, ret);
	else
		hf_name_of_path(path ? path : hf_target_shown(args, shown), ret);
}

/* ---- For completion ---------------------------------------------------------------------- */

struct words {
	hf_target_word_fn *fn;
	void *data;
	long uid;
};

/* A name that is as systemd would write it; whatever else ends like one is no unit. */
static int tell_unit(enum hf_mount mount, const char *below, void *data)
{
	const struct words *w = data;
	const char *name = strrchr(below, '/') + 1, *why;
	const struct hf_unit_type *type = hf_unit_type_of(name);
	char proper[HF_UNIT_NAME_MAX + 1];

	(void)mount;
	name += name[0] == '_';
	if (type && type->interface && hf_unit_is_managed(below, w->uid) &&
	    hf_unit_name_of(name, proper, &why) == 0 && strcmp(name, proper) == 0)
		w->fn(name, w->data);
	return 0;
}

void hf_target_units(bool user, hf_target_word_fn *fn, void *data)
{
	struct words w = { fn, data, user ? (long)geteuid() : -1 };
	struct hf_mounts mounts;

	if (hf_mounts_find(&mounts) == 0)
		hf_cgroups_walk(&mounts, tell_unit, &w);
}

void hf_target_containers(hf_target_word_fn *fn, void *data)
{
	char place[PATH_MAX];
	struct hf_state_places places = hf_state_places_here(place, sizeof(place));
	struct hf_mounts mounts;

	if (hf_mounts_find(&mounts) == 0)
		hf_container_words(&mounts, &places, fn, data);
}
