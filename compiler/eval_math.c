// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The interpreter's operators that sum: convolutions, pools, matrix products. */
#include "compiler/eval_ops.h"
#include "compiler/window.h"

#include <math.h>

/* The input row or column that cell @k of output @o sees; -1 in the padding. */
static s64 source(const struct window_axis *a, s64 o, s64 k)
{
	s64 at = o * a->stride - a->pad + k * a->dilation;

	return at >= 0 && at < a->in ? at : -1;
}

/* The window of output (oy, ox) over the channels of one group, times the weights @k. */
static double conv_point(const struct window *w, const float *x, const float *k, s64 channels,
			 s64 oy, s64 ox)
{
	const struct window_axis *v = &w->axis[0], *h = &w->axis[1];
	double sum = 0;

	for (s64 c = 0; c < channels; c++) {
		for (s64 ky = 0; ky < v->kernel; ky++) {
			s64 y = source(v, oy, ky);

			for (s64 kx = 0; kx < h->kernel; kx++) {
				s64 at = source(h, ox, kx);

				if (y >= 0 && at >= 0)
					sum += (double)x[(c * v->in + y) * h->in + at] *
					       k[(c * v->kernel + ky) * h->kernel + kx];
			}
		}
	}
	return sum;
}

void eval_conv(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	const struct shape *xs = &node_in(n, 0)->shape, *ks = &node_in(n, 1)->shape;
	const float *x = in[0], *k = in[1], *bias = node_in(n, 2) ? in[2] : NULL;
	s64 maps = ks->dim[0], channels = ks->dim[1];
	s64 per_group = maps / n->attrs.group;
	float *y = out[0];
	struct window w;

	if (window_of(g, n, &w))
		return;
	for (s64 i = 0; i < xs->dim[0] * maps; i++) {
		s64 image = i / maps, m = i % maps;
		s64 first = image * xs->dim[1] + m / per_group * channels;
		const float *from = x + first * w.axis[0].in * w.axis[1].in;
		const float *weights = k + m * channels * w.axis[0].kernel * w.axis[1].kernel;

		for (s64 oy = 0; oy < w.axis[0].out; oy++) {
			for (s64 ox = 0; ox < w.axis[1].out; ox++)
				*y++ = (float)(conv_point(&w, from, weights, channels, oy, ox) +
					       (bias ? (double)bias[m] : 0));
		}
	}
}

static float pool_point(const struct node *n, const struct window *w, const float *x, s64 oy,
			s64 ox)
{
	const struct window_axis *v = &w->axis[0], *h = &w->axis[1];
	float max = n->attrs.lo;
	double sum = 0;

	for (s64 ky = 0; ky < v->kernel; ky++) {
		for (s64 kx = 0; kx < h->kernel; kx++) {
			s64 y = source(v, oy, ky), at = source(h, ox, kx);

			if (y < 0 || at < 0)
				continue;
			sum += x[y * h->in + at];
			max = x[y * h->in + at] > max ? x[y * h->in + at] : max; /* not NaN */
		}
	}
	if (n->op == OP_MAXPOOL)
		return max;
	return (float)(sum / (double)window_divisor(w, n->attrs.count_include_pad, oy, ox));
}

void eval_pool(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	const struct shape *xs = &node_in(n, 0)->shape;
	const float *x = in[0];
	float *y = out[0];
	struct window w;

	if (n->out[0]->dtype != DTYPE_F32) {
		eval_max_of_bytes(g, n, in[0], out[0]);
		return;
	}
	if (window_of(g, n, &w))
		return;
	for (s64 plane = 0; plane < xs->dim[0] * xs->dim[1]; plane++) {
		for (s64 oy = 0; oy < w.axis[0].out; oy++) {
			for (s64 ox = 0; ox < w.axis[1].out; ox++)
				*y++ = pool_point(n, &w, x, oy, ox);
		}
		x += w.axis[0].in * w.axis[1].in;
	}
}

void eval_global_pool(const struct graph *g, const struct node *n, const void *const in[],
		      void *const out[])
{
	const struct shape *xs = &node_in(n, 0)->shape;
	s64 planes = xs->dim[0] * xs->dim[1], cells = planes ? shape_elems(xs) / planes : 0;
	const float *x = in[0];
	float *y = out[0];

	(void)g;
	for (s64 p = 0; p < planes; p++) {
		double sum = 0;

		for (s64 i = 0; i < cells; i++)
			sum += x[p * cells + i];
		y[p] = (float)(sum / (double)cells);
	}
}

/* Sum over k of a[k * step_a] * b[k * step_b]. */
static double dot(const float *a, s64 step_a, const float *b, s64 step_b, s64 len)
{
	double sum = 0;

	for (s64 k = 0; k < len; k++)
		sum += (double)a[k * step_a] * b[k * step_b];
	return sum;
}

void eval_gemm(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	const struct shape *as = &node_in(n, 0)->shape, *bs = &node_in(n, 1)->shape;
	const struct shape *ys = &n->out[0]->shape;
	bool ta = n->attrs.trans_a, tb = n->attrs.trans_b;
	s64 len = as->dim[!ta], c_stride[TENSOR_RANK_MAX] = { 0 };
	const float *a = in[0], *b = in[1];
	const float *c = node_in(n, 2) && n->attrs.beta != 0 ? in[2] : NULL;
	float *y = out[0];

	(void)g;
	if (c)
		shape_broadcast_strides(&node_in(n, 2)->shape, ys, c_stride);
	for (s64 i = 0; i < ys->dim[0]; i++) {
		for (s64 j = 0; j < ys->dim[1]; j++) {
			double sum = dot(a + i * (ta ? 1 : as->dim[1]), ta ? as->dim[1] : 1,
					 b + j * (tb ? bs->dim[1] : 1), tb ? 1 : bs->dim[1], len);

			sum *= (double)n->attrs.alpha;
			if (c)
				sum += (double)n->attrs.beta * c[i * c_stride[0] + j * c_stride[1]];
			*y++ = (float)sum;
		}
	}
}

/* MatMul and Linear: a vector on the left counts as a row, on the right as a column. */
void eval_matmul(const struct graph *g, const struct node *n, const void *const in[],
		 void *const out[])
{
	struct shape a = node_in(n, 0)->shape, b = node_in(n, 1)->shape, batch;
	s64 rows = a.rank > 1 ? a.dim[a.rank - 2] : 1, len = a.dim[a.rank - 1];
	s64 columns = b.rank > 1 ? b.dim[b.rank - 1] : 1;
	s64 stride[2][TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, at[2] = { 0 };
	const float *bias = node_in(n, 2) ? in[2] : NULL;
	float *y = out[0];

	(void)g;
	if (!shape_elems(&n->out[0]->shape))
		return;
	a.rank = a.rank > 2 ? a.rank - 2 : 0;
	b.rank = b.rank > 2 ? b.rank - 2 : 0;
	shape_broadcast(&a, &b, &batch);
	shape_broadcast_strides(&a, &batch, stride[0]);
	shape_broadcast_strides(&b, &batch, stride[1]);
	do { /* the offsets count matrices */
		const float *ma = (const float *)in[0] + at[0] * rows * len;
		const float *mb = (const float *)in[1] + at[1] * len * columns;

		for (s64 i = 0; i < rows * columns; i++)
			*y++ = (float)(dot(ma + i / columns * len, 1, mb + i % columns, columns,
					   len) +
				       (bias ? (double)bias[i % columns] : 0));
	} while (eval_step(&batch, index, stride, at, 2));
}
