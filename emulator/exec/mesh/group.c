// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "emulator/exec/mesh/group.h"

#define for_each_block(w, i) for (u32 i = 0; i < (w)->count; i++)
#define for_each_tile(w, i, tile) for (u32 tile = (w)->span[i].lo; tile < (w)->span[i].hi; tile++)

static u32 *reg(const struct mesh_worker *w, u32 reg, u32 i)
{
	return w->reg[reg] + (size_t)i * RONDO_LANES_MAX;
}

static exec_vreg *result(struct mesh_worker *w, const struct mesh_step *s)
{
	return s->aside ? w->aside[s->op->slot] : (exec_vreg *)reg(w, s->op->dst, 0);
}

static u8 *tile_sram(const struct mesh_worker *w, const struct mesh_step *s, u32 i, u32 tile)
{
	return w->sram[i] + tile * w->m->sram_stride + s->address;
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

static void gather(const struct mesh_worker *w, const struct mesh_step *s, const u8 *at, u32 count,
		   void *to)
{
	run_gather(&w->run.program->entry[s->op->entry], rondo_element_bytes(s->op->op), count, at,
		   to);
}

static void scatter(const struct mesh_worker *w, const struct mesh_step *s, u8 *at,
		    const void *from)
{
	run_scatter(&w->run.program->entry[s->op->entry], rondo_element_bytes(s->op->op),
		    s->op->count, at, from);
}

/* Loads of containers for all lanes, one after the other: a copy. */
static void load_whole(struct mesh_worker *w, const struct mesh_step *s)
{
	exec_vreg *d = result(w, s);
	const u32 lanes = w->m->machine.lanes;

	for_each_block(w, i) {
		const struct mesh_span *span = &w->span[i];

		copy_tiles(d[i] + span->lo * lanes, lanes * 4, tile_sram(w, s, i, span->lo),
			   w->m->sram_stride, lanes * 4, span->hi - span->lo);
	}
}

static void load(struct mesh_worker *w, const struct mesh_step *s)
{
	exec_vreg *d = result(w, s);
	const struct exec_op *op = s->op;
	const s64 pitch = w->run.program->entry[op->entry].pitch;
	const u32 lanes = w->m->machine.lanes, elements = rondo_elements(op->op, op->count);
	const u32 rows = rondo_op_has_rows(op->op) ? op->rows : 1;
	const bool containers = rows == 1 && elements == op->count &&
				rondo_element_bytes(op->op) == sizeof(u32);
	u8 bytes[sizeof(exec_vreg)];
	u32 x[RONDO_LANES_MAX];

	for_each_block(w, i) {
		for_each_tile(w, i, tile) {
			u32 *to = d[i] + tile * lanes, n, lane;

			if (!containers || elements < lanes)
				memset(to, 0, lanes * sizeof(*to));
			if (containers) {
				gather(w, s, tile_sram(w, s, i, tile), elements, to);
				continue;
			}
			for (n = 0; n < rows; n++) {
				gather(w, s, tile_sram(w, s, i, tile) + n * pitch, elements, bytes);
				slot_meaning[s->op->op].widen(bytes, elements, x);
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

static void readout(struct mesh_worker *w, const struct mesh_step *s)
{
	exec_vreg *d = result(w, s);
	const bool has_params = rondo_op_has_params(s->op->op);
	const u32 lanes = w->m->machine.lanes;
	exec_vreg params[3];

	for_each_block(w, i) {
		const u32 *row = rondo_op_reads_acc(s->op->op) ?
					 mesh_acc(w->m, (u32)s->row, w->first + i) :
					 reg(w, s->op->a, i);

		slot_meaning[s->op->op].readout(
			row, has_params ? params_of(w, s->op, i, params) : NULL, d[i]);
		if (s->op->slot == RONDO_S)
			continue;
		for (u32 lane = 0; s->op->count < lanes && lane < RONDO_LANES_MAX; lane++)
			if (lane % lanes >= s->op->count)
				d[i][lane] = 0;
	}
}

static void compute(struct mesh_worker *w, const struct mesh_step *s)
{
	const struct exec_op *op = s->op;
	const bool has_params = rondo_op_has_params(op->op);
	alu_fn *const alu = w->m->alu[op->op];
	exec_vreg params[3];
	struct alu_args x = {
		.d = result(w, s)[0],
		.a = reg(w, op->a, 0),
		.b = reg(w, op->b, 0),
		.c = reg(w, op->c, 0),
		.imm = op->imm,
		.shift = op->shift,
		.lanes = w->m->machine.lanes,
	};

	for_each_block(w, i) {
		if (has_params)
			x.params = params_of(w, op, i, params);
		alu(&x);
		x.d += RONDO_LANES_MAX;
		x.a += RONDO_LANES_MAX;
		x.b += RONDO_LANES_MAX;
		x.c += RONDO_LANES_MAX;
	}
}

/* The registers that are stored, of block @i. */
static const u32 *stored(const struct mesh_worker *w, const struct mesh_step *s, u32 i)
{
	const u32 *from = slot_meaning[s->op->op].readout ? w->aside[RONDO_S][i] :
							    reg(w, s->op->a, i);

	return from + s->op->lane;
}

static void store_whole(struct mesh_worker *w, const struct mesh_step *s)
{
	const u32 lanes = w->m->machine.lanes;

	for_each_block(w, i) {
		const struct mesh_span *span = &w->span[i];

		copy_tiles(tile_sram(w, s, i, span->lo), w->m->sram_stride,
			   stored(w, s, i) + span->lo * lanes, lanes * 4, lanes * 4,
			   span->hi - span->lo);
	}
}

static void store(struct mesh_worker *w, const struct mesh_step *s)
{
	const bool containers = rondo_element_bytes(s->op->op) == sizeof(u32);
	const u32 lanes = w->m->machine.lanes;
	u8 bytes[sizeof(exec_vreg)];

	for_each_block(w, i) {
		const u32 *from = stored(w, s, i);

		for_each_tile(w, i, tile) {
			u8 *to = tile_sram(w, s, i, tile);

			if (containers) {
				scatter(w, s, to, from + tile * lanes);
			} else {
				slot_meaning[s->op->op].narrow(from + tile * lanes, s->op->count,
							       bytes);
				scatter(w, s, to, bytes);
			}
		}
	}
}

static void load_weights(struct mesh_worker *w, const struct mesh_step *s)
{
	const u32 lanes = w->m->machine.lanes;

	for_each_block(w, i) {
		struct weight_row *row = mesh_weights(w->m, w->first + i, s->op->buf, (u32)s->row);

		for_each_tile(w, i, tile) {
			u32 x[RONDO_LANES_MAX], lane;

			gather(w, s, tile_sram(w, s, i, tile), s->op->count, x);
			for (lane = 0; lane < s->op->count; lane++)
				slot_meaning[s->op->op].weigh(row, tile * lanes + lane, x[lane],
							      s->op->zp);
			for (; lane < lanes; lane++)
				weight_set(row, tile * lanes + lane, 0);
		}
	}
}

/* The containers of a push, tile by tile, for block @i; or of a preset. */
static void gather_push(struct mesh_worker *w, const struct mesh_step *s, u32 i)
{
	const u32 lanes = w->m->machine.lanes;
	exec_vreg x;
	u32 r, lane;

	for_each_tile(w, i, tile) {
		gather(w, s, tile_sram(w, s, i, tile), s->op->count, x);
		for (r = 0; r < s->op->count; r++)
			for (lane = 0; lane < lanes; lane++)
				w->x[r][tile * lanes + lane] = x[r];
	}
}

static void matrix(struct mesh_worker *w, const struct mesh_step *s)
{
	const u32 lanes = w->m->machine.lanes;
	const enum push_kind kind = slot_meaning[s->op->op].push;

	for_each_block(w, i) {
		u32 *acc = mesh_acc(w->m, (u32)s->row, w->first + i), lane;
		u32 from = w->span[i].lo * lanes,
		    bytes = (w->span[i].hi - w->span[i].lo) * lanes * 4;
		exec_vreg row;

		if (!bytes)
			continue;
		gather_push(w, s, i);
		memcpy(row, acc, sizeof(row));
		if (kind == PUSH_NONE) {
			for (lane = 0; lane < RONDO_LANES_MAX; lane++)
				row[lane] = lane % lanes < s->op->count ? w->x[lane % lanes][lane] :
									  0;
		} else {
			if (s->writes)
				memset(row, 0, sizeof(row));
			w->m->push->each[kind](
				row, w->x[0],
				mesh_weights(w->m, w->first + i, s->op->buf, s->op->wrow),
				s->op->count);
		}
		memcpy(acc + from, row + from, bytes);
	}
}

void mesh_arrive(struct mesh_worker *w, const struct mesh_step *s)
{
	const u32 lanes = w->m->machine.lanes;

	for_each_block(w, i) {
		u32 from = w->span[i].lo * lanes;

		memcpy(reg(w, s->op->dst, i) + from, w->aside[s->op->slot][i] + from,
		       (w->span[i].hi - w->span[i].lo) * lanes * 4);
	}
}

void mesh_choose(struct mesh_worker *w, const struct mesh_step *s)
{
	w->span = s->mask ? w->chosen : w->all;
	if (s->mask)
		for_each_block(w, i)
			w->chosen[i] = mesh_span(w->m, w->first + i, s->mask);
}

mesh_step_fn *mesh_reads(const struct exec_op *op, const struct mesh_op *extra)
{
	if (alu_ops[op->op])
		return compute;
	if (slot_meaning[op->op].readout)
		return readout;
	if (!rondo_ops[op->op].latency)
		return NULL;
	return extra->whole ? load_whole : load;
}

mesh_step_fn *mesh_changes(const struct exec_op *op, const struct mesh_op *extra)
{
	switch (op->slot) {
	case RONDO_M:
		return matrix;
	case RONDO_W:
		return load_weights;
	case RONDO_S:
		return extra->whole ? store_whole : store;
	default:
		return NULL;
	}
}

void mesh_take_group(struct mesh_worker *w, u32 first, u32 count, u64 local)
{
	w->first = first;
	w->count = count;
	w->span = w->all;
	for (u32 r = 0; r < RONDO_VREGS; r++)
		w->reg[r] = local >> r & 1 ? w->local[r][0] : mesh_reg(w->m, r, first);
	for_each_block(w, i) {
		u32 block = first + i;

		w->all[i] = mesh_span(w->m, block, NULL);
		w->sram[i] = mesh_sram(w->m, block % w->m->row_blocks * w->m->block_tiles,
				       block / w->m->row_blocks);
	}
}
