/* SPDX-License-Identifier: MIT */
/*
 * detach - `hold -d`: have a keeper take the hold, and tell of it.  A hold that could not be told of is released again:
 * nobody would know that it stands.
 */
#ifndef HF_DETACH_H
#define HF_DETACH_H

#include "cmd.h"

/* Returns an exit status. */
int hf_detach(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_target *target);

#endif
