/* SPDX-License-Identifier: MIT */
/*
 * signals - every signal that would end or stop holdfast waits until nothing is held or frozen any
 * more.  They are blocked before the first change; `hold` takes them from a descriptor, the other
 * commands let them through once the target is free again.
 */
#ifndef HF_SIGNALS_H
#define HF_SIGNALS_H

#include <stdbool.h>

/* Block them.  The first thing main() does. */
void hf_signals_block(void);

/* Back to the mask holdfast was started with: what is pending acts now, and may end us. */
void hf_signals_restore(void);

/* Nothing is to be undone any more, and the result is that it was done: no signal changes that from now on. */
void hf_signals_ignore(void);

/* A descriptor that hands out the blocked signals and SIGCHLD, without blocking.  Or -errno. */
int hf_signals_open(void);

/*
 * A descriptor that can be read when a signal that ends holdfast waits: for hf_take_options.cancel_fd.  It
 * takes no signal off, and is open until the end of the process.  0 when there is none to be had.
 */
int hf_signals_cancel_fd(void);

/* The next signal of it; 0 when there is none. */
int hf_signals_next(int fd);

/*
 * The same, and whether the kernel itself has sent it: as the terminal does upon Ctrl-C, to everybody in the
 * foreground and so to our children, too.
 */
int hf_signals_next_from(int fd, bool *ret_by_kernel);

/* For a child that is about to become another program: mask and dispositions as we were given them. */
void hf_signals_as_found(void);

enum hf_signal_kind {
	HF_SIGNAL_CHILD,	/* a held thread changed, or a child did */
	HF_SIGNAL_JOB,		/* SIGTSTP and the like, which would stop the holder */
	HF_SIGNAL_END,		/* asks to end, the normal way: INT, TERM, HUP */
	HF_SIGNAL_ABORT,	/* any other that ends a process */
};
enum hf_signal_kind hf_signal_kind_of(int sig);

/* End by this signal, as if it had not been kept waiting. */
void hf_signals_end_by(int sig) __attribute__((noreturn));

#endif
