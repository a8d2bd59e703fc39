// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Vector code of operators on single elements: see vector.h. */
#include "compiler/vector.h"

#include <math.h>

/* A constant in every lane: an f32, or the bits of an s32. */
struct constant {
	bool is_integer;
	float f;
	s32 i;
};

/* clang-format off */
#define F(x) { false, x, 0 }
#define I(x) { true, 0, x }
/* clang-format on */

/* One operator for one kind of registers. */
struct recipe {
	vreg (*emit)(struct mir *m, const struct vector *v, const vreg *x);
	struct constant k[VECTOR_CONSTANTS];
	int constants;
};

static vreg op1(struct mir *m, enum rondo_opcode op, vreg a)
{
	return mir_v1(m, op, a);
}

static vreg op2(struct mir *m, enum rondo_opcode op, vreg a, vreg b)
{
	return mir_v2(m, op, a, b);
}

static vreg muladd(struct mir *m, vreg a, vreg b, vreg c)
{
	return mir_v3(m, RONDO_OP_fma, a, b, c);
}

/* @a where @mask is all ones, else @b. */
static vreg sel(struct mir *m, vreg mask, vreg a, vreg b)
{
	return mir_v3(m, RONDO_OP_sel, a, b, mask);
}

#define EMIT(name) static vreg name(struct mir *m, const struct vector *v, const vreg *x)
#define FIRST(name, op)                             \
	EMIT(name)                                  \
	{                                           \
		(void)v;                            \
		return op1(m, RONDO_OP_##op, x[0]); \
	}
#define BOTH(name, op)                                    \
	EMIT(name)                                        \
	{                                                 \
		(void)v;                                  \
		return op2(m, RONDO_OP_##op, x[0], x[1]); \
	}

/* ---- f32 ------------------------------------------------------------------------------------- */

FIRST(neg_f32, fneg)
FIRST(abs_f32, fabs)
FIRST(sqrt_f32, fsqrt)
FIRST(reciprocal_f32, frcp)
FIRST(floor_f32, ffloor)
FIRST(round_f32, frint)
BOTH(add_f32, fadd)
BOTH(sub_f32, fsub)
BOTH(mul_f32, fmul)
BOTH(div_f32, fdiv)

EMIT(itself)
{
	(void)m, (void)v;
	return x[0];
}

EMIT(ceil_f32)
{
	(void)v;
	return op1(m, RONDO_OP_fneg, op1(m, RONDO_OP_ffloor, op1(m, RONDO_OP_fneg, x[0])));
}

/* Constants: 0, 1, -1. */
EMIT(sign_f32)
{
	const vreg *k = v->k;
	vreg above = op2(m, RONDO_OP_and, op2(m, RONDO_OP_fcmplt, k[0], x[0]), k[1]);
	vreg below = op2(m, RONDO_OP_and, op2(m, RONDO_OP_fcmplt, x[0], k[0]), k[2]);

	return op2(m, RONDO_OP_or, above, below);
}

/* 2^(x log2 e) */
EMIT(exp_f32)
{
	return op1(m, RONDO_OP_fexp2, op2(m, RONDO_OP_fmul, x[0], v->k[0]));
}

/* log2(x) ln 2 */
EMIT(log_f32)
{
	return op2(m, RONDO_OP_fmul, op1(m, RONDO_OP_flog2, x[0]), v->k[0]);
}

/* 1 / (1 + 2^(-x log2 e)) */
EMIT(sigmoid_f32)
{
	vreg e = op1(m, RONDO_OP_fexp2, op2(m, RONDO_OP_fmul, x[0], v->k[0]));

	return op1(m, RONDO_OP_frcp, op2(m, RONDO_OP_fadd, e, v->k[1]));
}

/*
 * 1 - 2 / (1 + 2^(2x log2 e)). Near zero that difference loses its digits, so below 1/4 the odd
 * Taylor polynomial x - x^3/3 + 2x^5/15 - 17x^7/315 is taken: its next term, 62x^9/2835, is below
 * 2^-21 of the result there.
 */
EMIT(tanh_f32)
{
	const vreg *k = v->k;
	vreg e = op1(m, RONDO_OP_fexp2, op2(m, RONDO_OP_fmul, x[0], k[0]));
	vreg q = op2(m, RONDO_OP_fdiv, k[2], op2(m, RONDO_OP_fadd, e, k[1]));
	vreg far = op2(m, RONDO_OP_fsub, k[1], q);
	vreg xx = op2(m, RONDO_OP_fmul, x[0], x[0]);
	vreg p = muladd(m, xx, k[4], k[5]);

	p = muladd(m, xx, p, k[6]);
	p = op2(m, RONDO_OP_fmul, p, xx);
	return sel(m, op2(m, RONDO_OP_fcmplt, op1(m, RONDO_OP_fabs, x[0]), k[3]),
		   muladd(m, x[0], p, x[0]), far);
}

/* k[0] x^2 + k[1], times x^2, + k[2], and so on: @n coefficients, the highest first. */
static vreg polynomial(struct mir *m, vreg x, const vreg *k, int n)
{
	vreg p = k[0];

	for (int i = 1; i < n; i++)
		p = muladd(m, p, x, k[i]);
	return p;
}

/* All ones where @x / 2 is a whole number. */
static vreg is_even(struct mir *m, vreg x, vreg half)
{
	vreg h = op2(m, RONDO_OP_fmul, x, half);

	return op2(m, RONDO_OP_fcmpeq, h, op1(m, RONDO_OP_ffloor, h));
}

/* ---- Sine and cosine ------------------------------------------------------------------------- */

enum {
	BY_PI,
	PI_PARTS, /* -pi in three parts, of which two are short */
	SINE_TERMS = PI_PARTS + 3, /* coefficients of x^9 to x^3 */
	HALF = SINE_TERMS + 4,
	FAR, /* from here on x is reduced in integers */
	RADIANS, /* pi / 2^32 */
	SIGN_BIT,
	FRACTION,
	IMPLIED,
	FRACTION_BITS,
	PLACE_BITS,
	SHIFT_MASK,
	LAST_BIT,
	QUARTER,
};

#define SINE                                                                                      \
	F(0.318309886f), F(-3.140625f), F(-9.67502593994140625e-4f), F(-1.50995799097837643e-7f), \
		F(2.60572097e-6f), F(-1.98095775e-4f), F(8.33306555e-3f), F(-0.166666597f),       \
		F(0.5f), F(0x1p17f), F(7.31459045e-10f), I(INT32_MIN), I(0x7fffff), I(0x800000),  \
		I(23), I(26), I(7), I(31), I(0x40000000)

/* Exponents of far numbers are 8 * place + shift with places from FIRST_PLACE on. */
enum { FIRST_PLACE = 18, PLACES = 32 };

/* The 64 bits behind the point of 2^(8 place - 150) / (2 pi): what a far number of it is turns. */
static u64 turns_at(int place)
{
	static const u32 digits[] = { 0,	  0x28be60db, 0x9391054a, 0x7f09d5f4,
				      0x7d4d3770, 0x36d8a566, 0x4f10e410 };
	int bit = 32 + 8 * place - 150, word = bit / 32, shift = bit % 32;
	u64 bits = (u64)digits[word] << 32 | digits[word + 1];

	return shift ? bits << shift | digits[word + 2] >> (32 - shift) : bits;
}

/* turns_at() by place, in two halves of which the lower one is signed. */
static void load_turns(struct lowering *l, struct vector *v)
{
	s32 half[2][PLACES] = { { 0 } };

	for (int place = FIRST_PLACE; place < PLACES; place++) {
		u64 bits = turns_at(place);

		half[1][place] = (s32)(u32)bits;
		half[0][place] = (s32)((u32)(bits >> 32) + (half[1][place] < 0));
	}
	for (int i = 0; i < 2; i++)
		v->turns[i] = mir_load(&l->mir, RONDO_OP_ld_w,
				       lower_const(l, half[i], sizeof(half[i]), NULL), PLACES);
}

/* @size / (2 pi) without whole turns, in 2^-32: after Payne and Hanek, within 2. */
static vreg far_turn(struct mir *m, const struct vector *v, vreg size)
{
	vreg place = op2(m, RONDO_OP_srl, size, v->k[PLACE_BITS]);
	vreg shift = op2(m, RONDO_OP_srl, size, v->k[FRACTION_BITS]);
	vreg whole = op2(m, RONDO_OP_or, op2(m, RONDO_OP_and, size, v->k[FRACTION]), v->k[IMPLIED]);
	vreg high = op2(m, RONDO_OP_perm, v->turns[0], place);
	vreg low = op2(m, RONDO_OP_perm, v->turns[1], place);

	whole = op2(m, RONDO_OP_shl, whole, op2(m, RONDO_OP_and, shift, v->k[SHIFT_MASK]));
	return op2(m, RONDO_OP_add, op2(m, RONDO_OP_mul, whole, high),
		   op2(m, RONDO_OP_mulh, whole, low));
}

/* The sine of r within -pi/2..pi/2: the polynomial that is nearest over all of it, within 6e-9. */
static vreg near_sine(struct mir *m, const struct vector *v, vreg r)
{
	vreg rr = op2(m, RONDO_OP_fmul, r, r);
	vreg p = op2(m, RONDO_OP_fmul, rr, polynomial(m, rr, &v->k[SINE_TERMS], 4));

	return muladd(m, r, p, r);
}

/*
 * The sine of |x| or, a quarter turn on, its cosine: that of r = |x| - n pi, with the sign that an
 * odd n changes. Below 2^17, n times each part of pi is exact; from there on r is what is left of
 * half turns in integers.
 */
static vreg sine_of(struct mir *m, const struct vector *v, vreg x, bool cosine)
{
	const vreg *k = v->k, *pi = &v->k[PI_PARTS];
	vreg size = op1(m, RONDO_OP_fabs, x), far = op2(m, RONDO_OP_fcmple, k[FAR], size);
	vreg n = cosine ? muladd(m, size, k[BY_PI], k[HALF]) :
			  op2(m, RONDO_OP_fmul, size, k[BY_PI]);
	vreg turn = far_turn(m, v, size), twice, half_turns, r, far_r, sign;

	half_turns = n = op1(m, RONDO_OP_frint, n);
	if (cosine) {
		half_turns = op2(m, RONDO_OP_fsub, n, k[HALF]);
		turn = op2(m, RONDO_OP_add, turn, k[QUARTER]);
	}
	r = muladd(m, half_turns, pi[0], size);
	r = muladd(m, half_turns, pi[2], muladd(m, half_turns, pi[1], r));
	twice = op2(m, RONDO_OP_add, turn, turn);
	far_r = op1(m, RONDO_OP_i2f, twice);
	/* 0, but NaN for infinity */
	far_r = muladd(m, far_r, k[RADIANS], op2(m, RONDO_OP_fsub, size, size));
	sign = sel(m, far, op2(m, RONDO_OP_xor, turn, twice),
		   op2(m, RONDO_OP_shl, op1(m, RONDO_OP_f2i, n), k[LAST_BIT]));
	if (!cosine)
		sign = op2(m, RONDO_OP_xor, sign, x);
	return op2(m, RONDO_OP_xor, near_sine(m, v, sel(m, far, far_r, r)),
		   op2(m, RONDO_OP_and, sign, k[SIGN_BIT]));
}

EMIT(sin_f32)
{
	return sine_of(m, v, x[0], false);
}

EMIT(cos_f32)
{
	return sine_of(m, v, x[0], true);
}

/* ---- f32, further ---------------------------------------------------------------------------- */

/*
 * |x| is brought below tan(pi / 8): above 1 by 1 / x, then by (x - 1) / (x + 1); the polynomial is
 * that of Cephes. Constants: 1, tan(pi / 8), pi / 4, pi / 2, 0, coefficients.
 */
EMIT(atan_f32)
{
	const vreg *k = v->k;
	vreg size = op1(m, RONDO_OP_fabs, x[0]), big = op2(m, RONDO_OP_fcmplt, k[0], size);
	vreg t = sel(m, big, op1(m, RONDO_OP_frcp, size), size);
	vreg mid = op2(m, RONDO_OP_fcmplt, k[1], t);
	vreg folded = op2(m, RONDO_OP_fdiv, op2(m, RONDO_OP_fsub, t, k[0]),
			  op2(m, RONDO_OP_fadd, t, k[0]));
	vreg u = sel(m, mid, folded, t), uu = op2(m, RONDO_OP_fmul, u, u), p;

	p = op2(m, RONDO_OP_fmul, uu, polynomial(m, uu, &k[5], 4));
	p = op2(m, RONDO_OP_fadd, muladd(m, u, p, u), op2(m, RONDO_OP_and, mid, k[2]));
	p = sel(m, big, op2(m, RONDO_OP_fsub, k[3], p), p);
	return sel(m, op2(m, RONDO_OP_fcmplt, x[0], k[4]), op1(m, RONDO_OP_fneg, p), p);
}

/*
 * 1 - t (a1 + a2 t + ... + a5 t^4) e^(-x^2) with t = 1 / (1 + p |x|): Abramowitz and Stegun 7.1.26,
 * within 1.5e-7, or 4.2e-7 with what f32 rounds. Constants: 1, p, -log2 e, 0, a5 to a1.
 */
EMIT(erf_f32)
{
	const vreg *k = v->k;
	vreg size = op1(m, RONDO_OP_fabs, x[0]);
	vreg t = op1(m, RONDO_OP_frcp, muladd(m, size, k[1], k[0]));
	vreg e = op2(m, RONDO_OP_fmul, op2(m, RONDO_OP_fmul, x[0], x[0]), k[2]), y;

	y = op2(m, RONDO_OP_fmul, polynomial(m, t, &k[4], 5), t);
	y = op2(m, RONDO_OP_fmul, y, op1(m, RONDO_OP_fexp2, e));
	y = op2(m, RONDO_OP_fsub, k[0], y);
	return sel(m, op2(m, RONDO_OP_fcmplt, x[0], k[3]), op1(m, RONDO_OP_fneg, y), y);
}

EMIT(max_f32)
{
	(void)v;
	return vector_join(m, OP_MAXIMUM, true, x[0], x[1], false);
}

EMIT(min_f32)
{
	(void)v;
	return vector_join(m, OP_MINIMUM, true, x[0], x[1], false);
}

/*
 * @r less that multiple of @b that is nearest; where the quotient has more bits than f32, less so
 * many that 2^24 times fewer are left. Either is exact: what is left is a multiple of the last
 * place of @b, or of that place times the last one of the quotient.
 */
static vreg reduce(struct mir *m, vreg r, vreg b, int steps)
{
	for (int i = 0; i < steps; i++) {
		vreg q = op1(m, RONDO_OP_frint, op2(m, RONDO_OP_fdiv, r, b));

		r = muladd(m, op1(m, RONDO_OP_fneg, q), b, r);
	}
	return r;
}

/*
 * What is left of |a| after whole |b|, with the sign of a: exact. The quotient has up to 277 bits:
 * it is taken by 2^151 |b| and 2^127 |b| first where that is needed so that none overflows; six
 * steps are enough for all that f32 holds.
 * Constants: 0, infinity, 2^127, 1, 2^24, the sign bit.
 */
EMIT(mod_f32)
{
	const vreg *k = v->k;
	vreg a = op1(m, RONDO_OP_fabs, x[0]), b = op1(m, RONDO_OP_fabs, x[1]);
	vreg wide = sel(m, op2(m, RONDO_OP_fcmplt, b, k[3]), op2(m, RONDO_OP_fmul, b, k[2]), b);
	vreg widest = sel(m, op2(m, RONDO_OP_fcmplt, wide, k[3]), op2(m, RONDO_OP_fmul, wide, k[4]),
			  wide);
	vreg r = reduce(m, reduce(m, reduce(m, a, widest, 6), wide, 1), b, 6), whole;

	r = sel(m, op2(m, RONDO_OP_fcmplt, r, k[0]), op2(m, RONDO_OP_fadd, r, b), r);
	whole = op2(m, RONDO_OP_and, op2(m, RONDO_OP_fcmpeq, b, k[1]),
		    op2(m, RONDO_OP_fcmplt, a, b));
	r = sel(m, whole, a, r);
	return op2(m, RONDO_OP_xor, r, op2(m, RONDO_OP_and, x[0], k[5]));
}

/* x^n for whole n of 0..31 in s32 @n, exact where products are. @one: 1.0; @unit: s32 1; @zero. */
static vreg whole_power(struct mir *m, vreg x, vreg n, vreg one, vreg unit, vreg zero)
{
	vreg y = one;

	for (int i = 0; i < 5; i++) {
		vreg bit = op2(m, RONDO_OP_sub, zero, op2(m, RONDO_OP_and, n, unit));

		y = sel(m, bit, op2(m, RONDO_OP_fmul, y, x), y);
		n = op2(m, RONDO_OP_srl, n, unit);
		if (i < 4)
			x = op2(m, RONDO_OP_fmul, x, x);
	}
	return y;
}

/*
 * 2^(y log2 |x|) with the sign of x where y is odd, NaN for finite x < 0 and y not whole; by
 * products where y is whole and small. Constants: 0, 1, 1/2, 32, NaN, s32 1, another, infinity, the
 * sign bit.
 */
static vreg power(struct mir *m, const vreg *k, vreg x, vreg y)
{
	vreg size = op1(m, RONDO_OP_fabs, x), steps = op1(m, RONDO_OP_fabs, y);
	vreg whole = op2(m, RONDO_OP_fcmpeq, y, op1(m, RONDO_OP_frint, y));
	vreg few = op2(m, RONDO_OP_and, whole, op2(m, RONDO_OP_fcmplt, steps, k[3]));
	vreg p = op2(m, RONDO_OP_fmul, y, op1(m, RONDO_OP_flog2, size)), q, odd, real;

	p = op1(m, RONDO_OP_fexp2, p);
	p = sel(m, op2(m, RONDO_OP_fcmpeq, size, k[1]), k[1], p);
	odd = op2(m, RONDO_OP_andn, whole, is_even(m, y, k[2]));
	p = op2(m, RONDO_OP_xor, p, op2(m, RONDO_OP_and, odd, op2(m, RONDO_OP_and, x, k[8])));
	real = op2(m, RONDO_OP_or, whole, op2(m, RONDO_OP_fcmpeq, size, k[7]));
	p = sel(m, op2(m, RONDO_OP_andn, op2(m, RONDO_OP_fcmplt, x, k[0]), real), k[4], p);
	q = whole_power(m, x, op1(m, RONDO_OP_f2i, steps), k[1], k[5], k[0]);
	q = sel(m, op2(m, RONDO_OP_fcmplt, y, k[0]), op1(m, RONDO_OP_frcp, q), q);
	return sel(m, few, q, p);
}

/* ---- f32 to bool ----------------------------------------------------------------------------- */

/* The low bit of a mask: constant 0 is 1. */
static vreg truth(struct mir *m, const struct vector *v, vreg mask)
{
	return op2(m, RONDO_OP_and, mask, v->k[0]);
}

EMIT(isnan_f32)
{
	return op2(m, RONDO_OP_andn, v->k[0], op2(m, RONDO_OP_fcmpeq, x[0], x[0]));
}

/* Constants: 1, infinity, -infinity. */
EMIT(isinf_f32)
{
	const struct attrs *a = &v->node->attrs;
	vreg above = op2(m, RONDO_OP_fcmpeq, x[0], v->k[a->detect_positive ? 1 : 2]);
	vreg below = op2(m, RONDO_OP_fcmpeq, x[0], v->k[a->detect_negative ? 2 : 1]);

	if (!a->detect_positive && !a->detect_negative)
		return mir_movi(m, 0);
	return truth(m, v, op2(m, RONDO_OP_or, above, below));
}

#define TRUTH(name, op)                                                \
	EMIT(name)                                                     \
	{                                                              \
		return truth(m, v, op2(m, RONDO_OP_##op, x[0], x[1])); \
	}
TRUTH(equal_f32, fcmpeq)
TRUTH(less_f32, fcmplt)
TRUTH(lessequal_f32, fcmple)
TRUTH(equal_s32, cmpeq)
TRUTH(less_s32, cmplt)

EMIT(lessequal_s32)
{
	return op2(m, RONDO_OP_andn, v->k[0], op2(m, RONDO_OP_cmplt, x[1], x[0]));
}

/* ---- s32 ------------------------------------------------------------------------------------- */

BOTH(add_s32, add)
BOTH(sub_s32, sub)
BOTH(mul_s32, mul)
BOTH(max_s32, max)
BOTH(min_s32, min)
BOTH(and_s32, and)
BOTH(or_s32, or)
BOTH(xor_s32, xor)

/* Constant: what is to be inverted. */
EMIT(invert)
{
	return op2(m, RONDO_OP_xor, x[0], v->k[0]);
}

EMIT(neg_s32)
{
	return op2(m, RONDO_OP_sub, v->k[0], x[0]);
}

EMIT(abs_s32)
{
	return op2(m, RONDO_OP_max, x[0], op2(m, RONDO_OP_sub, v->k[0], x[0]));
}

EMIT(sign_s32)
{
	return op2(m, RONDO_OP_max, op2(m, RONDO_OP_min, x[0], v->k[0]), v->k[1]);
}

/*
 * |a| / |b|, from two quotients of f32 and a correction, so that it is exact for all numbers; 0
 * where b is 0. Constants: 0, 1, 31.
 */
static vreg quotient(struct mir *m, const vreg *k, vreg a, vreg b)
{
	vreg size_b = op2(m, RONDO_OP_max, b, op2(m, RONDO_OP_sub, k[0], b));
	vreg size_a = op2(m, RONDO_OP_max, a, op2(m, RONDO_OP_sub, k[0], a));
	vreg fa = op1(m, RONDO_OP_fabs, op1(m, RONDO_OP_i2f, a));
	vreg fb = op1(m, RONDO_OP_fabs, op1(m, RONDO_OP_i2f, b));
	vreg q = op1(m, RONDO_OP_f2i, op1(m, RONDO_OP_ftrunc, op2(m, RONDO_OP_fdiv, fa, fb)));
	vreg r = op2(m, RONDO_OP_sub, size_a, op2(m, RONDO_OP_mul, q, size_b)), more, fits;

	more = op1(m, RONDO_OP_ffloor, op2(m, RONDO_OP_fdiv, op1(m, RONDO_OP_i2f, r), fb));
	more = op1(m, RONDO_OP_f2i, more);
	r = op2(m, RONDO_OP_sub, r, op2(m, RONDO_OP_mul, more, size_b));
	q = op2(m, RONDO_OP_add, q, more);
	q = op2(m, RONDO_OP_add, q, op2(m, RONDO_OP_cmplt, r, k[0]));
	fits = op2(m, RONDO_OP_andn, op2(m, RONDO_OP_cmplt, k[0], size_b),
		   op2(m, RONDO_OP_cmplt, r, size_b));
	q = op2(m, RONDO_OP_sub, q, fits);
	return op2(m, RONDO_OP_andn, q, op2(m, RONDO_OP_cmpeq, b, k[0]));
}

EMIT(div_s32)
{
	vreg q = quotient(m, v->k, x[0], x[1]);
	vreg minus = op2(m, RONDO_OP_sra, op2(m, RONDO_OP_xor, x[0], x[1]), v->k[2]);

	return op2(m, RONDO_OP_sub, op2(m, RONDO_OP_xor, q, minus), minus);
}

EMIT(mod_s32)
{
	const vreg *k = v->k;
	vreg q = div_s32(m, v, x);
	vreg r = op2(m, RONDO_OP_sub, x[0], op2(m, RONDO_OP_mul, q, x[1])), other;

	if (!v->node->attrs.fmod) {
		other = op2(m, RONDO_OP_cmplt, op2(m, RONDO_OP_xor, r, x[1]), k[0]);
		other = op2(m, RONDO_OP_andn, other, op2(m, RONDO_OP_cmpeq, r, k[0]));
		r = op2(m, RONDO_OP_add, r, op2(m, RONDO_OP_and, other, x[1]));
	}
	return op2(m, RONDO_OP_andn, r, op2(m, RONDO_OP_cmpeq, x[1], k[0]));
}

/* Squares and products; below 0 only 1 and -1 have a power that is not 0. Constants: 0, 1, -1. */
static vreg integer_power(struct mir *m, const vreg *k, vreg x, vreg n)
{
	vreg y = k[1], base = x, left = n, odd, minus;

	for (int i = 0; i < 31; i++) {
		odd = op2(m, RONDO_OP_sub, k[0], op2(m, RONDO_OP_and, left, k[1]));
		y = sel(m, odd, op2(m, RONDO_OP_mul, y, base), y);
		left = op2(m, RONDO_OP_srl, left, k[1]);
		base = op2(m, RONDO_OP_mul, base, base);
	}
	odd = op2(m, RONDO_OP_sub, k[0], op2(m, RONDO_OP_and, n, k[1]));
	minus = op2(m, RONDO_OP_and, op2(m, RONDO_OP_cmpeq, x, k[1]), k[1]);
	minus = sel(m, op2(m, RONDO_OP_cmpeq, x, k[2]), sel(m, odd, k[2], k[1]), minus);
	return sel(m, op2(m, RONDO_OP_cmplt, n, k[0]), minus, y);
}

/* The elements are bytes, so that 31 bits are as good as more. Constant: 31. */
EMIT(shift_s32)
{
	bool left = v->node->attrs.direction[0] == 'L';

	return op2(m, left ? RONDO_OP_shl : RONDO_OP_srl, x[0],
		   op2(m, RONDO_OP_min, x[1], v->k[0]));
}

/* ---- All types ------------------------------------------------------------------------------- */

static bool is_f32(const struct node *n, int i)
{
	return node_in(n, i)->dtype == DTYPE_F32;
}

/* Constant: 0. */
EMIT(where)
{
	return sel(m, op2(m, RONDO_OP_sub, v->k[0], x[0]), x[1], x[2]);
}

/* Constants: 0, 1. */
EMIT(cast)
{
	const struct node *n = v->node;
	bool from = is_f32(n, 0), to = n->out[0]->dtype == DTYPE_F32;

	if (n->out[0]->dtype == DTYPE_BOOL && node_in(n, 0)->dtype != DTYPE_BOOL)
		return op2(m, RONDO_OP_andn, v->k[1],
			   op2(m, from ? RONDO_OP_fcmpeq : RONDO_OP_cmpeq, x[0], v->k[0]));
	if (from && !to)
		return op1(m, RONDO_OP_f2i, op1(m, RONDO_OP_ftrunc, x[0]));
	return to && !from ? op1(m, RONDO_OP_i2f, x[0]) : x[0];
}

/* Constants: 0, 1, 1/2, 32, NaN, s32 1, s32 -1, infinity, the sign bit. */
EMIT(pow_any)
{
	const struct node *n = v->node;
	vreg a = x[0], b = x[1], y;

	if (!is_f32(n, 0) && !is_f32(n, 1))
		return integer_power(m, (vreg[]){ v->k[0], v->k[5], v->k[6] }, a, b);
	a = is_f32(n, 0) ? a : op1(m, RONDO_OP_i2f, a);
	b = is_f32(n, 1) ? b : op1(m, RONDO_OP_i2f, b);
	y = power(m, v->k, a, b);
	return is_f32(n, 0) ? y : op1(m, RONDO_OP_f2i, op1(m, RONDO_OP_ftrunc, y));
}

vreg vector_join(struct mir *m, enum op op, bool f32, vreg a, vreg b, bool into)
{
	static const enum rondo_opcode ops[][2] = {
		[OP_ADD] = { RONDO_OP_add, RONDO_OP_fadd },
		[OP_MUL] = { RONDO_OP_mul, RONDO_OP_fmul },
		[OP_MAXIMUM] = { RONDO_OP_max, RONDO_OP_fmax },
		[OP_MINIMUM] = { RONDO_OP_min, RONDO_OP_fmin },
	};
	enum rondo_opcode code = ops[op][f32];
	vreg y, number;

	if (!f32 || op == OP_ADD || op == OP_MUL) {
		if (!into)
			return op2(m, code, a, b);
		mir_v2_into(m, a, code, a, b);
		return a;
	}
	/* If one is NaN, fmax gives the second: which is NaN, or else b is. */
	y = op2(m, code, b, a);
	number = op2(m, RONDO_OP_fcmpeq, b, b);
	if (!into)
		return sel(m, number, y, b);
	mir_v3_into(m, a, RONDO_OP_sel, y, b, number);
	return a;
}

/* A store as bf16 rounds by itself. */
EMIT(narrow_f32)
{
	if (v->node->out[0]->bf16)
		return x[0];
	return op1(m, RONDO_OP_bunplo, op2(m, RONDO_OP_bpack, x[0], x[0]));
}

/*
 * Constants: all bits but the sign, infinity, 2^-14, 13 of an exponent, 65536, 65504. To |x| is
 * added 2^13 times its power of two, which rounds it to the 11 digits of an f16 (to fewer below
 * 2^-14), and taken away again.
 */
EMIT(half_f32)
{
	const vreg *k = v->k;
	vreg x_abs = op2(m, RONDO_OP_and, x[0], k[0]);
	vreg bounded = op2(m, RONDO_OP_min, x_abs, k[4]);
	vreg power = op2(m, RONDO_OP_max, op2(m, RONDO_OP_and, bounded, k[1]), k[2]);
	vreg y;

	power = op2(m, RONDO_OP_add, power, k[3]);
	y = op2(m, RONDO_OP_fsub, op2(m, RONDO_OP_fadd, bounded, power), power);
	/* What is too large is infinite, and NaN itself. */
	y = sel(m, op2(m, RONDO_OP_fcmplt, k[5], y), op2(m, RONDO_OP_max, x_abs, k[1]), y);
	return op2(m, RONDO_OP_or, y, op2(m, RONDO_OP_xor, x[0], x_abs));
}

/* ---- The table ------------------------------------------------------------------------------- */

#define LOG2_E 1.44269504f
#define K(...) { __VA_ARGS__ }, sizeof((struct constant[]){ __VA_ARGS__ }) / sizeof(struct constant)
#define NO_K { F(0) }, 0
#define POW F(0), F(1), F(0.5f), F(32), F(NAN), I(1), I(-1), F(INFINITY), I(INT32_MIN)

/* By type of the first input: all but f32, f32. */
static const struct recipe recipes[OP_COUNT][2] = {
	[OP_NEG] = { { neg_s32, K(I(0)) }, { neg_f32, NO_K } },
	[OP_ABS] = { { abs_s32, K(I(0)) }, { abs_f32, NO_K } },
	[OP_SIGN] = { { sign_s32, K(I(1), I(-1)) }, { sign_f32, K(F(0), F(1), F(-1)) } },
	[OP_EXP] = { { NULL, NO_K }, { exp_f32, K(F(LOG2_E)) } },
	[OP_LOG] = { { NULL, NO_K }, { log_f32, K(F(0.693147181f)) } },
	[OP_SQRT] = { { NULL, NO_K }, { sqrt_f32, NO_K } },
	[OP_RECIPROCAL] = { { NULL, NO_K }, { reciprocal_f32, NO_K } },
	[OP_FLOOR] = { { NULL, NO_K }, { floor_f32, NO_K } },
	[OP_CEIL] = { { NULL, NO_K }, { ceil_f32, NO_K } },
	[OP_ROUND] = { { NULL, NO_K }, { round_f32, NO_K } },
	[OP_NARROW] = { { NULL, NO_K }, { narrow_f32, NO_K } },
	[OP_HALF] = { { NULL, NO_K },
		      { half_f32, K(I(INT32_MAX), I(0x7f800000), F(0x1p-14f), I(13 << 23), F(65536),
				    F(65504)) } },
	[OP_SIN] = { { NULL, NO_K }, { sin_f32, K(SINE) } },
	[OP_COS] = { { NULL, NO_K }, { cos_f32, K(SINE) } },
	[OP_ATAN] = { { NULL, NO_K },
		      { atan_f32, K(F(1), F(0.414213562f), F(0.785398163f), F(1.57079633f), F(0),
				    F(8.05374449538e-2f), F(-1.38776856032e-1f),
				    F(1.99777106478e-1f), F(-3.33329491539e-1f)) } },
	[OP_ERF] = { { NULL, NO_K },
		     { erf_f32,
		       K(F(1), F(0.3275911f), F(-LOG2_E), F(0), F(1.061405429f), F(-1.453152027f),
			 F(1.421413741f), F(-0.284496736f), F(0.254829592f)) } },
	[OP_SIGMOID] = { { NULL, NO_K }, { sigmoid_f32, K(F(-LOG2_E), F(1)) } },
	[OP_TANH] = { { NULL, NO_K },
		      { tanh_f32, K(F(2 * LOG2_E), F(1), F(2), F(0.25f), F(-17.0f / 315),
				    F(2.0f / 15), F(-1.0f / 3)) } },
	[OP_CLIP] = { { NULL, NO_K }, { itself, NO_K } },
	[OP_NOT] = { { invert, K(I(1)) }, { NULL, NO_K } },
	[OP_BITNOT] = { { invert, K(I(-1)) }, { NULL, NO_K } },
	[OP_ISNAN] = { { NULL, NO_K }, { isnan_f32, K(I(1)) } },
	[OP_ISINF] = { { NULL, NO_K }, { isinf_f32, K(I(1), F(INFINITY), F(-INFINITY)) } },
	[OP_CAST] = { { cast, K(I(0), I(1)) }, { cast, K(I(0), I(1)) } },
	[OP_BITCAST] = { { itself, NO_K }, { itself, NO_K } },
	[OP_ADD] = { { add_s32, NO_K }, { add_f32, NO_K } },
	[OP_SUB] = { { sub_s32, NO_K }, { sub_f32, NO_K } },
	[OP_MUL] = { { mul_s32, NO_K }, { mul_f32, NO_K } },
	[OP_DIV] = { { div_s32, K(I(0), I(1), I(31)) }, { div_f32, NO_K } },
	[OP_MAXIMUM] = { { max_s32, NO_K }, { max_f32, NO_K } },
	[OP_MINIMUM] = { { min_s32, NO_K }, { min_f32, NO_K } },
	[OP_POW] = { { pow_any, K(POW) }, { pow_any, K(POW) } },
	[OP_MOD] = { { mod_s32, K(I(0), I(1), I(31)) },
		     { mod_f32,
		       K(F(0), F(INFINITY), F(0x1p127f), F(1), F(0x1p24f), I(INT32_MIN)) } },
	[OP_EQUAL] = { { equal_s32, K(I(1)) }, { equal_f32, K(I(1)) } },
	[OP_LESS] = { { less_s32, K(I(1)) }, { less_f32, K(I(1)) } },
	[OP_LESSEQUAL] = { { lessequal_s32, K(I(1)) }, { lessequal_f32, K(I(1)) } },
	[OP_AND] = { { and_s32, NO_K }, { NULL, NO_K } },
	[OP_OR] = { { or_s32, NO_K }, { NULL, NO_K } },
	[OP_XOR] = { { xor_s32, NO_K }, { NULL, NO_K } },
	[OP_BITAND] = { { and_s32, NO_K }, { NULL, NO_K } },
	[OP_BITOR] = { { or_s32, NO_K }, { NULL, NO_K } },
	[OP_BITXOR] = { { xor_s32, NO_K }, { NULL, NO_K } },
	[OP_BITSHIFT] = { { shift_s32, K(I(31)) }, { NULL, NO_K } },
	[OP_WHERE] = { { where, K(I(0)) }, { where, K(I(0)) } },
};

static const struct recipe *recipe_of(const struct node *n)
{
	return &recipes[n->op][node_in(n, 0)->dtype == DTYPE_F32];
}

static vreg load_constant(struct lowering *l, const struct constant *c)
{
	float f = c->f;

	if (c->is_integer)
		memcpy(&f, &c->i, sizeof(f));
	return lower_f32(l, f, l->machine->lanes);
}

void vector_begin(struct lowering *l, struct vector *v)
{
	const struct recipe *r = recipe_of(v->node);
	const struct constant mask = I(0xff), shift = I(24);
	enum dtype to = v->node->out[0]->dtype;

	for (int i = 0; i < r->constants; i++)
		v->k[i] = load_constant(l, &r->k[i]);
	if (v->node->op == OP_SIN || v->node->op == OP_COS)
		load_turns(l, v);
	if (to == DTYPE_U8)
		v->wrap[0] = load_constant(l, &mask);
	if (to == DTYPE_S8)
		v->wrap[0] = load_constant(l, &shift);
}

vreg vector_op(struct mir *m, const struct vector *v, const vreg *x)
{
	vreg y = recipe_of(v->node)->emit(m, v, x);

	switch (v->node->out[0]->dtype) {
	case DTYPE_U8:
		return op2(m, RONDO_OP_and, y, v->wrap[0]);
	case DTYPE_S8:
		return op2(m, RONDO_OP_sra, op2(m, RONDO_OP_shl, y, v->wrap[0]), v->wrap[0]);
	default:
		return y;
	}
}
