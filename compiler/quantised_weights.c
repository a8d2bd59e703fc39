// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/quantised_weights.h"

#include <errno.h>

enum { BYTES = 4 };

static s64 zero_point(const struct value *zero, s64 i)
{
	if (!zero)
		return 0;
	return quantise_read(zero->dtype, zero->data, shape_elems(&zero->shape) == 1 ? 0 : i);
}

/* Elements from the first weight to the first of matrix @m. */
static s64 matrix_at(const struct quantised_weights *w, s64 m)
{
	s64 at = 0;

	for (int d = w->outer - 1; d >= 0; d--) {
		if (!w->stride[d])
			continue;
		at += m % w->s->size[d] * w->stride[d];
		m /= w->s->size[d];
	}
	return at;
}

/* The channel of column @o of matrix @m, for what is by channel. */
static s64 channel_of(const struct quantised_weights *w, s64 m, s64 o)
{
	return w->s->node->op == OP_CONVINTEGER ? m * w->columns + o % w->columns : o;
}

s64 quantised_weight_at(const struct quantised_weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c)
{
	const s64 *k = &w->stride[w->first];

	return matrix_at(w, m) + o % w->columns * w->stride[w->column] + ky * k[0] + kx * k[1] +
	       c * k[2];
}

s32 quantised_weight(const struct quantised_weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c)
{
	s64 at;

	if (!stage_own_tap(w->s, o / w->columns, &ky, &kx))
		return 0;
	at = quantised_weight_at(w, m, o, ky, kx, c);
	return quantise_read(w->v->dtype, w->v->data, at) -
	       (s32)zero_point(w->zero, channel_of(w, m, o));
}

s64 quantised_sum_column(struct quantised_weights *w, s64 m, s64 o)
{
	const s64 *size = &w->s->size[w->first];
	s64 sum = 0;

	for (s64 ky = 0; ky < size[0]; ky++) {
		for (s64 kx = 0; kx < size[1]; kx++) {
			for (s64 c = 0; c < size[2]; c++) {
				s32 x = quantised_weight(w, m, o, ky, kx, c);

				w->lo = x < w->lo ? x : w->lo;
				w->hi = x > w->hi ? x : w->hi;
				sum += x;
			}
		}
	}
	return sum;
}

struct quantised_weights quantised_weights_of(const struct stage *s, int outer)
{
	const struct layout dense = layout_dense(s->in[1].value);
	struct quantised_weights w = { .s = s,
				       .v = s->in[1].value,
				       .zero = node_in(s->node, 3),
				       .outer = outer,
				       .column = s->dims - s->reduced - 1,
				       .first = s->dims - s->reduced,
				       .columns =
					       s->size[s->dims - s->reduced - 1] / stage_pixels(s),
				       .matrices = 1 };

	for (int d = 0; d < s->dims; d++) {
		w.stride[d] = plan_stride(&s->in[1], &dense, d);
		if (d < outer && w.stride[d])
			w.matrices *= s->size[d];
	}
	return w;
}

int quantised_check_zeros(const struct lowering *l, const struct stage *s)
{
	for (int i = 2; i < 4; i++) {
		const struct value *v = node_in(s->node, i);

		if (v && !v->data)
			return node_fail(l->g, s->node, -ENOTSUP,
					 "its zero point \"%.80s\" is known only at run time",
					 v->name);
	}
	return 0;
}

static struct requantise end_of(const struct quantised_weights *w, s64 i)
{
	s64 columns = w->s->size[w->column];
	static const struct requantise none;

	return w->s->epilogue ?
		       requantise_of(w->s->epilogue, channel_of(w, i / columns, i % columns)) :
		       none;
}

/* Finds the parameters that are the same for all @all columns, and where each begins; all bytes. */
static s64 find_parts(const struct quantised_weights *w, s64 all, struct quantised_columns *q)
{
	const struct requantise first = end_of(w, 0);

	q->one[1] = q->one[2] = true;
	for (s64 i = 1; i < all && (q->one[1] || q->one[2]); i++) {
		const struct requantise r = end_of(w, i);

		q->one[1] &= r.multiplier == first.multiplier;
		q->one[2] &= quantised_packed(&r) == quantised_packed(&first);
	}
	q->part[1] = all * BYTES;
	q->part[2] = q->part[1] + (q->one[1] ? 1 : all) * BYTES;
	if (!w->s->epilogue)
		return q->part[1];
	return q->part[2] + (q->one[2] ? 1 : all) * BYTES;
}

struct quantised_columns quantised_parameters(struct lowering *l, struct quantised_weights *w)
{
	const struct stage *s = w->s;
	s64 columns = s->size[w->column], all = w->matrices * columns;
	s64 x_zero = zero_point(node_in(s->node, 2), 0);
	struct quantised_columns q = { .part = { 0 } };
	s64 bytes = find_parts(w, all, &q);
	void *room;
	u32 *to;

	q.ref = lower_const(l, NULL, (u64)bytes, &room);
	to = room;
	for (s64 i = 0; to && i < all; i++) {
		struct requantise r = end_of(w, i);

		to[i] = (u32)(r.bias - x_zero * quantised_sum_column(w, i / columns, i % columns));
		if (!s->epilogue)
			continue;
		to[q.part[1] / BYTES + (q.one[1] ? 0 : i)] = (u32)r.multiplier;
		to[q.part[2] / BYTES + (q.one[2] ? 0 : i)] = quantised_packed(&r);
	}
	return q;
}
