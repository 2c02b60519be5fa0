/* SPDX-License-Identifier: MIT */
/*
 * rundir - the directory for what must not outlive a boot but may outlive a process: /run/holdfast for
 * root, holdfast below the runtime directory of another user.
 */
#ifndef HF_RUNDIR_H
#define HF_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>

/* Overrides the rest, for tests and for machines that have no /run; an absolute path: any other is passed over. */
#define HF_RUNDIR_ENV "HOLDFAST_RUNTIME_DIR"

/*
 * Its path, whether it is there or not.  0, -ENXIO where this user has none, -ENAMETOOLONG.
 */
int hf_rundir_path(char *ret, size_t cap);

/*
 * Open it, making it (mode 0700) with `create`.  A descriptor that is the caller's, or -errno; -EPERM when
 * it belongs to somebody else, or others may write to it.
 */
int hf_rundir_open(bool create);

#endif
