/* SPDX-License-Identifier: MIT */
/*
 * scan - see scan.h.
 */
#include "scan.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void hf_scan_advance(struct hf_scan *s, size_t n)
{
	s->at += n;
	s->len -= n;
}

struct hf_scan hf_scan_of(const char *text, size_t len)
{
	/* An empty hf_buf has no memory at all, and memchr(NULL) is undefined even for length 0. */
	return (struct hf_scan){ text ? text : "", text ? len : 0 };
}

bool hf_scan_field(struct hf_scan *s, char sep, struct hf_scan *ret_field)
{
	const char *end = memchr(s->at, sep, s->len);
	size_t len = end ? (size_t)(end - s->at) : s->len;

	*ret_field = (struct hf_scan){ s->at, len };
	hf_scan_advance(s, end ? len + 1 : len);
	return end != NULL;
}

int hf_scan_line(struct hf_scan *s, struct hf_scan *ret_line)
{
	struct hf_scan rest = *s, line;

	if (s->len == 0)
		return 0;
	if (!hf_scan_field(&rest, '\n', &line))
		return -EBADMSG;
	*s = rest;
	*ret_line = line;
	return 1;
}

bool hf_scan_skip(struct hf_scan *s, const char *word)
{
	size_t len = strlen(word);

	if (s->len < len || memcmp(s->at, word, len) != 0)
		return false;
	hf_scan_advance(s, len);
	return true;
}

void hf_scan_blanks(struct hf_scan *s)
{
	while (s->len && (*s->at == ' ' || *s->at == '\t'))
		hf_scan_advance(s, 1);
}

bool hf_scan_is(struct hf_scan s, const char *word)
{
	return hf_scan_skip(&s, word) && s.len == 0;
}

bool hf_scan_list_has(struct hf_scan list, const char *word)
{
	struct hf_scan member;
	bool more = true;

	while (more) {
		more = hf_scan_field(&list, ',', &member);
		if (hf_scan_is(member, word))
			return true;
	}
	return false;
}

/* The value of a digit, or 16 for what is none.  Not isxdigit(): that asks the locale. */
static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

int hf_scan_number(struct hf_scan *s, unsigned int base, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	unsigned int digit;
	size_t n;

	for (n = 0; n < s->len; n++) {
		digit = digit_of(s->at[n]);
		if (digit >= base)
			break;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return -EBADMSG;
	}
	if (n == 0 || value > max)
		return -EBADMSG;
	hf_scan_advance(s, n);
	*ret = value;
	return 0;
}

int hf_scan_id(struct hf_scan *s, pid_t *ret)
{
	uint64_t value;
	int r = hf_scan_number(s, 10, INT_MAX, &value);

	if (r < 0)
		return r;
	*ret = (pid_t)value;
	return 0;
}
