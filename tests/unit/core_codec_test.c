// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The codec: encode and decode are inverse, field by field, for every operation; every bit
 * of every word is a field's, the opcode's, or refused.
 */
#include "core/codec.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { TRIES = 200 };

static u64 random_state = 0x9e3779b97f4a7c15ull;

static u64 next_random(void)
{
	return random_next(&random_state);
}

/* The formats as data: a row for each, followed by a row for each of its fields. */
struct field {
	u8 format; /* RONDO_FMT_NONE: a field of the format above */
	u8 lo, width;
	const char *name;
};

static const struct field fields[] = {
#define F(member, lo, width, kind, role) { RONDO_FMT_NONE, lo, width, #member },
#define FORMAT(name, fields) { RONDO_FMT_##name, 0, 7, #name }, fields
#include "spec/formats.def"
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static u64 field_bits(const struct field *f)
{
	return (~0ull >> (64 - f->width)) << f->lo;
}

/* Bits of a format, opcode included. */
static u64 format_bits(u8 format)
{
	u64 bits = 0;
	u32 i;

	for (i = 0; i < FIELDS && fields[i].format != format; i++)
		;
	do
		bits |= field_bits(&fields[i++]);
	while (i < FIELDS && !fields[i].format);
	return bits;
}

static void test_layout(void)
{
	bool apart = true, inside = true;
	u64 bits = 0;
	u32 i;

	for (i = 0; i < FIELDS; i++) {
		if (fields[i].format)
			bits = 0;
		inside = inside && fields[i].lo + fields[i].width <= 64;
		apart = apart && !(bits & field_bits(&fields[i]));
		if (!inside || !apart) {
			printf("# field %s\n", fields[i].name);
			break;
		}
		bits |= field_bits(&fields[i]);
	}
	tap_ok(inside, "fields are inside the word");
	tap_ok(apart, "fields of a format do not overlap, nor the opcode");
}

/* Decodes @word, which is canonical, and encodes it again. */
static bool returns(u64 word)
{
	struct rondo_op op;
	u64 again = ~word;

	return rondo_decode(word, &op) && op.op == word % 128 && rondo_encode(&op, &again) &&
	       again == word;
}

static void test_operation(u8 opcode)
{
	u64 bits = format_bits(rondo_ops[opcode].format) & ~127ull, strange = ~bits & ~127ull;
	bool same = returns(opcode) && returns(opcode | bits), refused = true;
	struct rondo_op op;
	u32 i;

	for (i = 0; i < TRIES; i++)
		same = same && returns(opcode | (bits & next_random()));
	for (i = 0; i < TRIES; i++)
		same = same && returns(opcode | (bits & next_random() & next_random()));
	for (i = 0; i < 64; i++)
		if (strange >> i & 1)
			refused = refused && !rondo_decode(opcode | 1ull << i, &op) &&
				  op.op == opcode;
	tap_ok(same, "%s: decode and encode are inverse", rondo_ops[opcode].name);
	tap_ok(refused, "%s: a bit outside its fields is refused", rondo_ops[opcode].name);
}

/* Values next to those that a kind of field can hold. */
#define ABOVE_U(width) (1ll << (width))
#define ABOVE_M1(width) ((1ll << (width)) + 1)
#define ABOVE_X4(width) (4ll << (width))
#define ABOVE_S(width) (1ll << (width) >> 1)
#define BELOW_U(width) (-1)
#define BELOW_M1(width) 0
#define BELOW_X4(width) 2
#define BELOW_S(width) (-1 - (1ll << (width) >> 1))

/* Encoding refuses @value in @member, if the member's type can hold it at all. */
#define REFUSES(member, value)                                                         \
	do {                                                                           \
		struct rondo_op changed = op;                                          \
		volatile s64 wanted = (value);                                         \
		u64 word = 0x5a;                                                       \
                                                                                       \
		changed.member = wanted;                                               \
		if ((s64)changed.member == wanted)                                     \
			good = good && !rondo_encode(&changed, &word) && word == 0x5a; \
	} while (0);

static void test_ranges(u8 opcode)
{
	struct rondo_op op;
	bool good = rondo_decode(opcode, &op);

	switch (rondo_ops[opcode].format) {
#define F(member, lo, width, kind, role)     \
	REFUSES(member, ABOVE_##kind(width)) \
	REFUSES(member, BELOW_##kind(width))
#define FORMAT(name, fields)   \
	case RONDO_FMT_##name: \
		fields break;
#include "spec/formats.def"
	}
	tap_ok(good, "%s: fields are not cut off", rondo_ops[opcode].name);
}

static void test_undefined(void)
{
	struct rondo_op op;
	bool refused = true, encoded = false;
	u32 opcode;
	u64 word;

	for (opcode = 1; opcode < RONDO_OPCODES; opcode++) {
		if (rondo_ops[opcode].name)
			continue;
		refused = refused && !rondo_decode(opcode, &op);
		op = (struct rondo_op){ .op = opcode };
		encoded = encoded || rondo_encode(&op, &word);
	}
	tap_ok(refused, "undefined opcodes are refused");
	tap_ok(!encoded, "and not encoded");
	op = (struct rondo_op){ .op = RONDO_OPCODES };
	tap_ok(!rondo_encode(&op, &word), "nor are numbers that are no opcodes");
	tap_ok(rondo_decode(0, &op) && !op.op, "the empty word is the empty slot");
	tap_ok(!rondo_decode(128, &op), "an empty slot with a bit set is refused");
}

int main(void)
{
	u32 opcode;

	test_layout();
	test_undefined();
	for (opcode = 1; opcode < RONDO_OPCODES; opcode++) {
		if (!rondo_ops[opcode].name)
			continue;
		test_operation(opcode);
		test_ranges(opcode);
	}
	return tap_done();
}
