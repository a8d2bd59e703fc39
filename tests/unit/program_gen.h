/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Programs from bytes: every byte string is a program, and a fair part of them is right.
 * Fuzzers choose the bytes, and so do tests with a generator of random numbers.
 *
 * What makes a program likely to be right is built in, and left out once in a while:
 * entries use open loops only, registers are chosen among those that have landed, a loop
 * that starts transfers waits for them.
 */
#ifndef TESTS_UNIT_PROGRAM_GEN_H
#define TESTS_UNIT_PROGRAM_GEN_H

#include "tests/unit/program_builder.h"

enum { GEN_REGS = 8, GEN_BUNDLES = 40, GEN_DEPTH = 5 };

/* What a program is made of. */
enum gen_kind {
	GEN_ALL,
	GEN_REGISTERS, /* vector operations and loops: decided by hazards alone */
	GEN_TIME, /* transfers, waits and loops: nothing that touches SRAM but DMA */
	GEN_SRAM, /* loads and stores of 4 KiB, so that what is read was often written */
};

struct gen {
	struct builder *b;
	enum gen_kind kind;
	const u8 *at, *end; /* choices; zeros when they are used up */
	u32 depth;
	u32 last[RONDO_LOOP_DEPTH]; /* last bundle of each open loop */
	u32 land[GEN_REGS]; /* in bundles of the text */
	u32 carried; /* set of channels with transfers started in open loops */
};

static inline u32 gen_pick(struct gen *g, u32 count)
{
	return g->at < g->end ? *g->at++ % count : 0;
}

/* True about once in @count times; false when the choices are used up. */
static inline bool gen_rare(struct gen *g, u32 count)
{
	return gen_pick(g, count) == count - 1;
}

#define GEN_ONE_OF(g, ...) \
	((const s32[]){ __VA_ARGS__ }[gen_pick(g, sizeof((s32[]){ __VA_ARGS__ }) / sizeof(s32))])

static inline u32 gen_reg(struct gen *g)
{
	u32 reg = gen_pick(g, GEN_REGS), i;

	for (i = 0; i < GEN_REGS; i++, reg = (reg + 1) % GEN_REGS)
		if (g->land[reg] <= g->b->header.bundles - 1 || gen_rare(g, 16))
			break;
	return reg;
}

static inline u32 gen_base(struct gen *g)
{
	u32 base = 4096 + gen_pick(g, 64) * 256 + (gen_rare(g, 4) ? gen_pick(g, 64) * 4 : 0);

	if (gen_rare(g, 32))
		base += g->b->machine.sram_bytes - 16384;
	return base + (gen_rare(g, 250) ? 1 : 0);
}

static inline s32 gen_stride(struct gen *g)
{
	s32 stride = GEN_ONE_OF(g, 0, 4, 16, 64, 256, 512, 1024, -4, -64, -256);

	return stride + (gen_rare(g, 250) ? 1 : 0);
}

/* An entry for an operation at the current depth. */
static inline u32 gen_entry(struct gen *g)
{
	struct rondo_entry e = { .base = gen_base(g) };
	u32 d, open = g->depth + gen_rare(g, 250);

	if (g->b->header.entries && gen_rare(g, 32))
		return gen_pick(g, g->b->header.entries + gen_rare(g, 16));
	for (d = 0; d < open && d < RONDO_LOOP_DEPTH; d++) {
		e.stride[d] = gen_stride(g);
		e.row_stride[d] = GEN_ONE_OF(g, 0, 0, 1, 2, -1);
		e.first |= !(d && gen_pick(g, 2)) << d;
	}
	if (gen_rare(g, 4)) {
		e.seg_len = 1 + gen_pick(g, 16);
		e.seg_stride = gen_stride(g);
	}
	e.pitch = gen_stride(g);
	return build_entry(g->b, e);
}

