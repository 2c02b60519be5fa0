/* SPDX-License-Identifier: MIT */
/*
 * freezer_files - what freezer.c and freezer_open.c share: the names of a level's files.
 */
#ifndef HF_FREEZER_FILES_H
#define HF_FREEZER_FILES_H

#include "freezer.h"

#define HF_LEVEL_NAME_MAX 4096
#define HF_LEVEL_MAX 65000	/* a thread's level is a uint16_t, and HF_LEVEL_OUTSIDE is none */

/* The path of a file of a level, below the target's directory.  0 or -ENAMETOOLONG. */
int hf_level_file(const struct hf_level *l, const char *file, char *ret, size_t cap);

/* A level's own setting as it is now.  0 or -errno. */
int hf_level_read_self(const struct hf_freezer *f, const struct hf_level *l, bool *ret);

/*
 * Whether it is frozen in effect, by itself or by an ancestor: 1 or 0; -ENOENT when nobody is in it and none of
 * that can be said (v2), or it is gone; -errno.  Below it, v2 may still have somebody who is not.
 */
int hf_level_read_frozen(const struct hf_freezer *f, const struct hf_level *l);

#endif
