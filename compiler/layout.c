// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/layout.h"
#include "compiler/quantise.h"

#include <math.h>

enum { CONTAINER_BYTES = 4 };

struct layout layout_row_major(const struct shape *shape, int element)
{
	struct layout l = { .rank = shape->rank, .element = element };
	s64 stride = element;
	int i;

	for (i = shape->rank - 1; i >= 0; i--) {
		l.dim[i] = l.cells[i] = shape->dim[i];
		l.stride[i] = stride;
		stride *= shape->dim[i];
	}
	l.bytes = stride;
	return l;
}

struct layout layout_rows(const struct shape *shape, int element)
{
	struct layout l = layout_row_major(shape, element);
	s64 bytes = shape->dim[l.rank - 1] * element, padding = -bytes & (CONTAINER_BYTES - 1);

	if (!padding)
		return l;
	l.halo = true;
	l.bytes = bytes + padding;
	l.cells[l.rank - 1] = (s64)l.bytes / element;
	for (int i = l.rank - 2; i >= 0; i--) {
		l.stride[i] = (s64)l.bytes;
		l.bytes *= shape->dim[i];
	}
	return l;
}

struct layout layout_dense(const struct value *v)
{
	return layout_row_major(&v->shape, value_element(v));
}

struct layout layout_dense_as(const struct value *v, const struct shape *as)
{
	const struct layout dense = layout_dense(v);
	struct layout l = layout_row_major(as, dense.element);

	l.bytes = dense.bytes;
	return l;
}

/* What does not change the result of @n, where its window sees padding. */
static float neutral(const struct node *n)
{
	enum dtype type = node_in(n, 0)->dtype;
	const struct value *zero = n->op == OP_CONVINTEGER ? node_in(n, 2) :
				   n->op == OP_SUMPOOL	   ? node_in(n, 1) :
							     NULL;

	if (n->op == OP_MAXPOOL)
		return type == DTYPE_F32 ? -INFINITY : (float)quantise_least(type);
	return value_is_const(zero) ? (float)quantise_read(type, zero->data, 0) : 0;
}

static s64 pixel_bytes(const struct layout *l)
{
	return (l->dim[1] * l->element + CONTAINER_BYTES - 1) / CONTAINER_BYTES * CONTAINER_BYTES;
}

/* Channels last; cells and padding of the dimensions behind them are known. */
static void set_strides(struct layout *l)
{
	s64 stride = pixel_bytes(l), elements = l->dim[0] * l->dim[1] * l->element;

	l->base = 0;
	l->stride[1] = l->element;
	l->cells[1] = stride / l->element;
	for (int i = l->rank - 1; i > 1; i--) {
		l->stride[i] = stride;
		l->base += l->pad[i] * stride;
		stride *= l->cells[i];
		elements *= l->dim[i];
	}
	l->stride[0] = stride;
	l->bytes = (u64)(l->dim[0] * stride);
	l->halo = l->bytes != (u64)elements;
}

struct layout layout_channels_last(const struct value *v)
{
	struct layout l = layout_dense(v);

	set_strides(&l);
	return l;
}

struct layout layout_of_window_input(const struct graph *g, const struct node *n)
{
	struct layout l = layout_dense(node_in(n, 0));
	struct window w;

	window_of(g, n, &w);
	for (int i = 2; i < l.rank; i++) {
		const struct window_axis *x = &w.axis[i - l.rank + 2];

		l.pad[i] = x->pad;
		l.cells[i] = window_reach(x);
	}
	set_strides(&l);
	l.fill = l.halo ? neutral(n) : 0;
	return l;
}

/* Adds the padding of @other, if it may be filled with the same. */
static void widen(struct layout *l, const struct layout *other)
{
	if (!other->halo || (l->halo && l->fill != other->fill))
		return;
	for (int i = 2; i < l->rank; i++) {
		s64 end = l->cells[i] - l->pad[i], other_end = other->cells[i] - other->pad[i];

		l->pad[i] = l->pad[i] > other->pad[i] ? l->pad[i] : other->pad[i];
		l->cells[i] = l->pad[i] + (end > other_end ? end : other_end);
	}
	set_strides(l);
	l->fill = other->fill;
}

struct layout layout_of_value(const struct graph *g, const struct value *v)
{
	struct layout all, one;
	bool windows = false;

	for (const struct operand *use = v->uses; use; use = use->next) {
		if (use != &use->node->in[0] || !op_is_window(use->node->op))
			continue;
		one = layout_of_window_input(g, use->node);
		if (windows)
			widen(&all, &one);
		else
			all = one;
		windows = true;
	}
	return windows ? all : layout_dense(v);
}

struct layout layout_part(const struct layout *whole, const struct shape *shape, const s64 *at)
{
	struct layout l = *whole;

	for (int i = 0; i < l.rank; i++) {
		l.base += at[i] * l.stride[i];
		if (shape->dim[i] == l.dim[i])
			continue;
		l.dim[i] = l.cells[i] = shape->dim[i];
		l.pad[i] = 0;
	}
	return l;
}

bool layout_serves(const struct layout *have, const struct layout *want)
{
	int last = have->rank - 1;

	if (have->rank != want->rank || have->element != want->element ||
	    (want->halo && (!have->halo || have->fill != want->fill)))
		return false;
	for (int i = 0; i < have->rank; i++) {
		if (have->dim[i] != want->dim[i] || have->pad[i] < want->pad[i] ||
		    have->cells[i] - have->pad[i] < want->cells[i] - want->pad[i])
			return false;
	}
	return (have->dim[1] == 1 || have->stride[1] == have->element) &&
	       have->stride[last] % CONTAINER_BYTES == 0;
}

bool layout_equal(const struct layout *a, const struct layout *b)
{
	int i;

	if (a->rank != b->rank || a->element != b->element || a->base != b->base ||
	    a->bytes != b->bytes)
		return false;
	if (a->halo && a->fill != b->fill)
		return false;
	for (i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i] || (a->dim[i] > 1 && a->stride[i] != b->stride[i]))
			return false;
	return true;
}

bool layout_is_row_major(const struct layout *l)
{
	s64 stride = l->element;
	int i;

	for (i = l->rank - 1; i >= 0; i--) {
		if (l->dim[i] > 1 && l->stride[i] != stride)
			return false;
		stride *= l->dim[i];
	}
	return !l->base && l->bytes == (u64)stride;
}
