/* SPDX-License-Identifier: MIT */
/*
 * target - from what the user named to a target of the library.
 */
#ifndef HF_CLI_TARGET_H
#define HF_CLI_TARGET_H

#include "holdfast.h"

#include "cmd.h"

/*
 * Fill *ret, which lends what args has, and the path of a unit's or container's cgroup, which is looked for here
 * and kept until the next call.  0, or an exit status after saying what is wrong.
 */
int hf_target_of(const struct hf_cmd *cmd, const struct hf_args *args, struct hf_target *ret);

/* The target as the user wrote it, for messages: "pod", "12", "12+1", "cron", "all".  Lent by args or buf. */
#define HF_TARGET_SHOWN_MAX 32
const char *hf_target_shown(const struct hf_args *args, char buf[HF_TARGET_SHOWN_MAX]);

/*
 * What a hold of it is called where nobody says otherwise, after hf_target_of(): the unit, the container, the last
 * component of path, which is that of the cgroup.
 */
void hf_target_name(const struct hf_args *args, const char *path, char ret[HF_NAME_MAX + 1]);

/*
 * For completion: call fn for each unit that has a cgroup (of the user manager if user), or each container.
 */
typedef void hf_target_word_fn(const char *word, void *data);
void hf_target_units(bool user, hf_target_word_fn *fn, void *data);
void hf_target_containers(hf_target_word_fn *fn, void *data);

#endif
