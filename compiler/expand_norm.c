// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions that normalise. */
#include "compiler/expand.h"

#include <errno.h>

static struct value *square(struct expand *e, struct value *x)
{
	return ex2(e, OP_MUL, x, x);
}

/* 1 / sqrt(x + epsilon) */
static struct value *inverse_root(struct expand *e, struct value *x)
{
	x = ex_by(e, OP_ADD, x, (double)e->n->attrs.epsilon);
	return ex1(e, OP_RECIPROCAL, ex1(e, OP_SQRT, x));
}

/* (x - mean) / sqrt(variance + epsilon) along @axes; both if wanted. */
static struct value *normalised(struct expand *e, struct value *x, const struct dims *axes,
				struct value **mean, struct value **inverse)
{
	struct value *m = ex_mean(e, x, axes), *d = ex2(e, OP_SUB, x, m), *i;

	i = inverse_root(e, ex_mean(e, square(e, d), axes));
	if (mean)
		*mean = m;
	if (inverse)
		*inverse = i;
	return ex2(e, OP_MUL, d, i);
}

/* y * scale + bias, either of which may be left out. */
static struct value *scaled(struct expand *e, struct value *y, struct value *scale,
			    struct value *bias)
{
	y = scale ? ex2(e, OP_MUL, y, scale) : y;
	return bias ? ex2(e, OP_ADD, y, bias) : y;
}

/* From attribute axis to the last. */
static int trailing_axes(struct expand *e, int rank, struct dims *axes)
{
	s64 axis = e->n->attrs.axis;

	if (axis < -rank || axis >= rank)
		return expand_refuse(e, -EINVAL, "axis %lld is outside the %d dimensions",
				     (long long)axis, rank);
	*axes = ex_axes((int)(axis < 0 ? axis + rank : axis), rank);
	return 0;
}

int expand_layernorm(struct expand *e)
{
	struct value *x = ex_in(e, 0), *mean, *inverse, *y;
	struct dims axes;
	int rc = trailing_axes(e, x->shape.rank, &axes);

	if (rc)
		return rc;
	y = normalised(e, x, &axes, &mean, &inverse);
	rc = expand_output(e, 0, scaled(e, y, ex_in(e, 1), ex_in(e, 2)));
	if (!rc)
		rc = expand_output(e, 1, mean);
	return rc ? rc : expand_output(e, 2, inverse);
}

int expand_rmsnorm(struct expand *e)
{
	struct value *x = ex_in(e, 0), *y;
	struct dims axes;
	int rc = trailing_axes(e, x->shape.rank, &axes);

	if (rc)
		return rc;
	y = ex2(e, OP_MUL, x, inverse_root(e, ex_mean(e, square(e, x), &axes)));
	return expand_output(e, 0, scaled(e, y, ex_in(e, 1), NULL));
}

/* A vector of channels beside @rank - 2 dimensions behind them. */
static struct value *by_channel(struct expand *e, struct value *v, int rank)
{
	struct shape s = { .rank = rank - 1 };

	for (int d = 0; d < s.rank; d++)
		s.dim[d] = d ? 1 : shape_elems(&v->shape);
	return ex_view(e, v, &s);
}

int expand_instancenorm(struct expand *e)
{
	struct value *x = ex_in(e, 0), *y;
	struct dims axes = ex_axes(2, x->shape.rank);

	if (x->shape.rank < 3)
		return expand_refuse(e, -EINVAL, "input 0 has no spatial dimensions");
	y = normalised(e, x, &axes, NULL, NULL);
	return expand_output(e, 0,
			     scaled(e, y, by_channel(e, ex_in(e, 1), x->shape.rank),
				    by_channel(e, ex_in(e, 2), x->shape.rank)));
}

