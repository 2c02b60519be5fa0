/* SPDX-License-Identifier: MIT */
/*
 * check_file - tests of dump/file.c: what is opened of what others name, and what becomes of a file that they change.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suite.h"

static char root[] = "/tmp/hf-file-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void begin(void)
{
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(mkdir(path_of("/etc"), 0700), 0);
	write_file("/etc/hostname", "inside");
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

static void holds(const char *below, const char *path, const char *text)
{
	struct stat st;
	char got[16] = "";
	int fd = hf_file_open(below, path, &st);

	ck_assert_msg(fd >= 0, "%s: %d", path, fd);
	ck_assert_int_eq(read(fd, got, sizeof(got) - 1), (ssize_t)strlen(text));
	ck_assert_str_eq(got, text);
	ck_assert_int_eq(st.st_size, (off_t)strlen(text));
	close(fd);
}

START_TEST(links_are_followed_below_the_root_that_they_are_for)
{
	holds(NULL, path_of("/etc/hostname"), "inside");
	holds(root, "/etc/hostname", "inside");
	ck_assert_int_eq(symlink("/etc/hostname", path_of("/absolute")), 0);
	holds(root, "/absolute", "inside");
	ck_assert_int_eq(symlink("../../../../etc/hostname", path_of("/etc/up")), 0);
	holds(root, "/etc/up", "inside");
	ck_assert_int_eq(symlink("/etc", path_of("/dir")), 0);
	holds(root, "/dir/hostname", "inside");
}
END_TEST

START_TEST(only_a_regular_file_is_opened)
{
	struct stat st;

	ck_assert_int_eq(mkfifo(path_of("/fifo"), 0600), 0);
	ck_assert_int_eq(hf_file_open(NULL, path_of("/fifo"), &st), -ENOEXEC);
	ck_assert_int_eq(hf_file_open(root, "/fifo", &st), -ENOEXEC);
	ck_assert_int_eq(hf_file_open(root, "/etc", &st), -ENOEXEC);
	ck_assert_int_eq(hf_file_open(NULL, "/dev/null", &st), -ENOEXEC);
	ck_assert_int_eq(hf_file_open(root, "/nothing", &st), -ENOENT);
	/* Of ours; below that root there is none. */
	ck_assert_int_eq(symlink("/dev/null", path_of("/device")), 0);
	ck_assert_int_eq(hf_file_open(root, "/device", &st), -ENOENT);
	ck_assert_int_eq(hf_file_open("/nothing", "/etc/hostname", &st), -ENOENT);
}
END_TEST

/* Opened first, changed by its owner then. */
START_TEST(what_others_may_change_is_there_still_when_they_have_cut_it)
{
	const uint8_t *data;
	struct stat st;
	int fd;

	ck_assert_int_eq(chmod(path_of("/etc/hostname"), 0622), 0);
	fd = hf_file_open(root, "/etc/hostname", &st);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(hf_file_map(fd, &st, &data), 0);
	ck_assert_int_eq(truncate(path_of("/etc/hostname"), 0), 0);
	ck_assert_int_eq(memcmp(data, "inside", 6), 0);
	ck_assert_int_eq(munmap((void *)(uintptr_t)data, 6), 0);
	/* Cut before it is read: nothing is read behind its end. */
	ck_assert_int_eq(hf_file_map(fd, &st, &data), 0);
	ck_assert_int_eq(data[0], 0);
	ck_assert_int_eq(munmap((void *)(uintptr_t)data, 6), 0);
	close(fd);
}
END_TEST

START_TEST(our_own_is_mapped)
{
	const uint8_t *data;
	struct stat st;
	int fd = hf_file_open(root, "/etc/hostname", &st);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(hf_file_map(fd, &st, &data), 0);
	ck_assert_int_eq(memcmp(data, "inside", 6), 0);
	ck_assert_int_eq(pwrite(open(path_of("/etc/hostname"), O_WRONLY | O_CLOEXEC), "I", 1, 0), 1);
	ck_assert_int_eq(data[0], 'I');
	ck_assert_int_eq(munmap((void *)(uintptr_t)data, 6), 0);
	st.st_size = 0;
	ck_assert_int_eq(hf_file_map(fd, &st, &data), -ENOEXEC);
	close(fd);
}
END_TEST

/* Of an exabyte, which takes no room: it is no shortage of ours. */
START_TEST(what_is_too_large_is_said_so)
{
	int fd = memfd_create("large", MFD_CLOEXEC);
	const uint8_t *data;
	struct stat st;

	ck_assert_int_eq(ftruncate(fd, (off_t)1 << 60), 0);
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(hf_file_map(fd, &st, &data), -EFBIG);
	st.st_mode |= S_IWOTH;
	ck_assert_int_eq(hf_file_map(fd, &st, &data), -EFBIG);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, links_are_followed_below_the_root_that_they_are_for);
	tcase_add_test(tc, only_a_regular_file_is_opened);
	tcase_add_test(tc, what_others_may_change_is_there_still_when_they_have_cut_it);
	tcase_add_test(tc, our_own_is_mapped);
	tcase_add_test(tc, what_is_too_large_is_said_so);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
