/* SPDX-License-Identifier: MIT */
/*
 * walk - see walk.h.
 */
#include "walk.h"

#include <errno.h>
#include <stdlib.h>

/* More is no stack but a mistake of ours; what is copied bounds a walk long before. */
#define FRAMES_MAX (1u << 22)
/* A signal frame may lead down, to another stack, and two could lead to each other; up the stack as many as there are. */
#define SIGNALS_DOWN_MAX 64

struct walk {
	struct hf_walker *w;
	const struct hf_walk_from *from;
	struct hf_frame_regs regs;
	struct hf_code *code;		/* that the frame is in; NULL when it is in none */
	struct hf_place *place;
	bool exact;
	unsigned int depth, signals;
	enum hf_frame_how how;
	enum hf_stack_end end;
	const char *why;
};

/* Done: the walk is over. */
enum going { FAILED = -1, UP = 0, DONE = 1 };

static enum going stop(struct walk *k, enum hf_stack_end end, const char *why)
{
	k->end = end;
	k->why = why;
	return DONE;
}

/* ---- Where a frame is -------------------------------------------------------------------------- */

/* Open what is mapped there, once per mapping, and learn where in the address space it went. */
static int open_code(struct walk *k, struct hf_code *code)
{
	const struct hf_mapped_at at = { k->from->pid, code->start, code->end };
	struct hf_image *image;
	uint64_t vaddr;

	if (code->image) {
		image = hf_image_open(&k->w->images, code->image, &at);
		if (!image)
			return -ENOMEM;
		code->image = image;
	}
	code->opened = true;
	if (!code->image)
		return 0;
	if (code->image->state == HF_IMAGE_READY && hf_elf_vaddr_of(&code->image->elf, code->offset, &vaddr))
		code->slide = code->start - vaddr;
	else
		code->slide = code->start - code->offset;
	return 0;
}

static int find_code(struct walk *k, uint64_t address)
{
	struct hf_code *code = k->code;

	if (!code || address < code->start || address >= code->end)
		code = hf_space_code(k->from->space, address);
	k->code = code;
	return code && !code->opened ? open_code(k, code) : 0;
}

static struct hf_odd *odd_of(struct walk *k)
{
	if (!k->w->odd)
		k->w->odd = hf_odd_new();
	return k->w->odd;
}

/* What is to be known of a place, once. */
static int fill_place(struct walk *k, struct hf_image *image)
{
	struct hf_place *place = k->place;

	place->image = image;
	if (!image || image->state != HF_IMAGE_READY)
		return 0;
	hf_cfi_row(&image->cfi, place->vaddr, &place->row);
	if (place->row.kind != HF_ROW_NONE)
		return 0;
	if (!odd_of(k))
		return -ENOMEM;
	place->row.signal = hf_odd_is_signal(k->w->odd, &k->from->memory, k->code, k->regs.r[HF_REG_IP]);
	return 0;
}

/* The place of an address. */
static int find_place(struct walk *k, uint64_t address)
{
	struct hf_image *image;
	bool is_new;

	if (find_code(k, address) < 0)
		return -ENOMEM;
	image = k->code ? k->code->image : NULL;
	k->place = hf_place_of(&k->w->places, image ? image->number : HF_PLACE_NO_FILE + k->from->process,
			       image ? address - k->code->slide : address, &is_new);
	if (!k->place)
		return -ENOMEM;
	return is_new ? fill_place(k, image) : 0;
}

static int add_frame(struct walk *k)
{
	struct hf_walker *w = k->w;

	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 4096;
		struct hf_walked *frames = reallocarray(w->frames, cap, sizeof(*frames));

		if (!frames)
			return -ENOMEM;
		w->frames = frames;
		w->cap = cap;
	}
	w->frames[w->n++] = (struct hf_walked){
		k->regs.r[HF_REG_IP], k->place->number, (uint8_t)k->how, k->exact
	};
	k->depth++;
	return 0;
}

/* ---- Ways up ------------------------------------------------------------------------------------ */

