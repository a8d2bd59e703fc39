// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/tflite_operators.h"

#include <errno.h>
#include <math.h>

#include "compiler/quantise.h"

enum { POOL_CELLS_MAX = 2048 };

static const struct shape scalar = { 0 };

/*
 * @real as multiplier * 2^(shift - 31), the multiplier of 31 bits: QuantizeMultiplier() of
 * TensorFlow Lite.
 */
static void split(double real, s32 *multiplier, s32 *shift)
{
	int exponent;
	s64 fixed = llround(frexp(real, &exponent) * 0x1p31);

	if (fixed == INT64_C(1) << 31) {
		fixed /= 2;
		exponent++;
	}
	if (exponent < -31) {
		fixed = 0;
		exponent = 0;
	}
	if (exponent > 30) {
		fixed = INT32_MAX;
		exponent = 30;
	}
	*multiplier = (s32)fixed;
	*shift = exponent;
}

/* A constant of one byte. */
static struct value *byte(const struct tflite_operator *o, enum dtype type, s64 x)
{
	u8 bits = (u8)x;

	return graph_const(o->r->g, "", type, &scalar, &bits);
}

/* The constant s32[@n]. */
static struct value *words(const struct tflite_operator *o, s64 n, const s32 *x)
{
	const struct shape shape = { 1, { n } };

	return graph_const(o->r->g, "", DTYPE_S32, &shape, x);
}

/*
 * How the activation @kind bounds the integers of @out: to infinity where it does not. As
 * CalculateActivationRangeQuantized(): in f32, half away from zero.
 */
static int find_bounds(const struct tflite_operator *o, s64 kind, const struct tflite_tensor *out,
		       float *lo, float *hi)
{
	double scale = tflite_scale(out, 0), zero = (double)tflite_zero(out, 0);
	double least = kind == ACTIVATION_RELU_N1_TO_1 ? -1 : 0;
	double most = kind == ACTIVATION_RELU_N1_TO_1 ? 1 : 6;

	if (kind != ACTIVATION_NONE && kind != ACTIVATION_RELU && kind != ACTIVATION_RELU6 &&
	    kind != ACTIVATION_RELU_N1_TO_1)
		return tflite_fail(o, -ENOTSUP, "activation %lld is not supported",
				   (long long)kind);
	*lo = -INFINITY;
	*hi = INFINITY;
	if (kind != ACTIVATION_NONE)
		*lo = (float)zero + roundf((float)least / (float)scale);
	if (kind != ACTIVATION_NONE && kind != ACTIVATION_RELU)
		*hi = (float)zero + roundf((float)most / (float)scale);
	return 0;
}

/* Bounds the integers of @n, which are those of @out, as the activation does the numbers. */
static int set_bounds(const struct tflite_operator *o, u32 activation, struct node *n,
		      const struct tflite_tensor *out)
{
	float lo = -INFINITY, hi = INFINITY;
	int rc = find_bounds(o, fb_int(&o->options, activation, 1, ACTIVATION_NONE), out, &lo, &hi);

	if (!rc && lo > -INFINITY)
		node_set_float(n, ATTR_lo, lo);
	if (!rc && hi < INFINITY)
		node_set_float(n, ATTR_hi, hi);
	return rc;
}

/* @v, bytes that are @t, without their zero, in s32. */
static struct value *widened(const struct tflite_operator *o, struct value *v,
			     const struct tflite_tensor *t)
{
	const s32 zero = (s32)tflite_zero(t, 0);
	struct value *in[2] = { NULL, graph_const(o->r->g, "", DTYPE_S32, &scalar, &zero) };
	struct node *n;

	in[0] = in[1] ? tflite_add_node(o, OP_CAST, &v, 1, &n) : NULL;
	if (!in[0])
		return NULL;
	node_set_int(n, ATTR_to, dtype_number(DTYPE_S32));
	return zero ? tflite_add_node(o, OP_SUB, in, 2, NULL) : in[0];
}

/* ---- Products ------------------------------------------------------------------------------ */

struct value *tflite_sum(const struct tflite_operator *o, enum op op, const struct tflite_tensor *x,
			 const struct tflite_tensor *w, struct value *const in[2],
			 struct node **node)
{
	struct value *all[4] = { in[0], in[1] };

