/* SPDX-License-Identifier: MIT */
/*
 * check_maps - tests of base/maps.c: lines of /proc/PID/maps as the kernel writes them, and others.
 */
#include "maps.h"

#include <errno.h>
#include <fcntl.h>

#include "io.h"
#include "own.h"
#include "suite.h"

static const struct {
	struct bytes line;
	struct hf_map is;
	const char *name;
} lines[] = {
	{ BYTES("55d0c0a00000-55d0c0a21000 r-xp 00002000 08:01 1234                       /usr/bin/cat\n"),
	  { 0x55d0c0a00000, 0x55d0c0a21000, 0x2000, 1234, 8, 1, HF_MAP_READ | HF_MAP_EXEC, NULL, 0 },
	  "/usr/bin/cat" },
	{ BYTES("7ffd1000-7ffd3000 rw-p 00000000 00:00 0                          [stack]\n"),
	  { 0x7ffd1000, 0x7ffd3000, 0, 0, 0, 0, HF_MAP_READ | HF_MAP_WRITE, NULL, 0 }, "[stack]" },
	{ BYTES("1000-2000 ---p 00000000 00:00 0 \n"), { 0x1000, 0x2000, 0, 0, 0, 0, 0, NULL, 0 }, "" },
	{ BYTES("1000-2000 rwxs 00000000 103:0a 18446744073709551615 /a b\\012c (deleted)\n"),
	  { 0x1000, 0x2000, 0, UINT64_MAX, 0x103, 10,
	    HF_MAP_READ | HF_MAP_WRITE | HF_MAP_EXEC | HF_MAP_SHARED, NULL, 0 },
	  "/a b\\012c (deleted)" },
	{ BYTES("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"),
	  { 0xffffffffff600000, 0xffffffffff601000, 0, 0, 0, 0, HF_MAP_EXEC, NULL, 0 }, "[vsyscall]" },
};

START_TEST(a_line_is_read_as_the_kernel_meant_it)
{
	char *text = exact_copy(lines[_i].line);
	struct hf_scan s = hf_scan_of(text, lines[_i].line.len);
	const struct hf_map *is = &lines[_i].is;
	struct hf_map map;

	ck_assert_int_eq(hf_map_next(&s, &map), 1);
	ck_assert(map.start == is->start && map.end == is->end && map.offset == is->offset);
	ck_assert(map.inode == is->inode && map.dev_major == is->dev_major && map.dev_minor == is->dev_minor);
	ck_assert_uint_eq(map.prot, is->prot);
	ck_assert(hf_map_is(&map, lines[_i].name));
	ck_assert(!hf_map_is(&map, "[heap]"));
	ck_assert_int_eq(hf_map_next(&s, &map), 0);
	free(text);
}
END_TEST

static const struct bytes bad[] = {
	BYTES("1000-2000 rwxp 00000000 00:00 0"),	/* cut */
	BYTES("\n"),
	BYTES("1000 rwxp 00000000 00:00 0\n"),
	BYTES("2000-1000 rwxp 00000000 00:00 0\n"),
	BYTES("1000-1000 rwxp 00000000 00:00 0\n"),
	BYTES("1000-2000 rwx 00000000 00:00 0\n"),
	BYTES("1000-2000 rwxq 00000000 00:00 0\n"),
	BYTES("1000-2000 rwxp\n"),
	BYTES("1000-2000 rwxp 00000000 00:00 \n"),
	BYTES("1000-2000 rwxp 00000000 00:00 12x\n"),
	BYTES("1000-2000 rwxp 00000000 100000000:00 0\n"),
	BYTES("10000000000000000-2 rwxp 00000000 00:00 0\n"),
};

START_TEST(what_is_no_line_of_maps_is_refused)
{
	char *text = exact_copy(bad[_i]);
	struct hf_scan s = hf_scan_of(text, bad[_i].len);
	struct hf_map map;

	ck_assert_int_eq(hf_map_next(&s, &map), -EBADMSG);
	ck_assert_uint_eq(s.len, bad[_i].len);
	free(text);
}
END_TEST

/* This program's own: each line in its order, and among them the one that this function is in. */
START_TEST(the_maps_of_a_living_process)
{
	struct hf_buf buf = { 0 };
	struct hf_scan s;
	struct hf_map map;
	uint64_t last = 0, here = (uint64_t)(uintptr_t)&hf_map_next;
	int r, found = 0;

	ck_assert_int_eq(hf_read_at(AT_FDCWD, "/proc/self/maps", &buf), 0);
	s = hf_scan_of(buf.data, buf.len);
	while ((r = hf_map_next(&s, &map)) > 0) {
		ck_assert_uint_ge(map.start, last);
		last = map.end;
		if (here < map.start || here >= map.end)
			continue;
		found++;
		ck_assert(map.prot == (HF_MAP_READ | HF_MAP_EXEC) && map.inode);
		ck_assert_ptr_nonnull(memmem(map.name, map.name_len, "check_maps", 10));
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(found, 1);
	hf_buf_done(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("maps");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, a_line_is_read_as_the_kernel_meant_it, 0, COUNT_OF(lines));
	tcase_add_loop_test(tc, what_is_no_line_of_maps_is_refused, 0, COUNT_OF(bad));
	tcase_add_test(tc, the_maps_of_a_living_process);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
