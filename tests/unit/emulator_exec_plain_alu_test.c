// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Every vector operation against values computed by hand, at the edges where
 * implementations differ: wrap, saturation, ties, signed zeros, NaN, subnormals.
 */
#include "emulator/exec/plain/operations.h"

#include <math.h>

#include "emulator/exec/plain/f32.h"
#include "tests/tap.h"

enum {
	MAX = 0x7fffffff,
	ONE = 0x3f800000, /* 1.0f */
	TWO = 0x40000000,
	HALF = 0x3f000000,
	TINY = 1, /* the least subnormal */
	BIG = 0x7f7fffff, /* the greatest finite */
	INF = 0x7f800000,
	NAN_QUIET = 0x7fc00000,
	NAN_OTHER = 0x7fa12345,
};

#define MIN 0x80000000u
#define MINUS 0x80000000u /* the sign bit */
#define NEG(x) (-(u32)(x))

/* One lane: operation, operands, result. */
struct row {
	u8 op;
	u32 a, b, c, d;
};

#define U(name, a, d)                       \
	{                                   \
		RONDO_OP_##name, a, 0, 0, d \
	}
#define B(name, a, b, d)                    \
	{                                   \
		RONDO_OP_##name, a, b, 0, d \
	}
#define T(name, a, b, c, d)                 \
	{                                   \
		RONDO_OP_##name, a, b, c, d \
	}

