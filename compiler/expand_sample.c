// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Functions that sample an image where other inputs say. The machine computes no address from data:
 * each sample is a sum of all elements of the image, most with a weight of 0, which is a product of
 * matrices. Written from the ONNX reference implementation.
 */
#include "compiler/expand.h"

#include <errno.h>

enum { SPATIAL_MAX = 3, TAPS_MAX = 4 };
#define WEIGHTS_MAX (INT64_C(1) << 22) /* elements of that matrix */

enum outside { ZEROS, BORDER, REFLECTION };

/* How to sample. */
struct sampling {
	struct expand *e;
	int taps; /* along each axis: 1 nearest, 2 linear, 4 cubic */
	enum outside outside;
	bool corners; /* -1 and 1 are centres of elements, not edges */
};

static struct value *by(const struct sampling *s, enum op op, struct value *x, double b)
{
	return ex_by(s->e, op, x, b);
}

/* ---- Along one axis of @size elements ----------------------------------------------------------
 */

static double least(const struct sampling *s)
{
	return s->corners ? 0 : -0.5;
}

static double most(const struct sampling *s, s64 size)
{
	return s->corners ? (double)size - 1 : (double)size - 0.5;
}

/* @x mirrored at both ends until it lies between them. */
static struct value *reflected(const struct sampling *s, struct value *x, s64 size)
{
	double low = least(s), range = most(s, size) - low;
	struct value *t;

	if (range <= 0)
		return by(s, OP_MUL, x, 0);
	t = ex1(s->e, OP_ABS, by(s, OP_SUB, x, low));
	t = ex2(s->e, OP_SUB, t,
		by(s, OP_MUL, ex1(s->e, OP_FLOOR, by(s, OP_DIV, t, 2 * range)), 2 * range));
	t = ex2(s->e, OP_MINIMUM, t, ex_from(s->e, OP_SUB, 2 * range, t));
	return by(s, OP_ADD, t, low);
}

static struct value *bounded(const struct sampling *s, struct value *x, s64 size)
{
	return by(s, OP_MAXIMUM, by(s, OP_MINIMUM, x, (double)size - 1), 0);
}

/* Where an element at @x, which may lie outside, comes from. */
static struct value *inside(const struct sampling *s, struct value *x, s64 size)
{
	return s->outside == BORDER	? bounded(s, x, size) :
	       s->outside == REFLECTION ? reflected(s, x, size) :
					  x;
}

/* Coordinate @x, of -1 to 1, in elements. */
static struct value *in_elements(const struct sampling *s, struct value *x, s64 size)
{
	struct value *out;

	x = by(s, OP_ADD, x, 1);
	if (s->corners)
		x = by(s, OP_MUL, x, ((double)size - 1) / 2);
	else
		x = by(s, OP_DIV, by(s, OP_SUB, by(s, OP_MUL, x, (double)size), 1), 2);
	if (s->taps == 1)
		x = ex1(s->e, OP_ROUND, x);
	if (s->outside == ZEROS)
		return x;
	out = ex2(s->e, OP_OR, by(s, OP_LESS, x, least(s)),
		  ex_from(s->e, OP_LESS, most(s, size), x));
	return ex_where(s->e, out, inside(s, x, size), x);
}

/* The weight of tap @k, @part behind tap 0 (of 2) or 1 (of 4). */
static struct value *weight(const struct sampling *s, struct value *part, int k)
{
	const double a = -0.75;
	struct value *d;

	if (s->taps == 2)
		return k ? part : ex_from(s->e, OP_SUB, 1, part);
	/* the distance from it, and the cubic for distances below 1, or up to 2 */
	d = k < 2 ? by(s, OP_ADD, part, 1 - k) : ex_from(s->e, OP_SUB, k - 1, part);
	if (k == 1 || k == 2) {
		struct value *w = by(s, OP_SUB, by(s, OP_MUL, d, a + 2), a + 3);

		return by(s, OP_ADD, ex2(s->e, OP_MUL, ex2(s->e, OP_MUL, w, d), d), 1);
	}
	part = by(s, OP_SUB, by(s, OP_MUL, d, a), 5 * a);
	part = by(s, OP_ADD, ex2(s->e, OP_MUL, part, d), 8 * a);
	return by(s, OP_SUB, ex2(s->e, OP_MUL, part, d), 4 * a);
}

