// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Bundle lines: operations separated by '|', each in the first slot that is free
 * for it or in the one whose name stands before it, and loops around lines.
 */
#include "tools/asm/asm_parse.h"

#include <ctype.h>
#include <string.h>

#include "core/codec.h"
#include "core/disasm.h"

/* The values that @member of @format can be given. */
struct field_range {
	s64 lo, hi;
};

#define RANGE_U(width)                  \
	{                               \
		0, (1ll << (width)) - 1 \
	}
#define RANGE_M1(width)           \
	{                         \
		1, 1ll << (width) \
	}
#define RANGE_X4(width)                       \
	{                                     \
		0, ((1ll << (width)) - 1) * 4 \
	}
#define RANGE_S(width)                                            \
	{                                                         \
		-(1ll << (width) >> 1), (1ll << (width) >> 1) - 1 \
	}

static struct field_range range_of(u8 format, const char *member)
{
	switch (format) {
/* clang-format off */
#define F(name, lo, width, kind, role)                                                             \
	if (!strcmp(#name, member))                                                                \
		return (struct field_range)RANGE_##kind(width);
#define FORMAT(name, fields)                                                                       \
	case RONDO_FMT_##name:                                                                     \
		fields break;
#include "spec/formats.def"
		/* clang-format on */
	}
	return (struct field_range){ 0, 0 };
}

/* Reads a number into a field of *@op, or one behind a letter. */
#define FIELD(c, op, member, what)                                                    \
	({                                                                            \
		struct field_range r = range_of(rondo_ops[(op)->op].format, #member); \
		s64 value = 0;                                                        \
		bool ok = asm_number(c, r.lo, r.hi, what, &value);                    \
		(op)->member = value;                                                 \
		ok;                                                                   \
	})

#define NUMBERED(c, op, member, letter, what)                                         \
	({                                                                            \
		struct field_range r = range_of(rondo_ops[(op)->op].format, #member); \
		s64 value = 0;                                                        \
		bool ok = asm_numbered(c, letter, r.lo, r.hi, what, &value);          \
		(op)->member = value;                                                 \
		ok;                                                                   \
	})

static bool address(struct asm_cursor *c, struct rondo_op *op)
{
	bool words = rondo_ops[op->op].slots & (RONDO_SLOTS_W | RONDO_SLOTS_M);
	const char *begin;
	s64 entry;

	if (!asm_reference(c, ASM_ENTRY, &entry))
		return false;
	op->entry = entry;
	if (!asm_accept(c, "+"))
		return true;
	begin = c->at;
	if (!FIELD(c, op, off, "offset"))
		return false;
	if (!words || op->off % 4 == 0)
		return true;
	c->at = begin;
	return asm_error(c, "offset %u is not a multiple of 4", op->off);
}

static bool zero_point(struct asm_cursor *c, struct rondo_op *op)
{
	bool is_signed = op->op == RONDO_OP_wl_s8;
	s64 value;

	if (!asm_expect(c, "zp=") ||
	    !asm_number(c, is_signed ? -128 : 0, is_signed ? 127 : 255, "zero point", &value))
		return false;
	op->zp = value;
	return true;
}

static bool push_mode(struct asm_cursor *c, struct rondo_op *op)
{
	static const char *const modes[] = { "add", "write", "first" };

	for (op->mode = 0; op->mode < 3; op->mode++)
		if (asm_accept_word(c, modes[op->mode]))
			return true;
	op->mode = 0;
	return asm_error(c, "expected add, write or first");
}

/* c1<=0 */
static bool waits(struct asm_cursor *c, struct rondo_op *op)
{
	s64 channel, outstanding;

	do {
		if (!asm_numbered(c, 'c', 0, RONDO_DMA_CHANNELS - 1, "channel", &channel) ||
		    !asm_expect(c, "<=") ||
		    !asm_number(c, 0, 6, "outstanding transfers", &outstanding))
			return false;
		op->wait[channel] = outstanding + 1;
	} while (asm_accept(c, ","));
	return true;
}

static bool last_loop(struct asm_cursor *c, struct rondo_op *op)
{
	s64 depth;

	if (!asm_expect(c, "last=") || !asm_numbered(c, 'l', 0, 14, "loop", &depth))
		return false;
	op->last = depth + 1;
	return true;
}

/* Trip counts and body=; without body= the line must end in a brace, and body stays 0. */
static bool loops(struct asm_cursor *c, struct rondo_op *op)
{
	u32 max = op->op == RONDO_OP_loop1 ? 1 : 3, trips = 0;
	struct field_range range = range_of(rondo_ops[op->op].format, "trip[0]");
	s64 value;

	op->trip[0] = op->trip[1] = op->trip[2] = 1;
	do {
		if (asm_accept_word(c, "body")) {
			if (!asm_expect(c, "=") || !FIELD(c, op, body, "body"))
				return false;
			break;
		}
		if (trips == max)
			return asm_error(c, "more than %u trip count%s", max, max > 1 ? "s" : "");
		if (!asm_number(c, range.lo, range.hi, "trip count", &value))
			return false;
		op->trip[trips++] = value;
	} while (asm_accept(c, ","));
	op->nest = op->op == RONDO_OP_loop ? trips : 0;
	return trips || asm_error(c, "expected a trip count");
}

static bool operand(struct asm_cursor *c, struct rondo_op *op, char letter)
{
	s64 value;

	switch (letter) {
	case 'd':
		return NUMBERED(c, op, dst, 'v', "vector register");
	case 'a':
		return NUMBERED(c, op, a, 'v', "vector register");
	case 'b':
		return NUMBERED(c, op, b, 'v', "vector register");
	case 'c':
		return NUMBERED(c, op, c, 'v', "vector register");
	case 'p':
		return NUMBERED(c, op, params, 'v', "vector register");
	case 's':
		return NUMBERED(c, op, a, 'v', "vector register") &&
		       (!asm_accept(c, ".") || FIELD(c, op, lane, "lane"));
	case '@':
		return address(c, op);
	case 'e':
		if (!asm_reference(c, ASM_ENTRY, &value))
			return false;
		op->entry = value;
		return true;
	case 'n':
		return FIELD(c, op, count, "count");
	case 'r':
		return FIELD(c, op, rows, "rows");
	case 'A':
		return NUMBERED(c, op, row, 'a', "accumulator row");
	case 'w':
		return NUMBERED(c, op, buf, 'w', "weight buffer") && asm_expect(c, ".") &&
		       FIELD(c, op, wrow, "weight row");
	case 'm':
		return push_mode(c, op);
	case 'z':
		return zero_point(c, op);
	case 'i':
		return FIELD(c, op, imm, "immediate");
	case 'h':
		return FIELD(c, op, shift, "shift");
	case 'C':
		return NUMBERED(c, op, channel, 'c', "channel");
	case 'D':
		if (!asm_reference(c, ASM_DESC, &value))
			return false;
		op->desc = value;
		return true;
	case 'l':
		return last_loop(c, op);
	case 'x':
		return FIELD(c, op, x0, "column") && asm_expect(c, "..") &&
		       FIELD(c, op, x1, "column");
	case 'y':
		return FIELD(c, op, y0, "row") && asm_expect(c, "..") && FIELD(c, op, y1, "row");
	case 'o':
		return loops(c, op);
	case 'W':
		return waits(c, op);
	}
	return asm_error(c, "operand '%c' is unknown", letter);
}

static bool at_operation_end(struct asm_cursor *c)
{
	return asm_at_end(c) || *c->at == '|' || *c->at == '{';
}

/* Whether an optional operand is missing here. Waits come last and begin with a channel. */
static bool left_out(struct asm_cursor *c, char letter)
{
	const char *begin = c->at;
	bool here;

	switch (letter) {
	case 'n':
		here = !asm_accept_word(c, "zp");
		break;
	case 'z':
		here = asm_accept_word(c, "zp");
		break;
	case 'l':
		here = asm_accept_word(c, "last");
		break;
	default:
		return false;
	}
	c->at = begin;
	return !here;
}

static bool operands(struct asm_cursor *c, struct rondo_op *op)
{
	const char *letter = rondo_syntax[rondo_ops[op->op].format];
	bool first = true;

	for (; *letter; letter++) {
		if (at_operation_end(c)) {
			if (!strchr("nzlW", *letter))
				return asm_error(c, "operands are missing");
			continue;
		}
		if (!first && !asm_expect(c, ","))
			return false;
		if (left_out(c, *letter)) {
			/* The comma belongs to the next operand. */
			first = true;
			continue;
		}
		if (!operand(c, op, *letter))
			return false;
		first = false;
	}
	return true;
}

static u8 find_op(const char *word)
{
	u32 op;
	size_t i;

	for (op = 1; op < RONDO_OPCODES; op++) {
		const char *name = rondo_ops[op].name;

		if (!name || strlen(name) != strlen(word))
			continue;
		for (i = 0; name[i]; i++)
			if ((name[i] == '_' ? '.' : name[i]) != word[i])
				break;
		if (!name[i])
			return op;
	}
	return RONDO_OP_NOP;
}

bool asm_is_mnemonic(const char *word)
{
	return find_op(word) || !strcmp(word, "nop");
}

/* Reads "l1:" if it stands here; the slot's number, or -1. */
static s32 slot_prefix(struct asm_cursor *c)
{
	const char *begin = c->at;

	for (u32 slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		const char *name = rondo_slot_names[slot];
		const char word[] = { tolower(name[0]), name[1], 0 };

		if (asm_accept_word(c, word) && asm_accept(c, ":"))
			return slot;
		c->at = begin;
	}
	return -1;
}

/* Sixteen hexadecimal digits behind '?'. */
static bool raw_word(struct asm_cursor *c, u64 *word)
{
	u32 n;

	*word = 0;
	for (n = 0; n < 16; n++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, c->at[n]);

		if (!c->at[n] || !digit)
			return asm_error(c, "expected 16 hexadecimal digits");
		*word = *word << 4 | (digit - digits);
	}
	c->at += n;
	return true;
}

/* The slot for an operation whose prefix is @slot or -1: that, or the first that is free. */
static bool choose_slot(struct asm_cursor *c, u8 op, u32 taken, s32 *slot)
{
	u32 free = rondo_ops[op].slots & ~taken;

	if (*slot < 0 && !free)
		return asm_error(c, "no slot is left for %s", rondo_ops[op].name);
	if (*slot < 0)
		*slot = __builtin_ctz(free);
	if (taken >> *slot & 1)
		return asm_error(c, "slot %s is taken", rondo_slot_names[*slot]);
	return true;
}

struct bundle {
	u64 word[RONDO_SLOTS_PER_BUNDLE];
	struct asm_origin origin;
	u32 taken;
	struct rondo_op loop; /* a loop without body=, else nop */
};

/* Records that the operation that begins at @begin has @slot. */
static void take_slot(const struct asm_cursor *c, struct bundle *b, s32 slot, const char *begin)
{
	size_t column = (size_t)(begin - c->line->text) + 1;

	b->origin.column[slot] = column <= UINT16_MAX ? (u16)column : 0;
	b->taken |= 1u << slot;
}

static bool operation(struct asm_cursor *c, struct bundle *b)
{
	struct rondo_op op = { .count = c->as->machine.lanes };
	s32 slot = slot_prefix(c);
	char word[ASM_NAME_BYTES];
	const char *begin;
	u64 bits;

	asm_at_end(c);
	begin = c->at;
	if (asm_accept(c, "?")) {
		if (slot < 0)
			return asm_error(c, "an encoding needs a slot, as in v0: ?");
		if (!raw_word(c, &bits) || !choose_slot(c, RONDO_OP_NOP, b->taken, &slot))
			return false;
		b->word[slot] = bits;
		take_slot(c, b, slot, begin);
		return true;
	}
	if (!asm_word(c, word, "an operation"))
		return false;
	if (!strcmp(word, "nop"))
		return true;
	op.op = find_op(word);
	if (!op.op) {
		c->at = begin;
		return asm_error(c, "no operation '%s'", word);
	}
	if (!choose_slot(c, op.op, b->taken, &slot) || !operands(c, &op))
		return false;
	if (rondo_op_is_loop(op.op) && !op.body)
		b->loop = op;
	else if (!rondo_encode(&op, &b->word[slot]))
		return asm_error(c, "%s cannot be encoded", word);
	take_slot(c, b, slot, begin);
	return true;
}

static bool add_bundle(struct asm_state *as, const struct bundle *b)
{
	u32 n = as->header.bundles;
	u64(*words)[RONDO_SLOTS_PER_BUNDLE] = asm_grow(as, &as->bundles, n, sizeof(*words));
	struct asm_origin *origin = asm_grow(as, &as->origins, n, sizeof(*origin));

	if (!words || !origin)
		return false;
	memcpy(*words, b->word, sizeof(b->word));
	*origin = b->origin;
	as->header.bundles++;
	return true;
}

static bool open_block(struct asm_cursor *c, const struct rondo_op *loop)
{
	struct asm_state *as = c->as;

	if (as->block_count == RONDO_LOOP_DEPTH)
		return asm_error(c, "more than %d loops inside each other", RONDO_LOOP_DEPTH);
	as->blocks[as->block_count++] = (struct asm_block){
		.op = *loop,
		.bundle = as->header.bundles - 1,
		.line = c->line->number,
	};
	return true;
}

bool asm_bundle_line(struct asm_cursor *c)
{
	struct bundle b = { .origin = asm_origin_of(c) };

	do
		if (!operation(c, &b))
			return false;
	while (asm_accept(c, "|"));
	if (c->as->header.bundles == RONDO_BUNDLES_MAX)
		return asm_error(c, "more than %d bundles", RONDO_BUNDLES_MAX);
	if (!b.loop.op)
		return add_bundle(c->as, &b);
	if (!asm_accept(c, "{"))
		return asm_error(c, "expected body= or '{'");
	return add_bundle(c->as, &b) && open_block(c, &b.loop);
}

bool asm_close_block(struct asm_cursor *c)
{
	struct asm_state *as = c->as;
	struct asm_block *block;

	if (!as->block_count)
		return asm_error(c, "no loop to close");
	block = &as->blocks[--as->block_count];
	block->op.body = as->header.bundles - 1 - block->bundle;
	if (!block->op.body)
		return asm_error(c, "the loop of line %u has no body", block->line);
	if (!rondo_encode(&block->op, &as->bundles[block->bundle][RONDO_C]))
		return asm_error(c, "the body of the loop of line %u has %u bundles, too many",
				 block->line, block->op.body);
	return true;
}
