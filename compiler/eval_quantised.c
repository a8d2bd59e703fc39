// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The interpreter's operators on quantised tensors: exact, so that the machine gives the same bits.
 */
#include "compiler/eval_ops.h"
#include "compiler/quantise.h"
#include "compiler/shape.h"
#include "compiler/window.h"

#include <math.h>

s32 quantise_read(enum dtype type, const void *bytes, s64 i)
{
	switch (type) {
	case DTYPE_S8:
		return ((const s8 *)bytes)[i];
	case DTYPE_S32:
		return ((const s32 *)bytes)[i];
	default:
		return ((const u8 *)bytes)[i];
	}
}

static s32 bounded(s64 x, s32 lo, s32 hi)
{
	x = x < lo ? lo : x;
	return (s32)(x > hi ? hi : x);
}

static void write_byte(enum dtype type, void *bytes, s64 i, s64 x)
{
	((u8 *)bytes)[i] = (u8)bounded(x, quantise_least(type), quantise_most(type));
}

/* Half to even, saturated to s32; NaN gives 0. */
static s32 round_s32(float x)
{
	if (x != x)
		return 0;
	if (x >= 0x1p31f)
		return INT32_MAX;
	return x < -0x1p31f ? INT32_MIN : (s32)rintf(x);
}

/* Element @i of input @k, a scalar or a vector of channels; 0 where it is left out. */
static s32 parameter(const struct node *n, const void *const in[], int k, s64 i)
{
	const struct value *v = node_in(n, k);

	if (!v)
		return 0;
	return quantise_read(v->dtype, in[k], shape_elems(&v->shape) == 1 ? 0 : i);
}

/* ---- Requantise ------------------------------------------------------------------------------ */

enum { SHIFT_MAX = 31 };

static s32 wrap(s64 x)
{
	return (s32)(u32)(u64)x;
}

s32 quantise_srdhm(s32 a, s32 b)
{
	s64 product = (s64)a * b, nudge = product >= 0 ? INT64_C(1) << 30 : 1 - (INT64_C(1) << 30);

	if (a == INT32_MIN && b == INT32_MIN)
		return INT32_MAX;
	return (s32)((product + nudge) / (INT64_C(1) << 31));
}

s32 quantise_divide(s32 x, int shift)
{
	s64 half = shift ? INT64_C(1) << (shift - 1) : 0;

	return (s32)(x < 0 ? -((-(s64)x + half) >> shift) : ((s64)x + half) >> shift);
}

s32 requantise(const struct requantise *r, s32 x)
{
	s32 t = wrap((s64)((u64)((s64)x + r->bias) << r->left)), y;
	int left = r->shift, right = -r->shift;
	float multiplier;

	if (r->fixed) {
		y = quantise_srdhm(left > 0 ? wrap((s64)((u64)(s64)t << left)) : t, r->multiplier);
		y = right > 0 ? quantise_divide(y, right) : y;
	} else {
		memcpy(&multiplier, &r->multiplier, sizeof(multiplier));
		y = round_s32((float)t * multiplier);
	}
	return bounded((s64)y + r->zero, r->lo, r->hi);
}

void quantise_bounds(const struct node *n, s32 *lo, s32 *hi)
{
	float least = (float)quantise_least(n->out[0]->dtype);
	float most = (float)quantise_most(n->out[0]->dtype);

	*lo = (s32)eval_clamp(n->attrs.lo, least, most);
	*hi = (s32)eval_clamp(n->attrs.hi, least, most);
}

static struct requantise requantise_with(const struct node *n, const void *const in[], s64 c)
{
	const struct value *multiplier = node_in(n, 1);
	struct requantise r = { .fixed = multiplier->dtype == DTYPE_S32 };

	memcpy(&r.multiplier,
	       (const char *)in[1] + (shape_elems(&multiplier->shape) == 1 ? 0 : 4 * c), 4);
	r.zero = parameter(n, in, 2, 0);
	r.bias = parameter(n, in, 3, c);
	r.shift = parameter(n, in, 4, c);
	r.shift = r.shift > SHIFT_MAX ? SHIFT_MAX : r.shift < -SHIFT_MAX ? -SHIFT_MAX : r.shift;
	quantise_bounds(n, &r.lo, &r.hi);
	return r;
}

