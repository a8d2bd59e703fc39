// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Attention and what belongs to it. */
#include "compiler/expand.h"

#include <errno.h>
#include <math.h>

static const int swap_heads[] = { 0, 2, 1, 3 };

/* [batch, length, heads * size] as [batch, heads, length, size]; four dimensions as they are. */
static struct value *by_heads(struct expand *e, struct value *x, s64 heads)
{
	struct shape s;

	if (!x || x->shape.rank == 4)
		return x;
	if (x->shape.rank != 3 || heads < 1 || x->shape.dim[2] % heads) {
		expand_refuse(e, -EINVAL, "%lld heads do not fit %d dimensions", (long long)heads,
			      x->shape.rank);
		return NULL;
	}
	s = (struct shape){ 4,
			    { x->shape.dim[0], x->shape.dim[1], heads, x->shape.dim[2] / heads } };
	return ex_transpose(e, ex_view(e, x, &s), swap_heads);
}

/* The other way. */
static struct value *joined(struct expand *e, struct value *x)
{
	struct shape s;

	x = ex_transpose(e, x, swap_heads);
	if (!x)
		return NULL;
	s = (struct shape){
		3, { x->shape.dim[0], x->shape.dim[1], x->shape.dim[2] * x->shape.dim[3] }
	};
	return ex_view(e, x, &s);
}

/* Every head of @x as often as there are heads of queries for it. */
static struct value *repeated(struct expand *e, struct value *x, s64 heads)
{
	struct shape wide, to;

	if (!x || x->shape.dim[1] == heads)
		return x;
	if (!x->shape.dim[1] || heads % x->shape.dim[1]) {
		expand_refuse(e, -EINVAL, "%lld heads of queries, %lld of keys", (long long)heads,
			      (long long)x->shape.dim[1]);
		return NULL;
	}
	to = x->shape;
	wide = (struct shape){ 5,
			       { to.dim[0], to.dim[1], heads / to.dim[1], to.dim[2], to.dim[3] } };
	to.dim[1] = heads;
	return ex_view(e, ex_stretch(e, ex_unsqueeze(e, x, 2), &wide), &to);
}

/* What is added to the scores [.., length, keys], or NULL if nothing is. */
static struct value *bias_of(struct expand *e, const struct shape *scores, s64 past)
{
	struct value *mask = ex_in(e, 3), *behind, *row, *column;
	struct value *none = ex_number(e, DTYPE_F32, -INFINITY), *zero = ex_number(e, DTYPE_F32, 0);
	s64 length = scores->dim[2], keys = scores->dim[3];

	if (mask && mask->dtype == DTYPE_BOOL)
		mask = ex_where(e, mask, zero, none);
	if (mask && mask->shape.rank && mask->shape.dim[mask->shape.rank - 1] < keys &&
	    mask->shape.dim[mask->shape.rank - 1] != 1) {
		s64 before[TENSOR_RANK_MAX] = { 0 }, after[TENSOR_RANK_MAX] = { 0 };

		after[mask->shape.rank - 1] = keys - mask->shape.dim[mask->shape.rank - 1];
		mask = ex_pad(e, mask, before, after, none);
	}
	if (!e->n->attrs.is_causal)
		return mask;
	row = ex_by(e, OP_ADD, ex_iota(e, DTYPE_S32, 2, 0, length), (double)past);
	column = ex_iota(e, DTYPE_S32, 2, 1, keys);
	behind = ex_where(e, ex2(e, OP_LESS, row, column), none, zero);
	return mask ? ex2(e, OP_ADD, mask, behind) : behind;
}

/* @past and @x one behind the other. */
static struct value *with_past(struct expand *e, struct value *past, struct value *x)
{
	return past ? ex_concat(e, (struct value *[]){ past, x }, 2, 2) : x;
}

/* An output that something else needs, too. */
static int show(struct expand *e, int i, struct value *v)
{
	if (i >= e->n->n_out || !e->n->out[i])
		return 0;
	return expand_output(e, i, ex1(e, OP_IDENTITY, v));
}

