/* SPDX-License-Identifier: MIT */
/*
 * recover - put back what holders left behind that were killed together with their guards.  Their journals
 * (journal.h) tell what was found and what was left; whoever is not dead still has the lock on his.
 *
 *	journal		of an earlier boot		removed: no freeze outlives a boot
 *			locked, its holder lives	none of our business
 *			locked, its guard lives		waited for, a second
 *			locked by a child of theirs	as if it were not locked
 *	cgroup		by its path, or else by its id	recover_find.c
 *			another holdfast has it		left to that
 *	each level	as it was left			put back, and noted at once
 *			otherwise			somebody else's decision
 *
 * The runtime directory is locked meanwhile: of two recovers the second finds nothing left to do.
 *
 * A setting that happens to be as the dead holder left it may be somebody else's by now, and cannot be told from his.
 * Who uses our own plain freeze and thaw is not overruled: those have forgotten what was noted before.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cancel.h"
#include "err.h"
#include "freezer.h"
#include "hold_state.h"
#include "journal.h"
#include "leftover.h"
#include "lock.h"
#include "own.h"
#include "procfs.h"
#include "recover_find.h"
#include "rundir.h"

#define SUFFIX ".hold"
/* A guard puts back within 50 ms, and whoever takes a hold soon has somebody attached. */
#define WAIT_MS 1000
/* Two recovers at once. */
#define TURN_MS 10000

struct recovery {
	void (*each)(struct recovery *rec, const char *name);	/* for the file of each journal */
	const struct hf_freezer *freezer;	/* whose past is to be forgotten */
	bool dry_run;
	hf_leftover_fn tell;
	void *data;
	struct hf_error *err;
	struct hf_origin here;
	int dirfd;
	char dir[PATH_MAX];
	int changed;
	int first;		/* failure */
};

/* One journal at work. */
struct record {
	struct recovery *rec;
	const char *name;		/* of its file */
	int fd;
	struct hf_journal_page *page;
};

/* ---- Telling ------------------------------------------------------------------------------------ */

static void say(const struct recovery *rec, const struct hf_leftover *l, const struct hf_leftover_more *more)
{
	struct hf_leftover told = *l;
	char text[2 * PATH_MAX + 512];

	hf_leftover_say(l, more, text, sizeof(text));
	told.text = text;
	if (rec->tell)
		rec->tell(&told, rec->data);
}

/* The first failure counts; what: "recover cgroup", say. */
static void note_failure(struct recovery *rec, int code, const char *what, const char *path)
{
	if (rec->first == 0)
		rec->first = hf_fail(rec->err, code, HF_STAGE_RELEASE, 0, "cannot %s %s: %s", what, path,
				     hf_leftover_reason(code));
}

/* Something stays as it should not. */
static void note_not_undone(struct recovery *rec)
{
	if (!rec->err || rec->err->undo != HF_UNDO_FAILED)
		hf_fail_note(rec->err, HF_UNDO_FAILED, "what could not be done now can be tried again");
}

static void tell_level(const struct record *r, size_t level, enum hf_leftover_kind kind,
		       const struct hf_leftover_more *more)
{
	const struct hf_journal_page *page = r->page;
	const struct hf_journal_level *l = &page->levels[level];
	const char *name = hf_journal_name(page, level);
	char path[2 * PATH_MAX];
	struct hf_leftover left = {
		.kind = kind, .path = path, .version = page->version, .frozen_found = l->found,
		.frozen_left = l->now, .holder = page->holder.pid, .since_us = page->since_us,
	};

	snprintf(path, sizeof(path), "%s%s%s", hf_journal_path(page), name[0] ? "/" : "", name);
	say(r->rec, &left, more);
	if (kind == HF_LEFTOVER_CHANGED)
		r->rec->changed++;
	if (kind == HF_LEFTOVER_FAILED) {
		note_failure(r->rec, more->code, "recover cgroup", path);
		note_not_undone(r->rec);
	}
}

static bool is_left_changed(const struct hf_journal_level *l)
{
	return (bool)l->now != (bool)l->found;
}