struct requantise requantise_of(const struct node *n, s64 c)
{
	const void *in[NODE_IN_FIXED] = { 0 };

	for (int i = 1; i < n->n_in; i++)
		in[i] = node_in(n, i) ? node_in(n, i)->data : NULL;
	return requantise_with(n, in, c);
}

/* Elements behind each index of dimension @axis. */
static s64 elems_behind(const struct shape *s, int axis)
{
	s64 n = 1;

	for (int i = axis + 1; i < s->rank; i++)
		n *= s->dim[i];
	return n;
}

void eval_requantize(const struct graph *g, const struct node *n, const void *const in[],
		     void *const out[])
{
	const struct shape *s = &n->out[0]->shape;
	int axis = node_axis(n, s->rank);
	s64 elems = shape_elems(s), inner = elems_behind(s, axis);
	const s32 *x = in[0];
	u8 *y = out[0];

	(void)g;
	for (s64 i = 0; i < elems; i++) {
		struct requantise r = requantise_with(n, in, i / inner % s->dim[axis]);

		y[i] = (u8)requantise(&r, x[i]);
	}
}

/* ---- In and out of integers ------------------------------------------------------------------ */

/* The channel of element @i, for parameters that are vectors. */
static s64 channel_of(const struct node *n, const struct shape *s, s64 i)
{
	int axis;

	if (shape_elems(&node_in(n, 1)->shape) == 1)
		return 0;
	axis = node_axis(n, s->rank);
	return i / elems_behind(s, axis) % s->dim[axis];
}

void eval_quantize(const struct graph *g, const struct node *n, const void *const in[],
		   void *const out[])
{
	const struct shape *s = &n->out[0]->shape;
	enum dtype type = n->out[0]->dtype;
	const float *x = in[0], *scale = in[1];
	s64 elems = shape_elems(s);

	(void)g;
	for (s64 i = 0; i < elems; i++) {
		s64 c = channel_of(n, s, i);
		s32 zero = parameter(n, in, 2, c);
		float y = x[i] / scale[c], least = (float)(quantise_least(type) - zero);

		/* NaN gives the least integer, as in ONNX Runtime. */
		write_byte(type, out[0], i, (s64)round_s32(y > least ? y : least) + zero);
	}
}

void eval_dequantize(const struct graph *g, const struct node *n, const void *const in[],
		     void *const out[])
{
	const struct shape *s = &n->out[0]->shape;
	const float *scale = in[1];
	s64 elems = shape_elems(s);
	float *y = out[0];

	(void)g;
	for (s64 i = 0; i < elems; i++) {
		s64 c = channel_of(n, s, i);
		s32 x = quantise_read(node_in(n, 0)->dtype, in[0], i);

		y[i] = (float)wrap((s64)x - parameter(n, in, 2, c)) * scale[c];
	}
}

void eval_table(const struct graph *g, const struct node *n, const void *const in[],
		void *const out[])
{
	s64 elems = shape_elems(&n->out[0]->shape);
	const u8 *x = in[0], *table = in[1];
	u8 *y = out[0];

	(void)g;
	for (s64 i = 0; i < elems; i++)
		y[i] = table[x[i]];
}

/* ---- Sums ------------------------------------------------------------------------------------ */

/* The input row or column that cell @k of output @o sees; -1 in the padding. */
static s64 source(const struct window_axis *a, s64 o, s64 k)
{
	s64 at = o * a->stride - a->pad + k * a->dilation;

	return at >= 0 && at < a->in ? at : -1;
}

/* One product of a convolution: x from element @x on, w from element @w on. */
struct point {
	const void *x, *w;
	enum dtype x_type, w_type;
	s32 x_zero, w_zero;
};

static u32 multiply(const struct point *p, s64 x, s64 w)
{
	return (u32)((quantise_read(p->x_type, p->x, x) - p->x_zero) *
		     (quantise_read(p->w_type, p->w, w) - p->w_zero));
}

