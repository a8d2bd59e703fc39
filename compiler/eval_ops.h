/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The operators of the interpreter: eval_*.c. Contract: eval_node() in eval.h. */
#ifndef COMPILER_EVAL_OPS_H
#define COMPILER_EVAL_OPS_H

#include "compiler/graph.h"

typedef void eval_fn(const struct graph *g, const struct node *n, const void *const in[],
		     void *const out[]);

/* One for each name in the column eval of ops.def; some stand in several rows. */
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	eval_fn eval_##eval;
#include "compiler/ops.def"

/* Functions that the host runs: the rows HOSTED of ops.def. */
#define HOSTED(op, name) eval_fn eval_hosted_##name;
#include "compiler/ops.def"

/* MaxPool of u8 or s8. */
void eval_max_of_bytes(const struct graph *g, const struct node *n, const void *x, u8 *y);

/* ONNX's Clip: the upper bound wins; a NaN stays. */
static inline float eval_clamp(float x, float lo, float hi)
{
	if (x < lo)
		x = lo;
	return x > hi ? hi : x;
}

/*
 * Steps @index through the shape in row-major order and keeps offset[k] = sum of index * stride[k]
 * for @n_offsets tensors. False after the last element.
 */
static inline bool eval_step(const struct shape *s, s64 index[TENSOR_RANK_MAX],
			     s64 (*stride)[TENSOR_RANK_MAX], s64 *offset, int n_offsets)
{
	for (int d = s->rank - 1; d >= 0; d--) {
		for (int k = 0; k < n_offsets; k++)
			offset[k] += stride[k][d];
		if (++index[d] < s->dim[d])
			return true;
		for (int k = 0; k < n_offsets; k++)
			offset[k] -= index[d] * stride[k][d];
		index[d] = 0;
	}
	return false;
}

#endif
