/* SPDX-License-Identifier: MIT */
/*
 * fuzz_children - /proc/PID/task/TID/children (base/procfs.c).  A list comes to its end, says what was written
 * into it, and is refused when a byte of it is missing.
 */
#include "procfs.h"

#include <errno.h>
#include <limits.h>

#include "fuzz.h"

#define IDS_MAX 16

/* All ids of a list, up to IDS_MAX; *ret_r is how it ended. */
static size_t read_list(const char *text, size_t len, pid_t *ids, int *ret_r)
{
	size_t pos = 0, before = 0, n = 0;
	char *end;
	pid_t id;
	int r;

	for (;;) {
		memset(&id, FUZZ_FILLER, sizeof(id));
		r = hf_children_next(text, len, &pos, &id);
		if (r <= 0)
			break;
		FUZZ_REQUIRE(id >= 0 && pos > before && pos <= len && text[pos - 1] == ' ');
		FUZZ_REQUIRE(strtoll(text + before, &end, 10) == id && end == text + pos - 1);
		before = pos;
		if (n < IDS_MAX)
			ids[n++] = id;
	}
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	FUZZ_REQUIRE(fuzz_is_untouched(&id, sizeof(id)));
	FUZZ_REQUIRE(pos == before && (r < 0 || pos == len));
	*ret_r = r;
	return n;
}

static void fuzz_made(struct fuzz_source from)
{
	pid_t ids[IDS_MAX], again[IDS_MAX];
	size_t n = from.len / 4 < IDS_MAX ? from.len / 4 : IDS_MAX, len = 0, i;
	char text[IDS_MAX * 11 + 1];
	int r;

	for (i = 0; i < n; i++) {
		fuzz_take(&from, &ids[i], sizeof(ids[i]));
		ids[i] &= INT_MAX;
		len += (size_t)sprintf(text + len, "%d ", ids[i]);
	}
	FUZZ_REQUIRE(read_list(text, len, again, &r) == n && r == 0);
	FUZZ_REQUIRE(memcmp(ids, again, n * sizeof(ids[0])) == 0);
	if (n)
		FUZZ_REQUIRE(read_list(text, len - 1, again, &r) == n - 1 && r == -EBADMSG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pid_t ids[IDS_MAX];
	int r;

	read_list((const char *)data, size, ids, &r);
	fuzz_made((struct fuzz_source){ data, size });
	return 0;
}
