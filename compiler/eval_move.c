// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The interpreter's operators that only move elements, of any type. */
#include "compiler/eval_ops.h"
#include "compiler/shape.h"

#include <string.h>

static size_t value_bytes(const struct value *v)
{
	return (size_t)shape_elems(&v->shape) * dtype_size(v->dtype);
}

void eval_copy(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	(void)g;
	if (out[0])
		memcpy(out[0], in[0], value_bytes(n->out[0]));
}

void eval_dropout(const struct graph *g, const struct node *n, const void *const in[],
		  void *const out[])
{
	eval_copy(g, n, in, out);
	if (n->n_out > 1 && out[1])
		memset(out[1], 1, value_bytes(n->out[1]));
}

void eval_transpose(const struct graph *g, const struct node *n, const void *const in[],
		    void *const out[])
{
	const struct shape *x = &node_in(n, 0)->shape, *y = &n->out[0]->shape;
	size_t size = dtype_size(n->out[0]->dtype);
	s64 own[TENSOR_RANK_MAX], stride[1][TENSOR_RANK_MAX] = { { 0 } };
	s64 index[TENSOR_RANK_MAX] = { 0 }, from = 0;
	char *to = out[0];

	(void)g;
	shape_strides(x, own);
	for (int i = 0; i < y->rank; i++)
		stride[0][i] = own[n->attrs.perm.v[i]];
	if (!shape_elems(y))
		return;
	do {
		memcpy(to, (const char *)in[0] + (size_t)from * size, size);
		to += size;
	} while (eval_step(y, index, stride, &from, 1));
}

void eval_concat(const struct graph *g, const struct node *n, const void *const in[],
		 void *const out[])
{
	const struct shape *y = &n->out[0]->shape;
	size_t size = dtype_size(n->out[0]->dtype);
	int axis = node_axis(n, y->rank);
	s64 outer = 1;
	char *to = out[0];

	(void)g;
	for (int i = 0; i < axis; i++)
		outer *= y->dim[i];
	for (s64 o = 0; o < outer; o++) {
		for (int i = 0; i < n->n_in; i++) {
			size_t run = (size_t)(shape_elems(&node_in(n, i)->shape) / outer) * size;

			memcpy(to, (const char *)in[i] + (size_t)o * run, run);
			to += run;
		}
	}
}

/* Copies the elements of input 0 from @from on, @stride apart, to all of the result. */
static void gather(const struct node *n, const void *const in[], void *const out[], s64 from,
		   s64 (*stride)[TENSOR_RANK_MAX])
{
	const struct shape *y = &n->out[0]->shape;
	size_t size = dtype_size(n->out[0]->dtype);
	s64 index[TENSOR_RANK_MAX] = { 0 };
	char *to = out[0];

	if (!shape_elems(y))
		return;
	do {
		memcpy(to, (const char *)in[0] + from * (s64)size, size);
		to += size;
	} while (eval_step(y, index, stride, &from, 1));
}

void eval_part(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	const struct shape *x = &node_in(n, 0)->shape;
	s64 own[TENSOR_RANK_MAX], stride[1][TENSOR_RANK_MAX] = { { 0 } }, from = 0;

	(void)g;
	shape_strides(x, own);
	for (int d = 0; d < x->rank; d++) {
		from += n->attrs.starts.v[d] * own[d];
		stride[0][d] = n->attrs.steps.v[d] * own[d];
	}
	gather(n, in, out, from, stride);
}

void eval_stretch(const struct graph *g, const struct node *n, const void *const in[],
		  void *const out[])
{
	s64 stride[1][TENSOR_RANK_MAX];

	(void)g;
	shape_broadcast_strides(&node_in(n, 0)->shape, &n->out[0]->shape, stride[0]);
	gather(n, in, out, 0, stride);
}

void eval_border(const struct graph *g, const struct node *n, const void *const in[],
		 void *const out[])
{
	const struct shape *x = &node_in(n, 0)->shape, *y = &n->out[0]->shape;
	size_t size = dtype_size(n->out[0]->dtype);
	s64 stride[1][TENSOR_RANK_MAX], index[TENSOR_RANK_MAX] = { 0 }, to = 0;
	const char *from = in[0];

	(void)g;
	for (s64 i = 0; i < shape_elems(y); i++)
		memcpy((char *)out[0] + (size_t)i * size, in[1], size);
	if (!shape_elems(x))
		return;
	shape_strides(y, stride[0]);
	for (int d = 0; d < x->rank; d++)
		to += n->attrs.starts.v[d] * stride[0][d];
	do {
		memcpy((char *)out[0] + (size_t)to * size, from, size);
		from += size;
	} while (eval_step(x, index, stride, &to, 1));
}

void eval_take(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[])
{
	const struct shape *x = &node_in(n, 0)->shape, *y = &n->out[0]->shape;
	int axis = node_axis(n, y->rank);
	size_t run = dtype_size(n->out[0]->dtype);
	const s64 *indices = in[1];
	s64 outer = 1;
	char *to = out[0];

	(void)g;
	for (int d = 0; d < y->rank; d++) {
		outer *= d < axis ? y->dim[d] : 1;
		run *= d > axis ? (size_t)y->dim[d] : 1;
	}
	for (s64 o = 0; o < outer; o++) {
		for (s64 i = 0; i < y->dim[axis]; i++, to += run)
			memcpy(to,
			       (const char *)in[0] + (size_t)(o * x->dim[axis] + indices[i]) * run,
			       run);
	}
}
