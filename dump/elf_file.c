/* SPDX-License-Identifier: MIT */
/*
 * elf_file - see elf_file.h.  Structs are copied out before they are looked at, for nothing in a damaged file is
 * aligned.
 */
#include "elf_file.h"

#include <errno.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_ENDIAN ELFDATA2LSB
#else
#define OUR_ENDIAN ELFDATA2MSB
#endif

/* A sparse file can claim any number of anything.  These are more than the largest files have. */
#define SEGMENTS_MAX (65536u / sizeof(Elf64_Phdr))	/* the kernel runs none with more */
#define SECTIONS_MAX 1000000u
#define SYMBOLS_MAX ((size_t)50 * 1000 * 1000)
#define SYMBOL_NAME_MAX ((size_t)64 * 1024)
#define NOTES_MAX 1000u

static bool inside(const struct hf_elf *e, uint64_t offset, uint64_t size)
{
	return offset <= e->len && size <= e->len - offset;
}

static bool section_header(const struct hf_elf *e, uint32_t i, Elf64_Shdr *ret)
{
	if (i >= e->shnum)
		return false;
	memcpy(ret, e->data + e->shoff + (uint64_t)i * sizeof(*ret), sizeof(*ret));
	return true;
}

/* NOBITS has no bytes; what is compressed is nothing that we read. */
static bool section_part(const struct hf_elf *e, const Elf64_Shdr *sh, struct hf_elf_part *ret)
{
	if (sh->sh_type == SHT_NOBITS || (sh->sh_flags & SHF_COMPRESSED) || !inside(e, sh->sh_offset, sh->sh_size))
		return false;
	*ret = (struct hf_elf_part){ e->data + sh->sh_offset, (size_t)sh->sh_size, sh->sh_addr };
	return true;
}

/* Numbers that do not fit into the header are in the first section header (gABI, "e_shnum"). */
static void find_sections(struct hf_elf *e, const Elf64_Ehdr *eh)
{
	uint64_t n = eh->e_shnum;
	uint32_t names = eh->e_shstrndx;
	struct hf_elf_part part;
	Elf64_Shdr first, sh;

	if (eh->e_shentsize != sizeof(first) || !eh->e_shoff || !inside(e, eh->e_shoff, sizeof(first)))
		return;
	memcpy(&first, e->data + eh->e_shoff, sizeof(first));
	if (n == 0)
		n = first.sh_size;
	if (names == SHN_XINDEX)
		names = first.sh_link;
	if (n > SECTIONS_MAX || !inside(e, eh->e_shoff, n * sizeof(first)))
		return;
	e->shoff = eh->e_shoff;
	e->shnum = (uint32_t)n;
	if (section_header(e, names, &sh) && section_part(e, &sh, &part)) {
		e->names = (const char *)part.data;
		e->names_len = part.len;
	}
}

int hf_elf_open(struct hf_elf *e, const void *data, size_t len)
{
	Elf64_Ehdr eh;

	*e = (struct hf_elf){ .data = data, .len = len };
	if (len < sizeof(eh))
		return -ENOEXEC;
	memcpy(&eh, data, sizeof(eh));
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != OUR_ENDIAN)
		return -ENOEXEC;
	e->machine = eh.e_machine;
	if (eh.e_phentsize == sizeof(Elf64_Phdr) && inside(e, eh.e_phoff, (uint64_t)eh.e_phnum * sizeof(Elf64_Phdr))) {
		e->phoff = eh.e_phoff;
		e->phnum = eh.e_phnum < SEGMENTS_MAX ? eh.e_phnum : (uint32_t)SEGMENTS_MAX;
	}
	find_sections(e, &eh);
	return 0;
}

bool hf_elf_segment(const struct hf_elf *e, uint32_t i, Elf64_Phdr *ret)
{
	if (i >= e->phnum)
		return false;
	memcpy(ret, e->data + e->phoff + (uint64_t)i * sizeof(*ret), sizeof(*ret));
	return true;
}

bool hf_elf_segment_of_type(const struct hf_elf *e, uint32_t type, struct hf_elf_part *ret)
{
	Elf64_Phdr ph;
	uint32_t i;

	for (i = 0; hf_elf_segment(e, i, &ph); i++) {
		if (ph.p_type != type || !ph.p_filesz || !inside(e, ph.p_offset, ph.p_filesz))
			continue;
		*ret = (struct hf_elf_part){ e->data + ph.p_offset, (size_t)ph.p_filesz, ph.p_vaddr };
		return true;
	}
	return false;
}

/* No more of it is looked at than is compared: tables are large, and sections many. */
static bool is_named(const struct hf_elf *e, const Elf64_Shdr *sh, const char *name)
{
	size_t n = strlen(name) + 1;

	return e->names && sh->sh_name <= e->names_len && n <= e->names_len - sh->sh_name &&
	       memcmp(e->names + sh->sh_name, name, n) == 0;
}