/* clang-format off */
static const struct row rows[] = {
	U(mov, NAN_OTHER, NAN_OTHER),
	B(add, MAX, 1, MIN), B(add, 5, NEG(7), NEG(2)),
	B(sub, MIN, 1, MAX), B(sub, 5, 7, NEG(2)),
	B(mul, 0x10001, 0x10001, 0x20001), B(mul, NEG(3), 7, NEG(21)), B(mul, MIN, NEG(1), MIN),
	B(mulh, MIN, MIN, 0x40000000), B(mulh, MIN, MAX, 0xc0000000), B(mulh, NEG(1), 1, ~0u),
	B(mulh, 0x10000, 0x10000, 1),
	B(srdhm, MIN, MIN, MAX), B(srdhm, MAX, MAX, MAX - 1), B(srdhm, 1, 0x40000000, 1),
	B(srdhm, NEG(1), 0x40000000, 0), B(srdhm, NEG(3), 0x40000000, NEG(1)),
	B(srdhm, 3, 0x40000000, 2), B(srdhm, 0x12345678, 0x40000000, 0x091a2b3c),
	B(adds, MAX, 1, MAX), B(adds, MIN, NEG(1), MIN), B(adds, MAX, NEG(1), MAX - 1),
	B(subs, MIN, 1, MIN), B(subs, MAX, NEG(1), MAX), B(subs, 0, MIN, MAX),
	B(shl, 1, 31, MIN), B(shl, 3, 31, MIN), B(shl, 5, 32, 5), B(shl, 5, 33, 10),
	B(shls, 1, 31, MAX), B(shls, NEG(1), 31, MIN), B(shls, NEG(2), 31, MIN),
	B(shls, 3, 4, 48), B(shls, 0, 31, 0), B(shls, 7, 32, 7),
	B(sra, MIN, 31, ~0u), B(sra, NEG(5), 1, NEG(3)), B(sra, 5, 33, 2),
	B(srl, MIN, 31, 1), B(srl, NEG(1), 28, 15), B(srl, 5, 32, 5),
	B(srar, 5, 1, 3), B(srar, NEG(5), 1, NEG(3)), B(srar, 4, 3, 1), B(srar, NEG(4), 3, NEG(1)),
	B(srar, 3, 3, 0), B(srar, NEG(3), 3, 0), B(srar, MIN, 31, NEG(1)), B(srar, MAX, 31, 1),
	B(srar, 0x3fffffff, 31, 0), B(srar, 0x40000000, 31, 1), B(srar, NEG(9), 0, NEG(9)),
	B(min, MIN, MAX, MIN), B(min, 3, 2, 2), B(max, MIN, MAX, MAX), B(max, NEG(3), NEG(2),
	NEG(2)),
	U(clz, 0, 32), U(clz, 1, 31), U(clz, MIN, 0), U(clz, 0x00ffffff, 8),
	B(cmplt, NEG(1), 0, ~0u), B(cmplt, 0, 0, 0), B(cmplt, 1, MIN, 0),
	B(cmpeq, 7, 7, ~0u), B(cmpeq, 7, 8, 0),
	B(and, 0xff00ff00, 0x0ff00ff0, 0x0f000f00), B(or, 0xf0, 0x0f, 0xff),
	B(xor, 0xff, 0x0f, 0xf0),
	B(andn, 0xff, 0x0f, 0xf0), T(sel, 0x12345678, 0x9abcdef0, 0xffff0000, 0x1234def0),

	B(fadd, ONE, ONE, TWO), B(fadd, ONE, 0x33800000, ONE), /* 1 + 2^-24: tie to even */
	B(fadd, 0x3f800001, 0x33800000, 0x3f800002), B(fadd, TINY, TINY, 2),
	B(fadd, INF, INF | MINUS, NAN_QUIET), B(fadd, NAN_OTHER, ONE, NAN_QUIET),
	B(fadd, MINUS, MINUS, MINUS), B(fadd, ONE, ONE | MINUS, 0), B(fadd, BIG, BIG, INF),
	B(fsub, ONE, ONE, 0), B(fsub, 0, 0, 0), B(fsub, INF, INF, NAN_QUIET),
	B(fsub, 0x00800000, TINY, 0x007fffff),
	B(fmul, TWO, HALF, ONE), B(fmul, INF, 0, NAN_QUIET), B(fmul, TINY, HALF, 0),
	B(fmul, 3, HALF, 2), B(fmul, ONE | MINUS, 0, MINUS), B(fmul, BIG, TWO, INF),
	/* (1 + 2^-12)^2 - (1 + 2^-11) is 2^-24 only if rounded once */
	T(fma, 0x3f800800, 0x3f800800, 0xbf801000, 0x33800000), T(fma, INF, 0, ONE, NAN_QUIET),
	T(fma, ONE, ONE, NAN_OTHER, NAN_QUIET), T(fma, MINUS, ONE, 0, 0),
	T(fma, TINY, HALF, TINY, 2),
	B(fmin, ONE, TWO, ONE), B(fmin, NAN_OTHER, ONE, ONE), B(fmin, ONE, NAN_OTHER, NAN_OTHER),
	B(fmin, 0, MINUS, MINUS), B(fmin, MINUS, 0, 0),
	B(fmax, ONE, TWO, TWO), B(fmax, NAN_OTHER, ONE, ONE), B(fmax, ONE, NAN_OTHER, NAN_OTHER),
	B(fmax, MINUS, 0, 0), B(fmax, 0, MINUS, MINUS),
	B(fcmplt, ONE, TWO, ~0u), B(fcmplt, MINUS, 0, 0), B(fcmplt, NAN_QUIET, ONE, 0),
	B(fcmple, MINUS, 0, ~0u), B(fcmple, TWO, ONE, 0), B(fcmple, NAN_QUIET, NAN_QUIET, 0),
	B(fcmpeq, 0, MINUS, ~0u), B(fcmpeq, NAN_QUIET, NAN_QUIET, 0), B(fcmpeq, ONE, TWO, 0),
	U(frint, HALF, 0), U(frint, 0x3fc00000, TWO), U(frint, HALF | MINUS, MINUS),
	U(frint, NAN_OTHER, NAN_QUIET),
	U(frint, 0x40200000, TWO), U(frint, BIG, BIG),
	U(ffloor, HALF | MINUS, ONE | MINUS), U(ffloor, HALF, 0), U(ffloor, MINUS, MINUS),
	U(ffloor, NAN_OTHER, NAN_QUIET),
	U(ftrunc, 0xbfc00000, ONE | MINUS), U(ftrunc, HALF | MINUS, MINUS), U(ftrunc, INF, INF),
	U(ftrunc, NAN_OTHER, NAN_QUIET),
	U(fabs, NAN_OTHER | MINUS, NAN_OTHER), U(fabs, ONE | MINUS, ONE),
	U(fneg, NAN_OTHER, NAN_OTHER | MINUS), U(fneg, 0, MINUS),
	U(f2i, HALF, 0), U(f2i, 0x3fc00000, 2), U(f2i, 0xc0200000, NEG(2)), U(f2i, 0x4f000000, MAX),
	U(f2i, 0xcf000000, MIN), U(f2i, 0xcf000001, MIN), U(f2i, 0x4effffff, 0x7fffff80),
	U(f2i, NAN_QUIET, 0), U(f2i, INF | MINUS, MIN),
	U(i2f, 0, 0), U(i2f, NEG(1), ONE | MINUS), U(i2f, MAX, 0x4f000000),
	U(i2f, 0x01000001, 0x4b800000), U(i2f, 0x01000003, 0x4b800002),
	/* ties to even */
	B(bpack, ONE, TWO, 0x40003f80), B(bpack, 0x3f808000, 0x3f818000, 0x3f823f80),
	B(bpack, NAN_OTHER, BIG, 0x7f807fc0), B(bpack, 0x3f808001, MINUS, 0x80003f81),
	U(bunplo, 0x12347fa1, 0x7fa10000), U(bunphi, 0x12347fa1, 0x12340000),

	T(dot4_ss, 0x80808080, 0x80808080, 1, 0x10001),
	T(dot4_ss, 0x01fe7f80, 0x02030405, 10, 10 + 2 - 6 + 508 - 640),
	T(dot4_us, 0xffffffff, 0x80808080, 0, NEG(4 * 255 * 128)),
	T(dot4_us, 0x000000ff, 0x0000007f, MAX, MIN + 255 * 127 - 1),
	T(dot2_bf16, 0x40003f80, 0x3f803f80, HALF, 0x40600000),
	T(dot2_bf16, 0x7f807f80, 0xff803f80, 0, NAN_QUIET),

	B(fdiv, ONE, TWO, HALF), B(fdiv, ONE, 0x40400000, 0x3eaaaaab),
	B(fdiv, ONE, MINUS, INF | MINUS), B(fdiv, 0, 0, NAN_QUIET),
	B(fdiv, TINY, TWO, 0), B(fdiv, 3, TWO, 2),
	U(frcp, 0x40400000, 0x3eaaaaab), U(frcp, 0, INF), U(frcp, INF | MINUS, MINUS),
	U(frcp, 0x7f000000, 0x00400000),
	U(fsqrt, TWO, 0x3fb504f3), U(fsqrt, MINUS, MINUS), U(fsqrt, ONE | MINUS, NAN_QUIET),
	U(fsqrt, INF, INF),
	U(frsqrt, TWO, 0x3f3504f3), U(frsqrt, 0, INF), U(frsqrt, MINUS, INF | MINUS),
	U(frsqrt, ONE | MINUS, NAN_QUIET), U(frsqrt, INF, 0),
	U(fexp2, 0, ONE), U(fexp2, MINUS, ONE), U(fexp2, ONE, TWO),
	U(fexp2, 0x42fe0000, 0x7f000000), U(fexp2, 0x43000000, INF),
	U(fexp2, INF, INF), U(fexp2, INF | MINUS, 0), U(fexp2, NAN_OTHER, NAN_QUIET),
	/* 2^-149 and its neighbours */
	U(fexp2, 0xc3150000, TINY),
	U(fexp2, 0xc3160000, 0), U(fexp2, 0xc315ffff, TINY), U(fexp2, 0xc2fe0000, 0x00400000),
	U(fexp2, HALF, 0x3fb504f3),
	U(flog2, ONE, 0), U(flog2, TWO, ONE), U(flog2, HALF, ONE | MINUS), U(flog2, 0, INF | MINUS),
	U(flog2, MINUS, INF | MINUS),
	U(flog2, ONE | MINUS, NAN_QUIET), U(flog2, INF, INF), U(flog2, INF | MINUS, NAN_QUIET),
	U(flog2, NAN_OTHER, NAN_QUIET),
	U(flog2, TINY, 0xc3150000), U(flog2, 0x00400000, 0xc2fe0000),
	U(flog2, 0x40400000, 0x3fcae00d),

	U(mv_n, ONE, 0), U(mv_e, ONE, 0), U(mv_s, ONE, 0), U(mv_w, ONE, 0),
	U(bc_row, NAN_OTHER, NAN_OTHER), U(bc_col, 5, 5),
	U(sum_row_f32, NAN_OTHER, NAN_QUIET), U(sum_col_f32, ONE, ONE),
	U(max_row_f32, NAN_OTHER, NAN_OTHER), U(max_col_f32, ONE, ONE),
	U(sum_row_s32, 5, 5), U(sum_col_s32, 5, 5), U(max_row_s32, NEG(5), NEG(5)),
	U(max_col_s32, NEG(5), NEG(5)),
};
/* clang-format on */

