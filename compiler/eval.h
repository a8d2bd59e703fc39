/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reference interpreter: every operator of the graph in plain loops over row-major data. It is
 * what the operators mean, the oracle of the tests, and what constant folding uses; nothing here is
 * fast.
 *
 * Sums are kept in double precision and rounded once, so that an implementation in f32 differs from
 * the result by its own rounding only.
 */
#ifndef COMPILER_EVAL_H
#define COMPILER_EVAL_H

#include "compiler/graph.h"

/*
 * Computes @n, which has passed infer_node(). @in[i] are the bytes of input i (NULL: left out),
 * @out[i] receive output i (NULL: not wanted).
 */
void eval_node(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[NODE_OUT_MAX]);

/* About how many multiplications or copies eval_node() does: what folding weighs. */
double eval_cost(const struct graph *g, const struct node *n);

/*
 * Runs a graph whose values are all typed. @inputs stand in the order of g->inputs and must have
 * their types and shapes; @outputs, in the order of g->outputs, are allocated here and the
 * caller's to free. On error (a wrong input, no memory) a message in @err and nothing to free.
 */
int graph_eval(const struct graph *g, const struct tensor_data *inputs, struct tensor_data *outputs,
	       struct compile_error *err);

#endif
