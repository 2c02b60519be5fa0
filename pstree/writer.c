/* SPDX-License-Identifier: MIT */
/*
 * writer - see writer.h.
 */
#include "writer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void hf_writer_put_bytes(struct hf_writer *w, const char *bytes, size_t len)
{
	if (!w->failed)
		w->failed = hf_buf_add(w->out, bytes, len);
}

void hf_writer_put(struct hf_writer *w, const char *text)
{
	hf_writer_put_bytes(w, text, strlen(text));
}

void hf_writer_putf(struct hf_writer *w, const char *fmt, ...)
{
	char text[256];		/* numbers and short words; names are put as they are */
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(text))
		len = (int)strlen(text);
	hf_writer_put_bytes(w, text, (size_t)len);
}

static bool continues(const char *bytes, size_t from, size_t to)
{
	for (; from < to; from++)
		if (((unsigned char)bytes[from] & 0xc0) != 0x80)
			return false;
	return true;
}

/* What the second byte may be is where overlong forms, surrogates and the end of Unicode are. */
size_t hf_utf8_len(const char *bytes, size_t len)
{
	unsigned char first, second;
	size_t n;

	if (len == 0)
		return 0;
	first = (unsigned char)bytes[0];
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (len < n || !continues(bytes, 1, n))
		return 0;
	second = (unsigned char)bytes[1];
	if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
		return 0;
	return n;
}

bool hf_writer_put_utf8(struct hf_writer *w, const char *bytes, size_t len)
{
	bool escaped = false;
	size_t at = 0, plain = 0;

	while (at < len) {
		size_t n = hf_utf8_len(bytes + at, len - at);

		if (n) {
			at += n;
			continue;
		}
		hf_writer_put_bytes(w, bytes + plain, at - plain);
		hf_writer_putf(w, "\\x%02x", (unsigned char)bytes[at]);
		plain = ++at;
		escaped = true;
	}
	hf_writer_put_bytes(w, bytes + plain, at - plain);
	return escaped;
}

/*
 * C0 and C1 controls, DEL, the separators of lines and paragraphs, and what changes the direction of
 * writing.  C1 controls act on terminals as escape sequences do.
 */
static bool steers(const char *bytes, size_t n)
{
	unsigned char a = (unsigned char)bytes[0], b, c;

	if (n == 1)
		return a < 0x20 || a == 0x7f;
	b = (unsigned char)bytes[1];
	if (n == 2)	/* U+0080 to U+009F; U+061C */
		return (a == 0xc2 && b < 0xa0) || (a == 0xd8 && b == 0x9c);
	c = (unsigned char)bytes[2];
	if (n != 3 || a != 0xe2)
		return false;
	/* U+200E, U+200F, U+2028 to U+202E; U+2066 to U+2069 */
	return (b == 0x80 && (c == 0x8e || c == 0x8f || (c >= 0xa8 && c <= 0xae))) ||
	       (b == 0x81 && c >= 0xa6 && c <= 0xa9);
}

/* The letter of the escape that a byte has in C; 0 for one that has none. */
static char escape_of(char c)
{
	return c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : '\0';
}

size_t hf_show_next(const char *bytes, size_t len, char ret[HF_SHOWN_MAX], size_t *ret_len)
{
	size_t n = hf_utf8_len(bytes, len), i;
	char letter = escape_of(bytes[0]);

	if (n && !steers(bytes, n)) {
		memcpy(ret, bytes, n);
		*ret_len = n;
		return n;
	}
	n = n ? n : 1;
	*ret_len = 0;
	if (letter)
		*ret_len = (size_t)snprintf(ret, HF_SHOWN_MAX, "\\%c", letter);
	for (i = 0; i < n && !letter; i++)
		*ret_len += (size_t)snprintf(ret + *ret_len, HF_SHOWN_MAX - *ret_len, "\\x%02x",
					     (unsigned char)bytes[i]);
	return n;
}

void hf_writer_put_shown(struct hf_writer *w, const char *bytes, size_t len)
{
	char shown[HF_SHOWN_MAX];
	size_t n, shown_len;

	for (; len; bytes += n, len -= n) {
		n = hf_show_next(bytes, len, shown, &shown_len);
		hf_writer_put_bytes(w, shown, shown_len);
	}
}
