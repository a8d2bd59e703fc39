// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Functions that the host runs where they have no formula: the rows HOSTED of ops.def, types and
 * meanings. Indices are data here. One that is outside counts as 0 where elements are read, as in
 * the formulas; an update with such an index is left out.
 */
#include "compiler/eval_number.h"
#include "compiler/eval_ops.h"
#include "compiler/shape.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { OUTSIDE = -1 };

static const struct shape *shape_of(const struct node *n, int i)
{
	return &node_in(n, i)->shape;
}

/* Index @i of input @from, counted from the end where it is negative; or OUTSIDE. */
static s64 index_at(const struct node *n, int from, const void *bytes, s64 i, s64 size)
{
	s64 at = number_read(node_in(n, from)->dtype, bytes, i).i;

	at += at < 0 ? size : 0;
	return at < 0 || at >= size ? OUTSIDE : at;
}

static s64 inside(s64 at)
{
	return at == OUTSIDE ? 0 : at;
}

/* ---- Types ----------------------------------------------------------------------------------- */

static int check_axis(const struct graph *g, const struct node *n)
{
	int rank = shape_of(n, 0)->rank;

	if (n->attrs.axis < -rank || n->attrs.axis >= rank)
		return node_fail(g, n, -EINVAL, "axis %lld is outside the %d dimensions",
				 (long long)n->attrs.axis, rank);
	return 0;
}

/* Indices of nothing have no meaning. */
static int check_elements(const struct graph *g, const struct node *n)
{
	if (!shape_elems(shape_of(n, 0)) && shape_elems(shape_of(n, 1)))
		return node_fail(g, n, -EINVAL, "its indices name elements of nothing");
	return 0;
}

static bool append(struct shape *to, const struct shape *from, int first, int end)
{
	for (int d = first; d < end; d++) {
		if (to->rank == TENSOR_RANK_MAX)
			return false;
		to->dim[to->rank++] = from->dim[d];
	}
	return true;
}

static int too_many(const struct graph *g, const struct node *n)
{
	return node_fail(g, n, -EFBIG, "more than %d dimensions", TENSOR_RANK_MAX);
}

int infer_hosted_gather(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = shape_of(n, 0), *index = shape_of(n, 1);
	int rc = check_axis(g, n), axis = node_axis(n, x->rank);

	if (!rc)
		rc = check_elements(g, n);
	if (rc)
		return rc;
	out->shape = (struct shape){ 0 };
	if (!append(&out->shape, x, 0, axis) || !append(&out->shape, index, 0, index->rank) ||
	    !append(&out->shape, x, axis + 1, x->rank))
		return too_many(g, n);
	return 0;
}

/* Indices of as many dimensions as x, that do not reach beyond it beside the axis. */
static int check_beside(const struct graph *g, const struct node *n)
{
	const struct shape *x = shape_of(n, 0), *index = shape_of(n, 1);
	int rc = check_axis(g, n), axis = node_axis(n, x->rank);

	if (!rc)
		rc = check_elements(g, n);
	if (rc)
		return rc;
	if (x->rank != index->rank)
		return node_fail(g, n, -EINVAL, "%d dimensions of indices for %d", index->rank,
				 x->rank);
	for (int d = 0; d < x->rank; d++) {
		if (d != axis && index->dim[d] > x->dim[d])
			return node_fail(g, n, -EINVAL, "more indices than elements");
	}
	return 0;
}

int infer_hosted_gather_elements(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->shape = *shape_of(n, 1);
	return check_beside(g, n);
}

/* Tuples of indices: x is rows of @inner elements, in batches of @each tuples. */
struct tuples {
	int batch, depth;
	s64 count, each, inner;
};

static struct tuples tuples_of(const struct node *n)
{
	const struct shape *x = shape_of(n, 0), *index = shape_of(n, 1);
	struct tuples t = { .count = 1, .each = 1, .inner = 1 };

	t.batch = n->op == OP_GATHERND ? (int)n->attrs.batch_dims : 0;
	t.depth = (int)index->dim[index->rank - 1];
	for (int d = 0; d < index->rank - 1; d++) {
		t.count *= index->dim[d];
		t.each *= d < t.batch ? 1 : index->dim[d];
	}
	for (int d = t.batch + t.depth; d < x->rank; d++)
		t.inner *= x->dim[d];
	return t;
}

static int check_tuples(const struct graph *g, const struct node *n)
{
	const struct shape *x = shape_of(n, 0), *index = shape_of(n, 1);
	s64 batch = n->op == OP_GATHERND ? n->attrs.batch_dims : 0, depth;

	if (index->rank < 1 || batch < 0 || batch >= index->rank)
		return node_fail(g, n, -EINVAL, "its indices are no tuples");
	depth = index->dim[index->rank - 1];
	if (depth < 1 || depth > x->rank - batch)
		return node_fail(g, n, -EINVAL, "tuples of %lld for %d dimensions",
				 (long long)depth, x->rank);
	for (int d = 0; d < batch; d++) {
		if (index->dim[d] != x->dim[d])
			return node_fail(g, n, -EINVAL, "the shared dimensions differ");
	}
	return check_elements(g, n);
}

