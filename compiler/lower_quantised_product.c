// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the matrix unit needs for products of bytes and of bf16 (lower_matrix.c): weights of four
 * bytes, or two bf16, a container; of bytes, the zero that makes them fit.
 */
#include "compiler/quantised_weights.h"

#include <errno.h>

#include "compiler/narrow.h"

enum { BYTES = 4, PER_CONTAINER = 4 };

/* Bytes of an index of each dimension that moves the weights, of @size bytes a matrix. */
static void matrix_strides(const struct quantised_weights *w, s64 size, s64 stride[STAGE_DIMS])
{
	for (int d = w->outer - 1; d >= 0; d--) {
		stride[d] = w->stride[d] ? size : 0;
		size *= w->stride[d] ? w->s->size[d] : 1;
	}
}

/* Four weights of column @o of matrix @m, from channel 4 * @c on; 0 behind the last one. */
static u32 pack_word(const struct quantised_weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c,
		     s32 zero)
{
	s64 channels = w->s->size[w->s->dims - 1];
	u32 word = 0;

	for (int i = 0; i < PER_CONTAINER; i++) {
		s64 at = PER_CONTAINER * c + i;
		s32 x = at < channels ? quantised_weight(w, m, o, ky, kx, at) : 0;

		word |= (u32)(u8)(x + zero) << 8 * i;
	}
	return word;
}

/* The zero of s8 with which bytes hold all weights, once for all tiles. */
static int find_zero(struct lowering *l, struct quantised_weights *w)
{
	const struct stage *s = w->s;
	s64 columns = s->size[w->column];
	s32 zero;

	if (l->quantised.node == s->node)
		return 0;
	for (s64 i = 0; i < w->matrices * columns; i++)
		quantised_sum_column(w, i / columns, i % columns);
	if (w->hi - w->lo > UINT8_MAX)
		return node_fail(l->g, s->node, -ENOTSUP,
				 "its weights without their zero points reach from %d to %d, "
				 "further than a byte",
				 w->lo, w->hi);
	zero = -128 - w->lo;
	if (zero < 0)
		zero = 127 - w->hi < 0 ? 127 - w->hi : 0;
	l->quantised.node = s->node;
	l->quantised.weight_zero = (u8)zero;
	return 0;
}

static void word_strides(const struct quantised_weights *w, s64 stride[STAGE_DIMS])
{
	const s64 *size = &w->s->size[w->first];
	s64 deep = stage_containers(w->s), column = size[0] * size[1] * deep;

	matrix_strides(w, w->s->size[w->column] * column, stride);
	stride[w->column] = column;
	stride[w->first] = size[1] * deep;
	stride[w->first + 1] = deep;
	stride[w->first + 2] = 1;
}

/* The container of column @o of matrix @m, of what is summed from channels @c on. */
typedef u32 word_fn(const struct quantised_weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c,
		    s32 zero);

static const u32 *all_words(struct lowering *l, const struct stage *whole, word_fn *word, s32 zero)
{
	struct quantised_weights w = quantised_weights_of(whole, whole->dims - whole->reduced - 3);
	const s64 *size = &whole->size[w.first];
	s64 deep = stage_containers(whole), columns = whole->size[w.column];
	s64 column = size[0] * size[1] * deep, all = w.matrices * columns * column;
	u32 *to = graph_alloc(l->g, (size_t)all * sizeof(*to));

	for (s64 i = 0; to && i < all; i++) {
		s64 k = i % column, o = i / column % columns, m = i / column / columns;

		to[i] = word(&w, m, o, k / deep / size[1], k / deep % size[1], k % deep, zero);
	}
	return to;
}

const u32 *quantised_words(struct lowering *l, const struct stage *whole,
			   const struct quantised_product *q)
{
	return all_words(l, whole, pack_word, (s8)q->weight_zero);
}

/* ---- bf16 ------------------------------------------------------------------------------------ */

/* Two weights of column @o of matrix @m, from channel 2 * @c on; 0 behind the last one. */
static u32 narrow_word(const struct quantised_weights *w, s64 m, s64 o, s64 ky, s64 kx, s64 c,
		       s32 zero)
{
	s64 channels = w->s->size[w->s->dims - 1];
	const float *from = w->v->data;
	u32 word = 0;

	(void)zero; /* of bytes */
	for (s64 i = 0; i < 2 && 2 * c + i < channels; i++) {
		s64 at = quantised_weight_at(w, m, o, ky, kx, 2 * c + i) / BYTES;

		word |= (u32)narrow_bits(from[at]) << 16 * i;
	}
	return word;
}

void narrow_strides(const struct stage *whole, s64 stride[STAGE_DIMS])
{
	const struct quantised_weights w =
		quantised_weights_of(whole, whole->dims - whole->reduced - 3);

	word_strides(&w, stride);
}

const u32 *narrow_words(struct lowering *l, const struct stage *whole)
{
	return all_words(l, whole, narrow_word, 0);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

int quantised_product(struct lowering *l, const struct stage *s, int outer,
		      struct quantised_product *q)
{
	const struct stage *whole = s->whole ? s->whole : s;
	struct quantised_weights w = quantised_weights_of(whole, outer);
	struct quantised_columns parameters;
	int rc = quantised_check_zeros(l, s);

	if (!rc)
		rc = find_zero(l, &w);
	if (rc)
		return rc;
	parameters = quantised_parameters(l, &w);
	*q = (struct quantised_product){ .preset = !s->epilogue, .parameters = parameters.ref };
	memcpy(q->part, parameters.part, sizeof(q->part));
	memcpy(q->one, parameters.one, sizeof(q->one));
	matrix_strides(&w, whole->size[w.column] * BYTES, q->parameter_stride);
	q->parameter_stride[w.column] = BYTES;
	word_strides(&w, q->stride);
	q->weight_zero = l->quantised.weight_zero;
	q->push = s->in[0].value->dtype == DTYPE_S8 ? RONDO_OP_push_s8 : RONDO_OP_push_u8;
	q->store = s->epilogue ? quantised_store_op(s->epilogue) : RONDO_OP_sta;
	return 0;
}
