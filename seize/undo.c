/* SPDX-License-Identifier: MIT */
/*
 * undo - a take that has failed: everybody is let go, and the cgroup put back as it was found.
 */
#include "hold_state.h"

#include "err.h"

/* Within this time beyond the deadline of the take; and on, in steps, while somebody only wants a processor. */
#define UNDO_MS 150
#define STEP_MS 10
#define STARVED_MS 5000
_Static_assert(STARVED_MS + 2 * UNDO_MS + 2 * STEP_MS < HF_UNDO_MAX_MS, "in time");

static bool asked_in_freeze(const struct hf_hold *hold)
{
	size_t i;

	for (i = 0; hold->freezer.version == 1 && i < hold->set.n; i++)
		if (hold->set.tasks[i].state == HF_TASK_ASKED &&
		    hf_hold_found_frozen(hold, &hold->set.tasks[i]))
			return true;
	return false;
}

static size_t collect_more(struct hf_hold *hold)
{
	size_t i, asked = 0;

	hf_collect_stops(hold, hf_deadline_in_ms(STEP_MS), NULL);
	for (i = 0; i < hold->set.n; i++)
		asked += hold->set.tasks[i].state == HF_TASK_ASKED;
	return asked;
}

static size_t release_more(struct hf_hold *hold)
{
	return hf_release_stragglers(hold, hf_deadline_in_ms(STEP_MS));
}

/*
 * v1: who was found frozen and has been seized cannot be let go before it stops, and does not stop before it is
 * thawed; left alone it would stop when the user thaws it, for ever.  All who are frozen with it are seized, too, as
 * far as that goes, so that nobody runs meanwhile.  The release freezes them again before it lets them go.
 */
static void stop_in_freeze(struct hf_hold *hold, struct hf_deadline late)
{
	bool ignored;
	size_t i;

	for (i = 0; i < hold->set.n; i++) {
		struct hf_task *t = &hold->set.tasks[i];

		if (t->state == HF_TASK_LISTED && hf_hold_found_frozen(hold, t) && !hf_seize_must_wait(hold, t))
			hf_seize(hold, t, &ignored, NULL);
	}
	hf_freezer_thaw_all(&hold->freezer);
	hold->frozen = hold->target_frozen = false;
	if (hf_collect_stops(hold, hf_deadline_in_ms(UNDO_MS / 2), NULL) < 0)
		hf_await_starved(hold, late, collect_more);
}

void hf_take_undo(struct hf_hold *hold, struct hf_error *err)
{
	struct hf_deadline late = hf_deadline_in_ms(STARVED_MS);
	const char *put_back = hf_hold_can_freeze(hold) ? " and the cgroup put back as it was found" : "";
	struct hf_error second = HF_ERROR_INIT;
	int r;

	if (!hold->changed)
		return;
	hf_take_dead_man(hold, HF_UNDO_MAX_MS + HF_DEAD_MAN_GRACE_MS);
	if (asked_in_freeze(hold))
		stop_in_freeze(hold, late);
	/* The first error stays; what the undo meets is noted beside it. */
	r = hf_release_all(hold, HF_RELEASE_AS_FOUND, false, hf_deadline_in_ms(UNDO_MS), &second);
	if (r > 0) {
		r = (int)hf_await_starved(hold, late, release_more);
		if (r == 0 && hold->freezer.version == 2)
			hf_release_await_frozen(hold, hf_deadline_in_ms(UNDO_MS));
	}
	if (r < 0)
		hf_fail_note(err, HF_UNDO_FAILED, "%s%s%s", second.text, second.note[0] ? "; " : "",
			     second.note);
	else if (r > 0)
		hf_fail_note(err, HF_UNDO_DONE,
			     "everybody was released%s; who sleeps uninterruptibly (%d) is let go when the calling thread ends",
			     put_back, r);
	else
		hf_fail_note(err, HF_UNDO_DONE, "everybody was released%s", put_back);
}
