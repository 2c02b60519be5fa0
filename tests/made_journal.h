/* SPDX-License-Identifier: MIT */
/*
 * made_journal - journals made up from the bytes of a fuzzer, and written by the code that writes them for holds.
 */
#ifndef HF_TESTS_MADE_JOURNAL_H
#define HF_TESTS_MADE_JOURNAL_H

#include "freezer.h"
#include "fuzz.h"
#include "journal.h"

#define MADE_LEVELS_MAX 5

struct made_level {
	char name[16];
	bool found, now;
	bool replaced;		/* the directory of that name is another one than the journal's */
};

struct made_journal {
	int version;
	uint32_t on_death;	/* 3 is none that is known */
	size_t n;
	struct made_level levels[MADE_LEVELS_MAX];
};

static inline uint8_t made_byte(struct fuzz_source *from)
{
	uint8_t byte;

	fuzz_take(from, &byte, 1);
	return byte;
}

/* Names are often those that fuzz_recover.c makes directories of. */
static inline void made_level_take(struct fuzz_source *from, struct made_level *ret)
{
	static const char *const names[] = { "", "a", "a/b", "c d", "gone", "a/../a" };
	uint8_t which = made_byte(from), how = made_byte(from);

	memset(ret, 0, sizeof(*ret));
	if (which % 8 < sizeof(names) / sizeof(names[0]))
		strcpy(ret->name, names[which % 8]);
	else
		fuzz_take_string(from, ret->name, sizeof(ret->name));
	ret->found = how & 1;
	ret->now = how & 2;
	ret->replaced = how & 4;
}

static inline void made_journal_take(struct fuzz_source *from, struct made_journal *ret)
{
	uint8_t kind = made_byte(from);

	ret->version = kind & 1 ? 1 : 2;
	ret->on_death = kind >> 1 & 3;
	ret->n = (kind >> 3) % (MADE_LEVELS_MAX + 1);
	for (size_t i = 0; i < ret->n; i++)
		made_level_take(from, &ret->levels[i]);
}

/* As for a hold of the directory at path, without a byte to spare; free() it. */
static inline struct hf_journal_page *made_journal_page(const struct made_journal *m, const char *path,
							int dirfd)
{
	struct hf_level levels[MADE_LEVELS_MAX] = { 0 };
	char *own_path = strdup(path);
	struct hf_freezer f = HF_FREEZER_INIT;
	struct hf_journal j = HF_JOURNAL_INIT;
	struct hf_journal_page *page;
	struct made_level names[MADE_LEVELS_MAX];
	size_t i;

	f.version = m->version;
	f.dirfd = dirfd;
	f.path = own_path;
	f.levels = levels;
	f.n_levels = m->n;
	memcpy(names, m->levels, sizeof(names));
	for (i = 0; i < m->n; i++)
		levels[i] = (struct hf_level){ .name = names[i].name, .fd = -1, .self_found = m->levels[i].found,
					       .self_now = m->levels[i].now };
	FUZZ_REQUIRE(own_path && hf_journal_make(&j, &f, false) == 0);
	page = fuzz_exact(j.page, j.page->size);
	hf_journal_end(&j, &f);
	free(own_path);
	page->on_death = m->on_death;
	for (i = 0; i < m->n; i++)
		page->levels[i].inode ^= m->levels[i].replaced;
	return page;
}

#endif