static u32 conv_point(const struct window *w, const struct point *p, s64 x, s64 k, s64 channels,
		      s64 oy, s64 ox)
{
	const struct window_axis *v = &w->axis[0], *h = &w->axis[1];
	u32 sum = 0;

	for (s64 c = 0; c < channels; c++) {
		for (s64 ky = 0; ky < v->kernel; ky++) {
			s64 y = source(v, oy, ky);

			for (s64 kx = 0; kx < h->kernel; kx++) {
				s64 at = source(h, ox, kx);

				if (y >= 0 && at >= 0)
					sum += multiply(p, x + (c * v->in + y) * h->in + at,
							k + (c * v->kernel + ky) * h->kernel + kx);
			}
		}
	}
	return sum;
}

void eval_conv_integer(const struct graph *g, const struct node *n, const void *const in[],
		       void *const out[])
{
	const struct shape *xs = &node_in(n, 0)->shape, *ks = &node_in(n, 1)->shape;
	s64 maps = ks->dim[0], channels = ks->dim[1], per_group = maps / n->attrs.group;
	struct point p = { in[0], in[1], node_in(n, 0)->dtype, node_in(n, 1)->dtype, 0, 0 };
	u32 *y = out[0];
	struct window w;

	if (window_of(g, n, &w))
		return;
	p.x_zero = parameter(n, in, 2, 0);
	for (s64 i = 0; i < xs->dim[0] * maps; i++) {
		s64 image = i / maps, m = i % maps;
		s64 first = image * xs->dim[1] + m / per_group * channels;
		s64 x = first * w.axis[0].in * w.axis[1].in;
		s64 k = m * channels * w.axis[0].kernel * w.axis[1].kernel;

		p.w_zero = parameter(n, in, 3, m);
		for (s64 oy = 0; oy < w.axis[0].out; oy++) {
			for (s64 ox = 0; ox < w.axis[1].out; ox++)
				*y++ = conv_point(&w, &p, x, k, channels, oy, ox);
		}
	}
}