static void tell_all_held(const struct record *r, pid_t guard)
{
	const struct hf_leftover_more more = { .guard = guard };
	size_t i;

	for (i = 0; i < r->page->n; i++)
		if (is_left_changed(&r->page->levels[i]))
			tell_level(r, i, HF_LEFTOVER_HELD, &more);
}

static void unreadable(struct recovery *rec, const char *name, int code)
{
	const struct hf_leftover_more more = { .code = code };
	char path[2 * PATH_MAX];
	struct hf_leftover left = { .kind = HF_LEFTOVER_UNREADABLE, .path = path };

	snprintf(path, sizeof(path), "%s/%s", rec->dir, name);
	say(rec, &left, &more);
	/* It may tell of something that was left frozen, and nobody can say. */
	note_failure(rec, code, "read journal", path);
}

/* ---- One cgroup --------------------------------------------------------------------------------- */

/*
 * So that neither another try nor the next recover takes for the dead holder's doing what somebody else may do from
 * now on.
 */
static void note_put_back(const struct record *r, size_t level)
{
	const size_t at = offsetof(struct hf_journal_page, levels) +
			  level * sizeof(struct hf_journal_level) + offsetof(struct hf_journal_level, now);

	if (pwrite(r->fd, &r->page->levels[level].found, 1, (off_t)at) != 1)
		note_failure(r->rec, errno, "write journal", r->name);
}

static enum hf_leftover_kind put_back(const struct record *r, size_t level, int *ret_code)
{
	struct hf_journal_level *l = &r->page->levels[level];
	struct hf_put_back count = { 0, 0, 0 };
	int shown;

	errno = 0;
	hf_journal_put_back_one(r->page, level, &count);
	*ret_code = errno ? errno : EIO;
	if (count.foreign)
		return HF_LEFTOVER_FOREIGN;
	if (count.failed)
		return HF_LEFTOVER_FAILED;
	/* It was taken; it also has to be so. */
	shown = hf_journal_read(l);
	if (shown >= 0 && shown != l->found)
		return HF_LEFTOVER_FAILED;
	note_put_back(r, level);
	return HF_LEFTOVER_CHANGED;
}

/* Returns whether nothing is left to be done for this level. */
static bool recover_level(const struct record *r, size_t level)
{
	struct hf_journal_level *l = &r->page->levels[level];
	struct hf_leftover_more more = { .dry_run = r->rec->dry_run };
	enum hf_leftover_kind kind = HF_LEFTOVER_CHANGED;
	bool left = l->now;

	if (!is_left_changed(l) || l->fd == -ENOENT)
		return true;
	if (l->fd < 0) {
		kind = HF_LEFTOVER_FAILED;
		more.code = -l->fd;
	} else if (!r->rec->dry_run) {
		kind = put_back(r, level, &more.code);
	} else if (hf_journal_is_foreign(l)) {
		kind = HF_LEFTOVER_FOREIGN;
	}
	l->now = left;
	tell_level(r, level, kind, &more);
	return kind != HF_LEFTOVER_FAILED;
}

/* What was to be frozen on purpose is told of as long as it is. */
static bool recover_kept(const struct record *r)
{
	const struct hf_leftover_more more = { .on_death = r->page->on_death };
	const struct hf_journal_level *top = &r->page->levels[0];

	if (!is_left_changed(top) || top->fd < 0 || hf_journal_read(top) == 0)
		return recover_level(r, 0);
	tell_level(r, 0, HF_LEFTOVER_KEPT, &more);
	return false;
}

static bool recover_levels(const struct record *r)
{
	bool done = true;
	size_t i;

	/* Children first. */
	for (i = r->page->n; i-- > 1;)
		done &= recover_level(r, i);
	return (r->page->on_death == HF_ON_DEATH_RESUME ? recover_level(r, 0) : recover_kept(r)) && done;
}

/*
 * Another holdfast has it.  Whoever can open a directory can lock it, a child that the dead holder's program left
 * as well: so the lock alone is believed for a second only.
 */
