// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/isa.h"

#define MESH RONDO_LATENCY_MESH
const struct rondo_op_info rondo_ops[RONDO_OPCODES] = {
#define OP(name, opcode, slots, format, latency, meaning) \
	[opcode] = { #name, RONDO_SLOTS_##slots, RONDO_FMT_##format, latency },
#include "spec/isa.def"
};
#undef MESH

u32 rondo_latency(const struct rondo_machine *m, u8 op)
{
	u32 side = m->mesh_w > m->mesh_h ? m->mesh_w : m->mesh_h;

	if (rondo_ops[op].latency == RONDO_LATENCY_MESH)
		return side + m->mesh_latency;
	return rondo_ops[op].latency;
}

u32 rondo_element_bytes(u8 op)
{
	switch (op) {
	case RONDO_OP_ld_s8:
	case RONDO_OP_ld_u8:
	case RONDO_OP_ld4:
	case RONDO_OP_st_s8:
	case RONDO_OP_st_u8:
	case RONDO_OP_stq_fix_s8:
	case RONDO_OP_stq_fix_u8:
	case RONDO_OP_stq_flt_s8:
	case RONDO_OP_stq_flt_u8:
		return 1;
	case RONDO_OP_ld_bf16:
	case RONDO_OP_st_bf16:
		return 2;
	case RONDO_OP_ld_w:
	case RONDO_OP_ldb_w:
	case RONDO_OP_st_w:
	case RONDO_OP_sta:
	case RONDO_OP_stq_f32:
	case RONDO_OP_wl_w:
	case RONDO_OP_wl_s8:
	case RONDO_OP_wl_u8:
	case RONDO_OP_push_f32:
	case RONDO_OP_push_bf16:
	case RONDO_OP_push_s8:
	case RONDO_OP_push_u8:
	case RONDO_OP_preset:
		return 4;
	default:
		return 0;
	}
}
