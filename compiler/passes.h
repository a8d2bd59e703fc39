/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The passes of the compiler; their list is in pipeline.c.
 *
 * Those on the graph end with a normalised graph. It has these properties, on which the others
 * rely:
 *  - only operators that the machine maps (lower_maps()); every output of the graph has a node of
 *    its own;
 *  - every attribute is explicit, every value has a type and a shape; the type is one that ops.def
 *    says the machine maps the operator for;
 *  - Conv and pools have two spatial dimensions and explicit pads (ceil_mode may remain: ask
 *    window_of());
 *  - Linear has two matrices, or B has rank > 2 and leading dimensions broadcast; its bias is
 *    constant; Softmax and LogSoftmax work along the last dimension;
 *  - no value is empty;
 *  - Clip has one input and its bounds as attributes; View stands for all that only changes a
 * shape;
 *  - clamps stand in the node that they limit (node_clamps()).
 *
 * Bounds of a network are worked out from it (bound.h). Then pass_live() replaces convolutions
 * whose weights are not constant, and MatMulInteger with such a B, and pass_narrow() lets products
 * take bf16, if that is asked for.
 */
#ifndef COMPILER_PASSES_H
#define COMPILER_PASSES_H

#include "compiler/graph.h"
#include "spec/machine.h"

#include <stdio.h>

/* A pass changes the graph and keeps graph_check() true; a negative errno and a message if not. */
typedef int pass_fn(struct graph *g);

struct code; /* what the back half has made so far: pipeline.c */

/* A pass works on the graph, or makes code of it. */
struct pass {
	const char *name;
	const char *what; /* one line, for --help and the docs */
	pass_fn *on_graph; /* NULL: on_code */
	int (*on_code)(struct code *c);
	void (*print)(const struct code *c, FILE *to); /* for dumps, after on_code */
};

/* The whole compiler, in order, those on the graph first; ends with a NULL name. */
extern const struct pass passes[];

pass_fn pass_fold, pass_shape, pass_simplify, pass_quantise, pass_window, pass_batchnorm,
	pass_matmul, pass_softmax, pass_affine, pass_clamp, pass_live, pass_flatten, pass_crop,
	pass_outputs, pass_final, pass_host;

/*
 * For a machine of @lanes lanes and @sram bytes of SRAM for each program: what the graph becomes by
 * it depends on these, so it is no pass_fn.
 */
int pass_split(struct graph *g, s64 lanes, u64 sram);

/* Lets products take bf16 where that saves work on @machine. */
int pass_narrow(struct graph *g, const struct rondo_machine *machine);

/* ---- What passes share --------------------------------------------------------------------- */

/*
 * Makes the attributes of @n explicit, whose inputs are typed, and gives its outputs their types;
 * makes output 0 if there is none.
 */
int pass_type_node(struct graph *g, struct node *n);

/*
 * The result of a new node of one or two inputs before @at: typed, and a constant if its inputs
 * are. NULL on error, as for all functions here that return a value.
 */
struct value *pass_unary(struct graph *g, struct node *at, enum op op, struct value *x);
struct value *pass_binary(struct graph *g, struct node *at, enum op op, struct value *a,
			  struct value *b);

/* @x seen with the shape @to, which has as many elements. */
struct value *pass_view(struct graph *g, struct node *at, struct value *x, const struct shape *to);

/* @x with dimension perm[i] as its dimension i. */
struct value *pass_transpose(struct graph *g, struct node *at, struct value *x, const int *perm);

/* The operands of a matrix product as Linear takes them, typed; false on error. */
bool pass_matrices(struct graph *g, struct node *at, struct value **a, struct value **b);

/* The result of the new node @n: typed, and a constant if its inputs are. */
struct value *pass_finish_node(struct graph *g, struct node *n);

/*
 * Whoever used output @i of @n uses @by, of the same type, instead; @n loses that output. Where it
 * is an output of the graph and cannot become @by's own, a Copy makes it.
 */
int pass_give_output(struct graph *g, struct node *n, int i, struct value *by);

/*
 * Removes @n: whoever used its output 0 uses @by, of the same type, instead. Where that is an
 * output of the graph and cannot become @by's own, a Copy makes it.
 */
int pass_replace_by_value(struct graph *g, struct node *n, struct value *by);

/*
 * Computes the outputs of @n, which is typed, now, if its inputs are constants (or the result is
 * empty), and removes it; leaves it alone if not, or if that would cost too much.
 */
int pass_fold_node(struct graph *g, struct node *n);

#endif