static bool is_held(struct hf_freezer *f)
{
	unsigned int ms;
	pid_t tracer;

	for (ms = 0;; ms = WAIT_MS) {
		if (hf_freezer_lock(f, hf_deadline_in_ms(ms)) == 0)
			return false;
		hf_lock_is_meant(f, &tracer);
		if (tracer)
			return true;
		if (ms)
			return false;
	}
}

static bool recover_found(const struct record *r, int top)
{
	struct hf_freezer f __attribute__((cleanup(hf_freezer_done))) = HF_FREEZER_INIT;
	char path[64];

	/* As it is called here and now. */
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", top);
	if (hf_freezer_open(&f, path, NULL) == 0 && is_held(&f)) {
		tell_all_held(r, 0);
		return false;
	}
	return recover_levels(r);
}

static bool recover_page(const struct record *r)
{
	struct hf_journal_page *page = r->page;
	hf_owned_fd top = hf_recover_find_top(page, &r->rec->here);
	bool done;
	size_t i;

	/* Of those below only what is to be written. */
	for (i = 0; i < page->n; i++) {
		page->levels[i].fd = page->levels[i].self_fd = -EBADF;
		if (i == 0 || is_left_changed(&page->levels[i]))
			hf_recover_open(page, i, top, &r->rec->here);
	}
	done = top < 0 ? recover_levels(r) : recover_found(r, top);
	for (i = 0; i < page->n; i++) {
		hf_own_close(&page->levels[i].self_fd);
		hf_own_close(&page->levels[i].fd);
	}
	return done;
}

/* ---- One journal -------------------------------------------------------------------------------- */

/* Read a whole journal: the caller's to free, or NULL and *ret_code, 0 where it has been removed meanwhile. */
static struct hf_journal_page *read_page(int fd, int *ret_code)
{
	hf_owned char *bytes = NULL;
	struct stat st;

	*ret_code = EBADMSG;
	if (fstat(fd, &st) < 0) {
		*ret_code = errno;
		return NULL;
	}
	if (st.st_nlink == 0) {
		*ret_code = 0;
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > HF_JOURNAL_FILE_MAX)
		return NULL;
	bytes = malloc((size_t)st.st_size);
	if (!bytes) {
		*ret_code = ENOMEM;
		return NULL;
	}
	if (pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size ||
	    !hf_journal_valid(bytes, (size_t)st.st_size))
		return NULL;
	return (struct hf_journal_page *)(void *)hf_take_ptr(bytes);
}

static bool lock_within(int fd, unsigned int ms)
{
	struct hf_deadline deadline = hf_deadline_in_ms(ms);
	struct hf_nap nap = HF_NAP_INIT;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0)
		if (!hf_nap(&nap, deadline))
			return false;
	return true;
}

/*
 * Whether nobody looks after this journal any more, and it is ours.  A lock that both holder and guard have left
 * behind is that of a child of theirs, and says nothing.
 */
static bool is_ours(struct recovery *rec, int fd, const char *name)
{
	hf_owned struct hf_journal_page *page = NULL;
	struct record r = { rec, name, fd, NULL };
	int code;

	if (lock_within(fd, 0))
		return true;
	page = r.page = read_page(fd, &code);
	if (!page || !hf_origin_same_boot(&page->origin, &rec->here) ||
	    !hf_origin_same_pids(&page->origin, &rec->here) || hf_process_lives(&page->holder))
		return false;
	if (!hf_process_lives(&page->guard) || lock_within(fd, WAIT_MS) || !hf_process_lives(&page->guard))
		return true;
	tell_all_held(&r, page->guard.pid);
	return false;
}

static void recover_file(struct recovery *rec, const char *name)
{
	int flags = (rec->dry_run ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	hf_owned_fd fd = openat(rec->dirfd, name, flags);
	hf_owned struct hf_journal_page *page = NULL;
	struct record r = { rec, name, fd, NULL };
	int code;

	if (fd < 0) {
		if (errno != ENOENT)
			unreadable(rec, name, errno == EISDIR || errno == ELOOP ? EBADMSG : errno);
		return;
	}
	if (!is_ours(rec, fd, name))
		return;
	page = r.page = read_page(fd, &code);
	if (!page) {
		if (code)
			unreadable(rec, name, code);
		return;
	}
	if ((!hf_origin_same_boot(&page->origin, &rec->here) || recover_page(&r)) && !rec->dry_run &&
	    unlinkat(rec->dirfd, name, 0) < 0 && errno != ENOENT)
		note_failure(rec, errno, "remove journal", name);
}

/* ---- All of them -------------------------------------------------------------------------------- */

static int read_names(struct recovery *rec, DIR *dir)
{
	struct dirent *e;

	while ((e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len > strlen(SUFFIX) && !strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX))
			rec->each(rec, e->d_name);
	}
	return rec->first < 0 ? rec->first : rec->changed;
}