int expand_attention(struct expand *e)
{
	static const int turn[] = { 0, 1, 3, 2 };
	const struct attrs *a = &e->n->attrs;
	struct value *q = by_heads(e, ex_in(e, 0), a->q_num_heads);
	struct value *k = by_heads(e, ex_in(e, 1), a->kv_num_heads);
	struct value *v = by_heads(e, ex_in(e, 2), a->kv_num_heads);
	struct value *stage[4] = { NULL }, *bias, *x;
	s64 past = ex_in(e, 4) ? ex_in(e, 4)->shape.dim[2] : 0;
	double scale;
	int rc;

	if (a->qk_mode < 0 || a->qk_mode > 3)
		return expand_refuse(e, -EINVAL, "qk_matmul_output_mode is %lld",
				     (long long)a->qk_mode);
	k = with_past(e, ex_in(e, 4), k);
	v = with_past(e, ex_in(e, 5), v);
	if (!q || !k || !v)
		return e->g->err->code;
	if (!q->shape.dim[3])
		return expand_refuse(e, -EINVAL, "heads of no elements");
	rc = show(e, 1, k);
	if (!rc)
		rc = show(e, 2, v);
	if (rc)
		return rc;
	k = repeated(e, k, q->shape.dim[1]);
	v = repeated(e, v, q->shape.dim[1]);
	scale = sqrt(a->scale != 0 ? (double)a->scale : 1 / sqrt((double)q->shape.dim[3]));
	x = ex2(e, OP_MATMUL, ex_by(e, OP_MUL, q, scale),
		ex_by(e, OP_MUL, ex_transpose(e, k, turn), scale));
	stage[0] = x;
	if (a->softcap != 0)
		x = ex_by(e, OP_MUL, ex1(e, OP_TANH, ex_by(e, OP_DIV, x, (double)a->softcap)),
			  (double)a->softcap);
	stage[1] = x;
	if (!x)
		return e->g->err->code;
	bias = bias_of(e, &x->shape, past);
	x = bias ? ex2(e, OP_ADD, x, bias) : x;
	stage[2] = x;
	x = ex_softmax(e, OP_SOFTMAX, x, 3);
	stage[3] = x;
	x = ex2(e, OP_MATMUL, x, v);
	rc = show(e, 3, stage[a->qk_mode]);
	if (rc)
		return rc;
	return expand_output(e, 0, ex_in(e, 0)->shape.rank == 3 ? joined(e, x) : x);
}

/* ---- RotaryEmbedding ------------------------------------------------------------------------- */

/* cos or sin of each position: input @i, by position if there are positions, as [batch, 1, length,
 * n]. */
static struct value *angles(struct expand *e, int i, s64 n)
{
	struct value *table = ex_in(e, i), *at = ex_in(e, 3);
	struct shape s;
	s64 *list, count;

	if (at) {
		if (!at->data) {
			expand_refuse(e, -ENOTSUP,
				      "its positions \"%.80s\" are known only at run time; make "
				      "them a constant, or give the rows of the tables",
				      at->name);
			return NULL;
		}
		count = shape_elems(&at->shape);
		list = graph_alloc(e->g, ((size_t)count + 1) * sizeof(*list));
		for (s64 k = 0; list && k < count; k++)
			list[k] = ((const s64 *)at->data)[k];
		if (!list || at->shape.rank != 2 || table->shape.rank != 2) {
			expand_refuse(e, -EINVAL, "its tables or positions are no matrices");
			return NULL;
		}
		table = ex_take(e, table, 0, list, count);
		s = (struct shape){ 4, { at->shape.dim[0], 1, at->shape.dim[1], n } };
		return ex_view(e, table, &s);
	}
	if (table->shape.rank != 3) {
		expand_refuse(e, -EINVAL, "its tables have %d dimensions, 3 are needed",
			      table->shape.rank);
		return NULL;
	}
	s = (struct shape){ 4, { table->shape.dim[0], 1, table->shape.dim[1], n } };
	return ex_view(e, table, &s);
}

int expand_rotary(struct expand *e)
{
	const struct attrs *a = &e->n->attrs;
	struct value *x = by_heads(e, ex_in(e, 0), a->num_heads), *cosine, *sine, *p, *q, *y;
	struct value *parts[2];
	s64 size, turned, half, starts[TENSOR_RANK_MAX] = { 0 }, steps[] = { 1, 1, 1, 1 };
	struct shape s;

	if (!x)
		return e->g->err->code;
	size = x->shape.dim[3];
	turned = a->rotary_dim ? a->rotary_dim : size;
	if (turned < 2 || turned > size || turned % 2)
		return expand_refuse(e, -EINVAL, "%lld of %lld elements cannot turn",
				     (long long)turned, (long long)size);
	half = turned / 2;
	cosine = angles(e, 1, half);
	sine = angles(e, 2, half);
	s = x->shape;
	s.dim[3] = half;
	steps[3] = a->interleaved ? 2 : 1;
	p = ex_part(e, x, starts, steps, &s);
	starts[3] = a->interleaved ? 1 : half;
	q = ex_part(e, x, starts, steps, &s);
	parts[0] = ex2(e, OP_SUB, ex2(e, OP_MUL, cosine, p), ex2(e, OP_MUL, sine, q));
	parts[1] = ex2(e, OP_ADD, ex2(e, OP_MUL, sine, p), ex2(e, OP_MUL, cosine, q));
	if (a->interleaved) {
		parts[0] = ex_unsqueeze(e, parts[0], 4);
		parts[1] = ex_unsqueeze(e, parts[1], 4);
		y = ex_concat(e, parts, 2, 4);
		s.dim[3] = turned;
		y = ex_view(e, y, &s);
	} else {
		y = ex_concat(e, parts, 2, 3);
	}
	if (turned < size)
		y = ex_concat(e, (struct value *[]){ y, ex_slice(e, x, 3, turned, size - turned) },
			      2, 3);
	return expand_output(e, 0, ex_in(e, 0)->shape.rank == 3 ? joined(e, y) : y);
}
