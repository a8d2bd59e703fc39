// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Cutting a program into segments, and what it needs of the host's memory.
 */
#include "emulator/exec/mesh/mesh.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 4096 };

struct cutter {
	const struct exec_program *p;
	struct mesh_program *mp;
	u32 *meets; /* bundles below each one where tiles meet */
	u64 *live; /* registers after each bundle */
	u32 segments;
	struct exec_loops loops; /* open */
	u32 outer; /* those around the segment */
	u32 last[RONDO_LOOP_DEPTH];
	struct rondo_signature_text text; /* of the segment */
	/* What the program may touch. */
	u64 regs;
	s64 acc_rows;
	bool weights;
	u64 *pages; /* of a tile's SRAM: a set */
	struct rondo_hull window; /* around all of them */
};

static bool tiles_meet(const struct exec_program *p, const struct exec_bundle *b)
{
	const struct rondo_op *control = exec_control_of(p, b);
	u32 i;

	for (i = b->first; i < b->first + b->ops; i++)
		if (rondo_op_reads_mesh(p->op[i].op))
			return true;
	return control->op == RONDO_OP_halt || exec_uses_dma(control);
}

/* Bytes around its address that @op touches in SRAM, and how. */
static void describe(const struct exec_program *p, const struct exec_op *op, u64 reads,
		     struct mesh_op *m)
{
	const struct rondo_access access = exec_access(p, op);

	m->direct = rondo_ops[op->op].latency && !(reads >> op->dst & 1);
	if (!access.size)
		return;
	m->whole = access.size == 4 && access.count == p->machine.lanes &&
		   !rondo_access_segmented(&access);
	m->hull = rondo_access_hull(&access);
}

/* The tile's SRAM from @lo to @hi is touched, as far as it exists. */
static void touch(struct cutter *c, double lo, double hi)
{
	double bytes = c->p->machine.sram_bytes;
	struct rondo_hull in;
	u32 page;

	if (lo >= bytes || hi <= 0)
		return;
	in.lo = lo > 0 ? (s64)lo : 0;
	in.hi = (s64)(hi < bytes ? hi : bytes);
	for (page = (u32)in.lo / PAGE; page <= (in.hi - 1) / PAGE; page++)
		c->pages[page / 64] |= 1ull << page % 64;
	c->window.lo = in.lo < c->window.lo ? in.lo : c->window.lo;
	c->window.hi = in.hi > c->window.hi ? in.hi : c->window.hi;
}

/* What is out of 64 bits may be anywhere. */
static void touch_operation(struct cutter *c, const struct exec_op *op)
{
	s64 rows = c->p->machine.acc_rows;
	struct rondo_hull hull;

	if (rondo_op_has_address(op->op)) {
		if (exec_sram_hull(c->p, op, &c->loops, &hull))
			touch(c, (double)hull.lo, (double)hull.hi);
		else
			touch(c, 0, c->p->machine.sram_bytes);
	}
	if (rondo_op_has_acc(op->op)) {
		if (exec_row_hull(c->p, op, &c->loops, &hull) && hull.hi < rows)
			rows = hull.hi;
		c->acc_rows = rows > c->acc_rows ? rows : c->acc_rows;
	}
	c->weights |= rondo_op_writes_weights(op->op);
}

static void touch_transfer(struct cutter *c, const struct rondo_desc *d)
{
	double lo = d->sram_base, hi = lo + d->row_bytes;
	u32 k;

	for (k = 0; k < RONDO_DMA_DIMS; k++)
		*(d->sram_stride[k] < 0 ? &lo : &hi) += d->sram_stride[k] * (d->count[k] - 1.0);
	for (k = 0; k < RONDO_DMA_LOOP_DEPTH && k < c->loops.depth; k++)
		*(d->sram_loop[k] < 0 ? &lo : &hi) += d->sram_loop[k] * (c->loops.trips[k] - 1.0);
	touch(c, lo, hi);
}

/* Upper bounds of what one pass of a segment takes: bytes of SRAM in a tile, steps of a list. */
struct use {
	double bytes, steps;
	u64 regs;
};

static void use_bundle(struct cutter *c, const struct exec_bundle *b, u64 times, struct use *use)
{
	u32 i;

	use->regs |= b->reads | b->writes;
	use->steps += (double)times * mesh_steps_of(b);
	for (i = b->first; i < b->first + b->ops; i++)
		use->bytes += (double)times * (double)(c->mp->op[i].hull.hi - c->mp->op[i].hull.lo);
}

