/* SPDX-License-Identifier: MIT */
/*
 * cfi_row - run the instructions of an entry (DWARF 5, section 6.4.2) up to one address, and put what is
 * then known of the frame into a row.
 */
#include "cfi_entry.h"

#include "expression.h"
#include "frame_regs.h"

enum {
	OP_ADVANCE = 0x40, OP_OFFSET = 0x80, OP_RESTORE = 0xc0, OP_HIGH = 0xc0,
	OP_NOP = 0x00, OP_SET_LOC = 0x01, OP_ADVANCE1 = 0x02, OP_ADVANCE2 = 0x03, OP_ADVANCE4 = 0x04,
	OP_OFFSET_EXTENDED = 0x05, OP_RESTORE_EXTENDED = 0x06, OP_UNDEFINED = 0x07, OP_SAME = 0x08,
	OP_REGISTER = 0x09, OP_REMEMBER = 0x0a, OP_RESTORE_STATE = 0x0b, OP_DEF_CFA = 0x0c,
	OP_DEF_CFA_REGISTER = 0x0d, OP_DEF_CFA_OFFSET = 0x0e, OP_DEF_CFA_EXPRESSION = 0x0f,
	OP_EXPRESSION = 0x10, OP_OFFSET_EXTENDED_SF = 0x11, OP_DEF_CFA_SF = 0x12,
	OP_DEF_CFA_OFFSET_SF = 0x13, OP_VAL_OFFSET = 0x14, OP_VAL_OFFSET_SF = 0x15,
	OP_VAL_EXPRESSION = 0x16, OP_NEGATE_RA_STATE = 0x2d, OP_ARGS_SIZE = 0x2e,
	OP_NEGATIVE_OFFSET = 0x2f,
};

enum known {
	SAME = 0,		/* nothing was said: as in the caller */
	SAVED, IS, REGISTER, LOST,
	EXPRESSION,
};

struct what {
	uint8_t known;		/* enum known */
	int64_t offset;
};

/* What is known of a frame at one address. */
struct state {
	bool has_cfa, cfa_expression, signed_ra;
	uint64_t cfa_reg;
	int64_t cfa_offset;
	struct what regs[HF_REG_COUNT];
};

#define REMEMBERED_MAX 16	/* compilers nest two or three */
#define STEPS_MAX 65536		/* the longest that compilers write are some thousands; they are run for each place */

struct machine {
	const struct hf_entry *entry;
	uint64_t at, until;	/* addresses */
	struct state now, initial, remembered[REMEMBERED_MAX];
	unsigned int n_remembered, steps;
	bool bad;
};

/* Registers that nobody unwinds with (vector registers) are let through and forgotten. */
static void set(struct machine *m, uint64_t reg, enum known known, int64_t offset)
{
	if (reg < HF_REG_COUNT)
		m->now.regs[reg] = (struct what){ (uint8_t)known, offset };
}

static int64_t factored(const struct machine *m, uint64_t n)
{
	return (int64_t)(n * (uint64_t)m->entry->data_align);
}

static void restore(struct machine *m, uint64_t reg)
{
	if (reg < HF_REG_COUNT)
		m->now.regs[reg] = m->initial.regs[reg];
}

static void remember(struct machine *m)
{
	if (m->n_remembered == REMEMBERED_MAX)
		m->bad = true;
	else
		m->remembered[m->n_remembered++] = m->now;
}

static void recall(struct machine *m)
{
	if (m->n_remembered == 0)
		m->bad = true;
	else
		m->now = m->remembered[--m->n_remembered];
}

static void advance(struct machine *m, uint64_t n)
{
	m->at += n * m->entry->code_align;
}

static void define_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	m->now.has_cfa = true;
	m->now.cfa_expression = false;
	m->now.cfa_reg = reg;
	m->now.cfa_offset = offset;
}

/* It is libunwind's to evaluate. */
static void skip_expression(struct machine *m, struct hf_cursor *c)
{
	uint64_t len = hf_cursor_uleb(c);
	const uint8_t *bytes = c->at;

	hf_cursor_skip(c, len);
	m->bad |= c->bad || !hf_expression_is_tame(bytes, (size_t)len);
}

/* Those about registers other than the frame's address. */
static bool step_register(struct machine *m, struct hf_cursor *c, uint8_t op)
{
	uint64_t reg = hf_cursor_uleb(c);

	switch (op) {
	case OP_OFFSET_EXTENDED:
		set(m, reg, SAVED, factored(m, hf_cursor_uleb(c)));
		return true;
	case OP_OFFSET_EXTENDED_SF:
		set(m, reg, SAVED, factored(m, (uint64_t)hf_cursor_sleb(c)));
		return true;
	case OP_NEGATIVE_OFFSET:
		set(m, reg, SAVED, (int64_t)(0 - (uint64_t)factored(m, hf_cursor_uleb(c))));
		return true;
	case OP_VAL_OFFSET:
		set(m, reg, IS, factored(m, hf_cursor_uleb(c)));
		return true;
	case OP_VAL_OFFSET_SF:
		set(m, reg, IS, factored(m, (uint64_t)hf_cursor_sleb(c)));
		return true;
	case OP_RESTORE_EXTENDED:
		restore(m, reg);
		return true;
	case OP_UNDEFINED:
		set(m, reg, LOST, 0);
		return true;
	case OP_SAME:
		set(m, reg, SAME, 0);
		return true;
	case OP_REGISTER:
		set(m, reg, REGISTER, (int64_t)hf_cursor_uleb(c));
		return true;
	case OP_EXPRESSION:
	case OP_VAL_EXPRESSION:
		set(m, reg, EXPRESSION, 0);
		skip_expression(m, c);
		return true;
	default:
		return false;
	}
}