/* Up to operator set 20 there is a scale for each group, from then on for each channel. */
int expand_groupnorm(struct expand *e)
{
	struct value *x = ex_in(e, 0), *scale = ex_in(e, 1), *bias = ex_in(e, 2), *y;
	s64 groups = e->n->attrs.num_groups, channels = x->shape.rank > 1 ? x->shape.dim[1] : 0;
	struct shape split = { 3, { x->shape.dim[0], groups, 1 } }, to = x->shape;
	struct dims axes = ex_axes(2, 3);
	bool each_group = shape_elems(&scale->shape) == groups && groups != channels;

	if (groups < 1 || !channels || channels % groups)
		return expand_refuse(e, -EINVAL, "%lld channels in %lld groups",
				     (long long)channels, (long long)groups);
	split.dim[2] = shape_elems(&to) / (split.dim[0] * groups);
	y = normalised(e, ex_view(e, x, &split), &axes, NULL, NULL);
	if (each_group)
		y = scaled(e, y, by_channel(e, scale, 3), by_channel(e, bias, 3));
	y = ex_view(e, y, &to);
	if (!each_group)
		y = scaled(e, y, by_channel(e, scale, to.rank), by_channel(e, bias, to.rank));
	return expand_output(e, 0, y);
}

int expand_mvn(struct expand *e)
{
	struct value *x = ex_in(e, 0), *d, *deviation;
	struct dims axes = e->n->attrs.axes;

	if (!axes.n)
		axes = (struct dims){ 3, { 0, 2, 3 } };
	for (int i = 0; i < axes.n; i++) {
		axes.v[i] += axes.v[i] < 0 ? x->shape.rank : 0;
		if (axes.v[i] < 0 || axes.v[i] >= x->shape.rank)
			return expand_refuse(e, -EINVAL, "an axis is outside the %d dimensions",
					     x->shape.rank);
	}
	d = ex2(e, OP_SUB, x, ex_mean(e, x, &axes));
	deviation = ex1(e, OP_SQRT, ex_mean(e, square(e, d), &axes));
	return expand_output(e, 0, ex2(e, OP_DIV, d, ex_by(e, OP_ADD, deviation, 1e-9)));
}

/* Where the norm is 0, so is the result. */
int expand_lpnorm(struct expand *e)
{
	struct value *x = ex_in(e, 0), *norm;
	s64 axis = e->n->attrs.axis, rank = x->shape.rank;
	struct dims axes = { 1, { axis < 0 ? axis + rank : axis } };

	if (axes.v[0] < 0 || axes.v[0] >= rank)
		return expand_refuse(e, -EINVAL, "axis %lld is outside the %lld dimensions",
				     (long long)axis, (long long)rank);
	if (e->n->attrs.p == 1)
		norm = ex_over(e, OP_SUMOVER, ex1(e, OP_ABS, x), &axes);
	else if (e->n->attrs.p == 2)
		norm = ex1(e, OP_SQRT, ex_over(e, OP_SUMOVER, square(e, x), &axes));
	else
		return expand_refuse(e, -EINVAL, "p is %lld, it can be 1 or 2",
				     (long long)e->n->attrs.p);
	norm = ex_where(e, ex_by(e, OP_EQUAL, norm, 0), ex_like(e, x, 1), norm);
	return expand_output(e, 0, ex2(e, OP_DIV, x, norm));
}

/* x / (bias + alpha / size * sum of squares of the channels around)^beta */
int expand_lrn(struct expand *e)
{
	const struct attrs *a = &e->n->attrs;
	struct value *x = ex_in(e, 0), *all, *sum;
	s64 before[TENSOR_RANK_MAX] = { 0 }, after[TENSOR_RANK_MAX] = { 0 };

	if (a->size < 1 || a->size > 64 || x->shape.rank < 2)
		return expand_refuse(e, -ENOTSUP, "a sum over %lld channels; up to 64 are mapped",
				     (long long)a->size);
	before[1] = (a->size - 1) / 2;
	after[1] = a->size - 1 - before[1];
	all = ex_pad(e, square(e, x), before, after, ex_like(e, x, 0));
	sum = ex_slice(e, all, 1, 0, x->shape.dim[1]);
	for (s64 i = 1; i < a->size; i++)
		sum = ex2(e, OP_ADD, sum, ex_slice(e, all, 1, i, x->shape.dim[1]));
	sum = ex_by(e, OP_ADD, ex_by(e, OP_MUL, sum, (double)a->alpha / (double)a->size),
		    (double)a->bias);
	return expand_output(e, 0, ex2(e, OP_DIV, x, ex_by(e, OP_POW, sum, (double)a->beta)));
}
