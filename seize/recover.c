/* SPDX-License-Identifier: MIT */
/*
 * recover - put back what holders left behind that were killed together with their guards.  Their journals
 * (journal.h) tell what was found and what was left; whoever is not dead still has the lock on his.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "err.h"
#include "freezer.h"
#include "hold_state.h"
#include "journal.h"
#include "own.h"
#include "rundir.h"

#define SUFFIX ".hold"
#define FILE_MAX (16u << 20)

struct recovery {
	bool dry_run;
	hf_leftover_fn tell;
	void *data;
	struct hf_error *err;
	int dirfd;
	char dir[PATH_MAX];
	int changed;
	int first;		/* failure */
};

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

/* ---- Telling ------------------------------------------------------------------------------------ */

static const char *state_of(bool frozen)
{
	return frozen ? "frozen" : "thawed";
}

static void say(const struct recovery *rec, const struct hf_leftover *l, int code)
{
	struct hf_leftover told = *l;
	char text[2 * PATH_MAX + 256];

	switch (l->kind) {
	case HF_LEFTOVER_CHANGED:
		snprintf(text, sizeof(text), "%s cgroup %s, which process %d left %s when it was killed",
			 rec->dry_run ? l->frozen_found ? "would freeze" : "would thaw" :
			 l->frozen_found ? "froze" : "thawed", l->path, l->holder,
			 state_of(l->frozen_left));
		break;
	case HF_LEFTOVER_KEPT:
		snprintf(text, sizeof(text),
			 "cgroup %s stays frozen, as process %d was asked in case of its death; holdfast thaw lets it go",
			 l->path, l->holder);
		break;
	case HF_LEFTOVER_FOREIGN:
		snprintf(text, sizeof(text),
			 "cgroup %s was %s by somebody else after process %d had died, and is left so",
			 l->path, state_of(!l->frozen_left), l->holder);
		break;
	case HF_LEFTOVER_HELD:
		snprintf(text, sizeof(text), "cgroup %s, which process %d left %s, is held by somebody else now",
			 l->path, l->holder, state_of(l->frozen_left));
		break;
	case HF_LEFTOVER_FAILED:
		snprintf(text, sizeof(text), "cgroup %s, which process %d left %s, cannot be %s: %s", l->path,
			 l->holder, state_of(l->frozen_left), state_of(l->frozen_found),
			 strerror(code));
		break;
	case HF_LEFTOVER_UNREADABLE:
		snprintf(text, sizeof(text), "%s is no journal of this version of holdfast%s%s, and is left there",
			 l->path, code == EBADMSG ? "" : ": ", code == EBADMSG ? "" : strerror(code));
		break;
	}
	told.text = text;
	if (rec->tell)
		rec->tell(&told, rec->data);
}

static void failed(struct recovery *rec, int code, const char *what)
{
	if (rec->first == 0)
		rec->first = hf_fail(rec->err, code, HF_STAGE_RELEASE, 0, "cannot recover %s: %s", what,
				     strerror(code));
	hf_fail_note(rec->err, HF_UNDO_FAILED, "what could not be done now can be tried again");
}

/* ---- One cgroup --------------------------------------------------------------------------------- */

