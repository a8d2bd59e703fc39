// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Softmax and LogSoftmax along the last dimension: the form before operator set 13 works on a
 * matrix [before axis, from axis on]; another axis is brought last and back.
 */
#include "compiler/passes.h"
#include "compiler/shape.h"

static struct value *along_last(struct graph *g, struct node *n, struct value *x)
{
	return x ? pass_unary(g, n, n->op, x) : NULL;
}

static struct value *lower_flat(struct graph *g, struct node *n)
{
	struct value *x = node_in(n, 0);
	struct shape s = { 2, { 1, 1 } };

	for (int i = 0; i < x->shape.rank; i++)
		s.dim[i >= node_axis(n, x->shape.rank)] *= x->shape.dim[i];
	x = along_last(g, n, pass_view(g, n, x, &s));
	return x ? pass_view(g, n, x, &n->out[0]->shape) : NULL;
}

static struct value *lower_axis(struct graph *g, struct node *n)
{
	struct value *x = node_in(n, 0);
	int last = x->shape.rank - 1, axis = node_axis(n, x->shape.rank);
	int perm[TENSOR_RANK_MAX];

	for (int i = 0; i <= last; i++)
		perm[i] = i;
	perm[axis] = last;
	perm[last] = axis;
	x = along_last(g, n, pass_transpose(g, n, x, perm));
	return x ? pass_transpose(g, n, x, perm) : NULL;
}

int pass_softmax(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		struct value *y;
		int rank;

		next = n->next;
		if (n->op != OP_SOFTMAX && n->op != OP_LOGSOFTMAX)
			continue;
		rank = n->out[0]->shape.rank;
		if (node_axis(n, rank) == rank - 1) {
			n->attrs.axis = -1;
			n->attrs.flat = 0;
			continue;
		}
		y = n->attrs.flat ? lower_flat(g, n) : lower_axis(g, n);
		rc = y ? pass_replace_by_value(g, n, y) : g->err->code;
	}
	return rc;
}
