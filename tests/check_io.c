/* SPDX-License-Identifier: MIT */
/*
 * check_io - tests of base/io.c, against made-up directories.
 */
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/resource.h>

#include "made.h"

/* Around the sizes at which the buffer grows. */
static const size_t sizes[] = {
	0, 1, 2, 4094, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 12287, 12288, 65536, 1000000,
};

static struct bytes pattern(size_t len)
{
	static char text[1000000];
	size_t i;

	for (i = 0; i < len; i++)
		text[i] = (char)(i * 7 + i / 251);
	return (struct bytes){ text, len };
}

START_TEST(a_file_of_any_size_is_read_whole)
{
	struct bytes content = pattern(sizes[_i]);
	struct hf_buf buf = { 0 };
	int again;

	made_file("f", content);
	for (again = 0; again < 2; again++) {
		ck_assert_int_eq(hf_read_at(made_fd, "f", &buf), 0);
		ck_assert_uint_eq(buf.len, content.len);
		ck_assert_int_eq(memcmp(buf.data, content.text, content.len), 0);
		ck_assert_int_eq(buf.data[buf.len], '\0');
		ck_assert_uint_lt(buf.len, buf.cap);
	}
	hf_buf_done(&buf);
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.cap, 0);
}
END_TEST

START_TEST(the_head_of_a_file_is_no_longer_than_wanted)
{
	struct hf_buf buf = { 0 };

	made_file("f", (struct bytes)BYTES("abcdef"));
	ck_assert_int_eq(hf_read_head_at(made_fd, "f", 4, &buf), 1);
	ck_assert_str_eq(buf.data, "abcd");
	ck_assert_int_eq(hf_read_head_at(made_fd, "f", 6, &buf), 1);
	ck_assert_str_eq(buf.data, "abcdef");
	ck_assert_int_eq(hf_read_head_at(made_fd, "f", 7, &buf), 0);
	ck_assert_str_eq(buf.data, "abcdef");
	hf_buf_done(&buf);
}
END_TEST

START_TEST(a_shorter_file_leaves_nothing_of_the_longer_one)
{
	struct hf_buf buf = { 0 };

	made_file("long", (struct bytes)BYTES("a long content"));
	made_file("short", (struct bytes)BYTES("abc"));
	ck_assert_int_eq(hf_read_at(made_fd, "long", &buf), 0);
	ck_assert_int_eq(hf_read_at(made_fd, "short", &buf), 0);
	ck_assert_uint_eq(buf.len, 3);
	ck_assert_str_eq(buf.data, "abc");
	hf_buf_done(&buf);
}
END_TEST

START_TEST(reading_small_files_again_and_again_does_not_grow_the_buffer)
{
	struct hf_buf buf = { 0 };
	size_t cap = 0;
	int i;

	made_file("f", (struct bytes)BYTES("small\n"));
	ck_assert_int_eq(symlinkat("target", made_fd, "link"), 0);
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(hf_read_at(made_fd, "f", &buf), 0);
		ck_assert_int_eq(hf_readlink_at(made_fd, "link", &buf), 0);
		if (i == 0)
			cap = buf.cap;
	}
	ck_assert_uint_eq(buf.cap, cap);
	ck_assert_uint_le(buf.cap, 4096);
	hf_buf_done(&buf);
}
END_TEST

START_TEST(a_failed_read_leaves_the_buffer_empty)
{
	struct hf_buf buf = { 0 };

	made_file("f", (struct bytes)BYTES("old content"));
	ck_assert_int_eq(hf_read_at(made_fd, "f", &buf), 0);
	ck_assert_int_eq(hf_read_at(made_fd, "missing", &buf), -ENOENT);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_str_eq(buf.data, "");
	ck_assert_int_eq(hf_read_at(made_fd, "f", &buf), 0);
	ck_assert_int_eq(hf_read_at(made_fd, ".", &buf), -EISDIR);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_int_eq(hf_read_at(made_fd, "f", &buf), 0);
	ck_assert_int_eq(hf_readlink_at(made_fd, "f", &buf), -EINVAL);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_str_eq(buf.data, "");
	hf_buf_done(&buf);
}
END_TEST

START_TEST(an_unused_buffer_survives_failures)
{
	struct hf_buf buf = { 0 };

	ck_assert_int_eq(hf_read_at(made_fd, "missing", &buf), -ENOENT);
	ck_assert_int_eq(hf_readlink_at(made_fd, "missing", &buf), -ENOENT);
	ck_assert_uint_eq(buf.len, 0);
	hf_buf_done(&buf);
	hf_buf_done(&buf);
}
END_TEST

START_TEST(a_small_read_takes_what_fits_and_a_nul)
{
	char data[8];

	made_file("f", (struct bytes)BYTES("0123456789"));
	memset(data, FILLER, sizeof(data));
	ck_assert_int_eq(hf_read_small_at(made_fd, "f", data, (size_t)_i), _i - 1 < 10 ? _i - 1 : 10);
	ck_assert_int_eq(strncmp(data, "0123456789", (size_t)_i - 1), 0);
	ck_assert_int_eq(data[_i - 1], '\0');
	ck_assert(is_untouched(data + _i, sizeof(data) - (size_t)_i));
	ck_assert_int_eq(hf_read_small_at(made_fd, "missing", data, sizeof(data)), -ENOENT);
}
END_TEST

