// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A group of blocks runs through the bundles of a segment. Within a bundle each operation is
 * done for all blocks of the group before the next, in the order of emulator/exec/plain/plain.c:
 *
 *	reads		L0, L1, V0, V1 compute; S takes what it stores from an accumulator row
 *	changes		M adds onto its row, W loads its row, S stores, registers are written
 *
 * A result goes to its register at once if no slot of the bundle reads that register and all
 * tiles take part; else it waits aside.
 */
#include "emulator/exec/mesh/mesh.h"

#include <stdlib.h>

/* One host thread's share. Its own struct run holds the loops and the end of its part. */
struct mesh_worker {
	struct run run;
	struct exec_result result;
	struct mesh *m;
	u32 first, count; /* blocks of the group */
	struct mesh_span whole[MESH_GROUP_BLOCKS], part[MESH_GROUP_BLOCKS];
	u8 *sram[MESH_GROUP_BLOCKS]; /* of the first tile of each */
	u32 *reg[RONDO_VREGS]; /* of the first block, then those of the others */
	/* The local ones; an odd number of blocks, so that they differ in the cache's sets. */
	exec_vreg local[RONDO_VREGS][MESH_GROUP_BLOCKS + 1];
	exec_vreg aside[RONDO_SLOTS_PER_BUNDLE][MESH_GROUP_BLOCKS];
	exec_vreg x[RONDO_LANES_MAX]; /* containers of a push, each in all lanes of its tile */
};

/* What the threads share: where the segment stands, and what is to be run. */
struct share {
	struct mesh *m;
	struct run *run;
	u32 first, end, group;
	u64 local;
};

/* The operation at hand. */
struct task {
	const struct exec_op *op;
	const struct mesh_op *extra;
	const struct slot_meaning *meaning;
	const struct mesh_span *span;
	s64 address, row;
};

#define for_each_block(w, i) for (u32 i = 0; i < (w)->count; i++)
#define for_each_tile(t, i, tile) for (u32 tile = (t)->span[i].lo; tile < (t)->span[i].hi; tile++)

static u32 *reg(const struct mesh_worker *w, u32 reg, u32 i)
{
	return w->reg[reg] + (size_t)i * RONDO_LANES_MAX;
}

static u8 *tile_sram(const struct mesh_worker *w, const struct task *t, u32 i, u32 tile)
{
	return w->sram[i] + tile * w->m->sram_stride + t->address;
}

/* @count tiles' lanes of @bytes each. On the wafer they are 32, too few for calls of memcpy(). */
static void copy_tiles(void *to, size_t to_step, const void *from, size_t from_step, u32 bytes,
		       u32 count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes == 32)
			memcpy((u8 *)to + i * to_step, (const u8 *)from + i * from_step, 32);
		else
			memcpy((u8 *)to + i * to_step, (const u8 *)from + i * from_step, bytes);
}

static void gather(const struct mesh_worker *w, const struct task *t, const u8 *at, u32 count,
		   void *to)
{
	run_gather(&w->run.program->entry[t->op->entry], rondo_element_bytes(t->op->op), count, at,
		   to);
}

static void scatter(const struct mesh_worker *w, const struct task *t, u8 *at, const void *from)
{
	run_scatter(&w->run.program->entry[t->op->entry], rondo_element_bytes(t->op->op),
		    t->op->count, at, from);
}

/* Loads of containers for all lanes, one after the other: a copy. */
static void load_whole(const struct mesh_worker *w, const struct task *t, exec_vreg *d)
{
	const u32 lanes = w->m->machine.lanes;

	for_each_block(w, i) {
		const struct mesh_span *span = &t->span[i];

		copy_tiles(d[i] + span->lo * lanes, lanes * 4, tile_sram(w, t, i, span->lo),
			   w->m->sram_stride, lanes * 4, span->hi - span->lo);
	}
}

