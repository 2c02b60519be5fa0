/* SPDX-License-Identifier: MIT */
/*
 * keep - what `hold` and `run` share: staying with a hold until something ends it.  From the first stop to the
 * release the holder waits here and nowhere else: for its signals, its timer, and what the command itself
 * waits for.  Meanwhile it looks after the hold: the dead are reaped, and they and newcomers told of.
 */
#ifndef HF_KEEP_H
#define HF_KEEP_H

#include <poll.h>
#include <stdbool.h>

#include "holdfast.h"

#include "cmd.h"

struct hf_keep {
	const struct hf_cmd *cmd;
	const struct hf_args *args;
	int signals;			/* descriptor */
	int timer;			/* descriptor, or -1 */
	bool limited;			/* it ends by itself, for_ms after it stood */
	unsigned int for_ms;
	bool newcomers_expected;	/* nothing to tell */
	hf_hold *hold;
	size_t newcomers;		/* as reported last */
	unsigned char *told;		/* by index of the thread: its death was reported */
	size_t n_told;
};
#define HF_KEEP_INIT { .signals = -1, .timer = -1 }

/* Everything that is needed to wait, before anything is changed.  0, or an exit status after saying why. */
int hf_keep_open(struct hf_keep *k, const struct hf_cmd *cmd, const struct hf_args *args);
void hf_keep_done(struct hf_keep *k);

/* Options of the library for such a hold: with the switch for a holder that cannot obey its own timer. */
struct hf_take_options hf_keep_take_options(const struct hf_keep *k);

/* The hold stands: its time runs from now.  0 or -errno. */
int hf_keep_start(struct hf_keep *k, hf_hold *hold);

enum hf_keep_news {
	HF_KEEP_NOTHING = 0,
	HF_KEEP_SIGNALS,	/* there are signals to be taken from the descriptor */
	HF_KEEP_TIME,		/* the time is over */
};

/* Wait for one thing to happen.  also->revents is set, where its fd is not -1. */
enum hf_keep_news hf_keep_wait(struct hf_keep *k, struct pollfd *also);

/* Look after the hold: upon SIGCHLD. */
void hf_keep_attend(struct hf_keep *k);

/* Say who has come and is not held, unless that was said.  After the release as well, for who came at last. */
void hf_keep_tell_newcomers(struct hf_keep *k, const struct hf_hold_info *info);

#endif
