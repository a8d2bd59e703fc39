// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions on single elements. */
#include "compiler/expand.h"

#include <errno.h>
#include <float.h>
#include <math.h>

static int done(struct expand *e, struct value *y)
{
	return expand_output(e, 0, y);
}

static struct value *add(struct expand *e, struct value *a, struct value *b)
{
	return ex2(e, OP_ADD, a, b);
}

static struct value *mul(struct expand *e, struct value *a, struct value *b)
{
	return ex2(e, OP_MUL, a, b);
}

/* ---- Trigonometry ---------------------------------------------------------------------------- */

int expand_tan(struct expand *e)
{
	return done(e, ex2(e, OP_DIV, ex1(e, OP_SIN, ex_in(e, 0)), ex1(e, OP_COS, ex_in(e, 0))));
}

/* atan(x / sqrt(1 - x^2)), of which 1 - x^2 is taken as a product, exact near 1. */
static struct value *arcsine(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct value *root =
		ex1(e, OP_SQRT, mul(e, ex_from(e, OP_SUB, 1, x), ex_by(e, OP_ADD, x, 1)));

	return ex1(e, OP_ATAN, ex2(e, OP_DIV, x, root));
}

int expand_asin(struct expand *e)
{
	return done(e, arcsine(e));
}

int expand_acos(struct expand *e)
{
	return done(e, ex_from(e, OP_SUB, M_PI_2, arcsine(e)));
}

/* @factor (1 + c[0] z + c[1] z^2 + ...), of @n coefficients: exact where @z vanishes. */
static struct value *series(struct expand *e, struct value *factor, struct value *z,
			    const double *c, int n)
{
	struct value *sum = ex_by(e, OP_MUL, z, c[n - 1]);

	for (int i = n - 2; i >= 0; i--)
		sum = mul(e, ex_by(e, OP_ADD, sum, c[i]), z);
	return mul(e, factor, ex_by(e, OP_ADD, sum, 1));
}

/* The series of an odd function in x^2 where |x| < @below, else @far, whose digits cancel there. */
static struct value *odd(struct expand *e, double below, const double *c, int n, struct value *far)
{
	struct value *x = ex_in(e, 0);

	return ex_where(e, ex_by(e, OP_LESS, ex1(e, OP_ABS, x), below),
			series(e, x, mul(e, x, x), c, n), far);
}

/* (e^x + @sign * e^-x) / 2, with the factor inside so that it overflows where the result does. */
static struct value *hyperbolic(struct expand *e, enum op op)
{
	struct value *x = ex_in(e, 0);
	struct value *up = ex1(e, OP_EXP, ex_by(e, OP_SUB, x, M_LN2));
	struct value *down = ex1(e, OP_EXP, ex_by(e, OP_SUB, ex1(e, OP_NEG, x), M_LN2));

	return ex2(e, op, up, down);
}

int expand_cosh(struct expand *e)
{
	return done(e, hyperbolic(e, OP_ADD));
}

int expand_sinh(struct expand *e)
{
	static const double near[] = { 1. / 6, 1. / 120, 1. / 5040 };

	return done(e, odd(e, 0.25, near, 3, hyperbolic(e, OP_SUB)));
}

/* sign(x) log(|x| + sqrt(x^2 + 1)); where x^2 would overflow, log(2 |x|). */
int expand_asinh(struct expand *e)
{
	static const double near[] = { -1. / 6, 3. / 40, -15. / 336 };
	struct value *x = ex_in(e, 0), *size = ex1(e, OP_ABS, x), *y, *far;

	y = ex1(e, OP_SQRT, ex_by(e, OP_ADD, mul(e, x, x), 1));
	y = ex1(e, OP_LOG, add(e, size, y));
	far = ex_by(e, OP_ADD, ex1(e, OP_LOG, size), M_LN2);
	y = ex_where(e, ex_from(e, OP_LESS, 1e10, size), far, y);
	return done(e, odd(e, 0.125, near, 3, mul(e, ex1(e, OP_SIGN, x), y)));
}

/*
 * log(x + sqrt(x - 1) sqrt(x + 1)); where that sum would overflow, log(2 x); beside 1, the series
 * of x - 1.
 */
