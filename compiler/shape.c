// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Shape inference, operator by operator: see shape.h.
 * Rules: the ONNX operator reference for operator sets 6 to 26.
 */
#include "compiler/shape.h"
#include "compiler/quantise.h"
#include "compiler/window.h"

#include <errno.h>
#include <string.h>

static const struct shape *in_shape(const struct node *n, int i)
{
	return &node_in(n, i)->shape;
}

/* A refusal that names two shapes. */
static int mismatch(const struct graph *g, const struct node *n, const struct shape *a,
		    const struct shape *b, const char *why)
{
	char x[SHAPE_TEXT_MAX], y[SHAPE_TEXT_MAX];

	return node_fail(g, n, -EINVAL, "shapes %s and %s %s", shape_text(a, x), shape_text(b, y),
			 why);
}

static int check_axis(const struct graph *g, const struct node *n, int rank, int last)
{
	if (n->attrs.axis < -rank || n->attrs.axis > last)
		return node_fail(g, n, -EINVAL, "axis %lld is outside the %d dimensions",
				 (long long)n->attrs.axis, rank);
	return 0;
}

static int need_rank(const struct graph *g, const struct node *n, int i, int rank)
{
	if (in_shape(n, i)->rank != rank)
		return node_fail(g, n, -EINVAL, "input %d has %d dimensions, %d are needed", i,
				 in_shape(n, i)->rank, rank);
	return 0;
}

/* An input that must be a vector with one element for each of @len channels. */
static int need_vector(const struct graph *g, const struct node *n, int i, s64 len)
{
	const struct shape *s = in_shape(n, i);
	char text[SHAPE_TEXT_MAX];

	if (s->rank != 1 || s->dim[0] != len)
		return node_fail(g, n, -EINVAL, "input %d is %s, [%lld] is needed", i,
				 shape_text(s, text), (long long)len);
	return 0;
}

static bool is_single(const struct value *v)
{
	return shape_elems(&v->shape) == 1 && v->shape.rank < 2;
}

/* An input that is left out, a scalar, or has one element for each of @len channels. */
static int need_channels(const struct graph *g, const struct node *n, int i, s64 len)
{
	return !node_in(n, i) || is_single(node_in(n, i)) ? 0 : need_vector(g, n, i, len);
}

static int need_single(const struct graph *g, const struct node *n, int i)
{
	char text[SHAPE_TEXT_MAX];

	if (node_in(n, i) && !is_single(node_in(n, i)))
		return node_fail(g, n, -ENOTSUP, "input %d is %s, a scalar is needed", i,
				 shape_text(in_shape(n, i), text));
	return 0;
}

/* The zeros of an integer product for @len columns, each of the type of what it belongs to. */
static int check_zeros(const struct graph *g, const struct node *n, s64 len)
{
	const struct value *zero = node_in(n, 3);
	int rc = need_single(g, n, 2);

	if (!rc && zero && zero->dtype != node_in(n, 1)->dtype)
		return node_fail(g, n, -EINVAL, "input 3 is %s, the weights are %s",
				 dtype_name(zero->dtype), dtype_name(node_in(n, 1)->dtype));
	return rc ? rc : need_channels(g, n, 3, len);
}

static int infer_conv(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = in_shape(n, 0), *k = in_shape(n, 1);
	s64 group = n->attrs.group;
	struct window w;
	int rc;

	if (k->rank != x->rank)
		return mismatch(g, n, x, k, "differ in rank");
	for (int i = 2; i < k->rank && i - 2 < n->attrs.kernel.n; i++) {
		if (n->attrs.kernel.v[i - 2] != k->dim[i])
			return node_fail(g, n, -EINVAL,
					 "kernel_shape says %lld where the weights have %lld",
					 (long long)n->attrs.kernel.v[i - 2], (long long)k->dim[i]);
	}
	for (int i = 0; i < k->rank; i++) {
		if (!k->dim[i])
			return node_fail(g, n, -EINVAL, "the weights are empty");
	}
	rc = window_of(g, n, &w);
	if (rc)
		return rc;
	if (group < 1 || k->dim[0] % group || x->dim[1] % group || k->dim[1] != x->dim[1] / group)
		return node_fail(g, n, -EINVAL,
				 "%lld channels in %lld groups do not fit weights for %lld to %lld",
				 (long long)x->dim[1], (long long)group, (long long)k->dim[1],
				 (long long)k->dim[0]);
	if (n->op == OP_CONV && node_in(n, 2) && (rc = need_vector(g, n, 2, k->dim[0])))
		return rc;
	if (n->op == OP_CONVINTEGER && (rc = check_zeros(g, n, k->dim[0])))
		return rc;
	out->shape = *x;
	out->shape.dim[1] = k->dim[0];
	for (int i = 2; i < x->rank; i++)
		out->shape.dim[i] = w.axis[2 - x->rank + i].out;
	return 0;
}

