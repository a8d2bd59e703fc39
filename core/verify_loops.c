// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The loop stack and the clock.
 *
 * Threat: a program that does not end, or whose trips overflow the arithmetic of all other checks.
 *
 * Mechanism: the text is walked once. The clock counts the bundles executed in the first trip of
 * every open loop, and jumps over the other trips where a loop ends.
 *
 * Invariant: the open loops are those whose bodies contain the next bundle, each inside the one
 * before; the product of their trips is below 2^63 and the clock at most 2^60.
 */
#include "core/verify_state.h"

static u32 open_loop(struct rondo_verify *v, u32 last, u64 trips)
{
	u64 product = v->depth ? v->loop[v->depth - 1].trips_product : 1;
	struct rondo_loop *loop = &v->loop[v->depth];

	if (check_mul_overflow(product, trips, &product) || product >> 63)
		return RONDO_ERR_LOOP_TRIPS;
	loop->first = v->next + 1;
	loop->last = last;
	loop->steps = (u32)(trips - 1);
	loop->trips_product = product;
	loop->clock = v->clock;
	loop->written = 0;
	loop->touched = 0;
	v->depth++;
	rondo_time_open(&v->time, v->clock);
	rondo_signature_open(&v->signature);
	return RONDO_ERR_NONE;
}

u32 rondo_verify_open_loops(struct rondo_verify *v, const struct rondo_op *op)
{
	u32 nest = rondo_loop_nest(op), base = v->depth, error, i;
	u32 end = v->depth ? v->loop[v->depth - 1].last + 1 : v->program.header->bundles;

	if (!rondo_loop_canonical(op))
		return RONDO_ERR_CANONICAL;
	if (v->depth + nest > RONDO_LOOP_DEPTH)
		return RONDO_ERR_LOOP_DEPTH;
	/* Both are at most 2^20: no overflow. */
	if (v->next + 1 + op->body > end)
		return RONDO_ERR_LOOP_END;
	for (i = 0; i < nest; i++) {
		error = open_loop(v, v->next + op->body, op->trip[i]);
		if (error)
			return error;
	}
	rondo_scan_begin(v, base);
	return RONDO_ERR_NONE;
}

/* The body of @inner is part of that of @outer: so are the registers that it wrote and touched. */
static void hand_over(struct rondo_loop *outer, const struct rondo_loop *inner)
{
	u64 touched = inner->touched & ~outer->touched;

	outer->written |= inner->written;
	outer->touched |= inner->touched;
	for (; touched; touched &= touched - 1) {
		u32 reg = __builtin_ctzll(touched);

		outer->touch[reg] = inner->touch[reg];
	}
}

static u32 close_loop(struct rondo_verify *v)
{
	struct rondo_loop *loop = &v->loop[v->depth - 1];
	u64 skipped, after;
	u32 error;

	if (check_mul_overflow(v->clock - loop->clock, (u64)loop->steps, &skipped) ||
	    check_add_overflow(v->clock, skipped, &after) || after > RONDO_CLOCK_LIMIT ||
	    (v->budget && after > v->budget))
		return RONDO_ERR_BUDGET;
	if (loop->steps) {
		error = rondo_verify_back_edge(v, skipped);
		if (error)
			return error;
	}
	if (rondo_time_close(&v->time, v->clock, after, (u64)loop->steps + 1))
		rondo_verify_charge(v, RONDO_WORK_MATRICES);
	if (v->time.dma_loops > RONDO_DMA_LOOPS_MAX)
		return RONDO_ERR_DMA_LOOPS;
	rondo_signature_close(&v->signature, (u64)loop->steps + 1);
	v->clock = after;
	rondo_outstanding_leave(v);
	v->depth--;
	rondo_clear_loop_end(v, v->depth);
	if (v->depth)
		hand_over(&v->loop[v->depth - 1], loop);
	return RONDO_ERR_NONE;
}

u32 rondo_verify_close_loops(struct rondo_verify *v)
{
	u32 error;

	while (v->depth && v->loop[v->depth - 1].last == v->next) {
		error = close_loop(v);
		if (error)
			return error;
	}
	return RONDO_ERR_NONE;
}