/* Why a word of the stack is not there. */
static enum going no_memory_at(struct walk *k, uint64_t address)
{
	const struct hf_window *windows = k->from->memory.windows;
	size_t i;

	for (i = 0; i < HF_WINDOWS; i++)
		if (windows[i].cut && address + sizeof(address) > windows[i].start + windows[i].len &&
		    address < windows[i].start + windows[i].len + (UINT64_C(1) << 32))
			return stop(k, HF_STACK_END_CUT, "the stack is larger than what was copied of it");
	return stop(k, HF_STACK_END_DAMAGED, "it leads to memory that is no part of the stack");
}

static bool leads_to_code(const struct walk *k, uint64_t address)
{
	return address && hf_space_code(k->from->space, address - 1);
}

static enum going no_info(struct walk *k)
{
	const struct hf_image *image = k->place->image;

	return stop(k, HF_STACK_END_NO_INFO, image && image->state != HF_IMAGE_READY && image->why ? image->why :
		    "there is no unwind information for this code, and no frame pointer");
}

/*
 * Whoever has not called anybody has the address of its caller in the link register still (aarch64): believed of the
 * innermost frame, when that is code of another mapping than its own, to which it cannot have been set by a call of its own.
 */
static bool is_leaf(const struct walk *k)
{
	uint64_t link = hf_frame_regs_strip(k->regs.r[HF_REG_LINK]);

	return HF_REG_LINK != HF_REG_IP && k->exact && leads_to_code(k, link) &&
	       hf_space_code(k->from->space, link - 1) != k->code;
}

/*
 * Code without information about its frames (compiled at run time, or written in assembler): if it keeps the frame
 * pointer that the ABI suggests, the frame below ends with the caller's frame pointer and the return address.
 * It is believed only when that leads up the stack and to code.
 */
static enum going up_by_frame_pointer(struct walk *k)
{
	uint64_t fp = k->regs.r[HF_REG_FP], sp = k->regs.r[HF_REG_SP], next, ip;

	if (is_leaf(k)) {
		k->regs.r[HF_REG_IP] = hf_frame_regs_strip(k->regs.r[HF_REG_LINK]);
		k->how = HF_FRAME_BY_LINK;
		k->exact = false;
		return UP;
	}
	/*
	 * Where there is nobody above, the ABI has the frame pointer 0; but so has code that keeps none, as the thread was
	 * started with: believed only at the end of a chain.
	 */
	if (fp == 0 && k->how == HF_FRAME_BY_POINTER)
		return stop(k, HF_STACK_END_OUTERMOST, NULL);
	if (fp < sp || fp % sizeof(fp) || !hf_memory_word(&k->from->memory, fp, &next) ||
	    !hf_memory_word(&k->from->memory, fp + sizeof(fp), &ip))
		return no_info(k);
	ip = hf_frame_regs_strip(ip);
	if (ip && !leads_to_code(k, ip))
		return no_info(k);
	k->regs.r[HF_REG_SP] = fp + 2 * sizeof(fp);
	k->regs.r[HF_REG_FP] = next;
	k->regs.r[HF_REG_IP] = ip;
	k->how = HF_FRAME_BY_POINTER;
	k->exact = false;
	return UP;
}

/* The registers are those of what a signal has interrupted; sp was that of its handler's frame. */
static enum going up_to_interrupted(struct walk *k, uint64_t sp)
{
	k->exact = true;
	if (k->regs.r[HF_REG_SP] <= sp && ++k->signals > SIGNALS_DOWN_MAX)
		return stop(k, HF_STACK_END_DAMAGED, "there are too many signal frames");
	return UP;
}

/* To what a signal has interrupted, where no unwind information tells. */
static enum going up_from_handler(struct walk *k)
{
	const uint64_t sp = k->regs.r[HF_REG_SP];
	struct hf_frame_regs up;
	unsigned int reg;

	for (reg = 0; reg < HF_REG_COUNT; reg++) {
		uint64_t at = sp + hf_frame_regs_in_signal_frame(reg);

		if (!hf_memory_word(&k->from->memory, at, &up.r[reg]))
			return no_memory_at(k, at);
	}
	k->regs = up;
	k->how = HF_FRAME_BY_CFI;
	return up_to_interrupted(k, sp);
}