static int infer_pool(const struct graph *g, const struct node *n, struct inferred *out)
{
	struct window w;
	int rc;

	rc = window_of(g, n, &w);
	if (rc)
		return rc;
	out->shape = *in_shape(n, 0);
	for (int i = 2; i < out->shape.rank; i++)
		out->shape.dim[i] = w.axis[2 - out->shape.rank + i].out;
	return 0;
}

static int infer_global_pool(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->shape = *in_shape(n, 0);
	if (out->shape.rank < 3)
		return node_fail(g, n, -EINVAL, "input 0 has %d dimensions, at least 3 are needed",
				 out->shape.rank);
	for (int i = 2; i < out->shape.rank; i++) {
		if (!out->shape.dim[i])
			return node_fail(g, n, -EINVAL, "the mean of nothing");
		out->shape.dim[i] = 1;
	}
	return 0;
}

/* [..., m, k] x [..., k, n]; vectors count as a row on the left, a column on the right. */
static int infer_matmul(const struct graph *g, const struct node *n, struct inferred *out)
{
	struct shape a = *in_shape(n, 0), b = *in_shape(n, 1), batch_a, batch_b;
	bool row = a.rank == 1, column = b.rank == 1;
	int rank;

	if (!a.rank || !b.rank)
		return node_fail(g, n, -EINVAL, "a scalar is not a matrix");
	if (n->op == OP_LINEAR && (row || column))
		return node_fail(g, n, -EINVAL, "a vector is not a matrix");
	if (row)
		a = (struct shape){ 2, { 1, a.dim[0] } };
	if (column)
		b = (struct shape){ 2, { b.dim[0], 1 } };
	if (a.dim[a.rank - 1] != b.dim[b.rank - 2])
		return mismatch(g, n, in_shape(n, 0), in_shape(n, 1), "do not multiply");
	batch_a = a;
	batch_b = b;
	batch_a.rank -= 2;
	batch_b.rank -= 2;
	if (!shape_broadcast(&batch_a, &batch_b, &out->shape))
		return mismatch(g, n, in_shape(n, 0), in_shape(n, 1), "do not broadcast");
	rank = out->shape.rank;
	if (!row)
		out->shape.dim[rank++] = a.dim[a.rank - 2];
	if (!column)
		out->shape.dim[rank++] = b.dim[b.rank - 1];
	out->shape.rank = rank;
	if (n->op == OP_MATMULINTEGER)
		return check_zeros(g, n, b.dim[b.rank - 1]);
	return node_in(n, 2) ? need_vector(g, n, 2, b.dim[b.rank - 1]) : 0;
}

static int infer_gemm(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *a = in_shape(n, 0), *b = in_shape(n, 1);
	struct shape with_c;
	int rc;

	rc = need_rank(g, n, 0, 2);
	if (!rc)
		rc = need_rank(g, n, 1, 2);
	if (rc)
		return rc;
	if (a->dim[!n->attrs.trans_a] != b->dim[!!n->attrs.trans_b])
		return mismatch(g, n, a, b, "do not multiply");
	out->shape = (struct shape){ 2, { a->dim[!!n->attrs.trans_a], b->dim[!n->attrs.trans_b] } };
	if (node_in(n, 2) && (!shape_broadcast(&out->shape, in_shape(n, 2), &with_c) ||
			      !shape_equal(&out->shape, &with_c)))
		return mismatch(g, n, &out->shape, in_shape(n, 2), "do not broadcast to the first");
	return 0;
}

