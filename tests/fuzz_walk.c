/* SPDX-License-Identifier: MIT */
/*
 * fuzz_walk - a stack of any bytes, and any registers: the walk ends, with a reason where it is not the outermost frame,
 * and each frame is above the one before but for signal frames.  The code is that of this program and of its
 * libraries, so that addresses among the bytes can lead somewhere: a byte that is below 64 picks a function.
 */
#include "walk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "io.h"

#define STACK_AT 0x10000u	/* no process has memory there */

static struct hf_arena arena;
static struct hf_walker walker;
static struct hf_space space;
static struct hf_frame_regs here;	/* of this program, somewhere in it */

static void set_up(void)
{
	static bool done;
	struct hf_buf maps = { 0 };

	if (done)
		return;
	done = true;
	walker.images.arena = walker.places.arena = &arena;
	FUZZ_REQUIRE(hf_read_at(AT_FDCWD, "/proc/self/maps", &maps) == 0);
	FUZZ_REQUIRE(hf_space_read(&space, &arena, &walker.images, maps.data, maps.len) == 0);
	hf_buf_done(&maps);
}

static uint64_t pick(uint8_t byte)
{
	static const void *const functions[] = {
		(const void *)hf_walk, (const void *)hf_space_read, (const void *)hf_cfi_row, (const void *)qsort,
		(const void *)memcpy, (const void *)printf, (const void *)malloc, (const void *)getpid,
	};

	return (uint64_t)(uintptr_t)functions[byte % 8] + byte / 8;
}

/* Eight bytes of input become a word: an address of code, an address of the stack, or what they are. */
static uint64_t word_of(const uint8_t *data, size_t len)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	if (data[7] == 'c')
		return pick(data[0]) + data[1];
	if (data[7] == 's')
		return STACK_AT + (word & 0xffff) % (len + 64);
	return word;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_window windows[HF_WINDOWS] = { { 0 } };
	struct hf_walk_from from = { .pid = getpid(), .space = &space, .regs = here };
	enum hf_stack_end end = HF_STACK_END_NOT_HELD;
	size_t words = size / 8, i, stack;
	const char *why = NULL;
	uint64_t *bytes;

	set_up();
	if (words < HF_REG_COUNT)
		return 0;
	stack = (words - HF_REG_COUNT) * 8;
	bytes = malloc(stack ? stack : 1);
	FUZZ_REQUIRE(bytes);
	for (i = 0; i < HF_REG_COUNT; i++)
		from.regs.r[i] = word_of(data + i * 8, stack);
	for (i = 0; i < stack / 8; i++)
		bytes[i] = word_of(data + (HF_REG_COUNT + i) * 8, stack);
	/* Two pieces, as of an alternate stack. */
	windows[0] = (struct hf_window){ STACK_AT, stack / 2 & ~(size_t)7, (const uint8_t *)bytes, stack > 4096 };
	windows[1] = (struct hf_window){ STACK_AT + windows[0].len, stack - windows[0].len,
					 (const uint8_t *)bytes + windows[0].len, false };
	from.memory = (struct hf_memory){ &space, windows, NULL };
	walker.n = 0;
	walker.all_odd = size & 1;
	FUZZ_REQUIRE(hf_walk(&walker, &from, &end, &why) == 0);
	FUZZ_REQUIRE(end <= HF_STACK_END_DAMAGED && !why == !end);
	FUZZ_REQUIRE(walker.n >= 1 && walker.n <= stack * 64 + 1024);
	free(bytes);
	return 0;
}
