/* SPDX-License-Identifier: MIT */
/*
 * leftover - see leftover.h.
 */
#include "leftover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

HF_API const char *hf_leftover_word(enum hf_leftover_kind kind)
{
	switch (kind) {
	case HF_LEFTOVER_CHANGED:
		return "changed";
	case HF_LEFTOVER_KEPT:
		return "kept";
	case HF_LEFTOVER_FOREIGN:
		return "foreign";
	case HF_LEFTOVER_HELD:
		return "held";
	case HF_LEFTOVER_FAILED:
		return "failed";
	case HF_LEFTOVER_UNREADABLE:
		return "unreadable";
	}
	return "unknown";
}

static const char *state_of(int frozen)
{
	return frozen ? "frozen" : "thawed";
}

static const char *deed_of(int frozen, bool dry_run)
{
	if (dry_run)
		return frozen ? "would freeze" : "would thaw";
	return frozen ? "froze" : "thawed";
}

static void say_kept(const struct hf_leftover *l, enum hf_on_death on_death, char *ret, size_t cap)
{
	if (on_death == HF_ON_DEATH_KILL)
		snprintf(ret, cap,
			 "cgroup %s stays frozen: in case of the death of process %d everybody in it was to be killed; "
			 "kill them, or let them go with holdfast thaw", l->path, (int)l->holder);
	else
		snprintf(ret, cap,
			 "cgroup %s stays frozen, as process %d was asked in case of its death; holdfast thaw lets it go",
			 l->path, (int)l->holder);
}

static void say_held(const struct hf_leftover *l, pid_t guard, char *ret, size_t cap)
{
	if (guard)
		snprintf(ret, cap,
			 "cgroup %s, which process %d left %s, is in the care of its guard, process %d, which lives "
			 "but has not put it back; is it stopped?",
			 l->path, (int)l->holder, state_of(l->frozen_left), (int)guard);
	else
		snprintf(ret, cap, "cgroup %s, which process %d left %s, is held by somebody else now", l->path,
			 (int)l->holder, state_of(l->frozen_left));
}

const char *hf_leftover_reason(int code)
{
	switch (code) {
	case EXDEV:
		return "it cannot be seen from here, which has other mounts or another cgroup namespace";
	case EBADMSG:
		return "it is no journal of this version of holdfast";
	default:
		return strerror(code);
	}
}

void hf_leftover_say(const struct hf_leftover *l, const struct hf_leftover_more *more, char *ret, size_t cap)
{
	switch (l->kind) {
	case HF_LEFTOVER_CHANGED:
		snprintf(ret, cap, "%s cgroup %s, which process %d left %s when it was killed",
			 deed_of(l->frozen_found, more->dry_run), l->path, (int)l->holder,
			 state_of(l->frozen_left));
		break;
	case HF_LEFTOVER_KEPT:
		say_kept(l, more->on_death, ret, cap);
		break;
	case HF_LEFTOVER_FOREIGN:
		snprintf(ret, cap, "cgroup %s is %s, as process %d found it: somebody has %s it since, or %d died before "
			 "it was %s; it is left so",
			 l->path, state_of(l->frozen_found), (int)l->holder, state_of(l->frozen_found),
			 (int)l->holder, state_of(l->frozen_left));
		break;
	case HF_LEFTOVER_HELD:
		say_held(l, more->guard, ret, cap);
		break;
	case HF_LEFTOVER_FAILED:
		snprintf(ret, cap, "cgroup %s, which process %d left %s, cannot be %s: %s", l->path,
			 (int)l->holder, state_of(l->frozen_left), state_of(l->frozen_found),
			 hf_leftover_reason(more->code));
		break;
	case HF_LEFTOVER_UNREADABLE:
		snprintf(ret, cap, "%s cannot be read, and is left there: %s", l->path,
			 hf_leftover_reason(more->code));
		break;
	}
}
