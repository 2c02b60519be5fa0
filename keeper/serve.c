/* SPDX-License-Identifier: MIT */
/*
 * serve - see serve.h.
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "own.h"

#define IGNORED_MAX (1u << 20)

int hf_server_begin(struct hf_server *s, int listen_fd, int epoll_fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = HF_SERVE_LISTENER };
	unsigned int i;

	*s = (struct hf_server){ .listen_fd = listen_fd, .epoll_fd = epoll_fd, .reply_max = HF_WIRE_REPLY_MAX };
	for (i = 0; i < HF_CLIENTS_MAX; i++)
		s->clients[i].wire = (struct hf_wire)HF_WIRE_INIT(-1, 0);
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &e) < 0 ? -errno : 0;
}

static void drop(struct hf_client *c)
{
	/* Closed, it is out of the epoll set as well: nobody else has a copy of the descriptor. */
	hf_wire_done(&c->wire);
	c->hang_up = c->hung_up = false;
	c->ignored = 0;
}

void hf_server_end(struct hf_server *s)
{
	unsigned int i;

	for (i = 0; i < HF_CLIENTS_MAX; i++)
		drop(&s->clients[i]);
}

/* Drop the client who has been silent longest.  His place; HF_CLIENTS_MAX when there is none. */
static unsigned int make_room(struct hf_server *s)
{
	unsigned int i, best = HF_CLIENTS_MAX;

	for (i = 0; i < HF_CLIENTS_MAX; i++)
		if (s->clients[i].wire.fd >= 0 &&
		    (best == HF_CLIENTS_MAX || s->clients[i].last_ns < s->clients[best].last_ns))
			best = i;
	if (best < HF_CLIENTS_MAX)
		drop(&s->clients[best]);
	return best;
}

static unsigned int find_place(struct hf_server *s)
{
	unsigned int i;

	for (i = 0; i < HF_CLIENTS_MAX; i++)
		if (s->clients[i].wire.fd < 0)
			return i;
	return make_room(s);
}

static void set_deaf(struct hf_server *s, bool deaf)
{
	struct epoll_event e = { .events = deaf ? 0 : EPOLLIN, .data.u32 = HF_SERVE_LISTENER };

	if (s->deaf != deaf && epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &e) == 0)
		s->deaf = deaf;
}

void hf_server_listen(struct hf_server *s)
{
	set_deaf(s, false);
}

static void watch(const struct hf_server *s, unsigned int place)
{
	const struct hf_wire *w = &s->clients[place].wire;
	struct epoll_event e = { .data.u32 = place };

	/* Who does not read what he is told is not listened to meanwhile. */
	e.events = hf_wire_has_output(w) ? EPOLLOUT : EPOLLIN;
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, w->fd, &e) < 0 && errno == ENOENT)
		epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, w->fd, &e);
}

/* Sends what can be sent, and drops a client that is gone. */
static void push(struct hf_server *s, unsigned int place)
{
	struct hf_client *c = &s->clients[place];

	if (hf_wire_write(&c->wire) < 0) {
		drop(c);
		return;
	}
	if (c->hang_up && !hf_wire_has_output(&c->wire) && !c->hung_up) {
		shutdown(c->wire.fd, SHUT_WR);
		c->hung_up = true;
	}
	watch(s, place);
}

/*
 * A socket that is closed with something unread in it resets the other side, which then loses our last words.  So
 * we hang up by half, and pass over what still comes, up to a limit, until the other side does so, too.
 */
static void ignore(struct hf_client *c)
{
	int r;

	while ((r = hf_wire_read(&c->wire)) > 0 && c->ignored < IGNORED_MAX) {
		c->ignored += c->wire.in.len;
		c->wire.in.len = c->wire.used = 0;
	}
	if (r != 0)
		drop(c);
}

static bool queue(struct hf_client *c, struct hf_reply *reply, int failed)
{
	bool kept = !failed;

	if (kept && reply->text.len)
		kept = hf_wire_put(&c->wire, reply->text.data, reply->text.len, reply->fd) == 0;
	if (kept)
		reply->fd = -1;		/* the wire's now, or never there */
	c->hang_up |= reply->hang_up;
	hf_reply_done(reply);
	return kept;
}