static void load(const struct mesh_worker *w, const struct task *t, exec_vreg *d)
{
	const struct exec_op *op = t->op;
	const s64 pitch = w->run.program->entry[op->entry].pitch;
	const u32 lanes = w->m->machine.lanes, elements = rondo_elements(op->op, op->count);
	const u32 rows = rondo_op_has_rows(op->op) ? op->rows : 1;
	const bool containers = rows == 1 && elements == op->count &&
				rondo_element_bytes(op->op) == sizeof(u32);
	u8 bytes[sizeof(exec_vreg)];
	u32 x[RONDO_LANES_MAX];

	for_each_block(w, i) {
		for_each_tile(t, i, tile) {
			u32 *to = d[i] + tile * lanes, n, lane;

			if (!containers || elements < lanes)
				memset(to, 0, lanes * sizeof(*to));
			if (containers) {
				gather(w, t, tile_sram(w, t, i, tile), elements, to);
				continue;
			}
			for (n = 0; n < rows; n++) {
				gather(w, t, tile_sram(w, t, i, tile) + n * pitch, elements, bytes);
				t->meaning->widen(bytes, elements, x);
				for (lane = 0; lane < op->count; lane++)
					to[lane] |= x[elements == 1 ? 0 : lane] << 8 * n;
			}
		}
	}
}

/* The three parameter registers of block @i of the group, side by side. */
static const exec_vreg *params_of(const struct mesh_worker *w, const struct exec_op *op, u32 i,
				  exec_vreg params[3])
{
	for (u32 k = 0; k < 3; k++)
		memcpy(params[k], reg(w, op->params + k, i), sizeof(exec_vreg));
	return (const exec_vreg *)params;
}

static void readout(const struct mesh_worker *w, const struct task *t, exec_vreg *d)
{
	const bool has_params = rondo_op_has_params(t->op->op);
	const u32 lanes = w->m->machine.lanes;
	exec_vreg params[3];

	for_each_block(w, i) {
		const u32 *row = mesh_acc(w->m, (u32)t->row, w->first + i);

		t->meaning->readout(row, has_params ? params_of(w, t->op, i, params) : NULL, d[i]);
		for (u32 lane = 0; t->op->count < lanes && lane < RONDO_LANES_MAX; lane++)
			if (lane % lanes >= t->op->count)
				d[i][lane] = 0;
	}
}

static void compute(const struct mesh_worker *w, const struct task *t, exec_vreg *d)
{
	const struct exec_op *op = t->op;
	const bool has_params = rondo_op_has_params(op->op);
	alu_fn *const alu = w->m->alu[op->op];
	exec_vreg params[3];

	for_each_block(w, i)
		alu(&(struct alu_args){
			.d = d[i],
			.a = reg(w, op->a, i),
			.b = reg(w, op->b, i),
			.c = reg(w, op->c, i),
			.params = has_params ? params_of(w, op, i, params) : NULL,
			.imm = op->imm,
			.shift = op->shift,
			.lanes = w->m->machine.lanes,
		});
}

static void store(const struct mesh_worker *w, const struct task *t)
{
	const bool containers = rondo_element_bytes(t->op->op) == sizeof(u32);
	const bool from_row = t->meaning->readout;
	const u32 lanes = w->m->machine.lanes;
	u8 bytes[sizeof(exec_vreg)];

	for_each_block(w, i) {
		const u32 *from = from_row ? w->aside[RONDO_S][i] :
					     reg(w, t->op->a, i) + t->op->lane;
		const struct mesh_span *span = &t->span[i];

		if (t->extra->whole) {
			copy_tiles(tile_sram(w, t, i, span->lo), w->m->sram_stride,
				   from + span->lo * lanes, lanes * 4, lanes * 4,
				   span->hi - span->lo);
			continue;
		}
		for_each_tile(t, i, tile) {
			u8 *to = tile_sram(w, t, i, tile);

			if (containers) {
				scatter(w, t, to, from + tile * lanes);
			} else {
				t->meaning->narrow(from + tile * lanes, t->op->count, bytes);
				scatter(w, t, to, bytes);
			}
		}
	}
}

static void load_weights(const struct mesh_worker *w, const struct task *t)
{
	const u32 lanes = w->m->machine.lanes;

	for_each_block(w, i) {
		struct weight_row *row = mesh_weights(w->m, w->first + i, t->op->buf, (u32)t->row);

		for_each_tile(t, i, tile) {
			u32 x[RONDO_LANES_MAX], lane;

			gather(w, t, tile_sram(w, t, i, tile), t->op->count, x);
			for (lane = 0; lane < t->op->count; lane++)
				t->meaning->weigh(row, tile * lanes + lane, x[lane], t->op->zp);
			for (; lane < lanes; lane++)
				weight_set(row, tile * lanes + lane, 0);
		}
	}
}