/*
 * The weights of all elements along dimension @axis, of @size, for samples at @x, in elements,
 * whose dimension @axis is 1.
 */
static struct value *weights(const struct sampling *s, struct value *x, int axis, s64 size)
{
	struct value *first = ex1(s->e, OP_FLOOR, x), *part = ex2(s->e, OP_SUB, x, first),
		     *sum = NULL;
	struct value *zero = ex_number(s->e, DTYPE_F32, 0), *iota;

	if (!x)
		return NULL;
	iota = ex_iota(s->e, DTYPE_F32, x->shape.rank, axis, size);
	for (int k = 0; k < s->taps; k++) {
		struct value *at = by(s, OP_ADD, first, k - (s->taps == 4));
		struct value *one = s->taps == 1 ? ex_number(s->e, DTYPE_F32, 1) :
						   weight(s, part, k);

		at = ex2(s->e, OP_EQUAL, inside(s, at, size), iota);
		one = ex_where(s->e, at, one, zero);
		sum = sum ? ex2(s->e, OP_ADD, sum, one) : one;
		if (!sum)
			return NULL;
	}
	return sum;
}

/* ---- GridSample --------------------------------------------------------------------------------
 */

static struct sampling read_sampling(struct expand *e)
{
	const struct attrs *a = &e->n->attrs;

	return (struct sampling){
		.e = e,
		.corners = a->align_corners,
		.taps = ex_says(a->mode, "nearest")				   ? 1 :
			ex_says(a->mode, "linear") || ex_says(a->mode, "bilinear") ? 2 :
										     4,
		.outside = ex_says(a->padding_mode, "border")	  ? BORDER :
			   ex_says(a->padding_mode, "reflection") ? REFLECTION :
								    ZEROS,
	};
}

/* Shapes of x [n,c,...] and the grid [n,...,spatial]; *@samples: of one image. */
static int check_grid(struct expand *e, s64 *samples)
{
	const struct shape *x = &ex_in(e, 0)->shape, *grid = &ex_in(e, 1)->shape;
	int spatial = x->rank - 2;
	double cells = 1;

	if (spatial < 1 || spatial > SPATIAL_MAX || grid->rank != x->rank ||
	    grid->dim[0] != x->dim[0] || grid->dim[grid->rank - 1] != spatial || !shape_elems(x) ||
	    !shape_elems(grid))
		return expand_refuse(e, -EINVAL,
				     "its grid does not fit the image, of 1 to %d "
				     "spatial dimensions",
				     SPATIAL_MAX);
	*samples = 1;
	for (int d = 0; d < spatial; d++) {
		*samples *= grid->dim[1 + d];
		cells *= (double)x->dim[2 + d];
	}
	if (cells * (double)*samples * (double)x->dim[0] > (double)WEIGHTS_MAX)
		return expand_refuse(e, -ENOTSUP,
				     "%.0f elements for %lld samples of each image; up to %lld "
				     "products of both are mapped: sample a smaller image, or use "
				     "Resize where the grid is regular",
				     cells, (long long)*samples, (long long)WEIGHTS_MAX);
	return 0;
}

/* The weights [n, elements of an image, samples]. */
static struct value *sample_matrix(const struct sampling *s, const struct shape *x,
				   struct value *grid, s64 samples)
{
	struct shape flat = { 3, { x->dim[0], samples, x->rank - 2 } }, one = { .rank = x->rank };
	struct shape to = { 3, { x->dim[0], 1, samples } };
	struct value *all = NULL;

