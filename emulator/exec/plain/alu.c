// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One function per vector operation. The table at the end is made from
 * spec/isa.def, so that an operation without a function does not compile.
 */
#include "emulator/exec/plain/operations.h"

#include "emulator/exec/plain/f32.h"
#include "spec/special.h"

/* An operation that does the same in every lane: a, b and c are the lane's operands. */
#define LANE(name, result)                                 \
	static inline u32 lane_##name(u32 a, u32 b, u32 c) \
	{                                                  \
		(void)a, (void)b, (void)c;                 \
		return result;                             \
	}

/* The register functions for one, two and three operands. */
#define EACH_LANE(name, ...)                                \
	static void alu_##name(const struct alu_args *x)    \
	{                                                   \
		for (u32 i = 0; i < RONDO_LANES_MAX; i++)   \
			x->d[i] = lane_##name(__VA_ARGS__); \
	}
#define UNARY(name, result) LANE(name, result) EACH_LANE(name, x->a[i], 0, 0)
#define BINARY(name, result) LANE(name, result) EACH_LANE(name, x->a[i], x->b[i], 0)
#define TERNARY(name, result) LANE(name, result) EACH_LANE(name, x->a[i], x->b[i], x->c[i])

/* Integer and logic. */

static inline u32 rounding_high_product(s32 a, s32 b)
{
	s64 product = (s64)a * b;
	s64 nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);

	if (a == INT32_MIN && b == INT32_MIN)
		return INT32_MAX;
	return (u32)((product + nudge) / (1ll << 31));
}

static inline u32 rounding_shift_right(s32 a, u32 n)
{
	s32 mask = (s32)((1u << n) - 1);
	s32 threshold = (mask >> 1) + (a < 0);

	return (u32)((a >> n) + ((a & mask) > threshold));
}

UNARY(mov, a)
BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(mulh, (u64)((s64)(s32)a *(s32)b) >> 32)
BINARY(srdhm, rounding_high_product(a, b))
BINARY(adds, s32_saturate((s64)(s32)a + (s32)b))
BINARY(subs, s32_saturate((s64)(s32)a - (s32)b))
BINARY(shl, a << b % 32)
BINARY(shls, s32_saturate((s64)(s32)a *(1ll << b % 32)))
BINARY(sra, (u32)((s32)a >> b % 32))
BINARY(srl, a >> b % 32)
BINARY(srar, rounding_shift_right(a, b % 32))
BINARY(min, (s32)a < (s32)b ? a : b)
BINARY(max, (s32)a > (s32)b ? a : b)
UNARY(clz, a ? __builtin_clz(a) : 32)
BINARY(cmplt, (s32)a < (s32)b ? ~0u : 0)
BINARY(cmpeq, a == b ? ~0u : 0)
BINARY(and, a &b)
BINARY(or, a | b)
BINARY(xor, a ^ b)
BINARY(andn, a & ~b)
TERNARY(sel, (a & c) | (b & ~c))

static void alu_movi(const struct alu_args *x)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		x->d[i] = (u32)x->imm;
}

static void alu_iota(const struct alu_args *x)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		x->d[i] = i % x->lanes;
}

/* f32. */

BINARY(fadd, f32_result(f32(a) + f32(b)))
BINARY(fsub, f32_result(f32(a) - f32(b)))
BINARY(fmul, f32_result(f32(a) * f32(b)))
TERNARY(fma, f32_result(fmaf(f32(a), f32(b), f32(c))))
BINARY(fmin, f32(a) < f32(b) ? a : b)
BINARY(fmax, f32(a) > f32(b) ? a : b)
BINARY(fcmplt, f32(a) < f32(b) ? ~0u : 0)
BINARY(fcmple, f32(a) <= f32(b) ? ~0u : 0)
BINARY(fcmpeq, f32(a) == f32(b) ? ~0u : 0)
UNARY(frint, f32_result(rintf(f32(a))))
UNARY(ffloor, f32_result(floorf(f32(a))))
UNARY(ftrunc, f32_result(truncf(f32(a))))
UNARY(fabs, a & 0x7fffffff)
UNARY(fneg, a ^ 0x80000000)
UNARY(f2i, s32_of_f32(f32(a)))
UNARY(i2f, f32_bits((float)(s32)a))
BINARY(bpack, bf16_of(a) | (u32)bf16_of(b) << 16)
UNARY(bunplo, a << 16)
UNARY(bunphi, a & 0xffff0000)

