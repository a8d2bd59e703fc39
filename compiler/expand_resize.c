// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Resize, one axis after the other: element i of the result is a sum of few elements of the input,
 * whose places and weights are known. Written from the ONNX reference implementation.
 */
#include "compiler/expand.h"

#include <errno.h>
#include <math.h>

enum { TAPS_MAX = 64, SIZE_MAX_OUT = 1 << 16 };

/* One axis. */
struct resize {
	s64 in, out;
	double scale;
	double from, to; /* region of interest, of tf_crop_and_resize */
};

/*
 * Where element @i of the result lies in the input. In f32, as runtimes work it out: where it is a
 * half, or an integer, decides which element is the nearest.
 */
static float coordinate(const struct attrs *a, const struct resize *r, s64 i)
{
	const char *mode = a->coordinates;
	float in = (float)r->in, out = (float)r->out, x = (float)i, scale = (float)r->scale;
	float from = (float)r->from, to = (float)r->to;

	if (ex_says(mode, "align_corners"))
		return r->out == 1 ? 0 : x * (in - 1) / (out - 1);
	if (ex_says(mode, "asymmetric"))
		return x / scale;
	if (ex_says(mode, "tf_crop_and_resize"))
		return r->out > 1 ? from * (in - 1) + x * (to - from) * (in - 1) / (out - 1) :
				    0.5f * (from + to) * (in - 1);
	if (ex_says(mode, "pytorch_half_pixel") && r->out == 1)
		return 0;
	if (ex_says(mode, "half_pixel_symmetric"))
		return in / 2 * (1 - out / (scale * in)) + (x + 0.5f) / scale - 0.5f;
	if (ex_says(mode, "tf_half_pixel_for_nn"))
		return (x + 0.5f) / scale;
	return (x + 0.5f) / scale - 0.5f;
}

/* By scale, before operator set 11: below where @r enlarges, above where it makes smaller. */
static double nearest(const char *mode, const struct resize *r, double x)
{
	if (ex_says(mode, "by_scale"))
		return r->scale < 1 ? ceil(x) : floor(x);
	if (ex_says(mode, "floor"))
		return floor(x);
	if (ex_says(mode, "ceil"))
		return ceil(x);
	return ex_says(mode, "round_prefer_ceil") ? floor(x + 0.5) : ceil(x - 0.5);
}

/* The weight of an element at distance @x. */
static double kernel(const struct attrs *a, double x)
{
	double c = (double)a->cubic_coeff_a;

	x = fabs(x);
	if (ex_says(a->mode, "linear"))
		return x < 1 ? 1 - x : 0;
	if (x <= 1)
		return ((c + 2) * x - (c + 3)) * x * x + 1;
	return x < 2 ? ((c * x - 5 * c) * x + 8 * c) * x - 4 * c : 0;
}

/* The elements that count for each element of the result. */
struct taps {
	int n;
	s64 *index; /* [n][out] */
	double *weight;
	bool *outside; /* of the result, elements that lie outside of the input */
};

static void find_taps(const struct attrs *a, const struct resize *r, struct taps *t, s64 i)
{
	double x = (double)coordinate(a, r, i), base, part, sum = 0;
	double narrow = a->antialias && r->scale < 1 ? r->scale : 1;
	bool crop = ex_says(a->coordinates, "tf_crop_and_resize");

	t->outside[i] = crop && (x < 0 || x > (double)(r->in - 1));
	if (ex_says(a->mode, "nearest")) {
		base = nearest(a->nearest_mode, r, x);
		t->index[i] = base < 0 ? 0 : base > (double)(r->in - 1) ? r->in - 1 : (s64)base;
		t->weight[i] = 1;
		return;
	}
	base = floor(x);
	part = x - base;
	if (part == 0) { /* the element itself is the last of the left half */
		base -= 1;
		part = 1;
	}
	for (int k = 0; k < t->n; k++) {
		double at = (double)(k - t->n / 2 + 1), w = kernel(a, (at - part) * narrow);
		double where = base + at;

		if (a->exclude_outside && (where < 0 || where > (double)(r->in - 1)))
			w = 0;
		where = where < 0 ? 0 : where > (double)(r->in - 1) ? (double)(r->in - 1) : where;
		t->index[k * r->out + i] = (s64)where;
		t->weight[k * r->out + i] = w;
		sum += w;
	}
	for (int k = 0; k < t->n && (a->exclude_outside || narrow < 1); k++)
		t->weight[k * r->out + i] /= sum;
}

