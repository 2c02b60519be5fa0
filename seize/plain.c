/* SPDX-License-Identifier: MIT */
/*
 * plain - the plain freezer as it is offered to users: freeze a cgroup, thaw it, tell its state.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cancel.h"
#include "err.h"
#include "hold_state.h"
#include "lock.h"

static void fill_state(const struct hf_freezer *f, enum hf_freezer_state state,
		       struct hf_cgroup_state *ret)
{
	if (!ret)
		return;
	ret->version = f->version;
	ret->state = state;
	ret->self_frozen = f->levels[0].self_now;
	snprintf(ret->path, sizeof(ret->path), "%s", f->path);
}

static int read_options(struct hf_freezer_options *to, const struct hf_freezer_options *from,
			struct hf_deadline *deadline, struct hf_error *err)
{
	int r = 0;

	*to = (struct hf_freezer_options)HF_FREEZER_OPTIONS_INIT;
	if (from)
		r = hf_options_copy(to, from, from->size, sizeof(*to), err);
	*deadline = hf_deadline_in_ms(to->timeout_ms ? to->timeout_ms : HF_TIMEOUT_DEFAULT_MS);
	return r;
}

HF_API int hf_cgroup_state(const char *path, struct hf_cgroup_state *ret_state,
			   struct hf_error *err)
{
	HF_UNCANCELLED;
	struct hf_freezer f __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	enum hf_freezer_state state;
	int r = hf_freezer_open(&f, path, err);

	if (r == 0)
		r = hf_freezer_find_levels(&f, false, err);
	if (r < 0)
		return r;
	r = hf_freezer_state(&f, &state);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot read the state of cgroup %s: %s",
			       f.path, strerror(-r));
	fill_state(&f, state, ret_state);
	return 0;
}

/* On failure everything is as it was found, or *err says what is not. */
static int freeze_guarded(struct hf_freezer *f, struct hf_guard *g, struct hf_deadline deadline,
			  struct hf_error *err)
{
	int r = hf_freeze(f, false, deadline, err), undo;

	if (r >= 0) {
		hf_journal_settle(g->journal.page);
		return 0;
	}
	undo = hf_freezer_restore(f);
	if (undo < 0) {
		hf_fail_note(err, HF_UNDO_FAILED, "cgroup %s could not be thawed again: %s", f->path,
			     strerror(-undo));
		return r;
	}
	hf_journal_settle(g->journal.page);
	hf_fail_note(err, HF_UNDO_DONE, "the cgroup was put back as it was found");
	return r;
}

static int freeze_found(struct hf_freezer *f, const struct hf_freezer_options *opts,
			struct hf_deadline deadline, struct hf_error *err)
{
	struct hf_guard guard = HF_GUARD_INIT;
	int r = hf_lock_out_others(f, deadline, err);

	if (r == 0)
		r = hf_freezer_find_levels(f, true, err);
	if (r == 0)
		r = hf_lock_refuse_found(f, err);
	if (r == 0)
		r = hf_freezer_refuse_ourselves(f, NULL, err);
	if (r == 0)
		r = hf_guard_post(&guard, f, opts->no_guard, false, opts->guard_message_fd, err);
	if (r < 0)
		return r;
	r = freeze_guarded(f, &guard, deadline, err);
	hf_guard_end(&guard, f);
	return r;
}

HF_API int hf_cgroup_freeze(const char *path, const struct hf_freezer_options *opts,
			    struct hf_cgroup_state *ret_state, struct hf_error *err)
{
	HF_UNCANCELLED;
	struct hf_freezer f __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	struct hf_error own = HF_ERROR_INIT;
	struct hf_freezer_options o;
	struct hf_deadline deadline;
	int r = read_options(&o, opts, &deadline, &own);

	if (o.cancel_fd > 0)
		deadline.cancel_fd = o.cancel_fd;
	if (r == 0)
		r = hf_freezer_open(&f, path, &own);
	if (r == 0)
		r = freeze_found(&f, &o, deadline, &own);
	if (r == 0)
		hf_recover_forget(&f);
	if (r != 0) {
		r = hf_fail_cancelled(&own, deadline);
		if (err)
			*err = own;
		return r;
	}
	fill_state(&f, HF_FREEZER_FROZEN, ret_state);
	return 0;
}

/* v2 says "frozen 0" the moment the setting is cleared; v1 needs no longer.  An ancestor may object. */
static int await_thawed(const struct hf_freezer *f, struct hf_deadline deadline,
			enum hf_freezer_state *ret, struct hf_error *err)
{
	char ancestor[PATH_MAX] = "an ancestor";
	struct hf_nap nap = HF_NAP_INIT;
	int r;

	for (;;) {
		r = hf_freezer_state(f, ret);
		if (r < 0)
			return hf_fail(err, -r, HF_STAGE_THAW, 0, "cannot read the state of cgroup %s: %s",
				       f->path, strerror(-r));
		if (*ret == HF_FREEZER_THAWED)
			return 0;
		if (hf_freezer_frozen_ancestor(f, ancestor, sizeof(ancestor)))
			return hf_fail(err, EBUSY, HF_STAGE_THAW, 0,
				       "cgroup %s is thawed by its own setting, but stays frozen: %s is frozen; thaw that",
				       f->path, ancestor);
		if (!hf_nap(&nap, deadline))
			return hf_fail(err, ETIMEDOUT, HF_STAGE_THAW, 0,
				       "cgroup %s was not thawed by the deadline", f->path);
	}
}

HF_API int hf_cgroup_thaw(const char *path, const struct hf_freezer_options *opts,
			  struct hf_cgroup_state *ret_state, struct hf_error *err)
{
	HF_UNCANCELLED;
	struct hf_freezer f __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	struct hf_freezer_options o;
	struct hf_deadline deadline;
	enum hf_freezer_state state;
	int r = read_options(&o, opts, &deadline, err);

	/* No lock: this is how an administrator ends what has gone wrong, a hold that hangs included. */
	if (r == 0)
		r = hf_freezer_open(&f, path, err);
	if (r == 0)
		r = hf_freezer_find_levels(&f, true, err);
	if (r < 0)
		return r;
	r = hf_freezer_set(&f, 0, false);
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_THAW, 0, "cannot thaw cgroup %s: %s", f.path,
			       strerror(-r));
	hf_recover_forget(&f);
	r = await_thawed(&f, deadline, &state, err);
	if (r < 0)
		return r;
	fill_state(&f, state, ret_state);
	return 0;
}
