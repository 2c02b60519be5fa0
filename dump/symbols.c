/* SPDX-License-Identifier: MIT */
/*
 * symbols - see symbols.h.
 */
#include "symbols.h"

#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
	const struct hf_named *m = a, *n = b;

	return (m->vaddr > n->vaddr) - (m->vaddr < n->vaddr);
}

void hf_named_sort(struct hf_named *named, size_t n)
{
	if (n)
		qsort(named, n, sizeof(*named), by_address);
}

/*
 * The first at or above vaddr, which the last is.  Asked for each symbol of a file: the way down has no branch to be
 * guessed wrong.
 */
static size_t first_at(const struct hf_named *named, size_t n, uint64_t vaddr)
{
	const struct hf_named *at = named;

	while (n > 1) {
		size_t half = n / 2;

		at += half * (at[half - 1].vaddr < vaddr);
		n -= half;
	}
	return (size_t)(at - named);
}

/* Names are looked at only where they are wanted: reading them all would read another file as large as the table. */
static bool may_name(const Elf64_Sym *sym)
{
	unsigned int type = ELF64_ST_TYPE(sym->st_info);

	return sym->st_name && sym->st_shndx != SHN_UNDEF && sym->st_shndx < SHN_LORESERVE &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

/* Global before weak before local, functions before what has no type. */
static uint8_t rank_of(const Elf64_Sym *sym)
{
	unsigned int bind = ELF64_ST_BIND(sym->st_info);
	uint8_t rank = bind == STB_GLOBAL || bind == STB_GNU_UNIQUE ? 3 : bind == STB_WEAK ? 2 : 1;

	return (uint8_t)(rank * 2 + (ELF64_ST_TYPE(sym->st_info) != STT_NOTYPE));
}

/* Of the symbols that begin at or before an address, the last: a label names it, another blocks labels before it. */
static void note_start(struct hf_named *named, const Elf64_Sym *sym)
{
	bool sized = sym->st_size != 0;

	if (named->before && (sym->st_value < named->before_at || (sym->st_value == named->before_at && !sized)))
		return;
	named->before = sym->st_name;
	named->before_at = sym->st_value;
	named->before_sized = sized;
	named->before_section = sym->st_shndx;
}

/* Of two that cover an address the one that begins last, then that of the higher rank, then the first of the table. */
static void keep_better(struct hf_cover *kept, const struct hf_cover *cover)
{
	if (!cover->symbol)
		return;
	if (kept->symbol && (cover->at < kept->at ||
			     (cover->at == kept->at && (cover->rank < kept->rank ||
							(cover->rank == kept->rank && cover->symbol >= kept->symbol)))))
		return;
	*kept = *cover;
}

/*
 * The addresses are the leaves of a binary tree in an array: below node i are 2i and 2i + 1, the leaves are n to 2n - 1.
 */
static struct hf_cover *node(struct hf_named *named, size_t n, size_t i)
{
	return i < n ? &named[i].below : &named[i - n].found;
}

/*
 * What covers many addresses is noted where all below is covered, which are few nodes: a file may have any number of
 * symbols that cover all of it.
 */
static void note_cover(struct hf_named *named, size_t n, size_t from, size_t to, const struct hf_cover *cover)
{
	for (from += n, to += n; from < to; from /= 2, to /= 2) {
		if (from & 1)
			keep_better(node(named, n, from++), cover);
		if (to & 1)
			keep_better(node(named, n, --to), cover);
	}
}

static void spread_covers(struct hf_named *named, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		keep_better(node(named, n, 2 * i), &named[i].below);
		keep_better(node(named, n, 2 * i + 1), &named[i].below);
		named[i].below.symbol = 0;
	}
}

/* The first that is behind the symbol's end. */
static size_t first_behind(const struct hf_named *named, size_t n, const Elf64_Sym *sym)
{
	if (named[n - 1].vaddr - sym->st_value < sym->st_size)
		return n;
	return first_at(named, n, sym->st_value + sym->st_size);
}

static void pass_over(struct hf_named *named, size_t n, const struct hf_elf_symbols *table)
{
	size_t i, at;
	Elf64_Sym sym;

	for (i = 0; i < table->n; i++) {
		hf_elf_symbol(table, i, &sym);
		if (sym.st_value > named[n - 1].vaddr || !may_name(&sym))
			continue;
		at = first_at(named, n, sym.st_value);
		note_start(&named[at], &sym);
		if (named[at].vaddr - sym.st_value < sym.st_size)
			note_cover(named, n, at, first_behind(named, n, &sym),
				   &(struct hf_cover){ sym.st_value, i + 1, rank_of(&sym) });
	}
	spread_covers(named, n);
}

static void settle(struct hf_named *named, const struct hf_elf_symbols *table, uint32_t name, uint64_t start)
{
	const char *text = hf_elf_symbol_name(table, name);

	if (named->symbol || !*text)
		return;
	named->symbol = text;
	named->start = start;
}

/* What was noted at the first address behind a symbol's start holds for those that follow, too. */
static void settle_all(struct hf_named *named, size_t n, const struct hf_elf *elf,
		       const struct hf_elf_symbols *table)
{
	struct hf_named last = { 0 };
	Elf64_Sym sym;
	size_t i;

	for (i = 0; i < n; i++) {
		struct hf_named *it = &named[i];

		if (it->before && (!last.before || it->before_at >= last.before_at))
			last = *it;
		if (it->found.symbol) {
			hf_elf_symbol(table, it->found.symbol - 1, &sym);
			settle(it, table, sym.st_name, sym.st_value);
		} else if (last.before && !last.before_sized && hf_elf_section_holds(elf, last.before_section, it->vaddr)) {
			settle(it, table, last.before, last.before_at);
		}
		it->found.symbol = it->before = 0;
	}
}

void hf_named_by(struct hf_named *named, size_t n, const struct hf_elf *elf, uint32_t type)
{
	struct hf_elf_symbols table;

	if (n == 0 || !hf_elf_symbols(elf, type, &table))
		return;
	pass_over(named, n, &table);
	settle_all(named, n, elf, &table);
}
