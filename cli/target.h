/* SPDX-License-Identifier: MIT */
/*
 * target - from what the user named to a target of the library.
 */
#ifndef HF_CLI_TARGET_H
#define HF_CLI_TARGET_H

#include "holdfast.h"

#include "cmd.h"

/* Fill *ret, which lends what args has.  0, or an exit status after saying what is wrong. */
int hf_target_of(const struct hf_cmd *cmd, const struct hf_args *args, struct hf_target *ret);

/* The target as the user wrote it, for messages and names: "pod", "12", "all".  Lent by args or buf. */
#define HF_TARGET_SHOWN_MAX 32
const char *hf_target_shown(const struct hf_args *args, char buf[HF_TARGET_SHOWN_MAX]);

#endif
