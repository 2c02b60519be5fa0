/* SPDX-License-Identifier: MIT */
/*
 * claim - the holds that are kept in the background, by name.  Each has two files in the runtime directory (rundir.h):
 *
 *	NAME.lock	locked (flock(2)) for as long as its keeper lives, whatever ends it: who gets the lock knows that
 *			the name is free, and that the socket is a leftover
 *	NAME.sock	where the keeper answers
 */
#ifndef HF_CLAIM_H
#define HF_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "holdfast.h"

/* A name that is ours. */
struct hf_claim {
	int dirfd, lock_fd, socket_fd;		/* the last one listens */
	char name[HF_KEEPER_NAME_MAX + 1];
};
#define HF_CLAIM_INIT { -1, -1, -1, "" }

/* Letters, digits and "._:@-", not beginning with '-' or '.', at most HF_KEEPER_NAME_MAX. */
bool hf_keeper_name_ok(const char *name);

/* Take a name and listen.  -EEXIST: a living keeper has it.  Others are said in *err, too. */
int hf_claim_name(struct hf_claim *c, const char *name, struct hf_error *err);
/* Give it up: both files go. */
void hf_claim_end(struct hf_claim *c);

/*
 * Connect to a keeper.  A descriptor that does not block; -ENOENT: no hold is called that (a leftover of a dead one is
 * removed); -ETIMEDOUT: it takes nobody.
 */
int hf_keeper_connect(const char *name, struct hf_error *err);

/*
 * Call fn for the name of each living keeper, in order, until it returns other than 0; remove what the dead have left.  One
 * that cannot be looked at is passed over, and that is returned in the end.
 */
int hf_keeper_each(int (*fn)(const char *name, void *data), void *data, struct hf_error *err);

#endif
