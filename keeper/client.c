/* SPDX-License-Identifier: MIT */
/*
 * client - the library's side of a keeper that is there: finding it, asking it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "methods.h"
#include "claim.h"
#include "own.h"
#include "stacks.h"
#include "wire.h"

/* Longer than a release may take by its own deadline. */
#define ANSWER_MS (HF_TIMEOUT_DEFAULT_MS + 5000)

struct hf_keeper {
	struct hf_wire wire;
	char name[HF_KEEPER_NAME_MAX + 1];
	int fd;			/* came with the last reply; -1 */
};

/* ---- Asking ------------------------------------------------------------------------------------ */

static int ended(const struct hf_keeper *k, struct hf_error *err)
{
	return hf_fail(err, EPIPE, HF_STAGE_NONE, 0, "hold %s has ended", k->name);
}

static int await(const struct hf_keeper *k, short events, struct hf_deadline deadline, struct hf_error *err)
{
	struct pollfd p = { .fd = k->wire.fd, .events = events };
	uint64_t left_ms = hf_deadline_left_ns(deadline) / 1000000;
	int r = poll(&p, 1, (int)left_ms);

	if (r < 0 && errno != EINTR)
		return hf_fail(err, errno, HF_STAGE_NONE, 0, "waiting for the keeper of hold %s: %s", k->name,
			       strerror(errno));
	if (r == 0 && left_ms == 0)
		return hf_fail(err, ETIMEDOUT, HF_STAGE_NONE, 0,
			       "the keeper of hold %s, process %d, does not answer; is it stopped?",
			       k->name, (int)hf_keeper_pid(k));
	return 0;
}

/* A descriptor may come with any part of a reply. */
static int receive(struct hf_keeper *k)
{
	char text[65536];
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(k->wire.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int))) {
		hf_own_close(&k->fd);
		memcpy(&k->fd, CMSG_DATA(c), sizeof(int));
	}
	if (n == 0)
		return -EPIPE;
	return hf_buf_add(&k->wire.in, text, (size_t)n) < 0 ? -ENOMEM : 1;
}

/* Send a call, wait for its reply, which is good until the next one. */
static int ask(struct hf_keeper *k, const struct hf_buf *call, const char **ret, size_t *ret_len, struct hf_error *err)
{
	struct hf_deadline deadline = hf_deadline_in_ms(ANSWER_MS);
	int r = hf_wire_put(&k->wire, call->data, call->len, -1);

	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_NONE, 0, "out of memory");
	while ((r = hf_wire_next(&k->wire, ret, ret_len)) == 0) {
		bool out = hf_wire_has_output(&k->wire);

		r = out ? hf_wire_write(&k->wire) : receive(k);
		if (r == -EPIPE || r == -ECONNRESET)
			return ended(k, err);
		if (r < 0)
			return hf_fail(err, -r, HF_STAGE_NONE, 0, "talking to the keeper of hold %s: %s", k->name,
				       strerror(-r));
		if (r == 1 || (out && !hf_wire_has_output(&k->wire)))
			continue;
		r = await(k, hf_wire_has_output(&k->wire) ? POLLOUT : POLLIN, deadline, err);
		if (r < 0)
			return r;
	}
	return r > 0 ? 0 : hf_fail(err, -r, HF_STAGE_NONE, 0, "the keeper's answer is too long");
}

/* call is what hf_call_...() made, and made is what it returned. */
static int ask_made(struct hf_keeper *k, struct hf_buf *call, int made, const char **ret, size_t *ret_len,
		    struct hf_error *err)
{
	int r;

	*ret = "";
	*ret_len = 0;
	r = made < 0 ? hf_fail(err, -made, HF_STAGE_NONE, 0, "out of memory") : ask(k, call, ret, ret_len, err);
	hf_buf_done(call);
	return r;
}

HF_API int hf_keeper_info(hf_keeper *k, struct hf_keeper_info *ret, struct hf_error *err)
{
	struct hf_buf call = { 0 };
	const char *text;
	size_t len;
	int r = ask_made(k, &call, hf_call_plain(&call, "org.holdfast.Hold.Info"), &text, &len, err);

	return r < 0 ? r : hf_reply_info(text, len, ret, err);
}

HF_API int hf_keeper_tree(hf_keeper *k, enum hf_format format, unsigned int flags, char **ret_text, size_t *ret_len,
			  struct hf_error *err)
{
	struct hf_buf call = { 0 };
	const char *text;
	size_t len;
	int r = ask_made(k, &call, hf_call_format(&call, format, flags), &text, &len, err);

	return r < 0 ? r : hf_reply_text(text, len, ret_text, ret_len ? ret_len : &len, err);
}

static int regs_of_kept(void *from, pid_t tid, struct hf_regs *ret, struct hf_error *err)
{
	const struct hf_kept_threads *threads = from;
	const struct hf_task *t = hf_task_set_find(&threads->set, tid);

	(void)err;
	if (!t || !threads->regs[t - threads->set.tasks].size)
		return -ESRCH;
	*ret = threads->regs[t - threads->set.tasks];
	return 0;
}

