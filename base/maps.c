/* SPDX-License-Identifier: MIT */
/*
 * maps - see maps.h.
 *
 * A process of 10 000 threads has 20 000 mappings, which are read while it stands still: one pass, nothing
 * copied.
 */
#include "maps.h"

#include <errno.h>
#include <string.h>

static int scan_hex(struct hf_scan *s, const char *behind, uint64_t *ret)
{
	int r = hf_scan_number(s, 16, UINT64_MAX, ret);

	return r == 0 && !hf_scan_skip(s, behind) ? -EBADMSG : r;
}

static int scan_prot(struct hf_scan *s, uint32_t *ret)
{
	static const struct {
		char on, off;
		uint32_t bit;
	} letters[] = {
		{ 'r', '-', HF_MAP_READ }, { 'w', '-', HF_MAP_WRITE },
		{ 'x', '-', HF_MAP_EXEC }, { 's', 'p', HF_MAP_SHARED },
	};
	size_t i;

	if (s->len < 5 || s->at[4] != ' ')
		return -EBADMSG;
	*ret = 0;
	for (i = 0; i < 4; i++) {
		if (s->at[i] == letters[i].on)
			*ret |= letters[i].bit;
		else if (s->at[i] != letters[i].off)
			return -EBADMSG;
	}
	hf_scan_advance(s, 5);
	return 0;
}

static int scan_map(struct hf_scan line, struct hf_map *map)
{
	uint64_t major, minor;

	if (scan_hex(&line, "-", &map->start) < 0 || scan_hex(&line, " ", &map->end) < 0 ||
	    scan_prot(&line, &map->prot) < 0 || scan_hex(&line, " ", &map->offset) < 0 ||
	    scan_hex(&line, ":", &major) < 0 || scan_hex(&line, " ", &minor) < 0 ||
	    hf_scan_number(&line, 10, UINT64_MAX, &map->inode) < 0)
		return -EBADMSG;
	if (map->start >= map->end || major > UINT32_MAX || minor > UINT32_MAX)
		return -EBADMSG;
	if (line.len && *line.at != ' ')
		return -EBADMSG;
	map->dev_major = (uint32_t)major;
	map->dev_minor = (uint32_t)minor;
	hf_scan_blanks(&line);
	map->name = line.at;
	map->name_len = line.len;
	return 0;
}

int hf_map_next(struct hf_scan *text, struct hf_map *ret)
{
	struct hf_scan rest = *text, line;
	struct hf_map map;
	int r = hf_scan_line(&rest, &line);

	if (r <= 0)
		return r;
	r = scan_map(line, &map);
	if (r < 0)
		return r;
	*text = rest;
	*ret = map;
	return 1;
}

int hf_map_is(const struct hf_map *map, const char *name)
{
	return map->name_len == strlen(name) && memcmp(map->name, name, map->name_len) == 0;
}
