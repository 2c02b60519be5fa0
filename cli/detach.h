/* SPDX-License-Identifier: MIT */
/*
 * detach - `hold -d`: have a keeper take the hold, and tell of it.  A hold that could not be told of is released again:
 * nobody would know that it stands.
 */
#ifndef HF_DETACH_H
#define HF_DETACH_H

#include "cmd.h"

/* What a keeper tells, in the words of a hold of our own. */
struct hf_hold_info hf_kept_info(const struct hf_keeper_info *k);

/* Returns an exit status. */
int hf_detach(const struct hf_cmd *cmd, const struct hf_args *args, const struct hf_target *target);

#endif
