/* SPDX-License-Identifier: MIT */
/*
 * cfi - see cfi.h.  The format is that of the Linux Standard Base 5.0, "Exception Frames": an entry is a
 * length, a pointer to its common entry (or 0 for such a one), and its bytes.
 *
 * Entries are found by the sorted table that the linker puts into .eh_frame_hdr.  Statically linked
 * programs have none; then a table is made once, by one pass over .eh_frame.
 */
#include "cfi.h"

#include <errno.h>
#include <stdlib.h>

#include "cfi_entry.h"

/* DW_EH_PE_: a format in the lower half, what it is relative to in the upper. */
enum {
	PE_ABSPTR = 0x00, PE_ULEB = 0x01, PE_U16 = 0x02, PE_U32 = 0x03, PE_U64 = 0x04,
	PE_SLEB = 0x09, PE_S16 = 0x0a, PE_S32 = 0x0b, PE_S64 = 0x0c,
	PE_PCREL = 0x10, PE_DATAREL = 0x30, PE_RELATIVE = 0x70, PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

uint64_t hf_encoded(struct hf_cursor *c, uint8_t encoding, const struct hf_elf_part *part, uint64_t data_base)
{
	uint64_t here = part->vaddr + (uint64_t)(c->at - part->data), n = 0;

	switch (encoding & 0x0f) {
	case PE_ABSPTR:
	case PE_U64:
	case PE_S64:
		n = hf_cursor_u64(c);
		break;
	case PE_ULEB:
		n = hf_cursor_uleb(c);
		break;
	case PE_SLEB:
		n = (uint64_t)hf_cursor_sleb(c);
		break;
	case PE_U16:
		n = hf_cursor_u16(c);
		break;
	case PE_S16:
		n = (uint64_t)(int64_t)(int16_t)hf_cursor_u16(c);
		break;
	case PE_U32:
		n = hf_cursor_u32(c);
		break;
	case PE_S32:
		n = (uint64_t)(int64_t)(int32_t)hf_cursor_u32(c);
		break;
	default:
		c->bad = true;
	}
	switch (encoding & PE_RELATIVE) {
	case PE_ABSPTR:
		return n;
	case PE_PCREL:
		return n + here;
	case PE_DATAREL:
		return n + data_base;
	default:
		c->bad = true;
		return 0;
	}
}

/* ---- Entries ---------------------------------------------------------------------------------- */

/*
 * The length of the entry at c, which is then at what follows it and ends where the entry ends.  False at a
 * length of 0, which is the end, and for one that does not fit.
 */
static bool open_entry(struct hf_cursor *c, bool *ret_wide)
{
	uint64_t len = hf_cursor_u32(c);

	*ret_wide = len == 0xffffffff;
	if (*ret_wide)
		len = hf_cursor_u64(c);
	if (c->bad || len == 0 || len > hf_cursor_left(c))
		return false;
	c->end = c->at + len;
	return true;
}

static uint64_t read_id(struct hf_cursor *c, bool wide)
{
	return wide ? hf_cursor_u64(c) : hf_cursor_u32(c);
}

static void read_augmentation(const struct hf_cfi *cfi, struct hf_cursor *c, const char *letters,
			      struct hf_entry *e)
{
	uint64_t len = hf_cursor_uleb(c);
	struct hf_cursor data = *c;