/* All inputs, as NumPy does. */
static int infer_broadcast(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->shape = *in_shape(n, 0);
	for (int i = 1; i < n->n_in; i++) {
		struct shape so_far = out->shape;

		if (!shape_broadcast(&so_far, in_shape(n, i), &out->shape))
			return mismatch(g, n, &so_far, in_shape(n, i), "do not broadcast");
	}
	return 0;
}

static int infer_same(const struct graph *g, const struct node *n, struct inferred *out)
{
	(void)g;
	out->shape = *in_shape(n, 0);
	return 0;
}

static int infer_clip(const struct graph *g, const struct node *n, struct inferred *out)
{
	for (int i = 1; i < n->n_in; i++) {
		if (node_in(n, i) && shape_elems(in_shape(n, i)) != 1)
			return node_fail(g, n, -EINVAL, "input %d is not a scalar", i);
	}
	return infer_same(g, n, out);
}

static int infer_batchnorm(const struct graph *g, const struct node *n, struct inferred *out)
{
	if (in_shape(n, 0)->rank < 2)
		return node_fail(g, n, -EINVAL, "input 0 has no channels");
	for (int i = 1, rc; i < 5; i++) {
		rc = need_vector(g, n, i, in_shape(n, 0)->dim[1]);
		if (rc)
			return rc;
	}
	return infer_same(g, n, out);
}

static int infer_flatten(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = in_shape(n, 0);
	int rc = check_axis(g, n, x->rank, x->rank);

	if (rc)
		return rc;
	out->shape = (struct shape){ 2, { 1, 1 } };
	for (int i = 0; i < x->rank; i++)
		out->shape.dim[i >= node_axis(n, x->rank)] *= x->dim[i];
	return 0;
}

static int need_elements(const struct graph *g, const struct node *n, const struct shape *want)
{
	if (!shape_valid(want))
		return node_fail(g, n, -EFBIG, "the new shape exceeds %lld elements",
				 (long long)TENSOR_ELEMS_MAX);
	if (shape_elems(want) != shape_elems(in_shape(n, 0)))
		return mismatch(g, n, in_shape(n, 0), want, "differ in their number of elements");
	return 0;
}

/* Fills in the one dimension of -1 at @at so that the elements come out right. */
static int fill_unknown(const struct graph *g, const struct node *n, struct shape *s, int at)
{
	s64 have = shape_elems(in_shape(n, 0)), known;

	s->dim[at] = 1;
	if (!shape_valid(s))
		return need_elements(g, n, s);
	known = shape_elems(s);
	if (!known || have % known)
		return mismatch(g, n, in_shape(n, 0), s, "leave no size for the -1 (shown as 1)");
	s->dim[at] = have / known;
	return 0;
}

static int infer_reshape(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct value *x = node_in(n, 0), *want = node_in(n, 1);
	struct shape *s = &out->shape;
	int unknown = -1;

	if (want->shape.rank != 1)
		return node_fail(g, n, -EINVAL, "the new shape is not a vector");
	if (!want->data)
		return node_fail(g, n, -ENOTSUP, "the new shape \"%s\" is known only at run time",
				 want->name);
	if (want->shape.dim[0] > TENSOR_RANK_MAX)
		return node_fail(g, n, -EFBIG, "%lld dimensions, the limit is %d",
				 (long long)want->shape.dim[0], TENSOR_RANK_MAX);
	s->rank = (int)want->shape.dim[0];
	for (int i = 0; i < s->rank; i++) {
		s->dim[i] = ((const s64 *)want->data)[i];
		if (s->dim[i] == 0 && !n->attrs.allowzero) {
			if (i >= x->shape.rank)
				return node_fail(g, n, -EINVAL, "a 0 copies dimension %d of %d", i,
						 x->shape.rank);
			s->dim[i] = x->shape.dim[i];
		} else if (s->dim[i] == -1 && unknown < 0) {
			unknown = i;
		} else if (s->dim[i] < 0) {
			return node_fail(g, n, -EINVAL, "dimension %d of the new shape is %lld", i,
					 (long long)s->dim[i]);
		}
	}
	if (unknown >= 0) {
		int rc = fill_unknown(g, n, s, unknown);

		if (rc)
			return rc;
	}
	return need_elements(g, n, s);
}

