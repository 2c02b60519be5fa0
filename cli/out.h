/* SPDX-License-Identifier: MIT */
/*
 * out - what the command prints and how it ends.  Results go to standard output, everything else
 * to standard error.
 */
#ifndef HF_OUT_H
#define HF_OUT_H

#include "holdfast.h"

/* Exit statuses, as in holdfast(1). */
enum hf_exit {
	HF_EXIT_DONE = 0,
	HF_EXIT_FAILED = 1,		/* it failed and everything was undone */
	HF_EXIT_USAGE = 2,
	HF_EXIT_PARTIAL = 3,		/* done, but not everything could be held */
	HF_EXIT_NOT_UNDONE = 4,		/* something could not be undone, named in the message */
};

#endif
