// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/wide.h"

/* Where elements lie that 32 bits do not hold. */
enum { ABOVE = 1, BELOW = 2 };

static bool is_wide(s64 x)
{
	return x < INT32_MIN || x > INT32_MAX;
}

const s64 *wide_element(const struct value *v)
{
	const s64 *x = v->data;

	if (!value_is_const(v) || v->dtype != DTYPE_S64)
		return NULL;
	for (s64 i = 0; i < shape_elems(&v->shape); i++, x++)
		if (is_wide(*x))
			return x;
	return NULL;
}

static int sides_of(const struct value *v)
{
	const s64 *x = v->data;
	int sides = 0;

	for (s64 i = 0; i < shape_elems(&v->shape); i++)
		sides |= x[i] > INT32_MAX ? ABOVE : x[i] < INT32_MIN ? BELOW : 0;
	return sides;
}

static s64 count(const struct value *v, bool (*is)(s64 x))
{
	s64 n = 0;

	for (s64 i = 0; i < shape_elems(&v->shape); i++)
		n += is(((const s64 *)v->data)[i]);
	return n;
}

static bool is_least(s64 x)
{
	return x == INT32_MIN;
}

static bool is_most(s64 x)
{
	return x == INT32_MAX;
}

/* Input @i of @n with @add to what 32 bits hold, and their ends for the rest. */
static int take_ends(struct graph *g, struct node *n, int i, int add)
{
	const struct value *from = node_in(n, i);
	struct value *v = graph_value(g, from->name);
	s64 *to;

	if (!v)
		return g->err->code;
	value_set_type(v, DTYPE_S64, &from->shape);
	to = graph_const_room(g, v);
	for (s64 k = 0; to && k < shape_elems(&v->shape); k++) {
		s64 x = ((const s64 *)from->data)[k];

		to[k] = x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x + add;
	}
	if (to)
		node_set_in(n, i, v);
	return to ? 0 : g->err->code;
}

/*
 * c < x and x < c, c being input @i, are as their ends say on one side; on the other they are
 * c + 1 <= x and x <= c - 1, unless c has no neighbour there. Likewise with <=.
 */
static int compare(struct graph *g, struct node *n, int i)
{
	bool less = n->op == OP_LESS, up = less == (i == 0);
	int sides = sides_of(node_in(n, i));

	if (sides == (up ? ABOVE : BELOW))
		return take_ends(g, n, i, 0);
	if (sides == (ABOVE | BELOW) || count(node_in(n, i), up ? is_most : is_least))
		return 0;
	n->op = less ? OP_LESSEQUAL : OP_LESS;
	return take_ends(g, n, i, up ? 1 : -1);
}

/* What equals nothing is smaller than nothing, too. */
static int differ(struct graph *g, struct node *n, int i)
{
	const struct shape *s = &node_in(n, i)->shape;
	struct value *end;
	s64 *to;

	if (count(node_in(n, i), is_wide) != shape_elems(s))
		return 0;
	end = graph_value(g, node_in(n, i)->name);
	if (!end)
		return g->err->code;
	value_set_type(end, DTYPE_S64, s);
	to = graph_const_room(g, end);
	for (s64 k = 0; to && k < shape_elems(s); k++)
		to[k] = i ? INT32_MIN : INT32_MAX;
	if (!to)
		return g->err->code;
	n->op = OP_LESS;
	node_set_in(n, i, end);
	return 0;
}

int wide_saturate(struct graph *g, struct node *n)
{
	int i = 0;

	while (i < n->n_in && !(node_in(n, i) && wide_element(node_in(n, i))))
		i++;
	if (i == n->n_in)
		return 0;
	switch (n->op) {
	case OP_MINIMUM:
		return sides_of(node_in(n, i)) == ABOVE ? take_ends(g, n, i, 0) : 0;
	case OP_MAXIMUM:
		return sides_of(node_in(n, i)) == BELOW ? take_ends(g, n, i, 0) : 0;
	case OP_LESS:
	case OP_LESSEQUAL:
		return compare(g, n, i);
	case OP_EQUAL:
		return differ(g, n, i);
	default:
		return 0;
	}
}