static int make_taps(struct expand *e, const struct resize *r, struct taps *t)
{
	const struct attrs *a = &e->n->attrs;
	double reach = ex_says(a->mode, "nearest") ? 0 : ex_says(a->mode, "linear") ? 1 : 2;

	if (a->antialias && r->scale < 1)
		reach = 1 - floor(-reach / r->scale + 1);
	t->n = reach ? (int)(2 * reach) : 1;
	if (2 * reach > TAPS_MAX)
		return expand_refuse(e, -ENOTSUP, "each element is made of more than %d", TAPS_MAX);
	t->index = graph_alloc(e->g, (size_t)(t->n * r->out) * sizeof(*t->index));
	t->weight = graph_alloc(e->g, (size_t)(t->n * r->out) * sizeof(*t->weight));
	t->outside = graph_alloc(e->g, (size_t)r->out);
	if (!t->index || !t->weight || !t->outside)
		return e->g->err->code;
	for (s64 i = 0; i < r->out; i++)
		find_taps(a, r, t, i);
	return 0;
}

/* A constant vector along @axis. */
static struct value *along(struct expand *e, const struct value *x, int axis, enum dtype type,
			   const double *v, s64 n)
{
	struct shape s = { .rank = x->shape.rank };

	for (int d = 0; d < s.rank; d++)
		s.dim[d] = d == axis ? n : 1;
	return ex_view(e, ex_vector(e, type, n, v), &s);
}

static bool all_are(const double *w, s64 n, double value)
{
	for (s64 i = 0; i < n; i++) {
		if (w[i] != value)
			return false;
	}
	return true;
}

static struct value *blank_outside(struct expand *e, struct value *y, int axis,
				   const struct taps *t, s64 out)
{
	double *mask = graph_alloc(e->g, (size_t)out * sizeof(*mask));
	bool any = false;

	for (s64 i = 0; mask && i < out; i++) {
		mask[i] = t->outside[i];
		any |= t->outside[i];
	}
	if (!mask || !any || !y)
		return mask ? y : NULL;
	return ex_where(e, along(e, y, axis, DTYPE_BOOL, mask, out),
			ex_like(e, y, (double)e->n->attrs.extrapolation_value), y);
}

static struct value *resize_axis(struct expand *e, struct value *x, int axis,
				 const struct resize *r)
{
	struct value *y = NULL, *part;
	struct taps t = { 0 };

	if (!x || make_taps(e, r, &t))
		return NULL;
	for (int k = 0; k < t.n; k++) {
		const double *w = &t.weight[k * r->out];

		if (all_are(w, r->out, 0))
			continue;
		part = ex_take(e, x, axis, &t.index[k * r->out], r->out);
		if (part && !all_are(w, r->out, 1))
			part = ex2(e, OP_MUL, part, along(e, part, axis, DTYPE_F32, w, r->out));
		if (!part)
			return NULL;
		y = y ? ex2(e, OP_ADD, y, part) : part;
	}
	return blank_outside(e, y, axis, &t, r->out);
}

/* ---- What the inputs say --------------------------------------------------------------------- */

/* Element @i of a constant f32 input. */
static double number_in(const struct value *v, s64 i)
{
	return (double)((const float *)v->data)[i];
}

/* Sizes become scales, of which the policy may take one for all. */
static int read_sizes(struct expand *e, const struct dims *axes, struct resize *r)
{
	const char *keep = e->n->attrs.keep_aspect;
	struct dims sizes;
	double one;
	int rc = ex_integers(e, 3, &sizes);

	if (rc)
		return rc;
	if (sizes.n != axes->n)
		return expand_refuse(e, -EINVAL, "%d sizes for %d axes", sizes.n, axes->n);
	one = ex_says(keep, "not_larger") ? INFINITY : 0;
	for (int i = 0; i < axes->n; i++) {
		struct resize *a = &r[axes->v[i]];

		a->out = sizes.v[i];
		a->scale = (double)a->out / (double)a->in;
		one = ex_says(keep, "not_larger") ? fmin(one, a->scale) : fmax(one, a->scale);
	}
	for (int i = 0; i < axes->n && !ex_says(keep, "stretch"); i++) {
		struct resize *a = &r[axes->v[i]];

		a->scale = one;
		a->out = (s64)floor(one * (double)a->in + 0.5);
	}
	return 0;
}

