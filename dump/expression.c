/* SPDX-License-Identifier: MIT */
/*
 * expression - see expression.h.
 */
#include "expression.h"

#include "cursor.h"

/* Those of procedure linkage tables and of the C libraries' signal frames have up to some twenty bytes. */
#define LEN_MAX 256

enum {
	OP_ADDR = 0x03, OP_DEREF = 0x06, OP_CONST1U = 0x08, OP_CONST1S, OP_CONST2U, OP_CONST2S, OP_CONST4U, OP_CONST4S,
	OP_CONST8U, OP_CONST8S, OP_CONSTU, OP_CONSTS, OP_DUP, OP_DROP, OP_OVER, OP_PICK, OP_SWAP, OP_ROT,
	OP_ABS = 0x19, OP_AND, OP_DIV, OP_MINUS, OP_MOD, OP_MUL, OP_NEG, OP_NOT, OP_OR, OP_PLUS, OP_PLUS_UCONST,
	OP_SHL, OP_SHR, OP_SHRA, OP_XOR, OP_BRA, OP_EQ, OP_NE = 0x2e, OP_SKIP, OP_LIT0, OP_LIT31 = 0x4f,
	OP_REG0, OP_REG31 = 0x6f, OP_BREG0, OP_BREG31 = 0x8f, OP_REGX, OP_BREGX = 0x92, OP_DEREF_SIZE = 0x94, OP_NOP = 0x96,
};

/* Passes over an operation's operands.  False: not one to be given away. */
static bool pass_over(struct hf_cursor *c, uint8_t op)
{
	if ((op >= OP_LIT0 && op <= OP_REG31) || (op >= OP_EQ && op <= OP_NE))
		return true;
	if (op >= OP_BREG0 && op <= OP_BREG31) {
		hf_cursor_sleb(c);
		return true;
	}
	switch (op) {
	case OP_DEREF:
	case OP_DUP:
	case OP_DROP:
	case OP_OVER:
	case OP_SWAP:
	case OP_ROT:
	case OP_ABS:
	case OP_AND:
	case OP_MINUS:
	case OP_MUL:
	case OP_NEG:
	case OP_NOT:
	case OP_OR:
	case OP_PLUS:
	case OP_SHL:
	case OP_SHR:
	case OP_SHRA:
	case OP_XOR:
	case OP_NOP:
		return true;
	case OP_CONST1U:
	case OP_CONST1S:
	case OP_PICK:
	case OP_DEREF_SIZE:
		hf_cursor_skip(c, 1);
		return true;
	case OP_CONST2U:
	case OP_CONST2S:
		hf_cursor_skip(c, 2);
		return true;
	case OP_CONST4U:
	case OP_CONST4S:
		hf_cursor_skip(c, 4);
		return true;
	case OP_ADDR:
	case OP_CONST8U:
	case OP_CONST8S:
		hf_cursor_skip(c, 8);
		return true;
	case OP_CONSTU:
	case OP_PLUS_UCONST:
	case OP_REGX:
		hf_cursor_uleb(c);
		return true;
	case OP_CONSTS:
		hf_cursor_sleb(c);
		return true;
	case OP_BREGX:
		hf_cursor_uleb(c);
		hf_cursor_sleb(c);
		return true;
	default:	/* OP_DIV, OP_MOD, OP_BRA, OP_SKIP, and what is about objects in memory */
		return false;
	}
}

bool hf_expression_is_tame(const uint8_t *bytes, size_t len)
{
	struct hf_cursor c = hf_cursor_of(bytes, len);

	if (len > LEN_MAX)
		return false;
	while (hf_cursor_left(&c))
		if (!pass_over(&c, hf_cursor_u8(&c)))
			return false;
	return !c.bad;
}
