// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What becomes of the operations of an innermost loop.
 *
 * Blocks: some pushes may run ahead of the rest of the body, for a block of trips at a time.
 *
 * Fused operations: what is in SRAM anyway need not go through a register. A store that comes right
 * after the operation whose result it stores is done with it, in any list; in a body, an operation
 * takes its operands from where the loads before it have found them. Many writes of registers are
 * then dead: the register is written again, in this trip or in the next, before anything reads it.
 * All trips but the last run a brief list without them; the last trip runs all and leaves the
 * registers as the program does. What the whole list reads before it writes it is from the trip
 * before, and never dead at the end of a list.
 */
#include "emulator/exec/fast/fast.h"

#include <string.h>

struct body {
	const struct exec_program *program;
	const struct exec_loops *loops;
	const struct fast_variant *variant;
	struct fast_op *op;
	u32 ops;
};

/* Whether @a and @b touch no byte of SRAM in common, in any trips. */
static bool sram_apart(const struct body *body, const struct exec_op *a, const struct exec_op *b)
{
	struct rondo_hull x, y;

	return exec_sram_hull(body->program, a, body->loops, &x) &&
	       exec_sram_hull(body->program, b, body->loops, &y) && !rondo_hulls_meet(&x, &y);
}

/* Pushes into blocks. */

/* What @op adds to its row from trip to trip of the innermost loop. */
static s64 row_step(const struct body *body, const struct exec_op *op)
{
	return body->program->entry[op->entry].row_stride[body->loops->depth - 1];
}

/* Whether no row that @a touches in any trip is one that @b does. */
static bool rows_apart(const struct body *body, const struct exec_op *a, const struct exec_op *b)
{
	struct rondo_hull x, y;

	return exec_row_hull(body->program, a, body->loops, &x) &&
	       exec_row_hull(body->program, b, body->loops, &y) && !rondo_hulls_meet(&x, &y);
}

/* Whether the two have the same rows up to a constant, @apart: b's less a's. */
static bool rows_differ_by(const struct body *body, const struct exec_op *a,
			   const struct exec_op *b, s64 *apart)
{
	const struct rondo_entry *entry = body->program->entry;
	u32 d;

	for (d = 0; d < body->loops->depth; d++)
		if (entry[a->entry].row_stride[d] != entry[b->entry].row_stride[d])
			return false;
	*apart = (s64)b->row - a->row;
	return true;
}

/*
 * Whether the push may run for a whole block of trips before @other does for the first of
 * them: none of these trips of @other touches a row that by right is pushed onto after it.
 * @before: @other stands before the push in the body.
 */
static bool rows_allow(const struct body *body, const struct exec_op *push,
		       const struct exec_op *other, bool before)
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

/* Whether @push may run ahead of @other in all trips of a block. */
static bool may_pass(const struct body *body, const struct exec_op *push,
		     const struct exec_op *other, bool before)
{
	return (!rondo_op_writes_sram(other->op) || sram_apart(body, push, other)) &&
	       (!rondo_op_writes_weights(other->op) || push->buf != other->buf) &&
	       (!rondo_op_has_acc(other->op) || rows_allow(body, push, other, before));
}

/* Whether the push at @at may run ahead of all but the first @ahead, which already do. */
static bool may_hoist(const struct body *body, u32 ahead, u32 at)
{
	const struct fast_op *op = body->op;
	u32 i;

	if (!op[at].push || !row_step(body, &op[at].x))
		return false;
	for (i = ahead; i < body->ops; i++)
		if (i != at && !may_pass(body, &op[at].x, &op[i].x, i < at))
			return false;
	return true;
}

u32 fast_hoist(const struct exec_program *program, const struct exec_loops *loops,
	       struct fast_op *op, u32 ops)
{
	const struct body body = { program, loops, NULL, op, ops };
	struct fast_op push;
	u32 at, ahead = 0;

	for (at = 0; at < ops; at++) {
		if (!may_hoist(&body, ahead, at))
			continue;
		push = op[at];
		memmove(op + ahead + 1, op + ahead, (at - ahead) * sizeof(*op));
		op[ahead++] = push;
	}
	return ahead;
}

/* Fused operations. */

u32 fast_join_stores(const struct exec_program *program, const struct fast_variant *variant,
		     struct fast_op *op, u32 ops)
{
	struct fast_program *p = program->own;
	u32 from, to;

