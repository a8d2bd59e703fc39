// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Vector operations within a tile: one lane at a time, in wide integers, so that what
 * wraps, saturates or rounds does so in one place.
 */
#include <stdlib.h>

#include "emulator/reference/f32.h"
#include "emulator/reference/state.h"

static u32 saturated(s64 x)
{
	if (x < INT32_MIN)
		return (u32)INT32_MIN;
	return x > INT32_MAX ? (u32)INT32_MAX : (u32)x;
}

static s32 s8_byte(u32 a, u32 n)
{
	return (s32)((a >> 8 * n & 0xff) ^ 0x80) - 0x80;
}

static s32 u8_byte(u32 a, u32 n)
{
	return (s32)(a >> 8 * n & 0xff);
}

/* The largest integer not above x / 2^n. */
static s64 floor_shift(s64 x, u32 n)
{
	s64 unit = 1ll << n, quotient = x / unit;

	return quotient - (x % unit < 0);
}

static u32 srdhm(u32 a, u32 b)
{
	return saturated(floor_shift((s64)(s32)a * (s32)b + (1ll << 30), 31));
}

/* Nearest, ties away from zero. */
static u32 srar(u32 a, u32 n)
{
	s64 x = (s32)a, size = x < 0 ? -x : x;

	size = (size + (n ? 1ll << (n - 1) : 0)) >> n;
	return (u32)(x < 0 ? -size : size);
}

u32 ref_add_s32(u32 a, u32 b)
{
	return a + b;
}

u32 ref_max_s32(u32 a, u32 b)
{
	return (s32)a > (s32)b ? a : b;
}

static u32 leading_zeros(u32 a)
{
	u32 count = 32;

	for (; a; a >>= 1)
		count--;
	return count;
}

static u32 all_ones_if(bool condition)
{
	return condition ? 0xffffffff : 0;
}

static u32 dot4(u32 a, bool a_signed, u32 b, u32 c)
{
	s64 sum = c;
	u32 n;

	for (n = 0; n < 4; n++)
		sum += (a_signed ? s8_byte(a, n) : u8_byte(a, n)) * s8_byte(b, n);
	return (u32)sum;
}

static u32 dot2(u32 a, u32 b, u32 c)
{
	c = f32_fma(a << 16, b << 16, c);
	return f32_fma(a & 0xffff0000, b & 0xffff0000, c);
}

static u32 integer_lane(u8 op, u32 a, u32 b, u32 c)
{
	s64 x = (s32)a, y = (s32)b;
	u32 n = b % 32;

	switch (op) {
	case RONDO_OP_mov:
		return a;
	case RONDO_OP_add:
		return (u32)(x + y);
	case RONDO_OP_sub:
		return (u32)(x - y);
	case RONDO_OP_mul:
		return (u32)(x * y);
	case RONDO_OP_mulh:
		return (u32)floor_shift(x * y, 32);
	case RONDO_OP_srdhm:
		return srdhm(a, b);
	case RONDO_OP_adds:
		return saturated(x + y);
	case RONDO_OP_subs:
		return saturated(x - y);
	case RONDO_OP_shl:
		return (u32)((u64)a << n);
	case RONDO_OP_shls:
		return saturated(x * (1ll << n));
	case RONDO_OP_sra:
		return (u32)floor_shift(x, n);
	case RONDO_OP_srl:
		return a / (1u << n);
	case RONDO_OP_srar:
		return srar(a, n);
	case RONDO_OP_min:
		return x < y ? a : b;
	case RONDO_OP_max:
		return ref_max_s32(a, b);
	case RONDO_OP_clz:
		return leading_zeros(a);
	case RONDO_OP_cmplt:
		return all_ones_if(x < y);
	case RONDO_OP_cmpeq:
		return all_ones_if(a == b);
	case RONDO_OP_and:
		return a & b;
	case RONDO_OP_or:
		return a | b;
	case RONDO_OP_xor:
		return a ^ b;
	case RONDO_OP_andn:
		return a & ~b;
	case RONDO_OP_sel:
		return (a & c) | (b & ~c);
	case RONDO_OP_dot4_ss:
		return dot4(a, true, b, c);
	case RONDO_OP_dot4_us:
		return dot4(a, false, b, c);
	default:
		abort(); /* a row of spec/isa.def without a meaning */
	}
}

