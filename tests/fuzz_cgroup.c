/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cgroup - /proc/PID/cgroup (base/procfs.c).  What is found is what a slow and plain reading of
 * the same bytes finds, for both hierarchies; any path that the kernel can write comes back whole.
 */
#include "procfs.h"

#include <errno.h>

#include "fuzz.h"

/* ---- The plain reading -------------------------------------------------------------------- */

static int has_freezer(const char *controllers, size_t len)
{
	char *list = malloc(len + 2);
	int has;

	FUZZ_REQUIRE(list != NULL);
	list[0] = ',';
	memcpy(list + 1, controllers, len);
	list[len + 1] = ',';
	has = memmem(list, len + 2, ",freezer,", 9) != NULL;
	free(list);
	return has;
}

/* Where the path begins in a line that is of this hierarchy; 0 when it is not. */
static size_t path_in(const char *line, size_t len, int version)
{
	const char *first = memchr(line, ':', len), *second, *controllers;

	if (!first)
		return 0;
	controllers = first + 1;
	second = memchr(controllers, ':', len - (size_t)(controllers - line));
	if (!second || second + 1 == line + len || second[1] != '/')
		return 0;
	if (version == 2 ? first - line != 1 || line[0] != '0' || second != controllers :
			   !has_freezer(controllers, (size_t)(second - controllers)))
		return 0;
	return (size_t)(second + 1 - line);
}

static int read_plainly(const char *text, size_t len, int version, const char **ret, size_t *ret_len)
{
	size_t at, line_len, path;

	for (at = 0; at < len; at += line_len + 1) {
		const char *end = memchr(text + at, '\n', len - at);

		if (!end)
			return -EBADMSG;
		line_len = (size_t)(end - text) - at;
		path = path_in(text + at, line_len, version);
		if (path) {
			*ret = text + at + path;
			*ret_len = line_len - path;
			return 0;
		}
	}
	return -ENOENT;
}

/* ---- Properties --------------------------------------------------------------------------- */

static void require_as_read_plainly(const char *text, size_t len, int version)
{
	const char *path = NULL, *plain = NULL;
	size_t path_len = 0, plain_len = 0;
	int r = hf_proc_cgroup_find(text, len, version, &path, &path_len);

	FUZZ_REQUIRE(r == read_plainly(text, len, version, &plain, &plain_len));
	FUZZ_REQUIRE(path == plain && path_len == plain_len);
}

/* The kernel shows a newline as \012, and every other byte as it is (kernfs, seq_escape). */
static void require_found(const uint8_t *data, size_t size)
{
	static const char before[] = "12:cpu,cpuacct:/freezer\n7:name=freezer:/x\n4:pids,freezer:/v1/";
	static const char between[] = "\n0::/v2/";
	char *path = fuzz_string(data, size), *text, *c;
	const char *found;
	size_t len, found_len;

	for (c = path; *c; c++)
		*c = *c == '\n' ? '_' : *c;
	text = malloc(sizeof(before) + sizeof(between) + 2 * size);
	FUZZ_REQUIRE(text != NULL);
	len = (size_t)sprintf(text, "%s%s%s%s\n", before, path, between, path);
	FUZZ_REQUIRE(hf_proc_cgroup_find(text, len, 1, &found, &found_len) == 0);
	FUZZ_REQUIRE(found_len == size + 4 && memcmp(found, "/v1/", 4) == 0);
	FUZZ_REQUIRE(memcmp(found + 4, path, size) == 0);
	FUZZ_REQUIRE(hf_proc_cgroup_find(text, len, 2, &found, &found_len) == 0);
	FUZZ_REQUIRE(found_len == size + 4 && memcmp(found, "/v2/", 4) == 0);
	FUZZ_REQUIRE(memcmp(found + 4, path, size) == 0);
	FUZZ_REQUIRE(hf_proc_cgroup_find(text, len - 1, 2, &found, &found_len) == -EBADMSG);
	free(text);
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	require_as_read_plainly((const char *)data, size, 1);
	require_as_read_plainly((const char *)data, size, 2);
	require_found(data, size);
	return 0;
}
