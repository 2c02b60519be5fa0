/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cgroupfs - the files of a cgroup (base/cgroupfs.c).  Each input is read as each kind of file.  Words
 * and bits are nothing but themselves, with or without a newline; lists come to their end, and say
 * what was written into them.
 */
#include "cgroupfs.h"

#include <errno.h>
#include <limits.h>

#include "fuzz.h"

/* Whether the text is this word, alone or with a newline. */
static int says(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	return (len == n || (len == n + 1 && text[n] == '\n')) && memcmp(text, word, n) == 0;
}

static void require_result(int r, const void *ret, size_t size)
{
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0)
		FUZZ_REQUIRE(fuzz_is_untouched(ret, size));
}

static void fuzz_state(const char *text, size_t len)
{
	static const char *const words[] = {
		[HF_FREEZER_THAWED] = "THAWED", [HF_FREEZER_FREEZING] = "FREEZING",
		[HF_FREEZER_FROZEN] = "FROZEN",
	};
	enum hf_freezer_state state;
	int r, i, is_word = 0;

	memset(&state, FUZZ_FILLER, sizeof(state));
	r = hf_freezer_state_parse(text, len, &state);
	require_result(r, &state, sizeof(state));
	for (i = 0; i < 3; i++)
		is_word |= says(text, len, words[i]);
	FUZZ_REQUIRE(is_word == (r == 0));
	FUZZ_REQUIRE(r < 0 || says(text, len, words[state]));
}

static void fuzz_bit(const char *text, size_t len)
{
	bool bit;
	int r;

	memset(&bit, FUZZ_FILLER, sizeof(bit));
	r = hf_bit_parse(text, len, &bit);
	require_result(r, &bit, sizeof(bit));
	FUZZ_REQUIRE((r == 0) == (says(text, len, "0") || says(text, len, "1")));
	FUZZ_REQUIRE(r < 0 || says(text, len, bit ? "1" : "0"));
}

static int parse_events(const char *text, size_t len, struct hf_cgroup_events *ret)
{
	int r;

	memset(ret, FUZZ_FILLER, sizeof(*ret));
	r = hf_cgroup_events_parse(text, len, ret);
	require_result(r, ret, sizeof(*ret));
	return r;
}

/* Keys that are not known, before and after, and either order, make no difference. */
static void fuzz_events(const char *text, size_t len)
{
	struct hf_cgroup_events events, again;
	char longer[64];
	int n;

	if (parse_events(text, len, &events) < 0)
		return;
	n = snprintf(longer, sizeof(longer), "frozen %d\nthawed 1\npopulated %d\nfrozen 7\n", events.frozen,
		     events.populated);
	FUZZ_REQUIRE(parse_events(longer, (size_t)n, &again) == 0);
	FUZZ_REQUIRE(again.frozen == events.frozen && again.populated == events.populated);
	n = (int)(strstr(longer, "populated") - longer + strlen("populated 0"));
	FUZZ_REQUIRE(parse_events(longer, (size_t)n, &again) == -EBADMSG);
}

/* All ids of a list, up to room; *ret_r is how it ended. */
static size_t read_list(const char *text, size_t len, pid_t *ids, size_t room, int *ret_r)
{
	size_t pos = 0, before = 0, n = 0;
	char *end;
	pid_t id;
	int r;

	for (;;) {
		memset(&id, FUZZ_FILLER, sizeof(id));
		r = hf_id_list_next(text, len, &pos, &id);
		if (r <= 0)
			break;
		FUZZ_REQUIRE(id >= 0 && pos > before && pos <= len && text[pos - 1] == '\n');
		FUZZ_REQUIRE(strtoll(text + before, &end, 10) == id && end == text + pos - 1);
		before = pos;
		if (n < room)
			ids[n++] = id;
	}
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	FUZZ_REQUIRE(fuzz_is_untouched(&id, sizeof(id)));
	FUZZ_REQUIRE(pos == before && (r < 0 || pos == len));
	*ret_r = r;
	return n;
}

static void fuzz_list(const char *text, size_t len)
{
	pid_t ids[64], again[64];
	int r;

	read_list(text, len, ids, 64, &r);
	/* A list without its last byte is a list without its last id, and says so. */
	if (r == 0 && len) {
		size_t n = read_list(text, len, ids, 64, &r);
		size_t less = read_list(text, len - 1, again, 64, &r);

		FUZZ_REQUIRE(r == -EBADMSG && (less + 1 == n || n == 64));
		FUZZ_REQUIRE(memcmp(ids, again, less * sizeof(ids[0])) == 0);
	}
}

static void fuzz_made_list(struct fuzz_source from)
{
	pid_t ids[16], again[16];
	char text[16 * 11 + 1];
	size_t n = from.len / 4 < 16 ? from.len / 4 : 16, len = 0, i;
	int r;

	for (i = 0; i < n; i++) {
		fuzz_take(&from, &ids[i], sizeof(ids[i]));
		ids[i] &= INT_MAX;
		len += (size_t)sprintf(text + len, "%d\n", ids[i]);
	}
	FUZZ_REQUIRE(read_list(text, len, again, 16, &r) == n && r == 0);
	FUZZ_REQUIRE(memcmp(ids, again, n * sizeof(ids[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	fuzz_state(text, size);
	fuzz_bit(text, size);
	fuzz_events(text, size);
	fuzz_list(text, size);
	fuzz_made_list((struct fuzz_source){ data, size });
	return 0;
}
