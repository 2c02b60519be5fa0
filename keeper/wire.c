/* SPDX-License-Identifier: MIT */
/*
 * wire - see wire.h.
 */
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "own.h"

#define READ_AT_ONCE 65536u

void hf_wire_done(struct hf_wire *w)
{
	hf_own_close(&w->fd);
	hf_own_close(&w->out_fd);
	hf_buf_done(&w->in);
	hf_buf_done(&w->out);
	*w = (struct hf_wire)HF_WIRE_INIT(-1, 0);
}

/* Drop the message that was given out. */
static void forget_used(struct hf_wire *w)
{
	if (!w->used)
		return;
	memmove(w->in.data, w->in.data + w->used, w->in.len - w->used);
	w->in.len -= w->used;
	w->used = 0;
}

int hf_wire_read(struct hf_wire *w)
{
	ssize_t n;

	forget_used(w);
	if (hf_buf_reserve(&w->in, w->in.len + READ_AT_ONCE) < 0)
		return -ENOMEM;
	do
		n = recv(w->fd, w->in.data + w->in.len, READ_AT_ONCE, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	w->in.len += (size_t)n;
	return n ? 1 : -EPIPE;
}

int hf_wire_next(struct hf_wire *w, const char **ret, size_t *ret_len)
{
	const char *end;

	forget_used(w);
	end = w->in.len ? memchr(w->in.data, '\0', w->in.len) : NULL;
	if (!end)
		return w->in.len > w->message_max ? -EMSGSIZE : 0;
	*ret = w->in.data;
	*ret_len = (size_t)(end - w->in.data);
	w->used = *ret_len + 1;
	return *ret_len > w->message_max ? -EMSGSIZE : 1;
}

int hf_wire_put(struct hf_wire *w, const char *text, size_t len, int fd)
{
	/* One at a time: whoever asks for another before he has read this one waits for it without. */
	if (fd >= 0 && w->out_fd >= 0)
		return -EBUSY;
	if (hf_buf_add(&w->out, text, len) < 0 || hf_buf_add(&w->out, "", 1) < 0)
		return -ENOMEM;
	if (fd >= 0)
		w->out_fd = fd;
	return 0;
}

/* A descriptor travels with at least one byte (unix(7)). */
static ssize_t send_with_fd(struct hf_wire *w)
{
	struct iovec iov = { w->out.data + w->sent, w->out.len - w->sent };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &w->out_fd, sizeof(int));
	n = sendmsg(w->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0) {
		close(w->out_fd);
		w->out_fd = -1;
	}
	return n;
}

int hf_wire_write(struct hf_wire *w)
{
	while (w->sent < w->out.len) {
		ssize_t n = w->out_fd >= 0 ? send_with_fd(w) :
			    send(w->fd, w->out.data + w->sent, w->out.len - w->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		w->sent += (size_t)n;
	}
	/* A tree is large: its room goes back when it has gone out. */
	hf_buf_done(&w->out);
	w->sent = 0;
	return 0;
}

bool hf_wire_has_output(const struct hf_wire *w)
{
	return w->sent < w->out.len;
}
