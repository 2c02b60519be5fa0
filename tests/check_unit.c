/* SPDX-License-Identifier: MIT */
/*
 * check_unit - tests of cli/unit.c: names, and finding by the names of cgroups on made-up trees.  What systemd
 * answers is in tests/cli/unit-by-bus.sh.
 */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "made_cgroups.h"

/* ---- Names ------------------------------------------------------------------------------- */

/* As `systemctl status` and `systemd-escape --path --suffix=mount` of systemd 252 read them. */
static const struct {
	const char *text, *name;
} good[] = {
	{ "cron", "cron.service" }, { "cron.service", "cron.service" }, { "a.slice", "a.slice" },
	{ "-.slice", "-.slice" }, { "a-b.slice", "a-b.slice" }, { "init.scope", "init.scope" },
	{ "foo.socket", "foo.socket" }, { "foo.timer", "foo.timer" }, { "foo.bar", "foo.bar.service" },
	{ ".service.x", NULL }, { "getty@tty1", "getty@tty1.service" }, { "getty@tty1.service", "getty@tty1.service" },
	{ "a@b.c", "a@b.c.service" }, { "my unit", "my\\x20unit.service" }, { "a/b", "a-b.service" },
	{ "dev-disk\\x2d1.swap", "dev-disk\\x2d1.swap" }, { "\xc3\xa4", "\\xc3\\xa4.service" },
	{ "/", "-.mount" }, { "/srv/data", "srv-data.mount" }, { "//srv//data/", "srv-data.mount" },
	{ "/srv/my data", "srv-my\\x20data.mount" }, { "/srv/a-b", "srv-a\\x2db.mount" },
	{ "/.hidden/.x", "\\x2ehidden-.x.mount" }, { "service", "service.service" },
	{ "", NULL }, { "getty@", NULL }, { "getty@.service", NULL }, { "@x", NULL },
};

START_TEST(a_name_is_completed_and_escaped_as_systemctl_does)
{
	char name[HF_UNIT_NAME_MAX + 1] = "untouched";
	const char *why = NULL;
	int r = hf_unit_name_of(good[_i].text, name, &why);

	ck_assert_msg(r == (good[_i].name ? 0 : -EINVAL), "'%s': %d, '%s'", good[_i].text, r, name);
	ck_assert_str_eq(name, good[_i].name ? good[_i].name : "untouched");
	ck_assert(good[_i].name ? why == NULL : why != NULL);
}
END_TEST

START_TEST(a_name_has_a_greatest_length)
{
	char text[300], name[HF_UNIT_NAME_MAX + 1];
	const char *why = NULL;

	memset(text, 'x', sizeof(text));
	text[HF_UNIT_NAME_MAX - 8] = '\0';
	ck_assert_int_eq(hf_unit_name_of(text, name, &why), 0);
	ck_assert_uint_eq(strlen(name), HF_UNIT_NAME_MAX);
	text[HF_UNIT_NAME_MAX - 8] = 'x';
	text[HF_UNIT_NAME_MAX - 7] = '\0';
	ck_assert_int_eq(hf_unit_name_of(text, name, &why), -EINVAL);
	text[HF_UNIT_NAME_MAX - 7] = 'x';
	text[299] = '\0';
	memset(text, ' ', 299);
	ck_assert_int_eq(hf_unit_name_of(text, name, &why), -EINVAL);
}
END_TEST

static const struct {
	const char *name, *directory;
	bool same;
} directories[] = {
	{ "cron.service", "cron.service", true }, { "memory.service", "_memory.service", true },
	{ "_x.service", "__x.service", true }, { "_x.service", "_x.service", false },
	{ "x.service", "_x.service", true }, { "cron.service", "cron.services", false },
	{ "cron.service", "_cron.servic", false },
};

START_TEST(a_directory_may_have_an_underscore_more)
{
	ck_assert_int_eq(hf_unit_is_directory(directories[_i].name, directories[_i].directory),
			 directories[_i].same);
}
END_TEST

static const struct {
	const char *below;
	long uid;
	bool managed;
} places[] = {
	{ "/init.scope", -1, true }, { "/system.slice", -1, true }, { "/system.slice/cron.service", -1, true },
	{ "/a.slice/a-b.slice/x.service", -1, true }, { "/system.slice/system-getty.slice/getty@tty1.service", -1, true },
	{ "/user.slice/user-1000.slice/user@1000.service", -1, true },
	{ "/user.slice/user-1000.slice/session-3.scope", -1, true },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", -1, false },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", 1000, true },
	{ "/user.slice/user-1000.slice/user@1000.service/init.scope", 1000, true },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", 1001, false },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", 100, false },
	{ "/user.slice/user-1000.slice/user@1000.service", 1000, false },
	{ "/system.slice/x.service", 1000, false },
	{ "/system.slice/docker-ab.scope/system.slice/cron.service", -1, false },
	{ "/docker/ab/system.slice/cron.service", -1, false },
	{ "/system.slice/x.service/sub/x.service", -1, false },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ab.scope/x.service", 1000, false },
};

START_TEST(a_manager_has_its_own_units_and_no_others)
{
	ck_assert_msg(hf_unit_is_managed(places[_i].below, places[_i].uid) == places[_i].managed, "%s of %ld",
		      places[_i].below, places[_i].uid);
}
END_TEST

