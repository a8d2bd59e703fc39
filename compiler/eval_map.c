// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The interpreter's operators on single elements of up to three tensors, which broadcast. */
#include "compiler/eval_number.h"
#include "compiler/eval_ops.h"
#include "compiler/narrow.h"

#include <math.h>

/* ---- f32 ------------------------------------------------------------------------------------- */

static float sign(float x)
{
	return x > 0 ? 1 : x < 0 ? -1 : 0;
}

static float unary(const struct node *n, float x)
{
	switch (n->op) {
	case OP_RELU:
		return x < 0 ? 0 : x;
	case OP_SIGMOID:
		return (float)(1 / (1 + exp(-(double)x)));
	case OP_TANH:
		return (float)tanh((double)x);
	case OP_NEG:
		return -x;
	case OP_ABS:
		return fabsf(x);
	case OP_SIGN:
		return sign(x);
	case OP_EXP:
		return (float)exp((double)x);
	case OP_LOG:
		return (float)log((double)x);
	case OP_SQRT:
		return sqrtf(x);
	case OP_RECIPROCAL:
		return 1 / x;
	case OP_FLOOR:
		return floorf(x);
	case OP_CEIL:
		return ceilf(x);
	case OP_ROUND:
		return rintf(x);
	case OP_NARROW:
		return narrow(x);
	case OP_HALF:
		return narrow_f16(x);
	case OP_SIN:
		return (float)sin((double)x);
	case OP_COS:
		return (float)cos((double)x);
	case OP_ATAN:
		return (float)atan((double)x);
	default:
		return (float)erf((double)x);
	}
}

/* Like a - b * floor(a / b), with the sign of @b. */
static float modulo(float a, float b)
{
	float r = fmodf(a, b);

	return r && (r < 0) != (b < 0) ? r + b : r;
}

static float binary(const struct node *n, float a, float b)
{
	switch (n->op) {
	case OP_ADD:
		return a + b;
	case OP_SUB:
		return a - b;
	case OP_MUL:
		return a * b;
	case OP_DIV:
		return a / b;
	case OP_MAXIMUM:
		return a > b || isnan(a) ? a : b;
	case OP_MINIMUM:
		return a < b || isnan(a) ? a : b;
	case OP_POW:
		return (float)pow((double)a, (double)b);
	default:
		return n->attrs.fmod ? fmodf(a, b) : modulo(a, b);
	}
}

static bool test(const struct node *n, float a, float b)
{
	switch (n->op) {
	case OP_ISNAN:
		return isnan(a);
	case OP_ISINF:
		return isinf(a) && (a < 0 ? n->attrs.detect_negative : n->attrs.detect_positive);
	case OP_EQUAL:
		return a == b;
	case OP_LESS:
		return a < b;
	default:
		return a <= b;
	}
}

/* ---- Integers and bool: wrapping ---------------------------------------------------------------
 */

static s64 multiply(s64 a, s64 b)
{
	return (s64)((u64)a * (u64)b);
}

static s64 power(s64 a, s64 b)
{
	s64 result = 1;

	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
	for (; b; b >>= 1, a = multiply(a, a)) {
		if (b & 1)
			result = multiply(result, a);
	}
	return result;
}

/* Towards zero; what ONNX leaves open is 0. */
static s64 divide(s64 a, s64 b)
{
	if (b == 0)
		return 0;
	return b == -1 ? (s64) - (u64)a : a / b;
}

static s64 remainder_of(const struct node *n, s64 a, s64 b)
{
	s64 r = b == 0 || b == -1 ? 0 : a % b;

	return r && !n->attrs.fmod && (r < 0) != (b < 0) ? r + b : r;
}

static s64 shift(const struct node *n, s64 a, s64 b)
{
	if (b > 63)
		return 0;
	return n->attrs.direction[0] == 'L' ? (s64)((u64)a << b) : a >> b;
}