static void fill(exec_vreg r, u32 value)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		r[i] = value;
}

static bool tested[RONDO_OPCODES];

static void lanes(void)
{
	exec_vreg a, b, c, d;

	for (u32 i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct alu_args x = { .d = d, .a = a, .b = b, .c = c, .lanes = 64 };
		u32 wrong = 0;

		fill(a, row->a);
		fill(b, row->b);
		fill(c, row->c);
		fill(d, 0xdeadbeef);
		alu_ops[row->op](&x);
		tested[row->op] = true;
		for (u32 l = 0; l < 64; l++)
			wrong += d[l] != row->d;
		if (!tap_ok(!wrong, "%s %08x %08x %08x", rondo_ops[row->op].name, row->a, row->b,
			    row->c))
			printf("# is %08x, expected %08x\n", d[0], row->d);
	}
}

/* Operations whose lanes differ. */
static void across(void)
{
	exec_vreg a, b, d;
	struct alu_args x = { .d = d, .a = a, .b = b, .imm = -3, .lanes = 64 };
	u32 wrong = 0;

#define RUN(name) (tested[RONDO_OP_##name] = true, alu_ops[RONDO_OP_##name](&x))
	RUN(movi);
	tap_ok(d[0] == NEG(3) && d[63] == NEG(3), "movi");
	RUN(iota);
	tap_ok(d[0] == 0 && d[63] == 63, "iota");
	for (u32 i = 0; i < 64; i++) {
		a[i] = 1000 + i;
		b[i] = 64 * i + 63 - i;
	}
	RUN(perm);
	for (u32 i = 0; i < 64; i++)
		wrong += d[i] != 1063 - i;
	tap_eq(wrong, 0, "perm takes lane numbers modulo 64");
	for (u32 i = 0; i < 64; i++) {
		a[i] = 3 * i + 0x100;
		b[i] = 0x03020100 + 0x04040404 * i;
	}
	RUN(lut);
	for (wrong = 0; wrong < 64 && d[wrong] == (3 * wrong) % 256; wrong++)
		;
	tap_eq(wrong, 64, "lut is a table of 256 bytes");
	for (u32 i = 0; i < 64; i++)
		a[i] = i == 40 ? MAX : i;
	RUN(rsum_s32);
	tap_ok(d[0] == MAX + 2016u - 40 && d[63] == d[0], "rsum.s32 wraps");
	RUN(rmax_s32);
	tap_ok(d[5] == MAX, "rmax.s32");
	/* 2^24 in lane 0 and 1 elsewhere: halving adds the ones first, a chain would lose them. */
	fill(a, ONE);
	a[0] = 0x4b800000;
	RUN(rsum_f32);
	tap_ok(d[0] == f32_bits(16777216.0f + 62) && d[63] == d[0], "rsum.f32 goes by halving");
	a[7] = NAN_OTHER;
	RUN(rsum_f32);
	tap_ok(d[9] == NAN_QUIET, "rsum.f32 of a NaN");
	fill(a, ONE | MINUS);
	a[50] = HALF;
	RUN(rmax_f32);
	tap_ok(d[0] == HALF && d[63] == HALF, "rmax.f32");
	a[2] = NAN_OTHER;
	RUN(rmax_f32);
	tap_ok(d[0] == HALF, "rmax.f32 drops a NaN that stands first");
}