BINARY(fdiv, f32_result(f32(a) / f32(b)))
UNARY(frcp, f32_result(1.0f / f32(a)))
UNARY(fsqrt, f32_result(sqrtf(f32(a))))
UNARY(frsqrt, f32_result(1.0f / sqrtf(f32(a))))

/* The two below follow spec/special.h line by line. */
static inline u32 exp2_of(float x)
{
	static const u32 coefficient[] = { RONDO_EXP2_COEFFICIENTS };
	s32 k = sizeof(coefficient) / sizeof(*coefficient) - 1;
	float n, f, p;
	s32 h;

	if (x != x)
		return F32_NAN;
	if (x >= 128)
		return F32_INFINITY;
	if (x < -150)
		return 0;
	n = rintf(x);
	f = x - n;
	for (p = f32(coefficient[k--]); k >= 0; k--)
		p = fmaf(p, f, f32(coefficient[k]));
	p = fmaf(p, f, 1.0f);
	h = (s32)n >> 1;
	return f32_bits(p * f32_power_of_two(h) * f32_power_of_two((s32)n - h));
}

static inline u32 log2_of(float x)
{
	static const u32 coefficient[] = { RONDO_LOG2_COEFFICIENTS };
	s32 k = sizeof(coefficient) / sizeof(*coefficient) - 1;
	s32 e = 0;
	float t, p;
	u32 d;

	if (x == 0)
		return F32_INFINITY | 0x80000000;
	if (!(x > 0))
		return F32_NAN;
	if (f32_bits(x) == F32_INFINITY)
		return F32_INFINITY;
	if (x < 0x1p-126f) {
		x *= 0x1p24f;
		e = -24;
	}
	d = f32_bits(x) - RONDO_SQRT_HALF;
	e += (s32)d >> 23;
	t = f32((d & 0x7fffff) + RONDO_SQRT_HALF) - 1.0f;
	for (p = f32(coefficient[k--]); k >= 0; k--)
		p = fmaf(p, t, f32(coefficient[k]));
	return f32_bits(fmaf(t, p, (float)e));
}

UNARY(fexp2, exp2_of(f32(a)))
UNARY(flog2, log2_of(f32(a)))

/* Dot products per lane. */

static inline u32 dot4_ss(u32 a, u32 b, u32 c)
{
	for (u32 n = 0; n < 32; n += 8)
		c += (u32)((s8)(a >> n) * (s8)(b >> n));
	return c;
}

static inline u32 dot4_us(u32 a, u32 b, u32 c)
{
	for (u32 n = 0; n < 32; n += 8)
		c += (u32)((u8)(a >> n) * (s8)(b >> n));
	return c;
}

TERNARY(dot4_ss, dot4_ss(a, b, c))
TERNARY(dot4_us, dot4_us(a, b, c))
TERNARY(dot2_bf16, f32_result(fmaf(bf16_hi(a), bf16_hi(b), fmaf(bf16_lo(a), bf16_lo(b), f32(c)))))

/*
 * Requantise. The parameters of a lane are {bias, multiplier, bytes {shift, zero
 * point, low, high}}, or three f32 {bias, low, high}.
 */
struct quant {
	u32 bias, multiplier;
	s8 shift;
	s32 zero_point, low, high; /* extended as s8 or u8, as the operation says */
};

static inline struct quant quant_of(const exec_vreg *params, u32 lane, bool is_signed)
{
	u32 bytes = params[2][lane];
	u8 zero_point = bytes >> 8, low = bytes >> 16, high = bytes >> 24;

	return (struct quant){
		.bias = params[0][lane],
		.multiplier = params[1][lane],
		.shift = (s8)bytes,
		.zero_point = is_signed ? (s8)zero_point : zero_point,
		.low = is_signed ? (s8)low : low,
		.high = is_signed ? (s8)high : high,
	};
}

/* min(max(x + zero point saturated, low), high) */
static inline u32 place(s32 x, const struct quant *q)
{
	s32 y = s32_saturate((s64)x + q->zero_point);

	y = y > q->low ? y : q->low;
	return (u32)(y < q->high ? y : q->high);
}

static inline u32 scale_fixed(u32 x, u32 static_shift, const struct quant *q)
{
	x = (x + q->bias) << static_shift;
	if (q->shift >= 0)
		return rounding_high_product((s32)(x << (q->shift < 31 ? q->shift : 31)),
					     (s32)q->multiplier);
	return rounding_shift_right((s32)rounding_high_product((s32)x, (s32)q->multiplier),
				    q->shift > -31 ? -q->shift : 31);
}