/* A vector on the left counts as a row, on the right as a column. */
void eval_matmul_integer(const struct graph *g, const struct node *n, const void *const in[],
			 void *const out[])
{
	struct shape a = node_in(n, 0)->shape, b = node_in(n, 1)->shape, batch;
	s64 rows = a.rank > 1 ? a.dim[a.rank - 2] : 1, len = a.dim[a.rank - 1];
	s64 columns = b.rank > 1 ? b.dim[b.rank - 1] : 1;
	s64 stride[2][TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, at[2] = { 0 };
	struct point p = { in[0], in[1], node_in(n, 0)->dtype, node_in(n, 1)->dtype, 0, 0 };
	u32 *y = out[0];

	(void)g;
	if (!shape_elems(&n->out[0]->shape))
		return;
	p.x_zero = parameter(n, in, 2, 0);
	a.rank = a.rank > 2 ? a.rank - 2 : 0;
	b.rank = b.rank > 2 ? b.rank - 2 : 0;
	shape_broadcast(&a, &b, &batch);
	shape_broadcast_strides(&a, &batch, stride[0]);
	shape_broadcast_strides(&b, &batch, stride[1]);
	do { /* the offsets count matrices */
		for (s64 i = 0; i < rows * columns; i++) {
			s64 x = (at[0] * rows + i / columns) * len;
			s64 w = at[1] * len * columns + i % columns;
			u32 sum = 0;

			p.w_zero = parameter(n, in, 3, i % columns);
			for (s64 k = 0; k < len; k++)
				sum += multiply(&p, x + k, w + k * columns);
			*y++ = sum;
		}
	} while (eval_step(&batch, index, stride, at, 2));
}

void eval_sum_pool(const struct graph *g, const struct node *n, const void *const in[],
		   void *const out[])
{
	const struct shape *xs = &node_in(n, 0)->shape;
	static const u8 one = 1;
	struct point p = { in[0], &one, node_in(n, 0)->dtype, DTYPE_U8, 0, 0 };
	u32 *y = out[0];
	struct window w;

	if (window_of(g, n, &w))
		return;
	p.x_zero = parameter(n, in, 1, 0);
	for (s64 plane = 0; plane < xs->dim[0] * xs->dim[1]; plane++) {
		s64 x = plane * w.axis[0].in * w.axis[1].in;

		for (s64 i = 0; i < w.axis[0].out * w.axis[1].out; i++) {
			s64 oy = i / w.axis[1].out, ox = i % w.axis[1].out;
			u32 sum = 0;

			for (s64 k = 0; k < w.axis[0].kernel * w.axis[1].kernel; k++) {
				s64 sy = source(&w.axis[0], oy, k / w.axis[1].kernel);
				s64 sx = source(&w.axis[1], ox, k % w.axis[1].kernel);

				if (sy >= 0 && sx >= 0)
					sum += multiply(&p, x + sy * w.axis[1].in + sx, 0);
			}
			*y++ = sum;
		}
	}
}

/* The maximum of the window of output @i over the plane that begins with element @x. */
static s32 max_point(const struct window *w, enum dtype type, const void *from, s64 x, s64 i)
{
	s64 oy = i / w->axis[1].out, ox = i % w->axis[1].out;
	s32 max = quantise_least(type);

	for (s64 k = 0; k < w->axis[0].kernel * w->axis[1].kernel; k++) {
		s64 sy = source(&w->axis[0], oy, k / w->axis[1].kernel);
		s64 sx = source(&w->axis[1], ox, k % w->axis[1].kernel);

		if (sy >= 0 && sx >= 0) {
			s32 cell = quantise_read(type, from, x + sy * w->axis[1].in + sx);

			max = cell > max ? cell : max;
		}
	}
	return max;
}

void eval_max_of_bytes(const struct graph *g, const struct node *n, const void *x, u8 *y)
{
	const struct value *v = node_in(n, 0);
	struct window w;

	if (window_of(g, n, &w))
		return;
	for (s64 plane = 0; plane < v->shape.dim[0] * v->shape.dim[1]; plane++) {
		for (s64 i = 0; i < w.axis[0].out * w.axis[1].out; i++)
			*y++ = (u8)max_point(&w, v->dtype, x, plane * w.axis[0].in * w.axis[1].in,
					     i);
	}
}

/* ---- QLinearAdd ------------------------------------------------------------------------------ */

struct quantised_sum quantised_sum_of(const struct node *n, const void *const in[])
{
	float scale[3], zero[3];
	struct quantised_sum s;

	for (int k = 0; k < 3; k++) {
		scale[k] = *(const float *)in[3 * k + (k < 2)];
		zero[k] = (float)parameter(n, in, 3 * k + (k < 2) + 1, 0);
	}
	s.a = scale[0] / scale[2];
	s.b = scale[1] / scale[2];
	s.rest = zero[2] - fmaf(s.a, zero[0], s.b * zero[1]);
	return s;
}

void eval_qlinear_add(const struct graph *g, const struct node *n, const void *const in[],
		      void *const out[])
{
	const struct value *a = node_in(n, 0), *b = node_in(n, 3);
	const struct quantised_sum s = quantised_sum_of(n, in);
	const struct shape *y = &n->out[0]->shape;
	s64 stride[2][TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, at[2] = { 0 }, i = 0;
	s32 lo, hi;

	(void)g;
	if (!shape_elems(y))
		return;
	quantise_bounds(n, &lo, &hi);
	shape_broadcast_strides(&a->shape, y, stride[0]);
	shape_broadcast_strides(&b->shape, y, stride[1]);
	do {
		float x = (float)quantise_read(b->dtype, in[3], at[1]);

		x = fmaf(x, s.b, s.rest);
		x = fmaf((float)quantise_read(a->dtype, in[0], at[0]), s.a, x);
		((u8 *)out[0])[i++] = (u8)bounded(round_s32(x), lo, hi);
	} while (eval_step(y, index, stride, at, 2));
}

void eval_function(const struct graph *g, const struct node *n, const void *const in[],
		   void *const out[])
{
	(void)g, (void)n, (void)in, (void)out; /* infer_function() refuses it */
}
