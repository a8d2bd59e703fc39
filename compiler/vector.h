/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What vector operations an operator on single elements becomes. In registers an f32 is itself, and
 * all other types are s32: bool is 0 or 1, s64 its low half.
 *
 *	struct vector v = { .node = n };
 *	vector_begin(l, &v);			// loads constants, before all loops
 *	y = vector_op(m, &v, x);		// for one register of each input
 */
#ifndef COMPILER_VECTOR_H
#define COMPILER_VECTOR_H

#include "compiler/lower.h"

enum { VECTOR_CONSTANTS = 20 };

struct vector {
	const struct node *node;
	vreg k[VECTOR_CONSTANTS]; /* what the operator needs */
	vreg turns[2]; /* of far angles, in Sin and Cos */
	vreg wrap[2]; /* of the result's type */
};

void vector_begin(struct lowering *l, struct vector *v);

/* The result, as narrow as its type. */
vreg vector_op(struct mir *m, const struct vector *v, const vreg *x);

/* The operators that join two elements: Add, Mul, Maximum, Minimum. Into @a if @into. */
vreg vector_join(struct mir *m, enum op op, bool f32, vreg a, vreg b, bool into);

#endif