int infer_hosted_gather_nd(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = shape_of(n, 0), *index = shape_of(n, 1);
	int rc = check_tuples(g, n);
	struct tuples t;

	if (rc)
		return rc;
	t = tuples_of(n);
	out->shape = (struct shape){ 0 };
	if (!append(&out->shape, index, 0, index->rank - 1) ||
	    !append(&out->shape, x, t.batch + t.depth, x->rank))
		return too_many(g, n);
	return 0;
}

int infer_hosted_scatter_elements(const struct graph *g, const struct node *n, struct inferred *out)
{
	int rc = check_beside(g, n);

	out->shape = *shape_of(n, 0);
	if (!rc && !shape_equal(shape_of(n, 1), shape_of(n, 2)))
		rc = node_fail(g, n, -EINVAL, "its updates are not as many as its indices");
	return rc;
}

int infer_hosted_scatter_nd(const struct graph *g, const struct node *n, struct inferred *out)
{
	int rc = check_tuples(g, n);
	struct tuples t;

	out->shape = *shape_of(n, 0);
	if (rc)
		return rc;
	t = tuples_of(n);
	if (shape_elems(shape_of(n, 2)) != t.count * t.inner)
		return node_fail(g, n, -EINVAL, "its updates are not as many as its indices");
	return 0;
}

int infer_hosted_topk(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct value *count = node_in(n, 1);
	int rc = check_axis(g, n), axis = node_axis(n, shape_of(n, 0)->rank);
	s64 k = n->attrs.k;

	if (rc)
		return rc;
	if (count && (!count->data || shape_elems(&count->shape) != 1))
		return node_fail(g, n, -ENOTSUP, "its k is known only at run time");
	if (count)
		k = number_read(count->dtype, count->data, 0).i;
	out[0].shape = *shape_of(n, 0);
	if (k < 1 || k > out[0].shape.dim[axis])
		return node_fail(g, n, -EINVAL, "it asks for none, or more than there are");
	out[0].shape.dim[axis] = k;
	out[1] = (struct inferred){ DTYPE_S64, out[0].shape };
	return 0;
}

/* ---- Meanings -------------------------------------------------------------------------------- */

void eval_hosted_gather(const struct graph *g, const struct node *n, const void *const in[],
			void *const out[])
{
	const struct shape *x = shape_of(n, 0);
	int axis = node_axis(n, x->rank);
	s64 outer = 1, count = shape_elems(shape_of(n, 1)), size = x->dim[axis];
	size_t run = dtype_size(n->out[0]->dtype);
	char *to = out[0];

	(void)g;
	for (int d = 0; d < x->rank; d++) {
		outer *= d < axis ? x->dim[d] : 1;
		run *= d > axis ? (size_t)x->dim[d] : 1;
	}
	for (s64 o = 0; o < outer; o++) {
		for (s64 i = 0; i < count; i++, to += run) {
			s64 at = inside(index_at(n, 1, in[1], i, size));

			memcpy(to, (const char *)in[0] + (size_t)(o * size + at) * run, run);
		}
	}
}

/* Strides of x for walking over the indices: the axis stands still. Its own stride. */
static s64 beside_axis(const struct node *n, s64 stride[TENSOR_RANK_MAX])
{
	const struct shape *x = shape_of(n, 0);
	int axis = node_axis(n, x->rank);
	s64 own;

	shape_strides(x, stride);
	own = stride[axis];
	stride[axis] = 0;
	return own;
}

void eval_hosted_gather_elements(const struct graph *g, const struct node *n,
				 const void *const in[], void *const out[])
{
	const struct shape *index = shape_of(n, 1);
	size_t size = dtype_size(n->out[0]->dtype);
	s64 along = shape_of(n, 0)->dim[node_axis(n, index->rank)];
	s64 stride[1][TENSOR_RANK_MAX], at[TENSOR_RANK_MAX] = { 0 }, from = 0, i = 0;
	s64 own = beside_axis(n, stride[0]);
	char *to = out[0];

	(void)g;
	if (!shape_elems(index))
		return;
	do {
		s64 k = inside(index_at(n, 1, in[1], i, along));

		memcpy(to + (size_t)i++ * size,
		       (const char *)in[0] + (size_t)(from + k * own) * size, size);
	} while (eval_step(index, at, stride, &from, 1));
}

/* The row of x that tuple @i names, or OUTSIDE. */
static s64 row_of(const struct node *n, const struct tuples *t, const void *index, s64 i)
{
	const struct shape *x = shape_of(n, 0);
	s64 row = i / t->each;

	for (int d = 0; d < t->depth; d++) {
		s64 size = x->dim[t->batch + d];
		s64 at = index_at(n, 1, index, i * t->depth + d, size);

		if (at == OUTSIDE)
			return OUTSIDE;
		row = row * size + at;
	}
	return row;
}

