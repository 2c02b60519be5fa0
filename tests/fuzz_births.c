/* SPDX-License-Identifier: MIT */
/*
 * fuzz_births - the kernel's process events as they are received (seize/births.c), from a socket of ours.  Of any
 * datagram what a plain reading finds is found, and nothing else; each child is known by its last parent, and
 * threads are not children.
 */
#include "births.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#define EVENTS_MAX 6

struct birth {
	pid_t parent, child, tgid;
	bool is_fork;
};

static bool is_odd(pid_t pid, void *data)
{
	(void)data;
	return pid & 1;
}

/* Whether a child is born, and not born again among the rest. */
static bool is_last(const struct birth *b, const struct birth *end)
{
	const struct birth *later;

	if (!b->is_fork || b->child != b->tgid)
		return false;
	for (later = b + 1; later < end; later++)
		if (later->is_fork && later->child == b->child && later->tgid == b->child)
			return false;
	return true;
}

/* Read what was sent to the other end: these births, and no others. */
static void require_births(int fd, const struct birth *b, size_t n)
{
	const struct birth *const end = b + n;
	struct hf_births births = { .fd = fd };
	size_t known = 0;

	FUZZ_REQUIRE(hf_births_read(&births, is_odd, NULL) == 0 && !births.lost);
	for (; b < end; b++) {
		const struct hf_task *t = hf_task_set_find(&births.born, b->child);

		if (!is_last(b, end))
			continue;
		known++;
		FUZZ_REQUIRE(t && t->other == b->parent && t->mark == ((b->parent | b->child) & 1));
	}
	FUZZ_REQUIRE(births.born.n == known);
	births.fd = -1;
	hf_births_end(&births);
}

/* ---- Any datagram ------------------------------------------------------------------------- */

#define HEADS (NLMSG_HDRLEN + sizeof(struct cn_msg))
#define NEEDED (HEADS + offsetof(struct proc_event, event_data) + sizeof(((struct proc_event *)0)->event_data.fork))

/* One message, and whether it tells of anything that is done by somebody. */
static bool read_plainly(const uint8_t *at, size_t len, struct birth *ret)
{
	struct proc_event event = { 0 };
	struct cn_msg msg;

	if (len < NEEDED)
		return false;
	memcpy(&msg, at + NLMSG_HDRLEN, sizeof(msg));
	memcpy(&event, at + HEADS, len - HEADS < sizeof(event) ? len - HEADS : sizeof(event));
	ret->is_fork = event.what == PROC_EVENT_FORK;
	ret->parent = event.event_data.fork.parent_tgid;
	ret->child = event.event_data.fork.child_pid;
	ret->tgid = event.event_data.fork.child_tgid;
	return msg.id.idx == CN_IDX_PROC;
}

static size_t read_all_plainly(const uint8_t *data, size_t size, struct birth *ret)
{
	size_t at = 0, n = 0;
	uint32_t len;

	while (at < size && size - at >= NLMSG_HDRLEN) {
		memcpy(&len, data + at, sizeof(len));
		if (len < NLMSG_HDRLEN || len > size - at)
			break;
		n += read_plainly(data + at, len, &ret[n]);
		at += NLMSG_ALIGN(len);
	}
	return n;
}

static void fuzz_raw(const int pair[2], const uint8_t *data, size_t size)
{
	struct birth *births = calloc(size / NEEDED + 1, sizeof(*births));
	uint8_t before[4096];

	/* What is left in the receiver's memory behind a short datagram leads far away when it is taken for a message. */
	memset(before, 0x40, sizeof(before));
	FUZZ_REQUIRE(births != NULL && send(pair[0], before, sizeof(before), 0) == sizeof(before));
	FUZZ_REQUIRE(send(pair[0], data, size, 0) == (ssize_t)size);
	require_births(pair[1], births, read_all_plainly(data, size, births));
	free(births);
}

/* ---- Made up ------------------------------------------------------------------------------ */

/* As cn_proc of the kernel does it: 36 bytes of header before the event, all aligned. */
static size_t put(uint8_t *to, const struct birth *b)
{
	struct nlmsghdr head = { .nlmsg_type = NLMSG_DONE };
	struct cn_msg msg = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(struct proc_event) };
	struct proc_event event = { .what = b->is_fork ? PROC_EVENT_FORK : PROC_EVENT_EXEC };

	head.nlmsg_len = NLMSG_LENGTH(sizeof(msg) + sizeof(event));
	event.event_data.fork.parent_pid = event.event_data.fork.parent_tgid = b->parent;
	event.event_data.fork.child_pid = b->child;
	event.event_data.fork.child_tgid = b->tgid;
	memcpy(to, &head, sizeof(head));
	memcpy(to + NLMSG_HDRLEN, &msg, sizeof(msg));
	memcpy(to + NLMSG_HDRLEN + sizeof(msg), &event, sizeof(event));
	return NLMSG_ALIGN(head.nlmsg_len);
}

static void take_birth(struct fuzz_source *from, struct birth *ret)
{
	uint8_t bytes[3];

	/* Few pids, so that they come round. */
	fuzz_take(from, bytes, sizeof(bytes));
	ret->parent = bytes[0];
	ret->child = bytes[1] % 8;
	ret->tgid = bytes[2] & 1 ? 100 : ret->child;
	ret->is_fork = !(bytes[2] & 2);
}

/* Two to a datagram: the kernel sends them one by one, the format allows for more. */
static void fuzz_made(const int pair[2], struct fuzz_source from)
{
	uint8_t message[256];
	struct birth made[EVENTS_MAX];
	size_t n, len = 0;

	for (n = 0; n < EVENTS_MAX && from.len; n++) {
		take_birth(&from, &made[n]);
		len += put(message + len, &made[n]);
		if (n % 2 == 1 || !from.len) {
			FUZZ_REQUIRE(send(pair[0], message, len, 0) == (ssize_t)len);
			len = 0;
		}
	}
	require_births(pair[1], made, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];

	FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
	fuzz_raw(pair, data, size);
	fuzz_made(pair, (struct fuzz_source){ data, size });
	close(pair[0]);
	close(pair[1]);
	return 0;
}
