/* SPDX-License-Identifier: MIT */
/*
 * fuzz_births - the kernel's process events as they are received (seize/births.c), from a socket of ours.  Any
 * datagram is read within its bounds; of births that are written as the kernel writes them each
 * child is known by its last parent, and threads are not children.
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

/* Read what was sent to the other end; the births of hf_births_end(). */
static void receive(int fd, struct hf_births *ret)
{
	*ret = (struct hf_births){ .fd = fd };
	FUZZ_REQUIRE(hf_births_read(ret, is_odd, NULL) == 0 && !ret->lost);
}

static void fuzz_raw(const int pair[2], const uint8_t *data, size_t size)
{
	struct hf_births births;
	size_t i;

	FUZZ_REQUIRE(send(pair[0], data, size, 0) == (ssize_t)size);
	receive(pair[1], &births);
	for (i = 0; i < births.born.n; i++)
		FUZZ_REQUIRE(births.born.tasks[i].mark == (births.born.tasks[i].other & 1));
	births.fd = -1;
	hf_births_end(&births);
}

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

static void require_last_parents(const struct hf_births *births, const struct birth *made, size_t n)
{
	pid_t child;
	size_t i;

	for (child = 0; child < 8; child++) {
		const struct hf_task *t = hf_task_set_find(&births->born, child);
		const struct birth *last = NULL;

		for (i = 0; i < n; i++)
			if (made[i].is_fork && made[i].child == child && made[i].tgid == child)
				last = &made[i];
		FUZZ_REQUIRE((t != NULL) == (last != NULL));
		FUZZ_REQUIRE(!t || (t->other == last->parent && t->mark == (last->parent & 1)));
	}
}

/* Two to a datagram: the kernel sends them one by one, the format allows for more. */
static void fuzz_made(const int pair[2], struct fuzz_source from)
{
	uint8_t message[256];
	struct birth made[EVENTS_MAX];
	struct hf_births births;
	size_t n, len = 0;

	for (n = 0; n < EVENTS_MAX && from.len; n++) {
		take_birth(&from, &made[n]);
		len += put(message + len, &made[n]);
		if (n % 2 == 1 || !from.len) {
			FUZZ_REQUIRE(send(pair[0], message, len, 0) == (ssize_t)len);
			len = 0;
		}
	}
	receive(pair[1], &births);
	require_last_parents(&births, made, n);
	births.fd = -1;
	hf_births_end(&births);
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
