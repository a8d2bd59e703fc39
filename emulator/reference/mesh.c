// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Operations between tiles. Every tile computes its result from the registers of the
 * others, as they are before the bundle.
 */
#include "emulator/reference/f32.h"
#include "emulator/reference/state.h"

/* Register @reg of the tile @dx columns to the east and @dy rows to the south, or zero. */
static void shift(struct reference *r, const struct ref_tile *t, s32 dx, s32 dy, u32 reg, u32 *d)
{
	s64 x = (s64)t->x + dx, y = (s64)t->y + dy;

	if (x < 0 || x >= r->machine.mesh_w || y < 0 || y >= r->machine.mesh_h)
		memset(d, 0, sizeof(ref_row));
	else
		memcpy(d, ref_tile_at(r, (u32)x, (u32)y)->vreg[reg], sizeof(ref_row));
}

/* The NaN of an arithmetic result. */
static u32 canonical(u32 a)
{
	return f32_is_nan(a) ? F32_QUIET : a;
}

/* @step(s, a) along the row or column of @t, in the order of its coordinates. */
static void reduce(struct reference *r, const struct ref_tile *t, bool row, u32 reg,
		   u32 (*step)(u32, u32), u32 *d)
{
	u32 side = row ? r->machine.mesh_w : r->machine.mesh_h, k, i;

	for (k = 0; k < side; k++) {
		const u32 *a = ref_tile_at(r, row ? k : t->x, row ? t->y : k)->vreg[reg];

		for (i = 0; i < r->machine.lanes; i++)
			d[i] = k ? step(d[i], a[i]) : step == f32_add ? canonical(a[i]) : a[i];
	}
}

void ref_mesh(struct reference *r, const struct ref_tile *t, const struct rondo_op *op, u32 *d)
{
	switch (op->op) {
	case RONDO_OP_mv_n:
		return shift(r, t, 0, 1, op->a, d);
	case RONDO_OP_mv_e:
		return shift(r, t, -1, 0, op->a, d);
	case RONDO_OP_mv_s:
		return shift(r, t, 0, -1, op->a, d);
	case RONDO_OP_mv_w:
		return shift(r, t, 1, 0, op->a, d);
	case RONDO_OP_bc_row:
		return shift(r, t, op->imm - (s32)t->x, 0, op->a, d);
	case RONDO_OP_bc_col:
		return shift(r, t, 0, op->imm - (s32)t->y, op->a, d);
	case RONDO_OP_sum_row_f32:
		return reduce(r, t, true, op->a, f32_add, d);
	case RONDO_OP_sum_col_f32:
		return reduce(r, t, false, op->a, f32_add, d);
	case RONDO_OP_max_row_f32:
		return reduce(r, t, true, op->a, f32_max, d);
	case RONDO_OP_max_col_f32:
		return reduce(r, t, false, op->a, f32_max, d);
	case RONDO_OP_sum_row_s32:
		return reduce(r, t, true, op->a, ref_add_s32, d);
	case RONDO_OP_sum_col_s32:
		return reduce(r, t, false, op->a, ref_add_s32, d);
	case RONDO_OP_max_row_s32:
		return reduce(r, t, true, op->a, ref_max_s32, d);
	case RONDO_OP_max_col_s32:
		return reduce(r, t, false, op->a, ref_max_s32, d);
	}
}
