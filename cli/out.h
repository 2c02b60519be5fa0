/* SPDX-License-Identifier: MIT */
/*
 * out - what the command prints and how it ends.  Results go to standard output, everything else
 * to standard error, one line each: "holdfast: COMMAND: text".  Names and paths may hold any
 * bytes, so they are shown as writer.h does: a process name must not steer a terminal.
 */
#ifndef HF_OUT_H
#define HF_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "clock.h"
#include "holdfast.h"

/* Exit statuses, as in holdfast(1). */
enum hf_exit {
	HF_EXIT_DONE = 0,
	HF_EXIT_FAILED = 1,		/* it failed and everything was undone */
	HF_EXIT_USAGE = 2,
	HF_EXIT_PARTIAL = 3,		/* done, but not everything could be held */
	HF_EXIT_NOT_UNDONE = 4,		/* something could not be undone, named in the message */

	/* Of `run`, as a shell or env(1) would; all else is the command's own. */
	HF_EXIT_RUN_FAILED = 125,	/* holdfast itself failed */
	HF_EXIT_NOT_EXECUTABLE = 126,
	HF_EXIT_NOT_FOUND = 127,
	HF_EXIT_BY_SIGNAL = 128,	/* and the number of the signal that ended it */
};

/* Of two exit statuses the one that the user must not miss: 4, 1, 2, 3, 0. */
int hf_exit_worse(int a, int b);

/* "holdfast: COMMAND: text" to standard error; cmd may be NULL. */
void hf_say(const char *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Whether a write would find room now: of PIPE_BUF bytes in a pipe (pipe(7)), of one byte in a terminal. */
bool hf_has_room(int fd);

/*
 * Write as much as hf_has_room() promises, and move *text and *len on.  0, also where there was no room after all, or
 * errno.
 */
int hf_write_some(int fd, const char **text, size_t *len);

/*
 * fd, or a descriptor that was opened once more for the same terminal and never blocks.  A terminal that has little
 * room keeps who writes more, and its reader may be held.  Stays open until the end of the process.
 */
int hf_unblocking(int fd);

/*
 * The same for use while the target is held: a line that standard error would not take at once
 * (a stopped terminal, a full pipe) is dropped, because it must not keep the holder from its signals.
 */
void hf_say_if_ready(const char *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A wrong call: the specific answer and where to read more.  Returns HF_EXIT_USAGE. */
int hf_usage(const char *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Write a result to standard output.  Signals that were kept waiting come through first
 * (signals.h), so that a reader who does not read can be left by Ctrl-C.  Only when nothing is held.
 * Returns HF_EXIT_DONE, or HF_EXIT_FAILED after saying why.
 */
int hf_print(const char *cmd, const char *text, size_t len);
int hf_print_line(const char *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* HF_EXIT_DONE when standard output is open for writing; asked before anything is stopped. */
int hf_print_possible(const char *cmd);
int hf_print_failed(const char *cmd, int code);

/*
 * Give descriptors 0 to 2 to something, if the caller closed them: a cgroup file that was opened
 * as descriptor 1 would be written to by the next message.
 */
void hf_std_open(void);

/* ---- Pure helpers ---------------------------------------------------------------------- */

enum hf_when {
	HF_WHEN_AUTO = 0,
	HF_WHEN_ALWAYS,
	HF_WHEN_NEVER,
};

/* Colours for standard output, by --color, NO_COLOR, TERM and whether it is a terminal. */
bool hf_colour_wanted(enum hf_when when);

/* Whether the environment says that text is shown in UTF-8.  Reads the locale, some dozen system calls: ask for text only. */
bool hf_locale_is_utf8(void);

/*
 * Copy as writer.h shows names, so that it is UTF-8 and steers no terminal; cut to fit into cap bytes, at least
 * one.  For messages: allocates nothing.
 */
void hf_clean(const char *text, char *ret, size_t cap);

/* "1 thread", "340 threads": the word with an s or es unless n is 1, by how it ends. */
#define HF_COUNT_MAX 64
const char *hf_count(size_t n, const char *word, char ret[HF_COUNT_MAX]);

/* Print a JSON string, quotes included; bytes that are no UTF-8 as the text \xHH.  0 or -ENOMEM. */
int hf_json_string(FILE *f, const char *text);

#endif
