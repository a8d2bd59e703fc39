/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Lowering: from the nodes of a normalised graph to machine IR. One lower_*.c per kind of operator;
 * lower.c goes through the nodes, gives each value its buffer, and collects the constants.
 */
#ifndef COMPILER_LOWER_H
#define COMPILER_LOWER_H

#include "compiler/graph.h"
#include "compiler/layout.h"
#include "compiler/mir.h"

#define LOWER_WEIGHTS_MAX (1u << 29) /* bytes of constants in a program */

/* A value in SRAM. */
struct operand_at {
	mir_buf buf;
	struct layout layout;
};

struct lowering {
	struct graph *g;
	const struct rondo_machine *machine;
	struct mir mir;
	struct operand_at *value; /* by value->id; buf is MIR_NO_BUF until it is computed */
	int error; /* as mir.error, of weights: 0, -ENOMEM, -EFBIG */
	u8 *weights; /* content of the weights slot */
	u64 weights_bytes, weights_room;
	const char *node_name; /* of the node being lowered */
	mir_buf consts; /* its constants; MIR_NO_BUF before the first */
};

/*
 * Lowers all of @g (normalised, checked) for @machine into @l, which lives in the graph's arena;
 * only l->weights is malloc'ed, and the caller's to free. 0, or a message in g->err.
 */
int lower_graph(struct lowering *l, struct graph *g, const struct rondo_machine *machine);

/* ---- For the lower_*.c files --------------------------------------------------------------- */

/*
 * Appends @bytes to the node's constants (NULL: zeros, to be filled in through *@room, which is
 * NULL after an error).
 */
struct mir_ref lower_const(struct lowering *l, const void *bytes, u64 size, void **room);

/* One f32 in every one of @count lanes at least. */
vreg lower_f32(struct lowering *l, float f, int count);

/* @v as it is: a computed value, or a constant's bytes, row-major. */
struct operand_at lower_in(struct lowering *l, const struct value *v);

/* @v in layout @want: itself where it already is, else a copy. */
struct operand_at lower_in_as(struct lowering *l, const struct value *v, const struct layout *want);

/* The buffer for the node's result @v, its halo filled. */
struct operand_at lower_out(struct lowering *l, const struct value *v);

/* Copies elements between places of equal dimensions. */
void lower_copy(struct lowering *l, const struct operand_at *to, const struct operand_at *from);

/* Lowers one node; one function for each name in the column lower of ops.def. */
#define OP(id, name, min_in, max_in, max_out, flags, infer, eval, lower, doc) \
	int lower_##lower(struct lowering *l, struct node *n);
#include "compiler/ops.def"

/* Whether @op may stand in a normalised graph: it has such a function other than lower_never(). */
bool lower_maps(enum op op);

#endif