static int read_scales(struct expand *e, int input, const struct dims *axes, struct resize *r)
{
	const struct value *scales = ex_in(e, input);

	if (!scales || !scales->data)
		return expand_refuse(e, -ENOTSUP, "its scales are known only at run time");
	if (shape_elems(&scales->shape) != axes->n)
		return expand_refuse(e, -EINVAL, "%lld scales for %d axes",
				     (long long)shape_elems(&scales->shape), axes->n);
	for (int i = 0; i < axes->n; i++) {
		struct resize *a = &r[axes->v[i]];

		a->scale = number_in(scales, i);
		if (!(a->scale > 0 && a->scale * (double)a->in <= SIZE_MAX_OUT))
			return expand_refuse(e, -EINVAL, "a scale of %g", a->scale);
		a->out = (s64)floor((double)a->in * a->scale);
	}
	return 0;
}

static int read_region(struct expand *e, const struct dims *axes, struct resize *r)
{
	const struct value *roi = ex_in(e, 1);

	if (!ex_says(e->n->attrs.coordinates, "tf_crop_and_resize"))
		return 0;
	if (!roi || !roi->data || shape_elems(&roi->shape) != 2 * axes->n)
		return expand_refuse(e, -ENOTSUP,
				     "its region must be a constant of two numbers for each axis");
	for (int i = 0; i < axes->n; i++) {
		r[axes->v[i]].from = number_in(roi, i);
		r[axes->v[i]].to = number_in(roi, axes->n + i);
	}
	return 0;
}

static int resize_all(struct expand *e, const struct dims *axes, struct resize *r)
{
	bool crop = ex_says(e->n->attrs.coordinates, "tf_crop_and_resize");
	struct value *y = ex_in(e, 0);

	for (int i = 0; i < axes->n; i++) {
		struct resize *a = &r[axes->v[i]];

		if (a->out < 1 || a->out > SIZE_MAX_OUT || a->in < 1)
			return expand_refuse(e, -EINVAL, "%lld elements become %lld",
					     (long long)a->in, (long long)a->out);
		if (a->scale != 1 || a->out != a->in || crop)
			y = resize_axis(e, y, (int)axes->v[i], a);
	}
	if (y == ex_in(e, 0))
		y = ex1(e, OP_IDENTITY, y);
	return expand_output(e, 0, y);
}

int expand_resize(struct expand *e)
{
	const struct attrs *a = &e->n->attrs;
	const struct shape *x = &ex_in(e, 0)->shape;
	const struct value *scales = ex_in(e, 2);
	struct dims axes = a->axes.n ? a->axes : ex_axes(0, x->rank);
	struct resize r[TENSOR_RANK_MAX] = { { 0 } };
	int rc = 0;

	for (int i = 0; i < axes.n; i++) {
		axes.v[i] += axes.v[i] < 0 ? x->rank : 0;
		if (axes.v[i] < 0 || axes.v[i] >= x->rank)
			return expand_refuse(e, -EINVAL, "an axis is outside the %d dimensions",
					     x->rank);
		r[axes.v[i]].in = x->dim[axes.v[i]];
	}
	if (ex_in(e, 3))
		rc = read_sizes(e, &axes, r);
	else /* before operator set 11 the scales are the second input */
		rc = read_scales(e, scales ? 2 : 1, &axes, r);
	if (!rc)
		rc = read_region(e, &axes, r);
	return rc ? rc : resize_all(e, &axes, r);
}

/* What Resize did before it was called so. */
int expand_upsample(struct expand *e)
{
	struct dims axes = ex_axes(0, ex_in(e, 0)->shape.rank);
	struct resize r[TENSOR_RANK_MAX] = { { 0 } };
	int rc;

	for (int d = 0; d < axes.n; d++)
		r[d].in = ex_in(e, 0)->shape.dim[d];
	if (ex_says(e->n->attrs.mode, "bilinear")) /* what operator set 6 calls it */
		e->n->attrs.mode = "linear";
	e->n->attrs.coordinates = "asymmetric";
	e->n->attrs.nearest_mode = "by_scale";
	rc = read_scales(e, 1, &axes, r);
	return rc ? rc : resize_all(e, &axes, r);
}
