// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/disasm.h"

#include "core/codec.h"
#include "core/text.h"

const char *const rondo_syntax[] = {
#define SYNTAX(format, operands) [RONDO_FMT_##format] = operands,
#include "spec/syntax.def"
};

static void put_raw(struct rondo_text *t, u64 word)
{
	s32 shift;

	rondo_text_char(t, '?');
	for (shift = 60; shift >= 0; shift -= 4)
		rondo_text_char(t, "0123456789abcdef"[word >> shift & 15]);
}

static void put_pair(struct rondo_text *t, const char *word, u32 first, const char *between,
		     u32 second)
{
	rondo_text_numbered(t, word, first);
	rondo_text_numbered(t, between, second);
}

/* The name of a slot in lower case, as the language has it, before its operation. */
static void put_slot(struct rondo_text *t, u32 slot)
{
	const char *s;

	for (s = rondo_slot_names[slot]; *s; s++)
		rondo_text_char(t, *s >= 'A' ? *s | 0x20 : *s);
	rondo_text_string(t, ": ");
}

static void put_name(struct rondo_text *t, u8 op)
{
	const char *s;

	for (s = rondo_ops[op].name; *s; s++)
		rondo_text_char(t, *s == '_' ? '.' : *s);
}

/* Whether the operand has its default, so that nothing is written. */
static bool left_out(const struct rondo_op *op, char operand)
{
	u32 c;

	switch (operand) {
	case 'z':
		return !op->zp;
	case 'l':
		return !op->last;
	case 'W':
		for (c = 0; c < RONDO_DMA_CHANNELS; c++)
			if (op->wait[c])
				return false;
		return true;
	default:
		return false;
	}
}

static void put_waits(struct rondo_text *t, const struct rondo_op *op)
{
	bool first = true;
	u32 c;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++) {
		if (!op->wait[c])
			continue;
		put_pair(t, first ? "c" : ", c", c, "<=", op->wait[c] - 1);
		first = false;
	}
}

static void put_loops(struct rondo_text *t, const struct rondo_op *op)
{
	u32 i;

	for (i = 0; i < rondo_loop_nest(op); i++) {
		rondo_text_number(t, op->trip[i]);
		rondo_text_string(t, ", ");
	}
	rondo_text_numbered(t, "body=", op->body);
}

static void put_address(struct rondo_text *t, const struct rondo_op *op)
{
	rondo_text_numbered(t, "e", op->entry);
	if (op->off)
		rondo_text_numbered(t, "+", op->off);
}

static void put_operand(struct rondo_text *t, const struct rondo_op *op, char operand)
{
	static const char *const modes[] = { "add", "write", "first" };

	switch (operand) {
	case 'd':
		return rondo_text_numbered(t, "v", op->dst);
	case 'a':
		return rondo_text_numbered(t, "v", op->a);
	case 'b':
		return rondo_text_numbered(t, "v", op->b);
	case 'c':
		return rondo_text_numbered(t, "v", op->c);
	case 'p':
		return rondo_text_numbered(t, "v", op->params);
	case 's':
		rondo_text_numbered(t, "v", op->a);
		if (op->lane)
			rondo_text_numbered(t, ".", op->lane);
		return;
	case '@':
		return put_address(t, op);
	case 'e':
		return rondo_text_numbered(t, "e", op->entry);
	case 'n':
		return rondo_text_number(t, op->count);
	case 'r':
		return rondo_text_number(t, op->rows);
	case 'A':
		return rondo_text_numbered(t, "a", op->row);
	case 'w':
		return put_pair(t, "w", op->buf, ".", op->wrow);
	case 'm':
		return rondo_text_string(t, modes[op->mode]);
	case 'z':
		return rondo_text_numbered(t,
					   "zp=", op->op == RONDO_OP_wl_s8 ? (s8)op->zp : op->zp);
	case 'i':
		return rondo_text_number(t, op->imm);
	case 'h':
		return rondo_text_number(t, op->shift);
	case 'C':
		return rondo_text_numbered(t, "c", op->channel);
	case 'D':
		return rondo_text_numbered(t, "d", op->desc);
	case 'l':
		return rondo_text_numbered(t, "last=l", op->last - 1);
	case 'x':
		return put_pair(t, "", op->x0, "..", op->x1);
	case 'y':
		return put_pair(t, "", op->y0, "..", op->y1);
	case 'o':
		return put_loops(t, op);
	case 'W':
		return put_waits(t, op);
	}
}

/* Whether the operation's fields have values that the language has no words for. */
static bool unspeakable(const struct rondo_op *op)
{
	return op->mode > 2 || (rondo_op_is_loop(op->op) && !rondo_loop_canonical(op));
}

static void put_op(struct rondo_text *t, const struct rondo_op *op)
{
	const char *operand, *before = " ";

	put_name(t, op->op);
	for (operand = rondo_syntax[rondo_ops[op->op].format]; *operand; operand++) {
		if (left_out(op, *operand))
			continue;
		rondo_text_string(t, before);
		put_operand(t, op, *operand);
		before = ", ";
	}
}

/* The slot that the assembler chooses for @op when those of @taken are: the first that is free. */
static u32 chosen_slot(u8 op, u32 taken)
{
	u32 slot, free = rondo_ops[op].slots & ~taken;

	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		if (free >> slot & 1)
			break;
	return slot;
}

size_t rondo_disasm_bundle(const u64 word[RONDO_SLOTS_PER_BUNDLE], char *out, size_t size)
{
	struct rondo_text t = { .out = out, .size = size };
	u32 slot, taken = 0;

	for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		struct rondo_op op;
		bool raw = !rondo_decode(word[slot], &op) || unspeakable(&op);

		if (!word[slot])
			continue;
		if (taken)
			rondo_text_string(&t, " | ");
		if (raw || chosen_slot(op.op, taken) != slot)
			put_slot(&t, slot);
		if (raw)
			put_raw(&t, word[slot]);
		else
			put_op(&t, &op);
		taken |= 1u << slot;
	}
	if (!taken)
		rondo_text_string(&t, "nop");
	return rondo_text_end(&t);
}
