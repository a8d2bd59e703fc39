/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The operations of all slots except C on vectors: one function each, and a table of them. Pushes
 * have theirs in product.h. The file of an instruction set includes this after vector.h and these,
 * which it knows best how to do:
 *
 *	vu vmin(vu a, vu b), vmax		signed
 *	vu vfmin(vu a, vu b)			a < b ? a : b, of f32
 *	vu vfmax(vu a, vu b)			a > b ? a : b
 *	vu vresult(vf x)			the bits of an arithmetic result: NaN is canonical
 *	vf vfma(vf a, vf b, vf c)		a * b + c, rounded once
 *	vf vsqrt(vf a)
 *	vs64 vmul_even(vu a, vu b)		signed products of lanes 0, 2, 4, ...
 *	vu vwiden_u8(const void *x)		VLANES bytes, zero-extended
 *	vu vwiden_s8(const void *x)
 *	vu vwiden_u16(const void *x)
 *	void vnarrow_u8(void *to, vu x)		the low byte of each lane
 *	void vnarrow_u16(void *to, vu x)
 *
 * A destination may be one of the operands, so every function reads the lanes of a vector
 * before it writes them, and whatever mixes lanes reads all first.
 */
#ifndef RONDO_EMULATOR_FAST_KERNELS_H
#define RONDO_EMULATOR_FAST_KERNELS_H

#include "spec/special.h"

#define OPERATION(name) static void op_##name(struct fast *f, const struct fast_op *op)

/* The same in every lane; the result goes to @also too, if that is not NULL. */
#define LANES_TO(name, result)                                                              \
	INLINE void lanes_##name(struct fast *f, const struct fast_op *op, u8 *also)        \
	{                                                                                   \
		u32 *d = f->vreg[op->dst];                                                  \
		const u32 *pa = f->vreg[op->a], *pb = f->vreg[op->b], *pc = f->vreg[op->c]; \
                                                                                            \
		(void)pa, (void)pb, (void)pc;                                               \
		FOR_VECTORS(i)                                                              \
		{                                                                           \
			vu x = (vu)(result);                                                \
                                                                                            \
			vstore(d + i, x);                                                   \
			if (also)                                                           \
				vstore(also + i * 4, x);                                    \
		}                                                                           \
	}
#define LANES(name, result)                \
	LANES_TO(name, result)             \
	OPERATION(name)                    \
	{                                  \
		lanes_##name(f, op, NULL); \
	}
/* And in one go with the whole store that follows it. */
#define STORED(name, result)                              \
	LANES(name, result)                               \
	OPERATION(name##_st)                              \
	{                                                 \
		lanes_##name(f, op, fast_address(f, op)); \
	}
#define A vload(pa + i)
#define B vload(pb + i)
#define C vload(pc + i)
#define FA ((vf)A)
#define FB ((vf)B)
#define FC ((vf)C)

/* Integer and logic. */

INLINE vs64 vmul_odd(vu a, vu b)
{
	return vmul_even((vu)((vu64)a >> 32), (vu)((vu64)b >> 32));
}

/* Bits 32..63 of the products. */
INLINE vu vmul_high(vu a, vu b)
{
	vu64 even = (vu64)vmul_even(a, b), odd = (vu64)vmul_odd(a, b);

	return (vu)(even >> 32 | (odd >> 32) << 32);
}

/* (a * b + 2^30) >> 31: gemmlowp's division, except that -2^31 squared has to saturate. */
INLINE vu vmul_rounded(vu a, vu b)
{
	vu64 even = (vu64)vmul_even(a, b) + (1 << 30), odd = (vu64)vmul_odd(a, b) + (1 << 30);
	vu high = (vu)(even << 1 >> 32 | (odd << 1) >> 32 << 32);

	return high ^ (vu)(high == 0x80000000);
}

LANES(mov, A)
LANES(movi, vsplat((u32)(s32)op->imm))
STORED(add, A + B)
STORED(sub, A - B)
STORED(mul, A *B)
LANES(mulh, vmul_high(A, B))
LANES(srdhm, vmul_rounded(A, B))
STORED(adds, vadd_saturated(A, B))
STORED(subs, vsub_saturated(A, B))
STORED(shl, A << (B & 31))
LANES(shls, vshl_saturated(A, B & 31))
STORED(sra, vshift_right(A, B & 31))
STORED(srl, A >> (B & 31))
STORED(srar, vshift_right_rounded(A, B & 31))
STORED(min, vmin(A, B))
STORED(max, vmax(A, B))
LANES(clz, vleading_zeros(A))
LANES(cmplt, (vs)A < (vs)B)
LANES(cmpeq, A == B)
STORED(and, A &B)
STORED(or, A | B)
STORED(xor, A ^ B)
LANES(andn, A & ~B)
STORED(sel, vpick(C, A, B))

OPERATION(iota)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		f->vreg[op->dst][i] = i;
}

