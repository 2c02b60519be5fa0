/* SPDX-License-Identifier: MIT */
/*
 * json - strings of the small JSON objects that the command prints by itself (`state`, `check`).
 * Trees are the library's to print; bytes that are no UTF-8 look the same in both.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "out.h"
#include "writer.h"

int hf_json_string(FILE *f, const char *text)
{
	struct hf_buf valid = { 0 };
	struct hf_writer w = { .out = &valid };
	size_t i;

	hf_writer_put_utf8(&w, text, strlen(text));
	if (w.failed) {
		hf_buf_done(&valid);
		return w.failed;
	}
	fputc('"', f);
	for (i = 0; i < valid.len; i++) {
		unsigned char c = (unsigned char)valid.data[i];

		if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
	hf_buf_done(&valid);
	return 0;
}
