// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hazards of vector registers. A register that an operation writes is in flight until it
 * lands, latency bundles after the operation's; nothing may touch it before, neither read
 * nor write. Bundles are counted by the clock; stalls make flights only shorter.
 *
 * One pass is exact for all trips: in a loop's later trips, what is in flight at the start
 * is what the body wrote and had not landed at its end, which is compared with the first
 * touch of that register in the body; what is older has landed sooner than in the first.
 *
 * A register is defined in all tiles by a write without a mask. A write under a mask defines
 * it for bundles under the same mask, until one under another mask takes its place: one
 * mask is remembered for each register. A mesh operation reads the registers of all tiles.
 */
#include "core/verify_state.h"

/* Whether one of @regs is still in flight; those that have landed are forgotten. */
static bool in_flight(struct rondo_verify *v, u64 regs)
{
	struct rondo_registers *r = &v->regs;

	for (regs &= r->flying; regs; regs &= regs - 1) {
		if (r->land[__builtin_ctzll(regs)] > v->clock)
			return true;
		r->flying &= ~(regs & -regs);
	}
	return false;
}

/* Whether @op may read @regs in all the tiles that take part. */
static bool defined(const struct rondo_verify *v, const struct rondo_op *op, u64 regs)
{
	const struct rondo_registers *r = &v->regs;

	for (regs &= ~r->defined; regs; regs &= regs - 1) {
		u32 reg = __builtin_ctzll(regs);

		if (v->all_tiles || rondo_op_reads_mesh(op->op) || !(r->masked >> reg & 1) ||
		    !rondo_tiles_equal(r->tiles[reg], v->tiles))
			return false;
	}
	return true;
}

static void touch(struct rondo_verify *v, u64 regs)
{
	struct rondo_loop *loop = &v->loop[v->depth - 1];

	regs &= ~loop->touched;
	loop->touched |= regs;
	for (; regs; regs &= regs - 1)
		loop->touch[__builtin_ctzll(regs)] = (struct rondo_touch){ v->clock, v->next };
}

static void define(struct rondo_verify *v, u64 regs)
{
	struct rondo_registers *r = &v->regs;

	if (v->all_tiles) {
		r->defined |= regs;
		return;
	}
	r->masked |= regs;
	for (; regs; regs &= regs - 1)
		r->tiles[__builtin_ctzll(regs)] = v->tiles;
}

static void write_registers(struct rondo_verify *v, u64 writes)
{
	struct rondo_registers *r = &v->regs;
	u32 slot;

	for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		const struct rondo_op *op = &v->bundle.slot[slot];
		u32 latency = rondo_latency(&v->machine, op->op);

		if (latency)
			r->land[op->dst] = v->clock + latency;
	}
	r->flying |= writes;
	define(v, writes);
	if (v->depth)
		v->loop[v->depth - 1].written |= writes;
}

u32 rondo_verify_registers(struct rondo_verify *v)
{
	u64 reads = 0, writes = 0;
	u32 slot;

	for (slot = RONDO_L0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		const struct rondo_op *op = &v->bundle.slot[slot];
		struct rondo_register_use use = rondo_register_use(op);

		v->verdict.slot = slot;
		if (!defined(v, op, use.reads))
			return RONDO_ERR_REG_UNDEFINED;
		if (in_flight(v, use.reads | use.writes))
			return RONDO_ERR_REG_IN_FLIGHT;
		if (use.writes & writes)
			return RONDO_ERR_REG_TWICE;
		reads |= use.reads;
		writes |= use.writes;
	}
	if (v->depth)
		touch(v, reads | writes);
	if (writes)
		write_registers(v, writes);
	return RONDO_ERR_NONE;
}

u32 rondo_verify_back_edge(struct rondo_verify *v, u64 skipped)
{
	const struct rondo_loop *loop = &v->loop[v->depth - 1];
	u64 flying = loop->written & v->regs.flying;

	for (; flying; flying &= flying - 1) {
		u32 reg = __builtin_ctzll(flying);
		const struct rondo_touch *first = &loop->touch[reg];

		if (v->regs.land[reg] <= v->clock)
			continue;
		if (first->clock - loop->clock < v->regs.land[reg] - v->clock) {
			v->verdict.index = first->bundle;
			return RONDO_ERR_REG_LOOP;
		}
		v->regs.land[reg] += skipped;
	}
	return RONDO_ERR_NONE;
}