	if (tflite_check_quantised(o, x, 1, 0))
		return NULL;
	if (w->dtype != DTYPE_S8 && w->dtype != DTYPE_U8) {
		tflite_fail(o, -ENOTSUP, "weights of %s are not supported for bytes",
			    dtype_name(w->dtype));
		return NULL;
	}
	all[2] = byte(o, x->dtype, tflite_zero(x, 0));
	all[3] = all[2] ? byte(o, w->dtype, tflite_zero(w, 0)) : NULL;
	return all[3] ? tflite_add_node(o, op, all, 4, node) : NULL;
}

/*
 * Whether TensorFlow Lite knows one scale of weights only, whose product with that of the input it
 * rounds to f32 (GetQuantizedConvolutionMultipler()): FULLY_CONNECTED, whose weights are a matrix,
 * and all of u8.
 */
static bool has_one_unit(const struct tflite_tensor *x, const struct tflite_tensor *w)
{
	return w->scale.count == 1 && (w->shape.rank == 2 || x->dtype == DTYPE_U8);
}

/* What one unit of the sum of channel @c means. */
static double unit_of(const struct tflite_tensor *x, const struct tflite_tensor *w, s64 c)
{
	double unit = tflite_scale(x, 0) * tflite_scale(w, c);

	return has_one_unit(x, w) ? (double)(float)unit : unit;
}

/*
 * The scale of a bias is not used, as that of the product is. TensorFlow Lite refuses one that is
 * far from it where it looks, which is where the product has one scale; and a zero everywhere.
 */
static int check_bias(const struct tflite_operator *o, const struct tflite_tensor *x,
		      const struct tflite_tensor *w, const struct tflite_tensor *out)
{
	const double most = 0.02; /* of the scale of the output */
	struct tflite_tensor *bias = tflite_input(o, 2);
	double unit = unit_of(x, w, 0);

	if (!bias)
		return o->r->g->err->code;
	if (tflite_zero(bias, 0))
		return tflite_fail(o, -EINVAL, "the zero of its bias is %lld, not 0",
				   (long long)tflite_zero(bias, 0));
	if (has_one_unit(x, w) && bias->scale.count == 1 &&
	    !(fabs(unit - tflite_scale(bias, 0)) <= most * tflite_scale(out, 0)))
		return tflite_fail(o, -EINVAL,
				   "the scale of its bias is %g, that of input times weights is %g",
				   tflite_scale(bias, 0), unit);
	return 0;
}

/* The Requantize of @v; @parameters: multiplier, zero, bias or NULL, shift or NULL. */
static struct value *requantized(const struct tflite_operator *o, u32 activation, struct value *v,
				 struct value *const parameters[4], const struct tflite_tensor *out,
				 int axis)
{
	struct value *in[] = { v, parameters[0], parameters[1], parameters[2], parameters[3] };
	struct node *n;
	struct value *y = tflite_add_node(o, OP_REQUANTIZE, in, 5, &n);

	if (!y || set_bounds(o, activation, n, out))
		return NULL;
	node_set_int(n, ATTR_axis, axis);
	return y;
}

struct value *tflite_end_sum(const struct tflite_operator *o, u32 activation, struct value *v,
			     struct value *bias, int axis, int along)
{
	struct tflite_tensor *x = tflite_input(o, 0), *w = tflite_input(o, 1);
	struct tflite_tensor *out = tflite_output(o, 0);
	s64 channels = w->shape.dim[axis];
	struct value *p[4] = { NULL, NULL, bias, NULL };
	s32 *multiplier, *shift;

	if (!out || tflite_check_quantised(o, w, channels, axis) ||
	    tflite_check_quantised(o, out, 1, 0) || (bias && check_bias(o, x, w, out)))
		return NULL;
	if (x->dtype == DTYPE_U8 && w->scale.count > 1) {
		tflite_fail(o, -EINVAL, "u8 has one scale of weights, not %u", w->scale.count);
		return NULL;
	}
	for (s64 c = 1; c < w->zero.count; c++)
		if (tflite_zero(w, c) != tflite_zero(w, 0)) {
			tflite_fail(o, -ENOTSUP, "the zeros of its weights differ");
			return NULL;
		}
	multiplier = graph_alloc(o->r->g, 2 * (size_t)(channels + 1) * sizeof(*multiplier));
	if (!multiplier)
		return NULL;
	shift = multiplier + channels;
	for (s64 c = 0; c < channels; c++)
		split(unit_of(x, w, c) / tflite_scale(out, 0), &multiplier[c], &shift[c]);
	p[0] = words(o, channels, multiplier);
	p[1] = byte(o, out->dtype, tflite_zero(out, 0));
	p[3] = words(o, channels, shift);
	return p[0] && p[1] && p[3] ? requantized(o, activation, v, p, out, along) : NULL;
}

