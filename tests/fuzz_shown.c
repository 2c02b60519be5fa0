/* SPDX-License-Identifier: MIT */
/*
 * fuzz_shown - what becomes of any bytes that are shown: as text for people (pstree/writer.c, hf_clean() of
 * cli/out.c) and as a string of JSON (cli/json.c).  Text is UTF-8 that steers no terminal, JSON is read by
 * json-c as what was put in.  Whether bytes are UTF-8 is decided here by decoding them.
 */
#include "writer.h"

#include <json.h>

#include "fuzz.h"
#include "out.h"

#define NO_CODE (~0u)
#define CONTROLS \
	"\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017\020" \
	"\021\022\023\024\025\026\027\030\031\032\033\034\035\036\037"

/* One code point of UTF-8 (RFC 3629) and its length; NO_CODE and 1 where there is none. */
static uint32_t decode(const char *text, size_t len, size_t *ret_len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0, i;
	uint32_t code = n == 1 ? p[0] : n ? p[0] & (0x7fu >> n) : 0;

	*ret_len = 1;
	if (n == 0 || n > len)
		return NO_CODE;
	for (i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return NO_CODE;
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return NO_CODE;
	*ret_len = n;
	return code;
}

/* Controls, separators of lines, and what turns the direction of writing around. */
static int steers(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static int is_utf8(const char *text, size_t len)
{
	size_t at, n;

	for (at = 0; at < len; at += n)
		if (decode(text + at, len - at, &n) == NO_CODE)
			return 0;
	return 1;
}

static void require_lengths(const char *text, size_t len)
{
	size_t at, n;

	FUZZ_REQUIRE(hf_utf8_len(text, 0) == 0);
	for (at = 0; at < len; at++)
		FUZZ_REQUIRE(hf_utf8_len(text + at, len - at) ==
			     (decode(text + at, len - at, &n) == NO_CODE ? 0 : n));
}

/* What hf_writer_put_utf8() makes of it, ended by a NUL that is not counted; the caller frees it. */
static struct hf_buf as_utf8(const char *text, size_t len)
{
	struct hf_buf out = { 0 };
	struct hf_writer w = { .out = &out };
	bool escaped = hf_writer_put_utf8(&w, text, len);

	FUZZ_REQUIRE(w.failed == 0 && escaped == !is_utf8(text, len));
	FUZZ_REQUIRE(is_utf8(out.data, out.len) && out.len >= len);
	FUZZ_REQUIRE(escaped || (out.len == len && (len == 0 || memcmp(out.data, text, len) == 0)));
	FUZZ_REQUIRE(hf_buf_reserve(&out, out.len) == 0);
	out.data[out.len] = '\0';
	return out;
}

static void require_shown(const char *text, size_t len, const struct hf_buf *shown)
{
	size_t at, n, to = 0;

	for (at = 0; at < shown->len; at += n)
		FUZZ_REQUIRE(!steers(decode(shown->data + at, shown->len - at, &n)));
	/* What need not be escaped is there, in its order. */
	for (at = 0; at < len; at += n) {
		uint32_t code = decode(text + at, len - at, &n);

		if (code == NO_CODE || steers(code)) {
			FUZZ_REQUIRE(to + 1 < shown->len && shown->data[to] == '\\');
			to += code == '\n' || code == '\t' || code == '\r' ? 2 : 4 * n;
			continue;
		}
		FUZZ_REQUIRE(to + n <= shown->len && memcmp(shown->data + to, text + at, n) == 0);
		to += n;
	}
	FUZZ_REQUIRE(to == shown->len);
}

/* As many whole characters as there is room for, in memory of exactly that size. */
static void require_cut(const char *string, const struct hf_buf *shown, size_t cap)
{
	char *clean = malloc(cap), next[HF_SHOWN_MAX];
	size_t len, n, got = 0, at = 0;

	FUZZ_REQUIRE(clean != NULL);
	hf_clean(string, clean, cap);
	len = strnlen(clean, cap);
	FUZZ_REQUIRE(len < cap && len <= shown->len);
	FUZZ_REQUIRE(len == 0 || memcmp(clean, shown->data, len) == 0);
	for (; string[at] && got < len; got += n)
		at += hf_show_next(string + at, strlen(string + at), next, &n);
	FUZZ_REQUIRE(got == len);
	if (string[at])
		hf_show_next(string + at, strlen(string + at), next, &n);
	FUZZ_REQUIRE(string[at] ? len + n >= cap : len == shown->len);
	free(clean);
}

static void require_json(const char *string)
{
	struct json_tokener *tokener = json_tokener_new();
	struct hf_buf utf8 = as_utf8(string, strlen(string));
	char *json = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&json, &len);
	json_object *read;

	FUZZ_REQUIRE(tokener && f && hf_json_string(f, string) == 0 && fclose(f) == 0);
	/* json-c lets control characters pass, RFC 8259 does not. */
	FUZZ_REQUIRE(strcspn(json, CONTROLS) == len);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	read = json_tokener_parse_ex(tokener, json, (int)len);
	FUZZ_REQUIRE(read && json_tokener_get_parse_end(tokener) == len);
	FUZZ_REQUIRE(json_object_is_type(read, json_type_string));
	FUZZ_REQUIRE(strcmp(json_object_get_string(read), utf8.data) == 0);
	json_object_put(read);
	json_tokener_free(tokener);
	hf_buf_done(&utf8);
	free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char *string = fuzz_string(data, size);
	struct hf_buf shown = { 0 }, utf8 = as_utf8(text, size);
	struct hf_writer w = { .out = &shown };

	require_lengths(text, size);
	hf_writer_put_shown(&w, text, size);
	FUZZ_REQUIRE(w.failed == 0);
	require_shown(text, size, &shown);
	shown.len = 0;
	hf_writer_put_shown(&w, string, size);
	require_cut(string, &shown, 1);
	require_cut(string, &shown, size / 2 + 1);
	require_cut(string, &shown, 4 * size + 1);
	require_json(string);
	hf_buf_done(&shown);
	hf_buf_done(&utf8);
	free(string);
	return 0;
}
