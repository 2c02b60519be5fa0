/* SPDX-License-Identifier: MIT */
/*
 * check_rundir - where the runtime directory is for whom, and which directory is not believed.
 */
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rundir.h"
#include "rundir_play.h"
#include "suite.h"

#define NOBODY 65534

static char text[4096];

static void expect_path(const char *path)
{
	ck_assert_int_eq(hf_rundir_path(text, sizeof(text)), 0);
	ck_assert_str_eq(text, path);
}

/* A user without a /run/user of his own. */
static bool become_nobody(void)
{
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

START_TEST(the_environment_comes_first_if_it_is_absolute)
{
	setenv("XDG_RUNTIME_DIR", "/x", 1);
	setenv(HF_RUNDIR_ENV, "/somewhere", 1);
	expect_path("/somewhere");
	setenv(HF_RUNDIR_ENV, "somewhere", 1);
	ck_assert_int_eq(hf_rundir_path(text, sizeof(text)), 0);
	ck_assert_str_ne(text, "somewhere");
}
END_TEST

START_TEST(roots_is_the_machines)
{
	unsetenv(HF_RUNDIR_ENV);
	setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
	if (geteuid() == 0)
		expect_path("/run/holdfast");
	else
		lab_left_out("root's directory", "not root");
}
END_TEST

START_TEST(a_users_is_below_his_own)
{
	char own[64];

	unsetenv(HF_RUNDIR_ENV);
	if (geteuid() == 0 && !become_nobody()) {
		lab_left_out("a user's directory", "cannot become one");
		return;
	}
	setenv("XDG_RUNTIME_DIR", "/my/own", 1);
	expect_path("/my/own/holdfast");
	setenv("XDG_RUNTIME_DIR", "my/own", 1);
	snprintf(own, sizeof(own), "/run/user/%u", (unsigned int)geteuid());
	if (access(own, W_OK) < 0) {
		ck_assert_int_eq(hf_rundir_path(text, sizeof(text)), -ENXIO);
		ck_assert_int_eq(hf_rundir_open(true), -ENXIO);
	}
}
END_TEST

START_TEST(too_little_room_is_said)
{
	char little[8];

	setenv(HF_RUNDIR_ENV, "/1234567", 1);
	ck_assert_int_eq(hf_rundir_path(little, 8), -ENAMETOOLONG);
	setenv(HF_RUNDIR_ENV, "/123456", 1);
	ck_assert_int_eq(hf_rundir_path(little, 8), 0);
}
END_TEST

/* A place of its own, below which the directory is `dir`. */
static struct rundir new_place(char dir[LAB_PATH])
{
	struct rundir place = new_rundir();

	snprintf(dir, LAB_PATH, "%s/dir", place.path);
	setenv(HF_RUNDIR_ENV, dir, 1);
	return place;
}

START_TEST(it_is_made_for_us_alone_when_it_is_wanted)
{
	char dir[LAB_PATH];
	struct rundir place = new_place(dir);
	struct stat st;
	int fd;

	ck_assert_int_eq(hf_rundir_open(false), -ENOENT);
	umask(0);
	fd = hf_rundir_open(true);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	/* It may be there already. */
	fd = hf_rundir_open(true);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fd = hf_rundir_open(false);
	ck_assert_int_ge(fd, 0);
	close(fd);
	rmdir(dir);
	done_rundir(&place);
}
END_TEST

START_TEST(it_is_not_made_where_nothing_is)
{
	setenv(HF_RUNDIR_ENV, "/no/such/place", 1);
	ck_assert_int_eq(hf_rundir_open(true), -ENOENT);
}
END_TEST

static const struct {
	mode_t mode;
	int r;
} modes[] = { { 0700, 0 }, { 0755, 0 }, { 0500, 0 }, { 0770, -EPERM }, { 0702, -EPERM }, { 01777, -EPERM } };

START_TEST(others_must_not_write_to_it)
{
	char dir[LAB_PATH];
	struct rundir place = new_place(dir);
	int r;

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chmod(dir, modes[_i].mode), 0);
	r = hf_rundir_open(_i % 2);
	if (r >= 0)
		close(r);
	ck_assert_int_eq(r < 0 ? r : 0, modes[_i].r);
	rmdir(dir);
	done_rundir(&place);
}
END_TEST

START_TEST(another_users_is_not_believed)
{
	char dir[LAB_PATH];
	struct rundir place = new_place(dir);

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	if (chown(dir, NOBODY, NOBODY) == 0) {
		ck_assert_int_eq(hf_rundir_open(true), -EPERM);
		ck_assert_int_eq(hf_rundir_open(false), -EPERM);
	} else {
		lab_left_out("another user's directory", strerror(errno));
	}
	rmdir(dir);
	done_rundir(&place);
}
END_TEST

START_TEST(neither_a_link_nor_a_file_is_a_directory)
{
	char dir[LAB_PATH];
	struct rundir place = new_place(dir);
	int r;

	ck_assert_int_eq(symlink("/tmp", dir), 0);
	r = hf_rundir_open(true);
	ck_assert_msg(r == -ELOOP || r == -ENOTDIR, "%d", r);
	ck_assert_int_eq(unlink(dir), 0);
	close(open(dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ck_assert_int_eq(hf_rundir_open(true), -ENOTDIR);
	unlink(dir);
	done_rundir(&place);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rundir");
	TCase *tc = tcase_create("path");

	tcase_add_test(tc, the_environment_comes_first_if_it_is_absolute);
	tcase_add_test(tc, roots_is_the_machines);
	tcase_add_test(tc, a_users_is_below_his_own);
	tcase_add_test(tc, too_little_room_is_said);
	suite_add_tcase(suite, tc);
	tc = tcase_create("open");
	tcase_add_test(tc, it_is_made_for_us_alone_when_it_is_wanted);
	tcase_add_test(tc, it_is_not_made_where_nothing_is);
	tcase_add_loop_test(tc, others_must_not_write_to_it, 0, (int)COUNT_OF(modes));
	tcase_add_test(tc, another_users_is_not_believed);
	tcase_add_test(tc, neither_a_link_nor_a_file_is_a_directory);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