/* ---- Finding ----------------------------------------------------------------------------- */

static const char *find(const char *name, bool user)
{
	static char path[PATH_MAX];
	struct hf_error err = HF_ERROR_INIT;
	int r = hf_unit_find_by_path(&made_mounts, name, user, path, &err);

	ck_assert_msg(r == 0, "%s", err.text);
	return path;
}

START_TEST(a_unit_is_found_wherever_its_slice_is_on_each_freezer)
{
	enum hf_mount mount = (enum hf_mount)_i;
	char user[PATH_MAX];

	make_cgroup(mount, "/system.slice/cron.service", MADE_POPULATED);
	make_cgroup(mount, "/system.slice/docker-x.scope/system.slice/cron.service", MADE_POPULATED);
	make_cgroup(mount, "/system.slice/system-getty.slice/getty@tty1.service", MADE_POPULATED);
	make_cgroup(mount, "/a.slice/a-b.slice/a-b-c.slice/_memory.service", MADE_POPULATED);
	snprintf(user, sizeof(user), "/user.slice/user-%u.slice/user@%u.service/app.slice/cron.service", geteuid(),
		 geteuid());
	make_cgroup(mount, user, MADE_POPULATED);
	ck_assert_str_eq(find("cron.service", false), made_path(mount, "/system.slice/cron.service"));
	ck_assert_str_eq(find("getty@tty1.service", false),
			 made_path(mount, "/system.slice/system-getty.slice/getty@tty1.service"));
	ck_assert_str_eq(find("memory.service", false),
			 made_path(mount, "/a.slice/a-b.slice/a-b-c.slice/_memory.service"));
	ck_assert_str_eq(find("a-b.slice", false), made_path(mount, "/a.slice/a-b.slice"));
	ck_assert_str_eq(find("cron.service", true), made_path(mount, user));
}
END_TEST

START_TEST(the_same_place_in_both_hierarchies_is_one_unit)
{
	make_cgroup(HF_MOUNT_V2, "/system.slice/x.service", MADE_EMPTY);
	make_cgroup(HF_MOUNT_V1, "/system.slice/x.service", MADE_POPULATED);
	ck_assert_str_eq(find("x.service", false), made_path(HF_MOUNT_V1, "/system.slice/x.service"));
}
END_TEST

START_TEST(a_unit_that_is_nowhere_or_in_two_places_is_an_error)
{
	struct hf_error err = HF_ERROR_INIT;
	char path[PATH_MAX] = "untouched";

	make_cgroup(HF_MOUNT_V2, "/a.slice/x.service", MADE_POPULATED);
	make_cgroup(HF_MOUNT_V1, "/b.slice/x.service", MADE_POPULATED);
	ck_assert_int_eq(hf_unit_find_by_path(&made_mounts, "x.service", false, path, &err), -ENOTUNIQ);
	ck_assert_msg(strstr(err.text, "/a.slice/x.service, /b.slice/x.service"), "%s", err.text);
	ck_assert_int_eq(hf_unit_find_by_path(&made_mounts, "y.service", false, path, &err), -ENOENT);
	ck_assert_int_eq(hf_unit_find_by_path(&made_mounts, "x.service", true, path, &err), -ENOENT);
	ck_assert_str_eq(path, "untouched");
}
END_TEST

START_TEST(what_has_no_processes_or_is_the_machine_is_refused)
{
	static const struct {
		const char *name;
		int code;
	} refused[] = {
		{ "init.scope", -EBUSY }, { "-.slice", -EBUSY }, { "x.timer", -EINVAL }, { "x.target", -EINVAL },
		{ "x.device", -EINVAL }, { "x.path", -EINVAL }, { "x.automount", -EINVAL },
	};
	char path[PATH_MAX], why[HF_NOTE_MAX];
	struct hf_error err = HF_ERROR_INIT;
	size_t i;

	make_cgroup(HF_MOUNT_V2, "/init.scope", MADE_POPULATED);
	for (i = 0; i < COUNT_OF(refused); i++)
		ck_assert_int_eq(hf_unit_find(&made_mounts, refused[i].name, false, 100, path, why, &err),
				 refused[i].code);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unit");
	TCase *names = tcase_create("names"), *finding = tcase_create("finding");

	tcase_add_loop_test(names, a_name_is_completed_and_escaped_as_systemctl_does, 0, COUNT_OF(good));
	tcase_add_test(names, a_name_has_a_greatest_length);
	tcase_add_loop_test(names, a_directory_may_have_an_underscore_more, 0, COUNT_OF(directories));
	tcase_add_loop_test(names, a_manager_has_its_own_units_and_no_others, 0, COUNT_OF(places));
	suite_add_tcase(suite, names);
	tcase_add_checked_fixture(finding, make_cgroups, remove_cgroups);
	tcase_add_loop_test(finding, a_unit_is_found_wherever_its_slice_is_on_each_freezer, 0, HF_MOUNT_COUNT);
	tcase_add_test(finding, the_same_place_in_both_hierarchies_is_one_unit);
	tcase_add_test(finding, a_unit_that_is_nowhere_or_in_two_places_is_an_error);
	tcase_add_test(finding, what_has_no_processes_or_is_the_machine_is_refused);
	suite_add_tcase(suite, finding);
	return hf_suite_run(suite);
}
