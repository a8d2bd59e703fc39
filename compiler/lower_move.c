// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * View, Transpose, Concat, Copy: operators that only say where elements are.
 */
#include "compiler/lower.h"

/* The same elements in the same order: dense bytes are shared, not copied. */
static int lower_view(struct lowering *l, struct node *n)
{
	struct value *out = n->out[0];
	struct layout in = layout_dense(node_in(n, 0)), flat = layout_dense(out);
	struct layout want = layout_of_value(l->g, out);
	struct operand_at from = lower_in_as(l, node_in(n, 0), &in), to;

	flat.base = from.layout.base;
	from.layout = flat;
	if (layout_is_row_major(&want) && !value_is_const(node_in(n, 0))) {
		l->value[out->id] = from;
		return 0;
	}
	to = lower_out(l, out);
	lower_copy(l, &to, &from);
	return 0;
}

static int lower_transpose(struct lowering *l, struct node *n)
{
	struct operand_at from = lower_in(l, node_in(n, 0)), to = lower_out(l, n->out[0]);
	struct layout permuted = from.layout;
	int d;

	for (d = 0; d < to.layout.rank; d++) {
		permuted.dim[d] = from.layout.dim[n->attrs.perm.v[d]];
		permuted.stride[d] = from.layout.stride[n->attrs.perm.v[d]];
	}
	from.layout = permuted;
	lower_copy(l, &to, &from);
	return 0;
}

static int lower_concat(struct lowering *l, struct node *n)
{
	struct operand_at to = lower_out(l, n->out[0]), part = to;
	int i, axis = n->attrs.axis + (n->attrs.axis < 0 ? to.layout.rank : 0);

	for (i = 0; i < n->n_in; i++) {
		struct operand_at from = lower_in(l, node_in(n, i));

		part.layout.dim[axis] = from.layout.dim[axis];
		lower_copy(l, &part, &from);
		part.layout.base += from.layout.dim[axis] * part.layout.stride[axis];
	}
	return 0;
}

static int lower_plain_copy(struct lowering *l, struct node *n)
{
	struct operand_at from = lower_in(l, node_in(n, 0)), to = lower_out(l, n->out[0]);

	lower_copy(l, &to, &from);
	return 0;
}

int lower_move(struct lowering *l, struct node *n)
{
	switch (n->op) {
	case OP_VIEW:
		return lower_view(l, n);
	case OP_TRANSPOSE:
		return lower_transpose(l, n);
	case OP_CONCAT:
		return lower_concat(l, n);
	default:
		return lower_plain_copy(l, n);
	}
}
