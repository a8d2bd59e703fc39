// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Operations between tiles, on whole rows of the mesh: the same register of the tiles of a row
 * lies in one piece, so a shift to the east is a move by one tile's lanes, a shift to the north
 * a copy of the next row.
 */
#include "emulator/exec/mesh/mesh.h"

struct move {
	struct mesh *m;
	const struct exec_op *op;
	u32 dst;
	const struct rondo_op *mask;
};

static u32 *row_of(const struct mesh *m, u32 reg, u32 y)
{
	return mesh_reg(m, reg, y * m->row_blocks);
}

static size_t row_bytes(const struct mesh *m)
{
	return (size_t)m->row_blocks * sizeof(exec_vreg);
}

static void shift_row(const struct move *v, u32 y)
{
	const struct crossing *c = &crossings[v->op->op];
	struct mesh *m = v->m;
	size_t tile = m->machine.lanes * sizeof(u32), kept = (m->machine.mesh_w - 1u) * tile;
	u8 *d = (u8 *)row_of(m, v->dst, y);
	s64 from = (s64)y + c->dy;
	const u8 *a;

	if (from < 0 || from >= m->machine.mesh_h) {
		memset(d, 0, row_bytes(m));
		return;
	}
	a = (const u8 *)row_of(m, v->op->a, (u32)from);
	memcpy(d + (c->dx < 0 ? tile : 0), a + (c->dx > 0 ? tile : 0), c->dx ? kept : row_bytes(m));
	if (c->dx)
		memset(d + (c->dx > 0 ? kept : 0), 0, tile);
}

static void shift_rows(void *ctx, u32 thread, u32 from, u32 to)
{
	(void)thread;
	for (; from < to; from++)
		shift_row(ctx, from);
}

/* The lanes of one tile at @x, in all tiles of the row @d. */
static void spread(const struct mesh *m, const u32 *x, u32 *d)
{
	u32 lanes = m->machine.lanes;

	for (u32 tile = 0; tile < m->machine.mesh_w; tile++)
		memcpy(d + (size_t)tile * lanes, x, lanes * sizeof(*d));
}

static void broadcast_rows(void *ctx, u32 thread, u32 from, u32 to)
{
	const struct move *v = ctx;
	struct mesh *m = v->m;

	(void)thread;
	for (; from < to; from++) {
		if (!rondo_op_along_row(v->op->op))
			memcpy(row_of(m, v->dst, from), row_of(m, v->op->a, v->op->imm),
			       row_bytes(m));
		else
			spread(m, row_of(m, v->op->a, from) + (size_t)v->op->imm * m->machine.lanes,
			       row_of(m, v->dst, from));
	}
}

/* The next operand @a of a reduction goes into the register @d, or the first of them. */
static void fold(const struct move *v, u32 *d, const u32 *a, bool first)
{
	u8 op = v->op->op;
	exec_vreg sum;

	v->m->alu[first ? op : crossings[op].fold](&(struct alu_args){
		.d = sum, .a = first ? a : d, .b = a, .lanes = v->m->machine.lanes });
	memcpy(d, sum, sizeof(sum));
}

/* Lanes beyond those of one tile come from its neighbours and mean nothing. */
static void reduce_rows(void *ctx, u32 thread, u32 from, u32 to)
{
	const struct move *v = ctx;
	u32 lanes = v->m->machine.lanes, x;
	exec_vreg sum;

	(void)thread;
	for (; from < to; from++) {
		const u32 *a = row_of(v->m, v->op->a, from);

		for (x = 0; x < v->m->machine.mesh_w; x++)
			fold(v, sum, a + (size_t)x * lanes, !x);
		spread(v->m, sum, row_of(v->m, v->dst, from));
	}
}

/* Reduces the columns of blocks [@from, @to) of each row; sums grow in the first row of d. */
static void reduce_columns(void *ctx, u32 thread, u32 from, u32 to)
{
	const struct move *v = ctx;
	struct mesh *m = v->m;
	size_t bytes = (to - from) * sizeof(exec_vreg);
	u32 *sum = mesh_reg(m, v->dst, 0), y, block;

	(void)thread;
	for (y = 0; y < m->machine.mesh_h; y++)
		for (block = from; block < to; block++)
			fold(v, sum + (size_t)block * RONDO_LANES_MAX,
			     mesh_reg(m, v->op->a, y * m->row_blocks + block), !y);
	for (y = 1; y < m->machine.mesh_h; y++)
		memcpy(mesh_reg(m, v->dst, y * m->row_blocks + from),
		       sum + (size_t)from * RONDO_LANES_MAX, bytes);
}

void mesh_move(struct mesh *m, const struct exec_op *op, u32 dst)
{
	struct move v = { .m = m, .op = op, .dst = dst };

	if (!crossings[op->op].fold)
		mesh_share(m->pool, m->machine.mesh_h,
			   rondo_op_has_role(op->op, RONDO_ROLE_TILE) ? broadcast_rows : shift_rows,
			   &v);
	else if (rondo_op_along_row(op->op))
		mesh_share(m->pool, m->machine.mesh_h, reduce_rows, &v);
	else
		mesh_share(m->pool, m->row_blocks, reduce_columns, &v);
}

static void copy_blocks(void *ctx, u32 thread, u32 from, u32 to)
{
	const struct move *v = ctx;
	u32 lanes = v->m->machine.lanes;

	(void)thread;
	for (; from < to; from++) {
		struct mesh_span span = mesh_span(v->m, from, v->mask);

		memcpy(mesh_reg(v->m, v->dst, from) + span.lo * lanes,
		       mesh_reg(v->m, v->op->a, from) + span.lo * lanes,
		       (span.hi - span.lo) * lanes * sizeof(u32));
	}
}

void mesh_copy(struct mesh *m, u32 from, u32 to, const struct rondo_op *mask)
{
	const struct exec_op op = { .a = from };
	struct move v = { .m = m, .op = &op, .dst = to, .mask = mask };

	mesh_share(m->pool, m->blocks, copy_blocks, &v);
}