static bool may_ask(int fd)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == 0 || who.uid == geteuid());
}

/*
 * Without a descriptor for him who wants to connect he would stay at the head of the queue, and the listener be reported
 * again and again.
 */
static int accept_one(struct hf_server *s)
{
	bool short_of_them;
	int fd;

	do {
		fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		short_of_them = fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS);
	} while (short_of_them && make_room(s) < HF_CLIENTS_MAX);
	if (short_of_them)
		set_deaf(s, true);
	return fd;
}

void hf_server_accept(struct hf_server *s, struct hf_kept *kept)
{
	struct hf_reply reply = HF_REPLY_INIT;
	struct hf_client *c;
	unsigned int place;
	int fd = accept_one(s);

	(void)kept;
	if (fd < 0)
		return;
	place = find_place(s);
	c = &s->clients[place];
	c->wire = (struct hf_wire)HF_WIRE_INIT(fd, HF_WIRE_CALL_MAX);
	c->last_ns = hf_clock_ns();
	if (!may_ask(fd) && !queue(c, &reply, hf_methods_refuse(&reply))) {
		drop(c);
		return;
	}
	push(s, place);
}

/* The reply, or that it cannot be sent.  0 or -ENOMEM. */
static int answer(const struct hf_server *s, struct hf_kept *kept, const char *message, size_t len,
		  struct hf_reply *reply)
{
	char text[128];
	int r = hf_methods_answer(kept, message, len, reply);

	if (r < 0 || reply->text.len <= s->reply_max)
		return r;
	snprintf(text, sizeof(text), "the answer has %zu bytes, and %zu are the most that a keeper sends",
		 reply->text.len, s->reply_max);
	return hf_methods_failed(EMSGSIZE, text, reply);
}

/* One call, if a whole one is there.  False when the client is to be dropped. */
static bool answer_one(const struct hf_server *s, struct hf_client *c, struct hf_kept *kept, bool *ret_more)
{
	struct hf_reply reply = HF_REPLY_INIT;
	const char *message;
	size_t len;
	int r = hf_wire_next(&c->wire, &message, &len);

	*ret_more = r != 0;
	if (r == 0)
		return true;
	if (r < 0)
		return queue(c, &reply, hf_methods_bad_message("it is too long", &reply));
	return queue(c, &reply, answer(s, kept, message, len, &reply));
}

void hf_server_attend(struct hf_server *s, struct hf_kept *kept, unsigned int place)
{
	struct hf_client *c = &s->clients[place];
	bool more = true;
	int r = 1;

	if (c->wire.fd < 0)
		return;		/* dropped by an event before this one */
	if (c->hung_up) {
		ignore(c);
		return;
	}
	c->last_ns = hf_clock_ns();
	if (!hf_wire_has_output(&c->wire))
		r = hf_wire_read(&c->wire);
	/* Calls that came before the end of the file are answered. */
	if (r < 0 && r != -EPIPE) {
		drop(c);
		return;
	}
	/* One at a time: the next when this reply has been taken. */
	while (more && !c->hang_up && !hf_wire_has_output(&c->wire) && !kept->released) {
		if (!answer_one(s, c, kept, &more)) {
			drop(c);
			return;
		}
		/* The reply to a release is sent when all is over: hf_server_flush(). */
		if (kept->released)
			return;
		if (hf_wire_has_output(&c->wire) && hf_wire_write(&c->wire) < 0) {
			drop(c);
			return;
		}
	}
	if (r == -EPIPE)
		c->hang_up = true;
	push(s, place);
}

void hf_server_flush(struct hf_server *s, unsigned int ms)
{
	struct hf_deadline deadline = hf_deadline_in_ms(ms);
	struct hf_nap nap = HF_NAP_INIT;
	bool left = true;
	unsigned int i;

	while (left) {
		left = false;
		for (i = 0; i < HF_CLIENTS_MAX; i++) {
			struct hf_wire *w = &s->clients[i].wire;

			if (w->fd >= 0 && hf_wire_has_output(w) && hf_wire_write(w) == 0 && hf_wire_has_output(w))
				left = true;
		}
		if (left && !hf_nap(&nap, deadline))
			return;
	}
}
