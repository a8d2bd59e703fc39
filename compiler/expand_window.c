// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions that slide a window, and those of three spatial dimensions. */
#include "compiler/expand.h"

#include <errno.h>
#include <float.h>

#include "compiler/window.h"

enum { DEPTH_MAX = 64 }; /* convolutions that one of three dimensions becomes */

/* ---- Pools ----------------------------------------------------------------------------------- */

static int need_spatial(struct expand *e, struct dims *axes)
{
	int rank = ex_in(e, 0)->shape.rank;

	*axes = ex_axes(2, rank);
	return rank < 3 ? expand_refuse(e, -EINVAL, "input 0 has no spatial dimensions") : 0;
}

/* As in MaxPool, NaN is never the largest, and every maximum begins with the lowest finite number.
 */
int expand_globalmaxpool(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct dims axes;
	int rc = need_spatial(e, &axes);

	if (rc)
		return rc;
	x = ex_where(e, ex1(e, OP_ISNAN, x), ex_like(e, x, -FLT_MAX), x);
	x = ex_over(e, OP_MAXOVER, x, &axes);
	return expand_output(e, 0, ex_by(e, OP_MAXIMUM, x, -FLT_MAX));
}

/* |x|^p */
static struct value *power(struct expand *e, struct value *x, s64 p)
{
	x = ex1(e, OP_ABS, x);
	return p == 1 ? x : p == 2 ? ex2(e, OP_MUL, x, x) : ex_by(e, OP_POW, x, (double)p);
}

static struct value *root(struct expand *e, struct value *x, s64 p)
{
	return p == 1 ? x : p == 2 ? ex1(e, OP_SQRT, x) : ex_by(e, OP_POW, x, 1 / (double)p);
}

static int check_p(struct expand *e)
{
	s64 p = e->n->attrs.p;

	return p < 1 || p > 31 ?
		       expand_refuse(e, -ENOTSUP, "p is %lld; 1 to 31 are mapped", (long long)p) :
		       0;
}

int expand_globallppool(struct expand *e)
{
	struct dims axes;
	s64 p = e->n->attrs.p;
	int rc = need_spatial(e, &axes);

	if (!rc)
		rc = check_p(e);
	if (rc)
		return rc;
	return expand_output(e, 0,
			     root(e, ex_over(e, OP_SUMOVER, power(e, ex_in(e, 0), p), &axes), p));
}

/* A pool or convolution of @x with the attributes in @like. */
static struct value *window_node(struct expand *e, enum op op, struct value **in, int n_in,
				 const struct attrs *like)
{
	struct node *n;

	for (int i = 0; i < n_in; i++) {
		if (!in[i])
			return NULL;
	}
	n = graph_node(e->g, e->n, op, e->n->name, n_in);
	if (!n)
		return NULL;
	for (int i = 0; i < n_in; i++)
		node_set_in(n, i, in[i]);
	node_copy_attrs(n, like);
	return pass_finish_node(e->g, n);
}

/* The mean of all cells of a window, padding included, times their number. */
int expand_lppool(struct expand *e)
{
	struct attrs like = e->n->attrs;
	struct value *y;
	double cells = 1;
	s64 p = like.p;
	int rc = check_p(e);

	if (rc)
		return rc;
	if (like.ceil_mode)
		return expand_refuse(e, -ENOTSUP, "ceil_mode = 1 is not mapped; pads can do it");
	for (int i = 0; i < like.kernel.n; i++)
		cells *= (double)like.kernel.v[i];
	like.count_include_pad = 1;
	like.given[ATTR_count_include_pad] = true;
	y = power(e, ex_in(e, 0), p);
	y = ex_by(e, OP_MUL, window_node(e, OP_AVGPOOL, &y, 1, &like), cells);
	return expand_output(e, 0, root(e, y, p));
}

/* ---- Three spatial dimensions ---------------------------------------------------------------- */