static void quantise_fixed(const u32 *x, u32 shift, const exec_vreg *params, bool is_signed, u32 *d)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
		struct quant q = quant_of(params, i, is_signed);

		d[i] = place((s32)scale_fixed(x[i], shift, &q), &q);
	}
}

static void quantise_float(const u32 *x, const exec_vreg *params, bool is_signed, u32 *d)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
		struct quant q = quant_of(params, i, is_signed);
		float sum = (float)(s32)(x[i] + q.bias);

		d[i] = place(s32_of_f32(sum * f32(q.multiplier)), &q);
	}
}

static void bias_and_clamp(const u32 *x, const exec_vreg *params, u32 *d)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
		u32 sum = f32_result(f32(x[i]) + f32(params[0][i]));

		d[i] = lane_fmin(params[2][i], lane_fmax(params[1][i], sum, 0), 0);
	}
}

#define REQUANTISE(name, call)                           \
	static void alu_##name(const struct alu_args *x) \
	{                                                \
		call;                                    \
	}
REQUANTISE(rq_fix_s8, quantise_fixed(x->a, x->shift, x->params, true, x->d))
REQUANTISE(rq_fix_u8, quantise_fixed(x->a, x->shift, x->params, false, x->d))
REQUANTISE(rq_flt_s8, quantise_float(x->a, x->params, true, x->d))
REQUANTISE(rq_flt_u8, quantise_float(x->a, x->params, false, x->d))
REQUANTISE(rq_f32, bias_and_clamp(x->a, x->params, x->d))

static void alu_rq_fix_s32(const struct alu_args *x)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
		struct quant q = quant_of(x->params, i, true);

		x->d[i] = scale_fixed(x->a[i], x->shift, &q);
	}
}

/* Across lanes. */

static void alu_perm(const struct alu_args *x)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++)
		x->d[i] = x->a[i - i % x->lanes + x->b[i] % x->lanes];
}

static void alu_lut(const struct alu_args *x)
{
	for (u32 i = 0; i < RONDO_LANES_MAX; i++) {
		u32 byte = x->a[i] % (4 * x->lanes);

		x->d[i] = (u8)(x->b[i - i % x->lanes + byte / 4] >> byte % 4 * 8);
	}
}

/* Halves the register with one lane operation until one lane is left. */
#define REDUCTION(name, operation)                                                     \
	static void alu_##name(const struct alu_args *x)                               \
	{                                                                              \
		exec_vreg t;                                                           \
                                                                                       \
		memcpy(t, x->a, sizeof(t));                                            \
		for (u32 *at = t; at < t + RONDO_LANES_MAX; at += x->lanes)            \
			for (u32 s = x->lanes / 2; s; s /= 2)                          \
				for (u32 i = 0; i < s; i++)                            \
					at[i] = lane_##operation(at[i], at[i + s], 0); \
		for (u32 i = 0; i < RONDO_LANES_MAX; i++)                              \
			x->d[i] = t[i - i % x->lanes];                                 \
	}

REDUCTION(rsum_f32, fadd)
REDUCTION(rmax_f32, fmax)
REDUCTION(rsum_s32, add)
REDUCTION(rmax_s32, max)

/*
 * The mesh, on a machine of one tile: what is shifted in from outside is zero,
 * and a row or column is the tile itself. A sum of one f32 is that f32, but it
 * is an arithmetic result.
 */
UNARY(mv_n, 0)
UNARY(mv_e, 0)
UNARY(mv_s, 0)
UNARY(mv_w, 0)
UNARY(bc_row, a)
UNARY(bc_col, a)
UNARY(sum_row_f32, f32_result(f32(a)))
UNARY(sum_col_f32, f32_result(f32(a)))
UNARY(max_row_f32, a)
UNARY(max_col_f32, a)
UNARY(sum_row_s32, a)
UNARY(sum_col_s32, a)
UNARY(max_row_s32, a)
UNARY(max_col_s32, a)

#define ROW_V(name) [RONDO_OP_##name] = alu_##name,
#define ROW_V1 ROW_V
alu_fn *const alu_ops[RONDO_OPCODES] = {
#include "emulator/exec/decode/rows.inc"
};
