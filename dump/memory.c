/* SPDX-License-Identifier: MIT */
/*
 * memory - see memory.h.
 */
#include "memory.h"

#include <stdlib.h>

#include "sys.h"

/* ---- Pages of a held process ---------------------------------------------------------------------- */

#define PAGE 4096u
#define PAGES 256u	/* a power of two; each page has one place, by its number */

struct hf_pages {
	pid_t tid;
	struct page {
		uint64_t number;	/* address / PAGE, + 1; 0: empty */
		bool readable;
		uint8_t bytes[PAGE];
	} pages[PAGES];
};

struct hf_pages *hf_pages_new(void)
{
	return calloc(1, sizeof(struct hf_pages));
}

void hf_pages_free(struct hf_pages *pages)
{
	free(pages);
}

void hf_pages_of(struct hf_pages *pages, pid_t tid)
{
	size_t i;

	pages->tid = tid;
	for (i = 0; i < PAGES; i++)
		pages->pages[i].number = 0;
}

static const struct page *page_at(struct hf_pages *pages, uint64_t address)
{
	uint64_t number = address / PAGE + 1;
	struct page *page = &pages->pages[number % PAGES];

	if (page->number != number) {
		const struct iovec from = { (void *)(uintptr_t)(address & ~(uint64_t)(PAGE - 1)), PAGE };

		page->readable = hf_sys_read_memory(pages->tid, page->bytes, PAGE, &from, 1) == PAGE;
		page->number = number;
	}
	return page->readable ? page : NULL;
}

static bool word_of_pages(struct hf_pages *pages, uint64_t address, uint64_t *ret)
{
	uint8_t bytes[sizeof(*ret)] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(bytes); i++) {
		const struct page *page = page_at(pages, address + i);

		if (!page)
			return false;
		bytes[i] = page->bytes[(address + i) % PAGE];
	}
	memcpy(ret, bytes, sizeof(bytes));
	return true;
}

/* ---- The whole ------------------------------------------------------------------------------------- */

static bool word_of_window(const struct hf_window *w, uint64_t address, uint64_t *ret)
{
	uint64_t at = address - w->start;

	if (address < w->start || w->len < sizeof(*ret) || at > w->len - sizeof(*ret))
		return false;
	memcpy(ret, w->bytes + at, sizeof(*ret));
	return true;
}

/* Code, and the tables next to it, are what the file says. */
static bool word_of_file(const struct hf_space *space, uint64_t address, uint64_t *ret)
{
	const struct hf_code *code = hf_space_code(space, address);
	struct hf_elf_part part;

	if (!code || !code->opened || !code->image || code->image->state != HF_IMAGE_READY ||
	    !hf_elf_at(&code->image->elf, address - code->slide, &part) || part.len < sizeof(*ret))
		return false;
	memcpy(ret, part.data, sizeof(*ret));
	return true;
}

bool hf_memory_word_slowly(const struct hf_memory *m, uint64_t address, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < HF_WINDOWS; i++)
		if (word_of_window(&m->windows[i], address, ret))
			return true;
	return word_of_file(m->space, address, ret) || (m->live && word_of_pages(m->live, address, ret));
}