START_TEST(reading_again_starts_at_the_start)
{
	char data[16];
	int fd;

	made_file("f", (struct bytes)BYTES("FREEZING\n"));
	fd = openat(made_fd, "f", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(hf_read_again(fd, data, sizeof(data)), 9);
	made_file("f", (struct bytes)BYTES("FROZEN\n"));
	ck_assert_int_eq(hf_read_again(fd, data, sizeof(data)), 7);
	ck_assert_str_eq(data, "FROZEN\n");
	ck_assert_int_eq(hf_read_again(fd, data, 4), 3);
	ck_assert_str_eq(data, "FRO");
	close(fd);
	ck_assert_int_eq(hf_read_again(fd, data, sizeof(data)), -EBADF);
}
END_TEST

START_TEST(writing_starts_at_the_start)
{
	char data[16];
	int fd;

	made_file("f", (struct bytes)BYTES("xxxx"));
	fd = openat(made_fd, "f", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(hf_write_fd(fd, "1"), 0);
	ck_assert_int_eq(hf_write_fd(fd, "0"), 0);
	ck_assert_int_eq(hf_read_again(fd, data, sizeof(data)), 4);
	ck_assert_str_eq(data, "0xxx");
	close(fd);
	ck_assert_int_eq(hf_write_fd(fd, "1"), -EBADF);
}
END_TEST

START_TEST(a_write_that_is_cut_short_is_an_error)
{
	struct rlimit found, limit;
	int fd, r;

	made_file("f", (struct bytes)BYTES(""));
	fd = openat(made_fd, "f", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &found), 0);
	limit = (struct rlimit){ 4, found.rlim_max };
	/* `check` writes files of its own, so nothing is asserted under the limit. */
	setrlimit(RLIMIT_FSIZE, &limit);
	r = hf_write_fd(fd, "THAWED");
	setrlimit(RLIMIT_FSIZE, &found);
	ck_assert_int_eq(r, -EIO);
	close(fd);
}
END_TEST

START_TEST(a_link_of_any_length_is_read_whole)
{
	static const size_t lengths[] = { 1, 100, 4093, 4094, 4095 };
	struct hf_buf buf = { 0 };
	char target[PATH_MAX];
	size_t i;

	for (i = 0; i < COUNT_OF(lengths); i++) {
		memset(target, 'a', lengths[i]);
		target[lengths[i]] = '\0';
		ck_assert_int_eq(symlinkat(target, made_fd, "link"), 0);
		ck_assert_int_eq(hf_readlink_at(made_fd, "link", &buf), 0);
		ck_assert_uint_eq(buf.len, lengths[i]);
		ck_assert_str_eq(buf.data, target);
		ck_assert_int_eq(unlinkat(made_fd, "link", 0), 0);
	}
	hf_buf_done(&buf);
}
END_TEST

START_TEST(adding_keeps_the_bytes_and_the_nul)
{
	struct hf_buf buf = { 0 };
	size_t i;

	ck_assert_int_eq(hf_buf_add(&buf, NULL, 0), 0);
	ck_assert_str_eq(buf.data, "");
	for (i = 0; i < 5000; i++) {
		ck_assert_int_eq(hf_buf_add(&buf, "ab", 2), 0);
		ck_assert_int_eq(buf.data[buf.len], '\0');
	}
	ck_assert_uint_eq(buf.len, 10000);
	ck_assert_int_eq(memcmp(buf.data, "abab", 4), 0);
	ck_assert_int_eq(memcmp(buf.data + 9996, "abab", 4), 0);
	hf_buf_done(&buf);
}
END_TEST

/* The first of these would make the doubling run over and never end. */
START_TEST(room_that_cannot_be_is_refused)
{
	static const size_t lengths[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 2 + 1 };
	struct hf_buf buf = { 0 };

	ck_assert_int_eq(hf_buf_add(&buf, "abc", 3), 0);
	ck_assert_int_eq(hf_buf_reserve(&buf, lengths[_i]), -ENOMEM);
	ck_assert_int_eq(hf_buf_add(&buf, "x", lengths[_i]), -ENOMEM);
	ck_assert_str_eq(buf.data, "abc");
	ck_assert_uint_eq(buf.len, 3);
	hf_buf_done(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("io");
	TCase *whole = tcase_create("read"), *small = tcase_create("small");
	TCase *buf = tcase_create("buf");

	tcase_add_checked_fixture(whole, made_setup, made_teardown);
	tcase_add_loop_test(whole, a_file_of_any_size_is_read_whole, 0, (int)COUNT_OF(sizes));
	tcase_add_test(whole, the_head_of_a_file_is_no_longer_than_wanted);
	tcase_add_test(whole, a_shorter_file_leaves_nothing_of_the_longer_one);
	tcase_add_test(whole, reading_small_files_again_and_again_does_not_grow_the_buffer);
	tcase_add_test(whole, a_failed_read_leaves_the_buffer_empty);
	tcase_add_test(whole, an_unused_buffer_survives_failures);
	tcase_add_test(whole, a_link_of_any_length_is_read_whole);
	suite_add_tcase(suite, whole);
	tcase_add_checked_fixture(small, made_setup, made_teardown);
	tcase_add_loop_test(small, a_small_read_takes_what_fits_and_a_nul, 1, 9);
	tcase_add_test(small, reading_again_starts_at_the_start);
	tcase_add_test(small, writing_starts_at_the_start);
	tcase_add_test(small, a_write_that_is_cut_short_is_an_error);
	suite_add_tcase(suite, small);
	tcase_add_test(buf, adding_keeps_the_bytes_and_the_nul);
	tcase_add_loop_test(buf, room_that_cannot_be_is_refused, 0, 4);
	suite_add_tcase(suite, buf);
	return hf_suite_run(suite);
}