static int infer_view(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->shape.rank = n->attrs.shape.n;
	memcpy(out->shape.dim, n->attrs.shape.v, sizeof(out->shape.dim));
	return need_elements(g, n, &out->shape);
}

static int infer_transpose(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = in_shape(n, 0);
	const struct dims *perm = &n->attrs.perm;
	unsigned int seen = 0;

	if (perm->n != x->rank)
		return node_fail(g, n, -EINVAL, "perm has %d numbers for %d dimensions", perm->n,
				 x->rank);
	out->shape.rank = x->rank;
	for (int i = 0; i < x->rank; i++) {
		s64 from = perm->v[i];

		if (from < 0 || from >= x->rank || seen & 1u << from)
			return node_fail(g, n, -EINVAL, "perm is not a permutation");
		seen |= 1u << from;
		out->shape.dim[i] = x->dim[from];
	}
	return 0;
}

static int infer_concat(const struct graph *g, const struct node *n, struct inferred *out)
{
	struct shape rest;
	int rc, axis;

	out->shape = *in_shape(n, 0);
	rc = check_axis(g, n, out->shape.rank, out->shape.rank - 1);
	if (rc)
		return rc;
	axis = node_axis(n, out->shape.rank);
	for (int i = 1; i < n->n_in; i++) {
		const struct value *v = node_in(n, i);

		if (!v)
			return node_fail(g, n, -EINVAL, "input %d is missing", i);
		rest = v->shape;
		if (rest.rank == out->shape.rank)
			rest.dim[axis] = out->shape.dim[axis];
		if (!shape_equal(&rest, &out->shape))
			return mismatch(g, n, &v->shape, &out->shape, "do not concatenate");
		out->shape.dim[axis] += v->shape.dim[axis];
		if (!shape_valid(&out->shape))
			return need_elements(g, n, &out->shape);
	}
	return 0;
}

static int infer_softmax(const struct graph *g, const struct node *n, struct inferred *out)
{
	int rank = in_shape(n, 0)->rank;
	int rc = check_axis(g, n, rank, rank - 1);

	return rc ? rc : infer_same(g, n, out);
}

/* Inference only: a Dropout that would drop is refused. */
static int infer_dropout(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct value *ratio = node_in(n, 1), *training = node_in(n, 2);
	bool never = value_is_const(ratio) && shape_elems(&ratio->shape) == 1 &&
		     *(const float *)ratio->data == 0;

	if (training && !never) {
		if (!value_is_const(training) || shape_elems(&training->shape) != 1)
			return node_fail(g, n, -ENOTSUP, "training_mode is not a constant");
		if (*(const u8 *)training->data)
			return node_fail(g, n, -ENOTSUP, "training is not supported");
	}
	out[1].shape = *in_shape(n, 0);
	return infer_same(g, n, out);
}

/* Scale and zero of the elements: scalars, or vectors along axis. */
static int check_scale(const struct graph *g, const struct node *n)
{
	const struct shape *x = in_shape(n, 0);
	int rc = 0;

	if (!node_in(n, 1) || (is_single(node_in(n, 1)) && !node_in(n, 2)))
		return 0;
	if (is_single(node_in(n, 1)))
		return need_single(g, n, 2);
	rc = check_axis(g, n, x->rank, x->rank - 1);
	for (int i = 1; i < 3 && !rc; i++) {
		if (node_in(n, i))
			rc = need_vector(g, n, i, x->dim[node_axis(n, x->rank)]);
	}
	return rc;
}

static int infer_quantize(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->dtype = node_in(n, 2) ? node_in(n, 2)->dtype : DTYPE_U8;
	out->shape = *in_shape(n, 0);
	return check_scale(g, n);
}

static int infer_dequantize(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->shape = *in_shape(n, 0);
	return check_scale(g, n);
}

