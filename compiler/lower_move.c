// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * View, Transpose, Concat, Copy: stages that only say where elements are.
 */
#include "compiler/lower.h"

/* The elements of @a at @at, as an operand with the dimensions of the domain. */
static struct operand_at seen_by(const struct stage *s, const struct stage_access *a,
				 const struct operand_at *at)
{
	struct operand_at seen = { .buf = at->buf };

	seen.layout.rank = s->dims;
	seen.layout.element = at->layout.element;
	seen.layout.base = plan_base(a, &at->layout);
	seen.layout.bytes = at->layout.bytes;
	for (int d = 0; d < s->dims; d++) {
		seen.layout.dim[d] = s->size[d];
		seen.layout.stride[d] = plan_stride(a, &at->layout, d);
	}
	return seen;
}

int lower_move(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct operand_at from, to;

	if (l->plans->whole[s->in[0].value->id] == s->out.value)
		return 0; /* it has been computed there */
	if (p->unit == PLAN_ALIAS) {
		to = l->value[s->in[0].value->id];
		to.layout = l->plans->layout[s->out.value->id];
		l->value[s->out.value->id] = to;
		return 0;
	}
	from = lower_input(l, s, p, 0);
	to = lower_out(l, s);
	from = seen_by(s, &s->in[0], &from);
	to = seen_by(s, &s->out, &to);
	lower_copy(l, &to, &from);
	return 0;
}
