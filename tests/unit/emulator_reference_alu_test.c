// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The reference's arithmetic, in integers, against the executor's, which is the host's: every
 * vector operation on operands that are chosen to hurt, and requantise with parameters that do.
 */
#include "core/machine.h"
#include "emulator/exec/plain/operations.h"
#include "emulator/reference/f32.h"
#include "emulator/reference/state.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { ROUNDS = 300 }; /* of 64 lanes, for each operation */

static u64 random_state = 0x9e3779b97f4a7c15ull;

static u32 next_random(void)
{
	return (u32)(random_next(&random_state) >> 32);
}

/* Any bits; edges of f32 and s32; numbers of about one; numbers near what came before. */
static u32 operand(u32 before)
{
	static const u32 edge[] = {
		0,	    0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
		0xffc12345, 0x7f800001, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff,
		0xff7fffff, 0x7fffffff, 0xffffffff, 0x4f000000, 0xcf000000, 0x4effffff, 0x3f000000,
		0xbf000000, 0x3fc00000, 0x40200000, 0x4b000001, 0x43000000, 0xc3160000, 0x3f3504f3,
		31,	    32,		0x0000ffff, 0x00010000, 0x3f7f8000, 0x3f808000, 0x7f7f8000,
	};
	u32 bits = next_random();

	switch (bits % 8) {
	case 0:
	case 1:
		return edge[(bits >> 8) % (sizeof(edge) / sizeof(*edge))];
	case 2:
		return 0x3f000000 + (bits >> 7) % 0x01800000 + (bits << 28 & 0x80000000);
	case 3:
		return before ^ (bits & 0x80000000) ^ 1u << (bits >> 8) % 32;
	case 4:
		return before + (bits >> 8) % 3 - 1;
	case 5:
		return (u32)((s32)bits >> (bits >> 3) % 32);
	default:
		return next_random();
	}
}

static void fill(ref_row row, const u32 *before)
{
	u32 i;

	for (i = 0; i < LANES; i++)
		row[i] = operand(before ? before[i] : 0);
}

/* Compares one operation on one set of registers; v8.. are parameters. */
static bool same(struct reference *r, struct ref_tile *t, struct rondo_op *op)
{
	exec_vreg d, expected;
	u32 i;

	alu_ops[op->op](&(struct alu_args){
		.d = d,
		.a = t->vreg[op->a],
		.b = t->vreg[op->b],
		.c = t->vreg[op->c],
		.params = &t->vreg[op->params],
		.imm = op->imm,
		.shift = op->shift,
		.lanes = LANES,
	});
	ref_vector(r, t, op, expected);
	for (i = 0; i < LANES; i++) {
		if (d[i] == expected[i])
			continue;
		printf("# %s lane %u of %08x %08x %08x: %08x, reference %08x\n",
		       rondo_ops[op->op].name, i, t->vreg[op->a][i], t->vreg[op->b][i],
		       t->vreg[op->c][i], d[i], expected[i]);
		return false;
	}
	return true;
}

static void test_operation(struct reference *r, struct ref_tile *t, u8 opcode)
{
	u32 round, wrong = 0;

	for (round = 0; round < ROUNDS && wrong < 3; round++) {
		struct rondo_op op = {
			.op = opcode,
			.a = 1,
			.b = 2,
			.c = 3,
			.params = 8,
			.shift = next_random() % 32,
		};

		if (opcode == RONDO_OP_movi)
			op.imm = (s16)next_random();
		fill(t->vreg[1], NULL);
		fill(t->vreg[2], t->vreg[1]);
		fill(t->vreg[3], t->vreg[2]);
		fill(t->vreg[8], t->vreg[1]);
		fill(t->vreg[9], t->vreg[8]);
		fill(t->vreg[10], NULL);
		wrong += !same(r, t, &op);
	}
	tap_ok(!wrong, "%s: %u lanes", rondo_ops[opcode].name, ROUNDS * LANES);
}

/* f32 products of about the same size as the addend: cancellation and double rounding. */
static void test_fma(struct reference *r, struct ref_tile *t)
{
	u32 round, i, wrong = 0;
	struct rondo_op op = { .op = RONDO_OP_fma, .a = 1, .b = 2, .c = 3 };

	for (round = 0; round < 4 * ROUNDS; round++) {
		fill(t->vreg[1], NULL);
		fill(t->vreg[2], NULL);
		for (i = 0; i < LANES; i++) {
			u32 product = f32_mul(t->vreg[1][i], t->vreg[2][i]);
			s32 nudge = (s32)(next_random() % 8) - 4, scale = (s32)(next_random() % 54);

			t->vreg[3][i] = (product ^ (next_random() & F32_SIGN)) + (u32)nudge -
					((u32)(scale - 27) << 23);
		}
		wrong += !same(r, t, &op);
	}
	tap_ok(!wrong, "fma near cancellation: %u lanes", 4 * ROUNDS * LANES);
}

/* Every f32 that conversions to bf16 or s32 may round, in steps that meet all ties. */
static void test_special(struct reference *r, struct ref_tile *t)
{
	static const u8 ops[] = { RONDO_OP_fexp2, RONDO_OP_flog2, RONDO_OP_fsqrt,
				  RONDO_OP_f2i,	  RONDO_OP_frint, RONDO_OP_ffloor };
	u32 wrong = 0, k, i, bits;

	for (bits = 0; bits < 0xffff8000; bits += 64 * 4999) {
		for (i = 0; i < LANES; i++)
			t->vreg[1][i] = bits + i * 4999;
		for (k = 0; k < sizeof(ops); k++)
			wrong += !same(r, t, &(struct rondo_op){ .op = ops[k], .a = 1 });
	}
	tap_ok(!wrong, "functions of one operand over all exponents");
}

int main(void)
{
	struct reference r = { .tiles = 1 };
	struct ref_tile *t = calloc(1, sizeof(*t));
	u32 op;

	rondo_machine_init(&r.machine, RONDO_MACHINE_edge);
	r.tile = t;
	for (op = 0; op < RONDO_OPCODES; op++)
		if (alu_ops[op])
			test_operation(&r, t, (u8)op);
	test_fma(&r, t);
	test_special(&r, t);
	free(t);
	return tap_done();
}
