/* SPDX-License-Identifier: MIT */
/*
 * runtime_state - what the state directories of container runtimes tell: where runc and crun have put a
 * container, and which names belong to which ids.  runtime_state.c is the only file of the command that parses JSON.
 *
 * What is not as expected is passed over: these files belong to other programs, which change them.
 */
#ifndef HF_RUNTIME_STATE_H
#define HF_RUNTIME_STATE_H

#include <stdbool.h>

/*
 * Where to look.  Root's directories are the machine's, others are asked only on behalf of the user that they belong
 * to: a cgroup's path is believed.
 */
struct hf_state_places {
	const char *root;	/* before every path: "" but in tests */
	bool machine;		/* /run, /var/lib: we are root */
	const char *runtime;	/* $XDG_RUNTIME_DIR of another user, or NULL */
	const char *data;	/* ~/.local/share of that user, or NULL */
};

/* For us, from the environment.  data_buf (cap bytes) is lent to it. */
struct hf_state_places hf_state_places_here(char *data_buf, unsigned long cap);

/*
 * Call fn for every container of runc and crun: its id, and a path of its cgroup, absolute or relative to the
 * hierarchies' mounts as `relative` says; twice when it has one in each.  0, -ENOMEM or what fn returned.
 */
typedef int hf_state_fn(const char *id, const char *path, bool relative, const char *kind, void *data);
int hf_state_cgroups(const struct hf_state_places *places, hf_state_fn *fn, void *data);

/* Call fn for every name that Docker, Podman, CRI-O or nerdctl has for a container. */
typedef int hf_name_fn(const char *name, const char *id, const char *kind, void *data);
int hf_state_names(const struct hf_state_places *places, hf_name_fn *fn, void *data);

#endif