	e->augmented = true;
	hf_cursor_skip(c, len);
	if (c->bad)
		return;
	data.end = c->at;
	for (; *letters; letters++) {
		if (*letters == 'R')
			e->encoding = hf_cursor_u8(&data);
		else if (*letters == 'P')
			hf_encoded(&data, hf_cursor_u8(&data) & 0x7f, &cfi->frames, 0);
		else if (*letters == 'L')
			hf_cursor_u8(&data);
		else if (*letters == 'S')
			e->signal = true;
		else if (*letters != 'B')	/* 'B': authenticated by key B (aarch64); to us the same */
			break;
	}
	c->bad |= data.bad;
}

/* Five letters have a meaning.  The string is read again for each entry that refers to it. */
#define LETTERS_MAX 16

/* The common entry at an offset of .eh_frame. */
static bool read_common(const struct hf_cfi *cfi, uint64_t offset, struct hf_entry *e)
{
	struct hf_cursor c = hf_cursor_of(cfi->frames.data, cfi->frames.len);
	const char *letters;
	uint8_t version;
	bool wide;

	hf_cursor_skip(&c, offset);
	if (c.bad || !open_entry(&c, &wide) || read_id(&c, wide) != 0)
		return false;
	version = hf_cursor_u8(&c);
	if (version != 1 && version != 3)
		return false;
	letters = hf_cursor_string(&c, LETTERS_MAX);
	e->code_align = hf_cursor_uleb(&c);
	e->data_align = hf_cursor_sleb(&c);
	e->ra = version == 1 ? hf_cursor_u8(&c) : hf_cursor_uleb(&c);
	e->encoding = PE_ABSPTR;
	if (*letters == 'z')
		read_augmentation(cfi, &c, letters + 1, e);
	else if (*letters)
		return false;
	e->first = c;
	return !c.bad;
}

/* The common entry that was read last: nearly all of a file refer to the same. */
struct common {
	bool read, good;
	uint64_t offset;
	struct hf_entry entry;
};

static bool common_at(const struct hf_cfi *cfi, uint64_t offset, struct common *last)
{
	if (!last->read || last->offset != offset) {
		*last = (struct common){ .read = true, .offset = offset };
		last->good = read_common(cfi, offset, &last->entry);
	}
	return last->good;
}

/* c is at the first byte behind the length of a frame description entry. */
static bool read_description(const struct hf_cfi *cfi, struct hf_cursor c, bool wide, struct common *last,
			     struct hf_entry *e)
{
	uint64_t here = (uint64_t)(c.at - cfi->frames.data), back = read_id(&c, wide);