/* The containers of a push, tile by tile, for block @i; or of a preset. */
static void gather_push(struct mesh_worker *w, const struct task *t, u32 i)
{
	const u32 lanes = w->m->machine.lanes;
	exec_vreg x;
	u32 r, lane;

	for_each_tile(t, i, tile) {
		gather(w, t, tile_sram(w, t, i, tile), t->op->count, x);
		for (r = 0; r < t->op->count; r++)
			for (lane = 0; lane < lanes; lane++)
				w->x[r][tile * lanes + lane] = x[r];
	}
}

static void matrix(struct mesh_worker *w, const struct task *t)
{
	const u32 lanes = w->m->machine.lanes;
	const enum push_kind kind = t->meaning->push;
	const bool writes = run_push_writes(&w->run, t->op);

	for_each_block(w, i) {
		u32 *acc = mesh_acc(w->m, (u32)t->row, w->first + i), lane;
		u32 from = t->span[i].lo * lanes,
		    bytes = (t->span[i].hi - t->span[i].lo) * lanes * 4;
		exec_vreg row;

		if (!bytes)
			continue;
		gather_push(w, t, i);
		memcpy(row, acc, sizeof(row));
		if (kind == PUSH_NONE) {
			for (lane = 0; lane < RONDO_LANES_MAX; lane++)
				row[lane] = lane % lanes < t->op->count ? w->x[lane % lanes][lane] :
									  0;
		} else {
			if (writes)
				memset(row, 0, sizeof(row));
			w->m->push->each[kind](
				row, w->x[0],
				mesh_weights(w->m, w->first + i, t->op->buf, t->op->wrow),
				t->op->count);
		}
		memcpy(acc + from, row + from, bytes);
	}
}

/* Where @op's address or row is in this bundle; false, and a trap, if outside of the tile. */
static bool place(struct mesh_worker *w, struct task *t)
{
	const struct exec_op *op = t->op;

	if (rondo_op_has_address(op->op)) {
		if (!run_address(&w->run, op, &t->address))
			return false;
		if (t->address < w->m->window.lo - t->extra->hull.lo ||
		    t->address > w->m->window.hi - t->extra->hull.hi)
			return run_trap(&w->run, "SRAM access at %lld", (long long)t->address);
	}
	return !rondo_op_has_row(op->op) || run_row(&w->run, op, &t->row);
}

static void read_slot(const struct mesh_worker *w, const struct task *t, exec_vreg *d)
{
	if (alu_ops[t->op->op])
		compute(w, t, d);
	else if (t->meaning->readout)
		readout(w, t, d);
	else if (t->extra->whole)
		load_whole(w, t, d);
	else
		load(w, t, d);
}

static void change_slot(struct mesh_worker *w, const struct task *t)
{
	switch (t->op->slot) {
	case RONDO_M:
		matrix(w, t);
		break;
	case RONDO_W:
		load_weights(w, t);
		break;
	case RONDO_S:
		store(w, t);
		break;
	}
}

/* A result that waited aside arrives, in the tiles that take part. */
static void arrive(const struct mesh_worker *w, const struct task *t)
{
	const u32 lanes = w->m->machine.lanes;

	for_each_block(w, i) {
		u32 from = t->span[i].lo * lanes;

		memcpy(reg(w, t->op->dst, i) + from, w->aside[t->op->slot][i] + from,
		       (t->span[i].hi - t->span[i].lo) * lanes * 4);
	}
}