/* The attributes of the spatial dimensions [@from, @to) of @n, with one of size 1 behind a single
 * one.
 */
static struct attrs window_part(const struct attrs *a, int from, int to)
{
	struct attrs part = *a;
	int n = a->kernel.n, wide = to - from == 1 ? 2 : to - from;

	part.kernel.n = part.strides.n = part.dilations.n = wide;
	part.pads.n = 2 * wide;
	for (int i = 0; i < wide; i++) {
		bool real = from + i < to;

		part.kernel.v[i] = real ? a->kernel.v[from + i] : 1;
		part.strides.v[i] = real ? a->strides.v[from + i] : 1;
		part.dilations.v[i] = real ? a->dilations.v[from + i] : 1;
		part.pads.v[i] = real ? a->pads.v[from + i] : 0;
		part.pads.v[wide + i] = real ? a->pads.v[n + from + i] : 0;
	}
	return part;
}

static bool has_three(const struct attrs *a)
{
	return a->kernel.n == 3 && a->strides.n == 3 && a->dilations.n == 3 && a->pads.n == 6;
}

/* A maximum of maxima; a mean of means, since the cells that count are so many times so many. */
static int pool3(struct expand *e)
{
	const struct attrs *a = &e->n->attrs;
	const struct shape *x = &ex_in(e, 0)->shape;
	struct attrs part;
	struct shape s, to = *x;
	struct value *y;

	if (!has_three(a))
		return expand_refuse(e, -EINVAL, "its window does not have three dimensions");
	s = (struct shape){ 4, { x->dim[0], x->dim[1] * x->dim[2], x->dim[3], x->dim[4] } };
	part = window_part(a, 1, 3);
	y = ex_view(e, ex_in(e, 0), &s);
	y = window_node(e, e->n->op, &y, 1, &part);
	if (!y)
		return e->g->err->code;
	to.dim[3] = y->shape.dim[2];
	to.dim[4] = y->shape.dim[3];
	s = (struct shape){ 4, { to.dim[0], to.dim[1], to.dim[2], to.dim[3] * to.dim[4] } };
	part = window_part(a, 0, 1);
	y = ex_view(e, y, &s);
	y = window_node(e, e->n->op, &y, 1, &part);
	if (!y)
		return e->g->err->code;
	to.dim[2] = y->shape.dim[2];
	return expand_as(e, y, &to);
}

/*
 * The sum over the first kernel dimension: slices of @x, taken together as images, convolved with
 * slices of the weights.
 */
static struct value *conv3(struct expand *e, struct value *x, struct value *w,
			   const struct attrs *a)
{
	static const int swap[] = { 0, 2, 1, 3, 4 };
	struct attrs part = window_part(a, 1, 3);
	s64 before[TENSOR_RANK_MAX] = { 0, 0, a->pads.v[0] };
	s64 after[TENSOR_RANK_MAX] = { 0, 0, a->pads.v[3] },
	    step[] = { 1, 1, a->strides.v[0], 1, 1 };
	s64 reach = (a->kernel.v[0] - 1) * a->dilations.v[0] + 1;
	struct value *y = NULL, *padded;
	struct shape s, images, to;

	padded = ex_pad(e, x, before, after, ex_like(e, x, 0));
	if (!padded)
		return NULL;
	s = padded->shape;
	if (s.dim[2] < reach) {
		expand_refuse(e, -EINVAL, "the window is larger than its padded input");
		return NULL;
	}
	s.dim[2] = (s.dim[2] - reach) / a->strides.v[0] + 1;
	images = (struct shape){ 4, { s.dim[0] * s.dim[2], s.dim[1], s.dim[3], s.dim[4] } };
	for (s64 k = 0; k < a->kernel.v[0]; k++) {
		s64 first[] = { 0, 0, k * a->dilations.v[0], 0, 0 };
		struct value *in[2] = { ex_part(e, padded, first, step, &s),
					ex_squeeze(e, ex_slice(e, w, 2, k, 1), 2) };

		in[0] = ex_view(e, ex_transpose(e, in[0], swap), &images);
		in[0] = window_node(e, OP_CONV, in, 2, &part);
		y = y ? ex2(e, OP_ADD, y, in[0]) : in[0];
	}
	if (!y)
		return NULL;
	to = (struct shape){
		5, { s.dim[0], s.dim[2], y->shape.dim[1], y->shape.dim[2], y->shape.dim[3] }
	};
	return ex_transpose(e, ex_view(e, y, &to), swap);
}