static enum going up_oddly(struct walk *k)
{
	uint64_t sp = k->regs.r[HF_REG_SP];
	bool signal = k->place->row.signal, exact = k->exact;

	if (signal && hf_frame_regs_in_signal_frame(HF_REG_SP) && k->place->row.kind == HF_ROW_NONE)
		return up_from_handler(k);
	if (!k->code->image || k->code->image->state != HF_IMAGE_READY)
		return no_info(k);
	if (!odd_of(k))
		return FAILED;
	switch (hf_odd_up(k->w->odd, &k->from->memory, k->code, k->exact, signal, &k->regs)) {
	case HF_ODD_NO:
		return stop(k, HF_STACK_END_DAMAGED, "its unwind information does not fit its stack");
	case HF_ODD_OUTERMOST:
		return stop(k, HF_STACK_END_OUTERMOST, NULL);
	case HF_ODD_UP:
		break;
	}
	k->how = HF_FRAME_BY_CFI;
	k->exact = false;
	if (signal)
		return up_to_interrupted(k, sp);
	if (k->regs.r[HF_REG_SP] < sp || (k->regs.r[HF_REG_SP] == sp && !exact))
		return stop(k, HF_STACK_END_DAMAGED, "its caller would be below it");
	return UP;
}

static enum going up_by_row(struct walk *k, const struct hf_row *row)
{
	const uint64_t sp = k->regs.r[HF_REG_SP], cfa = k->regs.r[row->base] + (uint64_t)(int64_t)row->offset;
	struct hf_frame_regs up = k->regs;
	size_t i;

	/* Only a leaf that has saved nothing (aarch64) has no frame of its own. */
	if (cfa < sp || (cfa == sp && !k->exact))
		return stop(k, HF_STACK_END_DAMAGED, "its caller would be below it");
	up.r[HF_REG_SP] = cfa;
	for (i = 0; i < row->n_rules; i++) {
		const struct hf_rule *rule = &row->rules[i];
		uint64_t at = cfa + (uint64_t)(int64_t)rule->offset;

		switch ((enum hf_rule_kind)rule->kind) {
		case HF_RULE_SAVED:
			if (!hf_memory_word(&k->from->memory, at, &up.r[rule->reg]))
				return no_memory_at(k, at);
			break;
		case HF_RULE_IS:
			up.r[rule->reg] = at;
			break;
		case HF_RULE_REGISTER:
			up.r[rule->reg] = k->regs.r[rule->offset];
			break;
		case HF_RULE_LOST:
			break;
		}
	}
	/* It may have been saved, too, and only a signal comes on another stack. */
	if (!row->signal && up.r[HF_REG_SP] < cfa)
		return stop(k, HF_STACK_END_DAMAGED, "its caller would be below it");
	up.r[HF_REG_IP] = row->signed_ra ? hf_frame_regs_strip(up.r[row->ra]) : up.r[row->ra];
	k->regs = up;
	k->how = HF_FRAME_BY_CFI;
	k->exact = false;
	return row->signal ? up_to_interrupted(k, sp) : UP;
}

static enum going up(struct walk *k)
{
	const struct hf_row *row = &k->place->row;

	switch ((enum hf_row_kind)row->kind) {
	case HF_ROW_NONE:
		return row->signal ? up_oddly(k) : up_by_frame_pointer(k);
	case HF_ROW_PLAIN:
		return k->w->all_odd ? up_oddly(k) : up_by_row(k, row);
	case HF_ROW_ODD:
		return up_oddly(k);
	case HF_ROW_LAST:
		return stop(k, HF_STACK_END_OUTERMOST, NULL);
	case HF_ROW_DAMAGED:
		break;
	}
	return stop(k, HF_STACK_END_DAMAGED, "its unwind information makes no sense");
}

/*
 * What a handler returns to has not called anybody: the byte before it is of another function.  (Of another file, that
 * byte says nothing.)
 */
