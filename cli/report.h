/* SPDX-License-Identifier: MIT */
/*
 * report - an error of the library in the user's words: what failed, what became of the changes, and which hold that is
 * kept in the background stands in the way.
 */
#ifndef HF_REPORT_H
#define HF_REPORT_H

#include <stdbool.h>

#include "holdfast.h"

/* Text and note of an error, each on a line of standard error.  Returns the exit status that goes with it. */
int hf_report(const char *cmd, const struct hf_error *err);

/* Whether this thread is the keeper of a hold of this user; name gets what that is called. */
bool hf_kept_by(pid_t tid, char name[HF_KEEPER_NAME_MAX + 1]);

#endif