static u32 float_lane(u8 op, u32 a, u32 b, u32 c)
{
	switch (op) {
	case RONDO_OP_fadd:
		return f32_add(a, b);
	case RONDO_OP_fsub:
		return f32_sub(a, b);
	case RONDO_OP_fmul:
		return f32_mul(a, b);
	case RONDO_OP_fma:
		return f32_fma(a, b, c);
	case RONDO_OP_fmin:
		return f32_min(a, b);
	case RONDO_OP_fmax:
		return f32_max(a, b);
	case RONDO_OP_fcmplt:
		return all_ones_if(f32_less(a, b));
	case RONDO_OP_fcmple:
		return all_ones_if(f32_less(a, b) || f32_equal(a, b));
	case RONDO_OP_fcmpeq:
		return all_ones_if(f32_equal(a, b));
	case RONDO_OP_frint:
		return f32_integer(a, F32_NEAREST);
	case RONDO_OP_ffloor:
		return f32_integer(a, F32_DOWN);
	case RONDO_OP_ftrunc:
		return f32_integer(a, F32_TO_ZERO);
	case RONDO_OP_fabs:
		return a & ~F32_SIGN;
	case RONDO_OP_fneg:
		return a ^ F32_SIGN;
	case RONDO_OP_f2i:
		return (u32)f32_to_s32(a);
	case RONDO_OP_i2f:
		return f32_of_s32((s32)a);
	case RONDO_OP_bpack:
		return f32_to_bf16(a) | f32_to_bf16(b) << 16;
	case RONDO_OP_bunplo:
		return a << 16;
	case RONDO_OP_bunphi:
		return a & 0xffff0000;
	case RONDO_OP_dot2_bf16:
		return dot2(a, b, c);
	case RONDO_OP_fdiv:
		return f32_div(a, b);
	case RONDO_OP_frcp:
		return f32_div(F32_ONE, a);
	case RONDO_OP_fsqrt:
		return f32_sqrt(a);
	case RONDO_OP_frsqrt:
		return f32_div(F32_ONE, f32_sqrt(a));
	case RONDO_OP_fexp2:
		return f32_exp2(a);
	case RONDO_OP_flog2:
		return f32_log2(a);
	default:
		return integer_lane(op, a, b, c);
	}
}

static u32 fixed_point(u32 a, u32 static_shift, u32 bias, u32 multiplier, s32 shift)
{
	u32 x = (u32)((u64)(a + bias) << static_shift);

	if (shift >= 0)
		return srdhm((u32)((u64)x << (shift < 31 ? shift : 31)), multiplier);
	return srar(srdhm(x, multiplier), shift > -31 ? (u32)-shift : 31);
}

/* Zero point and clamps, bytes 1 to 3 of @bytes. */
static u32 placed(u32 y, u32 bytes, bool is_signed)
{
	s32 (*byte)(u32, u32) = is_signed ? s8_byte : u8_byte;
	s32 z = (s32)saturated((s64)(s32)y + byte(bytes, 1));

	if (z < byte(bytes, 2))
		z = byte(bytes, 2);
	if (z > byte(bytes, 3))
		z = byte(bytes, 3);
	return (u32)z;
}

u32 ref_requantise(u8 op, u32 a, u32 shift, const ref_row *params, u32 i)
{
	u32 p0 = params[0][i], p1 = params[1][i], p2 = params[2][i];
	u32 fix = fixed_point(a, shift, p0, p1, s8_byte(p2, 0));
	u32 flt = (u32)f32_to_s32(f32_mul(f32_of_s32((s32)(a + p0)), p1));

	switch (op) {
	case RONDO_OP_rq_fix_s8:
		return placed(fix, p2, true);
	case RONDO_OP_rq_fix_u8:
		return placed(fix, p2, false);
	case RONDO_OP_rq_flt_s8:
		return placed(flt, p2, true);
	case RONDO_OP_rq_flt_u8:
		return placed(flt, p2, false);
	case RONDO_OP_rq_fix_s32:
		return fix;
	default: /* RONDO_OP_rq_f32 */
		return f32_min(p2, f32_max(p1, f32_add(a, p0)));
	}
}

/* Halves until one lane is left. */
static void reduce(const struct reference *r, const u32 *a, u32 (*step)(u32, u32), u32 *d)
{
	ref_row t;
	u32 s, i;

	memcpy(t, a, sizeof(t));
	for (s = r->machine.lanes / 2; s; s /= 2)
		for (i = 0; i < s; i++)
			t[i] = step(t[i], t[i + s]);
	for (i = 0; i < r->machine.lanes; i++)
		d[i] = t[0];
}

void ref_vector(struct reference *r, const struct ref_tile *t, const struct rondo_op *op, u32 *d)
{
	const u32 *a = t->vreg[op->a], *b = t->vreg[op->b], *c = t->vreg[op->c];
	u32 lanes = r->machine.lanes, i;

	switch (op->op) {
	case RONDO_OP_rsum_f32:
		return reduce(r, a, f32_add, d);
	case RONDO_OP_rmax_f32:
		return reduce(r, a, f32_max, d);
	case RONDO_OP_rsum_s32:
		return reduce(r, a, ref_add_s32, d);
	case RONDO_OP_rmax_s32:
		return reduce(r, a, ref_max_s32, d);
	}
	for (i = 0; i < lanes; i++) {
		u32 byte = a[i] % (4 * lanes);

		switch (op->op) {
		case RONDO_OP_movi:
			d[i] = (u32)op->imm;
			break;
		case RONDO_OP_iota:
			d[i] = i;
			break;
		case RONDO_OP_perm:
			d[i] = a[b[i] % lanes];
			break;
		case RONDO_OP_lut:
			d[i] = b[byte / 4] >> 8 * (byte % 4) & 0xff;
			break;
		default:
			d[i] = rondo_op_has_params(op->op) ?
				       ref_requantise(op->op, a[i], op->shift, &t->vreg[op->params],
						      i) :
				       float_lane(op->op, a[i], b[i], c[i]);
		}
	}
}