static int take_for_restorer(struct walk *k, uint64_t ip)
{
	const struct hf_image *image = k->place->image;
	int r = find_place(k, ip);

	if (r == 0 && k->place->image != image)
		return find_place(k, ip - 1);
	if (r == 0) {
		k->exact = true;
		k->place->row.signal = 1;
	}
	return r;
}

/*
 * makecontext(3) has a coroutine return to the beginning of a function, which nobody has called from the byte before.
 * Only where that is nobody's.
 */
static int take_for_beginning(struct walk *k, uint64_t ip)
{
	const struct hf_image *image = k->place->image;
	struct hf_fde fde;

	if (!image || image->state != HF_IMAGE_READY || k->place->row.kind != HF_ROW_NONE ||
	    !hf_cfi_find(&image->cfi, k->place->vaddr + 1, &fde) || fde.start != k->place->vaddr + 1)
		return 0;
	k->exact = true;
	return find_place(k, ip);
}

/* How far from the end of its stack, where a thread's own data are, its first function may be. */
#define NEAR_THE_END (UINT64_C(64) * 1024)

/* Threads that were started with a return address of 0 end with it; so does what was overwritten with zeros, but anywhere. */
static enum going end_with_zero(struct walk *k)
{
	uint64_t sp = k->regs.r[HF_REG_SP];
	const struct hf_span *span = hf_space_span(k->from->space, sp - 1);

	if (span && span->end - sp <= NEAR_THE_END)
		return stop(k, HF_STACK_END_OUTERMOST, NULL);
	return stop(k, HF_STACK_END_DAMAGED, "its return address is 0, and there is more of its stack");
}

/*
 * It has jumped to where there is no code, and a signal came of that: if by a call, its return address is there still.  A
 * guess as that by a frame pointer.
 */
static enum going up_from_nowhere(struct walk *k)
{
	uint64_t sp = k->regs.r[HF_REG_SP], ip = hf_frame_regs_strip(k->regs.r[HF_REG_LINK]);
	const bool pushed = HF_REG_LINK == HF_REG_IP;

	if ((pushed && !hf_memory_word(&k->from->memory, sp, &ip)) || !leads_to_code(k, ip))
		return stop(k, HF_STACK_END_DAMAGED, "it is where there is no code");
	k->regs.r[HF_REG_SP] = sp + pushed * sizeof(ip);
	k->regs.r[HF_REG_IP] = ip;
	k->how = HF_FRAME_BY_POINTER;
	k->exact = false;
	return UP;
}

/* One frame, and the way to the next. */
static enum going step(struct walk *k)
{
	uint64_t ip = k->regs.r[HF_REG_IP], address = k->exact ? ip : ip - 1;

	if (ip == 0 && !k->exact)
		return end_with_zero(k);
	if (find_place(k, address) < 0)
		return FAILED;
	if (!k->exact && k->place->row.signal && take_for_restorer(k, ip) < 0)
		return FAILED;
	if (!k->exact && take_for_beginning(k, ip) < 0)
		return FAILED;
	if (!k->code && !k->exact)
		return stop(k, HF_STACK_END_DAMAGED, "its caller would be where there is no code");
	if (k->depth == FRAMES_MAX)
		return stop(k, HF_STACK_END_DAMAGED, "there are too many frames");
	if (add_frame(k) < 0)
		return FAILED;
	return k->code ? up(k) : up_from_nowhere(k);
}

int hf_walk(struct hf_walker *w, const struct hf_walk_from *from, enum hf_stack_end *ret_end,
	    const char **ret_why)
{
	struct walk k = { .w = w, .from = from, .regs = from->regs, .exact = true, .how = HF_FRAME_INNERMOST };
	enum going going;

	do
		going = step(&k);
	while (going == UP);
	if (going == FAILED)
		return -ENOMEM;
	*ret_end = k.end;
	*ret_why = k.why;
	return 0;
}

void hf_walker_done(struct hf_walker *w)
{
	hf_odd_free(w->odd);
	hf_places_done(&w->places);
	hf_images_done(&w->images);
	free(w->frames);
	w->frames = NULL;
	w->n = w->cap = 0;
}
