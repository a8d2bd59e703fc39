// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions along axes: reductions, where the largest is, running sums. */
#include "compiler/expand.h"

#include <errno.h>
#include <math.h>

enum { TOP_MAX = 64 }; /* of TopK */

/* The axes of a reduction: as input 1 or an attribute; none of either are all. */
static int reduced_axes(struct expand *e, int rank, struct dims *axes)
{
	int rc = 0;
	u32 seen = 0;

	*axes = e->n->attrs.axes;
	if (ex_in(e, 1))
		rc = ex_integers(e, 1, axes);
	if (rc)
		return rc;
	for (int i = 0; i < axes->n; i++) {
		s64 said = axes->v[i];

		axes->v[i] += said < 0 ? rank : 0;
		if (axes->v[i] < 0 || axes->v[i] >= rank || seen & 1u << axes->v[i])
			return expand_refuse(e, -EINVAL,
					     "axis %lld is none of its dimensions, or "
					     "there twice",
					     (long long)said);
		seen |= 1u << axes->v[i];
	}
	if (!axes->n && !e->n->attrs.noop_with_empty_axes)
		*axes = ex_axes(0, rank);
	return 0;
}

/* log(sum(e^x)), of what is not infinite relative to the largest. */
static struct value *log_sum_exp(struct expand *e, struct value *x, const struct dims *axes)
{
	struct value *most = ex_over(e, OP_MAXOVER, x, axes), *y;

	most = ex_where(e, ex_by(e, OP_LESS, ex1(e, OP_ABS, most), INFINITY), most,
			ex_like(e, x, 0));
	y = ex_over(e, OP_SUMOVER, ex1(e, OP_EXP, ex2(e, OP_SUB, x, most)), axes);
	return ex2(e, OP_ADD, ex1(e, OP_LOG, y), most);
}

static struct value *reduce(struct expand *e, enum op op, struct value *x, const struct dims *axes)
{
	switch (op) {
	case OP_REDUCEMEAN:
		return ex_mean(e, x, axes);
	case OP_REDUCEMAX:
		return ex_over(e, OP_MAXOVER, x, axes);
	case OP_REDUCEMIN:
		return ex_over(e, OP_MINOVER, x, axes);
	case OP_REDUCEPROD:
		return ex_over(e, OP_PRODOVER, x, axes);
	case OP_REDUCEL1:
		return ex_over(e, OP_SUMOVER, ex1(e, OP_ABS, x), axes);
	case OP_REDUCEL2:
		return ex1(e, OP_SQRT, ex_over(e, OP_SUMOVER, ex2(e, OP_MUL, x, x), axes));
	case OP_REDUCELOGSUM:
		return ex1(e, OP_LOG, ex_over(e, OP_SUMOVER, x, axes));
	case OP_REDUCELOGSUMEXP:
		return log_sum_exp(e, x, axes);
	case OP_REDUCESUMSQUARE:
		return ex_over(e, OP_SUMOVER, ex2(e, OP_MUL, x, x), axes);
	default:
		return ex_over(e, OP_SUMOVER, x, axes);
	}
}

/* What no elements become. */
static double of_nothing(enum op op, enum dtype t)
{
	switch (op) {
	case OP_REDUCEPROD:
		return 1;
	case OP_REDUCEMAX:
		return t == DTYPE_S64 ? -0x1p63 : ex_extreme(t, false);
	case OP_REDUCEMIN:
		return ex_extreme(t, true);
	case OP_REDUCELOGSUM:
	case OP_REDUCELOGSUMEXP:
		return -INFINITY;
	case OP_REDUCEMEAN:
		return NAN;
	default:
		return 0;
	}
}

