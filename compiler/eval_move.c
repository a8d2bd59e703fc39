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