/* A bias of [maps] beside @spatial dimensions. */
static struct value *add_bias(struct expand *e, struct value *y, struct value *bias, int spatial)
{
	struct shape s = { .rank = spatial + 1 };

	if (!bias)
		return y;
	for (int d = 0; d < s.rank; d++)
		s.dim[d] = d ? 1 : shape_elems(&bias->shape);
	return ex2(e, OP_ADD, y, ex_view(e, bias, &s));
}

bool expand_has_three(const struct node *n)
{
	return (n->op == OP_CONV || n->op == OP_MAXPOOL || n->op == OP_AVGPOOL) &&
	       node_in(n, 0)->shape.rank == 5;
}

int expand_three(struct expand *e)
{
	const struct attrs *a = &e->n->attrs;
	struct value *y;

	if (e->n->op != OP_CONV)
		return pool3(e);
	if (a->auto_pad != PAD_EXPLICIT)
		return expand_refuse(e, -ENOTSUP,
				     "auto_pad is not mapped for three spatial "
				     "dimensions; explicit pads are");
	if (ex_in(e, 1)->shape.rank != 5 || !has_three(a))
		return expand_refuse(e, -EINVAL, "its weights do not have five dimensions");
	if (a->kernel.v[0] > DEPTH_MAX)
		return expand_refuse(e, -ENOTSUP,
				     "a window of %lld cells in its first dimension; up to %d are "
				     "mapped: another order of the dimensions",
				     (long long)a->kernel.v[0], DEPTH_MAX);
	y = conv3(e, ex_in(e, 0), ex_in(e, 1), a);
	return expand_output(e, 0, add_bias(e, y, ex_in(e, 2), 3));
}

/* ---- ConvTranspose --------------------------------------------------------------------------- */

/* @x with @stride - 1 zeros between its elements, from dimension @first on. */
static struct value *spread(struct expand *e, struct value *x, int first,
			    const struct dims *strides)
{
	for (int i = 0; x && i < strides->n; i++) {
		int d = first + i;
		s64 before[TENSOR_RANK_MAX] = { 0 }, after[TENSOR_RANK_MAX] = { 0 };
		struct shape to = x->shape;

		if (strides->v[i] == 1)
			continue;
		after[d + 1] = strides->v[i] - 1;
		x = ex_pad(e, ex_unsqueeze(e, x, d + 1), before, after, ex_like(e, x, 0));
		to.dim[d] *= strides->v[i];
		x = ex_slice(e, ex_view(e, x, &to), d, 0, to.dim[d] - strides->v[i] + 1);
	}
	return x;
}

/* [c, m / group, ...] turned round, as the [m, c / group, ...] of a convolution. */
static struct value *turned(struct expand *e, struct value *w, s64 group)
{
	static const int swap[] = { 0, 2, 1, 3, 4, 5 };
	s64 first[TENSOR_RANK_MAX] = { 0 }, step[TENSOR_RANK_MAX] = { 1, 1 };
	struct shape s = w->shape, split = { .rank = s.rank + 1 }, to = s;

