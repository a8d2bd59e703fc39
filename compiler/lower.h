/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Lowering: from stages and their plans to machine IR. One lower_*.c per kind of stage; lower.c
 * goes through the stages, gives each value its buffer, and collects the constants.
 */
#ifndef COMPILER_LOWER_H
#define COMPILER_LOWER_H

#include "compiler/graph.h"
#include "compiler/map.h"
#include "compiler/mir.h"
#include "compiler/plan.h"

#define LOWER_WEIGHTS_MAX (1u << 29) /* bytes of constants in a program */

enum { LOWER_SCALARS_MAX = 1024 }; /* that nodes share; more are the constants of each node */

/* A value in SRAM. */
struct operand_at {
	mir_buf buf;
	struct layout layout;
};

struct lowering {
	struct graph *g;
	const struct plans *plans;
	const struct rondo_machine *machine;
	struct mir mir;
	struct operand_at *value; /* by value->id; buf is MIR_NO_BUF until it is computed */
	int error; /* as mir.error, of weights: 0, -ENOMEM, -EFBIG */
	u8 *weights; /* content of the weights slot */
	u64 weights_bytes, weights_room;
	const char *node_name; /* of the node being lowered */
	mir_buf consts; /* its constants; MIR_NO_BUF before the first */
	mir_buf scalars; /* the constants of all nodes that are one f32; MIR_NO_BUF before the first
			  */
	s32 scalar[LOWER_SCALARS_MAX]; /* their bits */
	int n_scalars;
};

/* Whether everything that @g touches can be in SRAM at all, node by node: before it is planned. */
int lower_check_sizes(const struct graph *g, const struct rondo_machine *machine);

/*
 * Lowers the stages of @g as @plans says for @machine into @l, which lives in the graph's arena;
 * only l->weights is malloc'ed, and the caller's to free. 0, or a message in g->err.
 */
int lower_graph(struct lowering *l, struct graph *g, const struct plans *plans,
		const struct rondo_machine *machine);

/* ---- For the lower_*.c files --------------------------------------------------------------- */

/*
 * Appends @bytes to the node's constants (NULL: zeros, to be filled in through *@room, which is
 * NULL after an error).
 */
struct mir_ref lower_const(struct lowering *l, const void *bytes, u64 size, void **room);

/* One f32, which all nodes that need it share. */
struct mir_ref lower_scalar(struct lowering *l, float f);

/* One f32 in every one of @count lanes at least. */
vreg lower_f32(struct lowering *l, float f, int count);

/* @v as it is: a computed value, or a constant's bytes, row-major. */
struct operand_at lower_in(struct lowering *l, const struct value *v);

/* @v in layout @want: itself where it already is, else a copy. */
struct operand_at lower_in_as(struct lowering *l, const struct value *v, const struct layout *want);

/* Input @i of the stage, in the layout in which its plan reads it. */
struct operand_at lower_input(struct lowering *l, const struct stage *s, const struct plan *p,
			      int i);

/* The buffer for the result of the stage, its halo filled: the one of an earlier part of a Concat.
 */
struct operand_at lower_out(struct lowering *l, const struct stage *s);

/* How maps load and store elements of type @t. */
enum map_type lower_type(enum dtype t);

/* Copies elements between places of equal dimensions. */
void lower_copy(struct lowering *l, const struct operand_at *to, const struct operand_at *from);

/* Lowers one stage; one function for each name in the column lower of ops.def. */
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	int lower_##lower(struct lowering *l, const struct stage *s, const struct plan *p);
#include "compiler/ops.def"

/* A product that is planned for the vector units. */
int lower_depthwise(struct lowering *l, const struct stage *s, const struct plan *p);

/* Whether @op may stand in a normalised graph: it has such a function other than lower_never(). */
bool lower_maps(enum op op);

#endif
