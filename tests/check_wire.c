/* SPDX-License-Identifier: MIT */
/*
 * check_wire - messages of a connection: cut where they end, however they arrive; kept until they can be sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suite.h"
#include "wire.h"

static struct hf_wire wire;
static int other;

static void setup(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	wire = (struct hf_wire)HF_WIRE_INIT(ends[0], 32);
	other = ends[1];
}

static void teardown(void)
{
	hf_wire_done(&wire);
	close(other);
}

static void arrives(const char *bytes, size_t len)
{
	ck_assert_int_eq(send(other, bytes, len, 0), (int)len);
	ck_assert_int_eq(hf_wire_read(&wire), 1);
}

static void next_is(const char *wanted)
{
	const char *text;
	size_t len;

	ck_assert_int_eq(hf_wire_next(&wire, &text, &len), 1);
	ck_assert_str_eq(text, wanted);
	ck_assert_uint_eq(len, strlen(wanted));
}

static void next_is_not_there(void)
{
	const char *text = "untouched";
	size_t len;

	ck_assert_int_eq(hf_wire_next(&wire, &text, &len), 0);
	ck_assert_str_eq(text, "untouched");
}

START_TEST(messages_are_cut_at_their_nul_however_they_arrive)
{
	next_is_not_there();
	ck_assert_int_eq(hf_wire_read(&wire), 0);
	arrives("on", 2);
	next_is_not_there();
	arrives("e\0two\0\0th", 9);
	next_is("one");
	next_is("two");
	next_is("");
	next_is_not_there();
	arrives("ree\0", 4);
	next_is("three");
	next_is_not_there();
}
END_TEST

START_TEST(a_message_that_is_too_long_is_told_before_and_after_its_end)
{
	char text[40];
	const char *message;
	size_t len;

	memset(text, 'x', sizeof(text));
	text[32] = '\0';
	arrives(text, 33);
	next_is(text);
	text[32] = 'x';
	arrives(text, 33);
	ck_assert_int_eq(hf_wire_next(&wire, &message, &len), -EMSGSIZE);
	arrives("", 1);
	ck_assert_int_eq(hf_wire_next(&wire, &message, &len), -EMSGSIZE);
}
END_TEST

START_TEST(the_end_of_the_other_side_is_told)
{
	arrives("half", 4);
	shutdown(other, SHUT_WR);
	ck_assert_int_eq(hf_wire_read(&wire), -EPIPE);
	next_is_not_there();
	close(other);
	other = -1;
	ck_assert_int_eq(hf_wire_put(&wire, "x", 1, -1), 0);
	ck_assert_int_eq(hf_wire_write(&wire), -EPIPE);
}
END_TEST

START_TEST(what_cannot_be_sent_waits_and_nothing_blocks)
{
	static char big[1 << 20];
	char text[65536];
	size_t got = 0;
	ssize_t n;

	memset(big, 'b', sizeof(big));
	ck_assert(!hf_wire_has_output(&wire));
	ck_assert_int_eq(hf_wire_put(&wire, big, sizeof(big), -1), 0);
	ck_assert_int_eq(hf_wire_put(&wire, "after", 5, -1), 0);
	while (hf_wire_has_output(&wire)) {
		ck_assert_int_eq(hf_wire_write(&wire), 0);
		while ((n = recv(other, text, sizeof(text), MSG_DONTWAIT)) > 0)
			got += (size_t)n;
	}
	while ((n = recv(other, text, sizeof(text), MSG_DONTWAIT)) > 0)
		got += (size_t)n;
	ck_assert_uint_eq(got, sizeof(big) + 1 + 6);
}
END_TEST

START_TEST(a_descriptor_goes_along_once)
{
	char text[16], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), second = dup(fd), came;
	struct cmsghdr *c;

	ck_assert_int_eq(hf_wire_put(&wire, "fd", 2, fd), 0);
	ck_assert_int_eq(hf_wire_put(&wire, "no", 2, second), -EBUSY);
	ck_assert_int_eq(hf_wire_write(&wire), 0);
	ck_assert_int_eq(recvmsg(other, &msg, MSG_CMSG_CLOEXEC), 3);
	c = CMSG_FIRSTHDR(&msg);
	if (!c)
		ck_abort_msg("no descriptor came");
	memcpy(&came, CMSG_DATA(c), sizeof(came));
	ck_assert_int_ge(fcntl(came, F_GETFD), 0);
	/* Ours was closed when it had gone. */
	ck_assert_int_eq(fcntl(fd, F_GETFD) < 0 || came == fd, 1);
	close(came);
	close(second);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tc = tcase_create("wire");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, messages_are_cut_at_their_nul_however_they_arrive);
	tcase_add_test(tc, a_message_that_is_too_long_is_told_before_and_after_its_end);
	tcase_add_test(tc, the_end_of_the_other_side_is_told);
	tcase_add_test(tc, what_cannot_be_sent_waits_and_nothing_blocks);
	tcase_add_test(tc, a_descriptor_goes_along_once);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
