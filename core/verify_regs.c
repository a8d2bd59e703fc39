// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hazards of vector registers.
 *
 * Threat: a register that an operation writes is in flight until it lands, latency bundles later.
 * A bundle that touched it before would see a value that depends on the machine; one that read a
 * register before its first write would see the data of another program.
 *
 * Mechanism: one pass, with the clock of executed bundles (stalls only shorten flights). It is
 * exact for all trips: what is in flight at the start of a later trip is what the body wrote and
 * had not landed at its end, and that is compared with the first touch of the register in the
 * body. Anything older landed before the first trip's touch, and later trips come later.
 *
 * Invariant: at each bundle, in the first trips of the open loops, land[r] is the clock at which
 * register r may be touched again. A register in `defined` has been written in all tiles, one in
 * `masked` in the tiles of its last mask: only bundles under that same mask may read it. A mesh
 * operation reads the registers of all tiles.
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

		if (rondo_op_has_role(op->op, RONDO_ROLE_DST))
			r->land[op->dst] = v->clock + rondo_latency(&v->machine, op->op);
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
