/* SPDX-License-Identifier: MIT */
/*
 * check_freezer - the plain freezer: frozen means that nobody runs when the call returns, and
 * thawed that everybody does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold_state.h"
#include "lab.h"
#include "lab_internal.h"
#include "suite.h"

static struct hf_cgroup_state state_of(const char *path)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_cgroup_state state;

	ck_assert_msg(hf_cgroup_state(path, &state, &err) == 0, "%s", err.text);
	return state;
}

static void freeze(const char *path)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_cgroup_state state;

	ck_assert_msg(hf_cgroup_freeze(path, NULL, &state, &err) == 0, "%s", err.text);
	ck_assert_int_eq(state.state, HF_FREEZER_FROZEN);
	ck_assert_int_eq(state.self_frozen, 1);
}

static void thaw(const char *path)
{
	struct hf_error err = HF_ERROR_INIT;
	struct hf_cgroup_state state;

	ck_assert_msg(hf_cgroup_thaw(path, NULL, &state, &err) == 0, "%s", err.text);
	ck_assert_int_eq(state.state, HF_FREEZER_THAWED);
	ck_assert_int_eq(state.self_frozen, 0);
}

START_TEST(frozen_is_frozen_and_thawed_is_thawed)
{
	struct lab *lab = lab_new(_i);
	struct hf_cgroup_state state;

	lab_start(lab, lab->top, "spin", "4", NULL);
	lab_start(lab, lab->top, "tree", "2", "3", NULL);
	for (int round = 0; round < 5; round++) {
		lab_moving(lab);
		freeze(lab->top);
		/* Frozen when the call returned, not some time later. */
		lab_still(lab, 20);
		ck_assert(lab_is_frozen(lab, lab->top));
		state = state_of(lab->top);
		ck_assert_int_eq(state.version, lab->version);
		ck_assert_int_eq(state.state, HF_FREEZER_FROZEN);
		ck_assert_str_eq(state.path, lab->top);
		thaw(lab->top);
		lab_as_before(lab);
	}
	ck_assert_int_eq(state_of(lab->top).state, HF_FREEZER_THAWED);
	lab_done(lab);
}
END_TEST

