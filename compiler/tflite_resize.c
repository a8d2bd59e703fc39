// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR of TensorFlow Lite -> nodes: rows and columns by
 * constant indices, one dimension after the other. Bytes of s8 are interpolated with weights of 10
 * bits, whose products add up to s32 without rounding, so that the order does not matter; those of
 * u8 in f32, in the order of the reference.
 */
#include "compiler/tflite_operators.h"

#include <errno.h>
#include <math.h>

enum { NEAREST_CORNERS, NEAREST_CENTRES };
enum { BILINEAR_CORNERS = 2, BILINEAR_CENTRES };
enum { BITS = 10, ONE = 1 << BITS, SIZE_MAX_OF_IMAGE = 1 << 20 };

/* How one dimension is resized. */
struct axis {
	s64 in, out;
	bool corners, centres;
};

/* What output @i is between: slices, and the weight of the second. */
struct between {
	s64 low, high;
	float part;
	s32 part_of_one;
};

static s64 at_most(s64 x, s64 most)
{
	return x > most ? most : x < 0 ? 0 : x;
}

/* As GetNearestNeighbor(), in f32. */
static s64 nearest(const struct axis *a, s64 i)
{
	bool corners = a->corners && a->out > 1;
	float scale = corners ? (float)(a->in - 1) / (float)(a->out - 1) :
				(float)a->in / (float)a->out;
	float at = ((float)i + (a->centres ? 0.5f : 0)) * scale;

	return at_most((s64)(a->corners ? roundf(at) : floorf(at)), a->in - 1);
}

/* As ComputeInterpolationValues(), in f32. */
static struct between between(const struct axis *a, s64 i)
{
	bool corners = a->corners && a->out > 1;
	float scale = corners ? (float)(a->in - 1) / (float)(a->out - 1) :
				(float)a->in / (float)a->out;
	float at = a->centres ? ((float)i + 0.5f) * scale - 0.5f : (float)i * scale;
	struct between b = { at_most((s64)floorf(at), a->in - 1),
			     at_most((s64)ceilf(at), a->in - 1), 0, 0 };

	b.part = at - (float)b.low;
	return b;
}

/* The same with 10 bits behind the point. */
static struct between between_of_ten(const struct axis *a, s64 i)
{
	s64 out = a->corners && a->out > 1 ? a->out - 1 : a->out;
	s64 in = a->corners && a->out > 1 ? a->in - 1 : a->in;
	s64 scale = (ONE * in + out / 2) / out, at = i * scale;
	struct between b;

	at += a->centres ? scale / 2 - ONE / 2 : 0;
	b.low = at_most(at / ONE, a->in - 1);
	b.high = at_most((at + ONE - 1) / ONE, a->in - 1);
	b.part_of_one = (s32)(at - ONE * b.low);
	b.part = 0;
	return b;
}

/* Slices of @v along dimension @d, which is @axis: of each output, by @which. */
static struct value *slices(const struct tflite_operator *o, struct value *v, int d,
			    const s64 *list, s64 n)
{
	const struct shape shape = { 1, { n } };
	struct value *in[2] = { v, graph_const(o->r->g, "", DTYPE_S64, &shape, list) };
	struct node *node;

	v = in[1] ? tflite_add_node(o, OP_TAKE, in, 2, &node) : NULL;
	if (v)
		node_set_int(node, ATTR_axis, d);
	return v;
}

/* @v times @weights, which lie along dimension @d of four. */
static struct value *weighed(const struct tflite_operator *o, struct value *v, int d,
			     enum dtype type, const void *weights, s64 n)
{
	struct shape shape = { 4 - d, { n, 1, 1, 1 } };
	struct value *in[2] = { v, graph_const(o->r->g, "", type, &shape, weights) };

	return v && in[1] ? tflite_add_node(o, OP_MUL, in, 2, NULL) : NULL;
}

static struct value *interpolated(const struct tflite_operator *o, struct value *v, int d,
				  const struct axis *a, enum dtype type)
{
	size_t n = (size_t)a->out;
	s64 *low = graph_alloc(o->r->g, 2 * n * sizeof(s64)), *high = low + n;
	float *floats = graph_alloc(o->r->g, 2 * n * sizeof(float));
	s32 *integers = graph_alloc(o->r->g, 2 * n * sizeof(s32));
	const void *weights[2];
	struct value *in[2];

	if (!low || !floats || !integers)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct between b = type == DTYPE_F32 ? between(a, (s64)i) :
						       between_of_ten(a, (s64)i);

		low[i] = b.low;
		high[i] = b.high;
		floats[i] = 1 - b.part;
		floats[n + i] = b.part;
		integers[i] = ONE - b.part_of_one;
		integers[n + i] = b.part_of_one;
	}
	weights[0] = type == DTYPE_F32 ? (const void *)floats : integers;
	weights[1] = type == DTYPE_F32 ? (const void *)(floats + n) : integers + n;
	in[0] = weighed(o, slices(o, v, d, low, a->out), d, type, weights[0], a->out);
	in[1] = in[0] ? weighed(o, slices(o, v, d, high, a->out), d, type, weights[1], a->out) :
			NULL;
	return in[1] ? tflite_add_node(o, OP_ADD, in, 2, NULL) : NULL;
}

static struct value *all_nearest(const struct tflite_operator *o, struct value *v, int d,
				 const struct axis *a)
{
	s64 *list = graph_alloc(o->r->g, (size_t)a->out * sizeof(s64));

	for (s64 i = 0; list && i < a->out; i++)
		list[i] = nearest(a, i);
	return list ? slices(o, v, d, list, a->out) : NULL;
}

