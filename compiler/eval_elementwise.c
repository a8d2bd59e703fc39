// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The interpreter's operators on single elements, channels and rows. */
#include "compiler/eval_ops.h"
#include "compiler/shape.h"

#include <math.h>

void eval_clip(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	float lo = node_in(n, 1) ? *(const float *)in[1] : n->attrs.lo;
	float hi = node_in(n, 2) ? *(const float *)in[2] : n->attrs.hi;
	s64 elems = shape_elems(&n->out[0]->shape);
	const float *x = in[0];
	float *y = out[0];

	(void)g;
	for (s64 i = 0; i < elems; i++)
		y[i] = eval_clamp(x[i], lo, hi);
}

void eval_batchnorm(const struct graph *g, const struct node *n, const void *const in[],
		    void *const out[])
{
	const struct shape *s = &n->out[0]->shape;
	const float *x = in[0], *scale = in[1], *bias = in[2], *mean = in[3], *var = in[4];
	s64 elems = shape_elems(s), inner = 1;
	float *y = out[0];

	(void)g;
	for (int i = 2; i < s->rank; i++)
		inner *= s->dim[i];
	for (s64 i = 0; i < elems; i++) {
		s64 c = i / inner % s->dim[1];
		double deviation = sqrt((double)var[c] + (double)n->attrs.epsilon);

		y[i] = (float)(((double)x[i] - mean[c]) / deviation * scale[c] + bias[c]);
	}
}

/* One row of @len elements, @step apart. */
static void softmax_row(const float *x, float *y, s64 len, s64 step, bool log_form)
{
	double max = -INFINITY, sum = 0;

	for (s64 i = 0; i < len; i++)
		max = fmax(max, (double)x[i * step]);
	for (s64 i = 0; i < len; i++)
		sum += exp(x[i * step] - max);
	for (s64 i = 0; i < len; i++) {
		double shifted = x[i * step] - max;

		y[i * step] = (float)(log_form ? shifted - log(sum) : exp(shifted) / sum);
	}
}

void eval_softmax(const struct graph *g, const struct node *n, const void *const in[],
		  void *const out[])
{
	const struct shape *s = &n->out[0]->shape;
	int axis = node_axis(n, s->rank);
	s64 outer = 1, len = 1, inner = 1;
	const float *x = in[0];
	float *y = out[0];

	(void)g;
	for (int i = 0; i < s->rank; i++) {
		if (i < axis)
			outer *= s->dim[i];
		else if (i == axis || n->attrs.flat)
			len *= s->dim[i];
		else
			inner *= s->dim[i];
	}
	for (s64 o = 0; o < outer; o++) {
		for (s64 i = 0; i < inner; i++)
			softmax_row(x + o * len * inner + i, y + o * len * inner + i, len, inner,
				    n->op == OP_LOGSOFTMAX);
	}
}