bool hf_elf_section(const struct hf_elf *e, const char *name, struct hf_elf_part *ret)
{
	Elf64_Shdr sh;
	uint32_t i;

	for (i = 0; section_header(e, i, &sh); i++)
		if (is_named(e, &sh, name) && section_part(e, &sh, ret))
			return true;
	return false;
}

bool hf_elf_at(const struct hf_elf *e, uint64_t vaddr, struct hf_elf_part *ret)
{
	Elf64_Phdr ph;
	uint32_t i;

	for (i = 0; hf_elf_segment(e, i, &ph); i++) {
		uint64_t skip = vaddr - ph.p_vaddr;

		if (ph.p_type != PT_LOAD || vaddr < ph.p_vaddr || skip >= ph.p_filesz ||
		    !inside(e, ph.p_offset, ph.p_filesz))
			continue;
		*ret = (struct hf_elf_part){ e->data + ph.p_offset + skip, (size_t)(ph.p_filesz - skip), vaddr };
		return true;
	}
	return false;
}

#define PAGE_MASK_MIN 4095u	/* segments share pages of at least this size */

bool hf_elf_vaddr_of(const struct hf_elf *e, uint64_t offset, uint64_t *ret)
{
	bool found = false;
	Elf64_Phdr ph;
	uint32_t i;

	for (i = 0; hf_elf_segment(e, i, &ph); i++) {
		uint64_t first = ph.p_offset & ~(uint64_t)PAGE_MASK_MIN;

		if (ph.p_type != PT_LOAD || offset < first || offset - first >= ph.p_filesz + (ph.p_offset - first))
			continue;
		if (found && !(ph.p_flags & PF_X))
			continue;
		*ret = offset - ph.p_offset + ph.p_vaddr;
		found = true;
		if (ph.p_flags & PF_X)
			break;
	}
	return found;
}

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~(uint64_t)3;
}

/* *left is how many notes may still be looked at. */
static bool build_id_in(const struct hf_elf_part *notes, unsigned int *left, const uint8_t **ret, size_t *ret_len)
{
	uint64_t at = 0;
	Elf64_Nhdr nh;

	for (; at + sizeof(nh) <= notes->len && *left; (*left)--) {
		uint64_t name = at + sizeof(nh), desc;

		memcpy(&nh, notes->data + at, sizeof(nh));
		desc = name + align4(nh.n_namesz);
		if (desc + nh.n_descsz > notes->len)
			return false;
		if (nh.n_type == NT_GNU_BUILD_ID && nh.n_namesz == 4 && nh.n_descsz &&
		    nh.n_descsz <= HF_ELF_BUILD_ID_MAX && memcmp(notes->data + name, "GNU", 4) == 0) {
			*ret = notes->data + desc;
			*ret_len = nh.n_descsz;
			return true;
		}
		at = desc + align4(nh.n_descsz);
	}
	return false;
}

/* In a segment of notes, of which there may be several; in files that only have debugging information, in a section. */
bool hf_elf_build_id(const struct hf_elf *e, const uint8_t **ret, size_t *ret_len)
{
	unsigned int left = NOTES_MAX;
	struct hf_elf_part notes;
	Elf64_Phdr ph;
	uint32_t i;

	for (i = 0; hf_elf_segment(e, i, &ph); i++) {
		if (ph.p_type != PT_NOTE || !inside(e, ph.p_offset, ph.p_filesz))
			continue;
		notes = (struct hf_elf_part){ e->data + ph.p_offset, (size_t)ph.p_filesz, 0 };
		if (build_id_in(&notes, &left, ret, ret_len))
			return true;
	}
	return hf_elf_section(e, ".note.gnu.build-id", &notes) && build_id_in(&notes, &left, ret, ret_len);
}

bool hf_elf_symbols(const struct hf_elf *e, uint32_t type, struct hf_elf_symbols *ret)
{
	struct hf_elf_part syms, names;
	Elf64_Shdr sh, strings;
	uint32_t i;

	for (i = 0; section_header(e, i, &sh); i++) {
		if (sh.sh_type != type || sh.sh_entsize != sizeof(Elf64_Sym) || !section_part(e, &sh, &syms))
			continue;
		if (!section_header(e, sh.sh_link, &strings) || !section_part(e, &strings, &names))
			continue;
		*ret = (struct hf_elf_symbols){ syms.data, syms.len / sizeof(Elf64_Sym),
						(const char *)names.data, names.len };
		if (ret->n > SYMBOLS_MAX)
			ret->n = SYMBOLS_MAX;
		return true;
	}
	return false;
}

const char *hf_elf_symbol_name(const struct hf_elf_symbols *s, uint32_t st_name)
{
	size_t left = st_name < s->names_len ? s->names_len - st_name : 0;

	if (!left || !memchr(s->names + st_name, '\0', left < SYMBOL_NAME_MAX ? left : SYMBOL_NAME_MAX))
		return "";
	return s->names + st_name;
}

bool hf_elf_section_holds(const struct hf_elf *e, uint16_t index, uint64_t vaddr)
{
	Elf64_Shdr sh;

	return section_header(e, index, &sh) && vaddr - sh.sh_addr < sh.sh_size;
}
