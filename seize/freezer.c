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

	if (l->gone)
		return -ENOENT;
	/*
	 * Opened anew each time.  A v1 list is a snapshot kept with the open file: reading the
	 * same descriptor again from its start gives the old one (kernel/cgroup/cgroup-v1.c,
	 * cgroup_pidlist_start()).  Threads, never processes: a dead leader's pid stands for
	 * nobody who could be seized, and on v2 a threaded cgroup has no readable cgroup.procs.
	 */
	r = hf_level_file(l, f->version == 2 ? "cgroup.threads" : "tasks", name, sizeof(name));
	if (r == 0)
		r = hf_read_at(f->dirfd, name, text);
	if (hf_is_gone(r))
		l->gone = true;
	return r;
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
		*ret = HF_FREEZER_FROZEN;
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

int hf_freezer_set(struct hf_freezer *f, size_t level, bool frozen)
{
	struct hf_level *l = &f->levels[level];
	const char *word;
	int r;

	if (l->gone || l->theirs || l->self_now == frozen)
		return 0;
	if (f->version == 2)
		word = frozen ? "1" : "0";
	else
		word = frozen ? "FROZEN" : "THAWED";
	note_for_guard(l, frozen, true);
	r = l->fd < 0 ? -EBADF : hf_write_fd(l->fd, word);
	if (hf_is_gone(r)) {
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
	const struct hf_level *l = &f->levels[0];

	return l->theirs || !l->self_now || l->fd < 0 ? 0 : hf_write_fd(l->fd, "FROZEN");
}

void hf_freezer_notice(struct hf_freezer *f)
{
	size_t i;

	for (i = 0; i < f->n_levels; i++) {
		struct hf_level *l = &f->levels[i];
		bool set;
		int r;

		/* Only what we wrote, or would write, is of interest. */
		if (l->gone || l->fd < 0)
			continue;
		r = hf_level_read_self(f, l, &set);
		if (hf_is_gone(r))
			l->gone = true;
		if (r < 0 || set == l->self_now)
			continue;
		f->foreign = true;
		l->theirs = true;
		l->self_now = set;
	}
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
	const char *top = f->path + f->mount_len;
	const char *name = f->levels[level].name;

	snprintf(ret, cap, "%s%s%s", top, name[0] ? "/" : "", name);
	if (!ret[0])
		snprintf(ret, cap, "/");
}
