// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Weights that are known only at run time. The matrix unit takes such weights in Linear only, so
 * that the windows of a convolution become columns of a matrix, and bytes become f32, in which sums
 * of up to EXACT products of two of them are exact.
 */
#include "compiler/expand.h"

#include <errno.h>

#include "compiler/window.h"

enum { EXACT = (1 << 24) / (255 * 255), CELLS_MAX = 256 };

/* Whether the matrix unit cannot know the weights, or zeros, of product @n at compile time. */
static bool is_live(const struct node *n)
{
	bool integer = n->op == OP_CONVINTEGER || n->op == OP_MATMULINTEGER;
	bool live = false;

	if (n->op != OP_CONV && !integer)
		return false;
	for (int i = 1; i < (integer ? 4 : 2); i++)
		live |= node_in(n, i) && !value_is_const(node_in(n, i));
	return live;
}

/* Bytes less their zero, in f32. */
static struct value *number(struct expand *e, struct value *x, struct value *zero)
{
	x = ex_cast(e, x, DTYPE_F32);
	return zero ? ex2(e, OP_SUB, x, ex_cast(e, zero, DTYPE_F32)) : x;
}

/* The matrix product of two matrices of numbers(), in s32. */
static struct value *integer_product(struct expand *e, struct value *a, struct value *b)
{
	struct value *sum = NULL;
	int d = a ? a->shape.rank - 1 : 0;

	if (!a || !b)
		return NULL;
	for (s64 from = 0; from < a->shape.dim[d]; from += EXACT) {
		s64 left = a->shape.dim[d] - from, count = left < EXACT ? left : EXACT;
		struct value *part = ex2(e, OP_LINEAR, ex_slice(e, a, d, from, count),
					 ex_slice(e, b, b->shape.rank - 2, from, count));

		part = ex_cast(e, part, DTYPE_S32);
		sum = sum ? ex2(e, OP_ADD, sum, part) : part;
		if (!sum)
			return NULL;
	}
	return sum;
}

/* [n,c,h,w] as [n,c,cells of a window,rows,columns of the result]. */
static struct value *windows(struct expand *e, struct value *x, const struct window *w)
{
	const struct window_axis *v = &w->axis[0], *h = &w->axis[1];
	s64 before[] = { 0, 0, v->pad, h->pad }, after[] = { 0, 0, v->pad_end, h->pad_end };
	s64 step[] = { 1, 1, v->stride, h->stride };
	struct value *cell[CELLS_MAX];
	struct shape s;

	x = ex_pad(e, x, before, after, ex_like(e, x, 0));
	if (!x)
		return NULL;
	s = (struct shape){ 4, { x->shape.dim[0], x->shape.dim[1], v->out, h->out } };
	for (s64 i = 0; i < v->kernel * h->kernel; i++) {
		s64 first[] = { 0, 0, i / h->kernel * v->dilation, i % h->kernel * h->dilation };

		cell[i] = ex_unsqueeze(e, ex_part(e, x, first, step, &s), 2);
	}
	return ex_concat(e, cell, (int)(v->kernel * h->kernel), 2);
}

/* The bounds of the node become those of the one that makes @y; the result has its shape. */
static int finish(struct expand *e, struct value *y)
{
	if (y && node_clamps(e->n)) {
		y->producer->attrs.lo = e->n->attrs.lo;
		y->producer->attrs.hi = e->n->attrs.hi;
	}
	return expand_as(e, y, &e->n->out[0]->shape);
}

/* For each group: its weights, a row for each map, times its windows, a column for each pixel. */
static int live_conv(struct expand *e)
{
	struct value *x = ex_in(e, 0), *w = ex_in(e, 1), *bias = NULL, *y;
	const struct shape *k = &w->shape;
	bool integer = e->n->op == OP_CONVINTEGER;
	s64 groups = e->n->attrs.group, maps = k->dim[0] / groups, pixels;
	struct value *zero = integer ? ex_in(e, 3) : NULL;
	struct shape rows = { 3, { groups, maps, k->dim[1] * k->dim[2] * k->dim[3] } };
	struct window win;
	int rc = window_of(e->g, e->n, &win);

	if (rc)
		return rc;
	if (k->dim[2] * k->dim[3] > CELLS_MAX)
		return expand_refuse(e, -ENOTSUP,
				     "its weights \"%.80s\" are known only at run time: windows of "
				     "up to %d cells are mapped then; make them a constant",
				     w->name, CELLS_MAX);
	pixels = win.axis[0].out * win.axis[1].out;
	if (zero && zero->shape.rank == 1)
		zero = ex_view(e, zero,
			       &(struct shape){ 4, { shape_elems(&zero->shape), 1, 1, 1 } });
	x = integer ? number(e, x, ex_in(e, 2)) : x;
	w = integer ? number(e, w, zero) : w;
	x = x ? windows(e, x, &win) : NULL;
	if (!x)
		return e->g->err->code;
	x = ex_view(e, x, &(struct shape){ 4, { x->shape.dim[0], groups, rows.dim[2], pixels } });
	w = ex_view(e, w, &rows);
	y = integer ? integer_product(e, w, x) : ex2(e, OP_LINEAR, w, x);
	if (!integer)
		bias = ex_in(e, 2);
	if (bias)
		y = ex2(e, OP_ADD, y, ex_view(e, bias, &(struct shape){ 3, { groups, maps, 1 } }));
	return finish(e, y);
}

static int live_matmul(struct expand *e)
{
	struct value *a = number(e, ex_in(e, 0), ex_in(e, 2));
	struct value *b = number(e, ex_in(e, 1), ex_in(e, 3));

	if (!a || !b || !pass_matrices(e->g, e->n, &a, &b))
		return e->g->err->code;
	return finish(e, integer_product(e, a, b));
}

int pass_live(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		struct expand e = { g, n };

		next = n->next;
		if (!is_live(n))
			continue;
		rc = n->op == OP_MATMULINTEGER ? live_matmul(&e) : live_conv(&e);
		if (!rc)
			graph_remove(g, n);
	}
	return rc;
}
