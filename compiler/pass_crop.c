// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Rows and columns at the end of an image that no window sees, as where its size is no multiple of
 * a pool's steps, are not computed: the window operator before has fewer results.
 */
#include "compiler/passes.h"
#include "compiler/quantise.h"
#include "compiler/window.h"

enum { AXES = 2, FIRST = 2 /* dimension of the first of them */ };

/* How many cells along axis @i of their input the windows of @user see. */
static s64 seen(const struct graph *g, const struct node *user, int i)
{
	struct window w;
	const struct window_axis *x = &w.axis[i];
	s64 end;

	window_of(g, user, &w);
	end = (x->out - 1) * x->stride + (x->kernel - 1) * x->dilation + 1 - x->pad;
	return end < x->in ? end : x->in;
}

/* How many of them somebody needs of @v along axis @i. */
static s64 needed(const struct graph *g, const struct value *v, int i)
{
	s64 all = v->shape.dim[FIRST + i], most = 0;

	if (v->is_output)
		return all;
	for (const struct operand *u = v->uses; u; u = u->next) {
		bool window = op_is_window(u->node->op) && u == &u->node->in[0];
		s64 cells = window ? seen(g, u->node, i) : all;

		most = cells > most ? cells : most;
	}
	return most ? most : all;
}

/* Lets @n have no more than @cells results along axis @i, if padding at the end makes the others.
 */
static void crop(const struct graph *g, struct node *n, struct value *y, int i, s64 cells)
{
	struct window_axis x;
	struct window w;
	s64 end;

	window_of(g, n, &w);
	x = w.axis[i];
	end = (cells - 1) * x.stride + (x.kernel - 1) * x.dilation + 1 - x.pad - x.in;
	if (x.over || cells >= x.out)
		return;
	n->attrs.pads.v[AXES + i] = end > 0 ? end : 0;
	window_of(g, n, &w);
	n->out[0]->shape.dim[FIRST + i] = y->shape.dim[FIRST + i] = w.axis[i].out;
}

int pass_crop(struct graph *g)
{
	for (struct node *n = g->last; n; n = n->prev) {
		const struct node *end;
		struct value *y;

		if (!op_is_window(n->op))
			continue;
		end = quantise_epilogue(n);
		y = end ? end->out[0] : n->out[0];
		for (int i = 0; i < AXES; i++)
			crop(g, n, y, i, needed(g, y, i));
	}
	return 0;
}
