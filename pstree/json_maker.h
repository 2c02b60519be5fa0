/* SPDX-License-Identifier: MIT */
/*
 * json_maker - what the JSON documents of holdfast-json(5) are made with: values of json-c, which only this file
 * and those that write the documents know, and a document that is written one entry at a time.  Failures stick, so that
 * each is looked for once.
 *
 * JSON must be UTF-8 (RFC 8259) and names need not be.  A byte that does not fit is shown as \xHH, and
 * then a second key, NAME_hex, has all the bytes.
 */
#ifndef HF_JSON_MAKER_H
#define HF_JSON_MAKER_H

#include <json.h>
#include <stdbool.h>

#include "holdfast.h"
#include "writer.h"

struct hf_json_maker {
	struct hf_buf text;	/* the string being made */
	bool failed;
};

/* Takes value, which is NULL only when memory was short; JSON's null is hf_json_put_null(). */
void hf_json_put(struct hf_json_maker *m, json_object *to, const char *key, json_object *value);
void hf_json_put_null(struct hf_json_maker *m, json_object *to, const char *key);
void hf_json_append(struct hf_json_maker *m, json_object *to, json_object *value);
void hf_json_put_number(struct hf_json_maker *m, json_object *to, const char *key, int64_t n);
void hf_json_put_unsigned(struct hf_json_maker *m, json_object *to, const char *key, uint64_t n);
/* 0 stands for "none" in our structs, null in JSON. */
void hf_json_put_number_or_null(struct hf_json_maker *m, json_object *to, const char *key, int64_t n);
void hf_json_put_word(struct hf_json_maker *m, json_object *to, const char *key, const char *word);

/* Bytes from the target as a string; *ret_escaped is set where some did not fit.  NULL when memory is short. */
json_object *hf_json_shown(struct hf_json_maker *m, const char *bytes, size_t len, bool *ret_escaped);
json_object *hf_json_hex(struct hf_json_maker *m, const char *bytes, size_t len);
/* Bytes from the target, with their hex where that is needed; NULL is null. */
void hf_json_put_bytes(struct hf_json_maker *m, json_object *to, const char *key, const char *key_hex,
		       const char *bytes);

void hf_json_put_ids(struct hf_json_maker *m, json_object *to, const char *key, const pid_t *ids, size_t n);

/* "time", "target" and "timing_us" of a hold. */
void hf_json_put_time(struct hf_json_maker *m, json_object *to, int64_t us);
void hf_json_put_target(struct hf_json_maker *m, json_object *to, const struct hf_hold_info *info);
void hf_json_put_timing(struct hf_json_maker *m, json_object *to, const struct hf_timing *t);

/*
 * Lists of many entries are written one at a time: as objects of json-c they would take two kilobytes for each
 * thread.
 */
struct hf_json_document {
	struct hf_writer *w;
	struct hf_json_maker maker;
	bool pretty;
	unsigned int level;
	bool empty;		/* nothing yet in the object or array that is open */
};

/* Before each member or element. */
void hf_json_separate(struct hf_json_document *d, const char *key);
void hf_json_begin(struct hf_json_document *d, const char *bracket);
void hf_json_end(struct hf_json_document *d, const char *bracket);
/* Take value and write it, as a member where there is a key. */
void hf_json_write_entry(struct hf_json_document *d, const char *key, json_object *value);
/* Take an object and write its members into the one that is open. */
void hf_json_write_members(struct hf_json_document *d, json_object *object);

#endif
