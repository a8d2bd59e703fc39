// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Sliding windows: see window.h.
 * Formulas: the ONNX operator reference, Conv, MaxPool and AveragePool.
 */
#include "compiler/window.h"

#include <errno.h>

/* Keeps every product below 2^62. */
#define WINDOW_ATTR_MAX (INT64_C(1) << 30)

static int check_dims(const struct graph *g, const struct node *n, const struct dims *d,
		      const char *name, int want, s64 min)
{
	if (d->n != want)
		return node_fail(g, n, -EINVAL, "%s has %d numbers, %d are needed", name, d->n,
				 want);
	for (int i = 0; i < d->n; i++) {
		if (d->v[i] < min || d->v[i] > WINDOW_ATTR_MAX)
			return node_fail(g, n, d->v[i] < 0 ? -ENOTSUP : -EINVAL,
					 "%s holds %lld, allowed is %lld to %lld", name,
					 (long long)d->v[i], (long long)min,
					 (long long)WINDOW_ATTR_MAX);
	}
	return 0;
}

static int check_attrs(const struct graph *g, const struct node *n, int spatial)
{
	const struct attrs *a = &n->attrs;
	int rc;

	rc = check_dims(g, n, &a->kernel, "kernel_shape", spatial, 1);
	if (!rc)
		rc = check_dims(g, n, &a->strides, "strides", spatial, 1);
	if (!rc)
		rc = check_dims(g, n, &a->dilations, "dilations", spatial, 1);
	if (!rc)
		rc = check_dims(g, n, &a->pads, "pads", 2 * spatial, 0);
	return rc;
}

/* SAME: as many outputs as ceil(in / stride); the odd cell goes after (UPPER) or before. */
static void pad_same(struct window_axis *x, s64 extent, bool upper)
{
	s64 total;

	x->out = (x->in + x->stride - 1) / x->stride;
	total = (x->out - 1) * x->stride + extent - x->in;
	if (total < 0)
		total = 0;
	x->pad = upper ? total / 2 : total - total / 2;
	x->pad_end = total - x->pad;
}

static int resolve_axis(const struct graph *g, const struct node *n, struct window_axis *x)
{
	s64 extent = (x->kernel - 1) * x->dilation + 1, free;

	if (n->attrs.auto_pad == PAD_SAME_UPPER || n->attrs.auto_pad == PAD_SAME_LOWER) {
		pad_same(x, extent, n->attrs.auto_pad == PAD_SAME_UPPER);
	} else {
		free = x->in + x->pad + x->pad_end - extent;
		x->out = free < 0 ? 0 : free / x->stride + 1;
		/* A window that hangs over counts unless it starts in the padding at the end. */
		x->over = free >= 0 && n->attrs.ceil_mode && free % x->stride &&
			  x->out * x->stride < x->in + x->pad;
		x->out += x->over;
	}
	if (x->out < 1)
		return node_fail(g, n, -EINVAL,
				 "a window of %lld cells does not fit in %lld with padding",
				 (long long)extent, (long long)(x->in + x->pad + x->pad_end));
	if (!op_is_conv(n->op) && (x->pad >= extent || x->pad_end >= extent))
		return node_fail(g, n, -EINVAL, "pads are as large as the window of %lld cells",
				 (long long)extent);
	return 0;
}

/* The padded input is a tensor like any other. */
static int check_reach(const struct graph *g, const struct node *n, const struct window *w)
{
	const struct shape *x = &node_in(n, 0)->shape;
	s64 elems = x->dim[0] * x->dim[1];

	if (check_mul_overflow(elems, window_reach(&w->axis[0]), &elems) ||
	    check_mul_overflow(elems, window_reach(&w->axis[1]), &elems) ||
	    elems > TENSOR_ELEMS_MAX)
		return node_fail(g, n, -EFBIG, "its padded input exceeds %lld elements",
				 (long long)TENSOR_ELEMS_MAX);
	return 0;
}

int window_of(const struct graph *g, const struct node *n, struct window *w)
{
	const struct attrs *a = &n->attrs;
	const struct value *x = node_in(n, 0);
	int spatial = x->shape.rank - 2, rc;

	if (spatial < 1)
		return node_fail(g, n, -EINVAL, "input 0 has %d dimensions, at least 3 are needed",
				 x->shape.rank);
	if (spatial > 2)
		return node_fail(g, n, -ENOTSUP,
				 "%d spatial dimensions are not supported, only 1 and 2", spatial);
	rc = check_attrs(g, n, spatial);
	for (int i = 0; i < 2 && !rc; i++) {
		int s = i - (2 - spatial); /* the spatial dimension, -1: a single row */
		struct window_axis *axis = &w->axis[i];
		const struct dims *p = &a->pads;

		*axis = (struct window_axis){ 1, 1, 1, 1, 1, 0, 0, false };
		if (s < 0)
			continue;
		axis->in = x->shape.dim[2 + s];
		axis->kernel = a->kernel.v[s];
		axis->stride = a->strides.v[s];
		axis->dilation = a->dilations.v[s];
		if (a->auto_pad == PAD_EXPLICIT) {
			axis->pad = p->v[s];
			axis->pad_end = p->v[spatial + s];
		}
		rc = resolve_axis(g, n, axis);
	}
	return rc ? rc : check_reach(g, n, w);
}

s64 window_reach(const struct window_axis *x)
{
	s64 last = (x->out - 1) * x->stride + (x->kernel - 1) * x->dilation + 1;

	return last > x->pad + x->in ? last : x->pad + x->in;
}

static s64 divide_down(s64 a, s64 b)
{
	return a / b - (a % b < 0);
}

/*
 * Cells of output @o's window that lie on the input, or with @with_pads on the input and its
 * declared padding.
 */
s64 window_cells(const struct window_axis *x, bool with_pads, s64 o)
{
	s64 lo = with_pads ? -x->pad : 0;
	s64 hi = x->in + (with_pads ? x->pad_end : 0);
	s64 start = o * x->stride - x->pad;
	s64 first = -divide_down(start - lo, x->dilation);
	s64 end = divide_down(hi - 1 - start, x->dilation) + 1;

	if (first < 0)
		first = 0;
	if (end > x->kernel)
		end = x->kernel;
	return end > first ? end - first : 0;
}

s64 window_divisor(const struct window *w, bool count_include_pad, s64 y, s64 x)
{
	s64 cells = window_cells(&w->axis[0], count_include_pad, y) *
		    window_cells(&w->axis[1], count_include_pad, x);

	return cells ? cells : 1;
}

static bool is_uniform(const struct window_axis *x, bool with_pads)
{
	s64 cells = window_cells(x, with_pads, 0);

	for (s64 o = 1; o < x->out; o++) {
		if (window_cells(x, with_pads, o) != cells)
			return false;
	}
	return true;
}

bool window_divisor_is_uniform(const struct window *w, bool count_include_pad)
{
	return is_uniform(&w->axis[0], count_include_pad) &&
	       is_uniform(&w->axis[1], count_include_pad);
}
