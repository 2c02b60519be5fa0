/* SPDX-License-Identifier: MIT */
/*
 * jsonc - see jsonc.h.
 */
#include "jsonc.h"

#include <limits.h>

/* Deeper than any message of ours, and shallow enough for a small stack. */
#define DEPTH_MAX 16

json_object *hf_json_parse(const char *text, size_t len)
{
	struct json_tokener *tok = len && len < INT_MAX ? json_tokener_new_ex(DEPTH_MAX) : NULL;
	json_object *o;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	if (json_tokener_get_error(tok) != json_tokener_success || json_tokener_get_parse_end(tok) != len) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}