static s64 integer(const struct node *n, s64 a, s64 b)
{
	switch (n->op) {
	case OP_NEG:
		return (s64) - (u64)a;
	case OP_ABS:
		return a < 0 ? (s64) - (u64)a : a;
	case OP_SIGN:
		return (a > 0) - (a < 0);
	case OP_NOT:
		return !a;
	case OP_BITNOT:
		return ~a;
	case OP_ADD:
		return (s64)((u64)a + (u64)b);
	case OP_SUB:
		return (s64)((u64)a - (u64)b);
	case OP_MUL:
		return multiply(a, b);
	case OP_DIV:
		return divide(a, b);
	case OP_MAXIMUM:
		return a > b ? a : b;
	case OP_MINIMUM:
		return a < b ? a : b;
	case OP_POW:
		return power(a, b);
	case OP_MOD:
		return remainder_of(n, a, b);
	case OP_EQUAL:
		return a == b;
	case OP_LESS:
		return a < b;
	case OP_LESSEQUAL:
		return a <= b;
	case OP_AND:
	case OP_BITAND:
		return a & b;
	case OP_OR:
	case OP_BITOR:
		return a | b;
	case OP_XOR:
	case OP_BITXOR:
		return a ^ b;
	default:
		return shift(n, a, b);
	}
}

/* ---- All types ------------------------------------------------------------------------------- */

/* Numbers outside of @to: from f32 the nearest, NaN as 0; from integers the low bits. */
static struct number cast(struct number x, enum dtype from, enum dtype to)
{
	double whole;

	if (to == DTYPE_BOOL)
		return (struct number){ .i = from == DTYPE_F32 ? x.f != 0 : x.i != 0 };
	if (to == from)
		return x;
	if (to == DTYPE_F32)
		return (struct number){ .f = (float)x.i };
	if (from != DTYPE_F32)
		return x;
	whole = isnan(x.f) ? 0 : trunc((double)x.f);
	if (to == DTYPE_S64)
		return (struct number){ .i = whole >= 0x1p63  ? INT64_MAX :
					     whole <= -0x1p63 ? INT64_MIN :
								(s64)whole };
	return (struct number){ .i = whole >= INT32_MAX ? INT32_MAX :
				     whole <= INT32_MIN ? INT32_MIN :
							  (s64)whole };
}

/* The type that a power is computed in is f32 unless both are integers. */
static struct number pow_of(struct number a, enum dtype ta, struct number b, enum dtype tb)
{
	double p;

	if (ta != DTYPE_F32 && tb != DTYPE_F32)
		return (struct number){ .i = power(a.i, b.i) };
	p = pow(ta == DTYPE_F32 ? (double)a.f : (double)a.i,
		tb == DTYPE_F32 ? (double)b.f : (double)b.i);
	return cast((struct number){ .f = (float)p }, DTYPE_F32, ta);
}

static struct number element(const struct node *n, const enum dtype *t, const struct number *x)
{
	enum dtype to = n->out[0]->dtype;

	if (n->op == OP_WHERE)
		return x[0].i ? x[1] : x[2];
	if (n->op == OP_CAST)
		return cast(x[0], t[0], to);
	if (n->op == OP_POW)
		return pow_of(x[0], t[0], x[1], t[1]);
	if (t[0] != DTYPE_F32)
		return (struct number){ .i = integer(n, x[0].i, x[1].i) };
	if (to == DTYPE_BOOL)
		return (struct number){ .i = test(n, x[0].f, x[1].f) };
	return (struct number){ .f = n->n_in == 1 ? unary(n, x[0].f) : binary(n, x[0].f, x[1].f) };
}

void eval_map(const struct graph *g, const struct node *n, const void *const in[],
	      void *const out[])
{
	const struct shape *y = &n->out[0]->shape;
	s64 stride[3][TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, at[3] = { 0 }, to = 0;
	struct number x[3] = { { 0 } };
	enum dtype types[3] = { 0 };

	(void)g;
	if (!shape_elems(y))
		return;
	for (int i = 0; i < n->n_in; i++) {
		shape_broadcast_strides(&node_in(n, i)->shape, y, stride[i]);
		types[i] = node_in(n, i)->dtype;
	}
	do {
		for (int i = 0; i < n->n_in; i++)
			x[i] = number_read(types[i], in[i], at[i]);
		number_write(n->out[0]->dtype, out[0], to++, element(n, types, x));
	} while (eval_step(y, index, stride, at, n->n_in));
}