static int each_journal(struct recovery *rec, unsigned int turn_ms)
{
	hf_owned_dir DIR *dir = NULL;
	hf_owned_fd fd = hf_rundir_open(false);

	if (fd == -ENOENT)
		return 0;	/* no journal was ever kept */
	if (fd < 0)
		return hf_fail(rec->err, -fd, HF_STAGE_LOOK, 0, "cannot read %s: %s%s", rec->dir, strerror(-fd),
			       fd == -EPERM ? "; it belongs to somebody else, or others may write to it" : "");
	dir = fdopendir(fd);
	if (!dir)
		return hf_fail(rec->err, errno, HF_STAGE_LOOK, 0, "cannot read %s: %s", rec->dir, strerror(errno));
	rec->dirfd = hf_take_fd(&fd);
	if (!lock_within(rec->dirfd, turn_ms))
		return hf_fail(rec->err, EBUSY, HF_STAGE_LOOK, 0,
			       "%s is locked, perhaps by another recover that is at work", rec->dir);
	return read_names(rec, dir);
}

HF_API int hf_recover(const struct hf_recover_options *opts, hf_leftover_fn tell, void *data,
		      struct hf_error *err)
{
	HF_UNCANCELLED;
	struct hf_recover_options o = HF_RECOVER_OPTIONS_INIT;
	struct recovery rec = { .each = recover_file, .tell = tell, .data = data, .err = err };
	int r = 0;

	if (opts)
		r = hf_options_copy(&o, opts, opts->size, sizeof(o), err);
	if (r < 0)
		return r;
	rec.dry_run = o.dry_run != 0;
	hf_origin_here(&rec.here);
	r = hf_rundir_path(rec.dir, sizeof(rec.dir));
	if (r < 0)
		return hf_fail(err, -r, HF_STAGE_LOOK, 0,
			       "this user has no runtime directory, where journals would be");
	return each_journal(&rec, TURN_MS);
}

/* ---- Forgetting --------------------------------------------------------------------------------- */

/* What is noted of this cgroup counts no more; a journal that has nothing else to tell goes. */
static void forget_page(const struct record *r, uint64_t inode)
{
	struct hf_journal_page *page = r->page;
	bool done = true;
	size_t i;

	for (i = 0; i < page->n; i++) {
		struct hf_journal_level *l = &page->levels[i];

		if (page->version == r->rec->freezer->version && l->inode == inode && is_left_changed(l)) {
			note_put_back(r, i);
			l->now = l->found;
		}
		done &= !is_left_changed(l);
	}
	if (done)
		unlinkat(r->rec->dirfd, r->name, 0);
}

static void forget_file(struct recovery *rec, const char *name)
{
	hf_owned_fd fd = openat(rec->dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	hf_owned struct hf_journal_page *page = NULL;
	struct record r = { rec, name, fd, NULL };
	struct stat st;
	int code;

	if (fd < 0 || fstat(rec->freezer->dirfd, &st) < 0 || !is_ours(rec, fd, name))
		return;
	page = r.page = read_page(fd, &code);
	if (page && hf_origin_same_boot(&page->origin, &rec->here))
		forget_page(&r, st.st_ino);
}

void hf_recover_forget(const struct hf_freezer *f)
{
	struct recovery rec = { .each = forget_file, .freezer = f };

	hf_origin_here(&rec.here);
	if (hf_rundir_path(rec.dir, sizeof(rec.dir)) == 0)
		each_journal(&rec, WAIT_MS);
}
