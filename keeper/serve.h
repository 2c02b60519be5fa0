/* SPDX-License-Identifier: MIT */
/*
 * serve - the connections of a keeper: takes calls, sends replies, and never waits for anybody.  Whoever does not read,
 * sends what is no message, or is one too many, is dropped; the hold does not suffer.
 */
#ifndef HF_SERVE_H
#define HF_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "methods.h"
#include "wire.h"

#define HF_CLIENTS_MAX 64

struct hf_client {
	struct hf_wire wire;		/* fd -1: a free place */
	uint64_t last_ns;		/* when it was heard last, or took something */
	bool hang_up;			/* once its output has gone out */
	size_t ignored;			/* bytes that came after we had hung up; see serve.c */
	bool hung_up;
};

struct hf_server {
	int listen_fd;
	int epoll_fd;			/* not ours: where connections are watched */
	size_t reply_max;		/* instead of a longer one its length is told */
	bool deaf;			/* nobody can be let in, for want of descriptors */
	struct hf_client clients[HF_CLIENTS_MAX];
};

/* Begin to listen.  Events of it and its clients have these numbers as their data. */
#define HF_SERVE_LISTENER 1000u		/* and the places of clients from 0 on */
int hf_server_begin(struct hf_server *s, int listen_fd, int epoll_fd);
void hf_server_end(struct hf_server *s);

/*
 * Somebody wants to connect.  Short of descriptors, the client who has been silent longest makes room; where there is none,
 * the listener raises no event until hf_server_listen(), which is to be called now and then.
 */
void hf_server_accept(struct hf_server *s, struct hf_kept *kept);
void hf_server_listen(struct hf_server *s);
/* Something can be read from, or written to, a client. */
void hf_server_attend(struct hf_server *s, struct hf_kept *kept, unsigned int place);

/* Send what is left, for that long at most: before the keeper ends. */
void hf_server_flush(struct hf_server *s, unsigned int ms);

#endif
