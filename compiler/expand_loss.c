// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Losses of classes. */
#include "compiler/expand.h"

#include <errno.h>

/* ignore_index where a model leaves it out: no class is so far from 0. */
#define NO_INDEX (INT64_C(1) << 60)

/* Sum over classes of @v where the target is the class, of shape [n, 1, ...]. */
static struct value *at_target(struct expand *e, struct value *hit, struct value *v)
{
	return ex_over(e, OP_SUMOVER, ex_where(e, hit, v, ex_number(e, DTYPE_F32, 0)),
		       &(struct dims){ 1, { 1 } });
}

/* What each target counts: its class's weight, 0 if it is to be ignored; NULL: all count 1. */
static struct value *target_weights(struct expand *e, struct value *hit, struct value *target)
{
	struct value *given = ex_in(e, 2), *w = NULL, *ignored;
	struct shape s = { .rank = target->shape.rank };

	if (given) {
		for (int d = 0; d < s.rank; d++)
			s.dim[d] = d == 1 ? shape_elems(&given->shape) : 1;
		w = at_target(e, hit, ex_view(e, given, &s));
	}
	if (e->n->attrs.ignore_index < -NO_INDEX)
		return w;
	ignored = ex_by(e, OP_EQUAL, target, (double)e->n->attrs.ignore_index);
	return ex_where(e, ignored, ex_number(e, DTYPE_F32, 0), w ? w : ex_number(e, DTYPE_F32, 1));
}

/* The sum of all elements, a scalar. */
static struct value *total(struct expand *e, struct value *x)
{
	struct shape scalar = { 0 };
	struct dims all;

	if (!x)
		return NULL;
	all = ex_axes(0, x->shape.rank);
	return ex_view(e, ex_over(e, OP_SUMOVER, x, &all), &scalar);
}

/* The loss of targets (input 1) under log-probabilities @x [n, classes, ...]. */
static int loss(struct expand *e, struct value *x)
{
	const char *reduction = e->n->attrs.reduction;
	struct value *target = ex_in(e, 1), *hit, *w, *y;
	bool weighted = ex_in(e, 2) || e->n->attrs.ignore_index >= -NO_INDEX;

	if (!x)
		return e->g->err->code;
	if (x->shape.rank < 2 || target->shape.rank != x->shape.rank - 1)
		return expand_refuse(e, -EINVAL, "targets of %d dimensions for %d",
				     target->shape.rank, x->shape.rank);
	target = ex_unsqueeze(e, target, 1);
	if (!target)
		return e->g->err->code;
	hit = ex2(e, OP_EQUAL, target,
		  ex_iota(e, target->dtype, x->shape.rank, 1, x->shape.dim[1]));
	y = ex1(e, OP_NEG, at_target(e, hit, x));
	w = weighted ? target_weights(e, hit, target) : NULL;
	y = weighted ? ex2(e, OP_MUL, y, w) : y;
	if (ex_says(reduction, "none"))
		return expand_output(e, 0, ex_squeeze(e, y, 1));
	if (ex_says(reduction, "sum"))
		return expand_output(e, 0, total(e, y));
	if (!weighted)
		return expand_output(
			e, 0, ex_by(e, OP_DIV, total(e, y), (double)shape_elems(&target->shape)));
	w = ex_stretch(e, w, &target->shape);
	return expand_output(e, 0, ex2(e, OP_DIV, total(e, y), total(e, w)));
}

int expand_nllloss(struct expand *e)
{
	return loss(e, ex_in(e, 0));
}

int expand_sce(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	int rc;

	if (x->shape.rank < 2)
		return expand_refuse(e, -EINVAL, "input 0 has no classes");
	x = ex_softmax(e, OP_LOGSOFTMAX, x, 1);
	rc = loss(e, x);
	return rc ? rc : expand_output(e, 1, x);
}
