/* SPDX-License-Identifier: MIT */
/*
 * check_cgroups - tests of cli/cgroups.c, on made-up trees.
 */
#include "cgroups.h"

#include <errno.h>

#include "made_cgroups.h"

static int note(enum hf_mount mount, const char *below, void *data)
{
	char *seen = data;

	snprintf(seen + strlen(seen), 512 - strlen(seen), "%s%s ", mount == HF_MOUNT_V2 ? "2" : "1", below);
	return strcmp(below, "/stop") == 0 ? 42 : 0;
}

START_TEST(a_walk_meets_every_cgroup_of_both_parents_first)
{
	char seen[512] = "";

	make_cgroup(HF_MOUNT_V2, "/b/a", MADE_EMPTY);
	make_cgroup(HF_MOUNT_V2, "/a", MADE_EMPTY);
	make_cgroup(HF_MOUNT_V1, "/c d/e", MADE_EMPTY);
	ck_assert_int_eq(hf_cgroups_walk(&made_mounts, note, seen), 0);
	ck_assert_str_eq(seen, "2/a 2/b 2/b/a 1/c d 1/c d/e ");
}
END_TEST

START_TEST(a_walk_ends_where_it_is_told_to)
{
	char seen[512] = "";

	make_cgroup(HF_MOUNT_V2, "/stop/below", MADE_EMPTY);
	make_cgroup(HF_MOUNT_V1, "/other", MADE_EMPTY);
	ck_assert_int_eq(hf_cgroups_walk(&made_mounts, note, seen), 42);
	ck_assert_str_eq(seen, "2/stop ");
}
END_TEST

START_TEST(a_hierarchy_that_is_not_mounted_is_passed_over)
{
	char seen[512] = "";

	make_cgroup(HF_MOUNT_V1, "/x", MADE_EMPTY);
	made_mounts.path[HF_MOUNT_V2][0] = '\0';
	ck_assert_int_eq(hf_cgroups_walk(&made_mounts, note, seen), 0);
	ck_assert_str_eq(seen, "1/x ");
}
END_TEST

START_TEST(a_link_is_not_followed)
{
	char seen[512] = "", link[PATH_MAX];

	make_cgroup(HF_MOUNT_V2, "/x", MADE_EMPTY);
	snprintf(link, sizeof(link), "%s/v2/x/up", made_top);
	ck_assert_int_eq(symlink("..", link), 0);
	ck_assert_int_eq(hf_cgroups_walk(&made_mounts, note, seen), 0);
	ck_assert_str_eq(seen, "2/x ");
}
END_TEST

#define ABSENT (-1)
/* Of the same thing in both hierarchies, which one is meant. */
static const struct {
	int v2, v1;
	enum hf_mount meant;
} pairs[] = {
	{ MADE_POPULATED, ABSENT, HF_MOUNT_V2 },
	{ MADE_EMPTY, ABSENT, HF_MOUNT_V2 },
	{ ABSENT, MADE_POPULATED, HF_MOUNT_V1 },
	{ ABSENT, MADE_EMPTY, HF_MOUNT_V1 },
	{ MADE_POPULATED, MADE_POPULATED, HF_MOUNT_V2 },
	{ MADE_POPULATED, MADE_EMPTY, HF_MOUNT_V2 },
	{ MADE_EMPTY, MADE_POPULATED, HF_MOUNT_V1 },
	{ MADE_EMPTY, MADE_EMPTY, HF_MOUNT_V2 },
	{ MADE_POPULATED, MADE_FROZEN, HF_MOUNT_V1 },
	{ MADE_EMPTY, MADE_FROZEN, HF_MOUNT_V1 },
};

START_TEST(of_two_the_one_with_members_is_meant_and_what_v1_has_frozen_first)
{
	struct hf_sites sites = { 0 };
	const struct hf_site *meant;
	static const char below[] = "/pod/x";

	/* Added in the other order, so that the order is no help. */
	if (pairs[_i].v1 != ABSENT) {
		make_cgroup(HF_MOUNT_V1, below, (enum made_state)pairs[_i].v1);
		ck_assert_int_eq(hf_sites_add_below(&sites, "k", &made_mounts, HF_MOUNT_V1, below, "kind"), 0);
	}
	if (pairs[_i].v2 != ABSENT) {
		make_cgroup(HF_MOUNT_V2, below, (enum made_state)pairs[_i].v2);
		ck_assert_int_eq(hf_sites_add_below(&sites, "k", &made_mounts, HF_MOUNT_V2, below, "kind"), 0);
	}
	ck_assert_int_eq(hf_sites_add(&sites, "other", "/proc/self", "kind"), 0);
	meant = hf_sites_meant(&sites, "k");
	ck_assert_ptr_nonnull(meant);
	ck_assert_str_eq(meant->path, made_path(pairs[_i].meant, below));
	ck_assert_ptr_null(hf_sites_meant(&sites, "none"));
	hf_sites_done(&sites);
}
END_TEST

START_TEST(members_below_count_on_v1_too)
{
	struct hf_sites sites = { 0 };

	make_cgroup(HF_MOUNT_V2, "/x", MADE_EMPTY);
	make_cgroup(HF_MOUNT_V1, "/x", MADE_EMPTY);
	make_cgroup(HF_MOUNT_V1, "/x/a/b", MADE_POPULATED);
	hf_sites_add_below(&sites, "k", &made_mounts, HF_MOUNT_V2, "/x", "");
	hf_sites_add_below(&sites, "k", &made_mounts, HF_MOUNT_V1, "/x", "");
	ck_assert_str_eq(hf_sites_meant(&sites, "k")->path, made_path(HF_MOUNT_V1, "/x"));
	hf_sites_done(&sites);
}
END_TEST

START_TEST(of_two_in_one_hierarchy_the_upper_is_meant)
{
	struct hf_sites sites = { 0 };

	make_cgroup(HF_MOUNT_V2, "/x/below", MADE_POPULATED);
	make_cgroup(HF_MOUNT_V2, "/x", MADE_POPULATED);
	hf_sites_add_below(&sites, "k", &made_mounts, HF_MOUNT_V2, "/x/below", "");
	hf_sites_add_below(&sites, "k", &made_mounts, HF_MOUNT_V2, "/x", "");
	hf_sites_add_below(&sites, "k", &made_mounts, HF_MOUNT_V2, "/x", "");
	ck_assert_uint_eq(sites.n, 2);
	ck_assert_str_eq(hf_sites_meant(&sites, "k")->path, made_path(HF_MOUNT_V2, "/x"));
	hf_sites_done(&sites);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups");
	TCase *walk = tcase_create("walk"), *sites = tcase_create("sites");

	tcase_add_checked_fixture(walk, make_cgroups, remove_cgroups);
	tcase_add_test(walk, a_walk_meets_every_cgroup_of_both_parents_first);
	tcase_add_test(walk, a_walk_ends_where_it_is_told_to);
	tcase_add_test(walk, a_hierarchy_that_is_not_mounted_is_passed_over);
	tcase_add_test(walk, a_link_is_not_followed);
	suite_add_tcase(suite, walk);
	tcase_add_checked_fixture(sites, make_cgroups, remove_cgroups);
	tcase_add_loop_test(sites, of_two_the_one_with_members_is_meant_and_what_v1_has_frozen_first, 0,
			    COUNT_OF(pairs));
	tcase_add_test(sites, members_below_count_on_v1_too);
	tcase_add_test(sites, of_two_in_one_hierarchy_the_upper_is_meant);
	suite_add_tcase(suite, sites);
	return hf_suite_run(suite);
}