/* ---- Pools --------------------------------------------------------------------------------- */

int tflite_check_same(const struct tflite_operator *o, const struct tflite_tensor *x,
		      const struct tflite_tensor *out)
{
	if (tflite_check_quantised(o, x, 1, 0) || tflite_check_quantised(o, out, 1, 0))
		return o->r->g->err->code;
	if (x->dtype == out->dtype && tflite_scale(x, 0) == tflite_scale(out, 0) &&
	    tflite_zero(x, 0) == tflite_zero(out, 0))
		return 0;
	return tflite_fail(o, -ENOTSUP, "a change of scale is not supported here");
}

/*
 * The mean is rounded half away from zero, as a sum times floor(2^31 / cells) + 1 is, rounded once:
 * what that is too much by turns halves away from zero, and reaches no other number for as few
 * cells as are allowed.
 */
static struct value *end_mean(const struct tflite_operator *o, u32 activation, struct value *v,
			      const struct node *n, const struct tflite_tensor *out)
{
	s64 cells = n->attrs.kernel.v[0] * n->attrs.kernel.v[1];
	struct value *p[4] = { 0 };
	s32 multiplier;

	if (n->attrs.kernel.v[0] < 1 || n->attrs.kernel.v[1] < 1 || cells < 1 ||
	    cells > POOL_CELLS_MAX) {
		tflite_fail(o, -ENOTSUP, "an average of %lld bytes, the limit is %d",
			    (long long)cells, POOL_CELLS_MAX);
		return NULL;
	}
	multiplier = cells == 1 ? INT32_MAX : (s32)((INT64_C(1) << 31) / cells + 1);
	p[0] = graph_const(o->r->g, "", DTYPE_S32, &scalar, &multiplier);
	p[1] = byte(o, out->dtype, 0);
	return p[0] && p[1] ? requantized(o, activation, v, p, out, 1) : NULL;
}

/* @v, s32, times @multiplier * 2^(@shift - 31), as @type with its @zero. */
static struct value *scaled(const struct tflite_operator *o, struct value *v, s32 multiplier,
			    s32 shift, enum dtype type, s64 zero)
{
	struct value *in[5] = { v };

	in[1] = graph_const(o->r->g, "", DTYPE_S32, &scalar, &multiplier);
	in[2] = byte(o, type, zero);
	in[4] = graph_const(o->r->g, "", DTYPE_S32, &scalar, &shift);
	return in[1] && in[2] && in[4] ? tflite_add_node(o, OP_REQUANTIZE, in, 5, NULL) : NULL;
}

struct value *tflite_divide_by_power(const struct tflite_operator *o, struct value *v, int power,
				     const struct tflite_tensor *out)
{
	return scaled(o, v, INT32_MAX, -power, out->dtype, 0); /* x times the largest is x */
}

/* The sum of all rows and columns of @x, an image, less its zeros. */
static struct value *sum_of_image(const struct tflite_operator *o, struct tflite_tensor *x)
{
	struct value *in[2] = { tflite_planes(o, x), byte(o, x->dtype, tflite_zero(x, 0)) };
	struct node *n;
	struct value *v;

	v = in[0] && in[1] ? tflite_add_node(o, OP_SUMPOOL, in, 2, &n) : NULL;
	if (v)
		node_set_dims(n, ATTR_kernel,
			      (struct dims){ 2, { x->shape.dim[1], x->shape.dim[2] } });
	return v;
}

/* That along the dimensions @axes, which stay with one element. */
static struct value *sum_along(const struct tflite_operator *o, struct tflite_tensor *x,
			       const struct dims *axes)
{
	struct value *in[2] = { tflite_value(o, x), tflite_numbers(o, axes) }, *v;
	struct node *n;

	in[0] = in[0] ? widened(o, in[0], x) : NULL;
	v = in[0] && in[1] ? tflite_add_node(o, OP_REDUCESUM, in, 2, &n) : NULL;
	if (v) {
		node_set_int(n, ATTR_keepdims, 1);
		node_set_int(n, ATTR_noop_with_empty_axes, 1);
	}
	return v;
}