/* f32 */

STORED(fadd, vresult(FA + FB))
STORED(fsub, vresult(FA - FB))
STORED(fmul, vresult(FA *FB))
STORED(fma, vresult(vfma(FA, FB, FC)))
STORED(fmin, vfmin(A, B))
STORED(fmax, vfmax(A, B))
LANES(fcmplt, FA < FB)
LANES(fcmple, FA <= FB)
LANES(fcmpeq, FA == FB)
LANES(frint, vresult(vround_to_even(FA)))
LANES(ffloor, vresult(vfloor(FA)))
LANES(ftrunc, vresult(vtruncate(FA)))
LANES(fabs, A & 0x7fffffff)
LANES(fneg, A ^ 0x80000000)
STORED(f2i, vs32_of_f32(FA))
STORED(i2f, vf32_of_s32(A))
LANES(bpack, vbf16_of(A) | vbf16_of(B) << 16)
LANES(bunplo, A << 16)
LANES(bunphi, A & 0xffff0000)
STORED(fdiv, vresult(FA / FB))
LANES(frcp, vresult(vsplat_f32(1) / FA))
LANES(fsqrt, vresult(vsqrt(FA)))
LANES(frsqrt, vresult(vsplat_f32(1) / vsqrt(FA)))

/* The two below follow spec/special.h line by line; special cases are picked at the end. */
INLINE vu vexp2(vf x)
{
	static const u32 coefficient[] = { RONDO_EXP2_COEFFICIENTS };
	s32 k = sizeof(coefficient) / sizeof(*coefficient) - 1;
	vu high = (vu)(x >= 128.0f), inside = (vu)(x >= -150.0f) & ~high;
	vf n, f, p;
	vu whole, half;

	n = vround_to_even((vf)((vu)x & inside));
	f = (vf)((vu)x & inside) - n;
	whole = (vu) __builtin_convertvector(n, vs);
	for (p = vsplat_f32(f32(coefficient[k--])); k >= 0; k--)
		p = vfma(p, f, vsplat_f32(f32(coefficient[k])));
	p = vfma(p, f, vsplat_f32(1));
	half = vshift_right(whole, vsplat(1));
	p = p * vpower_of_two(half) * vpower_of_two(whole - half);
	return ((vu)p & inside) | (high & F32_INFINITY) | (~(vu)(x == x) & F32_NAN);
}

