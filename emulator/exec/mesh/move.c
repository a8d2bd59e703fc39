// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Operations between tiles, on whole rows of the mesh: the same register of the tiles of a row
 * lies in one piece, so a shift to the east is a move by one tile's lanes, a shift to the north
 * a copy of the next row.
 */
#include "emulator/exec/mesh/mesh.h"

#include "emulator/exec/plain/f32.h"

struct move {
	struct mesh *m;
	const struct exec_op *op;
	u32 dst;
	alu_fn *fold; /* of a reduction */
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
	struct mesh *m = v->m;
	u32 height = m->machine.mesh_h, lanes = m->machine.lanes;
	size_t kept = (m->machine.mesh_w - 1u) * (size_t)lanes;
	const u32 *a = row_of(m, v->op->a, y);
	u32 *d = row_of(m, v->dst, y);

	switch (v->op->op) {
	case RONDO_OP_mv_e:
		memset(d, 0, lanes * sizeof(*d));
		memcpy(d + lanes, a, kept * sizeof(*d));
		break;
	case RONDO_OP_mv_w:
		memcpy(d, a + lanes, kept * sizeof(*d));
		memset(d + kept, 0, lanes * sizeof(*d));
		break;
	case RONDO_OP_mv_n:
		if (y + 1 < height)
			memcpy(d, row_of(m, v->op->a, y + 1), row_bytes(m));
		else
			memset(d, 0, row_bytes(m));
		break;
	default: /* mv_s */
		if (y)
			memcpy(d, row_of(m, v->op->a, y - 1), row_bytes(m));
		else
			memset(d, 0, row_bytes(m));
	}
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
		if (v->op->op == RONDO_OP_bc_col)
			memcpy(row_of(m, v->dst, from), row_of(m, v->op->a, v->op->imm),
			       row_bytes(m));
		else
			spread(m, row_of(m, v->op->a, from) + (size_t)v->op->imm * m->machine.lanes,
			       row_of(m, v->dst, from));
	}
}

/* d = fold(d, a) of registers. */
static void fold(const struct move *v, u32 *d, const u32 *a)
{
	exec_vreg sum;

	v->fold(&(struct alu_args){ .d = sum, .a = d, .b = a, .lanes = v->m->machine.lanes });
	memcpy(d, sum, sizeof(sum));
}

/* What a reduction starts with. */
static void begin_fold(const struct move *v, u32 *d, const u32 *a)
{
	bool sums = v->op->op == RONDO_OP_sum_row_f32 || v->op->op == RONDO_OP_sum_col_f32;

	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		d[i] = sums ? f32_result(f32(a[i])) : a[i];
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

		begin_fold(v, sum, a);
		for (x = 1; x < v->m->machine.mesh_w; x++)
			fold(v, sum, a + (size_t)x * lanes);
		spread(v->m, sum, row_of(v->m, v->dst, from));
	}
}

/* Of the columns in blocks [@from, @to) of each row; the sums grow in the first row of d. */
static void reduce_columns(void *ctx, u32 thread, u32 from, u32 to)
{
	const struct move *v = ctx;
	struct mesh *m = v->m;
	size_t bytes = (to - from) * sizeof(exec_vreg);
	u32 *sum = mesh_reg(m, v->dst, 0), y, block;

	(void)thread;
	for (block = from; block < to; block++)
		begin_fold(v, sum + (size_t)block * RONDO_LANES_MAX, mesh_reg(m, v->op->a, block));
	for (y = 1; y < m->machine.mesh_h; y++)
		for (block = from; block < to; block++)
			fold(v, sum + (size_t)block * RONDO_LANES_MAX,
			     mesh_reg(m, v->op->a, y * m->row_blocks + block));
	for (y = 1; y < m->machine.mesh_h; y++)
		memcpy(mesh_reg(m, v->dst, y * m->row_blocks + from),
		       sum + (size_t)from * RONDO_LANES_MAX, bytes);
}

void mesh_move(struct mesh *m, const struct exec_op *op, u32 dst)
{
	struct move v = { .m = m, .op = op, .dst = dst };

	switch ((enum rondo_links)rondo_ops[op->op].links) {
	case RONDO_LINKS_0:
		break;
	case RONDO_LINKS_ROW:
	case RONDO_LINKS_COL:
		mesh_share(m->pool, m->machine.mesh_h,
			   rondo_op_has_role(op->op, RONDO_ROLE_TILE) ? broadcast_rows : shift_rows,
			   &v);
		break;
	case RONDO_LINKS_ROW2:
		v.fold = exec_fold(op->op);
		mesh_share(m->pool, m->machine.mesh_h, reduce_rows, &v);
		break;
	case RONDO_LINKS_COL2:
		v.fold = exec_fold(op->op);
		mesh_share(m->pool, m->row_blocks, reduce_columns, &v);
		break;
	}
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