/* One lane's requantise parameters. */
static void set_params(exec_vreg p[3], u32 bias, u32 multiplier, s8 shift, u8 zp, u8 low, u8 high)
{
	fill(p[0], bias);
	fill(p[1], multiplier);
	fill(p[2], (u8)shift | (u32)zp << 8 | (u32)low << 16 | (u32)high << 24);
}

struct quant_row {
	u8 op;
	u32 x, shift, bias, multiplier;
	s8 right;
	u8 zp, low, high;
	u32 d;
};

/* clang-format off */
static const struct quant_row quant_rows[] = {
	/* (100 + 28) * 0.5 = 64, / 4 = 16, + 3 */
	{ RONDO_OP_rq_fix_s8, 100, 0, 28, 0x40000000, -2, 3, 0x80, 0x7f, 19 },
	/* -5 * 0.5 = -2.5, srdhm: -2; / 4: half away from zero: -1 */
	{ RONDO_OP_rq_fix_s8, NEG(5), 0, 0, 0x40000000, -2, 0, 0x80, 0x7f, NEG(1) },
	{ RONDO_OP_rq_fix_s8, 1000, 0, 0, 0x40000000, 0, 0, 0x80, 0x7f, 127 },
	{ RONDO_OP_rq_fix_s8, NEG(1000), 0, 0, 0x40000000, 0, 0, 0x81, 0x7f, NEG(127) },
	{ RONDO_OP_rq_fix_s8, 3, 0, 0, 0x40000000, 2, 0, 0x80, 0x7f, 6 }, /* left shift before */
	/* by at most 31 */
	{ RONDO_OP_rq_fix_s8, 1, 0, 0, 0x40000000, 127, 0, 0x80, 0x7f, NEG(128) },
	{ RONDO_OP_rq_fix_s8, MAX, 0, 0, MAX, -128, 0, 0x80, 0x7f, 1 },
	{ RONDO_OP_rq_fix_s8, 5, 20, 0, 0x40000000, -19, 0, 0x80, 0x7f, 5 }, /* static shift */
	{ RONDO_OP_rq_fix_s8, MAX, 0, 1, 0x40000000, 0, 0, 0x80, 0x7f, NEG(128) }, /* bias wraps */
	{ RONDO_OP_rq_fix_s8, MIN, 0, 0, MIN, 0, 0xff, 0x80, 0x7f, 127 },
	{ RONDO_OP_rq_fix_u8, 100, 0, 0, 0x40000000, 0, 0x80, 0, 0xff, 178 },
	{ RONDO_OP_rq_fix_u8, NEG(1000), 0, 0, 0x40000000, 0, 0x80, 2, 0xff, 2 },
	{ RONDO_OP_rq_fix_u8, MAX, 0, 0, MAX, 0, 0xff, 0, 0xfe, 254 }, /* zero point saturates */
	{ RONDO_OP_rq_fix_u8, 0, 0, 0, 0, 0, 9, 20, 10, 10 }, /* high wins over low */
	{ RONDO_OP_rq_flt_s8, 5, 0, 0, HALF, 0, 0, 0x80, 0x7f, 2 }, /* 2.5 to even */
	{ RONDO_OP_rq_flt_s8, 7, 0, 0, HALF, 0, 1, 0x80, 0x7f, 5 }, /* 3.5 to even, + 1 */
	{ RONDO_OP_rq_flt_s8, NEG(5), 0, 0, HALF, 0, 0, 0x80, 0x7f, NEG(2) },
	{ RONDO_OP_rq_flt_s8, 1, 0, 0, NAN_QUIET, 0, 7, 0x80, 0x7f, 7 }, /* NaN is 0 */
	{ RONDO_OP_rq_flt_s8, 1, 0, 0, INF, 0, 7, 0x80, 0x7f, 127 },
	/* f32 of the sum first */
	{ RONDO_OP_rq_flt_u8, 0x01000001, 0, 0, 0x34000000, 0, 0, 0, 0xff, 2 },
	{ RONDO_OP_rq_flt_u8, 10, 0, NEG(20), ONE, 0, 0x80, 0, 0xff, 118 },
	/* no zero point, no clamp */
	{ RONDO_OP_rq_fix_s32, 1000, 0, 24, 0x40000000, -1, 99, 1, 2, 256 },
	{ RONDO_OP_rq_fix_s32, NEG(7), 20, 0, 0x40000000, 0, 0, 0, 0, NEG(7 << 19) },
};
/* clang-format on */

