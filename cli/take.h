/* SPDX-License-Identifier: MIT */
/*
 * take - what the commands that hold share: taking a hold as the options say, letting it go, and the words
 * about both.  While something is held these functions write nothing that could block.
 */
#ifndef HF_TAKE_H
#define HF_TAKE_H

#include "holdfast.h"

#include "cmd.h"

/*
 * Run fn on a thread of its own and wait for its end.  A thread that sleeps uninterruptibly cannot
 * be detached; the kernel lets go of it when the thread that attached ends (measured, Linux 6.18).
 * So the holder's thread ends before anything is printed, and no reader of the output can keep the
 * target waiting.
 *
 * meanwhile (may be NULL) is called on the calling thread while fn runs, with the same arg; not when there is no
 * such thread to be had.
 */
int hf_on_own_thread(const char *cmd, int (*fn)(void *arg), void (*meanwhile)(void *arg), void *arg);

/* Options of the library as the command line has them. */
struct hf_take_options hf_take_options_of(const struct hf_args *args);

/*
 * Whether a hold ends by itself, and after how long: as --for says.  Who holds the whole machine, perhaps from a
 * terminal that stands still with it, is never without a limit.
 */
#define HF_MACHINE_LIMIT_MS 10000
void hf_take_limit(const struct hf_args *args, bool *ret_limited, unsigned int *ret_ms);

/* How a hold is released on a thread of its own (hf_on_own_thread()). */
struct hf_release_options hf_take_release_options_of(const struct hf_args *args);

/* HF_EXIT_PARTIAL when something was left out or only armed where the user allowed it, else 0. */
int hf_take_status(const struct hf_hold_info *info);

/* Say what could not be held, unless --quiet. */
void hf_take_warn(const struct hf_cmd *cmd, const struct hf_args *args,
		  const struct hf_hold_info *info);

/*
 * "held NAME: 1 process, 2 threads, stopped after 3.4 ms" and a newline, into ret.  Returns its length.  Scripts read it:
 * the unit does not change with the size.
 */
#define HF_HELD_LINE_MAX (HF_NAME_MAX + 256)
size_t hf_take_held_line(const char *name, size_t processes, const struct hf_hold_info *info,
			 char ret[HF_HELD_LINE_MAX]);

/* With --verbose: what was held and what each step took, before or after the release. */
void hf_take_tell(const struct hf_cmd *cmd, const struct hf_args *args,
		  const struct hf_hold_info *info);

/* With --verbose, after the release: what was made of the calls that the hold had interrupted. */
void hf_take_tell_restarts(const struct hf_cmd *cmd, const struct hf_args *args, hf_hold *hold);

/*
 * Put the outcome of hf_hold_release() into words: r is what it returned, err what it filled,
 * info the facts afterwards.
 * Returns an exit status.
 */
int hf_take_released(const struct hf_cmd *cmd, const struct hf_args *args, int r,
		     const struct hf_hold_info *info, const struct hf_error *err);

#endif