INLINE vu vlog2(vf x)
{
	static const u32 coefficient[] = { RONDO_LOG2_COEFFICIENTS };
	s32 k = sizeof(coefficient) / sizeof(*coefficient) - 1;
	vu zero = (vu)(x == 0.0f), infinite = (vu)((vu)x == F32_INFINITY);
	vu subnormal = (vu)(x < 0x1p-126f);
	vf scaled = (vf)vpick(subnormal, (vu)(x * 0x1p24f), (vu)x);
	vu bits = (vu)scaled - RONDO_SQRT_HALF;
	vu e = vshift_right(bits, vsplat(23)) - (subnormal & 24);
	vf t = (vf)((bits & 0x7fffff) + RONDO_SQRT_HALF) - 1.0f;
	vf p;
	vu result;

	for (p = vsplat_f32(f32(coefficient[k--])); k >= 0; k--)
		p = vfma(p, t, vsplat_f32(f32(coefficient[k])));
	result = (vu)vfma(t, p, vf32_of_s32(e));
	result = vpick((vu)(x > 0.0f), result, vsplat(F32_NAN));
	result = vpick(infinite, vsplat(F32_INFINITY), result);
	return vpick(zero, vsplat(F32_INFINITY | 0x80000000), result);
}

LANES(fexp2, vexp2(FA))
LANES(flog2, vlog2(FA))

/* Dot products per lane. */

/* Byte @n of each lane, extended. */
INLINE vu vsigned_byte(vu x, u32 n)
{
	return (vu)((vs)(x << (24 - 8 * n)) >> 24);
}

INLINE vu vunsigned_byte(vu x, u32 n)
{
	return x >> 8 * n & 255;
}

INLINE vu vdot4(vu a, vu b, vu c, bool is_signed)
{
	for (u32 n = 0; n < 4; n++)
		c += (is_signed ? vsigned_byte(a, n) : vunsigned_byte(a, n)) * vsigned_byte(b, n);
	return c;
}

INLINE vf vdot2(vu a, vu b, vf c)
{
	c = vfma((vf)(a << 16), (vf)(b << 16), c);
	return vfma((vf)(a & 0xffff0000), (vf)(b & 0xffff0000), c);
}

LANES(dot4_ss, vdot4(A, B, C, true))
LANES(dot4_us, vdot4(A, B, C, false))
LANES(dot2_bf16, vresult(vdot2(A, B, FC)))

/* Requantise: parameters {bias, multiplier, bytes {shift, zero point, low, high}}. */

/* min(max(x + zero point saturated, low), high) */
INLINE vu vplace(vu x, vu bytes, bool is_signed)
{
	vu zero_point = is_signed ? vsigned_byte(bytes, 1) : vunsigned_byte(bytes, 1);
	vu low = is_signed ? vsigned_byte(bytes, 2) : vunsigned_byte(bytes, 2);
	vu high = is_signed ? vsigned_byte(bytes, 3) : vunsigned_byte(bytes, 3);

	return vmin(vmax(vadd_saturated(x, zero_point), low), high);
}

INLINE vu vscale_fixed(vu x, u32 static_shift, vu bias, vu multiplier, vu bytes)
{
	vu shift = vsigned_byte(bytes, 0);
	vu left = vmin(shift & ~vnegative(shift), vsplat(31));
	vu right = vmin(-shift & vnegative(shift), vsplat(31));

	x = ((x + bias) << static_shift) << left;
	return vshift_right_rounded(vmul_rounded(x, multiplier), right);
}

INLINE vu vscale_float(vu x, vu bias, vu multiplier)
{
	return vs32_of_f32(vf32_of_s32(x + bias) * (vf)multiplier);
}

INLINE vu vbias_and_clamp(vu x, vu bias, vu low, vu high)
{
	return vfmin(high, vfmax(low, vresult((vf)x + (vf)bias)));
}

/* The operation on vector X, lane I on, with parameters P(n). */
#define FIX_S8 vplace(vscale_fixed(X, op->shift, P(0), P(1), P(2)), P(2), true)
#define FIX_U8 vplace(vscale_fixed(X, op->shift, P(0), P(1), P(2)), P(2), false)
#define FIX_S32 vscale_fixed(X, op->shift, P(0), P(1), P(2))
#define FLT_S8 vplace(vscale_float(X, P(0), P(1)), P(2), true)
#define FLT_U8 vplace(vscale_float(X, P(0), P(1)), P(2), false)
#define BIASED vbias_and_clamp(X, P(0), P(1), P(2))
#define PLAIN X
#define P(n) vload(f->vreg[op->params + (n)] + i)

