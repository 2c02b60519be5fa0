/* SPDX-License-Identifier: MIT */
/*
 * check_procfs - tests of the parsers of base/procfs.c, from literals, except that of status, which
 * has check_procfs_status.c; the readers are in check_procfs_live.c.
 */
#include "procfs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "suite.h"

/* ---- stat --------------------------------------------------------------------------------- */

/* Fields 10 to 19, 21, and 23 to 52. */
#define F10_19 "5 6 7 8 9 10 -11 -12 20 -5"
#define F23_52 " 3133440 378 18446744073709551615 1 2 3 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 1 2 3 4 5 6 7 0\n"
#define STAT(pid_comm, to_9, threads, start) \
	BYTES(pid_comm " " to_9 " " F10_19 " " threads " 0 " start F23_52)
#define PLAIN "S 1 2 3 34816 -1 4194304"

static const struct {
	struct bytes in;
	struct hf_stat want;
} stats[] = {
	{ STAT("4619 (cat)", "R 4605 4606 2610 0 -1 4194304", "1", "120780"),
	  { 4619, "cat", 'R', 4605, 4606, 2610, 0x400000, 1, 120780 } },
	/* A kernel thread, and PF_KTHREAD of it. */
	{ STAT("2 (kthreadd)", "S 0 0 0 0 -1 2129984", "1", "25"),
	  { 2, "kthreadd", 'S', 0, 0, 0, 0x208040, 1, 25 } },
	{ STAT("7 (kworker/u8:0-events_unbound)", "I 2 0 0 0 -1 69238880", "1", "3"),
	  { 7, "kworker/u8:0-events_unbound", 'I', 2, 0, 0, 69238880, 1, 3 } },
	/* A name may be anything, and may look like the rest. */
	{ STAT("1 ()", PLAIN, "1", "9"), { 1, "", 'S', 1, 2, 3, 4194304, 1, 9 } },
	{ STAT("1 ())", PLAIN, "1", "9"), { 1, ")", 'S', 1, 2, 3, 4194304, 1, 9 } },
	{ STAT("1 (()", PLAIN, "1", "9"), { 1, "(", 'S', 1, 2, 3, 4194304, 1, 9 } },
	{ STAT("1 (a) R 1 2 3 (b)", PLAIN, "1", "9"),
	  { 1, "a) R 1 2 3 (b", 'S', 1, 2, 3, 4194304, 1, 9 } },
	{ STAT("1 (a\n2 (b) Z)", PLAIN, "1", "9"),
	  { 1, "a\n2 (b) Z", 'S', 1, 2, 3, 4194304, 1, 9 } },
	{ STAT("1 ( \t )", PLAIN, "1", "9"), { 1, " \t ", 'S', 1, 2, 3, 4194304, 1, 9 } },
	{ STAT("1 (\xff\xfe\xc3\x28\x01)", PLAIN, "1", "9"),
	  { 1, "\xff\xfe\xc3\x28\x01", 'S', 1, 2, 3, 4194304, 1, 9 } },
	/* In stat nothing is escaped. */
	{ STAT("1 (a\\nb\\\\)", PLAIN, "1", "9"), { 1, "a\\nb\\\\", 'S', 1, 2, 3, 4194304, 1, 9 } },
	/* A zombie, and one that is being reaped: no group, no session, no threads. */
	{ STAT("8 (sh)", "Z 1 8 8 0 -1 4227148", "1", "77"),
	  { 8, "sh", 'Z', 1, 8, 8, 4227148, 1, 77 } },
	{ STAT("8 (sh)", "X 0 -1 -1 0 -1 4227148", "0", "77"),
	  { 8, "sh", 'X', 0, -1, -1, 4227148, 0, 77 } },
	/* The largest numbers that fit. */
	{ STAT("2147483647 (x)", "t 2147483647 2147483647 2147483647 0 -1 4294967295", "4294967295",
	       "18446744073709551615"),
	  { INT_MAX, "x", 't', INT_MAX, INT_MAX, INT_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX } },
};

