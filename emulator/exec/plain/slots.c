// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One row per operation of L, S, W and M. The table at the end is made from spec/isa.def, so that
 * an operation without a row does not compile.
 */
#include "emulator/exec/plain/operations.h"

#include "emulator/exec/plain/f32.h"

#define ELEMENTS(i) for (u32 i = 0; i < count; i++)

/* Elements of SRAM as containers. */

static void widen_w(const u8 *bytes, u32 count, u32 *d)
{
	memcpy(d, bytes, count * sizeof(*d));
}

static void widen_s8(const u8 *bytes, u32 count, u32 *d)
{
	ELEMENTS(i)
		d[i] = (u32)(s8)bytes[i];
}

static void widen_u8(const u8 *bytes, u32 count, u32 *d)
{
	ELEMENTS(i)
		d[i] = bytes[i];
}

static void widen_bf16(const u8 *bytes, u32 count, u32 *d)
{
	ELEMENTS(i)
		d[i] = (u32)bytes[2 * i] << 16 | (u32)bytes[2 * i + 1] << 24;
}

/* Containers as elements of SRAM. */

static void narrow_w(const u32 *x, u32 count, u8 *bytes)
{
	memcpy(bytes, x, count * sizeof(*x));
}

static void narrow_s8(const u32 *x, u32 count, u8 *bytes)
{
	ELEMENTS(i)
		bytes[i] = (s32)x[i] < -128 ? 128 : (s32)x[i] > 127 ? 127 : (u8)x[i];
}

static void narrow_u8(const u32 *x, u32 count, u8 *bytes)
{
	ELEMENTS(i)
		bytes[i] = (s32)x[i] < 0 ? 0 : (s32)x[i] > 255 ? 255 : (u8)x[i];
}

static void narrow_bf16(const u32 *x, u32 count, u8 *bytes)
{
	ELEMENTS(i) {
		u16 element = bf16_of(x[i]);

		memcpy(bytes + 2 * i, &element, sizeof(element));
	}
}

/* Accumulator rows as registers: as they are, or as vector operation rq_* makes them. */

static void read_row(const u32 *row, const exec_vreg *params, u32 *d)
{
	(void)params;
	memcpy(d, row, sizeof(exec_vreg));
}

#define REQUANTISE(name)                                                           \
	static void read_##name(const u32 *row, const exec_vreg *params, u32 *d)   \
	{                                                                          \
		alu_ops[RONDO_OP_rq_##name](                                       \
			&(struct alu_args){ .d = d, .a = row, .params = params }); \
	}
REQUANTISE(fix_s8)
REQUANTISE(fix_u8)
REQUANTISE(flt_s8)
REQUANTISE(flt_u8)
REQUANTISE(f32)

/* Weights. */

static void weigh_w(struct weight_row *row, u32 lane, u32 container, u8 zp)
{
	(void)zp;
	weight_set(row, lane, container);
}

static void weigh_s8(struct weight_row *row, u32 lane, u32 container, u8 zp)
{
	s16 weight[4];

	for (u32 n = 0; n < 4; n++)
		weight[n] = (s8)(container >> 8 * n) - (s8)zp;
	weight_set_bytes(row, lane, weight);
}

static void weigh_u8(struct weight_row *row, u32 lane, u32 container, u8 zp)
{
	s16 weight[4];

	for (u32 n = 0; n < 4; n++)
		weight[n] = (u8)(container >> 8 * n) - zp;
	weight_set_bytes(row, lane, weight);
}

/* clang-format off */
#define MEANING_ld_w		{ .widen = widen_w }
#define MEANING_ld_s8		{ .widen = widen_s8 }
#define MEANING_ld_u8		{ .widen = widen_u8 }
#define MEANING_ld_bf16		{ .widen = widen_bf16 }
#define MEANING_ldb_w		{ .widen = widen_w }
#define MEANING_ld4		{ .widen = widen_u8 }
#define MEANING_rd		{ .readout = read_row }
#define MEANING_rdq_fix_s8	{ .readout = read_fix_s8 }
#define MEANING_rdq_fix_u8	{ .readout = read_fix_u8 }
#define MEANING_rdq_flt_s8	{ .readout = read_flt_s8 }
#define MEANING_rdq_flt_u8	{ .readout = read_flt_u8 }
#define MEANING_rdq_f32		{ .readout = read_f32 }
#define MEANING_st_w		{ .narrow = narrow_w }
#define MEANING_st_s8		{ .narrow = narrow_s8 }
#define MEANING_st_u8		{ .narrow = narrow_u8 }
#define MEANING_st_bf16		{ .narrow = narrow_bf16 }
#define MEANING_sta		{ .readout = read_row, .narrow = narrow_w }
#define MEANING_stq_fix_s8	{ .readout = read_fix_s8, .narrow = narrow_s8 }
#define MEANING_stq_fix_u8	{ .readout = read_fix_u8, .narrow = narrow_u8 }
#define MEANING_stq_flt_s8	{ .readout = read_flt_s8, .narrow = narrow_s8 }
#define MEANING_stq_flt_u8	{ .readout = read_flt_u8, .narrow = narrow_u8 }
#define MEANING_stq_f32		{ .readout = read_f32, .narrow = narrow_w }
#define MEANING_strq_fix_s8	{ .readout = read_fix_s8, .narrow = narrow_s8 }
#define MEANING_strq_fix_u8	{ .readout = read_fix_u8, .narrow = narrow_u8 }
#define MEANING_strq_flt_s8	{ .readout = read_flt_s8, .narrow = narrow_s8 }
#define MEANING_strq_flt_u8	{ .readout = read_flt_u8, .narrow = narrow_u8 }
#define MEANING_strq_f32	{ .readout = read_f32, .narrow = narrow_w }
#define MEANING_wl_w		{ .weigh = weigh_w }
#define MEANING_wl_s8		{ .weigh = weigh_s8 }
#define MEANING_wl_u8		{ .weigh = weigh_u8 }
#define MEANING_push_f32	{ .push = PUSH_F32 }
#define MEANING_push_f32_sparse	{ .push = PUSH_F32_SPARSE }
#define MEANING_push_bf16	{ .push = PUSH_BF16 }
#define MEANING_push_s8		{ .push = PUSH_S8 }
#define MEANING_push_u8		{ .push = PUSH_U8 }
#define MEANING_preset		{ .push = PUSH_NONE }
/* clang-format on */

#define ROW_L(name) [RONDO_OP_##name] = MEANING_##name,
#define ROW_S ROW_L
#define ROW_W ROW_L
#define ROW_M ROW_L
const struct slot_meaning slot_meaning[RONDO_OPCODES] = {
#include "emulator/exec/decode/rows.inc"
};
