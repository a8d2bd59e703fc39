// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One form for all windows: two spatial dimensions, explicit pads, every list of numbers filled in.
 * A one-dimensional Conv or pool becomes one over a single row; GlobalAveragePool an AveragePool
 * whose window is the whole image.
 */
#include "compiler/passes.h"
#include "compiler/window.h"

#include <string.h>

static struct dims pair(s64 a, s64 b)
{
	return (struct dims){ 2, { a, b } };
}

static int fill_attrs(const struct graph *g, struct node *n)
{
	struct attrs *a = &n->attrs;
	const struct window_axis *v, *h;
	struct window w;
	int rc = window_of(g, n, &w);

	if (rc)
		return rc;
	v = &w.axis[0];
	h = &w.axis[1];
	a->kernel = pair(v->kernel, h->kernel);
	a->strides = pair(v->stride, h->stride);
	a->dilations = pair(v->dilation, h->dilation);
	a->pads = (struct dims){ 4, { v->pad, h->pad, v->pad_end, h->pad_end } };
	a->auto_pad = PAD_EXPLICIT;
	a->ceil_mode = v->over || h->over; /* without such a window it says nothing */
	return 0;
}

/* [n,c,w] as [n,c,1,w]. */
static struct value *one_row(struct graph *g, struct node *at, struct value *x)
{
	struct shape s = { 4, { x->shape.dim[0], x->shape.dim[1], 1, x->shape.dim[2] } };

	return pass_view(g, at, x, &s);
}

/* {v} as {@first, v}; a pair {begin, end} as {@first, begin, @first, end}. */
static void widen(struct dims *d, s64 first)
{
	if (d->n == 1)
		*d = pair(first, d->v[0]);
	else if (d->n == 2)
		*d = (struct dims){ 4, { first, d->v[0], first, d->v[1] } };
}

/* @wide stands for @n, whose result has another shape. */
static int replace_by_view(struct graph *g, struct node *n, struct value *wide)
{
	struct value *v = pass_view(g, n, wide, &n->out[0]->shape);

	return v ? pass_replace_by_value(g, n, v) : g->err->code;
}

static int to_two_dimensions(struct graph *g, struct node *n)
{
	struct node *wide = graph_node(g, n, n->op, n->name, n->n_in);

	if (!wide)
		return g->err->code;
	for (int i = 0; i < n->n_in; i++) {
		struct value *v = node_in(n, i);

		if (v && v->shape.rank == 3)
			v = one_row(g, wide, v);
		if (!v && i < 2)
			return g->err->code;
		node_set_in(wide, i, v);
	}
	wide->attrs = n->attrs;
	widen(&wide->attrs.kernel, 1);
	widen(&wide->attrs.strides, 1);
	widen(&wide->attrs.dilations, 1);
	widen(&wide->attrs.pads, 0);
	if (pass_type_node(g, wide))
		return g->err->code;
	return fill_attrs(g, wide) ? g->err->code : replace_by_view(g, n, wide->out[0]);
}

static int global_to_pool(struct graph *g, struct node *n)
{
	struct shape s = node_in(n, 0)->shape;
	struct value *x;
	struct node *pool;

	if (s.rank != 4) {
		s64 cells = 1;

		for (int i = 2; i < s.rank; i++)
			cells *= s.dim[i];
		s = (struct shape){ 4, { s.dim[0], s.dim[1], 1, cells } };
	}
	x = pass_view(g, n, node_in(n, 0), &s);
	if (!x)
		return g->err->code;
	pool = graph_node(g, n, OP_AVGPOOL, n->name, 1);
	if (!pool)
		return g->err->code;
	node_set_in(pool, 0, x);
	node_set_dims(pool, ATTR_kernel, pair(s.dim[2], s.dim[3]));
	if (pass_type_node(g, pool))
		return g->err->code;
	return fill_attrs(g, pool) ? g->err->code : replace_by_view(g, n, pool->out[0]);
}

int pass_window(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		next = n->next;
		if (n->op == OP_GLOBALAVGPOOL)
			rc = global_to_pool(g, n);
		else if (!op_is_window(n->op))
			continue;
		else if (node_in(n, 0)->shape.rank == 3)
			rc = to_two_dimensions(g, n);
		else
			rc = fill_attrs(g, n);
	}
	return rc;
}