/* The innermost loop ends; loops around the segment repeat more than it. */
static void close_loop(struct cutter *c)
{
	c->loops.depth--;
	if (c->text.depth > c->outer)
		rondo_signature_close(&c->text, c->loops.trips[c->loops.depth]);
}

static void open_loops(struct cutter *c, const struct rondo_op *op, u32 at)
{
	u32 nest = rondo_loop_nest(op), i;

	for (i = 0; i < nest; i++, c->loops.depth++) {
		c->last[c->loops.depth] = at + op->body;
		c->loops.trips[c->loops.depth] = op->trip[i];
		rondo_signature_open(&c->text);
	}
}

/* How many tiles fit in the host's cache together. */
static u32 group_of(const struct cutter *c, const struct use *use)
{
	const struct rondo_machine *m = &c->p->machine;
	double sram = use->bytes < m->sram_bytes ? use->bytes : m->sram_bytes;
	double block = sram * RONDO_LANES_MAX / m->lanes +
		       __builtin_popcountll(use->regs) * sizeof(exec_vreg);
	double blocks = MESH_GROUP_BYTES / (block + 1);

	return blocks < 1 ? 1 : blocks > MESH_GROUP_BLOCKS ? MESH_GROUP_BLOCKS : (u32)blocks;
}

/* Bundle @at runs, @repeat times in one pass of its segment; notes what it touches. */
static void pass_bundle(struct cutter *c, u32 at, u64 repeat, struct use *use)
{
	const struct exec_bundle *b = &c->p->bundle[at];
	const struct rondo_op *control = exec_control_of(c->p, b);
	struct rondo_affine value;
	u32 i;

	use_bundle(c, b, repeat, use);
	exec_bundle_value(c->p, b, &value);
	rondo_signature_bundle(&c->text, &value);
	for (i = b->first; i < b->first + b->ops; i++)
		touch_operation(c, &c->p->op[i]);
	if (control->op == RONDO_OP_dma)
		touch_transfer(c, &c->p->desc[control->desc]);
	for (i = 0; i < b->closes; i++)
		close_loop(c);
	open_loops(c, control, at);
}

/*
 * One segment from bundle @at on. It ends before a bundle where tiles meet, with a bundle that
 * opens loops around one, and with the last bundle of a loop that was open at its start.
 */
static u32 cut_segment(struct cutter *c, u32 at)
{
	struct mesh_segment *s = &c->mp->segment[c->segments];
	u32 outer = c->loops.depth, d;
	struct use use = { 0 };

	*s = (struct mesh_segment){ .first = at };
	c->outer = outer;
	rondo_signature_text_init(&c->text, outer);
	c->mp->segment_at[at] = c->segments++;
	for (;;) {
		bool meets = c->meets[at + 1] > c->meets[at];
		u64 repeat = 1;

		for (d = outer; d < c->loops.depth; d++)
			if (check_mul_overflow(repeat, c->loops.trips[d], &repeat))
				repeat = UINT64_MAX;
		if (check_add_overflow(s->cycles, repeat, &s->cycles))
			s->cycles = UINT64_MAX;
		pass_bundle(c, at, repeat, &use);
		at++;
		if (meets)
			break;
		s->group = group_of(c, &use);
		if (at == c->p->bundles || c->loops.depth < outer || exec_load_stopped(c->p))
			break;
		/* Loops that this bundle opened around a meeting are not the segment's own. */
		if (c->loops.depth > outer &&
		    c->meets[c->last[c->loops.depth - 1] + 1] > c->meets[at])
			break;
		if (c->loops.depth == outer && c->meets[at + 1] > c->meets[at])
			break;
	}
	s->end = at;
	/* From one list to the next registers stay in the state only. */
	if (s->group && use.steps <= MESH_STEPS)
		s->local = use.regs & ~c->live[at - 1] &
			   ~mesh_live_before(c->p, s->first, c->live[s->first]);
	c->regs |= use.regs & ~s->local;
	s->stretch = c->text.level[outer];
	return at;
}

/* Words of the set of a tile's pages. */
static u64 page_words(const struct cutter *c)
{
	return c->p->machine.sram_bytes / PAGE / 64 + 1;
}