struct value *tflite_fixed_mean(const struct tflite_operator *o, struct tflite_tensor *x,
				const struct dims *axes, bool image)
{
	struct tflite_tensor *out = tflite_output(o, 0);
	s32 multiplier, exponent, shift = 0;
	struct value *v;
	s64 count = 1;

	if (!out || tflite_check_quantised(o, x, 1, 0) || tflite_check_quantised(o, out, 1, 0))
		return NULL;
	v = image ? sum_of_image(o, x) : sum_along(o, x, axes);
	for (int i = 0; i < axes->n; i++)
		count *= x->shape.dim[axes->v[i]];
	if (!count && v) {
		tflite_fail(o, -EINVAL, "there is nothing to take the mean of");
		return NULL;
	}
	/* As QuantizedMeanOrSum(): the quotient is a part of the multiplier. */
	split(tflite_scale(x, 0) / tflite_scale(out, 0), &multiplier, &exponent);
	while (shift < 32 && shift < 31 + exponent && count >> (shift + 1))
		shift++;
	multiplier = (s32)(((s64)multiplier << shift) / count);
	return v ? scaled(o, v, multiplier, exponent - shift, out->dtype, tflite_zero(out, 0)) :
		   NULL;
}

struct value *tflite_end_pool(const struct tflite_operator *o, u32 activation, struct value *v,
			      const struct node *n, const struct tflite_tensor *x)
{
	struct tflite_tensor *out = tflite_output(o, 0);

	if (!out || tflite_check_same(o, x, out))
		return NULL;
	if (n->op == OP_SUMPOOL)
		return end_mean(o, activation, v, n, out);
	return tflite_rescale(o, fb_int(&o->options, activation, 1, ACTIVATION_NONE), v, x);
}

/* ---- Byte by byte -------------------------------------------------------------------------- */

/* @v through a table of the bytes of @out. */
static struct value *through(const struct tflite_operator *o, struct value *v, const u8 table[256],
			     const struct tflite_tensor *out)
{
	const struct shape shape = { 1, { 256 } };
	struct value *in[2] = { v, graph_const(o->r->g, "", out->dtype, &shape, table) };

	return in[1] ? tflite_add_node(o, OP_TABLE, in, 2, NULL) : NULL;
}

/* As ReluX and Requantize of the reference: in fixed point. */
struct value *tflite_rescale(const struct tflite_operator *o, s64 kind, struct value *v,
			     const struct tflite_tensor *x)
{
	struct tflite_tensor *out = tflite_output(o, 0);
	struct requantise r = { .fixed = true };
	s32 least, most;
	float lo, hi;
	u8 table[256];

	if (!out || tflite_check_quantised(o, x, 1, 0) || tflite_check_quantised(o, out, 1, 0) ||
	    find_bounds(o, kind, out, &lo, &hi))
		return NULL;
	if (kind == ACTIVATION_NONE && x->dtype == out->dtype &&
	    tflite_scale(x, 0) == tflite_scale(out, 0) && tflite_zero(x, 0) == tflite_zero(out, 0))
		return v;
	split(tflite_scale(x, 0) / tflite_scale(out, 0), &r.multiplier, &r.shift);
	least = quantise_least(out->dtype);
	most = quantise_most(out->dtype);
	r.bias = (s32)-tflite_zero(x, 0);
	r.zero = (s32)tflite_zero(out, 0);
	r.lo = lo > (float)least ? (s32)fminf(lo, (float)most) : least;
	r.hi = hi < (float)most ? (s32)fmaxf(hi, (float)least) : most;
	for (int i = 0; i < 256; i++)
		table[i] = (u8)requantise(&r, x->dtype == DTYPE_S8 ? (s8)i : i);
	return through(o, v, table, out);
}

static float function_of(enum op op, float x)
{
	return op == OP_TANH ? tanhf(x) : 1 / (1 + expf(-x));
}

