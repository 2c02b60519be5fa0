/* SPDX-License-Identifier: MIT */
/*
 * journal - see journal.h.
 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "freezer_files.h"
#include "own.h"
#include "procfs.h"
#include "rundir.h"

#define WRITE_TRIES 100	/* a millisecond apart */
#define ROOM_TRIES 100

/* ---- Putting back ----------------------------------------------------------------------------- */

static const char *word_for(int version, bool frozen)
{
	if (version == 2)
		return frozen ? "1" : "0";
	return frozen ? "FROZEN" : "THAWED";
}

int hf_journal_read(const struct hf_journal_level *l)
{
	char text[16];
	long n;

	/* An offset of 0 is the same wherever an architecture wants its halves. */
	do
		n = syscall(SYS_pread64, l->self_fd, text, sizeof(text), 0L, 0L, 0L);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n > 0 && text[0] == '1';
}

static int write_once(const struct hf_journal_page *page, const struct hf_journal_level *l, bool frozen)
{
	const char *word = word_for(page->version, frozen);
	long n;

	do
		n = syscall(SYS_pwrite64, l->fd, word, strlen(word), 0L, 0L, 0L);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/*
 * Nobody else will do it: what fails for want of memory, say, is tried again.  Only a cgroup that cannot be read
 * either has been removed.
 */
static int insist(const struct hf_journal_page *page, const struct hf_journal_level *l, bool frozen)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	int tries, r = 0;

	for (tries = 0; tries < WRITE_TRIES; tries++) {
		if (tries)
			syscall(SYS_nanosleep, &nap, NULL);
		r = write_once(page, l, frozen);
		if (r == 0 || (hf_is_gone(r) && hf_is_gone(hf_journal_read(l))))
			break;
	}
	return r;
}

int hf_journal_set(struct hf_journal_page *page, size_t level, bool frozen)
{
	struct hf_journal_level *l = &page->levels[level];
	bool was = l->now;
	int r;

	/* Away from what was found: noted first.  Back to it: noted last.  Whoever is killed in between has told. */
	if (frozen != (bool)l->found)
		l->now = frozen;
	r = insist(page, l, frozen);
	l->now = r < 0 ? was : frozen;
	return r;
}

/*
 * What cannot be read is taken for ours: to leave somebody frozen for ever would be worse than to write over
 * somebody's decision.
 */
bool hf_journal_is_foreign(const struct hf_journal_level *l)
{
	int shown = hf_journal_read(l);

	return shown >= 0 && shown != (int)l->now;
}

void hf_journal_put_back_one(struct hf_journal_page *page, size_t i, struct hf_put_back *count)
{
	struct hf_journal_level *l = &page->levels[i];
	int r;

	if (l->now == (bool)l->found)
		return;
	if (hf_journal_is_foreign(l)) {
		count->foreign++;
		return;
	}
	r = hf_journal_set(page, i, l->found);
	if (r == 0) {
		count->done++;
	} else if (hf_is_gone(r)) {
		count->foreign++;
	} else {
		count->failed++;
	}
}

struct hf_put_back hf_journal_put_back(struct hf_journal_page *page)
{
	struct hf_put_back count = { 0, 0, 0 };
	size_t i;

