/* SPDX-License-Identifier: MIT */
/*
 * writer - text that grows in a buffer.  A failure sticks: whoever writes goes on, and the one who
 * asked for the text looks once, at the end.
 *
 * Names come from the target, and may be any bytes.  What is neither printable nor UTF-8 is shown
 * as \xHH (and \n, \t, \r), so that no name can steer a terminal or break a document.
 */
#ifndef HF_WRITER_H
#define HF_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "io.h"

struct hf_writer {
	struct hf_buf *out;
	int failed;	/* 0 or -ENOMEM */
};

void hf_writer_put(struct hf_writer *w, const char *text);
void hf_writer_put_bytes(struct hf_writer *w, const char *bytes, size_t len);
void hf_writer_putf(struct hf_writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Length of the UTF-8 sequence at bytes (RFC 3629); 0 when there is none. */
size_t hf_utf8_len(const char *bytes, size_t len);

/* Each byte that is not part of UTF-8 as \xHH, all else as it is; returns whether one was. */
bool hf_writer_put_utf8(struct hf_writer *w, const char *bytes, size_t len);

/*
 * How the first of these bytes (there is one) are shown to people: those that are no part of UTF-8, and whatever
 * would steer a terminal, as \xHH, \n, \t or \r.  Into ret, without a NUL; returns how many of them that was.
 */
#define HF_SHOWN_MAX 16	/* four for each of at most three bytes, and a NUL aside */
size_t hf_show_next(const char *bytes, size_t len, char ret[HF_SHOWN_MAX], size_t *ret_len);

/* All of them so. */
void hf_writer_put_shown(struct hf_writer *w, const char *bytes, size_t len);

#endif