	if (back == 0 || back > here || !common_at(cfi, here - back, last))
		return false;
	*e = last->entry;
	e->start = hf_encoded(&c, e->encoding & 0x7f, &cfi->frames, 0);
	/* The size has the format of the address, and is relative to nothing. */
	e->end = e->start + hf_encoded(&c, e->encoding & 0x0f, &cfi->frames, 0);
	if (e->augmented)
		hf_cursor_skip(&c, hf_cursor_uleb(&c));
	e->then = c;
	return !c.bad && e->end > e->start;
}

bool hf_entry_read(const struct hf_cfi *cfi, uint64_t vaddr, struct hf_entry *ret)
{
	struct hf_cursor c = hf_cursor_of(cfi->frames.data, cfi->frames.len);
	struct common common = { 0 };
	bool wide;

	if (vaddr < cfi->frames.vaddr)
		return false;
	hf_cursor_skip(&c, vaddr - cfi->frames.vaddr);
	return !c.bad && open_entry(&c, &wide) && read_description(cfi, c, wide, &common, ret);
}

/* ---- A table of our own ------------------------------------------------------------------------- */

struct hf_fde_place {
	uint64_t start;
	uint64_t vaddr;
};

static int by_start(const void *a, const void *b)
{
	const struct hf_fde_place *p = a, *q = b;

	return (p->start > q->start) - (p->start < q->start);
}

static int add_place(struct hf_cfi *cfi, size_t *cap, uint64_t start, uint64_t vaddr)
{
	if (cfi->n_places == *cap) {
		size_t more = *cap ? *cap * 2 : 256;
		struct hf_fde_place *places = reallocarray(cfi->places, more, sizeof(*places));

		if (!places)
			return -ENOMEM;
		cfi->places = places;
		*cap = more;
	}
	cfi->places[cfi->n_places++] = (struct hf_fde_place){ start, vaddr };
	return 0;
}

/* Entries that make no sense are passed over; the walk ends where a length does not fit. */
static int make_places(struct hf_cfi *cfi)
{
	struct hf_cursor c = hf_cursor_of(cfi->frames.data, cfi->frames.len), entry;
	struct common common = { 0 };
	size_t cap = 0;

	while (hf_cursor_left(&c)) {
		uint64_t vaddr = cfi->frames.vaddr + (uint64_t)(c.at - cfi->frames.data);
		struct hf_entry e;
		bool wide;

		entry = c;
		if (!open_entry(&entry, &wide))
			break;
		c.at = entry.end;
		if (read_description(cfi, entry, wide, &common, &e) && add_place(cfi, &cap, e.start, vaddr) < 0)
			return -ENOMEM;
	}
	if (cfi->n_places)
		qsort(cfi->places, cfi->n_places, sizeof(*cfi->places), by_start);
	return 0;
}

/* ---- The linker's table -------------------------------------------------------------------------- */

#define TABLE_ENTRY 8	/* two PE_S32 relative to the header */

/*
 * .eh_frame_hdr: version 1, three encodings, the address of .eh_frame, a count, the table.  Linkers write the
 * table as PE_DATAREL | PE_S32; another is not used.
 */
static void read_header(struct hf_cfi *cfi, const struct hf_elf_part *hdr)
{
	struct hf_cursor c = hf_cursor_of(hdr->data, hdr->len);
	uint8_t version = hf_cursor_u8(&c), frames_pe = hf_cursor_u8(&c), count_pe = hf_cursor_u8(&c);
	uint8_t table_pe = hf_cursor_u8(&c);
	uint64_t frames, n;

	if (version != 1 || frames_pe == PE_OMIT)
		return;
	frames = hf_encoded(&c, frames_pe, hdr, hdr->vaddr);
	if (c.bad)
		return;
	/* Without section headers the end is not known: the entries themselves tell it. */
	if (!cfi->frames.data && !hf_elf_at(cfi->elf, frames, &cfi->frames))
		return;
	if (count_pe == PE_OMIT || table_pe != (PE_DATAREL | PE_S32))
		return;
	n = hf_encoded(&c, count_pe, hdr, hdr->vaddr);
	if (c.bad || n == 0 || n > hf_cursor_left(&c) / TABLE_ENTRY)
		return;
	cfi->table = (struct hf_elf_part){ c.at, (size_t)n * TABLE_ENTRY, 0 };
	cfi->table_base = hdr->vaddr;
	cfi->n_table = (size_t)n;
}

static uint64_t table_number(const struct hf_cfi *cfi, size_t i, size_t at)
{
	int32_t n;

	memcpy(&n, cfi->table.data + i * TABLE_ENTRY + at, sizeof(n));
	return cfi->table_base + (uint64_t)(int64_t)n;
}

static uint64_t start_of(const struct hf_cfi *cfi, size_t i)
{
	return cfi->n_table ? table_number(cfi, i, 0) : cfi->places[i].start;
}

static uint64_t entry_of(const struct hf_cfi *cfi, size_t i)
{
	return cfi->n_table ? table_number(cfi, i, 4) : cfi->places[i].vaddr;
}

/* The last that starts at or before vaddr. */
static bool search(const struct hf_cfi *cfi, uint64_t vaddr, uint64_t *ret)
{
	size_t low = 0, high = cfi->n_table ? cfi->n_table : cfi->n_places;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (start_of(cfi, middle) <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*ret = entry_of(cfi, low - 1);
	return true;
}

/* ---- The whole ------------------------------------------------------------------------------------ */

int hf_cfi_open(struct hf_cfi *cfi, const struct hf_elf *elf)
{
	struct hf_elf_part hdr;

	*cfi = (struct hf_cfi){ .elf = elf };
	if (!hf_elf_section(elf, ".eh_frame", &cfi->frames))
		cfi->frames = (struct hf_elf_part){ 0 };
	if (hf_elf_segment_of_type(elf, PT_GNU_EH_FRAME, &hdr))
		read_header(cfi, &hdr);
	return cfi->n_table || !cfi->frames.data ? 0 : make_places(cfi);
}

void hf_cfi_done(struct hf_cfi *cfi)
{
	free(cfi->places);
	*cfi = (struct hf_cfi){ 0 };
}

static bool find_entry(const struct hf_cfi *cfi, uint64_t vaddr, struct hf_entry *e, uint64_t *ret_at)
{
	return search(cfi, vaddr, ret_at) && hf_entry_read(cfi, *ret_at, e) && vaddr >= e->start && vaddr < e->end;
}

bool hf_cfi_find(const struct hf_cfi *cfi, uint64_t vaddr, struct hf_fde *ret)
{
	struct hf_entry e;
	uint64_t at;

	if (!find_entry(cfi, vaddr, &e, &at))
		return false;
	*ret = (struct hf_fde){ e.start, e.end, at };
	return true;
}

void hf_cfi_row(const struct hf_cfi *cfi, uint64_t vaddr, struct hf_row *ret)
{
	struct hf_entry e;
	uint64_t at;

	*ret = (struct hf_row){ .kind = HF_ROW_NONE };
	if (find_entry(cfi, vaddr, &e, &at))
		hf_entry_row(&e, vaddr, ret);
}
