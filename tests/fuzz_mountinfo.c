/* SPDX-License-Identifier: MIT */
/*
 * fuzz_mountinfo - /proc/self/mountinfo (base/procfs.c).  A path is handed over into exactly the room
 * that it needs, and with a byte less nothing is; any mount point, escaped as the kernel does it,
 * comes back as it was; a directory has its place in the hierarchy, and that place its directory.
 */
#include "procfs.h"

#include <errno.h>
#include <limits.h>

#include "fuzz.h"

/* With this much room; the destination is exactly as large. */
static int find(const char *text, size_t len, int version, size_t cap, char **ret)
{
	char *path = malloc(cap ? cap : 1);
	int r;

	FUZZ_REQUIRE(path != NULL);
	memset(path, FUZZ_FILLER, cap);
	r = hf_mountinfo_find_cgroup(text, len, version, path, cap);
	FUZZ_REQUIRE(r == 0 || r == -ENOENT || r == -EBADMSG || r == -ENAMETOOLONG);
	if (r < 0) {
		FUZZ_REQUIRE(fuzz_is_untouched(path, cap));
		free(path);
		return r;
	}
	FUZZ_REQUIRE(path[0] == '/' && strlen(path) < cap);
	FUZZ_REQUIRE(fuzz_is_untouched(path + strlen(path) + 1, cap - strlen(path) - 1));
	*ret = path;
	return 0;
}

/* NULL where nothing is found; then r says why. */
static char *find_within_limits(const char *text, size_t len, int version, int *r)
{
	char *path = NULL, *again = NULL;
	size_t need;

	/* A path has a byte of text for every one of its own: this much is enough. */
	*r = find(text, len, version, len + 1, &path);
	FUZZ_REQUIRE(*r != -ENAMETOOLONG);
	if (*r < 0) {
		int less = find(text, len, version, len % 64, &again);

		FUZZ_REQUIRE(less == *r || less == -ENAMETOOLONG);
		return NULL;
	}
	need = strlen(path) + 1;
	FUZZ_REQUIRE(find(text, len, version, need, &again) == 0 && strcmp(path, again) == 0);
	free(again);
	FUZZ_REQUIRE(find(text, len, version, need - 1, &again) == -ENAMETOOLONG);
	FUZZ_REQUIRE(find(text, len, version, 0, &again) == -ENAMETOOLONG);
	return path;
}

/* As show_mountinfo() of the kernel does it: seq_path() with " \t\n\\" for what is escaped. */
static char *escaped(const char *path)
{
	char *text = malloc(4 * strlen(path) + 1), *to = text;

	FUZZ_REQUIRE(text != NULL);
	for (; *path; path++) {
		if (strchr(" \t\n\\", *path))
			to += sprintf(to, "\\%03o", (unsigned char)*path);
		else
			*to++ = *path;
	}
	*to = '\0';
	return text;
}

/* What is below the only v1 mount is below its root, and the other way round. */
static void require_there_and_back(const char *text, size_t len, const char *where)
{
	char path[2 * PATH_MAX], within[2 * PATH_MAX], back[2 * PATH_MAX];
	size_t mount_len;

	snprintf(path, sizeof(path), "/sys/fs/freezer/%s/d", where);
	FUZZ_REQUIRE(hf_mountinfo_within(text, len, 1, path, within, sizeof(within), &mount_len) == 0);
	FUZZ_REQUIRE(strcmp(within, "/a/d") == 0 && mount_len == strlen(path) - 2);
	FUZZ_REQUIRE(hf_mountinfo_directory(text, len, 1, within, back, sizeof(back)) == 0);
	FUZZ_REQUIRE(strcmp(back, path) == 0);
}

/* With any text: within what room there is. */
static void try_places(const char *text, size_t len)
{
	char ret[256];
	size_t mount_len = 0;
	int version, r;

	for (version = 1; version <= 2; version++) {
		r = hf_mountinfo_within(text, len, version, "/sys/fs/cgroup/a", ret, sizeof(ret), &mount_len);
		FUZZ_REQUIRE(r == -ENOENT || r == -ENAMETOOLONG || (r == 0 && mount_len <= 16 && strlen(ret) < sizeof(ret)));
		r = hf_mountinfo_directory(text, len, version, "/a", ret, sizeof(ret));
		FUZZ_REQUIRE(r == -ENOENT || r == -ENAMETOOLONG || (r == 0 && ret[0] == '/' && strlen(ret) < sizeof(ret)));
	}
}

static void require_found(const uint8_t *data, size_t size)
{
	char *where = fuzz_string(data, size), *shown = escaped(where), *text = NULL, *path;
	int version, len, r;

	len = asprintf(&text, "22 1 0:21 / /proc rw shared:5 - proc cgroup2 rw,freezer\n"
		       "29 23 0:26 / /sys/fs/cgroup/%s rw,nosuid shared:9 master:1 - cgroup2  rw\n"
		       "34 23 0:31 /a /sys/fs/freezer/%s rw - cgroup freezer rw,xattr,freezer\n",
		       shown, shown);
	FUZZ_REQUIRE(len > 0);
	for (version = 1; version <= 2; version++) {
		const char *top = version == 2 ? "/sys/fs/cgroup/" : "/sys/fs/freezer/";

		path = find_within_limits(text, (size_t)len, version, &r);
		FUZZ_REQUIRE(path && strncmp(path, top, strlen(top)) == 0);
		FUZZ_REQUIRE(strcmp(path + strlen(top), where) == 0);
		free(path);
	}
	if (strlen(where) < PATH_MAX / 2)
		require_there_and_back(text, (size_t)len, where);
	FUZZ_REQUIRE(find(text, (size_t)len - 1, 1, (size_t)len, &path) == -EBADMSG);
	free(text);
	free(shown);
	free(where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int r;

	free(find_within_limits((const char *)data, size, 1, &r));
	free(find_within_limits((const char *)data, size, 2, &r));
	try_places((const char *)data, size);
	require_found(data, size);
	return 0;
}
