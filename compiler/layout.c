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
	return layout_row_major(&v->shape, (int)dtype_size(v->dtype));
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

struct layout layout_of_window_input(const struct graph *g, const struct node *n)
{
	const struct value *x = node_in(n, 0);
	const struct shape *shape = &x->shape;
	struct layout l = { .rank = shape->rank, .element = (int)dtype_size(x->dtype) };
	struct window w;
	s64 pixel = (shape->dim[1] * l.element + CONTAINER_BYTES - 1) / CONTAINER_BYTES *
		    CONTAINER_BYTES;
	s64 row, rows;
	int i;

	window_of(g, n, &w);
	row = window_reach(&w.axis[1]) * pixel;
	rows = window_reach(&w.axis[0]);
	for (i = 0; i < l.rank; i++)
		l.dim[i] = l.cells[i] = shape->dim[i];
	l.stride[0] = rows * row;
	l.stride[1] = l.element;
	l.cells[1] = pixel / l.element;
	if (l.rank == 4) {
		l.stride[2] = row;
		l.pad[2] = w.axis[0].pad;
		l.cells[2] = rows;
	}
	l.stride[l.rank - 1] = pixel;
	l.pad[l.rank - 1] = w.axis[1].pad;
	l.cells[l.rank - 1] = window_reach(&w.axis[1]);
	l.base = w.axis[0].pad * row + w.axis[1].pad * pixel;
	l.bytes = shape->dim[0] * rows * row;
	l.halo = l.bytes != (u64)(shape_elems(shape) * l.element);
	l.fill = l.halo ? neutral(n) : 0;
	return l;
}

struct layout layout_of_value(const struct graph *g, const struct value *v)
{
	const struct operand *use;

	for (use = v->uses; use; use = use->next)
		if (use == &use->node->in[0] && op_is_window(use->node->op))
			return layout_of_window_input(g, use->node);
	return layout_dense(v);
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
