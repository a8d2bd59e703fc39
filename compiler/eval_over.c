// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The interpreter's operators along axes. Sums and products of f32 are kept in double. */
#include "compiler/eval_number.h"
#include "compiler/eval_ops.h"

#include <math.h>

struct running {
	double f;
	s64 i;
};

static double join_f32(enum op op, double a, double b)
{
	switch (op) {
	case OP_SUMOVER:
		return a + b;
	case OP_PRODOVER:
		return a * b;
	case OP_MAXOVER:
		return a > b || isnan(a) ? a : b;
	default:
		return a < b || isnan(a) ? a : b;
	}
}

static s64 join_integer(enum op op, s64 a, s64 b)
{
	switch (op) {
	case OP_SUMOVER:
		return (s64)((u64)a + (u64)b);
	case OP_PRODOVER:
		return (s64)((u64)a * (u64)b);
	case OP_MAXOVER:
		return a > b ? a : b;
	default:
		return a < b ? a : b;
	}
}

/* What all elements of @reduced, from element @at on, @stride apart, become. */
static struct number over(const struct node *n, const struct shape *reduced, const void *x, s64 at,
			  s64 (*stride)[TENSOR_RANK_MAX])
{
	s64 index[TENSOR_RANK_MAX] = { 0 };
	enum dtype t = node_in(n, 0)->dtype;
	struct number v = number_read(t, x, at);
	struct running sum = { (double)v.f, v.i };

	while (eval_step(reduced, index, stride, &at, 1)) {
		v = number_read(t, x, at);
		sum.f = join_f32(n->op, sum.f, (double)v.f);
		sum.i = join_integer(n->op, sum.i, v.i);
	}
	return (struct number){ .f = (float)sum.f, .i = sum.i };
}

void eval_over(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	const struct shape *x = &node_in(n, 0)->shape, *y = &n->out[0]->shape;
	struct shape reduced = *x;
	s64 stride[1][TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, at = 0, to = 0;

	(void)g;
	if (!shape_elems(y))
		return;
	shape_strides(x, stride[0]);
	for (int d = 0; d < x->rank; d++)
		reduced.dim[d] = y->dim[d] == 1 ? x->dim[d] : 1;
	do
		number_write(n->out[0]->dtype, out[0], to++, over(n, &reduced, in[0], at, stride));
	while (eval_step(y, index, stride, &at, 1));
}