void eval_hosted_gather_nd(const struct graph *g, const struct node *n, const void *const in[],
			   void *const out[])
{
	const struct tuples t = tuples_of(n);
	size_t run = (size_t)t.inner * dtype_size(n->out[0]->dtype);

	(void)g;
	for (s64 i = 0; i < t.count; i++) {
		s64 row = inside(row_of(n, &t, in[1], i));

		memcpy((char *)out[0] + (size_t)i * run, (const char *)in[0] + (size_t)row * run,
		       run);
	}
}

/* Joins element @at of @y with element @i of the updates. */
static void join(const struct node *n, void *y, s64 at, const void *updates, s64 i)
{
	const char *how = n->attrs.reduction;
	enum dtype t = n->out[0]->dtype;
	struct number a = number_read(t, y, at), b = number_read(t, updates, i);

	if (!strcmp(how, "add"))
		b = (struct number){ a.f + b.f, (s64)((u64)a.i + (u64)b.i) };
	else if (!strcmp(how, "mul"))
		b = (struct number){ a.f * b.f, (s64)((u64)a.i * (u64)b.i) };
	else if (!strcmp(how, "max"))
		b = (struct number){ a.f > b.f || isnan(a.f) ? a.f : b.f, a.i > b.i ? a.i : b.i };
	else if (!strcmp(how, "min"))
		b = (struct number){ a.f < b.f || isnan(a.f) ? a.f : b.f, a.i < b.i ? a.i : b.i };
	number_write(t, y, at, b);
}

static void copy_x(const struct node *n, const void *const in[], void *const out[])
{
	memcpy(out[0], in[0], (size_t)shape_elems(shape_of(n, 0)) * dtype_size(n->out[0]->dtype));
}

void eval_hosted_scatter_elements(const struct graph *g, const struct node *n,
				  const void *const in[], void *const out[])
{
	const struct shape *index = shape_of(n, 1);
	s64 along = shape_of(n, 0)->dim[node_axis(n, index->rank)];
	s64 stride[1][TENSOR_RANK_MAX], at[TENSOR_RANK_MAX] = { 0 }, to = 0, i = 0;
	s64 own = beside_axis(n, stride[0]);

	(void)g;
	copy_x(n, in, out);
	if (!shape_elems(index))
		return;
	do {
		s64 k = index_at(n, 1, in[1], i, along);

		if (k != OUTSIDE)
			join(n, out[0], to + k * own, in[2], i);
		i++;
	} while (eval_step(index, at, stride, &to, 1));
}

void eval_hosted_scatter_nd(const struct graph *g, const struct node *n, const void *const in[],
			    void *const out[])
{
	const struct tuples t = tuples_of(n);

	(void)g;
	copy_x(n, in, out);
	for (s64 i = 0; i < t.count; i++) {
		s64 row = row_of(n, &t, in[1], i);

		for (s64 k = 0; k < t.inner && row != OUTSIDE; k++)
			join(n, out[0], row * t.inner + k, in[2], i * t.inner + k);
	}
}

/* Whether element @a of a row comes before element @b: NaN first, then by size, then in order. */
static bool comes_before(const struct node *n, struct number a, s64 at, struct number b, s64 bt)
{
	bool f32 = node_in(n, 0)->dtype == DTYPE_F32;
	int more = f32 ? (a.f > b.f) - (a.f < b.f) : (a.i > b.i) - (a.i < b.i);

	if (f32 && (isnan(a.f) || isnan(b.f)))
		more = !isnan(b.f) - !isnan(a.f);
	else if (!n->attrs.largest)
		more = -more;
	return more ? more > 0 : at < bt;
}

/* The first of a row that comes after element @last of it; @last < 0: the first of all. */
static s64 next_best(const struct node *n, const void *x, s64 first, s64 stride, s64 size, s64 last)
{
	enum dtype t = node_in(n, 0)->dtype;
	s64 best = -1;

	for (s64 i = 0; i < size; i++) {
		struct number e = number_read(t, x, first + i * stride);

		if (last >= 0 &&
		    !comes_before(n, number_read(t, x, first + last * stride), last, e, i))
			continue;
		if (best < 0 ||
		    comes_before(n, e, i, number_read(t, x, first + best * stride), best))
			best = i;
	}
	return best;
}

void eval_hosted_topk(const struct graph *g, const struct node *n, const void *const in[],
		      void *const out[])
{
	const struct shape *x = shape_of(n, 0);
	int axis = node_axis(n, x->rank);
	s64 k = n->out[0]->shape.dim[axis], size = x->dim[axis], inner = 1;
	enum dtype t = node_in(n, 0)->dtype;

	(void)g;
	for (int d = axis + 1; d < x->rank; d++)
		inner *= x->dim[d];
	for (s64 row = 0; row < shape_elems(x) / size; row++) {
		s64 from = row / inner * size * inner + row % inner, last = -1;
		s64 to = row / inner * k * inner + row % inner;

		for (s64 i = 0; i < k; i++, to += inner) {
			last = next_best(n, in[0], from, inner, size, last);
			if (out[0])
				number_write(t, out[0], to,
					     number_read(t, in[0], from + last * inner));
			if (n->n_out > 1 && out[1])
				((s64 *)out[1])[to] = last;
		}
	}
}
