/* SPDX-License-Identifier: MIT */
/*
 * guard_undo - what a guard does once its holder is dead: resume what was held, keep it frozen, or kill it.
 * Runs in the guard, a fork of an unknown program: no allocation, no locks, bare system calls.
 */
#ifndef HF_GUARD_UNDO_H
#define HF_GUARD_UNDO_H

#include <poll.h>
#include <stddef.h>

#include "freezer.h"
#include "journal.h"

/* What the guard takes along; made before the fork. */
struct hf_guard_post {
	struct hf_journal_page *page;
	const struct hf_journal *journal;
	const struct hf_freezer *freezer;
	int socket_fd, pidfd, message_fd;
	int holders_fd;		/* the other end of the socket */
	int *kept;		/* descriptors that stay open, in order */
	size_t n_kept;
};

/* Do as the journal asks, let go of the holder's locks, say what was done. */
void hf_guard_undo(const struct hf_guard_post *post);

/* poll(2) as a bare system call. */
int hf_guard_poll(struct pollfd *p, unsigned int n, int ms);

#endif
