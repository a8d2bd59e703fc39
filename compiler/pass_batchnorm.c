// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * BatchNormalization at inference is y = x * a + b for each channel, with
 * a = scale / sqrt(variance + epsilon) and b = bias - mean * a. The pass "affine" then moves both
 * into the weights of a Conv before it.
 */
#include "compiler/passes.h"

#include <math.h>

/* Statistics that are known only at run time: (x - mean) * (scale / deviation) + bias. */
static int live_batchnorm(struct graph *g, struct node *n, const struct shape *channels)
{
	const struct shape scalar = { 0 };
	struct value *epsilon = graph_const(g, "", DTYPE_F32, &scalar, &n->attrs.epsilon), *y,
		     *in[5];

	for (int i = 1; i < 5; i++) {
		in[i] = pass_view(g, n, node_in(n, i), channels);
		if (!in[i])
			return g->err->code;
	}
	y = epsilon ? pass_binary(g, n, OP_ADD, in[4], epsilon) : NULL;
	y = y ? pass_unary(g, n, OP_SQRT, y) : NULL;
	in[1] = y ? pass_binary(g, n, OP_DIV, in[1], y) : NULL;
	y = in[1] ? pass_binary(g, n, OP_SUB, node_in(n, 0), in[3]) : NULL;
	y = y ? pass_binary(g, n, OP_MUL, y, in[1]) : NULL;
	y = y ? pass_binary(g, n, OP_ADD, y, in[2]) : NULL;
	return y ? pass_replace_by_value(g, n, y) : g->err->code;
}

static int lower_batchnorm(struct graph *g, struct node *n)
{
	struct value *x = node_in(n, 0), *a, *b;
	struct shape s = { .rank = x->shape.rank - 1 };
	const float *in[5] = { NULL };
	float *fa, *fb;

	/* [c,1,...]: aligned with the channels of x from the right. */
	for (int i = 0; i < s.rank; i++)
		s.dim[i] = i ? 1 : x->shape.dim[1];
	for (int i = 1; i < 5; i++) {
		in[i] = node_in(n, i)->data;
		if (!in[i])
			return live_batchnorm(g, n, &s);
	}
	a = graph_value(g, "");
	b = graph_value(g, "");
	if (!a || !b)
		return g->err->code;
	value_set_type(a, DTYPE_F32, &s);
	value_set_type(b, DTYPE_F32, &s);
	fa = graph_const_room(g, a);
	fb = fa ? graph_const_room(g, b) : NULL;
	if (!fb)
		return g->err->code;
	for (s64 c = 0; c < x->shape.dim[1]; c++) {
		double slope = in[1][c] / sqrt((double)in[4][c] + (double)n->attrs.epsilon);

		fa[c] = (float)slope;
		fb[c] = (float)(in[2][c] - in[3][c] * slope);
	}
	x = pass_binary(g, n, OP_MUL, x, a);
	x = x ? pass_binary(g, n, OP_ADD, x, b) : NULL;
	if (!x)
		return g->err->code;
	return pass_replace_by_value(g, n, x);
}

int pass_batchnorm(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		next = n->next;
		if (n->op == OP_BATCHNORM)
			rc = lower_batchnorm(g, n);
	}
	return rc;
}