static bool prepare(struct cutter *c)
{
	const struct exec_program *p = c->p;
	u32 at, i;

	c->meets = emu_budget_calloc(p->limits.budget, p->bundles + 1ull, sizeof(*c->meets));
	c->live = emu_budget_calloc(p->limits.budget, p->bundles, sizeof(*c->live));
	c->pages = emu_budget_calloc(p->limits.budget, page_words(c), sizeof(*c->pages));
	c->mp->segment = emu_budget_calloc(p->limits.budget, p->bundles, sizeof(*c->mp->segment));
	c->mp->segment_at =
		emu_budget_calloc(p->limits.budget, p->bundles, sizeof(*c->mp->segment_at));
	c->mp->op = emu_budget_calloc(p->limits.budget, p->ops + 1ull, sizeof(*c->mp->op));
	if (!c->meets || !c->live || !c->pages || !c->mp->segment || !c->mp->segment_at ||
	    !c->mp->op)
		return false;
	for (at = 0; at < p->bundles && !exec_load_stopped(p); at++) {
		const struct exec_bundle *b = &p->bundle[at];

		c->meets[at + 1] = c->meets[at] + tiles_meet(p, b);
		for (i = b->first; i < b->first + b->ops; i++)
			describe(p, &p->op[i], b->reads, &c->mp->op[i]);
	}
	return true;
}

/* What each tile needs of SRAM: a window, and bytes of host memory. */
static u64 window_bytes(const struct cutter *c)
{
	struct rondo_hull *window = &c->mp->window;
	u64 pages = 0, page;

	if (c->window.lo < c->window.hi)
		*window = (struct rondo_hull){ c->window.lo & -64, c->window.hi };
	for (page = 0; page * PAGE < c->p->machine.sram_bytes; page++)
		pages += c->pages[page / 64] >> page % 64 & 1;
	c->mp->dense = pages * PAGE >= (u64)(window->hi - window->lo);
	return c->mp->dense ? mesh_sram_stride(window) : pages * PAGE;
}

/* Bytes of host memory for each tile. */
static u64 tile_bytes(const struct cutter *c)
{
	const struct rondo_machine *m = &c->p->machine;
	u64 lane_bytes = m->lanes * 4ull, bytes = window_bytes(c);

	bytes += (__builtin_popcountll(c->regs) + 1) * lane_bytes + c->acc_rows * lane_bytes;
	if (c->weights)
		bytes += 2 * m->lanes * sizeof(struct weight_row) * m->lanes / RONDO_LANES_MAX;
	return bytes;
}

bool mesh_fits(const struct rondo_machine *m, u64 tile_bytes, const struct host_memory *host,
	       char why[EXEC_REASON_BYTES])
{
	u64 need = tile_bytes * m->mesh_w * m->mesh_h;
	u32 side;

	if (need <= host->bytes)
		return true;
	side = (u32)sqrt((double)host->bytes / (double)tile_bytes);
	snprintf(why, EXEC_REASON_BYTES,
		 "%u x %u tiles of this program need %.1f GiB, %s has %.1f GiB: %u x %u would fit",
		 m->mesh_w, m->mesh_h, need * 0x1p-30, host->of, host->bytes * 0x1p-30, side, side);
	return false;
}

int mesh_load(struct exec_program *p, char why[EXEC_REASON_BYTES])
{
	const struct host_memory host = host_memory_available();
	struct cutter c = { .p = p,
			    .mp = emu_budget_calloc(p->limits.budget, 1, sizeof(*c.mp)),
			    .window = { p->machine.sram_bytes, 0 } };
	int ret = -ENOMEM;
	u32 at = 0;

	p->own = c.mp;
	if (c.mp && prepare(&c) && mesh_live(p, c.live)) {
		while (at < p->bundles && !exec_load_stopped(p))
			at = cut_segment(&c, at);
		c.mp->tile_bytes = tile_bytes(&c);
		if (exec_load_stopped(p))
			ret = -ECANCELED;
		else if (mesh_fits(&p->machine, c.mp->tile_bytes, &host, why))
			ret = 0;
	}
	emu_budget_free(p->limits.budget, c.meets, p->bundles + 1ull, sizeof(*c.meets));
	emu_budget_free(p->limits.budget, c.live, p->bundles, sizeof(*c.live));
	emu_budget_free(p->limits.budget, c.pages, page_words(&c), sizeof(*c.pages));
	return ret;
}

void mesh_unload(struct exec_program *program)
{
	struct mesh_program *p = program->own;

	if (!p)
		return;
	free(p->op);
	free(p->segment);
	free(p->segment_at);
	free(p);
}
