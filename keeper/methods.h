/* SPDX-License-Identifier: MIT */
/*
 * methods - what a keeper answers: a message in, a message out.  The interface is described in org.holdfast.Hold.varlink;
 * org.varlink.service is answered as the varlink protocol asks.  Knows JSON (json-c), the hold, and no sockets.
 */
#ifndef HF_METHODS_H
#define HF_METHODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "holdfast.h"
#include "io.h"
#include "regs.h"
#include "task.h"

/* What a keeper keeps. */
struct hf_kept {
	hf_hold *hold;
	char name[HF_KEEPER_NAME_MAX + 1];
	pid_t taken_by;
	char taken_by_comm[64];
	uint64_t took_us;	/* until it stood */
	uint64_t end_ns;	/* CLOCK_MONOTONIC, when it ends by itself; 0: never */
	bool released;		/* it is over: the keeper ends after the reply */
};

struct hf_reply {
	struct hf_buf text;	/* without the NUL; empty: nothing is to be sent */
	int fd;			/* goes along; -1: none.  The receiver of the reply has to close it */
	bool hang_up;		/* after it the connection ends */
};
#define HF_REPLY_INIT { { 0 }, -1, false }
void hf_reply_done(struct hf_reply *r);

/* Answer one message of any bytes.  0, or -ENOMEM. */
int hf_methods_answer(struct hf_kept *kept, const char *message, size_t len, struct hf_reply *reply);

/* The answer where the one in *reply cannot be sent, which it takes the place of. */
int hf_methods_failed(int code, const char *text, struct hf_reply *reply);

/* The answer to who may not ask, and to who sends what is no message; the connection ends. */
int hf_methods_refuse(struct hf_reply *reply);
int hf_methods_bad_message(const char *reason, struct hf_reply *reply);

/* ---- The other side ------------------------------------------------------------------------ */

/* A call as text, without the NUL.  The arguments are those of the method.  -ENOMEM. */
int hf_call_plain(struct hf_buf *text, const char *method);
int hf_call_number(struct hf_buf *text, const char *method, const char *key, int64_t n);
int hf_call_release(struct hf_buf *text, enum hf_release how);
int hf_call_format(struct hf_buf *text, enum hf_format format, unsigned int flags);

/*
 * What a reply says.  0 and the result, or the error as *err has it; -EBADMSG for what is no reply to that call.
 */
int hf_reply_plain(const char *text, size_t len, struct hf_error *err);
int hf_reply_number(const char *text, size_t len, const char *key, int64_t *ret, struct hf_error *err);
int hf_reply_text(const char *text, size_t len, char **ret, size_t *ret_len, struct hf_error *err);
int hf_reply_info(const char *text, size_t len, struct hf_keeper_info *ret, struct hf_error *err);

/* The threads of a hold as its keeper tells them: a set with one of the states that a thread_state stands for. */
struct hf_kept_threads {
	struct hf_task_set set;
	struct hf_regs *regs;	/* of each of the set; size 0: it has none */
};
int hf_reply_threads(const char *text, size_t len, struct hf_kept_threads *ret, struct hf_error *err);
void hf_kept_threads_done(struct hf_kept_threads *t);

#endif
