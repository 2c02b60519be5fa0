/* SPDX-License-Identifier: MIT */
/*
 * json_maker - see json_maker.h.
 */
#include "json_maker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "print.h"

/* Keys are literals, each put once: nothing is to be copied or looked for. */
#define NEW_LITERAL (JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT)

void hf_json_put(struct hf_json_maker *m, json_object *to, const char *key, json_object *value)
{
	if (value && to && json_object_object_add_ex(to, key, value, NEW_LITERAL) == 0)
		return;
	json_object_put(value);
	m->failed = true;
}

void hf_json_put_null(struct hf_json_maker *m, json_object *to, const char *key)
{
	if (!to || json_object_object_add_ex(to, key, NULL, NEW_LITERAL) != 0)
		m->failed = true;
}

void hf_json_append(struct hf_json_maker *m, json_object *to, json_object *value)
{
	if (value && to && json_object_array_add(to, value) == 0)
		return;
	json_object_put(value);
	m->failed = true;
}

void hf_json_put_number(struct hf_json_maker *m, json_object *to, const char *key, int64_t n)
{
	hf_json_put(m, to, key, json_object_new_int64(n));
}

void hf_json_put_unsigned(struct hf_json_maker *m, json_object *to, const char *key, uint64_t n)
{
	hf_json_put(m, to, key, json_object_new_uint64(n));
}

void hf_json_put_number_or_null(struct hf_json_maker *m, json_object *to, const char *key, int64_t n)
{
	if (n)
		hf_json_put_number(m, to, key, n);
	else
		hf_json_put_null(m, to, key);
}

void hf_json_put_word(struct hf_json_maker *m, json_object *to, const char *key, const char *word)
{
	hf_json_put(m, to, key, json_object_new_string(word));
}

json_object *hf_json_shown(struct hf_json_maker *m, const char *bytes, size_t len, bool *ret_escaped)
{
	struct hf_writer w = { .out = &m->text };

	m->text.len = 0;
	if (hf_writer_put_utf8(&w, bytes, len))
		*ret_escaped = true;
	return w.failed ? NULL : json_object_new_string_len(m->text.data, (int)m->text.len);
}

json_object *hf_json_hex(struct hf_json_maker *m, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	m->text.len = 0;
	if (hf_buf_reserve(&m->text, 2 * len) < 0)
		return NULL;
	for (i = 0; i < len; i++) {
		m->text.data[2 * i] = digits[(unsigned char)bytes[i] >> 4];
		m->text.data[2 * i + 1] = digits[(unsigned char)bytes[i] & 15];
	}
	return json_object_new_string_len(m->text.data, (int)(2 * len));
}

void hf_json_put_bytes(struct hf_json_maker *m, json_object *to, const char *key, const char *key_hex,
		      const char *bytes)
{
	bool escaped = false;

	if (!bytes) {
		hf_json_put_null(m, to, key);
		return;
	}
	hf_json_put(m, to, key, hf_json_shown(m, bytes, strlen(bytes), &escaped));
	if (escaped)
		hf_json_put(m, to, key_hex, hf_json_hex(m, bytes, strlen(bytes)));
}

void hf_json_put_ids(struct hf_json_maker *m, json_object *to, const char *key, const pid_t *ids, size_t n)
{
	json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < n; i++)
		hf_json_append(m, array, json_object_new_int64(ids[i]));
	hf_json_put(m, to, key, array);
}

void hf_json_put_time(struct hf_json_maker *m, json_object *to, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	char date[48], text[64];
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm)) {
		hf_json_put_null(m, to, "time");
		return;
	}
	snprintf(text, sizeof(text), "%s.%06dZ", date, (int)(us % 1000000));
	hf_json_put_word(m, to, "time", text);
}

void hf_json_put_target(struct hf_json_maker *m, json_object *to, const struct hf_hold_info *info)
{
	json_object *target = json_object_new_object();

	hf_json_put_word(m, target, "kind", hf_target_word(info->kind));
	hf_json_put_bytes(m, target, "path", "path_hex", info->path);
	hf_json_put_number_or_null(m, target, "version", info->version);
	if (info->path)
		hf_json_put_word(m, target, "found", hf_freezer_word(info->found));
	else
		hf_json_put_null(m, target, "found");
	hf_json_put(m, target, "freezer_changed", json_object_new_boolean(info->freezer_changed));
	if (info->n_pids)
		hf_json_put_ids(m, target, "pids", info->pids, info->n_pids);
	hf_json_put(m, to, "target", target);
}

void hf_json_put_timing(struct hf_json_maker *m, json_object *to, const struct hf_timing *t)
{
	json_object *timing = json_object_new_object();

	hf_json_put_unsigned(m, timing, "freeze", t->freeze);
	hf_json_put_unsigned(m, timing, "seize", t->seize);
	hf_json_put_unsigned(m, timing, "thaw", t->thaw);
	hf_json_put_unsigned(m, timing, "wait", t->wait);
	hf_json_put_unsigned(m, timing, "collect", t->collect);
	hf_json_put_unsigned(m, timing, "stopped", t->stopped);
	hf_json_put(m, to, "timing_us", timing);
}

/* ---- The document ------------------------------------------------------------------------ */

static void new_line(struct hf_json_document *d)
{
	unsigned int i;

	if (!d->pretty)
		return;
	hf_writer_put(d->w, "\n");
	for (i = 0; i < d->level; i++)
		hf_writer_put(d->w, "  ");
}

void hf_json_separate(struct hf_json_document *d, const char *key)
{
	if (!d->empty)
		hf_writer_put(d->w, ",");
	d->empty = false;
	new_line(d);
	if (key)
		hf_writer_putf(d->w, d->pretty ? "\"%s\": " : "\"%s\":", key);
}

void hf_json_begin(struct hf_json_document *d, const char *bracket)
{
	hf_writer_put(d->w, bracket);
	d->level++;
	d->empty = true;
}

void hf_json_end(struct hf_json_document *d, const char *bracket)
{
	d->level--;
	if (!d->empty)
		new_line(d);
	hf_writer_put(d->w, bracket);
	d->empty = false;
}

/* Lines of json-c begin at the margin; inside strings there is no newline that is not escaped. */
static void write_value(struct hf_json_document *d, json_object *value)
{
	int layout = d->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
			       : JSON_C_TO_STRING_PLAIN;
	const char *text = json_object_to_json_string_ext(value,
							  layout | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text) {
		d->maker.failed = true;
		return;
	}
	for (;;) {
		size_t len = strcspn(text, "\n");

		hf_writer_put_bytes(d->w, text, len);
		if (!text[len])
			return;
		new_line(d);
		text += len + 1;
	}
}

void hf_json_write_entry(struct hf_json_document *d, const char *key, json_object *value)
{
	hf_json_separate(d, key);
	if (value)
		write_value(d, value);
	else
		d->maker.failed = true;
	json_object_put(value);
}

void hf_json_write_members(struct hf_json_document *d, json_object *object)
{
	if (!object) {
		d->maker.failed = true;
		return;
	}
	json_object_object_foreach(object, key, value) {
		hf_json_separate(d, key);
		write_value(d, value);
	}
	json_object_put(object);
}
