/* SPDX-License-Identifier: MIT */
/*
 * look - what `tree` and `stack` share: hold, look, release; then make a text of what was seen, and print it.
 * Everything that can wait is done after the release: a reader who does not read cannot keep the target
 * stopped.
 */
#ifndef HF_LOOK_H
#define HF_LOOK_H

#include "holdfast.h"

#include "cmd.h"

struct hf_look {
	const struct hf_cmd *cmd;
	const struct hf_args *args;
	enum hf_brief brief;	/* what is told of each thread needs no more */
	void *seen;		/* whatever the two below agree on */
	/* While everything is held, on the holder's thread; writes not a word. */
	int (*held)(struct hf_look *look, hf_hold *hold, struct hf_error *err);
	/*
	 * When all is released: make text.  info is of the hold that was.  partial may be set: the exit status is to tell
	 * that not everything could be seen.
	 */
	int (*released)(struct hf_look *look, const struct hf_hold_info *info, struct hf_error *err);
	char *text;		/* malloc()ed */
	size_t len;
	bool partial;
};

/* Do all of it.  Returns an exit status. */
int hf_look_and_print(struct hf_look *look);

#endif