int expand_acosh(struct expand *e)
{
	static const double near[] = { -1. / 12, 3. / 160, -5. / 896 };
	struct value *x = ex_in(e, 0), *over = ex_by(e, OP_SUB, x, 1), *y, *far;
	struct value *root = mul(e, ex1(e, OP_SQRT, over), ex1(e, OP_SQRT, ex_by(e, OP_ADD, x, 1)));

	y = ex1(e, OP_LOG, add(e, x, root));
	far = ex_by(e, OP_ADD, ex1(e, OP_LOG, x), M_LN2);
	y = ex_where(e, ex_from(e, OP_LESS, 1e10, x), far, y);
	return done(e, ex_where(e, ex_by(e, OP_LESS, over, 1. / 16),
				series(e, ex1(e, OP_SQRT, add(e, over, over)), over, near, 3), y));
}

/* log((1 + x) / (1 - x)) / 2 */
int expand_atanh(struct expand *e)
{
	static const double near[] = { 1. / 3, 1. / 5, 1. / 7 };
	struct value *x = ex_in(e, 0);
	struct value *q = ex2(e, OP_DIV, ex_by(e, OP_ADD, x, 1), ex_from(e, OP_SUB, 1, x));

	return done(e, odd(e, 0.125, near, 3, ex_by(e, OP_MUL, ex1(e, OP_LOG, q), 0.5)));
}

/* ---- Activations ----------------------------------------------------------------------------- */

/* @below where @x < 0, else @x. */
static struct value *below_zero(struct expand *e, struct value *x, struct value *below)
{
	return ex_where(e, ex_by(e, OP_LESS, x, 0), below, x);
}

/* alpha (e^(x / by) - 1) */
static struct value *minus_one(struct expand *e, struct value *x, double alpha, double by)
{
	struct value *y = ex1(e, OP_EXP, by == 1 ? x : ex_by(e, OP_DIV, x, by));

	return ex_by(e, OP_MUL, ex_by(e, OP_SUB, y, 1), alpha);
}

int expand_elu(struct expand *e)
{
	struct value *x = ex_in(e, 0);

	return done(e, below_zero(e, x, minus_one(e, x, (double)e->n->attrs.alpha, 1)));
}

int expand_celu(struct expand *e)
{
	double alpha = (double)e->n->attrs.alpha;
	struct value *x = ex_in(e, 0);

	return done(e, below_zero(e, x, minus_one(e, x, alpha, alpha)));
}

int expand_selu(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct value *y = below_zero(e, x, minus_one(e, x, (double)e->n->attrs.alpha, 1));

	return done(e, ex_by(e, OP_MUL, y, (double)e->n->attrs.gamma));
}

int expand_leakyrelu(struct expand *e)
{
	struct value *x = ex_in(e, 0);

	return done(e, below_zero(e, x, ex_by(e, OP_MUL, x, (double)e->n->attrs.alpha)));
}

int expand_align(struct expand *e)
{
	struct value *b = ex_in(e, 1);
	int rank = ex_in(e, 0)->shape.rank;
	s64 axis = e->n->attrs.axis;
	struct shape to = b->shape;

	axis += axis < 0 ? rank : 0;
	if (shape_elems(&to) == 1)
		return expand_as(e, b, &(struct shape){ 0 });
	if (axis < 0 || axis + to.rank > rank)
		return expand_refuse(e, -EINVAL, "axis %lld is outside the %d dimensions",
				     (long long)e->n->attrs.axis, rank);
	for (to.rank = 0; to.rank < rank - axis; to.rank++)
		to.dim[to.rank] = to.rank < b->shape.rank ? b->shape.dim[to.rank] : 1;
	return expand_as(e, b, &to);
}

int expand_prelu(struct expand *e)
{
	struct value *x = ex_in(e, 0);

	return done(e, below_zero(e, x, mul(e, x, ex_in(e, 1))));
}

int expand_thresholdedrelu(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct value *above = ex_from(e, OP_LESS, (double)e->n->attrs.alpha, x);

	return done(e, ex_where(e, above, x, ex_like(e, x, 0)));
}

/* Within 0..1; NaN stays. */
static struct value *unit(struct expand *e, struct value *x)
{
	return ex_by(e, OP_MINIMUM, ex_by(e, OP_MAXIMUM, x, 0), 1);
}

static struct value *hardsigmoid(struct expand *e, double alpha, double beta)
{
	return unit(e, ex_by(e, OP_ADD, ex_by(e, OP_MUL, ex_in(e, 0), alpha), beta));
}

int expand_hardsigmoid(struct expand *e)
{
	return done(e, hardsigmoid(e, (double)e->n->attrs.alpha, (double)e->n->attrs.beta));
}

int expand_hardswish(struct expand *e)
{
	return done(e, mul(e, ex_in(e, 0), hardsigmoid(e, 1 / 6., 0.5)));
}

