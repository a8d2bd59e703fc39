// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What is reduced along more than SRAM holds, in parts: first along each part, then along what is
 * left, as often as it takes. Rows of Softmax that are too long become the steps it is made of, and
 * windows of pools that are too large one of rows and one of columns.
 */
#include "compiler/expand.h"

enum {
	BUFFERS = 2, /* that an input takes in turn */
	PARTS = 4, /* of SRAM, one of which tiles along a part fill about */
	BESIDE = 16, /* a part of SRAM for what lives beside a row of Softmax and its result */
};

struct split {
	struct expand e;
	s64 lanes;
	u64 sram;
};

static bool is_over(enum op op)
{
	return op == OP_SUMOVER || op == OP_PRODOVER || op == OP_MAXOVER || op == OP_MINOVER;
}

static bool has_axis(const struct dims *axes, int axis)
{
	bool has = false;

	for (int i = 0; i < axes->n; i++)
		has |= axes->v[i] == axis;
	return has;
}

/* Whether tiles of @x along @axes, with results in all lanes if there are so many, are too large.
 */
static bool is_too_long(const struct split *s, const struct value *x, const struct dims *axes)
{
	s64 lanes = 1;
	u64 bytes = dtype_size(x->dtype);

	for (int d = 0; d < x->shape.rank; d++) {
		if (has_axis(axes, d))
			bytes *= (u64)x->shape.dim[d];
		else
			lanes = x->shape.dim[d] < s->lanes ? x->shape.dim[d] : s->lanes;
	}
	return bytes * (u64)lanes * BUFFERS > s->sram;
}

/* @op along dimension 1 of @x, [before, n, after], in @parts of @each elements. */
static struct value *in_parts(struct split *s, enum op op, struct value *x, s64 parts, s64 each)
{
	struct shape apart = { 4, { x->shape.dim[0], parts, each, x->shape.dim[2] } };
	struct value *y = ex_over(&s->e, op, ex_view(&s->e, x, &apart), &(struct dims){ 1, { 2 } });

	return ex_view(&s->e, y, &(struct shape){ 3, { x->shape.dim[0], parts, x->shape.dim[2] } });
}

/*
 * How many parts of equal size @n elements are, if no part has more than @most, or is single; 0:
 * that takes twice as many as parts with a rest.
 */
static s64 equal_parts(s64 n, s64 most)
{
	s64 least = (n + most - 1) / most;

	for (s64 parts = least; parts <= 2 * least && 2 * parts <= n; parts++) {
		if (n % parts == 0)
			return parts;
	}
	return 0;
}

/* @op along each part of dimension @axis of @x, none of more than @most elements. */
static struct value *along_parts(struct split *s, enum op op, struct value *x, int axis, s64 most)
{
	struct shape three = { 3, { 1, x->shape.dim[axis], 1 } }, to = x->shape;
	s64 n = x->shape.dim[axis], parts = equal_parts(n, most), rest = parts ? 0 : n % most;
	struct value *y[2];

	for (int d = 0; d < x->shape.rank; d++) {
		if (d != axis)
			three.dim[d < axis ? 0 : 2] *= x->shape.dim[d];
	}
	x = ex_view(&s->e, x, &three);
	if (parts) {
		y[0] = in_parts(s, op, x, parts, n / parts);
	} else {
		parts = n / most;
		y[0] = ex_slice(&s->e, x, 1, 0, n - rest);
		y[0] = y[0] ? in_parts(s, op, y[0], parts, most) : NULL;
	}
	if (rest) {
		y[1] = ex_slice(&s->e, x, 1, n - rest, rest);
		y[1] = ex_over(&s->e, op, y[1], &(struct dims){ 1, { 1 } });
		y[0] = y[0] && y[1] ? ex_concat(&s->e, y, 2, 1) : NULL;
		parts++;
	}
	to.dim[axis] = parts;
	return ex_view(&s->e, y[0], &to);
}

/* The longest of @axes. */
static int longest(const struct value *x, const struct dims *axes)
{
	int axis = (int)axes->v[0];

	for (int i = 1; i < axes->n; i++) {
		if (x->shape.dim[axes->v[i]] > x->shape.dim[axis])
			axis = (int)axes->v[i];
	}
	return axis;
}

