/* SPDX-License-Identifier: MIT */
/*
 * check_serve - the connections of a keeper, when something runs short.  What it answers to clients of all kinds while it
 * keeps a hold is in check_keeper and in tests/cli.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve.h"
#include "suite.h"

static const char get_info[] = "{\"method\":\"org.varlink.service.GetInfo\"}";

static struct hf_server server;
static struct hf_kept kept;
static int listen_fd, epoll_fd;

static void setup(void)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };

	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* An abstract address of the kernel's choice (unix(7)). */
	ck_assert_int_eq(bind(listen_fd, (const struct sockaddr *)(const void *)&any, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(listen_fd, 8), 0);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_eq(hf_server_begin(&server, listen_fd, epoll_fd), 0);
}

static void teardown(void)
{
	hf_server_end(&server);
	close(epoll_fd);
	close(listen_fd);
}

static int connect_one(void)
{
	struct sockaddr_un to;
	socklen_t len = sizeof(to);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(getsockname(listen_fd, (struct sockaddr *)(void *)&to, &len), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)(const void *)&to, len), 0);
	return fd;
}

/* Whether somebody waits to be let in, as far as the epoll set tells. */
static bool is_reported(void)
{
	struct epoll_event e = { .data.u32 = 0 };

	return epoll_wait(epoll_fd, &e, 1, 0) == 1 && e.data.u32 == HF_SERVE_LISTENER;
}

static void use_up_descriptors(void)
{
	const struct rlimit few = { 64, 64 };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (dup(epoll_fd) >= 0)
		;
	ck_assert_int_eq(errno, EMFILE);
}

/* Every client, so that it need not be known who has which place. */
static void attend_all(void)
{
	unsigned int i;

	for (i = 0; i < HF_CLIENTS_MAX; i++)
		hf_server_attend(&server, &kept, i);
}

static void is_answered(int fd, const char *with)
{
	char text[4096];
	ssize_t n;

	ck_assert_int_eq(send(fd, get_info, sizeof(get_info), 0), sizeof(get_info));
	attend_all();
	n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(n, 1);
	text[n] = '\0';
	ck_assert_msg(strstr(text, with) != NULL, "%s", text);
}

START_TEST(without_a_descriptor_the_one_who_was_silent_longest_makes_room)
{
	int first = connect_one(), second = connect_one(), third = connect_one();
	char byte;

	use_up_descriptors();
	close(63);
	hf_server_accept(&server, &kept);
	is_answered(first, "holdfast");
	hf_server_accept(&server, &kept);
	ck_assert_int_eq(recv(first, &byte, 1, MSG_DONTWAIT), 0);
	is_answered(second, "holdfast");
	hf_server_accept(&server, &kept);
	ck_assert_int_eq(recv(second, &byte, 1, MSG_DONTWAIT), 0);
	is_answered(third, "holdfast");
	ck_assert(!is_reported());
}
END_TEST

START_TEST(with_nobody_to_make_room_it_does_not_spin_and_listens_again)
{
	int first = connect_one();

	use_up_descriptors();
	ck_assert(is_reported());
	hf_server_accept(&server, &kept);
	ck_assert(!is_reported());
	close(63);
	hf_server_listen(&server);
	ck_assert(is_reported());
	hf_server_accept(&server, &kept);
	is_answered(first, "holdfast");
}
END_TEST

START_TEST(an_answer_that_is_too_long_is_told_as_that)
{
	int first = connect_one();

	hf_server_accept(&server, &kept);
	server.reply_max = 16;
	is_answered(first, "org.holdfast.Hold.Failed");
	is_answered(first, ",\"text\":\"the answer has ");
	/* It was the answer that failed, and not the connection. */
	server.reply_max = HF_WIRE_REPLY_MAX;
	is_answered(first, "holdfast");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serve");
	TCase *tc = tcase_create("serve");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_a_descriptor_the_one_who_was_silent_longest_makes_room);
	tcase_add_test(tc, with_nobody_to_make_room_it_does_not_spin_and_listens_again);
	tcase_add_test(tc, an_answer_that_is_too_long_is_told_as_that);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
