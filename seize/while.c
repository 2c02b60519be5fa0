/* SPDX-License-Identifier: MIT */
/*
 * while - a hold that lasts as long as a function: taken before it, released after it, whatever it does.
 */
#include <errno.h>
#include <pthread.h>

#include "cancel.h"
#include "err.h"
#include "hold_state.h"

/* The thread ends inside of the function: pthread_exit(3), or cancelled. */
static void let_go(void *hold)
{
	hf_hold_free(hold);
}

HF_API int hf_hold_while(const struct hf_target *target, const struct hf_take_options *opts, hf_while_fn fn,
			 void *data, int *ret, struct hf_error *err)
{
	HF_UNCANCELLED;
	hf_hold *hold = NULL;
	int r, came_to;

	if (!fn)
		return hf_fail(err, EINVAL, HF_STAGE_NONE, 0, "no function was given");
	r = hf_hold_take(target, opts, &hold, err);
	if (r < 0)
		return r;
	pthread_cleanup_push(let_go, hold);
	pthread_setcancelstate(cancelled_before, NULL);
	came_to = fn(hold, data);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_pop(0);
	if (ret)
		*ret = came_to;
	/* It may have chosen another way itself. */
	r = hold->released ? 0 : hf_hold_release(hold, HF_RELEASE_AS_FOUND, NULL, err);
	hf_hold_free(hold);
	return r;
}
