/* SPDX-License-Identifier: MIT */
/*
 * cgroupfs - see cgroupfs.h.
 */
#include "cgroupfs.h"

#include <errno.h>

#include "scan.h"

static bool scan_bit(struct hf_scan s, bool *ret)
{
	if (hf_scan_is(s, "1"))
		*ret = true;
	else if (hf_scan_is(s, "0"))
		*ret = false;
	else
		return false;
	return true;
}

int hf_cgroup_events_parse(const char *text, size_t len, struct hf_cgroup_events *ret)
{
	struct hf_scan s = hf_scan_of(text, len), line;
	struct hf_cgroup_events events = { 0 };
	bool has_populated = false, has_frozen = false;

	while (hf_scan_line(&s, &line) > 0) {
		if (hf_scan_skip(&line, "populated "))
			has_populated = scan_bit(line, &events.populated);
		else if (hf_scan_skip(&line, "frozen "))
			has_frozen = scan_bit(line, &events.frozen);
		else
			continue;	/* later kernels may add keys */
		if (has_populated && has_frozen) {
			*ret = events;
			return 0;
		}
	}
	return -EBADMSG;
}

/* One line whose newline may be missing: the words are too few to be mistaken when cut. */
static struct hf_scan only_line(const char *text, size_t len)
{
	if (len && text[len - 1] == '\n')
		len--;
	return hf_scan_of(text, len);
}

int hf_freezer_state_parse(const char *text, size_t len, enum hf_freezer_state *ret)
{
	struct hf_scan s = only_line(text, len);

	if (hf_scan_is(s, "THAWED"))
		*ret = HF_FREEZER_THAWED;
	else if (hf_scan_is(s, "FREEZING"))
		*ret = HF_FREEZER_FREEZING;
	else if (hf_scan_is(s, "FROZEN"))
		*ret = HF_FREEZER_FROZEN;
	else
		return -EBADMSG;
	return 0;
}

int hf_bit_parse(const char *text, size_t len, bool *ret)
{
	return scan_bit(only_line(text, len), ret) ? 0 : -EBADMSG;
}

int hf_id_list_next(const char *text, size_t len, size_t *pos, pid_t *ret_id)
{
	struct hf_scan s, line;
	pid_t id;
	int r;

	if (*pos >= len)
		return 0;
	s = hf_scan_of(text + *pos, len - *pos);
	r = hf_scan_line(&s, &line);
	if (r <= 0)
		return r;
	r = hf_scan_id(&line, &id);
	if (r < 0 || line.len)
		return -EBADMSG;
	*pos = len - s.len;
	*ret_id = id;
	return 1;
}
