// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Loads, stores, weights and the matrix unit of one tile. Elements are moved one at a time,
 * each by its own address. What changes is put aside until all slots have read. What operations do
 * to an element is in a table made from spec/isa.def: one without a row does not compile.
 */
#include "emulator/reference/f32.h"
#include "emulator/reference/state.h"

/* Elements as containers, and containers as elements whose upper bytes do not matter. */

static u32 widen_s8(u32 x)
{
	return x >= 0x80 ? x | 0xffffff00 : x;
}

static u32 widen_bf16(u32 x)
{
	return x << 16;
}

static u32 narrow_s8(u32 value)
{
	s32 x = (s32)value;

	return (u32)(x < -128 ? -128 : x > 127 ? 127 : x);
}

static u32 narrow_u8(u32 value)
{
	s32 x = (s32)value;

	return (u32)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* Weight @n of an element: a field of nine bits. */
static s32 weight(u64 element, u32 n)
{
	return (s32)((element >> 9 * n & 0x1ff) ^ 0x100) - 0x100;
}

/* Four bytes, each minus the zero point of the same type, as four fields. */
static u64 fields(u32 container, s32 zp, s32 (*byte)(u32 x, u32 n))
{
	u64 element = 0;
	u32 n;

	for (n = 0; n < 4; n++)
		element |= (u64)((u32)(byte(container, n) - zp) & 0x1ff) << 9 * n;
	return element;
}

static u64 weigh_w(u32 container, u8 zp)
{
	(void)zp;
	return container;
}

static u64 weigh_s8(u32 container, u8 zp)
{
	return fields(container, (s8)zp, ref_s8_byte);
}

static u64 weigh_u8(u32 container, u8 zp)
{
	return fields(container, zp, ref_u8_byte);
}

/* One container times one weight element, onto @sum; @did counts the products. */

static u32 multiply_f32(struct rondo_activity *did, u32 x, u64 w, u32 sum)
{
	did->macs_f32++;
	return f32_fma(x, (u32)w, sum);
}

static u32 multiply_f32_sparse(struct rondo_activity *did, u32 x, u64 w, u32 sum)
{
	if ((u32)w != RONDO_WEIGHT_ABSENT)
		return multiply_f32(did, x, w, sum);
	did->macs_f32++;
	return f32_is_nan(sum) ? F32_QUIET : sum;
}

static u32 multiply_bf16(struct rondo_activity *did, u32 x, u64 w, u32 sum)
{
	did->macs_bf16 += 2;
	sum = f32_fma(x << 16, (u32)w << 16, sum);
	return f32_fma(x & 0xffff0000, (u32)w & 0xffff0000, sum);
}

static u32 multiply_s8(struct rondo_activity *did, u32 x, u64 w, u32 sum)
{
	did->macs_s8 += 4;
	for (u32 n = 0; n < 4; n++)
		sum += (u32)(ref_s8_byte(x, n) * weight(w, n));
	return sum;
}

static u32 multiply_u8(struct rondo_activity *did, u32 x, u64 w, u32 sum)
{
	did->macs_s8 += 4;
	for (u32 n = 0; n < 4; n++)
		sum += (u32)(ref_u8_byte(x, n) * weight(w, n));
	return sum;
}

/* The parts that an operation does not have are NULL. */
struct meaning {
	u32 (*widen)(u32 x); /* L; NULL: as it is */
	ref_requantise_fn *requantise; /* L and S: of accumulator rows; NULL: as they are */
	u32 (*narrow)(u32 value); /* S; NULL: as it is */
	u64 (*weigh)(u32 container, u8 zp); /* W */
	/* M; NULL: the row is set */
	u32 (*multiply)(struct rondo_activity *did, u32 x, u64 w, u32 sum);
};

/* clang-format off */
#define MEANING_ld_w		{ .widen = NULL }
#define MEANING_ld_s8		{ .widen = widen_s8 }
#define MEANING_ld_u8		{ .widen = NULL }
#define MEANING_ld_bf16		{ .widen = widen_bf16 }
#define MEANING_ldb_w		{ .widen = NULL }
#define MEANING_ld4		{ .widen = NULL }
#define MEANING_rd		{ .requantise = NULL }
#define MEANING_rdq_fix_s8	{ .requantise = ref_rq_fix_s8 }
#define MEANING_rdq_fix_u8	{ .requantise = ref_rq_fix_u8 }
#define MEANING_rdq_flt_s8	{ .requantise = ref_rq_flt_s8 }
#define MEANING_rdq_flt_u8	{ .requantise = ref_rq_flt_u8 }
#define MEANING_rdq_f32		{ .requantise = ref_rq_f32 }
#define MEANING_st_w		{ .narrow = NULL }
#define MEANING_st_s8		{ .narrow = narrow_s8 }
#define MEANING_st_u8		{ .narrow = narrow_u8 }
#define MEANING_st_bf16		{ .narrow = f32_to_bf16 }
#define MEANING_sta		{ .narrow = NULL }
#define MEANING_stq_fix_s8	{ .requantise = ref_rq_fix_s8 }
#define MEANING_stq_fix_u8	{ .requantise = ref_rq_fix_u8 }
#define MEANING_stq_flt_s8	{ .requantise = ref_rq_flt_s8 }
#define MEANING_stq_flt_u8	{ .requantise = ref_rq_flt_u8 }
#define MEANING_stq_f32		{ .requantise = ref_rq_f32 }
#define MEANING_strq_fix_s8	{ .requantise = ref_rq_fix_s8 }
#define MEANING_strq_fix_u8	{ .requantise = ref_rq_fix_u8 }
#define MEANING_strq_flt_s8	{ .requantise = ref_rq_flt_s8 }
#define MEANING_strq_flt_u8	{ .requantise = ref_rq_flt_u8 }
#define MEANING_strq_f32	{ .requantise = ref_rq_f32 }
#define MEANING_wl_w		{ .weigh = weigh_w }
#define MEANING_wl_s8		{ .weigh = weigh_s8 }
#define MEANING_wl_u8		{ .weigh = weigh_u8 }
#define MEANING_push_f32	{ .multiply = multiply_f32 }
#define MEANING_push_f32_sparse	{ .multiply = multiply_f32_sparse }
#define MEANING_push_bf16	{ .multiply = multiply_bf16 }
#define MEANING_push_s8		{ .multiply = multiply_s8 }
#define MEANING_push_u8		{ .multiply = multiply_u8 }
#define MEANING_preset		{ .multiply = NULL }
/* clang-format on */

#define ROW_L(name) [RONDO_OP_##name] = MEANING_##name,
#define ROW_S ROW_L
#define ROW_W ROW_L
#define ROW_M ROW_L
static const struct meaning meaning[RONDO_OPCODES] = {
#include "emulator/exec/decode/rows.inc"
};

static const struct rondo_entry *entry_of(const struct reference *r, const struct rondo_op *op)
{
	return &r->program.entries[op->entry];
}

/* Address of element @e of @size bytes. */
static s64 address(const struct reference *r, const struct rondo_op *op, u32 e, u32 size)
{
	const struct rondo_entry *entry = entry_of(r, op);
	u32 segment = entry->seg_len ? e / entry->seg_len : 0;
	u32 place = entry->seg_len ? e % entry->seg_len : e;
	s64 at = (s64)entry->base + op->off + (s64)segment * entry->seg_stride + place * size;
	u32 d;

	for (d = 0; d < RONDO_LOOP_DEPTH; d++)
		at += entry->stride[d] * (s64)ref_loop_index(r, d);
	return at;
}

/* The row of @rows that the operation names, starting from @row; -1: trapped. */
static s64 row_of(struct reference *r, const struct rondo_op *op, u32 row, u32 rows)
{
	s64 at = row;
	u32 d;

	for (d = 0; d < RONDO_LOOP_DEPTH; d++)
		at += entry_of(r, op)->row_stride[d] * (s64)ref_loop_index(r, d);
	if (at >= 0 && at < rows)
		return at;
	ref_trap(r, "row %lld of %u", (long long)at, rows);
	return -1;
}

static bool check_place(struct reference *r, s64 at, u32 size)
{
	if (at < 0 || at + size > r->machine.sram_bytes)
		return ref_trap(r, "SRAM access at %lld", (long long)at);
	return at % size == 0 || ref_trap(r, "SRAM address %lld is not aligned", (long long)at);
}

/* *@value gets the element at @at, zero-extended. */
static bool read_element(struct reference *r, const struct ref_tile *t, s64 at, u32 size,
			 u32 *value)
{
	u32 n;

	if (!check_place(r, at, size))
		return false;
	*value = 0;
	for (n = 0; n < size; n++)
		*value |= (u32)t->sram[at + n] << 8 * n;
	r->result->activity.sram_read += size;
	ref_saw(r, REFERENCE_SRAM, false, ref_tile_number(r, t), 0, (u64)at, size);
	return true;
}

/* The first @op->count lanes of an accumulator row, requantised if the operation does. */
static bool read_row(struct reference *r, struct ref_tile *t, const struct rondo_op *op, u32 *d)
{
	s64 row = row_of(r, op, op->row, r->machine.acc_rows);
	ref_requantise_fn *requantise = meaning[op->op].requantise;
	u32 i;

	if (row < 0)
		return false;
	ref_saw(r, REFERENCE_ACCUMULATOR, false, ref_tile_number(r, t), 0, (u64)row, 1);
	for (i = 0; i < op->count; i++) {
		d[i] = t->acc[row][i];
		if (!requantise)
			continue;
		d[i] = requantise(d[i], 0, &t->vreg[op->params], i);
		r->result->activity.vector_lanes++;
	}
	return true;
}

static bool load_lane(struct reference *r, struct ref_tile *t, const struct rondo_op *op, u32 i,
		      u32 *d)
{
	u32 size = rondo_element_bytes(op->op), value = 0, n;

	if (!read_element(r, t, address(r, op, i, size), size, &value))
		return false;
	*d = meaning[op->op].widen ? meaning[op->op].widen(value) : value;
	for (n = 1; n < op->rows; n++) {
		s64 at = address(r, op, i, size) + (s64)n * entry_of(r, op)->pitch;

		if (!read_element(r, t, at, size, &value))
			return false;
		*d |= value << 8 * n;
	}
	return true;
}

bool ref_load(struct reference *r, struct ref_tile *t, const struct rondo_op *op, u32 *d)
{
	u32 elements = rondo_elements(op->op, op->count), i;

	memset(d, 0, sizeof(ref_row));
	if (rondo_op_reads_acc(op->op))
		return read_row(r, t, op, d);
	for (i = 0; i < elements; i++)
		if (!load_lane(r, t, op, i, &d[i]))
			return false;
	for (; i < op->count; i++)
		d[i] = d[0];
	return true;
}

/* Lane @i of the register that is stored, requantised if the operation does. */
static u32 register_lane(struct reference *r, const struct ref_tile *t, const struct rondo_op *op,
			 u32 i)
{
	ref_requantise_fn *requantise = meaning[op->op].requantise;

	if (!requantise)
		return t->vreg[op->a][i];
	r->result->activity.vector_lanes++;
	return requantise(t->vreg[op->a][i], 0, &t->vreg[op->params], i);
}

bool ref_store(struct reference *r, struct ref_tile *t, const struct rondo_op *op,
	       struct ref_changes *changes)
{
	u32 size = rondo_element_bytes(op->op), i;
	bool from_register = !rondo_op_reads_acc(op->op);
	ref_row row;

	if (!from_register && !read_row(r, t, op, row))
		return false;
	for (i = 0; i < op->count; i++) {
		u32 value = from_register ? register_lane(r, t, op, op->lane + i) : row[i];

		changes->stored[i] = meaning[op->op].narrow ? meaning[op->op].narrow(value) : value;
		changes->store_at[i] = address(r, op, i, size);
		if (!check_place(r, changes->store_at[i], size))
			return false;
		r->result->activity.sram_written += size;
	}
	changes->stores = op->count;
	changes->store_bytes = size;
	return true;
}

bool ref_weights(struct reference *r, struct ref_tile *t, const struct rondo_op *op,
		 struct ref_changes *changes)
{
	s64 row = row_of(r, op, op->wrow, r->machine.lanes);
	u32 i, x = 0;

	if (row < 0)
		return false;
	for (i = 0; i < LANES; i++) {
		changes->weight[i] = 0;
		if (i >= op->count)
			continue;
		if (!read_element(r, t, address(r, op, i, 4), 4, &x))
			return false;
		changes->weight[i] = meaning[op->op].weigh(x, op->zp);
	}
	changes->weight_row = t->weight[op->buf][row];
	changes->weight_buf = op->buf;
	changes->weight_at = (u32)row;
	return true;
}

static bool writes(const struct reference *r, const struct rondo_op *op)
{
	u32 d;

	if (op->mode < 2)
		return op->mode;
	for (d = 0; d < RONDO_LOOP_DEPTH; d++)
		if (entry_of(r, op)->first >> d & 1 && ref_loop_index(r, d))
			return false;
	return true;
}

bool ref_matrix(struct reference *r, struct ref_tile *t, const struct rondo_op *op,
		struct ref_changes *changes)
{
	s64 row = row_of(r, op, op->row, r->machine.acc_rows);
	u32 k, i, x = 0;

	if (row < 0)
		return false;
	changes->acc_row = t->acc[row];
	changes->acc_at = (u32)row;
	memset(changes->acc, 0, sizeof(changes->acc));
	if (meaning[op->op].multiply && !writes(r, op)) {
		memcpy(changes->acc, t->acc[row], sizeof(changes->acc));
		ref_saw(r, REFERENCE_ACCUMULATOR, false, ref_tile_number(r, t), 0, (u64)row, 1);
	}
	for (k = 0; k < op->count; k++) {
		if (!read_element(r, t, address(r, op, k, 4), 4, &x))
			return false;
		if (!meaning[op->op].multiply) {
			changes->acc[k] = x;
			continue;
		}
		for (i = 0; i < r->machine.lanes; i++)
			changes->acc[i] = meaning[op->op].multiply(
				&r->result->activity, x, t->weight[op->buf][op->wrow + k][i],
				changes->acc[i]);
	}
	return true;
}

void ref_change(struct reference *r, struct ref_tile *t, const struct ref_changes *changes)
{
	u32 tile = ref_tile_number(r, t), i, n;

	for (i = 0; i < changes->stores; i++) {
		for (n = 0; n < changes->store_bytes; n++)
			t->sram[changes->store_at[i] + n] = (u8)(changes->stored[i] >> 8 * n);
		ref_saw(r, REFERENCE_SRAM, true, tile, 0, (u64)changes->store_at[i],
			changes->store_bytes);
	}
	if (changes->weight_row) {
		memcpy(changes->weight_row, changes->weight, sizeof(changes->weight));
		ref_saw(r, REFERENCE_WEIGHT, true, tile, changes->weight_buf, changes->weight_at,
			1);
	}
	if (changes->acc_row) {
		memcpy(changes->acc_row, changes->acc, r->machine.lanes * sizeof(u32));
		ref_saw(r, REFERENCE_ACCUMULATOR, true, tile, 0, changes->acc_at, 1);
	}
}
