// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Operations between tiles, literally: what one tile gets is looked up in, or folded over, the
 * registers of the others, which are as they were before the bundle.
 */
#include "emulator/exec/plain/plain.h"

/* clang-format off */
#define CROSSING_mv_n		{ .dy = 1 }
#define CROSSING_mv_e		{ .dx = -1 }
#define CROSSING_mv_s		{ .dy = -1 }
#define CROSSING_mv_w		{ .dx = 1 }
#define CROSSING_bc_row		{ 0 }
#define CROSSING_bc_col		{ 0 }
#define CROSSING_sum_row_f32	{ .fold = RONDO_OP_fadd }
#define CROSSING_sum_col_f32	{ .fold = RONDO_OP_fadd }
#define CROSSING_max_row_f32	{ .fold = RONDO_OP_fmax }
#define CROSSING_max_col_f32	{ .fold = RONDO_OP_fmax }
#define CROSSING_sum_row_s32	{ .fold = RONDO_OP_add }
#define CROSSING_sum_col_s32	{ .fold = RONDO_OP_add }
#define CROSSING_max_row_s32	{ .fold = RONDO_OP_max }
#define CROSSING_max_col_s32	{ .fold = RONDO_OP_max }
/* clang-format on */

/* By the links that an operation crosses. One that crosses any and has no row does not compile. */
#define LINKS_0(name)
#define LINKS_ROW(name) [RONDO_OP_##name] = CROSSING_##name,
#define LINKS_COL(name) LINKS_ROW(name)
#define LINKS_ROW2(name) LINKS_ROW(name)
#define LINKS_COL2(name) LINKS_ROW(name)
const struct crossing crossings[RONDO_OPCODES] = {
#define OP(name, opcode, slots, format, latency, element, energy, links, ...) LINKS_##links(name)
#include "spec/isa.def"
};

/* Register @reg of tile (@x, @y); zero beyond the edge. */
static void take(const struct plain *p, s32 x, s32 y, u32 reg, u32 *d)
{
	u32 width = p->machine.mesh_w;

	if (x < 0 || x >= p->machine.mesh_w || y < 0 || y >= p->machine.mesh_h)
		memset(d, 0, sizeof(exec_vreg));
	else
		memcpy(d, p->tile[(u32)y * width + (u32)x].vreg[reg], sizeof(exec_vreg));
}

/* Over row @y, or over column @x, in ascending order. */
static void reduce(const struct plain *p, const struct exec_op *op, s32 x, s32 y, u32 *d)
{
	bool row = rondo_op_along_row(op->op);
	s32 tiles = row ? p->machine.mesh_w : p->machine.mesh_h, i;
	struct alu_args args = { .lanes = p->machine.lanes };
	exec_vreg next, sum;

	for (i = 0; i < tiles; i++) {
		take(p, row ? i : x, row ? y : i, op->a, next);
		args.d = sum;
		args.a = i ? d : next;
		args.b = next;
		alu_ops[i ? crossings[op->op].fold : op->op](&args);
		memcpy(d, sum, sizeof(sum));
	}
}

void plain_between_tiles(const struct plain *p, const struct exec_op *op, u32 *d)
{
	s32 x = (s32)(p->at % p->machine.mesh_w), y = (s32)(p->at / p->machine.mesh_w);
	const struct crossing *c = &crossings[op->op];

	if (c->fold)
		reduce(p, op, x, y, d);
	else if (!rondo_op_has_role(op->op, RONDO_ROLE_TILE))
		take(p, x + c->dx, y + c->dy, op->a, d);
	else if (rondo_op_along_row(op->op))
		take(p, op->imm, y, op->a, d);
	else
		take(p, x, op->imm, op->a, d);
}