static inline u32 gen_desc(struct gen *g)
{
	static const u32 bytes[] = { 64, 256, 4, 100, 1024 };
	u32 row = bytes[gen_pick(g, 5)], d, open = g->depth + gen_rare(g, 250);
	struct rondo_desc desc = { .dir = gen_rare(g, 3),
				   .slot = gen_pick(g, g->b->header.slots),
				   .row_bytes = row,
				   .sram_base = gen_base(g) + (gen_rare(g, 4) ? 0 : 65536),
				   .slot_base = 8192 + gen_pick(g, 8) * 1024 };
	s64 span = row;

	for (d = RONDO_DMA_DIMS; d-- > 0;) {
		desc.count[d] = gen_rare(g, 3) ? 1 + gen_pick(g, 4) : 1;
		desc.slot_stride[d] = span + (gen_rare(g, 4) ? gen_pick(g, 64) : 0);
		desc.sram_stride[d] = gen_rare(g, 4) ? gen_stride(g) : span;
		span += desc.slot_stride[d] * (desc.count[d] - 1);
	}
	for (d = 0; d < open && d < RONDO_DMA_LOOP_DEPTH; d++) {
		desc.sram_loop[d] = gen_stride(g);
		desc.slot_loop[d] = gen_stride(g);
	}
	return build_desc(g->b, desc);
}

static inline void gen_start(struct gen *g)
{
	u32 channel = gen_pick(g, RONDO_DMA_CHANNELS);
	u32 last = gen_rare(g, 3) ? gen_pick(g, g->depth + 1) + gen_rare(g, 64) : 0;
	u32 desc = g->b->header.descs && gen_rare(g, 4) ?
			   gen_pick(g, g->b->header.descs + gen_rare(g, 16)) :
			   gen_desc(g);
	struct rondo_op op = { .op = RONDO_OP_dma, .channel = channel, .desc = desc, .last = last };

	op.wait[gen_pick(g, 4)] = gen_pick(g, 5);
	build_put(g->b, RONDO_C, op);
	if (g->depth)
		g->carried |= 1u << channel;
}

/* Opens loops over some of the bundles up to the enclosing loop's last. */
static inline void gen_loop(struct gen *g, u32 left)
{
	struct rondo_op op = { .op = gen_rare(g, 3) ? RONDO_OP_loop : RONDO_OP_loop1, .nest = 1 };
	u32 i;

	op.body = 1 + gen_pick(g, left < 12 ? left : 12) + (gen_rare(g, 64) ? left : 0);
	if (op.op == RONDO_OP_loop)
		op.nest = 1 + gen_pick(g, 3);
	if (g->depth + op.nest > GEN_DEPTH)
		op.nest = 1;
	for (i = 0; i < op.nest; i++) {
		op.trip[i] = 1 + gen_pick(g, 4);
		if (g->depth < RONDO_LOOP_DEPTH)
			g->last[g->depth++] = g->b->header.bundles - 1 + op.body;
	}
	build_put(g->b, RONDO_C, op);
}

/* A load or store that needs no register and stays in the first KiBs. */
static inline void gen_sram_op(struct gen *g, u32 slot)
{
	struct rondo_op op = { .op = slot == RONDO_S ? RONDO_OP_sta : RONDO_OP_preset };
	struct rondo_entry e = { .base = 4096 + gen_pick(g, 16) * 128 };
	u32 d;

	for (d = 0; d < g->depth; d++)
		e.stride[d] = GEN_ONE_OF(g, 0, 0, 128, 256, 512, 1024, -128, -256);
	if (gen_rare(g, 4)) {
		e.seg_len = 1 << gen_pick(g, 7);
		e.seg_stride = GEN_ONE_OF(g, 0, 128, 256, 64, -128);
	}
	op.count = GEN_ONE_OF(g, 64, 32, 64, 16);
	op.entry = build_entry(g->b, e);
	build_put(g->b, slot, op);
}

static inline void gen_control(struct gen *g, u32 left)
{
	bool dma = g->kind != GEN_REGISTERS && g->kind != GEN_SRAM &&
		   g->depth <= RONDO_DMA_LOOP_DEPTH;
	u32 ends = g->depth ? g->last[g->depth - 1] : ~0u, ch;
	struct rondo_op wait = { .op = RONDO_OP_wait };

	if (dma && g->carried && ends == g->b->header.bundles - 1 && !gen_rare(g, 16)) {
		for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
			wait.wait[ch] = g->carried >> ch & 1;
		build_put(g->b, RONDO_C, wait);
		g->carried = 0;
		return;
	}
	switch (gen_pick(g, 6)) {
	case 0:
	case 1:
		if (left && g->depth < GEN_DEPTH && ends != g->b->header.bundles - 1)
			gen_loop(g, g->depth ? ends - (g->b->header.bundles - 1) : left);
		break;
	case 2:
		if (dma)
			gen_start(g);
		break;
	case 3:
		wait.wait[gen_pick(g, 4)] = gen_pick(g, 5);
		if (dma)
			build_put(g->b, RONDO_C, wait);
		break;
	default:
		break;
	}
}