static int infer_requantize(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = in_shape(n, 0);
	bool fixed = node_in(n, 1)->dtype == DTYPE_S32;
	int rc = need_single(g, n, 2);

	out->dtype = node_in(n, 2)->dtype;
	out->shape = *x;
	if (!rc && node_in(n, 4) && !fixed)
		return node_fail(g, n, -EINVAL, "a shift needs a multiplier of s32");
	if (!rc)
		rc = check_axis(g, n, x->rank, x->rank - 1);
	for (int i = 1; i < n->n_in && !rc; i++) {
		if (!value_is_const(node_in(n, i)) && node_in(n, i))
			return node_fail(g, n, -ENOTSUP, "input %d is known only at run time", i);
		if (i != 2)
			rc = need_channels(g, n, i, x->dim[node_axis(n, x->rank)]);
	}
	return rc;
}

static int infer_table(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->dtype = node_in(n, 1)->dtype;
	out->shape = *in_shape(n, 0);
	if (!value_is_const(node_in(n, 1)))
		return node_fail(g, n, -ENOTSUP, "the table is known only at run time");
	return need_vector(g, n, 1, 256);
}

static int infer_qlinear_add(const struct graph *g, const struct node *n, struct inferred *out)
{
	static const int parameters[] = { 1, 2, 4, 5, 6, 7 };

	for (int k = 0; k < 6; k++) {
		int i = parameters[k], rc = need_single(g, n, i);

		if (rc)
			return rc;
		if (node_in(n, i) && !value_is_const(node_in(n, i)))
			return node_fail(g, n, -ENOTSUP,
					 "input %d \"%.80s\" is known only at run time", i,
					 node_in(n, i)->name);
	}
	if (!shape_broadcast(in_shape(n, 0), in_shape(n, 3), &out->shape))
		return mismatch(g, n, in_shape(n, 0), in_shape(n, 3), "do not broadcast");
	return 0;
}

/* The constant s32[@count] that is input @i. */
static int need_parameters(const struct graph *g, const struct node *n, int i, s64 count)
{
	if (!value_is_const(node_in(n, i)))
		return node_fail(g, n, -ENOTSUP, "input %d is known only at run time", i);
	return need_vector(g, n, i, count);
}

static int infer_fixed_add(const struct graph *g, const struct node *n, struct inferred *out)
{
	const s32 *p;
	int rc = need_parameters(g, n, 2, FIXED_ADD_PARAMETERS);

	if (rc)
		return rc;
	p = node_in(n, 2)->data;
	for (int i = 0; i < 3; i++) {
		static const int shifts[] = { FIXED_ADD_SHIFT_A, FIXED_ADD_SHIFT_B,
					      FIXED_ADD_SHIFT };

		if (p[shifts[i]] > 0 || p[shifts[i]] < -31)
			return node_fail(g, n, -EINVAL, "a shift is %d, allowed is -31 to 0",
					 p[shifts[i]]);
	}
	if (p[FIXED_ADD_ZERO] < quantise_least(out->dtype) ||
	    p[FIXED_ADD_ZERO] > quantise_most(out->dtype))
		return node_fail(g, n, -EINVAL, "its zero is %d, which is no %s", p[FIXED_ADD_ZERO],
				 dtype_name(out->dtype));
	return shape_broadcast(in_shape(n, 0), in_shape(n, 1), &out->shape) ?
		       0 :
		       mismatch(g, n, in_shape(n, 0), in_shape(n, 1), "do not broadcast");
}

static int infer_fixed_softmax(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = in_shape(n, 0);
	const s32 *p;
	int rc = need_parameters(g, n, 1, FIXED_SOFTMAX_PARAMETERS);

	if (rc)
		return rc;
	p = node_in(n, 1)->data;
	if (p[FIXED_SOFTMAX_SHIFT] < 0 || p[FIXED_SOFTMAX_SHIFT] > 31)
		return node_fail(g, n, -EINVAL, "the shift is %d, allowed is 0 to 31",
				 p[FIXED_SOFTMAX_SHIFT]);
	if (p[FIXED_SOFTMAX_LEAST] > 0)
		return node_fail(g, n, -EINVAL, "the largest of a row would count nothing");
	if (!x->rank || x->dim[x->rank - 1] > FIXED_SOFTMAX_ROW_MAX)
		return node_fail(g, n, -ENOTSUP, "rows of more than %d are not supported",
				 FIXED_SOFTMAX_ROW_MAX);
	out->shape = *x;
	return 0;
}

