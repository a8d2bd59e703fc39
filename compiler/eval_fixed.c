// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The interpreter's operators in fixed point, as TensorFlow Lite Micro computes them with gemmlowp:
 * bit for bit. A number with i bits before the point has 31 - i behind it, in an s32.
 */
#include "compiler/eval_ops.h"
#include "compiler/quantise.h"

static s32 wrap(s64 x)
{
	return (s32)(u32)(u64)x;
}

static s32 saturate(s64 x)
{
	return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (s32)x;
}

struct fixed_sum quantise_fixed_sum(const struct node *n)
{
	const s32 *p = node_in(n, 2)->data;
	struct fixed_sum sum = { .out = { .fixed = true,
					  .multiplier = p[FIXED_ADD_BY],
					  .shift = p[FIXED_ADD_SHIFT],
					  .zero = p[FIXED_ADD_ZERO] } };

	quantise_bounds(n, &sum.out.lo, &sum.out.hi);
	for (int i = 0; i < 2; i++) {
		const s32 *of = p + (i ? FIXED_ADD_ZERO_B : FIXED_ADD_ZERO_A);

		sum.in[i] = (struct requantise){ .fixed = true,
						 .bias = wrap(-(s64)of[0]),
						 .left = FIXED_ADD_BITS,
						 .multiplier = of[1],
						 .shift = of[2],
						 .lo = INT32_MIN,
						 .hi = INT32_MAX };
	}
	return sum;
}

void eval_fixed_add(const struct graph *g, const struct node *n, const void *const in[],
		    void *const out[])
{
	const struct fixed_sum sum = quantise_fixed_sum(n);
	const struct shape *s = &n->out[0]->shape;
	enum dtype type = node_in(n, 0)->dtype;
	s64 stride[2][TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, at[2] = { 0 };
	u8 *y = out[0];

	(void)g;
	if (!shape_elems(s))
		return;
	shape_broadcast_strides(&node_in(n, 0)->shape, s, stride[0]);
	shape_broadcast_strides(&node_in(n, 1)->shape, s, stride[1]);
	do {
		s32 a = requantise(&sum.in[0], quantise_read(type, in[0], at[0]));
		s32 b = requantise(&sum.in[1], quantise_read(type, in[1], at[1]));

		*y++ = (u8)requantise(&sum.out, wrap((s64)a + b));
	} while (eval_step(s, index, stride, at, 2));
}

/* ---- Softmax ------------------------------------------------------------------------------- */

enum { DIFFERENCE_BITS = 5, SUM_BITS = FIXED_SOFTMAX_SUM_BITS }; /* before the point */

/* e^x for x in -1/4..0, no bit before the point: four terms around -1/8. */
static s32 exp_of_quarter(s32 a)
{
	const s32 e_eighth = 1895147668, third = 715827883;
	s32 x = wrap((s64)a + (1 << 28)), x2 = quantise_srdhm(x, x), x3 = quantise_srdhm(x2, x);
	s32 x4 = quantise_divide(quantise_srdhm(x2, x2), 2);
	s32 rest = quantise_divide(wrap((s64)quantise_srdhm(wrap((s64)x4 + x3), third) + x2), 1);

	return wrap((s64)e_eighth + quantise_srdhm(e_eighth, wrap((s64)x + rest)));
}

/* e^x for x <= 0 of DIFFERENCE_BITS, no bit before the point. */
static s32 exp_of(s32 a)
{
	/* e^-(2^k), k = -2..4. */
	static const s32 power[] = { 1672461947, 1302514674, 790015084, 290630308,
				     39332535,	 720401,     242 };
	enum { FRACTION = 31 - DIFFERENCE_BITS, QUARTER = 1 << (FRACTION - 2) };
	s32 part = wrap((s64)(a & (QUARTER - 1)) - QUARTER);
	s32 rest = wrap((s64)part - a);
	s32 y = exp_of_quarter(saturate((s64)part * (1 << DIFFERENCE_BITS)));

	for (int k = 0; k < 7; k++)
		if (rest & (QUARTER << k))
			y = quantise_srdhm(y, power[k]);
	return a ? y : INT32_MAX;
}

/* 1 / (1 + x) for x in 0..1, no bit before the point: three steps of Newton's. */
static s32 reciprocal(s32 a)
{
	s64 sum = (s64)a + INT32_MAX;
	s32 half = (s32)((sum + (sum >= 0 ? 1 : -1)) / 2);
	s32 x = wrap((s64)FIXED_48_17 + quantise_srdhm(half, -FIXED_32_17));

	for (int i = 0; i < 3; i++) {
		s32 left = wrap((s64)FIXED_ONE - quantise_srdhm(half, x));

		x = wrap((s64)x + saturate((s64)quantise_srdhm(x, left) * 4));
	}
	return saturate((s64)x * 2);
}

s32 quantise_fixed_exp(s32 difference, const s32 *p)
{
	s32 scaled = wrap((s64)((u64)(s64)difference << p[FIXED_SOFTMAX_SHIFT]));

	if (difference < p[FIXED_SOFTMAX_LEAST])
		return 0;
	return exp_of(quantise_srdhm(scaled, p[FIXED_SOFTMAX_BY]));
}

static void softmax_row(enum dtype type, const void *x, s64 begin, s64 n, const s32 *p, u8 *y)
{
	s32 most = INT32_MIN, sum = 0, by;
	int headroom, down;

	for (s64 i = begin; i < begin + n; i++)
		most = quantise_read(type, x, i) > most ? quantise_read(type, x, i) : most;
	for (s64 i = begin; i < begin + n; i++)
		sum += quantise_divide(quantise_fixed_exp(quantise_read(type, x, i) - most, p),
				       SUM_BITS);
	/* The largest adds one, and rows are short: the sum is positive. */
	headroom = __builtin_clz((u32)sum);
	by = reciprocal(wrap((s64)((u32)sum << headroom) - (INT64_C(1) << 31)));
	down = FIXED_SOFTMAX_DOWN - headroom;
	if (down >= FIXED_SOFTMAX_DOWN_ALL)
		by = down = 0;
	for (s64 i = begin; i < begin + n; i++) {
		s32 e = quantise_fixed_exp(quantise_read(type, x, i) - most, p);
		s32 z = quantise_divide(quantise_srdhm(by, e), down) + quantise_least(type);

		y[i] = (u8)(z > quantise_most(type) ? quantise_most(type) : z);
	}
}

void eval_fixed_softmax(const struct graph *g, const struct node *n, const void *const in[],
			void *const out[])
{
	const struct shape *s = &n->out[0]->shape;
	s64 row = s->dim[s->rank - 1], elems = shape_elems(s);

	(void)g;
	for (s64 i = 0; i < elems; i += row)
		softmax_row(node_in(n, 0)->dtype, in[0], i, row, in[1], out[0]);
}