	for (int d = 2; d < s.rank; d++) {
		first[d] = s.dim[d] - 1;
		step[d] = s.dim[d] > 1 ? -1 : 1;
	}
	w = ex_part(e, w, first, step, &s);
	split.dim[0] = group;
	split.dim[1] = s.dim[0] / group;
	split.dim[2] = s.dim[1];
	for (int d = 2; d < s.rank; d++)
		split.dim[d + 1] = s.dim[d];
	to.dim[0] = s.dim[1] * group;
	to.dim[1] = s.dim[0] / group;
	return ex_view(e, ex_transpose(e, ex_view(e, w, &split), swap), &to);
}

/* Pads of dimension @i: explicit, or so that the result has the size that is wanted. */
static void transposed_pads(const struct attrs *a, int i, s64 in, s64 *begin, s64 *end)
{
	s64 more = a->output_padding.n ? a->output_padding.v[i] : 0, size, total;
	s64 full = (in - 1) * a->strides.v[i] + more + (a->kernel.v[i] - 1) * a->dilations.v[i] + 1;

	*begin = a->pads.v[i];
	*end = a->pads.v[a->kernel.n + i];
	if (a->auto_pad == PAD_VALID)
		*begin = *end = 0;
	if (a->output_shape.n)
		size = a->output_shape.v[a->output_shape.n - a->kernel.n + i];
	else if (a->auto_pad == PAD_SAME_UPPER || a->auto_pad == PAD_SAME_LOWER)
		size = in * a->strides.v[i];
	else
		return;
	total = full - size;
	*begin = a->auto_pad == PAD_SAME_UPPER ? total >> 1 : total - (total >> 1); /* downwards */
	*end = total - *begin;
}

static int check_transposed(struct expand *e, int spatial)
{
	const struct attrs *a = &e->n->attrs;
	const struct shape *x = &ex_in(e, 0)->shape, *w = &ex_in(e, 1)->shape;

	if (w->rank != x->rank || spatial < 1 || spatial > 3)
		return expand_refuse(e, -ENOTSUP, "%d spatial dimensions; 1 to 3 are mapped",
				     spatial);
	if (a->kernel.n != spatial || a->strides.n != spatial || a->dilations.n != spatial ||
	    a->pads.n != 2 * spatial || (a->output_padding.n && a->output_padding.n != spatial) ||
	    (a->output_shape.n && a->output_shape.n < spatial))
		return expand_refuse(e, -EINVAL, "its attributes are not for %d dimensions",
				     spatial);
	if (a->group < 1 || x->dim[1] % a->group || w->dim[0] != x->dim[1])
		return expand_refuse(e, -EINVAL, "%lld channels in %lld groups do not fit",
				     (long long)x->dim[1], (long long)a->group);
	for (int i = 0; i < spatial; i++) {
		if (a->kernel.v[i] != w->dim[2 + i] || a->strides.v[i] < 1 ||
		    a->strides.v[i] > 1 << 12 || a->dilations.v[i] < 1 ||
		    a->dilations.v[i] > 1 << 12 || !x->dim[2 + i] || !w->dim[2 + i])
			return expand_refuse(e, -EINVAL, "its window does not fit its weights");
	}
	return 0;
}

/* A convolution of the input, spread by the strides, with the weights turned round. */
int expand_convtranspose(struct expand *e)
{
	const struct attrs *a = &e->n->attrs;
	struct value *x = ex_in(e, 0), *in[2];
	s64 before[TENSOR_RANK_MAX] = { 0 }, after[TENSOR_RANK_MAX] = { 0 };
	struct attrs plain = { .group = a->group, .kernel = a->kernel, .dilations = a->dilations };
	int spatial = x->shape.rank - 2, rc = check_transposed(e, spatial);

	if (rc)
		return rc;
	plain.strides.n = spatial;
	plain.pads.n = 2 * spatial;
	for (int i = 0; i < spatial; i++) {
		s64 reach = (a->kernel.v[i] - 1) * a->dilations.v[i], begin, end;

		transposed_pads(a, i, x->shape.dim[2 + i], &begin, &end);
		before[2 + i] = reach - begin;
		after[2 + i] = reach - end + (a->output_padding.n ? a->output_padding.v[i] : 0);
		plain.strides.v[i] = 1;
	}
	plain.given[ATTR_group] = plain.given[ATTR_kernel] = plain.given[ATTR_dilations] = true;
	plain.given[ATTR_strides] = plain.given[ATTR_pads] = true;
	in[0] = ex_pad(e, spread(e, x, 2, &a->strides), before, after, ex_like(e, x, 0));
	in[1] = turned(e, ex_in(e, 1), a->group);
	if (!in[0] || !in[1])
		return e->g->err->code;
	x = spatial == 3 ? conv3(e, in[0], in[1], &plain) : window_node(e, OP_CONV, in, 2, &plain);
	return expand_output(e, 0, add_bias(e, x, ex_in(e, 2), spatial));
}

