/* SPDX-License-Identifier: MIT */
/*
 * odd - see odd.h.
 */
#include "odd.h"

#include <libunwind.h>
#include <stdlib.h>

/* Exported for this use, and in no header of libunwind's. */
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_unwind_table(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *di, unw_proc_info_t *pi,
			       int need_unwind_info, void *arg);

/*
 * We have found the entry already; libunwind wants a table to search in.  It gets one of a single row, at an address
 * where no process has memory (the first page: vm.mmap_min_addr).
 */
#define TABLE_AT 8u

struct hf_odd {
	unw_addr_space_t as;
	const struct hf_memory *memory;
	const struct hf_code *code;
	const struct hf_frame_regs *regs;
	uint64_t ip;		/* as told to libunwind */
	uint64_t table;
};

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need, void *arg)
{
	struct hf_odd *odd = arg;
	const struct hf_code *code = odd->code;
	const struct hf_cfi *cfi = &code->image->cfi;
	uint64_t base = cfi->frames.vaddr;
	unw_dyn_info_t di = { .format = UNW_INFO_FORMAT_REMOTE_TABLE };
	struct hf_fde fde;

	if (ip < code->start || ip >= code->end || !hf_cfi_find(cfi, ip - code->slide, &fde))
		return -UNW_ENOINFO;
	odd->table = (uint32_t)(fde.start - base) | ((fde.vaddr - base) << 32);
	di.start_ip = fde.start + code->slide;
	di.end_ip = fde.end + code->slide;
	di.u.rti.segbase = base + code->slide;
	di.u.rti.table_data = TABLE_AT;
	di.u.rti.table_len = sizeof(odd->table) / sizeof(unw_word_t);
	return search_unwind_table(as, ip, &di, pi, need, arg);
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as;
	(void)arg;
	free(pi->unwind_info);
	pi->unwind_info = NULL;
}

static int no_dynamic_info(unw_addr_space_t as, unw_word_t *ret, void *arg)
{
	(void)as;
	(void)ret;
	(void)arg;
	return -UNW_ENOINFO;
}

/* .eh_frame of the file that the frame is in: it is mapped, but where nothing can be executed. */
static bool word_of_frames(const struct hf_odd *odd, uint64_t address, uint64_t *ret)
{
	const struct hf_elf_part *frames = &odd->code->image->cfi.frames;
	uint64_t at = address - odd->code->slide - frames->vaddr;

	if (at >= frames->len)
		return false;
	/* Words are read whole where only some of their bytes are wanted; those behind the end are 0. */
	*ret = 0;
	memcpy(ret, frames->data + at, frames->len - at < sizeof(*ret) ? frames->len - at : sizeof(*ret));
	return true;
}

static int access_mem(unw_addr_space_t as, unw_word_t address, unw_word_t *value, int write, void *arg)
{
	const struct hf_odd *odd = arg;
	uint64_t word;

	(void)as;
	if (write)
		return -UNW_EINVAL;
	if (address == TABLE_AT)
		word = odd->table;
	else if (!hf_memory_word(odd->memory, address, &word) && !word_of_frames(odd, address, &word))
		return -UNW_EINVAL;
	*value = word;
	return 0;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write, void *arg)
{
	const struct hf_odd *odd = arg;

	(void)as;
	if (write || reg < 0 || reg >= HF_REG_COUNT)
		return -UNW_EBADREG;
	*value = reg == HF_REG_IP ? odd->ip : odd->regs->r[reg];
	return 0;
}

static int no_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value, int write, void *arg)
{
	(void)as;
	(void)reg;
	(void)value;
	(void)write;
	(void)arg;
	return -UNW_EBADREG;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as;
	(void)cursor;
	(void)arg;
	return -UNW_EINVAL;
}

struct hf_odd *hf_odd_new(void)
{
	static unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = no_dynamic_info,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = no_fpreg,
		.resume = no_resume,
	};
	struct hf_odd *odd = calloc(1, sizeof(*odd));

	if (!odd)
		return NULL;
	odd->as = unw_create_addr_space(&accessors, 0);
	if (!odd->as) {
		free(odd);
		return NULL;
	}
	/* Its cache goes by address alone, and one address is another thing in each process. */
	unw_set_caching_policy(odd->as, UNW_CACHE_NONE);
	return odd;
}

void hf_odd_free(struct hf_odd *odd)
{
	if (!odd)
		return;
	unw_destroy_addr_space(odd->as);
	free(odd);
}

/* What cannot be restored stays as it was in the frame below, as it does with plain rows. */
static void read_registers(unw_cursor_t *cursor, struct hf_frame_regs *regs)
{
	unw_word_t value;
	int reg;

	/* On aarch64 it keeps where a frame goes on in x30, and leaves pc as it was. */
	for (reg = 0; reg < HF_REG_COUNT; reg++)
		if (unw_get_reg(cursor, reg == HF_REG_IP ? UNW_REG_IP : reg, &value) == 0)
			regs->r[reg] = value;
}

static int start(struct hf_odd *odd, unw_cursor_t *cursor, const struct hf_memory *memory, const struct hf_code *code,
		 const struct hf_frame_regs *regs, uint64_t ip)
{
	odd->memory = memory;
	odd->code = code;
	odd->regs = regs;
	odd->ip = ip;
	return unw_init_remote(cursor, odd->as, odd);
}

bool hf_odd_is_signal(struct hf_odd *odd, const struct hf_memory *memory, const struct hf_code *code, uint64_t ip)
{
	const struct hf_frame_regs none = { { 0 } };
	unw_cursor_t cursor;

	return start(odd, &cursor, memory, code, &none, ip) == 0 && unw_is_signal_frame(&cursor) > 0;
}

enum hf_odd_step hf_odd_up(struct hf_odd *odd, const struct hf_memory *memory, const struct hf_code *code,
			   bool exact, bool signal, struct hf_frame_regs *regs)
{
	const struct hf_frame_regs from = *regs;
	unw_cursor_t cursor;
	int r;

	/* A call may be the last instruction of its function: what is looked up is the call, not behind it. */
	if (start(odd, &cursor, memory, code, &from, from.r[HF_REG_IP] - !(exact || signal)) < 0)
		return HF_ODD_NO;
	r = unw_step(&cursor);
	if (r <= 0)
		return r == 0 ? HF_ODD_OUTERMOST : HF_ODD_NO;
	read_registers(&cursor, regs);
	return HF_ODD_UP;
}
