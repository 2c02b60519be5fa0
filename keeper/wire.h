/* SPDX-License-Identifier: MIT */
/*
 * wire - messages of a varlink connection: JSON objects, each ended by a NUL.  Cuts what is read into messages and
 * keeps what could not be written yet; knows neither JSON nor methods.  Never blocks.
 */
#ifndef HF_WIRE_H
#define HF_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "io.h"

/* A call is short; what is longer is no call of ours. */
#define HF_WIRE_CALL_MAX 16384u
/* A reply may be the tree of a whole machine.  What is longer is neither sent nor read. */
#define HF_WIRE_REPLY_MAX (256u << 20)

struct hf_wire {
	int fd;			/* a stream socket, which is closed with it; -1: none */
	size_t message_max;	/* of what is read */
	struct hf_buf in;
	size_t used;		/* of `in`: the message that was given out last */
	struct hf_buf out;
	size_t sent;		/* of `out` */
	int out_fd;		/* goes along with the first byte of `out` that is sent next; -1: none */
};
#define HF_WIRE_INIT(socket, max) { .fd = (socket), .message_max = (max), .out_fd = -1 }

void hf_wire_done(struct hf_wire *w);

/* Read what there is.  1, 0 when there is nothing now, -EPIPE when the other side has ended, -errno. */
int hf_wire_read(struct hf_wire *w);

/*
 * The next whole message, NUL-terminated, good until the next call of this or of hf_wire_read().  1; 0 when there is none yet;
 * -EMSGSIZE: one that is too long.
 */
int hf_wire_next(struct hf_wire *w, const char **ret, size_t *ret_len);

/* Queue a message, which has no NUL in it; fd -1, or one that goes along and is taken.  0 or -ENOMEM. */
int hf_wire_put(struct hf_wire *w, const char *text, size_t len, int fd);

/* Write what can be.  0, -EPIPE, -errno. */
int hf_wire_write(struct hf_wire *w);
bool hf_wire_has_output(const struct hf_wire *w);

#endif