/* It stands still: its own name can be asked for. */
static const char *no_comm_of_kept(void *from, const struct hf_task *task)
{
	(void)from;
	(void)task;
	return NULL;
}

HF_API int hf_keeper_stack_copy(hf_keeper *k, const struct hf_stack_options *opts, hf_stacks **ret_stacks,
				struct hf_error *err)
{
	struct hf_kept_threads threads = { .regs = NULL };
	const struct hf_stack_source source = { &threads.set, regs_of_kept, no_comm_of_kept, &threads };
	struct hf_keeper_info info;
	struct hf_buf call = { 0 };
	hf_stacks *stacks = NULL;
	const char *text;
	size_t len;
	int r = ask_made(k, &call, hf_call_plain(&call, "org.holdfast.Hold.Threads"), &text, &len, err);

	if (r == 0)
		r = hf_reply_threads(text, len, &threads, err);
	if (r == 0)
		r = hf_stack_copy_from(&source, opts, &stacks, err);
	/* What was read of somebody who runs again would be no stack. */
	if (r == 0)
		r = hf_keeper_info(k, &info, err);
	hf_kept_threads_done(&threads);
	if (r < 0)
		hf_stack_free(stacks);
	else
		*ret_stacks = stacks;
	return r;
}

HF_API int hf_keeper_extend(hf_keeper *k, unsigned int ms, struct hf_error *err)
{
	struct hf_buf call = { 0 };
	const char *text;
	size_t len;
	int r;

	/* A time that has run out is no time without end. */
	if (ms == 0)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "a hold cannot last for 0 ms; release it instead");
	r = ask_made(k, &call, hf_call_number(&call, "org.holdfast.Hold.Extend", "ms",
						  ms == HF_KEEPER_NO_LIMIT ? 0 : ms), &text, &len, err);

	return r < 0 ? r : hf_reply_plain(text, len, err);
}

HF_API int hf_keeper_pidfd(hf_keeper *k, pid_t pid, struct hf_error *err)
{
	struct hf_buf call = { 0 };
	const char *text;
	size_t len;
	int r = ask_made(k, &call, hf_call_number(&call, "org.holdfast.Hold.Pidfd", "pid", pid), &text, &len, err);

	if (r == 0)
		r = hf_reply_plain(text, len, err);
	if (r == 0 && k->fd < 0)
		return hf_fail(err, EBADMSG, HF_STAGE_NONE, pid, "no descriptor came with the keeper's answer");
	return r < 0 ? r : hf_take_fd(&k->fd);
}

HF_API int hf_keeper_release(hf_keeper *k, enum hf_release how, uint64_t *ret_stopped_us, struct hf_error *err)
{
	struct hf_buf call = { 0 };
	int64_t stopped = 0;
	const char *text;
	size_t len;
	int r;

	if ((unsigned int)how > HF_RELEASE_FROZEN)
		return hf_fail(err, EINVAL, HF_STAGE_RELEASE, 0, "no such way to release: %d; nothing was done", (int)how);
	r = ask_made(k, &call, hf_call_release(&call, how), &text, &len, err);

	if (r == 0)
		r = hf_reply_number(text, len, "stopped_us", &stopped, err);
	if (r == 0 && ret_stopped_us)
		*ret_stopped_us = (uint64_t)stopped;
	return r;
}

/* ---- Handles ----------------------------------------------------------------------------------- */

HF_API int hf_keeper_open(const char *name, hf_keeper **ret_keeper, struct hf_error *err)
{
	struct hf_keeper *k;
	int fd;

	if (!name || !ret_keeper)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no hold was named");
	fd = hf_keeper_connect(name, err);
	if (fd < 0)
		return fd;
	k = calloc(1, sizeof(*k));
	if (!k) {
		close(fd);
		return hf_fail(err, ENOMEM, HF_STAGE_NONE, 0, "out of memory");
	}
	k->wire = (struct hf_wire)HF_WIRE_INIT(fd, HF_WIRE_REPLY_MAX);
	k->fd = -1;
	snprintf(k->name, sizeof(k->name), "%s", name);
	*ret_keeper = k;
	return 0;
}

HF_API void hf_keeper_close(hf_keeper *k)
{
	if (!k)
		return;
	hf_wire_done(&k->wire);
	hf_own_close(&k->fd);
	free(k);
}

HF_API int hf_keeper_fd(const hf_keeper *k)
{
	return k->wire.fd;
}

HF_API const char *hf_keeper_name(const hf_keeper *k)
{
	return k->name;
}

HF_API pid_t hf_keeper_pid(const hf_keeper *k)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);

	/* Of whoever called listen(2), which keepers do for themselves (unix(7)). */
	return getsockopt(k->wire.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? 0 : peer.pid;
}

HF_API int hf_keeper_list(int (*fn)(const char *name, void *data), void *data, struct hf_error *err)
{
	return fn ? hf_keeper_each(fn, data, err) : hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no function to call");
}