/* All slots except C, in the tiles of @mask if that is a mask, and none between tiles. */
static bool run_bundle(struct mesh_worker *w, const struct exec_bundle *b,
		       const struct rondo_op *mask)
{
	/* M reads weights and SRAM before W and S change them. */
	static const u8 order[] = { RONDO_M, RONDO_W, RONDO_S };
	const struct exec_program *p = w->run.program;
	const struct mesh_program *mp = p->own;
	const bool masked = mask->op == RONDO_OP_mask;
	struct task task[RONDO_SLOTS_PER_BUNDLE];
	u32 tasks = 0, i, k;

	for (i = b->first; i < b->first + b->ops; i++) {
		const struct exec_op *op = &p->op[i];
		struct task *t = &task[tasks];

		if (rondo_op_reads_mesh(op->op))
			continue;
		*t = (struct task){
			.op = op,
			.extra = &mp->op[i],
			.meaning = &slot_meaning[op->op],
			.span = masked ? w->part : w->whole,
		};
		if (!place(w, t))
			return false;
		tasks++;
		if (op->slot == RONDO_S && t->meaning->readout)
			readout(w, t, w->aside[RONDO_S]);
		else if (rondo_ops[op->op].latency)
			read_slot(w, t,
				  t->extra->direct && !masked ? (exec_vreg *)reg(w, op->dst, 0) :
								w->aside[op->slot]);
	}
	for (k = 0; k < sizeof(order); k++)
		for (i = 0; i < tasks; i++)
			if (task[i].op->slot == order[k])
				change_slot(w, &task[i]);
	for (i = 0; i < tasks; i++)
		if (rondo_ops[task[i].op->op].latency && (masked || !task[i].extra->direct))
			arrive(w, &task[i]);
	return true;
}

/* The group of @count blocks from @first on. */
static void take_group(struct mesh_worker *w, u32 first, u32 count, u64 local)
{
	w->first = first;
	w->count = count;
	for (u32 r = 0; r < RONDO_VREGS; r++)
		w->reg[r] = local >> r & 1 ? w->local[r][0] : mesh_reg(w->m, r, first);
	for (u32 i = 0; i < count; i++) {
		u32 block = first + i;

		w->whole[i] = mesh_span(w->m, block, NULL);
		w->sram[i] = mesh_sram(w->m, block % w->m->row_blocks * w->m->block_tiles,
				       block / w->m->row_blocks);
	}
}

static bool run_group(struct mesh_worker *w, const struct share *s)
{
	const struct exec_program *p = w->run.program;
	u32 at = s->first, base = s->run->depth, bundle;

	w->run.depth = base;
	memcpy(w->run.index, s->run->index, sizeof(w->run.index));
	do {
		const struct exec_bundle *b = &p->bundle[at];
		const struct rondo_op *control = exec_control_of(p, b);

		bundle = w->result.bundle = at;
		if (control->op == RONDO_OP_mask)
			for_each_block(w, i)
				w->part[i] = mesh_span(w->m, w->first + i, control);
		if (b->ops && !run_bundle(w, b, control))
			return false;
		at = run_next_bundle(&w->run, at, base);
		/* What the last bundle opens goes around other segments. */
		if (at < s->end)
			run_open_loops(&w->run, control, bundle);
		if (!run_poll(&w->run, (u64)MESH_BUNDLE_WORK * w->count))
			return false;
	} while (at < s->end);
	return true;
}

static void run_part(void *ctx, u32 thread, u32 from, u32 to)
{
	struct share *s = ctx;
	struct mesh_worker *w = &s->m->worker[thread];
	u32 count;

	w->run = *s->run;
	w->run.result = &w->result;
	w->m = s->m;
	for (; from < to; from += count) {
		count = to - from < s->group ? to - from : s->group;
		take_group(w, from, count, s->local);
		if (!run_group(w, s))
			return;
	}
}

struct mesh_worker *mesh_workers(void)
{
	return calloc(MESH_THREADS, sizeof(struct mesh_worker));
}

bool mesh_run_groups(struct mesh *m, struct run *run, u32 first, u32 end, u32 group, u64 local)
{
	struct share s = {
		.m = m, .run = run, .first = first, .end = end, .group = group, .local = local
	};
	u32 i;

	for (i = 0; i < MESH_THREADS; i++)
		m->worker[i].result.status = EXEC_DONE;
	mesh_share(m->pool, m->blocks, run_part, &s);
	for (i = 0; i < MESH_THREADS; i++) {
		if (m->worker[i].result.status == EXEC_DONE)
			continue;
		*run->result = m->worker[i].result;
		return false;
	}
	return true;
}