	/* Children first, as in hf_freezer_restore(). */
	for (i = page->n; i-- > 0;)
		hf_journal_put_back_one(page, i, &count);
	return count;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static const char *string_at(const struct hf_journal_page *page, uint32_t at)
{
	return (const char *)page + at;
}

const char *hf_journal_path(const struct hf_journal_page *page)
{
	return string_at(page, page->path);
}

const char *hf_journal_name(const struct hf_journal_page *page, size_t level)
{
	return string_at(page, page->levels[level].name);
}

/* A level's path leads down from the target, and nowhere else. */
static bool leads_down(const char *name)
{
	const char *part = name;

	if (name[0] == '/')
		return false;
	for (; *part; part += strspn(part, "/")) {
		size_t len = strcspn(part, "/");

		if ((len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += len;
	}
	return true;
}

/* Whatever has but a few values has one of them. */
static bool in_range(const struct hf_journal_page *page)
{
	return (page->version == 1 || page->version == 2) && page->on_death <= HF_ON_DEATH_KILL &&
	       memchr(page->origin.boot, '\0', sizeof(page->origin.boot));
}

/* To load a bool that is neither would be undefined. */
static bool has_bits(const struct hf_journal_level *l)
{
	const unsigned char *bytes = (const unsigned char *)l;

	return bytes[offsetof(struct hf_journal_level, found)] <= 1 &&
	       bytes[offsetof(struct hf_journal_level, now)] <= 1;
}

bool hf_journal_valid(const void *bytes, size_t size)
{
	const struct hf_journal_page *page = bytes;
	size_t strings, i;

	if (size < sizeof(*page) || memcmp(page->magic, HF_JOURNAL_MAGIC, sizeof(page->magic)) != 0 ||
	    page->size != size || page->n == 0 || page->n > HF_JOURNAL_LEVELS_MAX || !in_range(page))
		return false;
	strings = sizeof(*page) + page->n * sizeof(page->levels[0]);
	/* The last byte ends the last string, and so every one. */
	if (strings >= size || ((const char *)bytes)[size - 1] != '\0' || page->path < strings ||
	    page->path >= size || hf_journal_path(page)[0] != '/')
		return false;
	for (i = 0; i < page->n; i++) {
		const struct hf_journal_level *l = &page->levels[i];
		uint32_t name = l->name;

		if (!has_bits(l) || name < strings || name >= size || !leads_down(string_at(page, name)))
			return false;
	}
	return true;
}

/* ---- Making ----------------------------------------------------------------------------------- */

/* A target without a freezer has none; nothing of it is to be put back. */
static const char *path_of(const struct hf_freezer *f)
{
	return f->path ? f->path : "";
}

static size_t page_size(const struct hf_freezer *f)
{
	size_t i, size = sizeof(struct hf_journal_page) + strlen(path_of(f)) + 1;

	for (i = 0; i < f->n_levels; i++)
		size += sizeof(struct hf_journal_level) + strlen(f->levels[i].name) + 1;
	return size;
}

static uint32_t add_string(struct hf_journal_page *page, uint32_t *end, const char *text)
{
	uint32_t at = *end;
	size_t len = strlen(text) + 1;

	memcpy((char *)page + at, text, len);
	*end += (uint32_t)len;
	return at;
}

static uint64_t inode_of(const struct hf_freezer *f, const struct hf_level *l)
{
	struct stat st;

	return fstatat(f->dirfd, l->name, &st, AT_EMPTY_PATH) == 0 ? st.st_ino : 0;
}

static void fill(struct hf_journal_page *page, size_t size, struct hf_freezer *f)
{
	uint32_t end;
	size_t i;

	memcpy(page->magic, HF_JOURNAL_MAGIC, sizeof(page->magic));
	page->size = (uint32_t)size;
	page->version = f->version;
	page->holder = hf_process_id_of(getpid());
	hf_origin_here(&page->origin);
	page->since_us = hf_clock_real_us();
	page->n = (uint32_t)f->n_levels;
	end = (uint32_t)(sizeof(*page) + page->n * sizeof(page->levels[0]));
	page->path = add_string(page, &end, path_of(f));
	for (i = 0; i < f->n_levels; i++) {
		struct hf_level *l = &f->levels[i];
		struct hf_journal_level *to = &page->levels[i];

		to->inode = inode_of(f, l);
		to->name = add_string(page, &end, l->name);
		to->fd = l->fd;
		to->self_fd = f->version == 1 ? l->self_fd : l->fd;
		to->found = l->self_found;
		to->now = l->self_now;
		if (l->fd >= 0)
			l->noted = &to->now;
	}
}

/* Unnamed as yet, with all the room it needs: a write to memory must not find the disk full. */
static int make_file(struct hf_journal *j, size_t size)
{
	int tries, r = EINTR;

	if (size > HF_JOURNAL_FILE_MAX)
		return -EFBIG;
	j->dirfd = hf_rundir_open(true);
	if (j->dirfd < 0)
		return j->dirfd;
	j->fd = openat(j->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (j->fd < 0 || flock(j->fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	/* It may be interrupted by any signal of the caller's program (fallocate(2); not seen on tmpfs of Linux 6.18). */
	for (tries = 0; r == EINTR && tries < ROOM_TRIES; tries++)
		r = posix_fallocate(j->fd, 0, (off_t)size);
	return -r;
}

void hf_journal_show(struct hf_journal *j)
{
	struct hf_journal_page *page = j->page;
	uint64_t random;
	char from[64];

	if (j->fd < 0 || getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		return;
	snprintf(from, sizeof(from), "/proc/thread-self/fd/%d", j->fd);
	/*
	 * Noted first: should we die in between, the guard tries to remove a file that is not there, and no other
	 * journal has that name.
	 */
	snprintf(page->name, sizeof(page->name), "%016llx.hold", (unsigned long long)random);
	if (linkat(AT_FDCWD, from, j->dirfd, page->name, AT_SYMLINK_FOLLOW) < 0)
		page->name[0] = '\0';
}

static void close_file(struct hf_journal *j)
{
	hf_own_close(&j->fd);
	hf_own_close(&j->dirfd);
	j->fd = j->dirfd = -1;
}

static bool map(struct hf_journal *j, size_t size)
{
	int flags = j->fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS;
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, j->fd, 0);

	if (page == MAP_FAILED)
		return false;
	j->page = page;
	j->size = size;
	return true;
}

static void unmap(struct hf_journal *j)
{
	if (j->page)
		munmap(j->page, j->size);
	j->page = NULL;
}

int hf_journal_make(struct hf_journal *j, struct hf_freezer *f, bool with_file)
{
	size_t size = page_size(f);

	*j = (struct hf_journal)HF_JOURNAL_INIT;
	if (!with_file || f->n_levels == 0 || make_file(j, size) < 0 || !map(j, size)) {
		close_file(j);
		if (!map(j, size))
			return -ENOMEM;
	}
	fill(j->page, size, f);
	return 0;
}

void hf_journal_settle(struct hf_journal_page *page)
{
	size_t i;

	for (i = 0; page && i < page->n; i++)
		page->levels[i].found = page->levels[i].now;
}

static bool is_as_found(const struct hf_journal_page *page)
{
	size_t i;

	for (i = 0; i < page->n; i++)
		if (page->levels[i].now != (bool)page->levels[i].found)
			return false;
	return true;
}

void hf_journal_remove_settled(const struct hf_journal *j)
{
	if (j->fd >= 0 && j->page->name[0] && is_as_found(j->page))
		syscall(SYS_unlinkat, j->dirfd, j->page->name, 0);
}

void hf_journal_end(struct hf_journal *j, struct hf_freezer *f)
{
	size_t i;

	if (j->page)
		hf_journal_remove_settled(j);
	for (i = 0; i < f->n_levels; i++)
		f->levels[i].noted = NULL;
	unmap(j);
	close_file(j);
	*j = (struct hf_journal)HF_JOURNAL_INIT;
}