/* A readout is zero from op->count upwards. */
#define READOUT(name, result)                                                 \
	OPERATION(name)                                                       \
	{                                                                     \
		const u32 *x = fast_acc(f, op), *mask = fast_mask(op->count); \
		u32 *d = f->vreg[op->dst];                                    \
                                                                              \
		FOR_VECTORS(i) vstore(d + i, (vu)(result)&vload(mask + i));   \
	}
#define X vload(x + i)
READOUT(rd, PLAIN)
READOUT(rdq_fix_s8, FIX_S8)
READOUT(rdq_fix_u8, FIX_U8)
READOUT(rdq_flt_s8, FLT_S8)
READOUT(rdq_flt_u8, FLT_U8)
READOUT(rdq_f32, BIASED)
#undef X

#define X vload(pa + i)
LANES(rq_fix_s8, FIX_S8)
LANES(rq_fix_u8, FIX_U8)
LANES(rq_flt_s8, FLT_S8)
LANES(rq_flt_u8, FLT_U8)
LANES(rq_f32, BIASED)
LANES(rq_fix_s32, FIX_S32)
#undef X

/* Across lanes, on a machine of 64. */

OPERATION(perm)
{
	exec_vreg a;

	memcpy(a, f->vreg[op->a], sizeof(a));
	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		f->vreg[op->dst][i] = a[f->vreg[op->b][i] % RONDO_LANES_MAX];
}

OPERATION(lut)
{
	u8 table[FAST_ROW_BYTES];

	memcpy(table, f->vreg[op->b], sizeof(table));
	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		f->vreg[op->dst][i] = table[f->vreg[op->a][i] % FAST_ROW_BYTES];
}

/* Halves the register: whole vectors while there are two, then inside the last by shifts. */
#define REDUCTION(name, result)                                            \
	OPERATION(name)                                                    \
	{                                                                  \
		_Alignas(64) exec_vreg t;                                  \
		u32 s, *d = f->vreg[op->dst];                              \
                                                                           \
		memcpy(t, f->vreg[op->a], sizeof(t));                      \
		for (s = RONDO_LANES_MAX / 2; s; s /= 2)                   \
			for (u32 i = 0; i < s; i += VLANES) {              \
				vu a = vload(t + i), b = vload(t + i + s); \
                                                                           \
				vstore(t + i, (vu)(result));               \
			}                                                  \
		FOR_VECTORS(i) vstore(d + i, vsplat(t[0]));                \
	}
REDUCTION(rsum_f32, vresult((vf)a + (vf)b))
REDUCTION(rmax_f32, vfmax(a, b))
REDUCTION(rsum_s32, a + b)
REDUCTION(rmax_s32, vmax(a, b))

/* The mesh, on a machine of one tile: as in plain/alu.c. */
LANES(mv_n, vsplat(0))
LANES(mv_e, vsplat(0))
LANES(mv_s, vsplat(0))
LANES(mv_w, vsplat(0))
LANES(bc_row, A)
LANES(bc_col, A)
LANES(sum_row_f32, vresult(FA))
LANES(sum_col_f32, vresult(FA))
LANES(max_row_f32, A)
LANES(max_col_f32, A)
LANES(sum_row_s32, A)
LANES(sum_col_s32, A)
LANES(max_row_s32, A)
LANES(max_col_s32, A)

/*
 * Loads: element i is the @size bytes at x + i * size. What is beyond count is masked, or the
 * access is whole: a full register's, in one piece.
 */
