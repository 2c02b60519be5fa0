/* SPDX-License-Identifier: MIT */
/*
 * fuzz_journal - which bytes are a journal (seize/journal.c).  Of one that is taken for one every string ends
 * within it and every level's path leads down; one that was made for a hold is one, and says what it
 * was made of; and none is once it has been cut.
 */
#include "made_journal.h"

/* ".", ".." and "/..." lead elsewhere; an empty name is the target itself. */
static int leads_down(const char *name)
{
	char *copy = strdup(name), *rest = copy, *part;
	int down = name[0] != '/';

	FUZZ_REQUIRE(copy != NULL);
	while ((part = strsep(&rest, "/")))
		down &= strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
	free(copy);
	return down;
}

/* What may be relied on in a page that passed: everything that recover.c reads. */
static void require_good(const struct hf_journal_page *page, size_t size)
{
	const char *end = (const char *)page + size;
	size_t i;

	FUZZ_REQUIRE(page->size == size && page->n >= 1 && (page->version == 1 || page->version == 2));
	FUZZ_REQUIRE((const char *)&page->levels[page->n] <= end);
	FUZZ_REQUIRE(hf_journal_path(page) >= (const char *)&page->levels[page->n]);
	FUZZ_REQUIRE(hf_journal_path(page)[0] == '/');
	FUZZ_REQUIRE(hf_journal_path(page) + strlen(hf_journal_path(page)) < end);
	FUZZ_REQUIRE(page->on_death <= HF_ON_DEATH_KILL);
	for (i = 0; i < page->n; i++) {
		const uint8_t *level = (const uint8_t *)&page->levels[i];
		const char *name = hf_journal_name(page, i);

		FUZZ_REQUIRE(name >= (const char *)&page->levels[page->n] && name + strlen(name) < end);
		FUZZ_REQUIRE(leads_down(name));
		/* Any other byte is no bool, and to read it as one undefined. */
		FUZZ_REQUIRE(level[offsetof(struct hf_journal_level, now)] <= 1 && page->levels[i].found <= 1);
	}
}

static int is_journal(const struct hf_journal_page *page, size_t size)
{
	bool valid = hf_journal_valid(page, size);

	if (valid)
		require_good(page, size);
	return valid;
}

/* Any bytes, and any behind a beginning that is good. */
static void fuzz_raw(const uint8_t *data, size_t size)
{
	struct hf_journal_page *page = fuzz_exact(data, size);

	is_journal(page, size);
	if (size >= sizeof(*page)) {
		memcpy(page->magic, HF_JOURNAL_MAGIC, sizeof(page->magic));
		page->size = (uint32_t)size;
		is_journal(page, size);
		page->n = page->n % 8;
		page->version = 1 + page->version % 2;
		page->on_death = 0;
		is_journal(page, size);
	}
	free(page);
}

static void require_as_made(const struct hf_journal_page *page, const struct made_journal *m)
{
	size_t i;

	FUZZ_REQUIRE(page->n == m->n && page->version == m->version);
	FUZZ_REQUIRE(strcmp(hf_journal_path(page), "/the/target") == 0);
	for (i = 0; i < m->n; i++) {
		FUZZ_REQUIRE(strcmp(hf_journal_name(page, i), m->levels[i].name) == 0);
		FUZZ_REQUIRE((bool)page->levels[i].found == m->levels[i].found);
		FUZZ_REQUIRE(page->levels[i].now == m->levels[i].now);
	}
}

static void require_cut_is_none(const struct hf_journal_page *page)
{
	size_t cut;

	for (cut = 0; cut < page->size; cut++) {
		struct hf_journal_page *less = fuzz_exact(page, cut);

		FUZZ_REQUIRE(!hf_journal_valid(less, cut));
		free(less);
	}
}

/* Where two bytes of the input do damage: in one of the members that the rest depends on, or anywhere. */
static size_t place_of(const struct hf_journal_page *page, size_t size, uint8_t which, uint8_t where)
{
	static const size_t head[] = {
		offsetof(struct hf_journal_page, magic), offsetof(struct hf_journal_page, size),
		offsetof(struct hf_journal_page, n), offsetof(struct hf_journal_page, path),
		offsetof(struct hf_journal_page, version), offsetof(struct hf_journal_page, on_death),
	};
	static const size_t of_level[] = {
		offsetof(struct hf_journal_level, name), offsetof(struct hf_journal_level, found),
		offsetof(struct hf_journal_level, now),
	};
	const size_t n_head = sizeof(head) / sizeof(head[0]), n_level = sizeof(of_level) / sizeof(of_level[0]);

	if (which < n_head)
		return head[which] + where % 4;
	if (which < n_head + n_level)
		return offsetof(struct hf_journal_page, levels) +
		       where % (page->n + 1) * sizeof(page->levels[0]) + of_level[which - n_head];
	if (which == n_head + n_level)
		return size - 1;
	return which * 256u + where;
}

static void require_good_when_damaged(struct hf_journal_page *page, struct fuzz_source from)
{
	const size_t size = page->size;
	uint8_t bytes[3];

	while (from.len >= sizeof(bytes)) {
		fuzz_take(&from, bytes, sizeof(bytes));
		((uint8_t *)page)[place_of(page, size, bytes[0], bytes[1]) % size] += bytes[2];
		is_journal(page, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_source from = { data, size };
	struct hf_journal_page *page;
	struct made_journal m;
	int good;
	size_t i;

	fuzz_raw(data, size);
	made_journal_take(&from, &m);
	page = made_journal_page(&m, "/the/target", -1);
	good = m.n > 0 && m.on_death <= HF_ON_DEATH_KILL;
	for (i = 0; i < m.n; i++)
		good &= leads_down(m.levels[i].name);
	FUZZ_REQUIRE(is_journal(page, page->size) == good);
	if (good)
		require_as_made(page, &m);
	if (size % 16 == 0)
		require_cut_is_none(page);
	require_good_when_damaged(page, from);
	free(page);
	return 0;
}
