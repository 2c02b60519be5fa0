/* SPDX-License-Identifier: MIT */
/*
 * freezer - see freezer.h.  Opening and finding levels is in freezer_open.c.
 */
#include "freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cgroupfs.h"
#include "freezer_files.h"
#include "procfs.h"

int hf_freezer_list(struct hf_freezer *f, size_t level, struct hf_buf *text)
{
	struct hf_level *l = &f->levels[level];
	char name[HF_LEVEL_NAME_MAX];
	int r;

	/*
	 * Opened anew each time.  A v1 list is a snapshot kept with the open file: reading the
	 * same descriptor again from its start gives the old one (kernel/cgroup/cgroup-v1.c,
	 * cgroup_pidlist_start()).  Threads, never processes: a dead leader's pid stands for
	 * nobody who could be seized, and on v2 a threaded cgroup has no readable cgroup.procs.
	 */
	r = hf_level_file(l, f->version == 2 ? "cgroup.threads" : "tasks", name, sizeof(name));
	if (r == 0)
		r = hf_read_at(f->dirfd, name, text);
	if (r == 0 || hf_is_gone(r))
		l->gone = r < 0;
	return r;
}

/*
 * v2 says "frozen 1" of a cgroup when the tasks in it are frozen, even while some below it are not: only where it has
 * no tasks of its own do those count (kernel/cgroup/freezer.c, cgroup_update_frozen(); measured on Linux 6.18).
 */
static bool is_frozen_below(const struct hf_freezer *f)
{
	size_t i;

	for (i = 1; i < f->n_levels; i++)
		if (!f->levels[i].gone && hf_level_read_frozen(f, &f->levels[i]) == 0)
			return false;
	return true;
}

int hf_freezer_state(const struct hf_freezer *f, enum hf_freezer_state *ret)
{
	char text[512];
	struct hf_cgroup_events events;
	bool set;
	ssize_t n;
	int r;

	if (f->version == 1) {
		/*
		 * Each read lets the kernel walk the members and turn FREEZING into FROZEN;
		 * there is no event for it (kernel/cgroup/legacy_freezer.c, freezer_read()).
		 */
		n = hf_read_small_at(f->dirfd, "freezer.state", text, sizeof(text));
		return n < 0 ? (int)n : hf_freezer_state_parse(text, (size_t)n, ret);
	}
	n = hf_read_again(f->events_fd, text, sizeof(text));
	if (n < 0)
		return (int)n;
	r = hf_cgroup_events_parse(text, (size_t)n, &events);
	if (r < 0)
		return r;
	if (events.frozen) {
		*ret = is_frozen_below(f) ? HF_FREEZER_FROZEN : HF_FREEZER_FREEZING;
		return 0;
	}
	r = hf_level_read_self(f, &f->levels[0], &set);
	if (r < 0)
		return r;
	*ret = set ? HF_FREEZER_FREEZING : HF_FREEZER_THAWED;
	return 0;
}

/*
 * The guard puts back what differs from the found state and is still as noted.  So a change away
 * from the found state is noted before it is made, and a change back afterwards.
 */
static void note_for_guard(struct hf_level *l, bool frozen, bool before)
{
	if (l->noted && before == (frozen != l->self_found))
		*l->noted = frozen;
}

/* Whether a level's setting is not as we left it; from then on it is theirs. */
static bool notice(const struct hf_freezer *f, struct hf_level *l)
{
	bool set;
	int r;

	if (l->gone)
		return false;
	r = hf_level_read_self(f, l, &set);
	if (hf_is_gone(r))
		l->gone = true;
	if (r < 0 || set == l->self_now)
		return false;
	l->theirs = true;
	l->self_now = set;
	return true;
}

/* Only a cgroup whose setting cannot be read either has been removed. */
static bool is_removed(const struct hf_level *l)
{
	char text[16];

	return hf_is_gone((int)hf_read_again(l->fd, text, sizeof(text)));
}

int hf_freezer_set(struct hf_freezer *f, size_t level, bool frozen)
{
	struct hf_level *l = &f->levels[level];
	const char *word;
	int r;

	/*
	 * The kernel has no test-and-set for it.  Looked at right before, another's writing is missed only if it
	 * comes in these microseconds, or says what the file says already.  Whoever was not there for a moment is still
	 * written to: what is at stake is more than a vain write.
	 */
	if (l->theirs || l->self_now == frozen || notice(f, l) || (l->gone && l->fd < 0))
		return 0;
	if (f->version == 2)
		word = frozen ? "1" : "0";
	else
		word = frozen ? "FROZEN" : "THAWED";
	note_for_guard(l, frozen, true);
	r = l->fd < 0 ? -EBADF : hf_write_fd(l->fd, word);
	if (hf_is_gone(r) && is_removed(l)) {
		l->gone = true;
		return 0;
	}
	if (r < 0)
		return r;
	l->self_now = frozen;
	note_for_guard(l, frozen, false);
	return 0;
}

int hf_freezer_freeze_again(struct hf_freezer *f)
{
	struct hf_level *l = &f->levels[0];

	return l->theirs || !l->self_now || l->fd < 0 || notice(f, l) ? 0 : hf_write_fd(l->fd, "FROZEN");
}

void hf_freezer_notice(struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		notice(f, &f->levels[i]);
}

bool hf_freezer_is_foreign(const struct hf_freezer *f, char *ret, size_t cap)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++)
		if (f->levels[i].theirs) {
			snprintf(ret, cap, "%s%s%s", f->path, f->levels[i].name[0] ? "/" : "",
				 f->levels[i].name);
			return true;
		}
	return false;
}

/*
 * For the first milliseconds short sleeps: freezing rarely takes longer, and v2's event comes at
 * most once in 10 ms per file, so that after another recent change it is late by that much
 * (CGROUP_FILE_NOTIFY_MIN_INTV).  Then v2 waits for the event, never longer than 2 ms, since
 * the event may have belonged to the earlier change.
 */
#define POLL_AFTER_NS 5000000u
#define POLL_MS 2

bool hf_freezer_pause(const struct hf_freezer *f, struct hf_nap *nap, uint64_t waited_ns,
		      struct hf_deadline deadline)
{
	struct pollfd p[] = {
		{ .fd = f->events_fd, .events = POLLPRI },
		{ .fd = deadline.cancel_fd, .events = POLLIN },
	};

	if (f->version == 1 || waited_ns < POLL_AFTER_NS)
		return hf_nap(nap, deadline);
	poll(p, 2, POLL_MS);
	return !p[1].revents && hf_deadline_left_ns(deadline) > 0;
}

void hf_freezer_level_path(const struct hf_freezer *f, size_t level, char *ret, size_t cap)
{
	const char *top = f->within;
	const char *name = f->levels[level].name;

	snprintf(ret, cap, "%s%s%s", top, name[0] ? "/" : "", name);
	if (!ret[0])
		snprintf(ret, cap, "/");
}
