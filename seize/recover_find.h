/* SPDX-License-Identifier: MIT */
/*
 * recover_find - find again the cgroups that a journal tells of: by path, or, where that has another meaning here
 * than for the holder or the cgroup was renamed, by the id that the kernel gives no other until the next boot.
 */
#ifndef HF_RECOVER_FIND_H
#define HF_RECOVER_FIND_H

#include "journal.h"

/*
 * The target's directory: a descriptor that is the caller's.  -ENOENT: it is gone for certain; -EXDEV: it cannot be
 * seen from here; -errno.
 */
int hf_recover_find_top(const struct hf_journal_page *page, const struct hf_origin *here);

/*
 * Open one level's setting, into its fd and self_fd: the caller's to close, negative as above on failure.  top is
 * what hf_recover_find_top() returned.
 */
void hf_recover_open(struct hf_journal_page *page, size_t level, int top, const struct hf_origin *here);

#endif