static void requantise(void)
{
	exec_vreg a, p[3], d;

	for (u32 i = 0; i < sizeof(quant_rows) / sizeof(*quant_rows); i++) {
		const struct quant_row *q = &quant_rows[i];

		fill(a, q->x);
		set_params(p, q->bias, q->multiplier, q->right, q->zp, q->low, q->high);
		alu_ops[q->op](
			&(struct alu_args){ .d = d, .a = a, .params = p, .shift = q->shift });
		tested[q->op] = true;
		if (!tap_ok(d[0] == q->d && d[63] == q->d, "%s %08x, row %u", rondo_ops[q->op].name,
			    q->x, i))
			printf("# is %08x, expected %08x\n", d[0], q->d);
	}
}

static void requantise_f32(void)
{
	static const struct {
		u32 x, bias, low, high, d;
	} cases[] = {
		{ ONE, ONE, 0, INF, TWO },
		{ ONE, TWO | MINUS, 0, INF, 0 },
		{ TWO, TWO, 0, TWO, TWO },
		{ NAN_OTHER, ONE, 0, TWO, NAN_QUIET }, /* NaN passes the clamps, canonical */
		{ MINUS, MINUS, 0, INF, MINUS }, /* -0 is not less than 0: fmax gives b */
		{ ONE, ONE, NAN_OTHER, INF, TWO },
	};
	exec_vreg a, p[3], d, again;

	tested[RONDO_OP_rq_f32] = true;
	for (u32 i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fill(a, cases[i].x);
		fill(p[0], cases[i].bias);
		fill(p[1], cases[i].low);
		fill(p[2], cases[i].high);
		alu_ops[RONDO_OP_rq_f32](&(struct alu_args){ .d = d, .a = a, .params = p });
		slot_meaning[RONDO_OP_stq_f32].readout(a, p, again);
		if (!tap_ok(d[0] == cases[i].d && again[0] == d[0], "rq_f32 %08x", cases[i].x))
			printf("# is %08x, expected %08x\n", d[0], cases[i].d);
	}
}