static void step_cfa(struct machine *m, struct hf_cursor *c, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case OP_DEF_CFA:
		reg = hf_cursor_uleb(c);
		define_cfa(m, reg, (int64_t)hf_cursor_uleb(c));
		break;
	case OP_DEF_CFA_SF:
		reg = hf_cursor_uleb(c);
		define_cfa(m, reg, factored(m, (uint64_t)hf_cursor_sleb(c)));
		break;
	case OP_DEF_CFA_REGISTER:
		define_cfa(m, hf_cursor_uleb(c), m->now.cfa_offset);
		break;
	case OP_DEF_CFA_OFFSET:
		define_cfa(m, m->now.cfa_reg, (int64_t)hf_cursor_uleb(c));
		break;
	case OP_DEF_CFA_OFFSET_SF:
		define_cfa(m, m->now.cfa_reg, factored(m, (uint64_t)hf_cursor_sleb(c)));
		break;
	default:
		m->now.has_cfa = m->now.cfa_expression = true;
		skip_expression(m, c);
		break;
	}
}

static void step(struct machine *m, struct hf_cursor *c)
{
	uint8_t op = hf_cursor_u8(c);

	switch (op & OP_HIGH) {
	case OP_ADVANCE:
		advance(m, op & ~OP_HIGH);
		return;
	case OP_OFFSET:
		set(m, op & ~OP_HIGH, SAVED, factored(m, hf_cursor_uleb(c)));
		return;
	case OP_RESTORE:
		restore(m, op & ~OP_HIGH);
		return;
	default:
		break;
	}
	switch (op) {
	case OP_NOP:
		return;
	case OP_ADVANCE1:
		advance(m, hf_cursor_u8(c));
		return;
	case OP_ADVANCE2:
		advance(m, hf_cursor_u16(c));
		return;
	case OP_ADVANCE4:
		advance(m, hf_cursor_u32(c));
		return;
	case OP_REMEMBER:
		remember(m);
		return;
	case OP_RESTORE_STATE:
		recall(m);
		return;
	case OP_DEF_CFA:
	case OP_DEF_CFA_SF:
	case OP_DEF_CFA_REGISTER:
	case OP_DEF_CFA_OFFSET:
	case OP_DEF_CFA_OFFSET_SF:
	case OP_DEF_CFA_EXPRESSION:
		step_cfa(m, c, op);
		return;
	case OP_NEGATE_RA_STATE:
		m->now.signed_ra = !m->now.signed_ra;
		return;
	case OP_ARGS_SIZE:
		hf_cursor_uleb(c);
		return;
	default:	/* OP_SET_LOC is written by no compiler of ours */
		m->bad |= !step_register(m, c, op);
		return;
	}
}

static void run(struct machine *m, struct hf_cursor c)
{
	while (hf_cursor_left(&c) && m->at <= m->until && !m->bad) {
		step(m, &c);
		m->bad |= c.bad || ++m->steps > STEPS_MAX;
	}
}

/* ---- Into a row --------------------------------------------------------------------------------- */

static bool fits(int64_t n)
{
	return n >= INT32_MIN && n <= INT32_MAX;
}

static enum hf_rule_kind rule_kind(enum known known)
{
	switch (known) {
	case IS:
		return HF_RULE_IS;
	case REGISTER:
		return HF_RULE_REGISTER;
	case LOST:
		return HF_RULE_LOST;
	case SAME:
	case SAVED:
	case EXPRESSION:
		break;
	}
	return HF_RULE_SAVED;
}

static void fill(const struct state *s, struct hf_row *row)
{
	uint8_t reg;

	for (reg = 0; reg < HF_REG_COUNT; reg++) {
		const struct what *w = &s->regs[reg];

		if (w->known == SAME)
			continue;
		if (w->known == EXPRESSION || !fits(w->offset) || row->n_rules == HF_ROW_RULES ||
		    (w->known == REGISTER && (uint64_t)w->offset >= HF_REG_COUNT)) {
			row->kind = HF_ROW_ODD;
			return;
		}
		row->rules[row->n_rules++] = (struct hf_rule){
			reg, (uint8_t)rule_kind((enum known)w->known), (int32_t)w->offset
		};
	}
}

void hf_entry_row(const struct hf_entry *entry, uint64_t vaddr, struct hf_row *ret)
{
	struct machine m = { .entry = entry, .at = entry->start, .until = vaddr };

	*ret = (struct hf_row){ .kind = HF_ROW_DAMAGED, .signal = entry->signal };
	run(&m, entry->first);
	m.initial = m.now;
	m.at = entry->start;
	run(&m, entry->then);
	if (m.bad || !m.now.has_cfa || entry->ra >= HF_REG_COUNT)
		return;
	ret->ra = (uint8_t)entry->ra;
	ret->signed_ra = m.now.signed_ra;
	if (m.now.regs[entry->ra].known == LOST) {
		ret->kind = HF_ROW_LAST;
	} else if (entry->ra == HF_REG_IP && m.now.regs[entry->ra].known == SAME) {
		return;		/* nobody returns to where it is */
	} else if (m.now.cfa_expression || m.now.cfa_reg >= HF_REG_COUNT || !fits(m.now.cfa_offset)) {
		ret->kind = HF_ROW_ODD;
	} else {
		ret->kind = HF_ROW_PLAIN;
		ret->base = (uint8_t)m.now.cfa_reg;
		ret->offset = (int32_t)m.now.cfa_offset;
		fill(&m.now, ret);
	}
}
