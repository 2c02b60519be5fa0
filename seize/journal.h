/* SPDX-License-Identifier: MIT */
/*
 * journal - the record of every freezer setting that a hold may change: what was found, and what it is now.
 * It is a page of memory that the holder shares with its guard, and a file of the runtime directory
 * (rundir.h), so that what is noted needs no system call and is there when both have been killed.
 *
 *	holder			notes each setting before writing it	hf_freezer_set()
 *	guard			puts back what a dead holder left	guard_undo.c
 *	holdfast recover	puts back what a dead guard left	recover.c
 *
 * The file is locked (flock(2)) by the open file that holder and guard share: who gets the lock knows
 * that both have ended.  It appears complete and locked, and is removed when everything is as it was found.
 */
#ifndef HF_JOURNAL_H
#define HF_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "freezer.h"
#include "origin.h"

/* The layout below, and its version. */
#define HF_JOURNAL_MAGIC "hfjrnl2\n"
#define HF_JOURNAL_LEVELS_MAX 65536u
/* A larger one is kept in memory only. */
#define HF_JOURNAL_FILE_MAX (64u << 20)

struct hf_journal_level {
	uint64_t inode;			/* of its directory: one made later under the same name is another */
	uint32_t name;			/* its path below the target: offset of a string in the page */
	int32_t fd;			/* its setting, open for writing, in holder and guard; -1: never written */
	int32_t self_fd;		/* what shows that setting, and no ancestor's: on v2 the same */
	uint8_t found;
	_Atomic bool now;		/* noted by the holder before it writes */
};

struct hf_journal_page {
	char magic[8];
	uint32_t size;			/* of all of it, in bytes */
	uint32_t n;			/* levels */
	uint32_t path;			/* the target's directory: offset of a string in the page */
	int32_t version;		/* of the hierarchy */
	struct hf_process_id holder, guard;
	struct hf_origin origin;	/* of the holder */
	_Atomic uint32_t on_death;	/* enum hf_on_death; while nothing is to be kept, RESUME */
	int64_t since_us;		/* CLOCK_REALTIME */
	char name[32];			/* of the file; "" while it has none */

	/* Between holder and guard, see guard.c. */
	_Atomic uint64_t turn;
	_Atomic uint64_t dead_man_ns;	/* CLOCK_MONOTONIC; 0: never */
	_Atomic bool watched;
	_Atomic uint8_t thawed;		/* how often, in one turn */
	_Atomic bool ended;
	_Atomic bool overdue;		/* the guard has killed the holder */

	struct hf_journal_level levels[];
};

struct hf_journal {
	struct hf_journal_page *page;	/* NULL: there is none */
	size_t size;
	int dirfd, fd;			/* of its file; -1 when it has none */
};
#define HF_JOURNAL_INIT { NULL, 0, -1, -1 }

/*
 * Make the journal of a freezer that was opened for writing, and have hf_freezer_set() note in it.
 * with_file: try to have a file, where there is something to put back; where that cannot be (no runtime directory, a full disk) the page has to do.
 * The file has no name yet: it vanishes when nobody has it open any more.  0 or -ENOMEM.
 */
int hf_journal_make(struct hf_journal *j, struct hf_freezer *f, bool with_file);

/* Give the file its name, once there is a guard to remove it.  Where it cannot be, the page has to do. */
void hf_journal_show(struct hf_journal *j);

/* How the settings are now is how they are meant to be: nothing is to be put back.  NULL is allowed. */
void hf_journal_settle(struct hf_journal_page *page);

/* Let go of it.  The file goes with it when every setting is as it was found. */
void hf_journal_end(struct hf_journal *j, struct hf_freezer *f);

/* Remove the file, if there is nothing to put back.  With bare system calls: for the guard. */
void hf_journal_remove_settled(const struct hf_journal *j);

/* How putting back went, in levels. */
struct hf_put_back {
	unsigned int done;
	unsigned int foreign;		/* not as they were left: somebody else's now */
	unsigned int failed;
};

/*
 * Put one level, or every one, back as it was found, children first, with bare system calls.  What is not as the
 * holder left it was changed by somebody else, and stays.
 */
void hf_journal_put_back_one(struct hf_journal_page *page, size_t level, struct hf_put_back *count);
struct hf_put_back hf_journal_put_back(struct hf_journal_page *page);

/* Whether somebody else has changed a level's setting since it was left as noted. */
bool hf_journal_is_foreign(const struct hf_journal_level *l);

/*
 * Write one level's setting and note it, with bare system calls, and again for a tenth of a second should that
 * fail.  0 or -errno; -ENODEV: it has been removed.
 */
int hf_journal_set(struct hf_journal_page *page, size_t level, bool frozen);
/* What a level's own setting is: 1 frozen, 0 thawed, or -errno.  One bare system call. */
int hf_journal_read(const struct hf_journal_level *l);

/*
 * Whether these bytes are a whole journal in which every offset and every word is good.  Pure; any bytes, aligned as
 * malloc() does it.  A page that passes can be used with the accessors below.
 */
bool hf_journal_valid(const void *bytes, size_t size);
const char *hf_journal_path(const struct hf_journal_page *page);
const char *hf_journal_name(const struct hf_journal_page *page, size_t level);

#endif
