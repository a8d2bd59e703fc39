// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What operations reach over all trips of the loops they stand in; and which pushes of an
 * innermost loop may run ahead of the rest of its body, a block of trips at a time.
 */
#include "emulator/exec/fast/state.h"

#include <string.h>

/* Adds @step times 0..@times-1 to a span; false if that overflows. */
static bool widen(struct fast_span *span, s64 step, u64 times)
{
	s64 *side = step < 0 ? &span->lo : &span->hi, reach;

	return times <= INT64_MAX && !check_mul_overflow(step, (s64)times - 1, &reach) &&
	       !check_add_overflow(*side, reach, side);
}

/* The bytes from the first to the last that the elements of one access touch, from 0. */
static struct fast_span pattern_span(const struct fast_op *op)
{
	s64 size = rondo_element_bytes(op->op), stride = op->seg_stride;
	u32 count = rondo_elements(op->op, op->count);
	u32 len = op->seg_len && op->seg_len < count ? op->seg_len : count;
	s64 whole = count / len, rest = count % len;
	s64 last = rest ? whole * stride + rest * size : len * size;

	if (stride < 0)
		return (struct fast_span){ (whole - !rest) * stride, len * size };
	if (whole)
		last = last > (whole - 1) * stride + len * size ? last :
								  (whole - 1) * stride + len * size;
	return (struct fast_span){ 0, last };
}

bool fast_sram_span(const struct exec_program *p, const struct fast_loops *loops,
		    const struct fast_op *op, struct fast_span *span)
{
	const struct rondo_entry *entry = &p->entry[op->entry];
	u32 d;

	*span = pattern_span(op);
	if (rondo_op_has_rows(op->op) && !widen(span, op->pitch, op->rows))
		return false;
	span->lo += (s64)entry->base + op->off;
	span->hi += (s64)entry->base + op->off;
	for (d = 0; d < loops->depth; d++)
		if (!widen(span, entry->stride[d], loops->trips[d]))
			return false;
	return true;
}

bool fast_row_span(const struct exec_program *p, const struct fast_loops *loops,
		   const struct fast_op *op, struct fast_span *span)
{
	u32 d;

	*span = (struct fast_span){ op->row, op->row + 1 };
	for (d = 0; d < loops->depth; d++)
		if (!widen(span, p->entry[op->entry].row_stride[d], loops->trips[d]))
			return false;
	return true;
}

/* Pushes into blocks. */

struct body {
	const struct exec_program *p;
	const struct fast_loops *loops;
};

/* What @op adds to its row from trip to trip of the innermost loop. */
static s64 row_step(const struct body *body, const struct fast_op *op)
{
	return body->p->entry[op->entry].row_stride[body->loops->depth - 1];
}

/* Whether some row that @a touches in any trip may be one that @b does. */
static bool rows_apart(const struct body *body, const struct fast_op *a, const struct fast_op *b)
{
	struct fast_span x, y;

	return fast_row_span(body->p, body->loops, a, &x) &&
	       fast_row_span(body->p, body->loops, b, &y) && (x.hi <= y.lo || y.hi <= x.lo);
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
	struct fast_span x, y;

	return fast_sram_span(body->p, body->loops, a, &x) &&
	       fast_sram_span(body->p, body->loops, b, &y) && (x.hi <= y.lo || y.hi <= x.lo);
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

u32 fast_hoist(const struct exec_program *p, const struct fast_loops *loops, struct fast_op *op,
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
