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

static void look_at_parts(const struct hf_elf *elf, const uint8_t *data, size_t size)
{
	static const char *const sections[] = { ".eh_frame", ".text", ".gnu_debugdata", "" };
	struct hf_elf_part part;
	const uint8_t *id;
	size_t i, n;
	uint64_t vaddr;
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
	hf_elf_vaddr_of(elf, size, &vaddr);
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

static void look_at_names(const struct hf_elf *elf, const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { SHT_SYMTAB, SHT_DYNSYM };
	struct hf_named named[64] = { 0 };
	struct hf_debug_file mini;
	size_t i;

	for (i = 0; i < 64; i++)
		named[i].vaddr = i * 0x123;
	for (i = 0; i < 2; i++)
		hf_named_by(named, 64, elf, types[i]);
	for (i = 0; i < 64; i++)
		FUZZ_REQUIRE(!named[i].symbol || ((const uint8_t *)named[i].symbol >= data &&
						  (const uint8_t *)named[i].symbol < data + size &&
						  named[i].start <= named[i].vaddr));
	if (hf_debug_file_unpack(&mini, elf))
		hf_debug_file_done(&mini);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_elf elf;

	if (hf_elf_open(&elf, data, size) < 0)
		return 0;
	look_at_parts(&elf, data, size);
	look_at_rows(&elf);
	look_at_names(&elf, data, size);
	return 0;
}
