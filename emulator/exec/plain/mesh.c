// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Operations between tiles, literally: what one tile gets is looked up in, or folded over, the
 * registers of the others, which are as they were before the bundle.
 */
#include "emulator/exec/plain/state.h"

#include "emulator/exec/plain/f32.h"

/* Register @reg of tile (@x, @y). */
static const u32 *reg_at(const struct exec *e, u32 x, u32 y, u32 reg)
{
	return e->tile[y * e->machine.mesh_w + x].vreg[reg];
}

/* What the neighbour at (@x, @y) holds; zero beyond the edge. */
static void shift(const struct exec *e, s32 x, s32 y, u32 reg, u32 *d)
{
	if (x < 0 || x >= e->machine.mesh_w || y < 0 || y >= e->machine.mesh_h)
		memset(d, 0, sizeof(exec_vreg));
	else
		memcpy(d, reg_at(e, x, y, reg), sizeof(exec_vreg));
}

alu_fn *exec_fold(u8 op)
{
	switch (op) {
	case RONDO_OP_sum_row_f32:
	case RONDO_OP_sum_col_f32:
		return alu_ops[RONDO_OP_fadd];
	case RONDO_OP_max_row_f32:
	case RONDO_OP_max_col_f32:
		return alu_ops[RONDO_OP_fmax];
	case RONDO_OP_sum_row_s32:
	case RONDO_OP_sum_col_s32:
		return alu_ops[RONDO_OP_add];
	default:
		return alu_ops[RONDO_OP_max];
	}
}

/* Over row @y, or over column @x if @column, in ascending order. */
static void reduce(const struct exec *e, const struct exec_op *op, bool column, u32 x, u32 y,
		   u32 *d)
{
	u32 tiles = column ? e->machine.mesh_h : e->machine.mesh_w, i;
	alu_fn *fold = exec_fold(op->op);
	exec_vreg sum;

	memcpy(d, column ? reg_at(e, x, 0, op->a) : reg_at(e, 0, y, op->a), sizeof(exec_vreg));
	if (op->op == RONDO_OP_sum_row_f32 || op->op == RONDO_OP_sum_col_f32)
		for (i = 0; i < RONDO_LANES_MAX; i++)
			d[i] = f32_result(f32(d[i]));
	for (i = 1; i < tiles; i++) {
		const u32 *next = column ? reg_at(e, x, i, op->a) : reg_at(e, i, y, op->a);

		fold(&(struct alu_args){ .d = sum, .a = d, .b = next, .lanes = e->machine.lanes });
		memcpy(d, sum, sizeof(sum));
	}
}

void exec_between_tiles(struct exec *e, const struct exec_op *op, u32 *d)
{
	u32 x = e->at % e->machine.mesh_w, y = e->at / e->machine.mesh_w;

	switch (op->op) {
	case RONDO_OP_mv_n:
		shift(e, x, y + 1, op->a, d);
		break;
	case RONDO_OP_mv_e:
		shift(e, (s32)x - 1, y, op->a, d);
		break;
	case RONDO_OP_mv_s:
		shift(e, x, (s32)y - 1, op->a, d);
		break;
	case RONDO_OP_mv_w:
		shift(e, x + 1, y, op->a, d);
		break;
	case RONDO_OP_bc_row:
		shift(e, op->imm, y, op->a, d);
		break;
	case RONDO_OP_bc_col:
		shift(e, x, op->imm, op->a, d);
		break;
	default:
		reduce(e, op, !rondo_op_along_row(op->op), x, y, d);
	}
}