/* ---- Col2Im ---------------------------------------------------------------------------------- */

/* For each cell of the block, its columns as an image, spread, put at their place, and added. */
int expand_col2im(struct expand *e)
{
	struct value *x = ex_in(e, 0), *sum = NULL;
	struct dims size, block, strides = e->n->attrs.strides, dilations = e->n->attrs.dilations;
	struct dims pads = e->n->attrs.pads;
	struct shape split, cell;
	s64 out[2];
	int rc = ex_integers(e, 1, &size);

	if (!rc)
		rc = ex_integers(e, 2, &block);
	if (rc)
		return rc;
	strides = strides.n ? strides : (struct dims){ 2, { 1, 1 } };
	dilations = dilations.n ? dilations : (struct dims){ 2, { 1, 1 } };
	pads = pads.n ? pads : (struct dims){ 4, { 0 } };
	if (x->shape.rank != 3 || size.n != 2 || block.n != 2 || strides.n != 2 ||
	    dilations.n != 2 || pads.n != 4)
		return expand_refuse(e, -ENOTSUP, "two spatial dimensions are mapped");
	for (int i = 0; i < 2; i++) {
		if (block.v[i] < 1 || block.v[i] > 64 || strides.v[i] < 1 || dilations.v[i] < 1 ||
		    dilations.v[i] > 1 << 12 || strides.v[i] > 1 << 12 || size.v[i] > 1 << 15)
			return expand_refuse(e, -EINVAL, "its blocks make no sense");
		out[i] =
			(size.v[i] + pads.v[i] + pads.v[2 + i] - dilations.v[i] * (block.v[i] - 1) -
			 1) / strides.v[i] +
			1;
	}
	if (x->shape.dim[1] % (block.v[0] * block.v[1]) || out[0] < 1 || out[1] < 1 ||
	    x->shape.dim[2] != out[0] * out[1])
		return expand_refuse(e, -EINVAL, "its columns are not those of the image");
	split = (struct shape){ 5,
				{ x->shape.dim[0], x->shape.dim[1] / (block.v[0] * block.v[1]),
				  block.v[0] * block.v[1], out[0], out[1] } };
	cell = (struct shape){ 4, { split.dim[0], split.dim[1], out[0], out[1] } };
	x = ex_view(e, x, &split);
	for (s64 k = 0; k < block.v[0] * block.v[1]; k++) {
		s64 at[2] = { k / block.v[1], k % block.v[1] };
		s64 before[4] = { 0 }, after[4] = { 0 };
		struct value *y = ex_view(e, ex_slice(e, x, 2, k, 1), &cell);

		y = spread(e, y, 2, &strides);
		for (int i = 0; i < 2 && y; i++) {
			before[2 + i] = at[i] * dilations.v[i] - pads.v[i];
			after[2 + i] = size.v[i] - before[2 + i] - y->shape.dim[2 + i];
		}
		y = y ? ex_pad(e, y, before, after, ex_like(e, y, 0)) : NULL;
		sum = sum ? ex2(e, OP_ADD, sum, y) : y;
	}
	return expand_output(e, 0, sum);
}