START_TEST(doing_it_twice_is_no_error)
{
	struct lab *lab = lab_new(_i);

	lab_start(lab, lab->top, "spin", "2", NULL);
	freeze(lab->top);
	freeze(lab->top);
	lab_still(lab, 10);
	thaw(lab->top);
	thaw(lab->top);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(an_empty_cgroup_can_be_frozen)
{
	struct lab *lab = lab_new(_i);

	freeze(lab->top);
	thaw(lab->top);
	lab_done(lab);
}
END_TEST

START_TEST(what_is_below_is_frozen_too)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	const char *b = lab_cgroup(lab, a, "b");

	lab_start(lab, lab->top, "spin", "1", NULL);
	lab_start(lab, b, "spin", "2", NULL);
	freeze(lab->top);
	lab_still(lab, 20);
	ck_assert_int_eq(state_of(b).state, HF_FREEZER_FROZEN);
	ck_assert_int_eq(state_of(b).self_frozen, 0);
	thaw(lab->top);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_frozen_child_stays_so_when_its_parent_is_thawed)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	struct lab_victim *outer = lab_start(lab, lab->top, "spin", "1", NULL);
	struct lab_victim *inner = lab_start(lab, a, "spin", "2", NULL);

	freeze(a);
	lab_victim_moving(lab, outer);
	freeze(lab->top);
	thaw(lab->top);
	lab_victim_moving(lab, outer);
	lab_victim_still(lab, inner, 20);
	ck_assert_int_eq(state_of(a).self_frozen, 1);
	thaw(a);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(thawing_below_a_frozen_ancestor_names_it)
{
	struct lab *lab = lab_new(_i);
	const char *a = lab_cgroup(lab, lab->top, "a");
	const char *b = lab_cgroup(lab, a, "b");
	struct hf_error err = HF_ERROR_INIT;

	lab_start(lab, b, "spin", "2", NULL);
	freeze(b);
	freeze(lab->top);
	ck_assert_int_eq(hf_cgroup_thaw(b, NULL, NULL, &err), -EBUSY);
	ck_assert_int_eq(err.code, EBUSY);
	lab_says(&err, lab->top);
	/* Its own setting is what was asked for. */
	ck_assert(!lab_own_bit(lab, b));
	lab_still(lab, 10);
	thaw(lab->top);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(a_relative_path_is_looked_up_below_the_mount)
{
	struct lab *lab = lab_new(_i);
	const char *name = strrchr(lab->top, '/') + 1;

	lab_start(lab, lab->top, "spin", "2", NULL);
	freeze(name);
	ck_assert_str_eq(state_of(name).path, lab->top);
	lab_still(lab, 10);
	thaw(name);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

START_TEST(what_cannot_be_frozen_is_refused)
{
	struct lab *lab = lab_new(_i);
	struct hf_error err = HF_ERROR_INIT;
	struct hf_cgroup_state state;
	char path[LAB_PATH + 16];

	ck_assert_int_eq(hf_cgroup_freeze("/tmp", NULL, NULL, &err), -EINVAL);
	lab_says(&err, "/tmp");
	snprintf(path, sizeof(path), "%s/missing", lab->top);
	ck_assert_int_eq(hf_cgroup_freeze(path, NULL, NULL, &err), -ENOENT);
	ck_assert_int_eq(hf_cgroup_thaw(path, NULL, NULL, &err), -ENOENT);
	ck_assert_int_eq(hf_cgroup_state(path, &state, &err), -ENOENT);
	snprintf(path, sizeof(path), "%s", lab->top);
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(hf_cgroup_freeze(path, NULL, NULL, &err), -EBUSY);
	lab_says(&err, "root");
	lab_done(lab);
}
END_TEST

START_TEST(nobody_freezes_himself)
{
	struct lab *lab = lab_new(_i);
	uint64_t begin = lab_ms();
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		lab_join(lab->top);
		_exit(hf_cgroup_freeze(lab->top, NULL, NULL, NULL) == -EBUSY ? 0 : 1);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		ck_assert_msg(lab_ms() - begin < 5000, "it froze itself");
		usleep(1000);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	lab_untouched(lab);
	lab_done(lab);
}
END_TEST

/* ---- When something fails in between ---------------------------------------------------------------- */

static void open_and_freeze(struct hf_freezer *f, const struct lab *lab)
{
	struct hf_error err = HF_ERROR_INIT;

	*f = (struct hf_freezer)HF_FREEZER_INIT;
	ck_assert_int_eq(hf_freezer_open(f, lab->top, &err), 0);
	ck_assert_int_eq(hf_freezer_find_levels(f, true, &err), 0);
	ck_assert_int_eq(hf_freeze(f, false, hf_deadline_in_ms(LAB_PATIENCE_MS), &err), HF_FREEZE_WHOLE);
}

/* A level that was not there to be listed is thawed all the same: should it be there, it must not stay frozen. */
START_TEST(what_seemed_gone_is_put_back)
{
	struct lab *lab = lab_new(_i);
	struct hf_buf text = { 0 };
	struct hf_freezer f;

	lab_start(lab, lab->top, "spin", "1", NULL);
	open_and_freeze(&f, lab);
	f.levels[0].gone = true;
	ck_assert_int_eq(hf_freezer_restore(&f), 0);
	lab_as_before(lab);
	/* And it is gone no longer once it is listed. */
	ck_assert_int_eq(hf_freezer_list(&f, 0, &text), 0);
	ck_assert(text.len > 0 && !f.levels[0].gone);
	hf_buf_done(&text);
	hf_freezer_done(&f);
	lab_done(lab);
}
END_TEST

START_TEST(putting_back_is_insisted_on)
{
	struct lab *lab = lab_new(_i);
	struct hf_freezer f;
	uint64_t begun;
	char link[64];
	int fd;

	lab_start(lab, lab->top, "spin", "1", NULL);
	open_and_freeze(&f, lab);
	fd = f.levels[0].fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	f.levels[0].fd = open(link, O_RDONLY | O_CLOEXEC);
	begun = lab_ms();
	ck_assert_int_lt(hf_freezer_restore(&f), 0);
	ck_assert_uint_ge(lab_ms() - begun, 99);
	ck_assert(f.levels[0].self_now);
	close(f.levels[0].fd);
	f.levels[0].fd = fd;
	ck_assert_int_eq(hf_freezer_restore(&f), 0);
	lab_as_before(lab);
	hf_freezer_done(&f);
	lab_done(lab);
}
END_TEST

START_TEST(a_freeze_that_cannot_be_completed_is_taken_back)
{
	struct lab *lab = lab_new(_i);
	struct hf_error err = HF_ERROR_INIT;
	struct lab_victim *other;
	const char *why, *disk = lab_disk(&why);
	struct hf_freezer_options opts = HF_FREEZER_OPTIONS_INIT;
	char file[LAB_PATH + 16];
	uint64_t begin;

	if (!disk) {
		lab_left_out("a thread that does not freeze", why);
		lab_done(lab);
		return;
	}
	snprintf(file, sizeof(file), "%s/mnt/file", disk);
	other = lab_start(lab, lab->top, "spin", "2", NULL);
	lab_start(lab, lab->top, "writer", file, NULL);
	lab_moving(lab);
	ck_assert_int_eq(lab_disk_freeze(disk, true), 0);
	lab_await_state(lab->victims[1].pid, 'D');
	begin = lab_ms();
	opts.timeout_ms = 600;
	if (hf_cgroup_freeze(lab->top, &opts, NULL, &err) == 0) {
		/* v1 counts such a sleep as frozen, since Linux 6.1. */
		ck_assert_int_eq(lab->version, 1);
		lab_victim_still(lab, other, 10);
		thaw(lab->top);
	} else {
		ck_assert_int_eq(err.code, ETIMEDOUT);
		ck_assert_uint_le(lab_ms() - begin, 1100);
		lab_says(&err, "pwrite64");
	}
	ck_assert(!lab_own_bit(lab, lab->top));
	lab_victim_moving(lab, other);
	ck_assert_int_eq(lab_disk_freeze(disk, false), 0);
	lab_as_before(lab);
	lab_done(lab);
	lab_sweep();
}
END_TEST

/* v2 says "frozen 1" of a cgroup whose own tasks are frozen, whatever is below it. */
START_TEST(a_cgroup_is_not_frozen_before_what_is_below_it_is)
{
	struct lab *lab = lab_new(_i);
	const char *inner = lab_cgroup(lab, lab->top, "inner");
	struct hf_freezer_options opts = HF_FREEZER_OPTIONS_INIT;
	struct hf_cgroup_state state = { .state = HF_FREEZER_THAWED };
	struct hf_error err = HF_ERROR_INIT;
	struct lab_victim *v = lab_start(lab, NULL, "uffd", inner, NULL);

	lab_start(lab, lab->top, "spin", "1", NULL);
	opts.timeout_ms = 200;
	ck_assert_int_eq(hf_cgroup_freeze(lab->top, &opts, NULL, &err), -ETIMEDOUT);
	ck_assert_int_eq(err.tid, (pid_t)atomic_load(&lab_slot(lab, v, 0)->value));
	lab_says(&err, "faulting");
	lab_as_before(lab);
	if (lab->version == 2)
		lab_write(lab->top, "cgroup.freeze", "1");
	else
		lab_write(lab->top, "freezer.state", "FROZEN");
	while (lab->version == 2 && !lab_is_frozen(lab, lab->top))
		usleep(500);
	ck_assert_int_eq(hf_cgroup_state(lab->top, &state, &err), 0);
	ck_assert_int_eq(state.state, HF_FREEZER_FREEZING);
	lab_freeze(lab, lab->top, false);
	lab_poke(lab);
	lab_as_before(lab);
	lab_done(lab);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("freezer");
	TCase *tc;

	lab_init();
	tc = lab_case(suite, "freezer");
	lab_add(tc, frozen_is_frozen_and_thawed_is_thawed);
	lab_add(tc, doing_it_twice_is_no_error);
	lab_add(tc, an_empty_cgroup_can_be_frozen);
	lab_add(tc, what_is_below_is_frozen_too);
	lab_add(tc, a_frozen_child_stays_so_when_its_parent_is_thawed);
	lab_add(tc, thawing_below_a_frozen_ancestor_names_it);
	lab_add(tc, a_relative_path_is_looked_up_below_the_mount);
	tc = lab_case(suite, "errors");
	lab_add(tc, what_cannot_be_frozen_is_refused);
	lab_add(tc, nobody_freezes_himself);
	lab_add(tc, what_seemed_gone_is_put_back);
	lab_add(tc, putting_back_is_insisted_on);
	lab_add(tc, a_freeze_that_cannot_be_completed_is_taken_back);
	lab_add(tc, a_cgroup_is_not_frozen_before_what_is_below_it_is);
	return hf_suite_run(suite);
}