int expand_reduce(struct expand *e)
{
	struct value *x = ex_in(e, 0), *y;
	struct shape kept = x->shape, to = { 0 };
	struct dims axes;
	u32 gone = 0;
	bool empty = false;
	int rc = reduced_axes(e, kept.rank, &axes);

	if (rc)
		return rc;
	for (int i = 0; i < axes.n; i++) {
		empty |= !kept.dim[axes.v[i]];
		kept.dim[axes.v[i]] = 1;
		gone |= 1u << axes.v[i];
	}
	for (int d = 0; d < kept.rank; d++) {
		if (e->n->attrs.keepdims || !(gone >> d & 1))
			to.dim[to.rank++] = kept.dim[d];
	}
	if (empty)
		y = ex_stretch(e, ex_like(e, x, of_nothing(e->n->op, x->dtype)), &kept);
	else
		y = reduce(e, e->n->op, x, &axes);
	return expand_as(e, y, &to);
}

/* ---- Where the largest is -------------------------------------------------------------------- */

/* Whether an element is the one that counts: @best, or NaN where there is one. */
static struct value *is_best(struct expand *e, struct value *x, struct value *best)
{
	struct value *hit = ex2(e, OP_EQUAL, x, best);

	return x->dtype == DTYPE_F32 ? ex2(e, OP_OR, hit, ex1(e, OP_ISNAN, x)) : hit;
}

/* Every index along @axis of @x, as f32, which holds them all: find_axis(). */
static struct value *indices_of(struct expand *e, const struct value *x, int axis)
{
	return ex_iota(e, DTYPE_F32, x->shape.rank, axis, x->shape.dim[axis]);
}

/*
 * The first or last of the indices @all along @axis of the elements for which @hit is true; the
 * dimension stays.
 */
static struct value *index_of(struct expand *e, struct value *hit, struct value *all, int axis,
			      bool last)
{
	double none;

	if (!hit || !all)
		return NULL;
	none = last ? -1 : (double)hit->shape.dim[axis];
	return ex_over(e, last ? OP_MAXOVER : OP_MINOVER,
		       ex_where(e, hit, all, ex_number(e, DTYPE_F32, none)),
		       &(struct dims){ 1, { axis } });
}

static int find_axis(struct expand *e, const struct shape *x, int *axis)
{
	s64 at = e->n->attrs.axis;

	if (at < -x->rank || at >= x->rank)
		return expand_refuse(e, -EINVAL, "axis %lld is outside the %d dimensions",
				     (long long)at, x->rank);
	*axis = (int)(at < 0 ? at + x->rank : at);
	if (!x->dim[*axis] || x->dim[*axis] > 1 << 24)
		return expand_refuse(e, -EFBIG, "%lld elements along its axis",
				     (long long)x->dim[*axis]);
	return 0;
}

int expand_argmax(struct expand *e)
{
	struct value *x = ex_in(e, 0), *y;
	bool max = e->n->op == OP_ARGMAX;
	int axis = 0, rc = find_axis(e, &x->shape, &axis);

	if (rc)
		return rc;
	y = ex_over(e, max ? OP_MAXOVER : OP_MINOVER, x, &(struct dims){ 1, { axis } });
	y = index_of(e, is_best(e, x, y), indices_of(e, x, axis), axis,
		     e->n->attrs.select_last_index);
	y = ex_cast(e, y, DTYPE_S64);
	return expand_output(e, 0, e->n->attrs.keepdims ? y : ex_squeeze(e, y, axis));
}

int expand_hardmax(struct expand *e)
{
	struct value *x = ex_in(e, 0), *all, *y;
	struct shape flat = { 2, { 1, 1 } };
	int axis = 0, rc = find_axis(e, &x->shape, &axis);

	if (rc)
		return rc;
	if (e->n->attrs.flat) {
		for (int d = 0; d < x->shape.rank; d++)
			flat.dim[d >= axis] *= x->shape.dim[d];
		x = ex_view(e, x, &flat);
		axis = 1;
	}
	y = ex_over(e, OP_MAXOVER, x, &(struct dims){ 1, { axis } });
	if (!y)
		return e->g->err->code;
	all = indices_of(e, x, axis);
	y = ex2(e, OP_EQUAL, index_of(e, is_best(e, x, y), all, axis, false), all);
	return expand_as(e, ex_cast(e, y, DTYPE_F32), &ex_in(e, 0)->shape);
}