static int infer_mod(const struct graph *g, const struct node *n, struct inferred *out)
{
	if (out->dtype == DTYPE_F32 && !n->attrs.fmod)
		return node_fail(g, n, -EINVAL, "fmod must be 1 for f32");
	return infer_broadcast(g, n, out);
}

static int infer_cast(const struct graph *g, const struct node *n, struct inferred *out)
{
	if (n->attrs.to < 0 || n->attrs.to > INT32_MAX ||
	    !dtype_from_number((s32)n->attrs.to, &out->dtype))
		return node_fail(g, n, -ENOTSUP, "type %lld of the result is not supported",
				 (long long)n->attrs.to);
	return infer_same(g, n, out);
}

static int infer_bitcast(const struct graph *g, const struct node *n, struct inferred *out)
{
	int rc = infer_cast(g, n, out);

	if (!rc && dtype_size(out->dtype) != dtype_size(node_in(n, 0)->dtype))
		return node_fail(g, n, -EINVAL, "%s and %s differ in size",
				 dtype_name(node_in(n, 0)->dtype), dtype_name(out->dtype));
	return rc;
}

/* ---- What only passes make ------------------------------------------------------------------- */

static int infer_over(const struct graph *g, const struct node *n, struct inferred *out)
{
	out->shape = *in_shape(n, 0);
	for (int i = 0; i < n->attrs.axes.n; i++) {
		s64 axis = n->attrs.axes.v[i];

		if (axis < 0 || axis >= out->shape.rank || !out->shape.dim[axis])
			return node_fail(g, n, -EINVAL, "axis %lld is none of its dimensions",
					 (long long)axis);
		out->shape.dim[axis] = 1;
	}
	return 0;
}

static int shape_attr(const struct graph *g, const struct node *n, struct shape *out)
{
	out->rank = n->attrs.shape.n;
	memcpy(out->dim, n->attrs.shape.v, sizeof(out->dim));
	if (!shape_valid(out))
		return node_fail(g, n, -EFBIG, "its result exceeds %lld elements",
				 (long long)TENSOR_ELEMS_MAX);
	return 0;
}

static int infer_part(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct attrs *a = &n->attrs;
	const struct shape *x = in_shape(n, 0);
	int rc = shape_attr(g, n, &out->shape);

	if (rc)
		return rc;
	if (a->shape.n != x->rank || a->starts.n != x->rank || a->steps.n != x->rank)
		return node_fail(g, n, -EINVAL, "its numbers are not as many as dimensions");
	for (int d = 0; d < x->rank && shape_elems(&out->shape); d++) {
		s64 first = a->starts.v[d], last = -1;

		if (first >= 0 && first < x->dim[d] && a->steps.v[d] <= TENSOR_ELEMS_MAX &&
		    a->steps.v[d] >= -TENSOR_ELEMS_MAX)
			last = first + a->steps.v[d] * (out->shape.dim[d] - 1);
		if (last < 0 || last >= x->dim[d])
			return node_fail(g, n, -EINVAL, "a part outside of its input");
	}
	return 0;
}

static int infer_stretch(const struct graph *g, const struct node *n, struct inferred *out)
{
	struct shape wide;
	int rc = shape_attr(g, n, &out->shape);

	if (!rc && (!shape_broadcast(in_shape(n, 0), &out->shape, &wide) ||
		    !shape_equal(&wide, &out->shape)))
		return mismatch(g, n, in_shape(n, 0), &out->shape, "do not broadcast");
	return rc;
}

static int infer_border(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct shape *x = in_shape(n, 0);
	int rc = shape_attr(g, n, &out->shape);

	if (rc)
		return rc;
	if (out->shape.rank != x->rank || n->attrs.starts.n != x->rank ||
	    shape_elems(in_shape(n, 1)) != 1)
		return node_fail(g, n, -EINVAL, "its numbers are not as many as dimensions");
	for (int d = 0; d < x->rank; d++) {
		s64 first = n->attrs.starts.v[d];

		if (first < 0 || first > out->shape.dim[d] - x->dim[d])
			return node_fail(g, n, -EINVAL, "its input is outside of its result");
	}
	return 0;
}

