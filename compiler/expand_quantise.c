// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions that quantise by what they see. */
#include "compiler/expand.h"

enum { STEPS = 255 };

/* The least or largest of all elements of @x and 0, a scalar. */
static struct value *reach(struct expand *e, enum op over, enum op join, struct value *x)
{
	const struct dims all = ex_axes(0, x->shape.rank);
	const struct shape scalar = { 0 };

	return ex_by(e, join, ex_view(e, ex_over(e, over, x, &all), &scalar), 0);
}

/* What is all 0 has a scale of 1. */
int expand_dynamic_quantize(struct expand *e)
{
	struct value *x = ex_in(e, 0), *range, *scale, *zero, *y;
	struct value *least = reach(e, OP_MINOVER, OP_MINIMUM, x);
	int rc;

	range = ex2(e, OP_SUB, reach(e, OP_MAXOVER, OP_MAXIMUM, x), least);
	scale = ex_where(e, ex_by(e, OP_EQUAL, range, 0), ex_like(e, range, 1),
			 ex_by(e, OP_DIV, range, STEPS));
	zero = ex1(e, OP_ROUND, ex2(e, OP_DIV, ex_from(e, OP_SUB, 0, least), scale));
	zero = ex_by(e, OP_MINIMUM, zero, STEPS);
	y = ex2(e, OP_ADD, ex1(e, OP_ROUND, ex2(e, OP_DIV, x, scale)), zero);
	y = ex_by(e, OP_MAXIMUM, ex_by(e, OP_MINIMUM, y, STEPS), 0);
	rc = expand_output(e, 0, ex_cast(e, y, DTYPE_U8));
	if (!rc)
		rc = expand_output(e, 1, scale);
	return rc ? rc : expand_output(e, 2, ex_cast(e, zero, DTYPE_U8));
}
