/* SPDX-License-Identifier: MIT */
/*
 * fuzz_maps - the parser of base/maps.c on any bytes: nothing outside of the text is read or lent, and nothing
 * is touched on failure.
 */
#include "maps.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_scan s = hf_scan_of((const char *)data, size);
	const char *end = (const char *)data + size;
	struct hf_map map;
	int r;

	for (;;) {
		memset(&map, FUZZ_FILLER, sizeof(map));
		r = hf_map_next(&s, &map);
		FUZZ_REQUIRE(r == 1 || r == 0 || r == -EBADMSG);
		if (r <= 0) {
			FUZZ_REQUIRE(fuzz_is_untouched(&map, sizeof(map)));
			return 0;
		}
		FUZZ_REQUIRE(map.start < map.end);
		FUZZ_REQUIRE(map.name >= (const char *)data && map.name + map.name_len <= end);
		FUZZ_REQUIRE(!memchr(map.name, '\n', map.name_len));
	}
}
