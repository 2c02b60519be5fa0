/* SPDX-License-Identifier: MIT */
/*
 * lock - see lock.h.
 */
#include "lock.h"

#include <errno.h>
#include <string.h>

#include "cgroupfs.h"
#include "err.h"
#include "explain.h"
#include "procfs.h"

static pid_t tracer_in(struct hf_freezer *f, size_t level, struct hf_buf *text)
{
	struct hf_status st;
	size_t pos = 0;
	pid_t tid;

	if (hf_freezer_list(f, level, text) < 0)
		return 0;
	while (hf_id_list_next(text->data, text->len, &pos, &tid) > 0)
		if (tid > 0 && hf_tid_status(tid, &st) == 0 && st.tracer)
			return st.tracer;
	return 0;
}

bool hf_lock_is_meant(const struct hf_freezer *f, pid_t *ret_tracer)
{
	struct hf_freezer look __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	struct hf_buf text __attribute__((cleanup(hf_buf_done))) = { 0 };
	enum hf_freezer_state state;
	size_t i;

	*ret_tracer = 0;
	if (hf_freezer_open(&look, f->path, NULL) < 0 ||
	    hf_freezer_find_levels(&look, false, NULL) < 0)
		return true;
	for (i = 0; !*ret_tracer && i < look.n_levels; i++)
		*ret_tracer = tracer_in(&look, i, &text);
	return *ret_tracer || hf_freezer_state(&look, &state) < 0 || state != HF_FREEZER_THAWED;
}

int hf_lock_refuse(const struct hf_freezer *f, struct hf_error *err)
{
	char who[128] = "another holdfast";
	pid_t tracer;

	hf_lock_is_meant(f, &tracer);
	if (tracer)
		hf_explain_who(tracer, who, sizeof(who));
	return hf_fail(err, EBUSY, HF_STAGE_LOOK, 0,
		       "cgroup %s, or one above or below it, is held by %s, and was not released by the deadline",
		       f->path, who);
}

/*
 * A directory can be locked by whoever can open it, and no user shall keep another from a hold that way.  So a
 * lock is believed for as long as a holdfast may need to look; after that only where there is something to be
 * seen of a hold.
 */
#define LOCK_BELIEVED_MS 1000

static struct hf_deadline within_half(struct hf_deadline deadline)
{
	uint64_t half_ms = hf_deadline_left_ns(deadline) / 2000000;

	return hf_deadline_within_ms(deadline, half_ms < LOCK_BELIEVED_MS ? half_ms : LOCK_BELIEVED_MS);
}

int hf_lock_out_others(struct hf_freezer *f, struct hf_deadline deadline, struct hf_error *err)
{
	pid_t tracer;
	int r = hf_freezer_lock(f, within_half(deadline));

	if (r == -ETIMEDOUT && !hf_deadline_passed(deadline)) {
		if (!hf_lock_is_meant(f, &tracer))
			return 0;
		r = hf_freezer_lock(f, deadline);
	}
	if (r == -ETIMEDOUT)
		return hf_lock_refuse(f, err);
	return r == 0 ? 0 : hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot lock cgroup %s: %s", f->path,
				    strerror(-r));
}