	grid = ex_view(s->e, grid, &flat);
	for (int d = 0; d < x->rank; d++)
		one.dim[d] = 1;
	one.dim[0] = x->dim[0];
	one.dim[x->rank - 1] = samples;
	for (int d = 0; d < x->rank - 2; d++) { /* the grid names the last dimension first */
		s64 size = x->dim[2 + d];
		struct value *at = ex_view(s->e, ex_slice(s->e, grid, 2, x->rank - 3 - d, 1), &one);
		struct value *w = weights(s, in_elements(s, at, size), 1 + d, size);

		all = all ? ex2(s->e, OP_MUL, all, w) : w;
		to.dim[1] *= size;
	}
	return ex_view(s->e, all, &to);
}

int expand_gridsample(struct expand *e)
{
	struct value *x = ex_in(e, 0), *grid = ex_in(e, 1), *w;
	struct shape flat = { 3, { x->shape.dim[0], x->shape.dim[1], 1 } }, to = x->shape;
	struct sampling s = read_sampling(e);
	s64 samples = 0;
	int rc = check_grid(e, &samples);

	if (rc)
		return rc;
	for (int d = 2; d < to.rank; d++) {
		flat.dim[2] *= to.dim[d];
		to.dim[d] = grid->shape.dim[d - 1];
	}
	w = sample_matrix(&s, &x->shape, grid, samples);
	return expand_as(e, ex2(e, OP_MATMUL, ex_view(e, x, &flat), w), &to);
}

/* ---- AffineGrid --------------------------------------------------------------------------------
 */

/* The places of an image's elements, [spatial + 1, elements], the last row 1. */
static struct value *places(struct expand *e, const struct dims *size)
{
	int spatial = size->n - 2;
	struct shape s = { 2, { spatial + 1, 1 } };
	struct value *v = graph_value(e->g, "");
	float *to;
	s64 n;

	for (int d = 0; d < spatial; d++)
		s.dim[1] *= size->v[2 + d];
	n = s.dim[1];
	if (!v)
		return NULL;
	value_set_type(v, DTYPE_F32, &s);
	to = graph_const_room(e->g, v);
	for (s64 i = 0; to && i < n; i++) {
		s64 rest = i;

		for (int d = spatial - 1; d >= 0; d--) { /* the last dimension is the first row */
			double count = (double)size->v[2 + d], at = (double)(rest % size->v[2 + d]);

			rest /= size->v[2 + d];
			if (e->n->attrs.align_corners)
				at = count > 1 ? 2 * at / (count - 1) - 1 : -1;
			else
				at = (2 * at + 1) / count - 1;
			to[(spatial - 1 - d) * n + i] = (float)at;
		}
		to[spatial * n + i] = 1;
	}
	return to ? v : NULL;
}

int expand_affinegrid(struct expand *e)
{
	static const int turn[] = { 0, 2, 1 };
	const struct shape *theta = &ex_in(e, 0)->shape;
	struct shape to = { 0 };
	struct dims size = { 0 };
	s64 elements = 1;
	int rc = ex_integers(e, 1, &size), spatial = size.n - 2;

	if (rc)
		return rc;
	if (theta->rank != 3 || spatial < 2 || spatial > 3 || theta->dim[0] != size.v[0] ||
	    theta->dim[1] != spatial || theta->dim[2] != spatial + 1)
		return expand_refuse(e, -EINVAL, "its matrices do not fit the size of the grid");
	to.dim[to.rank++] = size.v[0];
	for (int d = 0; d < spatial; d++) {
		if (size.v[2 + d] < 1 || size.v[2 + d] > TENSOR_ELEMS_MAX / elements)
			return expand_refuse(e, -EFBIG, "a grid of no, or too many, elements");
		elements *= size.v[2 + d];
		to.dim[to.rank++] = size.v[2 + d];
	}
	to.dim[to.rank++] = spatial;
	return expand_as(e, ex_transpose(e, ex2(e, OP_MATMUL, ex_in(e, 0), places(e, &size)), turn),
			 &to);
}