/* Readout and store requantise as the vector operation of the same kind. */
static void same_everywhere(void)
{
	static const u8 kinds[][4] = {
		{ RONDO_OP_rq_fix_s8, RONDO_OP_rdq_fix_s8, RONDO_OP_stq_fix_s8,
		  RONDO_OP_strq_fix_s8 },
		{ RONDO_OP_rq_fix_u8, RONDO_OP_rdq_fix_u8, RONDO_OP_stq_fix_u8,
		  RONDO_OP_strq_fix_u8 },
		{ RONDO_OP_rq_flt_s8, RONDO_OP_rdq_flt_s8, RONDO_OP_stq_flt_s8,
		  RONDO_OP_strq_flt_s8 },
		{ RONDO_OP_rq_flt_u8, RONDO_OP_rdq_flt_u8, RONDO_OP_stq_flt_u8,
		  RONDO_OP_strq_flt_u8 },
		{ RONDO_OP_rq_f32, RONDO_OP_rdq_f32, RONDO_OP_stq_f32, RONDO_OP_strq_f32 },
	};
	exec_vreg a, p[3], d, again;

	for (u32 i = 0; i < 64; i++)
		a[i] = i * 77777 - 2000000;
	set_params(p, 12345, 0x3c23d70a, -3, 0x85, 0x90, 0x70);
	for (u32 k = 0; k < 5; k++) {
		alu_ops[kinds[k][0]](&(struct alu_args){ .d = d, .a = a, .params = p });
		for (u32 other = 1; other < 4; other++) {
			slot_meaning[kinds[k][other]].readout(a, p, again);
			tap_ok(!memcmp(d, again, sizeof(d)), "%s is the same in %s",
			       rondo_ops[kinds[k][0]].name, rondo_ops[kinds[k][other]].name);
		}
	}
}

