/* SPDX-License-Identifier: MIT */
/*
 * lock - see lock.h.
 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "err.h"
#include "explain.h"
#include "procfs.h"
#include "scan.h"

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

pid_t hf_lock_holder(const struct hf_freezer *f, char *buf, size_t cap)
{
	pid_t tracer;

	hf_lock_is_meant(f, &tracer);
	if (tracer)
		hf_explain_who(tracer, buf, cap);
	else
		snprintf(buf, cap, "another holdfast");
	return tracer;
}

int hf_lock_refuse(const struct hf_freezer *f, struct hf_error *err)
{
	char who[128];
	pid_t holder = hf_lock_holder(f, who, sizeof(who));
	int r = hf_fail(err, EBUSY, HF_STAGE_LOOK, 0,
			"cgroup %s, or one above or below it, is held by %s, and was not released by the deadline",
			f->path, who);

	return hf_fail_by(err, r, holder);
}

/* ---- Whose lock it is -------------------------------------------------------------------- */

/* Decimal or hexadecimal up to a sign that is passed over, too; 0 when it is something else. */
static uint64_t number_until(struct hf_scan *line, unsigned int base, char sep)
{
	struct hf_scan field;
	uint64_t n = 0;

	hf_scan_blanks(line);
	if (!hf_scan_field(line, sep, &field) || hf_scan_number(&field, base, UINT64_MAX, &n) < 0)
		return 0;
	return n;
}

/*
 * A line of /proc/locks, "1: FLOCK  ADVISORY  WRITE 123 00:1a:45 0 EOF": the process, if that is its file and its lock
 * keeps us from ours.
 */
static pid_t locker_in(struct hf_scan line, const struct stat *dir, bool is_ancestor)
{
	struct hf_scan field;
	unsigned int major, minor;
	uint64_t pid, inode;

	hf_scan_field(&line, ' ', &field);
	if (!hf_scan_skip(&line, "FLOCK"))
		return 0;
	hf_scan_blanks(&line);
	hf_scan_field(&line, ' ', &field);
	hf_scan_blanks(&line);
	/* An ancestor that is locked for reading is one of another target, beside ours. */
	if (is_ancestor && !hf_scan_skip(&line, "WRITE"))
		return 0;
	hf_scan_field(&line, ' ', &field);
	pid = number_until(&line, 10, ' ');
	major = (unsigned int)number_until(&line, 16, ':');
	minor = (unsigned int)number_until(&line, 16, ':');
	inode = number_until(&line, 10, ' ');
	return makedev(major, minor) == dir->st_dev && inode == dir->st_ino ? (pid_t)pid : 0;
}

/* Root, we ourselves, or whom the cgroup belongs to. */
static bool is_of_trust(pid_t pid, const struct stat *dir)
{
	struct hf_status st;

	return hf_tid_status(pid, &st) == 0 &&
	       (st.euid == 0 || st.euid == geteuid() || st.euid == dir->st_uid);
}

static bool has_lock_of_trust(const struct hf_buf *locks, const char *path, bool is_ancestor)
{
	struct hf_scan s = hf_scan_of(locks->data, locks->len), line;
	struct stat dir;
	pid_t pid;

	if (stat(path, &dir) < 0)
		return false;
	while (hf_scan_line(&s, &line) > 0) {
		pid = locker_in(line, &dir, is_ancestor);
		if (pid > 0 && pid != getpid() && is_of_trust(pid, &dir))
			return true;
	}
	return false;
}

/* The target or one of its ancestors is locked by somebody whose lock is to be believed. */
static bool is_locked_in_trust(const struct hf_freezer *f)
{
	struct hf_buf locks __attribute__((cleanup(hf_buf_done))) = { 0 };
	char path[PATH_MAX], *slash;
	bool found;

	if (hf_read_at(AT_FDCWD, "/proc/locks", &locks) < 0)
		return false;
	snprintf(path, sizeof(path), "%s", f->path);
	do {
		found = has_lock_of_trust(&locks, path, strlen(path) < strlen(f->path));
		slash = strrchr(path, '/');
		if (slash)
			*slash = '\0';
	} while (!found && slash && (size_t)(slash - path) >= f->mount_len && slash != path);
	return found;
}

/* ---- Locking ----------------------------------------------------------------------------- */

/*
 * A directory can be locked by whoever can open it, and no user shall keep another from a hold that way.  So a
 * stranger's lock is believed for as long as a holdfast may need to look; after that only where there is something to
 * be seen of a hold.  One look is not enough: where others take hold after hold, we may have come between two.
 */
#define LOCK_BELIEVED_MS 1000
#define LOCK_WATCHED_MS 250

static struct hf_deadline within_half(struct hf_deadline deadline, uint64_t ms)
{
	uint64_t half_ms = hf_deadline_left_ns(deadline) / 2000000;

	return hf_deadline_within_ms(deadline, half_ms < ms ? half_ms : ms);
}

/* 0 once it is ours, or whoever has it does nothing with it; else -ETIMEDOUT, or -errno. */
static int lock_or_see_nothing(struct hf_freezer *f, struct hf_deadline deadline)
{
	struct hf_deadline end = within_half(deadline, LOCK_WATCHED_MS);
	struct hf_nap nap = HF_NAP_INIT;
	pid_t tracer;
	int r;

	do {
		if (is_locked_in_trust(f) || hf_lock_is_meant(f, &tracer))
			return hf_freezer_lock(f, deadline);
		r = hf_freezer_lock(f, hf_deadline_in_ms(0));
	} while (r == -ETIMEDOUT && hf_nap(&nap, end));
	if (r != -ETIMEDOUT || hf_deadline_passed(deadline))
		return r;
	f->unlocked = true;
	return 0;
}

int hf_lock_refuse_found(const struct hf_freezer *f, struct hf_error *err)
{
	size_t i;

	for (i = 0; f->unlocked && i < f->n_levels; i++)
		if (f->levels[i].frozen_found)
			return hf_lock_refuse(f, err);
	return 0;
}

int hf_lock_out_others(struct hf_freezer *f, struct hf_deadline deadline, struct hf_error *err)
{
	int r = hf_freezer_lock(f, within_half(deadline, LOCK_BELIEVED_MS));

	if (r == -ETIMEDOUT && !hf_deadline_passed(deadline))
		r = lock_or_see_nothing(f, deadline);
	if (r == -ETIMEDOUT)
		return hf_lock_refuse(f, err);
	return r == 0 ? 0 : hf_fail(err, -r, HF_STAGE_LOOK, 0, "cannot lock cgroup %s: %s", f->path,
				    strerror(-r));
}