/* max(x, 0) + log(1 + e^-|x|) */
static struct value *softplus(struct expand *e, struct value *x)
{
	struct value *small = ex1(e, OP_EXP, ex1(e, OP_NEG, ex1(e, OP_ABS, x)));

	small = ex1(e, OP_LOG, ex_by(e, OP_ADD, small, 1));
	return add(e, ex_by(e, OP_MAXIMUM, x, 0), small);
}

int expand_softplus(struct expand *e)
{
	return done(e, softplus(e, ex_in(e, 0)));
}

int expand_mish(struct expand *e)
{
	struct value *x = ex_in(e, 0);

	return done(e, mul(e, x, ex1(e, OP_TANH, softplus(e, x))));
}

int expand_softsign(struct expand *e)
{
	struct value *x = ex_in(e, 0);

	return done(e, ex2(e, OP_DIV, x, ex_by(e, OP_ADD, ex1(e, OP_ABS, x), 1)));
}

int expand_swish(struct expand *e)
{
	struct value *x = ex_in(e, 0), *scaled = x;

	if (e->n->attrs.alpha != 1)
		scaled = ex_by(e, OP_MUL, x, (double)e->n->attrs.alpha);
	return done(e, mul(e, x, ex1(e, OP_SIGMOID, scaled)));
}

int expand_gelu(struct expand *e)
{
	struct value *x = ex_in(e, 0), *y;

	if (ex_says(e->n->attrs.approximate, "tanh")) {
		y = ex_by(e, OP_MUL, mul(e, mul(e, x, x), x), 0.044715);
		y = ex1(e, OP_TANH, ex_by(e, OP_MUL, add(e, x, y), sqrt(2 / M_PI)));
	} else {
		y = ex1(e, OP_ERF, ex_by(e, OP_MUL, x, M_SQRT1_2));
	}
	return done(e, mul(e, ex_by(e, OP_MUL, x, 0.5), ex_by(e, OP_ADD, y, 1)));
}

int expand_shrink(struct expand *e)
{
	double lambd = (double)e->n->attrs.lambd, bias = (double)e->n->attrs.bias;
	struct value *x = ex_in(e, 0), *y;

	y = ex_where(e, ex_from(e, OP_LESS, lambd, x), ex_by(e, OP_SUB, x, bias), ex_like(e, x, 0));
	return done(e, ex_where(e, ex_by(e, OP_LESS, x, -lambd), ex_by(e, OP_ADD, x, bias), y));
}

/* ---- Others ---------------------------------------------------------------------------------- */

int expand_variadic(struct expand *e)
{
	enum op function = e->n->op;
	enum op op = function == OP_MAX ? OP_MAXIMUM : function == OP_MIN ? OP_MINIMUM : OP_ADD;
	struct value *y = ex_in(e, 0);

	for (int i = 1; i < e->n->n_in; i++)
		y = ex2(e, op, y, ex_in(e, i));
	if (function == OP_MEAN && e->n->n_in > 1)
		y = ex_by(e, OP_DIV, y, e->n->n_in);
	return done(e, y);
}

int expand_greater(struct expand *e)
{
	enum op op = e->n->op == OP_GREATER ? OP_LESS : OP_LESSEQUAL;

	return done(e, ex2(e, op, ex_in(e, 1), ex_in(e, 0)));
}

/* The result is of another type of 16 bits, or of none, even where both are f32. */
int expand_castlike(struct expand *e)
{
	const struct value *like = ex_in(e, 1);
	struct value *y = ex_recast(e, ex_in(e, 0), like->dtype);

	if (like->half)
		y = ex1(e, like->half == HALF_F16 ? OP_HALF : OP_NARROW, y);
	return done(e, y);
}

/* ---- What is known only at run time ---------------------------------------------------------- */

static bool is_live(const struct node *n, int i)
{
	return node_in(n, i) && !value_is_const(node_in(n, i));
}

bool expand_has_formula(const struct node *n)
{
	switch (n->op) {
	case OP_CLIP:
		return node_in(n, 0)->dtype != DTYPE_F32 || is_live(n, 1) || is_live(n, 2);
	case OP_QUANTIZE:
	case OP_DEQUANTIZE:
		return is_live(n, 1) || is_live(n, 2) || n->attrs.block_size;
	default:
		return false;
	}
}

/* Bound @i of @x, which f32 has always; its neighbours in the semantics are those of Clip. */
static struct value *bound(struct expand *e, struct value *x, int i, enum op op, float usual)
{
	struct value *by = ex_in(e, i);