/* Largest error in units of the last place of the exact result. */
static double worst(u8 op, double (*exact)(double), u32 first, u32 last, u32 step)
{
	double error, most = 0;
	exec_vreg a, d;
	u64 bits = first;

	while (bits < last) {
		for (u32 i = 0; i < 64; i++, bits += step)
			a[i] = bits < last ? bits : first;
		alu_ops[op](&(struct alu_args){ .d = d, .a = a });
		for (u32 i = 0; i < 64; i++) {
			double y = exact((double)f32(a[i]));
			int exponent = y ? ilogb(y) : -149;

			error = fabs(f32(d[i]) - y) /
				ldexp(1, (exponent < -126 ? -126 : exponent) - 23);
			most = error > most ? error : most;
		}
	}
	return most;
}

static void accuracy(void)
{
	/* Positive arguments up to 127, negative ones down to -149, and all positive numbers. */
	double positive = worst(RONDO_OP_fexp2, exp2, 0x2f000000, 0x42fe0000, 20011);
	double negative = worst(RONDO_OP_fexp2, exp2, 0xaf000000, 0xc3150000, 20011);
	double log = worst(RONDO_OP_flog2, log2, 1, 0x7f800000, 100003);
	double near_one = worst(RONDO_OP_flog2, log2, 0x3f700000, 0x3f7fffff, 101);
	double near_sqrt2 = worst(RONDO_OP_flog2, log2, 0x3fb00000, 0x3fb504f3, 7);

	printf("# fexp2 %.3f and %.3f ulp, flog2 %.3f, %.3f and %.3f ulp\n", positive, negative,
	       log, near_one, near_sqrt2);
	tap_ok(positive <= 0.9 && negative <= 0.9, "fexp2 is within 0.9 ulp");
	tap_ok(log <= 1.75 && near_one <= 1.75 && near_sqrt2 <= 1.75, "flog2 is within 1.75 ulp");
}

static void all_tested(void)
{
	u32 missing = 0;

	for (u32 op = 0; op < RONDO_OPCODES; op++) {
		if (alu_ops[op] && !tested[op]) {
			printf("# %s has no test\n", rondo_ops[op].name);
			missing++;
		}
	}
	tap_eq(missing, 0, "every vector operation is tested");
}

int main(void)
{
	lanes();
	across();
	requantise();
	requantise_f32();
	same_everywhere();
	accuracy();
	all_tested();
	return tap_done();
}