static int split_over(struct split *s)
{
	struct node *n = s->e.n;
	const struct dims axes = n->attrs.axes;
	struct value *x = ex_in(&s->e, 0);
	s64 most = (s64)(s->sram / (PARTS * (u64)s->lanes * dtype_size(x->dtype)));
	int rc;

	if (most < 2 || !axes.n || !is_too_long(s, x, &axes))
		return 0;
	while (x && is_too_long(s, x, &axes) && x->shape.dim[longest(x, &axes)] > 1)
		x = along_parts(s, n->op, x, longest(x, &axes), most);
	rc = expand_as(&s->e, ex_over(&s->e, n->op, x, &axes), &n->out[0]->shape);
	if (!rc)
		graph_remove(s->e.g, n);
	return rc;
}

static int split_softmax(struct split *s)
{
	struct node *n = s->e.n;
	struct value *x = ex_in(&s->e, 0), *e, *sum, *y;
	int last = x->shape.rank - 1, rc;
	struct dims axes = { 1, { last } };

	if (last < 0 ||
	    (u64)x->shape.dim[last] * dtype_size(x->dtype) * 2 <= s->sram - s->sram / BESIDE)
		return 0;
	x = ex2(&s->e, OP_SUB, x, ex_over(&s->e, OP_MAXOVER, x, &axes));
	e = ex1(&s->e, OP_EXP, x);
	sum = ex_over(&s->e, OP_SUMOVER, e, &axes);
	y = n->op == OP_SOFTMAX ? ex2(&s->e, OP_DIV, e, sum) :
				  ex2(&s->e, OP_SUB, x, ex1(&s->e, OP_LOG, sum));
	rc = expand_as(&s->e, y, &n->out[0]->shape);
	if (!rc)
		graph_remove(s->e.g, n);
	return rc;
}

/* The pool along one spatial axis of @x. */
static struct value *pool_along(struct split *s, struct value *x, int axis)
{
	const struct node *of = s->e.n;
	struct node *n = x ? graph_node(s->e.g, s->e.n, of->op, of->name, 1) : NULL;
	int other = !axis;

	if (!n)
		return NULL;
	node_set_in(n, 0, x);
	n->attrs = of->attrs;
	n->attrs.kernel.v[other] = n->attrs.strides.v[other] = n->attrs.dilations.v[other] = 1;
	n->attrs.pads.v[other] = n->attrs.pads.v[other + 2] = 0;
	return pass_finish_node(s->e.g, n);
}

/* A large window is one of columns, of what it is of rows: so are the numbers of its cells. */
static int split_pool(struct split *s)
{
	struct node *n = s->e.n;
	const struct value *x = ex_in(&s->e, 0);
	s64 channels = x->shape.dim[1] < s->lanes ? x->shape.dim[1] : s->lanes;
	const s64 *kernel = n->attrs.kernel.v;
	u64 bytes = (u64)(channels * kernel[0] * kernel[1]) * dtype_size(x->dtype);
	int rc;

	if (kernel[0] == 1 || kernel[1] == 1 || bytes * BUFFERS <= s->sram)
		return 0;
	rc = expand_as(&s->e, pool_along(s, pool_along(s, ex_in(&s->e, 0), 1), 0),
		       &n->out[0]->shape);
	if (!rc)
		graph_remove(s->e.g, n);
	return rc;
}

/* Softmax first, which is made of the others. */
int pass_split(struct graph *g, s64 lanes, u64 sram)
{
	int rc = 0;

	for (int softmax = 1; softmax >= 0; softmax--) {
		struct node *next;

		for (struct node *n = g->first; n && !rc; n = next) {
			struct split s = { { g, n }, lanes, sram };

			next = n->next;
			if (softmax && (n->op == OP_SOFTMAX || n->op == OP_LOGSOFTMAX))
				rc = split_softmax(&s);
			else if (!softmax && is_over(n->op))
				rc = split_over(&s);
			else if (!softmax && (n->op == OP_MAXPOOL || n->op == OP_AVGPOOL))
				rc = split_pool(&s);
		}
	}
	return rc;
}