	if (by && x)
		by = ex_view(e, by, &(struct shape){ 0 });
	else if (x && x->dtype == DTYPE_F32)
		by = ex_number(e, DTYPE_F32, (double)usual);
	else
		return x;
	return ex2(e, op, x, by);
}

int expand_clip(struct expand *e)
{
	struct value *x = ex_in(e, 0), *y;

	for (int i = 1; i < 3; i++) {
		if (ex_in(e, i) && shape_elems(&ex_in(e, i)->shape) != 1)
			return expand_refuse(e, -EINVAL, "input %d is not a scalar", i);
	}
	y = bound(e, x, 1, OP_MAXIMUM, e->n->attrs.lo);
	y = bound(e, y, 2, OP_MINIMUM, e->n->attrs.hi);
	return done(e, y == x ? ex1(e, OP_IDENTITY, x) : y);
}

/* Scale or zero @i in the shape of x: one number, one for each index along axis, or for blocks. */
static int parameter(struct expand *e, int i, struct value **out)
{
	const struct shape *x = &ex_in(e, 0)->shape;
	struct value *v = ex_in(e, i);
	struct shape s, wide;
	s64 block = e->n->attrs.block_size, axis = e->n->attrs.axis;

	*out = v;
	if (!v || shape_elems(&v->shape) == 1) {
		*out = v ? ex_view(e, v, &(struct shape){ 0 }) : NULL;
		return v && !*out ? e->g->err->code : 0;
	}
	if (axis < -x->rank || axis >= x->rank)
		return expand_refuse(e, -EINVAL, "axis %lld is outside the %d dimensions",
				     (long long)axis, x->rank);
	axis += axis < 0 ? x->rank : 0;
	s = (struct shape){ .rank = x->rank };
	for (int d = 0; d < x->rank; d++)
		s.dim[d] = block ? x->dim[d] : 1;
	s.dim[axis] = block ? (x->dim[axis] + block - 1) / block : x->dim[axis];
	if (block < 0 || shape_elems(&s) != shape_elems(&v->shape) ||
	    (block && !shape_equal(&s, &v->shape)))
		return expand_refuse(e, -EINVAL, "input %d is not one for each block of %lld", i,
				     (long long)block);
	v = ex_view(e, v, &s);
	if (block) {
		v = ex_unsqueeze(e, v, (int)axis + 1);
		wide = v ? v->shape : s;
		wide.dim[axis + 1] = block;
		s.dim[axis] *= block;
		v = ex_slice(e, ex_view(e, ex_stretch(e, v, &wide), &s), (int)axis, 0,
			     x->dim[axis]);
	}
	*out = v;
	return v ? 0 : e->g->err->code;
}

static int parameters(struct expand *e, struct value **scale, struct value **zero)
{
	int rc = parameter(e, 1, scale);

	return rc ? rc : parameter(e, 2, zero);
}

/* Rounded half to even, plus the zero, saturated; NaN is the least integer. */
int expand_quantize(struct expand *e)
{
	const double far = 65536; /* beyond all bytes, whatever their zero */
	enum dtype to = ex_in(e, 2) ? ex_in(e, 2)->dtype : DTYPE_U8;
	double lo = to == DTYPE_U8 ? 0 : INT8_MIN, hi = to == DTYPE_U8 ? UINT8_MAX : INT8_MAX;
	struct value *scale, *zero, *y;
	int rc = parameters(e, &scale, &zero);

	if (rc)
		return rc;
	y = ex1(e, OP_ROUND, ex2(e, OP_DIV, ex_in(e, 0), scale));
	y = ex_where(e, ex1(e, OP_ISNAN, y), ex_number(e, DTYPE_F32, -far), y);
	y = ex_by(e, OP_MINIMUM, ex_by(e, OP_MAXIMUM, y, -far), far);
	y = ex_cast(e, y, DTYPE_S32);
	if (zero)
		y = add(e, y, ex_cast(e, zero, DTYPE_S32));
	y = ex_by(e, OP_MINIMUM, ex_by(e, OP_MAXIMUM, y, lo), hi);
	return done(e, ex_cast(e, y, to));
}

int expand_dequantize(struct expand *e)
{
	struct value *scale, *zero, *y = ex_cast(e, ex_in(e, 0), DTYPE_S32);
	int rc = parameters(e, &scale, &zero);

	if (rc)
		return rc;
	if (zero)
		y = ex2(e, OP_SUB, y, ex_cast(e, zero, DTYPE_S32));
	return done(e, mul(e, ex_cast(e, y, DTYPE_F32), scale));
}

int expand_optionalget(struct expand *e)
{
	return done(e, ex1(e, OP_IDENTITY, ex_in(e, 0)));
}
