/* SPDX-License-Identifier: MIT */
/*
 * unit - from the name of a systemd unit to its cgroup.  systemd is asked (unit_bus.h); where it does not
 * answer, the unit's cgroup is known by its name (systemd.slice(5), systemd.unit(5)).
 */
#ifndef HF_UNIT_H
#define HF_UNIT_H

#include <limits.h>
#include <stdbool.h>

#include "holdfast.h"

#include "cgroups.h"

/* The kinds of units that have processes, or none, by the suffix of the name. */
struct hf_unit_type {
	const char *suffix;
	const char *interface;	/* of its object on the bus; NULL: such a unit has no processes */
};
/* NULL when the name ends like no unit. */
const struct hf_unit_type *hf_unit_type_of(const char *name);

#define HF_UNIT_NAME_MAX 255	/* systemd.unit(5) */

/*
 * The whole name of a unit from what was written, as systemctl(1) does it: "cron" is cron.service, "/srv/data"
 * is srv-data.mount, and characters that cannot be in a name are escaped.  0 or -EINVAL, and what is wrong in
 * *ret_why (static storage).
 */
int hf_unit_name_of(const char *text, char ret[HF_UNIT_NAME_MAX + 1], const char **ret_why);

/* Whether this is how systemd calls the unit's directory: the name, with a '_' before it where that is needed. */
bool hf_unit_is_directory(const char *name, const char *directory);

/*
 * Whether a cgroup, by its path within the hierarchy, is that of a unit of the system's manager (uid -1) or of the
 * user manager of uid.  What is below another manager, or inside a container, are not units of this one.
 */
bool hf_unit_is_managed(const char *below, long uid);

/*
 * Find the cgroup of a unit, which must be running.  name is a whole name; user: of the user manager.
 * mounts: where to look.  On success ret has an absolute path.  timeout_ms bounds how long systemd is waited for.
 * note (HF_NOTE_MAX bytes) says why systemd was not asked although it seems to be there; else it is empty.
 */
#define HF_NOTE_MAX 256
int hf_unit_find(const struct hf_mounts *mounts, const char *name, bool user, unsigned int timeout_ms,
		 char ret[PATH_MAX], char *note, struct hf_error *err);

/* The same by the names of cgroups alone.  -ENOENT: none; -ENOTUNIQ: several, listed in err. */
int hf_unit_find_by_path(const struct hf_mounts *mounts, const char *name, bool user, char ret[PATH_MAX],
			 struct hf_error *err);

#endif