/* As PopulateLookupTable(): in f32, half away from zero. */
struct value *tflite_look_up(const struct tflite_operator *o, enum op op, struct value *v,
			     const struct tflite_tensor *x)
{
	struct tflite_tensor *out = tflite_output(o, 0);
	float in, by;
	u8 table[256];

	if (!out || tflite_check_quantised(o, x, 1, 0) || tflite_check_quantised(o, out, 1, 0))
		return NULL;
	in = (float)tflite_scale(x, 0);
	by = 1 / (float)tflite_scale(out, 0);
	for (int i = 0; i < 256; i++) {
		s32 q = (x->dtype == DTYPE_S8 ? (s8)i : i) - (s32)tflite_zero(x, 0);
		float y = roundf(function_of(op, in * (float)q) * by) + (float)tflite_zero(out, 0);

		y = fmaxf(y, (float)quantise_least(out->dtype));
		table[i] = (u8)(s32)fminf(y, (float)quantise_most(out->dtype));
	}
	return through(o, v, table, out);
}

/* As DownScaleInt32ToInt16Multiplier(), behind the same of @real in f32. */
static s32 split_to_16(float real, int *exponent)
{
	s32 multiplier, shift;

	split((double)real, &multiplier, &shift);
	*exponent = shift;
	return multiplier >= INT32_MAX - (1 << 15) ? INT16_MAX : (multiplier + (1 << 15)) >> 16;
}