/* Open a level's setting.  -ENOENT where the directory is gone, or is one that was made since. */
static int open_setting(const struct hf_journal_page *page, size_t level, int top)
{
	const char *name = hf_journal_name(page, level);
	hf_owned_fd dir = openat(top, name[0] ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int fd;

	if (dir < 0 || fstat(dir, &st) < 0)
		return -errno;
	if (st.st_ino != page->levels[level].inode)
		return -ENOENT;
	fd = openat(dir, page->version == 2 ? "cgroup.freeze" : "freezer.state", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void tell_level(struct recovery *rec, const struct hf_journal_page *page, size_t level,
		       enum hf_leftover_kind kind, int code)
{
	const struct hf_journal_level *l = &page->levels[level];
	const char *name = hf_journal_name(page, level);
	char path[2 * PATH_MAX];
	struct hf_leftover left = {
		.kind = kind, .path = path, .version = page->version, .frozen_found = l->found,
		.frozen_left = l->now, .holder = page->holder, .since_us = page->since_us,
	};

	snprintf(path, sizeof(path), "%s%s%s", hf_journal_path(page), name[0] ? "/" : "", name);
	say(rec, &left, code);
	if (kind == HF_LEFTOVER_CHANGED)
		rec->changed++;
	if (kind == HF_LEFTOVER_FAILED)
		failed(rec, code, path);
}

/* What would come of putting one level back, as it is now. */
static enum hf_leftover_kind foresee(const struct hf_journal_page *page, size_t level)
{
	const struct hf_journal_level *l = &page->levels[level];
	bool hidden = page->version == 1 && level > 0 && page->levels[0].fd >= 0 &&
		      hf_journal_shows(page, &page->levels[0], true);

	return hidden || hf_journal_shows(page, l, l->now) ? HF_LEFTOVER_CHANGED : HF_LEFTOVER_FOREIGN;
}

static enum hf_leftover_kind put_back(struct hf_journal_page *page, size_t level)
{
	struct hf_put_back count = { 0, 0, 0 };

	hf_journal_put_back_one(page, level, &count);
	if (count.failed)
		return HF_LEFTOVER_FAILED;
	return count.foreign ? HF_LEFTOVER_FOREIGN : HF_LEFTOVER_CHANGED;
}

/* Returns whether nothing is left to be done for this level. */
static bool recover_level(struct recovery *rec, struct hf_journal_page *page, size_t level)
{
	struct hf_journal_level *l = &page->levels[level], was = { .now = l->now };
	enum hf_leftover_kind kind;

	if ((bool)l->now == (bool)l->found || l->fd < 0)
		return true;
	errno = 0;
	kind = rec->dry_run ? foresee(page, level) : put_back(page, level);
	if (kind == HF_LEFTOVER_CHANGED && !rec->dry_run && !hf_journal_shows(page, l, l->found) &&
	    (page->version == 2 || l->found))
		kind = HF_LEFTOVER_FAILED;
	l->now = was.now;
	tell_level(rec, page, level, kind, errno ? errno : EIO);
	return kind != HF_LEFTOVER_FAILED;
}

/* ---- One journal -------------------------------------------------------------------------------- */

static void close_settings(struct hf_journal_page *page)
{
	size_t i;

	for (i = 0; i < page->n; i++)
		if (page->levels[i].fd >= 0)
			close(page->levels[i].fd);
}

/* Kept on purpose: told as long as it is frozen by that. */
static bool recover_kept(struct recovery *rec, struct hf_journal_page *page)
{
	if (page->levels[0].fd < 0 || !hf_journal_shows(page, &page->levels[0], true))
		return true;
	tell_level(rec, page, 0, HF_LEFTOVER_KEPT, 0);
	return false;
}

static bool recover_page(struct recovery *rec, struct hf_journal_page *page)
{
	hf_owned_fd top = open(hf_journal_path(page), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	bool done = true;
	size_t i;

	for (i = 0; i < page->n; i++)
		page->levels[i].fd = top < 0 || (i > 0 && page->levels[i].now == (bool)page->levels[i].found) ?
				     -1 : open_setting(page, i, top);
	if (top >= 0 && flock(top, LOCK_EX | LOCK_NB) < 0) {
		for (i = 0; i < page->n; i++)
			if ((bool)page->levels[i].now != (bool)page->levels[i].found)
				tell_level(rec, page, i, HF_LEFTOVER_HELD, 0);
		done = false;
	} else if (page->on_death == HF_ON_DEATH_STAY) {
		done = recover_kept(rec, page);
	} else {
		/* Children first. */
		for (i = page->n; i-- > 0;)
			done &= recover_level(rec, page, i);
	}
	close_settings(page);
	return done;
}

static void unreadable(struct recovery *rec, const char *name, int code)
{
	char path[2 * PATH_MAX];
	struct hf_leftover left = { .kind = HF_LEFTOVER_UNREADABLE, .path = path };

	snprintf(path, sizeof(path), "%s/%s", rec->dir, name);
	say(rec, &left, code);
}

static void recover_file(struct recovery *rec, const char *name)
{
	hf_owned_fd fd = openat(rec->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	hf_owned char *bytes = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (errno != ENOENT)
			unreadable(rec, name, errno);
		return;
	}
	/* Somebody lives who will see to it. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > FILE_MAX) {
		unreadable(rec, name, EBADMSG);
		return;
	}
	bytes = malloc((size_t)st.st_size);
	if (!bytes) {
		failed(rec, ENOMEM, name);
		return;
	}
	if (pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size ||
	    !hf_journal_valid(bytes, (size_t)st.st_size)) {
		unreadable(rec, name, EBADMSG);
		return;
	}
	if (recover_page(rec, (struct hf_journal_page *)(void *)bytes) && !rec->dry_run &&
	    unlinkat(rec->dirfd, name, 0) < 0 && errno != ENOENT)
		failed(rec, errno, name);
}

HF_API int hf_recover(const struct hf_recover_options *opts, hf_leftover_fn tell, void *data,
		      struct hf_error *err)
{
	struct hf_recover_options o = HF_RECOVER_OPTIONS_INIT;
	hf_owned_dir DIR *dir = NULL;
	hf_owned_fd fd = -1;
	struct recovery rec = { .tell = tell, .data = data, .err = err };
	struct dirent *e;
	int r = 0;

	if (opts)
		r = hf_options_copy(&o, opts, opts->size, sizeof(o), err);
	if (r < 0)
		return r;
	rec.dry_run = o.dry_run != 0;
	r = hf_rundir_path(rec.dir, sizeof(rec.dir));
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0,
			       "this user has no runtime directory, where journals would be");
	fd = hf_rundir_open(false);
	if (fd == -ENOENT)
		return 0;	/* no journal was ever kept */
	rec.dirfd = fd;
	if (fd >= 0)
		dir = fdopendir(dup(fd));
	if (fd < 0 || !dir)
		return hf_fail(err, fd < 0 ? -fd : errno, HF_STAGE_LOOK, 0, "cannot read %s: %s%s", rec.dir,
			       strerror(fd < 0 ? -fd : errno),
			       fd == -EPERM ? "; it belongs to somebody else, or others may write to it" : "");
	while ((e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len > strlen(SUFFIX) && !strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX))
			recover_file(&rec, e->d_name);
	}
	return rec.first < 0 ? rec.first : rec.changed;
}