/* Some operation that may stand in @slot, with fields that mostly make sense. */
static inline void gen_op(struct gen *g, u32 slot)
{
	struct rondo_op op = { .op = gen_pick(g, RONDO_OPCODES) };
	u32 tries, lands;

	for (tries = 0; tries < RONDO_OPCODES; tries++) {
		if (rondo_ops[op.op].format && rondo_ops[op.op].slots >> slot & 1)
			break;
		op.op = (op.op + 1) % RONDO_OPCODES;
	}
	op.a = gen_reg(g);
	op.b = gen_reg(g);
	op.c = gen_reg(g);
	op.params = gen_pick(g, GEN_REGS - 2);
	op.dst = gen_reg(g);
	op.count = 1 + (gen_rare(g, 3) ? 63 : gen_pick(g, 16));
	op.rows = 1 + gen_pick(g, 4);
	op.lane = gen_rare(g, 8) ? gen_pick(g, 65 - op.count + gen_rare(g, 64)) % 64 : 0;
	op.off = gen_rare(g, 4) ? gen_pick(g, 64) * 4 : 0;
	op.row = 32 + gen_pick(g, 32) + (gen_rare(g, 32) ? 440 : 0);
	op.wrow = slot == RONDO_W ? 16 + gen_pick(g, 32) :
				    gen_pick(g, 65 - op.count + gen_rare(g, 64)) % 64;
	op.buf = gen_pick(g, 2);
	op.mode = gen_pick(g, g->depth || gen_rare(g, 64) ? 3 : 2);
	if (rondo_ops[op.op].slots != RONDO_SLOTS_V && rondo_ops[op.op].slots != RONDO_SLOTS_V1)
		op.entry = gen_entry(g);
	lands = g->b->header.bundles - 1 + rondo_latency(&g->b->machine, op.op);
	/* What is still in flight at the end of a loop is often in the way of its next trip. */
	if (g->depth && lands > g->last[g->depth - 1] + 1 && !gen_rare(g, 8))
		return;
	if (rondo_latency(&g->b->machine, op.op))
		g->land[op.dst] = lands;
	build_put(g->b, slot, op);
}

static inline void gen_bundle(struct gen *g, u32 left)
{
	u32 slot;

	build_bundle(g->b);
	if (g->kind == GEN_SRAM && gen_pick(g, 2))
		gen_sram_op(g, gen_rare(g, 3) ? RONDO_M : RONDO_S);
	for (slot = RONDO_L0; g->kind != GEN_SRAM && g->kind != GEN_TIME && slot <= RONDO_V1;
	     slot++) {
		if (g->kind == GEN_REGISTERS && slot < RONDO_V0)
			continue;
		if (gen_rare(g, 3))
			gen_op(g, slot);
	}
	gen_control(g, left);
	while (g->depth && g->last[g->depth - 1] <= g->b->header.bundles - 1)
		g->depth--;
}

/* Builds a program into @b, freshly initialised. */
static inline void gen_program(struct builder *b, enum gen_kind kind, const u8 *choices,
			       size_t size)
{
	struct gen g = { .b = b, .kind = kind, .at = choices, .end = choices + size };
	u32 reg, bundles;

	build_slot(b, 0);
	build_slot(b, gen_pick(&g, 2));
	build_slot(b, gen_pick(&g, 2));
	for (reg = 0; reg < GEN_REGS; reg++)
		build_op(b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_iota, .dst = reg });
	build_bundle(b);
	bundles = b->header.bundles + 1 + gen_pick(&g, GEN_BUNDLES);
	while (b->header.bundles < bundles || g.depth)
		gen_bundle(&g, bundles - b->header.bundles > GEN_BUNDLES ?
				       0 :
				       bundles - b->header.bundles);
	build_halt(b);
}

#endif
