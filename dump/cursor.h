/* SPDX-License-Identifier: MIT */
/*
 * cursor - numbers out of DWARF bytes.  What is read behind the end is 0 and makes the cursor bad, which stays;
 * so a run of reads is checked once.
 */
#ifndef HF_CURSOR_H
#define HF_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hf_cursor {
	const uint8_t *at, *end;
	bool bad;
};

static inline struct hf_cursor hf_cursor_of(const uint8_t *data, size_t len)
{
	return (struct hf_cursor){ data, data + len, false };
}

static inline size_t hf_cursor_left(const struct hf_cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline void hf_cursor_skip(struct hf_cursor *c, uint64_t n)
{
	if (n > hf_cursor_left(c)) {
		c->bad = true;
		c->at = c->end;
	} else {
		c->at += n;
	}
}

static inline void hf_cursor_bytes(struct hf_cursor *c, void *to, size_t n)
{
	if (n > hf_cursor_left(c)) {
		c->bad = true;
		c->at = c->end;
		memset(to, 0, n);
	} else {
		memcpy(to, c->at, n);
		c->at += n;
	}
}

static inline uint8_t hf_cursor_u8(struct hf_cursor *c)
{
	uint8_t n;

	hf_cursor_bytes(c, &n, sizeof(n));
	return n;
}

static inline uint16_t hf_cursor_u16(struct hf_cursor *c)
{
	uint16_t n;

	hf_cursor_bytes(c, &n, sizeof(n));
	return n;
}

static inline uint32_t hf_cursor_u32(struct hf_cursor *c)
{
	uint32_t n;

	hf_cursor_bytes(c, &n, sizeof(n));
	return n;
}

static inline uint64_t hf_cursor_u64(struct hf_cursor *c)
{
	uint64_t n;

	hf_cursor_bytes(c, &n, sizeof(n));
	return n;
}

/* LEB128; bits above the 64th are dropped.  Some write more bytes than the number takes, but nobody any number of them. */
#define HF_LEB_BITS_MAX (16u * 7)

static inline uint64_t hf_cursor_uleb(struct hf_cursor *c)
{
	uint64_t n = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = hf_cursor_u8(c);
		if (shift < 64)
			n |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && shift < HF_LEB_BITS_MAX);
	c->bad |= byte >> 7;
	return n;
}

static inline int64_t hf_cursor_sleb(struct hf_cursor *c)
{
	uint64_t n = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = hf_cursor_u8(c);
		if (shift < 64)
			n |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && shift < HF_LEB_BITS_MAX);
	c->bad |= byte >> 7;
	if (shift < 64 && (byte & 0x40))
		n |= ~UINT64_C(0) << shift;
	return (int64_t)n;
}

/* A NUL-terminated string of at most max bytes with the NUL; "" and bad when it does not end. */
static inline const char *hf_cursor_string(struct hf_cursor *c, size_t max)
{
	size_t left = hf_cursor_left(c);
	const uint8_t *from = c->at, *nul = memchr(from, 0, left < max ? left : max);

	if (!nul) {
		c->bad = true;
		c->at = c->end;
		return "";
	}
	c->at = nul + 1;
	return (const char *)from;
}

#endif
