/* SPDX-License-Identifier: MIT */
/*
 * jsonc - short forms of json-c for the two sides of the protocol.  Failures to make something stick, so that each is looked
 * for once, at the end.
 */
#ifndef HF_JSONC_H
#define HF_JSONC_H

#include <errno.h>
#include <json.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "io.h"
#include "writer.h"

#define hf_owned_json __attribute__((cleanup(hf_json_own_put))) json_object
static inline void hf_json_own_put(json_object **o)
{
	json_object_put(*o);
}

/* Takes value, which is NULL only when memory was short. */
static inline void hf_json_put(json_object *to, const char *key, json_object *value, bool *failed)
{
	if (value && to && json_object_object_add(to, key, value) == 0)
		return;
	json_object_put(value);
	*failed = true;
}

static inline void hf_json_put_int(json_object *to, const char *key, int64_t n, bool *failed)
{
	hf_json_put(to, key, json_object_new_int64(n), failed);
}

static inline void hf_json_put_null(json_object *to, const char *key, bool *failed)
{
	*failed |= !to || json_object_object_add(to, key, NULL) != 0;
}

/* Bytes that are no UTF-8 are shown as \xHH, as in all our JSON. */
static inline void hf_json_put_text(json_object *to, const char *key, const char *text, bool *failed)
{
	struct hf_buf valid = { 0 };
	struct hf_writer w = { .out = &valid };

	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a printer in another file that succeeds gives a text */
	hf_writer_put_utf8(&w, text, strlen(text));
	hf_json_put(to, key, w.failed ? NULL : json_object_new_string_len(valid.data ? valid.data : "", (int)valid.len),
		    failed);
	hf_buf_done(&valid);
}

/* An object as text into buf.  0 or -ENOMEM. */
static inline int hf_json_text(struct hf_buf *buf, json_object *o, bool failed)
{
	const char *text = failed || !o ? NULL :
			   json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	buf->len = 0;
	return text ? hf_buf_add(buf, text, strlen(text)) : -ENOMEM;
}

/* A whole text that is one JSON value, and nothing behind it; NULL when it is not. */
json_object *hf_json_parse(const char *text, size_t len);

/* A member of a type; NULL when there is none, or of another type. */
static inline json_object *hf_json_get(json_object *o, const char *key, enum json_type type)
{
	json_object *value = NULL;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

static inline bool hf_json_has(json_object *o, const char *key)
{
	json_object *value = NULL;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &value) && value;
}

#endif