static void assert_stat(const struct hf_stat *got, const struct hf_stat *want)
{
	ck_assert_int_eq(got->pid, want->pid);
	ck_assert_str_eq(got->comm, want->comm);
	ck_assert_int_eq(got->state, want->state);
	ck_assert_int_eq(got->ppid, want->ppid);
	ck_assert_int_eq(got->pgid, want->pgid);
	ck_assert_int_eq(got->sid, want->sid);
	ck_assert_uint_eq(got->flags, want->flags);
	ck_assert_uint_eq(got->n_threads, want->n_threads);
	ck_assert_uint_eq(got->start_time_ticks, want->start_time_ticks);
}

START_TEST(stat_gives_every_member_and_the_name_ends_at_the_last_parenthesis)
{
	char *copy = exact_copy(stats[_i].in);
	struct hf_stat got;

	ck_assert_int_eq(hf_stat_parse(copy, stats[_i].in.len, &got), 0);
	assert_stat(&got, &stats[_i].want);
	free(copy);
}
END_TEST

static const struct bytes bad_stats[] = {
	BYTES(""),
	BYTES("\n"),
	BYTES("\0"),
	BYTES("1"),
	BYTES("1 ("),
	BYTES("1 (a"),
	BYTES("1 (a)"),
	BYTES("1 (a) S"),
	BYTES(")"),
	BYTES("1 )a("),
	STAT("x (a)", PLAIN, "1", "9"),
	STAT(" (a)", PLAIN, "1", "9"),
	STAT("-1 (a)", PLAIN, "1", "9"),
	STAT("1(a)", PLAIN, "1", "9"),
	STAT("1 a)", PLAIN, "1", "9"),
	STAT("2147483648 (a)", PLAIN, "1", "9"),
	STAT("4294967297 (a)", PLAIN, "1", "9"),
	STAT("1 (a\0b)", PLAIN, "1", "9"),
	STAT("1 (a)", "SS 1 2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "5 1 2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", " 1 2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S -1 2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S 1 -2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S 1 2 -3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S 1 -12 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S 4294967297 2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S 1 2 3 0 -1 4294967296", "1", "9"),
	STAT("1 (a)", "S 1 2 3 0 -1 -1", "1", "9"),
	STAT("1 (a)", "S 1 2 3 0 -1 0x10", "1", "9"),
	STAT("1 (a)", "S 1x 2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S 1  2 3 0 -1 0", "1", "9"),
	STAT("1 (a)", "S 1 2\0 3 0 -1 0", "1", "9"),
	STAT("1 (a)", PLAIN, "-1", "9"),
	STAT("1 (a)", PLAIN, "4294967296", "9"),
	STAT("1 (a)", PLAIN, "1", "18446744073709551616"),
	STAT("1 (a)", PLAIN, "1", "-9"),
	STAT("1 (a)", PLAIN, "1", ""),
};

START_TEST(stat_refuses_what_does_not_fit_and_touches_nothing)
{
	char *copy = exact_copy(bad_stats[_i]);
	struct hf_stat got;

	memset(&got, FILLER, sizeof(got));
	ck_assert_int_eq(hf_stat_parse(copy, bad_stats[_i].len, &got), -EBADMSG);
	ck_assert(is_untouched(&got, sizeof(got)));
	free(copy);
}
END_TEST

START_TEST(a_stat_that_was_cut_is_refused_or_means_the_same)
{
	struct bytes in = stats[6].in;
	size_t cut, enough = in.len - strlen(F23_52);
	struct hf_stat got;
	char *copy;

	for (cut = 0; cut <= in.len; cut++) {
		copy = exact_copy((struct bytes){ in.text, cut });
		memset(&got, FILLER, sizeof(got));
		if (cut <= enough) {
			ck_assert_int_eq(hf_stat_parse(copy, cut, &got), -EBADMSG);
			ck_assert(is_untouched(&got, sizeof(got)));
		} else {
			ck_assert_int_eq(hf_stat_parse(copy, cut, &got), 0);
			assert_stat(&got, &stats[6].want);
		}
		free(copy);
	}
}
END_TEST

/* _i bytes of name: kernel threads of Linux 6.x may have 63, and nobody more. */
START_TEST(a_name_that_is_too_long_is_cut_and_ended)
{
	static const char rest[] = ") S 1 2 3 0 -1 0 " F10_19 " 1 0 9" F23_52;
	char text[512], name[200];
	struct hf_stat got;
	int len;

	memset(name, 'n', sizeof(name));
	len = snprintf(text, sizeof(text), "1 (%.*s%s", _i, name, rest);
	ck_assert_int_eq(hf_stat_parse(text, (size_t)len, &got), 0);
	ck_assert_uint_eq(strlen(got.comm), _i < HF_COMM_MAX ? (size_t)_i : HF_COMM_MAX - 1);
	ck_assert_int_eq(got.ppid, 1);
}
END_TEST

/* ---- syscall ------------------------------------------------------------------------------ */

static const struct {
	struct bytes in;
	int r;
	struct hf_syscall want;
} syscalls[] = {
	{ BYTES("running\n"), 0, { true, -1, { 0 }, 0, 0 } },
	{ BYTES("0 0x3 0x7f26b00a2000 0x20000 0x7f26b0133b60 0xffffffff 0x0 0x7ffd838a2e68 0x7f26b021c2ad\n"),
	  0, { false, 0, { 3, 0x7f26b00a2000, 0x20000, 0x7f26b0133b60, 0xffffffff, 0 },
	       0x7ffd838a2e68, 0x7f26b021c2ad } },
	{ BYTES("58 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"), 0, { false, 58, { 0 }, 0, 0 } },
	{ BYTES("-1 0x7ffd838a2e68 0x7f26b021c2ad\n"), 0,
	  { false, -1, { 0 }, 0x7ffd838a2e68, 0x7f26b021c2ad } },
	{ BYTES("-14 0x1 0x2\n"), 0, { false, -1, { 0 }, 1, 2 } },
	{ BYTES("-1 0xffffffffffffffff 0x0\nmore"), 0, { false, -1, { 0 }, UINT64_MAX, 0 } },
	{ BYTES("2147483647 0x0 0x0 0x0 0x0 0x0 0x0 0x1 0x2\n"), 0,
	  { false, INT_MAX, { 0 }, 1, 2 } },
	{ BYTES(""), -EBADMSG, { 0 } },
	{ BYTES("\n"), -EBADMSG, { 0 } },
	{ BYTES("running"), -EBADMSG, { 0 } },
	{ BYTES("runnin\n"), -EBADMSG, { 0 } },
	{ BYTES("running \n"), -EBADMSG, { 0 } },
	{ BYTES("-1\n"), -EBADMSG, { 0 } },
	{ BYTES("-\n"), -EBADMSG, { 0 } },
	{ BYTES("--1 0x0 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("-1 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("-1 0x0 0x0 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("-1 0x0 0x0"), -EBADMSG, { 0 } },
	{ BYTES("-1 0x0 0x10000000000000000\n"), -EBADMSG, { 0 } },
	{ BYTES("-1 0x 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("-1 0 0\n"), -EBADMSG, { 0 } },
	{ BYTES("-1  0x0 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\0\n"), -EBADMSG, { 0 } },
	{ BYTES("2147483648 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"), -EBADMSG, { 0 } },
	{ BYTES("x 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"), -EBADMSG, { 0 } },
};

START_TEST(a_system_call_is_running_inside_or_outside)
{
	char *copy = exact_copy(syscalls[_i].in);
	const struct hf_syscall *want = &syscalls[_i].want;
	struct hf_syscall got;
	size_t i;

	memset(&got, FILLER, sizeof(got));
	ck_assert_int_eq(hf_syscall_parse(copy, syscalls[_i].in.len, &got), syscalls[_i].r);
	free(copy);
	if (syscalls[_i].r < 0) {
		ck_assert(is_untouched(&got, sizeof(got)));
		return;
	}
	ck_assert_int_eq(got.running, want->running);
	ck_assert_int_eq(got.nr, want->nr);
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(got.args[i], want->args[i]);
	ck_assert_uint_eq(got.sp, want->sp);
	ck_assert_uint_eq(got.pc, want->pc);
}
END_TEST

/* ---- cgroup ------------------------------------------------------------------------------- */

#define HYBRID "9:name=systemd:/init.scope\n8:pids:/\n6:freezer:/pod/a\n1:cpu,cpuacct:/\n0::/unified/b\n"

static const struct {
	struct bytes in;
	int version, r;
	const char *path;
} cgroups[] = {
	{ BYTES(HYBRID), 1, 0, "/pod/a" },
	{ BYTES(HYBRID), 2, 0, "/unified/b" },
	{ BYTES("0::/\n"), 2, 0, "/" },
	{ BYTES("0::/\n"), 1, -ENOENT, NULL },
	{ BYTES("6:freezer:/\n"), 2, -ENOENT, NULL },
	/* Outside the reader's cgroup namespace, and removed under a zombie. */
	{ BYTES("0::/../../other\n"), 2, 0, "/../../other" },
	{ BYTES("0::/gone (deleted)\n"), 2, 0, "/gone (deleted)" },
	/* A path may have colons, blanks and any bytes but a newline. */
	{ BYTES("0::/a:b::c d\\n\xff\n"), 2, 0, "/a:b::c d\\n\xff" },
	{ BYTES("0::/6:freezer:/x\n6:freezer:/0::/y\n"), 1, 0, "/0::/y" },
	{ BYTES("6:freezer:/0::/y\n0::/6:freezer:/x\n"), 2, 0, "/6:freezer:/x" },
	/* Mounted together with others. */
	{ BYTES("4:cpu,freezer:/a\n"), 1, 0, "/a" },
	{ BYTES("4:freezer,cpu:/a\n"), 1, 0, "/a" },
	{ BYTES("4:cpu,freezer,name=x:/a\n"), 1, 0, "/a" },
	/* Named like it, and no freezer. */
	{ BYTES("4:name=freezer:/a\n5:freezers:/b\n6:xfreezer:/c\n7::/freezer\n"), 1, -ENOENT, NULL },
	{ BYTES("00::/a\n10::/b\n1::/c\n0:x:/d\n"), 2, -ENOENT, NULL },
	/* Other lines do not matter. */
	{ BYTES("\nx\n:\n::\n0:\n0::\n0::relative\n0::/last\n"), 2, 0, "/last" },
	{ BYTES("6:freezer:\n7:freezer:/b\n"), 1, 0, "/b" },
	{ BYTES(""), 1, -ENOENT, NULL },
	{ BYTES(""), 2, -ENOENT, NULL },
	/* Cut: the path may have been longer. */
	{ BYTES("0::/pod"), 2, -EBADMSG, NULL },
	{ BYTES("1:cpu:/\n0:"), 2, -EBADMSG, NULL },
	{ BYTES("0::/pod\n6:fre"), 2, 0, "/pod" },
	{ BYTES("0::/pod\n6:fre"), 1, -EBADMSG, NULL },
};

START_TEST(the_path_in_a_hierarchy_is_found_by_its_controller)
{
	char *copy = exact_copy(cgroups[_i].in);
	const char *path = (const char *)&path;
	size_t len = 12345;
	int r = hf_proc_cgroup_find(copy, cgroups[_i].in.len, cgroups[_i].version, &path, &len);

	ck_assert_int_eq(r, cgroups[_i].r);
	if (r < 0) {
		ck_assert_ptr_eq(path, (const char *)&path);
		ck_assert_uint_eq(len, 12345);
	} else {
		ck_assert_uint_eq(len, strlen(cgroups[_i].path));
		ck_assert_int_eq(memcmp(path, cgroups[_i].path, len), 0);
	}
	free(copy);
}
END_TEST

/* ---- mountinfo ---------------------------------------------------------------------------- */

#define MOUNTS \
	"22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n" \
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n" \
	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n" \
	"37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime shared:7 master:1 - cgroup cgroup rw,freezer\n" \
	"40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n" \
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNT(where, end) BYTES("41 31 0:38 / " where " rw - " end "\n")

static const struct {
	struct bytes in;
	int version, r;
	const char *path;
} mounts[] = {
	{ BYTES(MOUNTS), 1, 0, "/sys/fs/cgroup/freezer" },
	{ BYTES(MOUNTS), 2, 0, "/sys/fs/cgroup/unified" },
	{ MOUNT("/cg", "cgroup2 cgroup2 rw"), 1, -ENOENT, NULL },
	{ MOUNT("/cg", "cgroup cgroup rw,freezer"), 2, -ENOENT, NULL },
	/* With others, in any order; the list is not the last word to be looked at only in part. */
	{ MOUNT("/cg", "cgroup cgroup rw,cpu,freezer"), 1, 0, "/cg" },
	{ MOUNT("/cg", "cgroup cgroup rw,freezer,cpu"), 1, 0, "/cg" },
	{ MOUNT("/cg", "cgroup cgroup freezer"), 1, 0, "/cg" },
	{ MOUNT("/cg", "cgroup cgroup rw,name=freezer"), 1, -ENOENT, NULL },
	{ MOUNT("/cg", "cgroup cgroup rw,freezer2,xfreezer"), 1, -ENOENT, NULL },
	{ MOUNT("/cg", "cgroup freezer rw,cpu"), 1, -ENOENT, NULL },
	{ MOUNT("/freezer", "tmpfs freezer rw,freezer"), 1, -ENOENT, NULL },
	{ MOUNT("/cg", "cgroup2x cgroup2 rw"), 2, -ENOENT, NULL },
	/* Any source, also none at all, as mount(2) allows. */
	{ MOUNT("/cg", "cgroup2 my\\040source rw"), 2, 0, "/cg" },
	{ MOUNT("/cg", "cgroup2  rw"), 2, 0, "/cg" },
	{ MOUNT("/cg", "cgroup2 - rw"), 2, 0, "/cg" },
	{ MOUNT("/cg", "cgroup  rw,freezer"), 1, 0, "/cg" },
	/* The first of two. */
	{ BYTES("1 1 0:1 / /b rw - cgroup2 c rw\n1 1 0:1 / /a rw - cgroup2 c rw\n"), 2, 0, "/b" },
	/* Escapes of the kernel, and what only looks like one. */
	{ MOUNT("/a\\040b\\011c\\012d\\134e\\043f", "cgroup2 c rw"), 2, 0, "/a b\tc\nd\\e#f" },
	{ MOUNT("/\\303\\251\\377", "cgroup2 c rw"), 2, 0, "/\xc3\xa9\xff" },
	{ MOUNT("/\\1340401", "cgroup2 c rw"), 2, 0, "/\\0401" },
	{ MOUNT("/\\x41\\8\\04\\400\\", "cgroup2 c rw"), 2, 0, "/\\x41\\8\\04\\400\\" },
	{ MOUNT("/a\\000b", "cgroup2 c rw"), 2, -EBADMSG, NULL },
	/* Optional fields, many, and one that looks like the separator. */
	{ BYTES("1 1 0:1 / /cg rw shared:1 master:2 propagate_from:3 unbindable - cgroup2 c rw\n"), 2, 0,
	  "/cg" },
	{ BYTES("1 1 0:1 / - rw -x - cgroup2 c rw\n"), 2, -ENOENT, NULL },
	/* Lines that are none. */
	{ BYTES("\n-\n - \n1 2 3\n1 1 0:1 / /cg rw cgroup2 c rw\n1 1 0:1 / /cg rw -\n"
		"1 1 0:1 / /cg rw - cgroup2\n1 1 0:1 / /cg rw - cgroup2 c\n"), 2, -ENOENT, NULL },
	{ BYTES("1 1 0:1 / relative rw - cgroup2 c rw\n"), 2, -ENOENT, NULL },
	{ BYTES("1 1 0:1 /  rw - cgroup2 c rw\n"), 2, -ENOENT, NULL },
	{ BYTES("1 1 0:1 / - - cgroup2 c rw\n"), 2, -ENOENT, NULL },
	{ BYTES(""), 2, -ENOENT, NULL },
	{ BYTES("\0\n"), 2, -ENOENT, NULL },
	{ BYTES("1 1 0:1 / /cg rw - cgroup cgroup rw,freezer"), 1, -EBADMSG, NULL },
};

START_TEST(the_mount_of_a_hierarchy_is_found)
{
	char *copy = exact_copy(mounts[_i].in);
	char path[64];
	int r;

	memset(path, FILLER, sizeof(path));
	r = hf_mountinfo_find_cgroup(copy, mounts[_i].in.len, mounts[_i].version, path, sizeof(path));
	ck_assert_int_eq(r, mounts[_i].r);
	if (r < 0)
		ck_assert(is_untouched(path, sizeof(path)));
	else
		ck_assert_str_eq(path, mounts[_i].path);
	free(copy);
}
END_TEST

START_TEST(a_mount_point_needs_room_for_its_unescaped_self_and_a_nul)
{
	struct bytes in = MOUNT("/a\\040b", "cgroup2 c rw");	/* 4 bytes, once unescaped */
	char path[8];
	int r;

	memset(path, FILLER, sizeof(path));
	r = hf_mountinfo_find_cgroup(in.text, in.len, 2, path, (size_t)_i);
	if (_i <= 4) {
		ck_assert_int_eq(r, -ENAMETOOLONG);
		ck_assert(is_untouched(path, sizeof(path)));
	} else {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(path, "/a b");
		ck_assert(is_untouched(path + 5, sizeof(path) - 5));
	}
}
END_TEST

/* A whole hierarchy, a part of it elsewhere and within it, one that hides another, one from outside of our namespace. */
#define PARTS \
	"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 c rw\n" \
	"31 1 0:26 /pod\\040a /mnt/pod rw - cgroup2 c rw\n" \
	"32 1 0:31 / /sys/fs/cgroup/freezer rw - cgroup c rw,freezer\n" \
	"33 1 0:26 /pod\\040a/x /mnt/pod/deep rw - cgroup2 c rw\n" \
	"34 1 0:26 /b /over rw - cgroup2 c rw\n" \
	"35 1 0:26 /c /over rw - cgroup2 c rw\n" \
	"36 1 0:26 /../host /outside rw - cgroup2 c rw\n"

START_TEST(a_directory_has_its_place_in_the_hierarchy_by_the_innermost_mount)
{
	static const struct {
		const char *path;
		int version, r;
		const char *within;
		size_t mount_len;
	} rows[] = {
		{ "/sys/fs/cgroup/pod a", 2, 0, "/pod a", 14 },
		{ "/sys/fs/cgroup", 2, 0, "", 14 },
		{ "/sys/fs/cgroup/freezer/z", 1, 0, "/z", 22 },
		{ "/mnt/pod", 2, 0, "/pod a", 8 },
		{ "/mnt/pod/y/z", 2, 0, "/pod a/y/z", 8 },
		{ "/mnt/pod/deep/z", 2, 0, "/pod a/x/z", 13 },
		{ "/mnt/podium", 2, -ENOENT, NULL, 0 },
		{ "/over/d", 2, 0, "/c/d", 5 },
		{ "/outside/d", 2, -ENOENT, NULL, 0 },
		{ "/mnt/pod", 1, -ENOENT, NULL, 0 },
		{ "/elsewhere", 2, -ENOENT, NULL, 0 },
	};
	char within[64];
	size_t mount_len = 0;
	int r = hf_mountinfo_within(PARTS, sizeof(PARTS) - 1, rows[_i].version, rows[_i].path, within, sizeof(within),
				    &mount_len);

	ck_assert_int_eq(r, rows[_i].r);
	ck_assert_uint_eq(mount_len, rows[_i].mount_len);
	if (r == 0)
		ck_assert_str_eq(within, rows[_i].within);
	if (r == 0)
		ck_assert_int_eq(hf_mountinfo_within(PARTS, sizeof(PARTS) - 1, rows[_i].version, rows[_i].path, within,
						     strlen(rows[_i].within), &mount_len), -ENAMETOOLONG);
}
END_TEST

START_TEST(a_place_in_the_hierarchy_has_its_directory_where_a_mount_shows_it)
{
	static const char part[] = "31 1 0:26 /pod /mnt/pod rw - cgroup2 c rw\n";
	char path[64];

	ck_assert_int_eq(hf_mountinfo_directory(PARTS, sizeof(PARTS) - 1, 2, "/pod a/y", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/sys/fs/cgroup/pod a/y");
	ck_assert_int_eq(hf_mountinfo_directory(part, sizeof(part) - 1, 2, "/pod/y", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/mnt/pod/y");
	ck_assert_int_eq(hf_mountinfo_directory(part, sizeof(part) - 1, 2, "/pod", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/mnt/pod");
	ck_assert_int_eq(hf_mountinfo_directory(part, sizeof(part) - 1, 2, "/podium", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(hf_mountinfo_directory(part, sizeof(part) - 1, 1, "/pod", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(hf_mountinfo_directory(part, sizeof(part) - 1, 2, "/pod/y", path, 10), -ENAMETOOLONG);
}
END_TEST

START_TEST(mounts_may_fill_more_than_a_page)
{
	static char text[100000];
	size_t len = 0;
	char path[64];

	while (len < 50000)
		len += (size_t)sprintf(text + len, "9 1 0:1 / /overlay/%zu rw - overlay o rw\n", len);
	memcpy(text + len, MOUNTS, sizeof(MOUNTS) - 1);
	len += sizeof(MOUNTS) - 1;
	ck_assert_int_eq(hf_mountinfo_find_cgroup(text, len, 1, path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/sys/fs/cgroup/freezer");
}
END_TEST

/* ---- Gone --------------------------------------------------------------------------------- */

static const struct {
	int r;
	bool gone;
} ends[] = {
	{ -ENOENT, true }, { -ESRCH, true },  { -ENODEV, true },  { 0, false },	    { 1, false },
	{ -EPERM, false }, { -EACCES, false }, { -EBADMSG, false }, { -EINTR, false }, { ENOENT, false },
};

START_TEST(vanishing_is_told_from_failing)
{
	ck_assert_int_eq(hf_is_gone(ends[_i].r), ends[_i].gone);
}
END_TEST

#define LOOP(tcase, test, table) tcase_add_loop_test(tcase, test, 0, (int)COUNT_OF(table))

static TCase *stat_case(void)
{
	TCase *tcase = tcase_create("stat");

	LOOP(tcase, stat_gives_every_member_and_the_name_ends_at_the_last_parenthesis, stats);
	LOOP(tcase, stat_refuses_what_does_not_fit_and_touches_nothing, bad_stats);
	tcase_add_test(tcase, a_stat_that_was_cut_is_refused_or_means_the_same);
	tcase_add_loop_test(tcase, a_name_that_is_too_long_is_cut_and_ended, 61, 67);
	return tcase;
}

static TCase *other_case(void)
{
	TCase *tcase = tcase_create("other files");

	LOOP(tcase, a_system_call_is_running_inside_or_outside, syscalls);
	LOOP(tcase, the_path_in_a_hierarchy_is_found_by_its_controller, cgroups);
	LOOP(tcase, the_mount_of_a_hierarchy_is_found, mounts);
	tcase_add_loop_test(tcase, a_mount_point_needs_room_for_its_unescaped_self_and_a_nul, 0, 9);
	tcase_add_loop_test(tcase, a_directory_has_its_place_in_the_hierarchy_by_the_innermost_mount, 0, 11);
	tcase_add_test(tcase, a_place_in_the_hierarchy_has_its_directory_where_a_mount_shows_it);
	tcase_add_test(tcase, mounts_may_fill_more_than_a_page);
	LOOP(tcase, vanishing_is_told_from_failing, ends);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("procfs");

	suite_add_tcase(suite, stat_case());
	suite_add_tcase(suite, other_case());
	return hf_suite_run(suite);
}
