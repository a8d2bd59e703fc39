// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One form for all matrix products: Linear, of matrices. Gemm's factors become Mul and its C an
 * Add, which the pass "affine" moves into constant weights and the bias.
 */
#include "compiler/passes.h"

/* @x * @factor, @x itself for 1. */
static struct value *scaled(struct graph *g, struct node *at, struct value *x, float factor)
{
	struct shape scalar = { 0 };
	struct value *f;

	if (factor == 1)
		return x;
	f = graph_const(g, "", DTYPE_F32, &scalar, &factor);
	return f ? pass_binary(g, at, OP_MUL, x, f) : NULL;
}

static int lower_gemm(struct graph *g, struct node *n)
{
	static const int swap[] = { 1, 0 };
	struct value *a = node_in(n, 0), *b = node_in(n, 1), *c = node_in(n, 2), *y;

	if (n->attrs.trans_a)
		a = pass_transpose(g, n, a, swap);
	if (a && n->attrs.trans_b)
		b = pass_transpose(g, n, b, swap);
	y = a && b ? pass_binary(g, n, OP_LINEAR, a, b) : NULL;
	y = y ? scaled(g, n, y, n->attrs.alpha) : NULL;
	if (y && c && n->attrs.beta != 0) { /* a factor of 0 also silences infinity and NaN */
		c = scaled(g, n, c, n->attrs.beta);
		y = c ? pass_binary(g, n, OP_ADD, y, c) : NULL;
	}
	if (!y)
		return g->err->code;
	return pass_replace_by_value(g, n, y);
}

/* A vector becomes a row or a column; against one matrix B, all rows of A are one matrix. */
bool pass_matrices(struct graph *g, struct node *at, struct value **a, struct value **b)
{
	const struct shape *rows = &(*a)->shape;
	s64 len = rows->dim[rows->rank - 1];
	struct shape s;

	if ((*b)->shape.rank == 1) {
		s = (struct shape){ 2, { (*b)->shape.dim[0], 1 } };
		*b = pass_view(g, at, *b, &s);
	}
	if (*b && (rows->rank == 1 || (rows->rank > 2 && (*b)->shape.rank == 2))) {
		s = (struct shape){ 2, { 1, len } };
		for (int i = 0; i < rows->rank - 1; i++)
			s.dim[0] *= rows->dim[i];
		*a = pass_view(g, at, *a, &s);
	}
	return *a && *b;
}

static int lower_matmul(struct graph *g, struct node *n)
{
	struct value *a = node_in(n, 0), *b = node_in(n, 1), *y;

	y = pass_matrices(g, n, &a, &b) ? pass_binary(g, n, OP_LINEAR, a, b) : NULL;
	y = y ? pass_view(g, n, y, &n->out[0]->shape) : NULL;
	if (!y)
		return g->err->code;
	return pass_replace_by_value(g, n, y);
}

int pass_matmul(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		next = n->next;
		if (n->op == OP_GEMM)
			rc = lower_gemm(g, n);
		else if (n->op == OP_MATMUL)
			rc = lower_matmul(g, n);
	}
	return rc;
}
