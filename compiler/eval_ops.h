/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The operators of the interpreter, for eval.c's table. Contract: eval_node() in eval.h. */
#ifndef COMPILER_EVAL_OPS_H
#define COMPILER_EVAL_OPS_H

#include "compiler/graph.h"

typedef void eval_fn(const struct graph *g, const struct node *n, const void *const in[],
		     void *const out[]);

/* eval_math.c */
eval_fn eval_conv, eval_pool, eval_global_pool, eval_gemm, eval_matmul;

/* eval_elementwise.c */
eval_fn eval_binary, eval_unary, eval_clip, eval_batchnorm, eval_softmax;

/* eval_move.c */
eval_fn eval_copy, eval_transpose, eval_concat, eval_dropout;

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
