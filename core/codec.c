// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/codec.h"

#define OPCODE_BITS 7
#define BITS_MAX(width) ((1ull << (width)) - 1)
#define BITS_OF(word, lo, width) (BITS_MAX(width) & (word) >> (lo))
#define SIGN_BIT(width) (1ull << (width) >> 1)

/* What each kind of field does to the stored bits; value is wide enough for all. */
#define GET_U(word, lo, width) BITS_OF(word, lo, width)
#define GET_M1(word, lo, width) (BITS_OF(word, lo, width) + 1)
#define GET_X4(word, lo, width) (BITS_OF(word, lo, width) * 4)
#define GET_S(word, lo, width) \
	((s64)(BITS_OF(word, lo, width) ^ SIGN_BIT(width)) - (s64)SIGN_BIT(width))

static bool put(u64 *word, u64 bits, u32 lo, u32 width)
{
	if (bits > BITS_MAX(width))
		return false;
	*word |= bits << lo;
	return true;
}

/* M1 of 0 and X4 of a number that is no multiple of 4 give bits that do not fit any field. */
#define PUT_U(value) ((u64)(value))
#define PUT_M1(value) (-1 + (u64)(value))
#define PUT_X4(value) ((value) % 4 ? ~0ull : (u64)(value) / 4)

static bool put_signed(u64 *word, s64 value, u32 lo, u32 width)
{
	s64 limit = (s64)SIGN_BIT(width);

	if (value < -limit || value >= limit)
		return false;
	*word |= ((u64)value & BITS_MAX(width)) << lo;
	return true;
}

#define ENC_U(value, lo, width) put(&bits, PUT_U(value), lo, width)
#define ENC_M1(value, lo, width) put(&bits, PUT_M1(value), lo, width)
#define ENC_X4(value, lo, width) put(&bits, PUT_X4(value), lo, width)
#define ENC_S(value, lo, width) put_signed(&bits, value, lo, width)

/* The bits that a format's fields occupy, opcode included. */
static const u64 format_bits[] = {
	[RONDO_FMT_NONE] = 0,
#define F(member, lo, width, kind, role) | BITS_MAX(width) << (lo)
#define FORMAT(name, fields) [RONDO_FMT_##name] = BITS_MAX(OPCODE_BITS) fields,
#include "spec/formats.def"
};

bool rondo_decode(u64 word, struct rondo_op *op)
{
	u8 format;

	memset(op, 0, sizeof(*op));
	op->op = BITS_OF(word, 0, OPCODE_BITS);
	if (!word)
		return true;
	format = rondo_ops[op->op].format;
	if (word & ~format_bits[format])
		return false;
	switch (format) {
#define F(member, lo, width, kind, role) op->member = GET_##kind(word, lo, width);
#define FORMAT(name, fields)   \
	case RONDO_FMT_##name: \
		fields break;
#include "spec/formats.def"
	default:
		return false;
	}
	return true;
}

bool rondo_encode(const struct rondo_op *op, u64 *word)
{
	u64 bits = op->op;
	bool fits = true;

	if (op->op == RONDO_OP_NOP) {
		*word = 0;
		return true;
	}
	if (op->op >= RONDO_OPCODES)
		return false;
	switch (rondo_ops[op->op].format) {
#define F(member, lo, width, kind, role) fits = fits && ENC_##kind(op->member, lo, width);
#define FORMAT(name, fields)   \
	case RONDO_FMT_##name: \
		fields break;
#include "spec/formats.def"
	default:
		return false;
	}
	if (fits)
		*word = bits;
	return fits;
}
