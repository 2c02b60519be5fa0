/* SPDX-License-Identifier: MIT */
/*
 * check_image - tests of dump/image.c: which file is opened for a mapping whose process has ended, and which is not.
 */
#include "image.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "suite.h"

/* A process that there is not: above the largest pid. */
static const struct hf_mapped_at nowhere = { 5000001, 0x1000, 0x2000 };

static char dir[64];
static struct hf_arena arena;
static struct hf_images images;

static const char *path_of(const char *name)
{
	static char path[2][PATH_MAX];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static void copy_of_ourselves(const char *name)
{
	int from = open("/proc/self/exe", O_RDONLY), to = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0755);
	char bytes[65536];
	ssize_t len;

	ck_assert(from >= 0 && to >= 0);
	while ((len = read(from, bytes, sizeof(bytes))) > 0)
		ck_assert_int_eq(write(to, bytes, (size_t)len), len);
	close(from);
	close(to);
}

/* As maps would show a mapping of this file, now. */
static struct hf_image *mapped(const char *name, const char *suffix)
{
	static char text[PATH_MAX + 16];
	struct hf_map map = { .start = 0x1000, .end = 0x2000 };
	struct stat st;

	ck_assert_int_eq(stat(path_of(name), &st), 0);
	map.inode = st.st_ino;
	map.dev_major = major(st.st_dev);
	map.dev_minor = minor(st.st_dev);
	map.name_len = (size_t)snprintf(text, sizeof(text), "%s%s", path_of(name), suffix);
	map.name = text;
	return hf_image_of_map(&images, &map);
}

static void set_up(void)
{
	snprintf(dir, sizeof(dir), "/tmp/hf-image-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	images = (struct hf_images){ .arena = &arena };
}

static void tear_down(void)
{
	static const char *const names[] = { "one", "two", "new", "fifo", "text" };
	size_t i;

	hf_images_done(&images);
	hf_arena_done(&arena);
	for (i = 0; i < COUNT_OF(names); i++)
		unlink(path_of(names[i]));
	rmdir(dir);
}

static void is_closed(struct hf_image *image, const char *word)
{
	ck_assert_ptr_eq(hf_image_open(&images, image, &nowhere), image);
	ck_assert_int_eq(image->state, HF_IMAGE_CLOSED);
	ck_assert_msg(strstr(image->why, word), "%s", image->why);
}

/* Another process may have it mapped still, and is asked then. */
static void is_not_found(struct hf_image *image, const char *word)
{
	ck_assert_ptr_eq(hf_image_open(&images, image, &nowhere), image);
	ck_assert_int_eq(image->state, HF_IMAGE_UNSEEN);
	ck_assert_msg(strstr(image->why, word), "%s", image->why);
}

START_TEST(the_same_inode_is_opened_by_its_name)
{
	struct hf_image *image;

	copy_of_ourselves("one");
	image = mapped("one", "");
	ck_assert_ptr_eq(mapped("one", ""), image);
	ck_assert_ptr_eq(hf_image_open(&images, image, &nowhere), image);
	ck_assert_int_eq(image->state, HF_IMAGE_READY);
	ck_assert_ptr_nonnull(image->cfi.frames.data);
}
END_TEST

START_TEST(another_file_of_that_name_is_not)
{
	struct hf_image *image;

	copy_of_ourselves("one");
	image = mapped("one", "");
	copy_of_ourselves("new");
	ck_assert_int_eq(rename(path_of("new"), path_of("one")), 0);
	is_closed(image, "replaced");
}
END_TEST

START_TEST(a_deleted_file_is_not_looked_for_by_name)
{
	struct hf_image *image;

	copy_of_ourselves("one");
	image = mapped("one", " (deleted)");
	ck_assert_str_eq(image->name, path_of("one"));
	is_not_found(image, "deleted");
}
END_TEST

START_TEST(a_fifo_is_not_opened)
{
	ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
	is_closed(mapped("fifo", ""), "no ELF file");
}
END_TEST

START_TEST(what_is_no_elf_file_is_told)
{
	int fd = open(path_of("text"), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, "text", 4), 4);
	close(fd);
	is_closed(mapped("text", ""), "no ELF file");
}
END_TEST

START_TEST(one_of_two_copies_serves_both)
{
	struct hf_image *one, *two;

	copy_of_ourselves("one");
	copy_of_ourselves("two");
	one = mapped("one", "");
	two = mapped("two", "");
	ck_assert_ptr_ne(one, two);
	ck_assert_ptr_eq(hf_image_open(&images, one, &nowhere), one);
	ck_assert_ptr_nonnull(one->build_id);
	ck_assert_ptr_eq(hf_image_open(&images, two, &nowhere), one);
	ck_assert_ptr_eq(hf_image_open(&images, two, &nowhere), one);
}
END_TEST

START_TEST(many_files_are_told_apart_by_device_and_inode)
{
	static struct hf_image *made[3000];
	struct hf_map map = { .name = "/x", .name_len = 2 };
	size_t i, round;

	for (round = 0; round < 2; round++)
		for (i = 0; i < COUNT_OF(made); i++) {
			struct hf_image *image;

			map.inode = 1 + i / 3;
			map.dev_minor = (uint32_t)(i % 3);
			image = hf_image_of_map(&images, &map);
			ck_assert_msg(image && image->inode == map.inode && image->dev == makedev(0, i % 3), "%zu", i);
			ck_assert_ptr_eq(image, round ? made[i] : images.all[i]);
			made[i] = image;
		}
	ck_assert_uint_eq(images.n, COUNT_OF(made));
}
END_TEST

START_TEST(what_is_from_memory_is_known_by_its_bytes)
{
	static const uint8_t one[32] = { 1 }, two[32] = { 2 };
	struct hf_image *first = hf_image_of_bytes(&images, "[vdso]", one, sizeof(one));
	struct hf_image *second = hf_image_of_bytes(&images, "[vdso]", two, sizeof(two));

	ck_assert_ptr_ne(first, second);
	ck_assert_ptr_eq(hf_image_that_begins(&images, one, 16, sizeof(one)), first);
	ck_assert_ptr_eq(hf_image_that_begins(&images, two, 16, sizeof(two)), second);
	ck_assert_ptr_null(hf_image_that_begins(&images, two, 16, sizeof(two) - 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *tc = tcase_create("opening");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_same_inode_is_opened_by_its_name);
	tcase_add_test(tc, another_file_of_that_name_is_not);
	tcase_add_test(tc, a_deleted_file_is_not_looked_for_by_name);
	tcase_add_test(tc, a_fifo_is_not_opened);
	tcase_add_test(tc, what_is_no_elf_file_is_told);
	tcase_add_test(tc, one_of_two_copies_serves_both);
	tcase_add_test(tc, many_files_are_told_apart_by_device_and_inode);
	tcase_add_test(tc, what_is_from_memory_is_known_by_its_bytes);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
