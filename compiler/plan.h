/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Plans: how stages are computed, before anything is an operation of the machine.
 *
 * Every value has one layout, which says where its elements are in its buffer. A plan says for one
 * stage which unit does the work, in which layout it reads its inputs, what lies in the lanes, and
 * how the domain is cut into tiles. Lowering follows plans and decides nothing.
 */
#ifndef COMPILER_PLAN_H
#define COMPILER_PLAN_H

#include "compiler/layout.h"
#include "compiler/stage.h"
#include "compiler/tile.h"

enum { PLAN_TAPS_MAX = 25 }; /* of a product on the vector units, whose weights are in registers */

enum plan_unit {
	PLAN_MATRIX, /* pushes; columns (o) lie in the lanes */
	PLAN_VECTOR, /* vector operations; the dimension with the fewest vectors lies in the lanes
		      */
	PLAN_ALIAS, /* no work: the result is where the input is */
};

struct plan {
	enum plan_unit unit;
	struct layout in[STAGE_INPUTS]; /* how it reads its inputs: if not as they are, copies */
	/* PLAN_MATRIX */
	struct tile_ks k; /* the reduced dimensions, cut into pushes */
	struct tile_strip strip; /* the pixels that are computed at one time */
	int outer; /* dimensions outside of the pixels */
	int looped; /* the first of them that are loops around all tiles; the others are unrolled */
	bool unrolled; /* strips are, too */
};

struct plans {
	const struct stages *stages;
	struct plan *at; /* of each stage */
	struct layout *layout; /* of each value, by id */
};

/*
 * Numbers the values of @g, gives them layouts, and plans its stages for @machine. 0, or a message
 * in g->err.
 */
int plans_make(struct graph *g, const struct stages *s, const struct rondo_machine *machine,
	       struct plans *out);

/*
 * Whether plans keep what they promise: everything that a stage touches is inside the layouts that
 * it uses; pushes take all of the reduced dimensions once, in order, and no more containers than
 * there are lanes; strips fit in the accumulators. -ENOTRECOVERABLE and a message.
 */
int plans_check(const struct graph *g, const struct plans *p, const struct rondo_machine *machine);

/* Prints one plan a paragraph: the unit, tiles, and the layouts it works on. */
void plans_print(const struct plans *p, FILE *out);

/* Bytes that an index of dimension @dim moves the element of @a by, in layout @l of a->as. */
s64 plan_stride(const struct stage_access *a, const struct layout *l, int dim);

/* Byte of the element of @a at the domain's first point, in layout @l. */
s64 plan_base(const struct stage_access *a, const struct layout *l);

#endif
