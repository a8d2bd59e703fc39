/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Quantised networks: the few operators that all of them become, and what makes these.
 *
 * A quantised tensor is u8 or s8; q means the number (q - zero) * scale. The normalised graph has
 *
 *   ConvInteger, MatMulInteger, SumPool   sums in s32, modulo 2^32, of elements without their zero
 *   Requantize     s32 to u8 or s8: the end of every sum; see below
 *   QLinearAdd     fma(a, sa/sy, fma(b, sb/sy, zy - (sa/sy*za + sb/sy*zb))) in f32, rounded half to
 *                  even, within lo and hi and the range of the type
 *   FixedAdd       three Requantize: of each input, and of their sum; see below
 *   FixedSoftmax   softmax of gemmlowp's numbers in fixed point: see below
 *   Table          one of 256 bytes for each byte: any function of one quantised tensor
 *   QuantizeLinear, DequantizeLinear      where a network enters and leaves integers
 *
 * QLinearConv, QLinearMatMul, QLinearMul, QLinearGlobalAveragePool and floating-point operators
 * between DequantizeLinear and QuantizeLinear are made of these, and a TFLite reader makes the same
 * ones.
 *
 * Requantize has the inputs x (s32), multiplier, zero (a scalar, whose type is the result's), and
 * may have bias (s32) and shift (s32). Multiplier, bias and shift are scalars, or vectors with one
 * element for each index of dimension `axis`. All but x are constant. In integers modulo 2^32,
 *
 *   t = (x + bias) * 2^left                          left: 0 but in FixedAdd
 *   multiplier f32:  y = saturate_s32(rint(f32(t) * multiplier))          as ONNX Runtime
 *   multiplier s32:  y = srdhm(t << max(shift, 0), multiplier), then divided by 2^max(-shift, 0),
 *                    rounded half away from zero                          as gemmlowp, TFLite
 *   result = min(max(y + zero, lo), hi), within the range of the type
 *
 * where srdhm(a, b) is a * b * 2 >> 32, rounded and saturated. These are the operations rq_flt_*
 * and rq_fix_* of the machine (docs/reference/isa.md), and they cost nothing behind a product.
 */
#ifndef COMPILER_QUANTISE_H
#define COMPILER_QUANTISE_H

#include "compiler/passes.h"

/* A quantised tensor: its integers and what they mean. */
struct quantised {
	struct value *q;
	struct value *scale; /* f32: a scalar, or one for each channel */
	struct value *zero; /* of the type of q, likewise; NULL: 0 */
};

/* Replaces @n, one of the operators above that are made of others; its inputs are typed. */
int quantise_expand(struct graph *g, struct node *n);

/*
 * Makes before @at what QLinearConv (attributes and window of @like) and QLinearMatMul compute.
 * Returns the result, NULL and a message on error. @bias: s32, or NULL. All scales and zeros must
 * be constant.
 */
struct value *quantise_conv(struct graph *g, struct node *at, const struct attrs *like,
			    const struct quantised *x, const struct quantised *w,
			    struct value *bias, const struct quantised *y);
struct value *quantise_matmul(struct graph *g, struct node *at, const struct quantised *a,
			      const struct quantised *b, struct value *bias,
			      const struct quantised *y);

/* The same of QLinearAdd and QLinearGlobalAveragePool. */
struct value *quantise_add(struct graph *g, struct node *at, const struct quantised *a,
			   const struct quantised *b, const struct quantised *y);
struct value *quantise_global_pool(struct graph *g, struct node *at, const struct quantised *x,
				   const struct quantised *y);

/* The Requantize that ends the sums of @n, which is its only user; NULL: there is none. */
struct node *quantise_epilogue(const struct node *n);

/*
 * Whether the ConvInteger @n is done on the vector units: its channels do not mix, and its taps fit
 * in registers, four in each. What else does not mix becomes a product with zeros.
 */
enum { QUANTISE_TAPS_MAX = 12 }; /* registers of taps */
bool quantise_by_taps(const struct node *n);

/* Element @i of a tensor of integers of up to 32 bits. */
s32 quantise_read(enum dtype type, const void *bytes, s64 i);

/* The range of u8 or s8; and of the result of @n, within its own bounds. */
static inline s32 quantise_least(enum dtype type)
{
	return type == DTYPE_S8 ? INT8_MIN : 0;
}

static inline s32 quantise_most(enum dtype type)
{
	return type == DTYPE_S8 ? INT8_MAX : UINT8_MAX;
}

void quantise_bounds(const struct node *n, s32 *lo, s32 *hi);

/* Requantize of one sum, with the parameters of its channel; a multiplier as its bits. */
struct requantise {
	bool fixed; /* the multiplier is an integer */
	s32 multiplier, bias;
	int left; /* 0..31 */
	s32 shift; /* -31..31 */
	s32 zero, lo, hi;
};

/* The parameters of channel @c of the Requantize @n, whose inputs are constants. */
struct requantise requantise_of(const struct node *n, s64 c);

s32 requantise(const struct requantise *r, s32 x);

/*
 * Parameters of FixedAdd: q of each input, less its zero, times 2^20, times multiplier * 2^shift
 * (shift <= 0) as Requantize has them; the sum of both likewise, plus the zero of the result.
 */
enum fixed_add {
	FIXED_ADD_ZERO_A,
	FIXED_ADD_BY_A,
	FIXED_ADD_SHIFT_A,
	FIXED_ADD_ZERO_B,
	FIXED_ADD_BY_B,
	FIXED_ADD_SHIFT_B,
	FIXED_ADD_BY,
	FIXED_ADD_SHIFT,
	FIXED_ADD_ZERO,
	FIXED_ADD_PARAMETERS,
	FIXED_ADD_BITS = 20,
};

/* The three steps of the FixedAdd @n: each input, which is without zero and bounds, and their sum.
 */
struct fixed_sum {
	struct requantise in[2], out;
};

struct fixed_sum quantise_fixed_sum(const struct node *n);

/*
 * Parameters of FixedSoftmax: what the difference to the largest is multiplied with, multiplier *
 * 2^shift (shift >= 0), to have 26 bits behind the point; and the difference from which on down it
 * counts nothing. The result is 256 times the probability, less 128 for s8.
 */
enum fixed_softmax {
	FIXED_SOFTMAX_BY,
	FIXED_SOFTMAX_SHIFT,
	FIXED_SOFTMAX_LEAST,
	FIXED_SOFTMAX_PARAMETERS,
	FIXED_SOFTMAX_ROW_MAX = 4095, /* elements of a row: gemmlowp's bits suffice for these */
	FIXED_SOFTMAX_SUM_BITS = 12, /* before the point of the sum: all else has none */
	/*
	 * Results are divided by 2^(DOWN less the zeros before the sum), all of them below 2^31: by
	 * 2^DOWN_ALL and more they are 0, to the nearest.
	 */
	FIXED_SOFTMAX_DOWN = FIXED_SOFTMAX_SUM_BITS + 31 - 8,
	FIXED_SOFTMAX_DOWN_ALL = 32,
};

/* Newton's first guess of 1 / d, 1/2 <= d <= 1, is 48/17 - 32/17 d: with two bits before the point.
 */
enum { FIXED_48_17 = 1515870810, FIXED_32_17 = 1010580540, FIXED_ONE = 1 << 29 };

/* The power of e of an element that is @difference below the largest; @p: parameters as above. */
s32 quantise_fixed_exp(s32 difference, const s32 *p);

/* a * b * 2 >> 32, rounded and saturated. */
s32 quantise_srdhm(s32 a, s32 b);

/* x / 2^shift, rounded to nearest, half away from zero; @shift in 0..31. */
s32 quantise_divide(s32 x, int shift);

/* What the QLinearAdd @n adds up: a * x + (b * y + rest); @in: the bytes of its inputs. */
struct quantised_sum {
	float a, b, rest;
};

struct quantised_sum quantised_sum_of(const struct node *n, const void *const in[]);

#endif
