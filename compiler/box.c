// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/box.h"

struct box box_of_access(const struct stage_access *a, int dims, const s64 *origin, const s64 *size)
{
	struct box b = { .rank = a->as.rank };

	for (int i = 0; i < b.rank; i++) {
		b.lo[i] = a->at[i];
		b.n[i] = 1;
		for (int d = 0; d < dims; d++) {
			s64 step = a->step[i][d], span = step * (size[d] - 1);

			b.lo[i] += step * origin[d] + (span < 0 ? span : 0);
			b.n[i] += span < 0 ? -span : span;
		}
	}
	return b;
}

struct box box_elements(const struct layout *l)
{
	struct box b = { .rank = l->rank };

	for (int i = 0; i < l->rank; i++)
		b.n[i] = l->dim[i];
	return b;
}

struct box box_cells(const struct layout *l)
{
	struct box b = { .rank = l->rank };

	for (int i = 0; i < l->rank; i++) {
		b.lo[i] = -l->pad[i];
		b.n[i] = l->cells[i];
	}
	return b;
}

struct box box_meet(const struct box *a, const struct box *b)
{
	struct box m = { .rank = a->rank };

	for (int i = 0; i < a->rank; i++) {
		s64 end = a->lo[i] + a->n[i], other = b->lo[i] + b->n[i];

		m.lo[i] = a->lo[i] > b->lo[i] ? a->lo[i] : b->lo[i];
		m.n[i] = (end < other ? end : other) - m.lo[i];
		m.n[i] = m.n[i] < 0 ? 0 : m.n[i];
	}
	return m;
}

bool box_is_empty(const struct box *b)
{
	bool empty = false;

	for (int i = 0; i < b->rank; i++)
		empty |= !b->n[i];
	return empty;
}

bool box_equal(const struct box *a, const struct box *b)
{
	bool equal = a->rank == b->rank;

	for (int i = 0; equal && i < a->rank; i++)
		equal = a->lo[i] == b->lo[i] && a->n[i] == b->n[i];
	return equal;
}

bool box_inside(const struct box *a, const struct box *b)
{
	struct box m = box_meet(a, b);

	return box_equal(a, &m);
}

/* Whether dimension @x of @l is inside of @y; one cell may have the stride of what is around it. */
static bool is_inside(const struct layout *l, int x, int y)
{
	if (l->stride[x] != l->stride[y])
		return l->stride[x] < l->stride[y];
	return l->cells[x] < l->cells[y];
}

/* The dimensions of @l from the outermost to the innermost. */
static void order_of(const struct layout *l, int *order)
{
	for (int i = 0; i < l->rank; i++) {
		int at = i;

		for (; at && is_inside(l, order[at - 1], i); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

bool box_overlap(const struct layout *l, const struct box *from, const struct box *to,
		 struct box *common)
{
	int order[TENSOR_RANK_MAX], outermost = -1;

	order_of(l, order);
	*common = box_meet(from, to);
	for (int i = 0; i < l->rank; i++) {
		int d = order[i];

		if (outermost < 0 && (from->n[d] > 1 || to->n[d] > 1))
			outermost = d;
		else if (from->lo[d] != to->lo[d] || from->n[d] != to->n[d])
			return false;
	}
	return outermost >= 0 && common->n[outermost] && to->lo[outermost] > from->lo[outermost] &&
	       common->n[outermost] < to->n[outermost];
}

struct layout box_layout(const struct layout *l, const struct box *b)
{
	struct layout part = *l;
	int order[TENSOR_RANK_MAX];
	s64 stride = l->element;

	order_of(l, order);
	part.base = 0;
	part.halo = false;
	for (int i = l->rank - 1; i >= 0; i--) {
		int d = order[i];

		part.stride[d] = stride;
		part.pad[d] = -b->lo[d];
		part.cells[d] = b->n[d];
		part.base -= b->lo[d] * stride;
		part.halo |= b->lo[d] < 0 || b->lo[d] + b->n[d] > l->dim[d];
		stride *= b->n[d];
	}
	part.bytes = (u64)stride;
	return part;
}

bool box_same_order(const struct layout *a, const struct layout *b)
{
	int order[2][TENSOR_RANK_MAX], n[2] = { 0, 0 };

	/* Where a dimension of one cell stands makes no difference. */
	for (int i = 0; i < 2; i++) {
		int all[TENSOR_RANK_MAX];

		order_of(i ? b : a, all);
		for (int k = 0; k < a->rank; k++) {
			if (a->cells[all[k]] > 1 && b->cells[all[k]] > 1)
				order[i][n[i]++] = all[k];
		}
	}
	for (int k = 0; k < n[0]; k++) {
		if (order[0][k] != order[1][k])
			return false;
	}
	return true;
}

struct box_rows box_rows(const struct layout *l, const struct box *b)
{
	struct box_rows r = { .bytes = (u64)l->element };
	s64 count[TENSOR_RANK_MAX], stride[TENSOR_RANK_MAX];
	int order[TENSOR_RANK_MAX], n = 0;

	order_of(l, order);
	for (int i = l->rank - 1; i >= 0; i--) {
		int d = order[i];

		r.offset += (u64)((b->lo[d] + l->pad[d]) * l->stride[d]);
		if (b->n[d] == 1)
			continue;
		if (!n && l->stride[d] == (s64)r.bytes) {
			r.bytes *= (u64)b->n[d];
		} else if (n && l->stride[d] == stride[n - 1] * count[n - 1]) {
			count[n - 1] *= b->n[d];
		} else {
			count[n] = b->n[d];
			stride[n++] = l->stride[d];
		}
	}
	if (!n && r.offset + r.bytes > l->bytes) /* the last container is not full */
		r.bytes = l->bytes - r.offset;
	for (; r.dims < n; r.dims++) {
		r.count[r.dims] = count[n - 1 - r.dims];
		r.stride[r.dims] = stride[n - 1 - r.dims];
	}
	return r;
}
