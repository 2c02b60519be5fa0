/* SPDX-License-Identifier: MIT */
/*
 * cancel - keep a thread from being cancelled (pthread_cancel(3)) while it changes the target, or has something that it
 * would not give back: nearly every system call is a cancellation point (pthreads(7)).
 */
#ifndef HF_CANCEL_H
#define HF_CANCEL_H

#include <pthread.h>

static inline int hf_cancel_off(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void hf_cancel_restore(const int *before)
{
	pthread_setcancelstate(*before, NULL);
}

/* Until the end of the block, however that is left.  The thread's own state is in `cancelled_before`. */
#define HF_UNCANCELLED const int cancelled_before __attribute__((cleanup(hf_cancel_restore), unused)) = hf_cancel_off()

#endif