	for (from = to = 0; from < ops && !exec_load_stopped(program); from++, to++) {
		const struct fast_op *store = &op[from + 1];

		op[to] = op[from];
		if (from + 1 == ops || !op[to].fusion || p->fusion[op[to].fusion].to_sram ||
		    store->run != variant->whole[RONDO_OP_st_w] || store->x.a != op[to].x.dst)
			continue;
		op[to].run = variant->fused[op[to].x.op];
		op[to].x.entry = store->x.entry;
		op[to].x.off = store->x.off;
		p->fusion[op[to].fusion].to_sram = true;
		from++;
	}
	return to;
}

static struct fast_fusion *fusion_of(const struct body *body, const struct fast_op *op)
{
	struct fast_program *p = body->program->own;

	return &p->fusion[op->fusion];
}

/* The register that @op writes; RONDO_VREGS or more: none that the program knows. */
static u8 written(const struct fast_op *op)
{
	return rondo_ops[op->x.op].latency ? op->x.dst : FAST_REGS;
}

/* Whether what @load reads is still there after @op, which may store, in any trip. */
static bool leaves(const struct body *body, const struct fast_op *op, const struct fast_op *load)
{
	struct exec_op store = op->x;

	if (fusion_of(body, op)->to_sram) {
		store.op = RONDO_OP_st_w;
		store.count = RONDO_LANES_MAX;
	}
	return !rondo_op_writes_sram(store.op) || sram_apart(body, &store, &load->x);
}

/*
 * The load that register @reg comes from when @op reads it, if the operation may read SRAM
 * instead; else NULL. It may store to where it reads, a vector after the other.
 */
static const struct fast_op *load_of(const struct body *body, const struct fast_op *op, u8 reg)
{
	const struct fast_op *load = op, *between;

	while (load > body->op && written(--load) != reg)
		;
	if (load == op || written(load) != reg || load->run != body->variant->whole[RONDO_OP_ld_w])
		return NULL;
	for (between = load + 1; between < op; between++)
		if (!leaves(body, between, load))
			return NULL;
	return leaves(body, op, load) ||
			       (op->x.entry == load->x.entry && op->x.off == load->x.off) ?
		       load :
		       NULL;
}

/* @op, which may be fused, reads what its operands were loaded from. */
static void take_from_sram(const struct body *body, struct fast_op *op)
{
	const u8 operand[3] = { op->x.a, op->x.b, op->x.c };
	struct fast_fusion *fusion = fusion_of(body, op);

	for (u32 k = 0; k < 3; k++) {
		const struct fast_op *load = NULL;

		if (operand[k] < RONDO_VREGS)
			load = load_of(body, op, operand[k]);
		if (!load)
			continue;
		fusion->entry[k] = load->x.entry;
		fusion->off[k] = load->x.off;
		op->run = body->variant->fused[op->x.op];
		op->x.reads &= ~(1ull << operand[k]);
	}
}

/* Whether nothing reads what operation @at writes to its register. */
static bool is_dead(const struct body *body, u32 at, u64 exposed)
{
	u8 reg = written(&body->op[at]);
	u32 i;

	if (reg >= RONDO_VREGS)
		return false;
	for (i = at + 1; i < body->ops; i++) {
		if (body->op[i].x.reads >> reg & 1)
			return false;
		if (written(&body->op[i]) == reg)
			return true;
	}
	return !(exposed >> reg & 1);
}

/* The write of operation @at is left out, or all of it if it does nothing else. */
static void leave_out(struct body *body, u32 at)
{
	struct fast_op *op = &body->op[at];

	if (fusion_of(body, op)->to_sram)
		op->x.dst = FAST_REGS;
	else
		memmove(op, op + 1, (--body->ops - at) * sizeof(*op));
}

u32 fast_shorten(const struct exec_program *program, const struct exec_loops *loops,
		 const struct fast_variant *variant, struct fast_op *op, u32 ops)
{
	struct body body = { program, loops, variant, op, ops };
	u64 exposed = 0,
	    before = 0; /* registers that are read before they are written, and those */
	u32 at;

	for (at = 0; at < ops; at++) {
		exposed |= op[at].x.reads & ~before;
		before |= written(&op[at]) < RONDO_VREGS ? 1ull << written(&op[at]) : 0;
	}
	for (at = 0; at < ops; at++)
		if (op[at].fusion)
			take_from_sram(&body, &op[at]);
	/* From the end on, so that what only a dead operation reads is dead, too. */
	for (at = ops; at-- > 0;)
		if (is_dead(&body, at, exposed))
			leave_out(&body, at);
	return body.ops;
}