/* One after the other: each round takes the best of what is left. */
int expand_topk(struct expand *e)
{
	struct value *x = ex_in(e, 0), *left = NULL, *all, *hit, *best, *index;
	struct value *values[TOP_MAX], *indices[TOP_MAX];
	bool largest = e->n->attrs.largest;
	enum op over = largest ? OP_MAXOVER : OP_MINOVER;
	struct dims k = { 1, { e->n->attrs.k } };
	int axis = 0, rc = find_axis(e, &x->shape, &axis);

	if (!rc && ex_in(e, 1))
		rc = ex_integers(e, 1, &k);
	if (rc)
		return rc;
	if (k.n != 1 || k.v[0] < 1 || k.v[0] > x->shape.dim[axis])
		return expand_refuse(e, -EINVAL, "it asks for none, or more than there are");
	if (k.v[0] > TOP_MAX)
		return expand_refuse(e, -ENOTSUP, "its k is %lld; up to %d are mapped",
				     (long long)k.v[0], TOP_MAX);
	all = indices_of(e, x, axis);
	for (int i = 0; i < k.v[0]; i++) {
		struct value *among = x;

		if (left)
			among = ex_where(e, left, x, ex_like(e, x, ex_extreme(x->dtype, !largest)));
		best = ex_over(e, over, among, &(struct dims){ 1, { axis } });
		hit = among && best ? is_best(e, among, best) : NULL;
		hit = left ? ex2(e, OP_AND, hit, left) : hit;
		index = index_of(e, hit, all, axis, false);
		values[i] = best;
		indices[i] = index;
		hit = ex1(e, OP_NOT, ex2(e, OP_EQUAL, index, all));
		left = left ? ex2(e, OP_AND, left, hit) : hit;
		if (!left)
			return e->g->err->code;
	}
	rc = expand_output(e, 0, ex_concat(e, values, (int)k.v[0], axis));
	if (rc || e->n->n_out < 2 || !e->n->out[1])
		return rc;
	return expand_output(e, 1, ex_cast(e, ex_concat(e, indices, (int)k.v[0], axis), DTYPE_S64));
}

/* ---- Running sums ---------------------------------------------------------------------------- */

/* @x moved by @by along @axis, forwards or back; what comes in is @fill. */
static struct value *shifted(struct expand *e, struct value *x, int axis, s64 by, bool back,
			     struct value *fill)
{
	s64 before[TENSOR_RANK_MAX] = { 0 }, after[TENSOR_RANK_MAX] = { 0 };

	before[axis] = back ? -by : by;
	after[axis] = -before[axis];
	return ex_pad(e, x, before, after, fill);
}

/* Sums of 2, then 4, then 8 neighbours and so on. */
int expand_cumulate(struct expand *e)
{
	enum op op = e->n->op == OP_CUMSUM ? OP_ADD : OP_MUL;
	struct value *x = ex_in(e, 0), *none = ex_like(e, x, op == OP_MUL);
	bool back = e->n->attrs.reverse;
	struct dims at;
	int axis = 0, rc = ex_integers(e, 1, &at);

	if (rc)
		return rc;
	if (at.n != 1 || at.v[0] < -x->shape.rank || at.v[0] >= x->shape.rank)
		return expand_refuse(e, -EINVAL, "its axis is none of the %d dimensions",
				     x->shape.rank);
	axis = (int)(at.v[0] < 0 ? at.v[0] + x->shape.rank : at.v[0]);
	if (e->n->attrs.exclusive)
		x = shifted(e, x, axis, 1, back, none);
	for (s64 by = 1; x && by < x->shape.dim[axis]; by *= 2)
		x = ex2(e, op, x, shifted(e, x, axis, by, back, none));
	if (x == ex_in(e, 0))
		x = ex1(e, OP_IDENTITY, x);
	return expand_output(e, 0, x);
}
