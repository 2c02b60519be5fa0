/* SPDX-License-Identifier: MIT */
/*
 * lines - see lines.h.  The only file that knows libdw.
 */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

#ifdef HF_HAVE_LIBDW

#include <dlfcn.h>
#include <elfutils/libdw.h>
#include <libelf.h>
#include <sys/mman.h>

#define FUNCTIONS(X) \
	X(elf_version) X(elf_memory) X(elf_end) X(dwarf_begin_elf) X(dwarf_end) X(dwarf_addrdie) X(dwarf_nextcu) \
	X(dwarf_offdie) X(dwarf_haspc) X(dwarf_getsrc_die) X(dwarf_lineno) X(dwarf_linesrc)

struct hf_lines {
	void *libdw, *libelf;
#define X(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses): a declaration */
	FUNCTIONS(X)
#undef X
	Elf *elf;
	Dwarf *dwarf;
};

static int load(struct hf_lines *l)
{
	int missing = 0;

	l->libdw = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
	l->libelf = dlopen("libelf.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!l->libdw || !l->libelf)
		return -1;
#define X(name) \
	*(void **)&l->name = dlsym(strncmp(#name, "elf_", 4) == 0 ? l->libelf : l->libdw, #name); \
	missing |= !l->name;
	FUNCTIONS(X)
#undef X
	return missing ? -1 : 0;
}

struct hf_lines *hf_lines_open(const struct hf_elf *elf)
{
	struct hf_lines *l = calloc(1, sizeof(*l));

	if (l && load(l) == 0 && l->elf_version(EV_CURRENT) != EV_NONE) {
		/* libelf writes into what it is given; of a private mapping it gets pages of its own. */
		char *data = (char *)(uintptr_t)elf->data;

		mprotect(data, elf->len, PROT_READ | PROT_WRITE);
		l->elf = l->elf_memory(data, elf->len);
		l->dwarf = l->elf ? l->dwarf_begin_elf(l->elf, DWARF_C_READ, NULL) : NULL;
	}
	if (l && l->dwarf)
		return l;
	hf_lines_close(l);
	return NULL;
}

void hf_lines_close(struct hf_lines *l)
{
	if (!l)
		return;
	if (l->dwarf)
		l->dwarf_end(l->dwarf);
	if (l->elf)
		l->elf_end(l->elf);
	if (l->libdw)
		dlclose(l->libdw);
	if (l->libelf)
		dlclose(l->libelf);
	free(l);
}

/* Compilers need not write the index that dwarf_addrdie() reads (.debug_aranges). */
static Dwarf_Die *find_unit(struct hf_lines *l, uint64_t vaddr, Dwarf_Die *die)
{
	Dwarf_Off at = 0, next;
	size_t header;

	if (l->dwarf_addrdie(l->dwarf, vaddr, die))
		return die;
	for (; l->dwarf_nextcu(l->dwarf, at, &next, &header, NULL, NULL, NULL) == 0; at = next)
		if (l->dwarf_offdie(l->dwarf, at + header, die) && l->dwarf_haspc(die, vaddr) > 0)
			return die;
	return NULL;
}

int hf_lines_find(struct hf_lines *l, struct hf_arena *arena, uint64_t vaddr, const char **ret_source, int *ret_line)
{
	Dwarf_Die die;
	Dwarf_Line *line = find_unit(l, vaddr, &die) ? l->dwarf_getsrc_die(&die, vaddr) : NULL;
	const char *source = line ? l->dwarf_linesrc(line, NULL, NULL) : NULL;
	int n;

	if (!source || l->dwarf_lineno(line, &n) < 0)
		return 0;
	*ret_source = hf_arena_copy(arena, source, strlen(source));
	*ret_line = n;
	return *ret_source != NULL;
}

#else

struct hf_lines *hf_lines_open(const struct hf_elf *elf)
{
	(void)elf;
	return NULL;
}

void hf_lines_close(struct hf_lines *lines)
{
	(void)lines;
}

int hf_lines_find(struct hf_lines *lines, struct hf_arena *arena, uint64_t vaddr, const char **ret_source, int *ret_line)
{
	(void)lines;
	(void)arena;
	(void)vaddr;
	(void)ret_source;
	(void)ret_line;
	return 0;
}

#endif
