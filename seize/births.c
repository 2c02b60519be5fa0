/* SPDX-License-Identifier: MIT */
/*
 * births - see births.h.
 */
#include "births.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "own.h"

/* Room for some ten thousand events, which are read every few milliseconds. */
#define RECEIVE_BYTES (8 << 20)

static int subscribe(int fd)
{
	struct sockaddr_nl us = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	const enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;
	const struct cn_msg msg = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(op) };
	const int bytes = RECEIVE_BYTES;
	struct {
		struct nlmsghdr head;
		char msg[sizeof(msg)], op[sizeof(op)];
	} ask = {
		.head = { .nlmsg_len = sizeof(ask), .nlmsg_type = NLMSG_DONE },
	};

	memcpy(ask.msg, &msg, sizeof(msg));
	memcpy(ask.op, &op, sizeof(op));
	/* More than the limit of net.core.rmem_max is for root; others get what there is. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(fd, (const struct sockaddr *)(const void *)&us, sizeof(us)) < 0 ||
	    send(fd, &ask, sizeof(ask), 0) < 0)
		return -errno;
	return 0;
}

/* One event, copied, for a message is aligned for 4 bytes only.  False: none, or one that is cut. */
static bool event_of(struct nlmsghdr *head, struct proc_event *ret)
{
	const struct cn_msg *msg = NLMSG_DATA(head);
	size_t len = head->nlmsg_len - NLMSG_HDRLEN;

	if (head->nlmsg_len < NLMSG_HDRLEN + sizeof(*msg) || msg->id.idx != CN_IDX_PROC)
		return false;
	len -= sizeof(*msg);
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, msg->data, len < sizeof(*ret) ? len : sizeof(*ret));
	return len >= offsetof(struct proc_event, event_data) + sizeof(ret->event_data.fork);
}

static int note(struct hf_births *b, const struct proc_event *e, bool (*belongs)(pid_t pid, void *data),
		void *data)
{
	pid_t parent = e->event_data.fork.parent_tgid, child = e->event_data.fork.child_pid;
	struct hf_task *t;

	/* A thread is born to its own process, where it is listed. */
	if (e->what != PROC_EVENT_FORK || child != e->event_data.fork.child_tgid)
		return 0;
	t = hf_task_set_find(&b->born, child);
	if (!t)
		t = hf_task_set_add(&b->born, child);
	if (!t)
		return -ENOMEM;
	t->state = HF_TASK_LISTED;
	t->other = parent;
	t->mark = 0;
	/* The child, too: it may have been listed before this was read, and its parent have ended unseen. */
	t->mark = belongs(parent, data) || belongs(child, data);
	return 0;
}

static bool nobody(pid_t pid, void *data)
{
	(void)pid;
	(void)data;
	return false;
}

/*
 * The kernel answers in the very call that asks, so whether we are told is known at once.  But births on other
 * processors may be told before that answer: they are kept, and whose they are is judged later.
 */
static bool is_heard(struct hf_births *b, int fd)
{
	char text[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct proc_event event;

	for (;;) {
		ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS)
			b->lost = true;
		else if (n < 0 && errno != EINTR)
			return false;
		if (n < NLMSG_HDRLEN || !event_of((struct nlmsghdr *)(void *)text, &event))
			continue;
		if (event.what == PROC_EVENT_NONE)
			return event.event_data.ack.err == 0;
		if (note(b, &event, nobody, NULL) < 0)
			b->lost = true;
	}
}

void hf_births_begin(struct hf_births *b)
{
	hf_owned_fd fd = socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);

	if (fd >= 0 && subscribe(fd) == 0 && is_heard(b, fd))
		b->fd = hf_take_fd(&fd);
}

void hf_births_end(struct hf_births *b)
{
	hf_own_close(&b->fd);
	hf_task_set_done(&b->born);
	*b = (struct hf_births)HF_BIRTHS_INIT;
}

int hf_births_read(struct hf_births *b, bool (*belongs)(pid_t pid, void *data), void *data)
{
	char text[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct proc_event event;
	ssize_t n;
	int r = 0;

	while (r == 0 && b->fd >= 0) {
		struct nlmsghdr *head = (void *)text;

		n = recv(b->fd, text, sizeof(text), MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS) {
			b->lost = true;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		/* What is left gets below 0 behind a message whose length is not one of whole words. */
		for (; r == 0 && NLMSG_OK(head, n); head = NLMSG_NEXT(head, n))
			if (event_of(head, &event))
				r = note(b, &event, belongs, data);
	}
	return r;
}