static int infer_take(const struct graph *g, const struct node *n, struct inferred *out)
{
	const struct value *indices = node_in(n, 1);
	int rank = in_shape(n, 0)->rank, rc = check_axis(g, n, rank, rank - 1);
	s64 size, count = shape_elems(&indices->shape);

	if (rc)
		return rc;
	if (indices->shape.rank != 1)
		return node_fail(g, n, -EINVAL, "its indices are not a vector");
	if (!indices->data)
		return node_fail(g, n, -ENOTSUP, "its indices \"%.80s\" are known only at run time",
				 indices->name);
	out->shape = *in_shape(n, 0);
	size = out->shape.dim[node_axis(n, rank)];
	for (s64 i = 0; i < count; i++) {
		s64 index = ((const s64 *)indices->data)[i];

		if (index < 0 || index >= size)
			return node_fail(g, n, -EINVAL, "index %lld is outside of 0..%lld",
					 (long long)index, (long long)size - 1);
	}
	out->shape.dim[node_axis(n, rank)] = count;
	return 0;
}

/* Functions are replaced before they have a type, unless the host runs them. */
static int infer_function(const struct graph *g, const struct node *n, struct inferred *out)
{
	(void)out;
	return node_fail(g, n, -ENOTRECOVERABLE, "a function is left");
}

/* The later of two initializers of one element counts. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static infer_fn *const infer_fns[OP_COUNT] = {
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	[OP_##id] = infer_##infer,
#include "compiler/ops.def"
#define HOSTED(op, name) [OP_##op] = infer_hosted_##name,
#include "compiler/ops.def"
};
#pragma GCC diagnostic pop

/* The first input without types of its own: all others like it have the same type. -1: none. */
static int leading_input(const struct node *n)
{
	for (int i = 0; i < n->n_in; i++) {
		if (node_in(n, i) && !op_takes(n->op, i))
			return i;
	}
	return -1;
}

int infer_check_types(const struct graph *g, const struct node *n)
{
	int leading = leading_input(n);
	char set[DTYPES_TEXT_MAX];

	for (int i = 0; i < n->n_in; i++) {
		const struct value *v = node_in(n, i), *first = node_in(n, leading);
		u32 own = op_takes(n->op, i), types = own ? own : op_infos[n->op].types;

		if (!v)
			continue;
		if (!(types >> v->dtype & 1))
			return node_fail(g, n, -ENOTSUP, "input %d \"%.80s\" is %s, it takes %s", i,
					 v->name, dtype_name(v->dtype), dtypes_text(types, set));
		if (!own && !(op_infos[n->op].flags & OP_FLAG_MIXED) && v->dtype != first->dtype)
			return node_fail(g, n, -EINVAL,
					 "input %d \"%.80s\" is %s, but input %d \"%.80s\" is %s",
					 i, v->name, dtype_name(v->dtype), leading, first->name,
					 dtype_name(first->dtype));
	}
	return 0;
}

/* The types that the tables give the outputs; infer_*() may say otherwise. */
static void give_types(const struct node *n, int leading, struct inferred out[NODE_OUT_MAX])
{
	for (int i = 0; i < NODE_OUT_MAX; i++) {
		out[i] = (struct inferred){ .dtype = node_in(n, leading < 0 ? 0 : leading)->dtype };
		for (int t = 0; t < DTYPE_COUNT; t++) {
			if (op_types[n->op].gives[i] >> t & 1)
				out[i].dtype = t;
		}
	}
}

int infer_node(const struct graph *g, const struct node *n, struct inferred out[NODE_OUT_MAX])
{
	int rc = infer_check_types(g, n);

	if (rc)
		return rc;
	give_types(n, leading_input(n), out);
	rc = infer_fns[n->op](g, n, out);
	if (rc)
		return rc;
	if (!shape_valid(&out[0].shape))
		return node_fail(g, n, -EFBIG, "its result exceeds %lld elements",
				 (long long)TENSOR_ELEMS_MAX);
	return 0;
}