/* The image, the size of its result, and the options from field @corners on. */
static int read_axes(const struct tflite_operator *o, const struct tflite_tensor *x, u32 corners,
		     struct axis a[2])
{
	struct dims size;

	if (tflite_read_numbers(o, 1, "the size of its result", &size))
		return o->r->g->err->code;
	if (size.n != 2 || x->shape.rank != 4)
		return tflite_fail(o, -EINVAL, "it has %d sizes for %d dimensions", size.n,
				   x->shape.rank);
	for (int i = 0; i < 2; i++) {
		a[i] = (struct axis){ x->shape.dim[1 + i], size.v[i],
				      fb_int(&o->options, corners, 1, 0),
				      fb_int(&o->options, corners + 1, 1, 0) };
		if (a[i].in < 1 || a[i].out < 1 || a[i].in > SIZE_MAX_OF_IMAGE ||
		    a[i].out > SIZE_MAX_OF_IMAGE)
			return tflite_fail(o, -EINVAL, "a size is %lld, and %lld in its result",
					   (long long)a[i].in, (long long)a[i].out);
		if (tflite_is_open(x, 1 + i))
			return tflite_fail(o, -ENOTSUP,
					   "an image whose size is left open is not supported");
	}
	return 0;
}

/* Which of the two slices, and the weights of these. */
struct chosen {
	s64 *slice;
	float *weight;
};

static bool choose(const struct tflite_operator *o, const struct axis *a, bool high,
		   struct chosen *c)
{
	c->slice = graph_alloc(o->r->g, (size_t)a->out * sizeof(s64));
	c->weight = graph_alloc(o->r->g, (size_t)a->out * sizeof(float));
	for (s64 i = 0; c->slice && c->weight && i < a->out; i++) {
		struct between b = between(a, i);

		c->slice[i] = high ? b.high : b.low;
		c->weight[i] = high ? b.part : 1 - b.part;
	}
	return c->slice && c->weight;
}

/* What one of the four neighbours of each pixel gives to it, in f32. */
static struct value *corner(const struct tflite_operator *o, struct value *v,
			    const struct axis a[2], bool below, bool right)
{
	struct chosen c[2];

	if (!v || !choose(o, &a[0], below, &c[0]) || !choose(o, &a[1], right, &c[1]))
		return NULL;
	for (int i = 0; i < 2 && v; i++)
		v = slices(o, v, 2 + i, c[i].slice, a[i].out);
	for (int i = 0; i < 2 && v; i++)
		v = weighed(o, v, 2 + i, DTYPE_F32, c[i].weight, a[i].out);
	return v;
}

/* As ResizeBilinear() of integers: all four, and a half, whose whole part it is. */
static struct value *interpolated_u8(const struct tflite_operator *o, struct value *v,
				     const struct axis a[2])
{
	static const struct shape scalar = { 0 };
	const float half = 0.5f;
	struct value *in[2], *x;
	struct node *n;

	x = tflite_add_node(o, OP_CAST, &v, 1, &n);
	if (x)
		node_set_int(n, ATTR_to, dtype_number(DTYPE_F32));
	in[0] = corner(o, x, a, false, false);
	for (int i = 1; i <= 4 && in[0]; i++) {
		in[1] = i < 4 ? corner(o, x, a, i & 1, i >> 1) :
				graph_const(o->r->g, "", DTYPE_F32, &scalar, &half);
		in[0] = in[1] ? tflite_add_node(o, OP_ADD, in, 2, NULL) : NULL;
	}
	v = in[0] ? tflite_add_node(o, OP_FLOOR, in, 1, NULL) : NULL;
	return tflite_as_bytes(o, v, DTYPE_U8);
}

int tflite_read_resize_nearest(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *v = out ? tflite_planes(o, x) : NULL;
	struct axis a[2];

	(void)argument;
	if (!v || read_axes(o, x, NEAREST_CORNERS, a) ||
	    (tflite_is_quantised(x) ? tflite_check_same(o, x, out) : tflite_only_floats(o, x)))
		return o->r->g->err->code;
	for (int i = 0; i < 2 && v; i++)
		v = all_nearest(o, v, 2 + i, &a[i]);
	return v ? tflite_make(o, out, v, true) : o->r->g->err->code;
}

int tflite_read_resize_bilinear(struct tflite_operator *o, int argument)
{
	struct tflite_tensor *x = tflite_input(o, 0), *out = x ? tflite_output(o, 0) : NULL;
	struct value *v = out ? tflite_planes(o, x) : NULL;
	struct axis a[2];
	struct node *n;
	bool bytes;

	(void)argument;
	if (!v || read_axes(o, x, BILINEAR_CORNERS, a) ||
	    (tflite_is_quantised(x) ? tflite_check_same(o, x, out) : tflite_only_floats(o, x)))
		return o->r->g->err->code;
	if (x->dtype == DTYPE_U8) {
		v = interpolated_u8(o, v, a);
		return v ? tflite_make(o, out, v, true) : o->r->g->err->code;
	}
	bytes = x->dtype == DTYPE_S8;
	if (bytes) {
		v = tflite_add_node(o, OP_CAST, &v, 1, &n);
		if (v)
			node_set_int(n, ATTR_to, dtype_number(DTYPE_S32));
	}
	for (int i = 0; i < 2 && v; i++)
		v = interpolated(o, v, 2 + i, &a[i], bytes ? DTYPE_S32 : DTYPE_F32);
	if (v && bytes)
		v = tflite_divide_by_power(o, v, 2 * BITS, out);
	return v ? tflite_make(o, out, v, true) : o->r->g->err->code;
}