#define LOAD(name, size, result)                                            \
	OPERATION(name)                                                     \
	{                                                                   \
		const u8 *x = fast_source(f, op, size);                     \
		const u32 *mask = fast_mask(op->count);                     \
		u32 *d = f->vreg[op->dst];                                  \
                                                                            \
		FOR_VECTORS(i) vstore(d + i, (vu)(result)&vload(mask + i)); \
	}                                                                   \
	OPERATION(name##_whole)                                             \
	{                                                                   \
		const u8 *x = fast_address(f, op);                          \
		u32 *d = f->vreg[op->dst];                                  \
                                                                            \
		FOR_VECTORS(i) vstore(d + i, result);                       \
	}
LOAD(ld_w, 4, vload(x + i * 4))
LOAD(ld_s8, 1, vwiden_s8(x + i))
LOAD(ld_u8, 1, vwiden_u8(x + i))
LOAD(ld_bf16, 2, vwiden_u16(x + i * 2) << 16)

OPERATION(ldb_w)
{
	const u32 *mask = fast_mask(op->count);
	u32 *d = f->vreg[op->dst], x;

	memcpy(&x, fast_address(f, op), sizeof(x));
	FOR_VECTORS(i) vstore(d + i, vload(mask + i) & x);
}

OPERATION(ld4)
{
	const u32 *mask = fast_mask(op->count);
	const u8 *at = fast_address(f, op), *x[4] = { at };
	u32 *d = f->vreg[op->dst];

	for (u32 n = 0; n < op->rows; n++)
		x[n] = op->seg_len ? fast_gather(op, at + (s64)n * op->pitch, 1, f->scratch[n]) :
				     at + (s64)n * op->pitch;
	FOR_VECTORS(i)
	{
		vu v = vwiden_u8(x[0] + i);

		for (u32 n = 1; n < op->rows; n++)
			v |= vwiden_u8(x[n] + i) << 8 * n;
		vstore(d + i, v & vload(mask + i));
	}
}

/* Stores: straight to SRAM if they are whole, else by a copy. */
#define STORE(name, size, put)                                   \
	OPERATION(name)                                          \
	{                                                        \
		const u32 *from = f->vreg[op->a] + op->lane;     \
		u8 *to = f->scratch[0];                          \
                                                                 \
		FOR_VECTORS(i)                                   \
		{                                                \
			vu x = vload(from + i);                  \
                                                                 \
			put;                                     \
		}                                                \
		fast_scatter(op, fast_address(f, op), size, to); \
	}                                                        \
	OPERATION(name##_whole)                                  \
	{                                                        \
		const u32 *from = f->vreg[op->a];                \
		u8 *to = fast_address(f, op);                    \
                                                                 \
		FOR_VECTORS(i)                                   \
		{                                                \
			vu x = vload(from + i);                  \
                                                                 \
			put;                                     \
		}                                                \
	}
STORE(st_w, 4, vstore(to + i * 4, x))
STORE(st_s8, 1, vnarrow_u8(to + i, vmin(vmax(x, vsplat(-128)), vsplat(127))))
STORE(st_u8, 1, vnarrow_u8(to + i, vmin(vmax(x, vsplat(0)), vsplat(255))))
STORE(st_bf16, 2, vnarrow_u16(to + i * 2, vbf16_of(x)))

OPERATION(preset)
{
	const u8 *x = fast_source(f, op, 4);
	const u32 *mask = fast_mask(op->count);
	u32 *acc = fast_acc(f, op);

	FOR_VECTORS(i) vstore(acc + i, vload(x + i * 4) & vload(mask + i));
}

/* Weights. What the row becomes is in state.h. */

OPERATION(wl_w)
{
	struct fast_weights *w = &f->weights[op->buf];
	u32 row = f->place[op->entry].row + op->row;
	const u8 *x = fast_source(f, op, 4);
	const u32 *mask = fast_mask(op->count);

	FOR_VECTORS(i) vstore(w->row[row] + i * 4, vload(x + i * 4) & vload(mask + i));
	w->containers |= 1ull << row;
	w->bytes &= ~(1ull << row);
	w->version++;
}

/* Bytes of SRAM are made signed by @flip; @offset is what then is still to be added. */
INLINE void load_bytes(struct fast *f, const struct fast_op *op, u32 flip, s32 offset)
{
	struct fast_weights *w = &f->weights[op->buf];
	u32 row = f->place[op->entry].row + op->row;
	const u8 *x = fast_source(f, op, 4);
	const u32 *mask = fast_mask(op->count);
	vu zero = vsplat((u8)-offset * 0x01010101u);

	FOR_VECTORS(i)
	vstore(w->row[row] + i * 4, vpick(vload(mask + i), vload(x + i * 4) ^ flip, zero));
	w->offset[row] = offset;
	w->containers &= ~(1ull << row);
	w->bytes |= 1ull << row;
	w->shifted &= ~(1ull << row);
	w->shifted |= (u64)(offset != 0) << row;
	w->version++;
}

OPERATION(wl_s8)
{
	load_bytes(f, op, 0, -(s8)op->zp);
}

OPERATION(wl_u8)
{
	load_bytes(f, op, 0x80808080, 128 - op->zp);
}

#undef A
#undef B
#undef C

/* By opcode. A store of an accumulator row is made of a readout and a store at load. */
#define op_sta NULL
#define op_stq_fix_s8 NULL
#define op_stq_fix_u8 NULL
#define op_stq_flt_s8 NULL
#define op_stq_flt_u8 NULL
#define op_stq_f32 NULL
#define op_push_f32 fast_push_one
#define op_push_bf16 fast_push_one
#define op_push_s8 fast_push_one
#define op_push_u8 fast_push_one
#define ROW_L(name) [RONDO_OP_##name] = op_##name,
#define ROW_S ROW_L
#define ROW_W ROW_L
#define ROW_M ROW_L
#define ROW_V ROW_L
#define ROW_V1 ROW_L
static fast_fn *const operations[RONDO_OPCODES] = {
#include "emulator/exec/decode/rows.inc"
};

/* Those whose accesses are whole. */
static fast_fn *const whole_operations[RONDO_OPCODES] = {
	[RONDO_OP_ld_w] = op_ld_w_whole,   [RONDO_OP_ld_s8] = op_ld_s8_whole,
	[RONDO_OP_ld_u8] = op_ld_u8_whole, [RONDO_OP_ld_bf16] = op_ld_bf16_whole,
	[RONDO_OP_st_w] = op_st_w_whole,   [RONDO_OP_st_s8] = op_st_s8_whole,
	[RONDO_OP_st_u8] = op_st_u8_whole, [RONDO_OP_st_bf16] = op_st_bf16_whole,
};

/* Those that are one with a whole st_w of their result. */
static fast_fn *const stored_operations[RONDO_OPCODES] = {
	[RONDO_OP_add] = op_add_st,   [RONDO_OP_sub] = op_sub_st,   [RONDO_OP_mul] = op_mul_st,
	[RONDO_OP_adds] = op_adds_st, [RONDO_OP_subs] = op_subs_st, [RONDO_OP_shl] = op_shl_st,
	[RONDO_OP_sra] = op_sra_st,   [RONDO_OP_srl] = op_srl_st,   [RONDO_OP_srar] = op_srar_st,
	[RONDO_OP_min] = op_min_st,   [RONDO_OP_max] = op_max_st,   [RONDO_OP_and] = op_and_st,
	[RONDO_OP_or] = op_or_st,     [RONDO_OP_xor] = op_xor_st,   [RONDO_OP_sel] = op_sel_st,
	[RONDO_OP_fadd] = op_fadd_st, [RONDO_OP_fsub] = op_fsub_st, [RONDO_OP_fmul] = op_fmul_st,
	[RONDO_OP_fma] = op_fma_st,   [RONDO_OP_fmin] = op_fmin_st, [RONDO_OP_fmax] = op_fmax_st,
	[RONDO_OP_fdiv] = op_fdiv_st, [RONDO_OP_i2f] = op_i2f_st,   [RONDO_OP_f2i] = op_f2i_st,
};

#endif
