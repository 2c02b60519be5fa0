/* SPDX-License-Identifier: MIT */
/*
 * scan - lines, fields and numbers out of bytes that may be anything.  What the parsers of procfs
 * and cgroupfs have in common.  Nothing is copied and nothing is written to.
 *
 * The kernel ends every line with a newline.  Bytes without one have been cut, and the number in
 * them may have been "1234" where "12" is left, so they are refused and never guessed at.
 */
#ifndef HF_SCAN_H
#define HF_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is left to be read: len bytes at `at`, which is never NULL. */
struct hf_scan {
	const char *at;
	size_t len;
};

/* All of a text; NULL is allowed where len is 0. */
struct hf_scan hf_scan_of(const char *text, size_t len);

/*
 * The next line, without its newline.  1, 0 at the end, -EBADMSG for a last line that has none;
 * then s is untouched.
 */
int hf_scan_line(struct hf_scan *s, struct hf_scan *ret_line);

/* The bytes up to the next sep, or to the end; s moves behind it.  False when none was there. */
bool hf_scan_field(struct hf_scan *s, char sep, struct hf_scan *ret_field);

/* Pass over n bytes, which must be there. */
void hf_scan_advance(struct hf_scan *s, size_t n);
/* Whether exactly this comes next; s moves behind it. */
bool hf_scan_skip(struct hf_scan *s, const char *word);
/* Pass over spaces and tabs, however many. */
void hf_scan_blanks(struct hf_scan *s);

/* Whether all that is left is this word. */
bool hf_scan_is(struct hf_scan s, const char *word);
/* Whether a list separated by commas has this word as one of its members. */
bool hf_scan_list_has(struct hf_scan list, const char *word);

/*
 * Digits of base 10 or 16, at least one, no sign, no "0x".  s moves behind them.  -EBADMSG when
 * there is none or the number is above max; then s is untouched.
 */
int hf_scan_number(struct hf_scan *s, unsigned int base, uint64_t max, uint64_t *ret);
/* The same for a pid or tid: decimal, 0 to INT_MAX. */
int hf_scan_id(struct hf_scan *s, pid_t *ret);

#endif
