/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cgroupfs - the parsers of base/cgroupfs.c on any bytes.  What must hold: no access outside
 * of the text, outputs untouched on failure, and a list that comes to its end.
 */
#include "cgroupfs.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"

static void require_result(int r, const void *ret, size_t size)
{
	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
	if (r < 0)
		FUZZ_REQUIRE(fuzz_is_untouched(ret, size));
}

static void fuzz_events(const char *text, size_t len)
{
	struct hf_cgroup_events events;

	memset(&events, FUZZ_FILLER, sizeof(events));
	require_result(hf_cgroup_events_parse(text, len, &events), &events, sizeof(events));
}

static void fuzz_state(const char *text, size_t len)
{
	enum hf_freezer_state state;
	int r;

	memset(&state, FUZZ_FILLER, sizeof(state));
	r = hf_freezer_state_parse(text, len, &state);
	require_result(r, &state, sizeof(state));
	FUZZ_REQUIRE(r < 0 || (state >= HF_FREEZER_THAWED && state <= HF_FREEZER_FROZEN));
}

static void fuzz_bit(const char *text, size_t len)
{
	bool bit;

	memset(&bit, FUZZ_FILLER, sizeof(bit));
	require_result(hf_bit_parse(text, len, &bit), &bit, sizeof(bit));
}

static void fuzz_list(const char *text, size_t len)
{
	size_t pos = 0, before = 0;
	pid_t id;
	int r;

	for (;;) {
		memset(&id, FUZZ_FILLER, sizeof(id));
		r = hf_id_list_next(text, len, &pos, &id);
		if (r <= 0)
			break;
		FUZZ_REQUIRE(id >= 0 && pos > before && pos <= len && text[pos - 1] == '\n');
		before = pos;
	}
	require_result(r, &id, sizeof(id));
	FUZZ_REQUIRE(pos == before && (r < 0 || pos == len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	size--;
	switch ((data[0] - '0') & 3) {
	case 0:
		fuzz_events(text, size);
		break;
	case 1:
		fuzz_state(text, size);
		break;
	case 2:
		fuzz_bit(text, size);
		break;
	case 3:
		fuzz_list(text, size);
		break;
	}
	return 0;
}