static s32 within_16(s64 x)
{
	return (s32)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

/* a * b / 2^15, rounded, halves upwards. */
static s32 high_of_16(s32 a, s32 b)
{
	return within_16((a * b + (1 << 14)) >> 15);
}

/* The factor of x between 0 and 1 with 15 bits, of x with 7 bits more: half of x / 3 + 1. */
static s32 swish_factor(s32 fine, s32 multiplier, int exponent)
{
	if (exponent > 0)
		fine = within_16(fine * (INT64_C(1) << (exponent - 1)));
	fine = high_of_16(fine, multiplier);
	if (exponent > 0)
		fine = within_16((s64)fine * 2);
	if (exponent < 0)
		fine = quantise_divide(fine, -exponent);
	return (fine + (1 << 15)) >> 1;
}

struct value *tflite_hard_swish(const struct tflite_operator *o, struct value *v,
				const struct tflite_tensor *x)
{
	struct tflite_tensor *out = tflite_output(o, 0);
	s32 by, factor_by, least, most;
	int down, exponent;
	float fine_scale;
	u8 table[256];

	if (!out || tflite_check_quantised(o, x, 1, 0) || tflite_check_quantised(o, out, 1, 0))
		return NULL;
	fine_scale = (1.0f / 128) * (float)tflite_scale(x, 0);
	by = split_to_16(fine_scale / (float)tflite_scale(out, 0), &down);
	factor_by = split_to_16(fine_scale / (3.0f / 32768), &exponent);
	if (down > 0 || down < -31 || exponent < -31) {
		tflite_fail(o, -ENOTSUP, "its scales are too far apart");
		return NULL;
	}
	least = quantise_least(out->dtype);
	most = quantise_most(out->dtype);
	for (int i = 0; i < 256; i++) {
		s32 q = (x->dtype == DTYPE_S8 ? (s8)i : i) - (s32)tflite_zero(x, 0);
		s32 y = swish_factor(q * 128, factor_by, exponent) * high_of_16(q * 128, by);

		y = quantise_divide(y / (1 << 15), -down) + (s32)tflite_zero(out, 0);
		table[i] = (u8)(y < least ? least : y > most ? most : y);
	}
	return through(o, v, table, out);
}

/* ---- In fixed point ------------------------------------------------------------------------ */

struct value *tflite_fixed_add(const struct tflite_operator *o, u32 activation,
			       struct value *const in[2], const struct tflite_tensor *a,
			       const struct tflite_tensor *b, bool minus)
{
	struct value *all[3] = { in[0], in[1] }, *v;
	struct tflite_tensor *out = tflite_output(o, 0);
	s32 p[FIXED_ADD_PARAMETERS];
	double twice;
	struct node *n;

	if (!out || tflite_check_quantised(o, a, 1, 0) || tflite_check_quantised(o, b, 1, 0) ||
	    tflite_check_quantised(o, out, 1, 0))
		return NULL;
	twice = 2 * fmax(tflite_scale(a, 0), tflite_scale(b, 0));
	p[FIXED_ADD_ZERO_A] = (s32)tflite_zero(a, 0);
	p[FIXED_ADD_ZERO_B] = (s32)tflite_zero(b, 0);
	p[FIXED_ADD_ZERO] = (s32)tflite_zero(out, 0);
	split(tflite_scale(a, 0) / twice, &p[FIXED_ADD_BY_A], &p[FIXED_ADD_SHIFT_A]);
	split(tflite_scale(b, 0) / twice, &p[FIXED_ADD_BY_B], &p[FIXED_ADD_SHIFT_B]);
	if (minus)
		p[FIXED_ADD_BY_B] = -p[FIXED_ADD_BY_B];
	split(twice / ((1 << FIXED_ADD_BITS) * tflite_scale(out, 0)), &p[FIXED_ADD_BY],
	      &p[FIXED_ADD_SHIFT]);
	all[2] = words(o, FIXED_ADD_PARAMETERS, p);
	v = all[2] ? tflite_add_node(o, OP_FIXEDADD, all, 3, &n) : NULL;
	return v && !set_bounds(o, activation, n, out) ? v : NULL;
}

/* Products in s32, requantised; TensorFlow Lite multiplies and divides their scales in f32. */
struct value *tflite_fixed_mul(const struct tflite_operator *o, u32 activation,
			       struct value *const in[2], const struct tflite_tensor *a,
			       const struct tflite_tensor *b)
{
	struct tflite_tensor *out = tflite_output(o, 0);
	struct value *all[2], *p[4] = { 0 }, *v;
	s32 multiplier, shift;
	float real;

	if (!out || tflite_check_quantised(o, a, 1, 0) || tflite_check_quantised(o, b, 1, 0) ||
	    tflite_check_quantised(o, out, 1, 0))
		return NULL;
	real = (float)tflite_scale(a, 0) * (float)tflite_scale(b, 0);
	real /= (float)tflite_scale(out, 0);
	if (!isfinite(real)) {
		tflite_fail(o, -EINVAL, "the product of its scales is too large");
		return NULL;
	}
	split((double)real, &multiplier, &shift);
	all[0] = widened(o, in[0], a);
	all[1] = all[0] ? widened(o, in[1], b) : NULL;
	v = all[1] ? tflite_add_node(o, OP_MUL, all, 2, NULL) : NULL;
	p[0] = graph_const(o->r->g, "", DTYPE_S32, &scalar, &multiplier);
	p[1] = byte(o, out->dtype, tflite_zero(out, 0));
	p[3] = graph_const(o->r->g, "", DTYPE_S32, &scalar, &shift);
	return v && p[0] && p[1] && p[3] ? requantized(o, activation, v, p, out, -1) : NULL;
}

struct value *tflite_fixed_softmax(const struct tflite_operator *o, struct value *v,
				   const struct tflite_tensor *x, float beta)
{
	struct tflite_tensor *out = tflite_output(o, 0);
	struct value *in[2] = { v, NULL };
	s32 p[FIXED_SOFTMAX_PARAMETERS];

	if (!out || tflite_check_quantised(o, x, 1, 0) || tflite_check_quantised(o, out, 1, 0))
		return NULL;
	if (tflite_scale(out, 0) != 1.0 / 256 ||
	    tflite_zero(out, 0) != quantise_least(out->dtype) || out->dtype != x->dtype) {
		tflite_fail(o, -ENOTSUP, "only results of 256 steps from 0 to 1 are supported");
		return NULL;
	}
	/* As PreprocessSoftmaxScaling() and CalculateInputRadius(). */
	split(fmin((double)beta * tflite_scale(x, 0) * (1 << 26), 0x1p31 - 1), &p[FIXED_SOFTMAX_BY],
	      &p[FIXED_SOFTMAX_SHIFT]);
	if (p[FIXED_SOFTMAX_SHIFT] < 0) {
		tflite_fail(o, -ENOTSUP, "its scale times beta is too small");
		return NULL;
	}
	p[FIXED_SOFTMAX_LEAST] = -(s32)floor(31.0 * (double)(1 << 26) /
					     (double)(INT64_C(1) << p[FIXED_SOFTMAX_SHIFT]));
	in[1] = words(o, FIXED_SOFTMAX_PARAMETERS, p);
	return in[1] ? tflite_add_node(o, OP_FIXEDSOFTMAX, in, 2, NULL) : NULL;
}
