// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fused operations: what is in SRAM anyway need not go through a register.
 *
 *  - A store that comes right after the operation whose result it stores is done with it.
 *  - In the body of an innermost loop, an operation takes its operands from where the loads before
 *    it have found them. Many writes of registers are then dead: the register is written again, in
 *    this trip or in the next, before anything reads it. All trips but the last run a brief list
 *    without them; the last trip runs them all and leaves the registers as the program does.
 *
 * A register that the whole list reads before it writes it has its value from the trip before,
 * which the last trip needs, too: it is never dead at the end of the list.
 */
#include "emulator/exec/fast/state.h"

#include <string.h>

/* The body of a loop. */
struct body {
	const struct exec_program *program;
	const struct exec_loops *loops;
	const struct fast_variant *variant;
	struct fast_fusion *fusion; /* of the program */
	struct fast_op *op;
	u32 ops;
	u64 exposed; /* registers that the whole list reads before it writes them */
};

/* What the operation is fused with; NULL if it cannot be, or is not. */
static struct fast_fusion *fusion_of(const struct body *b, const struct fast_op *op)
{
	return b->variant->fused[op->op] ? &b->fusion[op->fusion] : NULL;
}

/* A store's own place, be it fused. */
static bool stores(const struct body *b, const struct fast_op *op)
{
	const struct fast_fusion *x = fusion_of(b, op);

	return rondo_op_writes_sram(op->op) || (x && x->to_sram);
}

/* The register that @op writes; RONDO_VREGS or more: none that a program knows. */
static u8 written(const struct body *b, const struct fast_op *op)
{
	const struct fast_fusion *x = fusion_of(b, op);

	return rondo_ops[op->op].latency && (!x || x->to_register) ? op->dst : RONDO_VREGS;
}

/* The registers that @op reads. */
static u64 read(const struct body *b, const struct fast_op *op)
{
	const struct rondo_op decoded = {
		.op = op->op, .a = op->a, .b = op->b, .c = op->c, .params = op->params
	};
	const u8 operand[3] = { op->a, op->b, op->c };
	const struct fast_fusion *x = fusion_of(b, op);
	u64 set = rondo_register_use(&decoded).reads;
	u32 k;

	for (k = 0; x && k < 3; k++)
		if (x->entry[k] != FAST_REGISTER)
			set &= ~(1ull << operand[k]);
	return set;
}

u32 fast_join_stores(const struct exec_program *program, const struct fast_variant *variant,
		     struct fast_op *op, u32 ops)
{
	const struct fast_program *p = program->own;
	u32 from, to;

	for (from = to = 0; from < ops && !exec_load_stopped(program); from++, to++) {
		const struct fast_op *store = &op[from + 1];

		op[to] = op[from];
		if (from + 1 == ops || op[to].run != variant->op[op[to].op] ||
		    !variant->fused[op[to].op] || store->run != variant->whole[RONDO_OP_st_w] ||
		    store->a != op[to].dst)
			continue;
		op[to].run = variant->fused[op[to].op];
		op[to].entry = store->entry;
		op[to].off = store->off;
		p->fusion[op[to].fusion].to_sram = true;
		from++;
	}
	return to;
}

/* @op as what it does to SRAM, a whole store, if it is a fused one. */
static struct fast_op as_store(const struct fast_op *op)
{
	struct fast_op store = *op;

	if (!rondo_op_writes_sram(op->op)) {
		store.op = RONDO_OP_st_w;
		store.count = RONDO_LANES_MAX;
	}
	return store;
}

/* Whether what @load reads is still there after @op, which may be a store, in any trip. */
static bool leaves(const struct body *b, const struct fast_op *op, const struct fast_op *load)
{
	const struct fast_op store = as_store(op);
	struct rondo_hull x, y;

	return !stores(b, op) ||
	       (fast_sram_hull(b->program, b->loops, &store, &x) &&
		fast_sram_hull(b->program, b->loops, load, &y) && !rondo_hulls_meet(&x, &y));
}

/*
 * The load that register @reg comes from when operation @at reads it, if the operation may read
 * SRAM instead; else NULL. It may write what it reads, a vector after the other.
 */
static const struct fast_op *load_of(const struct body *b, u32 at, u8 reg)
{
	const struct fast_op *op = &b->op[at], *load = op;

	while (load > b->op && written(b, --load) != reg)
		;
	if (load == op || written(b, load) != reg || load->run != b->variant->whole[RONDO_OP_ld_w])
		return NULL;
	for (const struct fast_op *between = load + 1; between < op; between++)
		if (!leaves(b, between, load))
			return NULL;
	if (!leaves(b, op, load) && (op->entry != load->entry || op->off != load->off))
		return NULL;
	return load;
}

/* Operation @at reads what its operands were loaded from. */
static void take_from_sram(struct body *b, u32 at)
{
	struct fast_op *op = &b->op[at];
	struct fast_fusion *x = fusion_of(b, op);
	const u8 operand[3] = { op->a, op->b, op->c };
	const struct fast_op *load;
	u32 k;

	for (k = 0; x && k < 3; k++) {
		load = operand[k] < RONDO_VREGS ? load_of(b, at, operand[k]) : NULL;
		if (!load)
			continue;
		x->entry[k] = load->entry;
		x->off[k] = load->off;
		op->run = b->variant->fused[op->op];
	}
}

/* Whether nothing reads what operation @at writes to its register. */
static bool is_dead(const struct body *b, u32 at)
{
	u8 reg = written(b, &b->op[at]);
	u32 i;

	if (reg >= RONDO_VREGS)
		return false;
	for (i = at + 1; i < b->ops; i++) {
		if (read(b, &b->op[i]) >> reg & 1)
			return false;
		if (written(b, &b->op[i]) == reg)
			return true;
	}
	return !(b->exposed >> reg & 1);
}

/* The write of operation @at is left out, or all of it if it does nothing else. */
static void leave_out(struct body *b, u32 at)
{
	struct fast_fusion *x = fusion_of(b, &b->op[at]);

	if (x && x->to_sram)
		x->to_register = false;
	else
		memmove(&b->op[at], &b->op[at + 1], (--b->ops - at) * sizeof(*b->op));
}

u32 fast_shorten(const struct exec_program *program, const struct exec_loops *loops,
		 const struct fast_variant *variant, struct fast_op *op, u32 ops)
{
	struct fast_program *p = program->own;
	struct body b = { program, loops, variant, p->fusion, op, ops, 0 };
	u64 before = 0;
	u32 at;

	for (at = 0; at < ops; at++) {
		u8 reg = written(&b, &op[at]);

		b.exposed |= read(&b, &op[at]) & ~before;
		before |= reg < RONDO_VREGS ? 1ull << reg : 0;
	}
	for (at = 0; at < ops; at++)
		take_from_sram(&b, at);
	/* From the end on, so that what only a dead operation reads is dead, too. */
	for (at = ops; at-- > 0;)
		if (is_dead(&b, at))
			leave_out(&b, at);
	return b.ops;
}
