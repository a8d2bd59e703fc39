// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What operations reach over all trips of the loops they stand in; and which pushes of an
 * innermost loop may run ahead of the rest of its body, a block of trips at a time.
 */
#include "emulator/exec/fast/state.h"

#include <string.h>

bool fast_sram_hull(const struct exec_program *p, const struct exec_loops *loops,
		    const struct fast_op *op, struct rondo_hull *hull)
{
	const struct rondo_access access = {
		.entry = &p->entry[op->entry],
		.off = op->off,
		.size = rondo_element_bytes(op->op),
		.count = rondo_elements(op->op, op->count),
		.rows = rondo_op_has_rows(op->op) ? op->rows : 1,
	};

	return exec_sram_hull(&access, loops, hull);
}

bool fast_row_hull(const struct exec_program *p, const struct exec_loops *loops,
		   const struct fast_op *op, struct rondo_hull *hull)
{
	return exec_row_hull(&p->entry[op->entry], op->row, loops, hull);
}

/* Pushes into blocks. */

struct body {
	const struct exec_program *p;
	const struct exec_loops *loops;
};

/* What @op adds to its row from trip to trip of the innermost loop. */
static s64 row_step(const struct body *body, const struct fast_op *op)
{
	return body->p->entry[op->entry].row_stride[body->loops->depth - 1];
}

/* Whether some row that @a touches in any trip may be one that @b does. */
static bool rows_apart(const struct body *body, const struct fast_op *a, const struct fast_op *b)
{
	struct rondo_hull x, y;

	return fast_row_hull(body->p, body->loops, a, &x) &&
	       fast_row_hull(body->p, body->loops, b, &y) && !rondo_hulls_meet(&x, &y);
}

/* Whether the two have the same rows up to a constant, @apart: b's less a's. */
static bool rows_differ_by(const struct body *body, const struct fast_op *a,
			   const struct fast_op *b, s64 *apart)
{
	const struct rondo_entry *x = &body->p->entry[a->entry], *y = &body->p->entry[b->entry];
	u32 d;

	for (d = 0; d < body->loops->depth; d++)
		if (x->row_stride[d] != y->row_stride[d])
			return false;
	*apart = (s64)b->row - a->row;
	return true;
}

/*
 * Whether the push may run for a whole block of trips before @other does for the first of
 * them: none of these trips of @other touches a row that by right is pushed onto after it.
 * @before: @other stands before the push in the body.
 */
static bool rows_allow(const struct body *body, const struct fast_op *push,
		       const struct fast_op *other, bool before)
{
	s64 step = row_step(body, push), apart, trips;

	if (rows_apart(body, push, other))
		return true;
	if (!rows_differ_by(body, push, other, &apart))
		return false;
	if (apart % step)
		return true;
	/* The row that @other touches is the one that is pushed onto so many trips later. */
	trips = apart / step;
	return trips < 0 || trips >= FAST_BLOCK || (!trips && !before);
}

static bool sram_apart(const struct body *body, const struct fast_op *a, const struct fast_op *b)
{
	struct rondo_hull x, y;

	return fast_sram_hull(body->p, body->loops, a, &x) &&
	       fast_sram_hull(body->p, body->loops, b, &y) && !rondo_hulls_meet(&x, &y);
}

/* Whether @push may run ahead of @other in all trips of a block. */
static bool may_pass(const struct body *body, const struct fast_op *push,
		     const struct fast_op *other, bool before)
{
	return (!rondo_op_writes_sram(other->op) || sram_apart(body, push, other)) &&
	       (!rondo_op_writes_weights(other->op) || push->buf != other->buf) &&
	       (!rondo_op_has_acc(other->op) || rows_allow(body, push, other, before));
}

/* Whether the push at @at may run ahead of all but the first @ahead, which already do. */
static bool may_hoist(const struct body *body, const struct fast_op *op, u32 ops, u32 ahead, u32 at)
{
	u32 i;

	if (!op[at].push || !row_step(body, &op[at]))
		return false;
	for (i = ahead; i < ops; i++)
		if (i != at && !may_pass(body, &op[at], &op[i], i < at))
			return false;
	return true;
}

u32 fast_hoist(const struct exec_program *p, const struct exec_loops *loops, struct fast_op *op,
	       u32 ops)
{
	const struct body body = { p, loops };
	struct fast_op push;
	u32 at, ahead = 0;

	for (at = 0; at < ops; at++) {
		if (!may_hoist(&body, op, ops, ahead, at))
			continue;
		push = op[at];
		memmove(op + ahead + 1, op + ahead, (at - ahead) * sizeof(*op));
		op[ahead++] = push;
	}
	return ahead;
}
