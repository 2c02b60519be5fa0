/* SPDX-License-Identifier: MIT */
/*
 * fuzz_elf_file - any bytes as an ELF file: its parts are inside of it, and its unwind information gives rows for
 * every address without reading elsewhere.
 */
#include "cfi.h"
#include "debug_file.h"
#include "elf_file.h"
#include "symbols.h"

#include <string.h>

#include "fuzz.h"
#include "frame_regs.h"

static void inside(const struct hf_elf_part *part, const uint8_t *data, size_t size)
{
	FUZZ_REQUIRE(part->data >= data && part->len <= size && (size_t)(part->data - data) <= size - part->len);
}

/*
 * An address is told if a segment to be loaded has the offset in one of its pages, and is then of one that has: where
 * there is one that can be executed, of such a one.
 */
static void look_for_offset(const struct hf_elf *elf, uint64_t offset)
{
	bool has[2] = { false }, is[2] = { false }, found;	/* any; can be executed */
	uint64_t vaddr = 0;
	Elf64_Phdr ph;
	uint32_t i;

	found = hf_elf_vaddr_of(elf, offset, &vaddr);
	for (i = 0; hf_elf_segment(elf, i, &ph); i++) {
		uint64_t before = ph.p_offset % 4096, first = ph.p_offset - before;
		bool executed = (ph.p_flags & PF_X) != 0;

		if (ph.p_type != PT_LOAD || offset < first || offset - first >= ph.p_filesz + before)
			continue;
		has[0] = has[executed] = true;
		if (vaddr - ph.p_vaddr == offset - ph.p_offset)
			is[0] = is[executed] = true;
	}
	FUZZ_REQUIRE(found == has[0] && is[0] == has[0] && is[1] == has[1]);
}

static void look_at_parts(const struct hf_elf *elf, const uint8_t *data, size_t size)
{
	static const char *const sections[] = { ".eh_frame", ".text", ".gnu_debugdata", "" };
	struct hf_elf_part part;
	const uint8_t *id;
	size_t i, n;
	Elf64_Phdr ph;

	for (i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if (hf_elf_section(elf, sections[i], &part))
			inside(&part, data, size);
	for (i = 0; hf_elf_segment(elf, (uint32_t)i, &ph); i++)
		if (hf_elf_at(elf, ph.p_vaddr, &part))
			inside(&part, data, size);
	if (hf_elf_segment_of_type(elf, PT_GNU_EH_FRAME, &part))
		inside(&part, data, size);
	if (hf_elf_build_id(elf, &id, &n))
		inside(&(struct hf_elf_part){ id, n, 0 }, data, size);
	for (i = 0; i < size; i += 1 + size / 64)
		look_for_offset(elf, i);
}

static void look_at_rows(const struct hf_elf *elf)
{
	struct hf_cfi cfi;
	struct hf_row row;
	struct hf_fde fde;
	uint64_t vaddr;

	FUZZ_REQUIRE(hf_cfi_open(&cfi, elf) == 0);
	for (vaddr = 0; vaddr < 0x6000; vaddr += 7) {
		hf_cfi_row(&cfi, vaddr, &row);
		FUZZ_REQUIRE(row.kind <= HF_ROW_DAMAGED && row.n_rules <= HF_ROW_RULES);
		FUZZ_REQUIRE(row.kind != HF_ROW_PLAIN || (row.base < HF_REG_COUNT && row.ra < HF_REG_COUNT));
		if (hf_cfi_find(&cfi, vaddr, &fde))
			FUZZ_REQUIRE(vaddr >= fde.start && vaddr < fde.end);
		else
			FUZZ_REQUIRE(row.kind == HF_ROW_NONE);
	}
	hf_cfi_done(&cfi);
}

/* What is unpacked is an ELF file again, which is as good as any bytes are. */
static void look_at_unpacked(const struct hf_elf *elf)
{
	struct hf_debug_file mini;
	struct hf_elf_part packed;

	memset(&mini, FUZZ_FILLER, sizeof(mini));
	if (hf_debug_file_unpack(&mini, elf)) {
		FUZZ_REQUIRE(hf_elf_section(elf, ".gnu_debugdata", &packed));
		FUZZ_REQUIRE(mini.elf.data && mini.elf.len >= sizeof(Elf64_Ehdr) && !mini.mapped);
		FUZZ_REQUIRE(memcmp(mini.elf.data, ELFMAG, SELFMAG) == 0);
		look_at_parts(&mini.elf, mini.elf.data, mini.elf.len);
	}
	FUZZ_REQUIRE(!mini.mapped);
	hf_debug_file_done(&mini);
	FUZZ_REQUIRE(!mini.elf.data && !mini.elf.len);
}

static void look_at_names(const struct hf_elf *elf, const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { SHT_SYMTAB, SHT_DYNSYM };
	struct hf_named named[64] = { 0 };
	size_t i;

	for (i = 0; i < 64; i++)
		named[i].vaddr = i * 0x123;
	for (i = 0; i < 2; i++)
		hf_named_by(named, 64, elf, types[i]);
	for (i = 0; i < 64; i++)
		FUZZ_REQUIRE(!named[i].symbol || ((const uint8_t *)named[i].symbol >= data &&
						  (const uint8_t *)named[i].symbol < data + size &&
						  named[i].start <= named[i].vaddr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_elf elf;

	if (hf_elf_open(&elf, data, size) < 0)
		return 0;
	look_at_parts(&elf, data, size);
	look_at_rows(&elf);
	look_at_names(&elf, data, size);
	look_at_unpacked(&elf);
	return 0;
}
