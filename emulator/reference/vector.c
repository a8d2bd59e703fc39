// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Vector operations: one lane at a time, in wide integers, so that what wraps, saturates or rounds
 * does so in one place. Operations between tiles read the registers of the others as they are
 * before the bundle. The table at the end is made from spec/isa.def, so that an operation without
 * a function does not compile.
 */
#include "emulator/reference/f32.h"
#include "emulator/reference/state.h"

/* What operation @op gives tile @t in the lanes of @d. */
#define OPERATION(name)                                                          \
	static void vector_##name(struct reference *r, const struct ref_tile *t, \
				  const struct rondo_op *op, u32 *d)

/*
 * One that does the same in every lane i, of the operands' lanes a, b and c; x and y are a and b as
 * signed numbers, n is the shift that b says.
 */
#define LANES(name, result)                                                           \
	OPERATION(name)                                                               \
	{                                                                             \
		for (u32 i = 0; i < r->machine.lanes; i++) {                          \
			u32 a = t->vreg[op->a][i], b = t->vreg[op->b][i], n = b % 32; \
			u32 c = t->vreg[op->c][i];                                    \
			s64 x = (s32)a, y = (s32)b;                                   \
                                                                                      \
			(void)c, (void)n, (void)x, (void)y;                           \
			d[i] = (u32)(result);                                         \
		}                                                                     \
	}

/* Integers and bits. */

static u32 saturated(s64 x)
{
	if (x < INT32_MIN)
		return (u32)INT32_MIN;
	return x > INT32_MAX ? (u32)INT32_MAX : (u32)x;
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

static u32 add_s32(u32 a, u32 b)
{
	return a + b;
}

static u32 max_s32(u32 a, u32 b)
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
		sum += (a_signed ? ref_s8_byte(a, n) : ref_u8_byte(a, n)) * ref_s8_byte(b, n);
	return (u32)sum;
}

static u32 dot2(u32 a, u32 b, u32 c)
{
	c = f32_fma(a << 16, b << 16, c);
	return f32_fma(a & 0xffff0000, b & 0xffff0000, c);
}

LANES(mov, a)
LANES(movi, op->imm)
LANES(iota, i)
LANES(add, x + y)
LANES(sub, x - y)
LANES(mul, x *y)
LANES(mulh, floor_shift(x *y, 32))
LANES(srdhm, srdhm(a, b))
LANES(adds, saturated(x + y))
LANES(subs, saturated(x - y))
LANES(shl, (u64)a << n)
LANES(shls, saturated(x *(1ll << n)))
LANES(sra, floor_shift(x, n))
LANES(srl, a / (1u << n))
LANES(srar, srar(a, n))
LANES(min, x < y ? a : b)
LANES(max, max_s32(a, b))
LANES(clz, leading_zeros(a))
LANES(cmplt, all_ones_if(x < y))
LANES(cmpeq, all_ones_if(a == b))
LANES(and, a &b)
LANES(or, a | b)
LANES(xor, a ^ b)
LANES(andn, a & ~b)
LANES(sel, (a & c) | (b & ~c))
LANES(dot4_ss, dot4(a, true, b, c))
LANES(dot4_us, dot4(a, false, b, c))

/* f32 */

LANES(fadd, f32_add(a, b))
LANES(fsub, f32_sub(a, b))
LANES(fmul, f32_mul(a, b))
LANES(fma, f32_fma(a, b, c))
LANES(fmin, f32_min(a, b))
LANES(fmax, f32_max(a, b))
LANES(fcmplt, all_ones_if(f32_less(a, b)))
LANES(fcmple, all_ones_if(f32_less(a, b) || f32_equal(a, b)))
LANES(fcmpeq, all_ones_if(f32_equal(a, b)))
LANES(frint, f32_integer(a, F32_NEAREST))
LANES(ffloor, f32_integer(a, F32_DOWN))
LANES(ftrunc, f32_integer(a, F32_TO_ZERO))
LANES(fabs, a & ~F32_SIGN)
LANES(fneg, a ^ F32_SIGN)
LANES(f2i, f32_to_s32(a))
LANES(i2f, f32_of_s32((s32)a))
LANES(bpack, f32_to_bf16(a) | f32_to_bf16(b) << 16)
LANES(bunplo, a << 16)
LANES(bunphi, a & 0xffff0000)
LANES(dot2_bf16, dot2(a, b, c))
LANES(fdiv, f32_div(a, b))
LANES(frcp, f32_div(F32_ONE, a))
LANES(fsqrt, f32_sqrt(a))
LANES(frsqrt, f32_div(F32_ONE, f32_sqrt(a)))
LANES(fexp2, f32_exp2(a))
LANES(flog2, f32_log2(a))

/* Requantise: lane i of @a with three parameter registers, for readouts and stores too. */

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
	s32 (*byte)(u32, u32) = is_signed ? ref_s8_byte : ref_u8_byte;
	s32 z = (s32)saturated((s64)(s32)y + byte(bytes, 1));

	if (z < byte(bytes, 2))
		z = byte(bytes, 2);
	if (z > byte(bytes, 3))
		z = byte(bytes, 3);
	return (u32)z;
}

static u32 floating(u32 a, u32 bias, u32 multiplier)
{
	return (u32)f32_to_s32(f32_mul(f32_of_s32((s32)(a + bias)), multiplier));
}

#define REQUANTISE(name, result)                                             \
	u32 ref_##name(u32 a, u32 shift, const ref_row *params, u32 i)       \
	{                                                                    \
		u32 p0 = params[0][i], p1 = params[1][i], p2 = params[2][i]; \
                                                                             \
		(void)shift;                                                 \
		return result;                                               \
	}                                                                    \
	LANES(name, ref_##name(a, op->shift, &t->vreg[op->params], i))
REQUANTISE(rq_fix_s8, placed(fixed_point(a, shift, p0, p1, ref_s8_byte(p2, 0)), p2, true))
REQUANTISE(rq_fix_u8, placed(fixed_point(a, shift, p0, p1, ref_s8_byte(p2, 0)), p2, false))
REQUANTISE(rq_fix_s32, fixed_point(a, shift, p0, p1, ref_s8_byte(p2, 0)))
REQUANTISE(rq_flt_s8, placed(floating(a, p0, p1), p2, true))
REQUANTISE(rq_flt_u8, placed(floating(a, p0, p1), p2, false))
REQUANTISE(rq_f32, f32_min(p2, f32_max(p1, f32_add(a, p0))))

/* Across lanes. */

static u32 byte_of(const u32 *reg, u32 byte)
{
	return reg[byte / 4] >> 8 * (byte % 4) & 0xff;
}

LANES(perm, t->vreg[op->a][b % r->machine.lanes])
LANES(lut, byte_of(t->vreg[op->b], a % (4 * r->machine.lanes)))

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

#define REDUCTION(name, step)                       \
	OPERATION(name)                             \
	{                                           \
		reduce(r, t->vreg[op->a], step, d); \
	}
REDUCTION(rsum_f32, f32_add)
REDUCTION(rmax_f32, f32_max)
REDUCTION(rsum_s32, add_s32)
REDUCTION(rmax_s32, max_s32)

/* Between tiles. */

/* Register @reg of the tile @dx columns to the east and @dy rows to the south, or zero. */
static void shift_tiles(struct reference *r, const struct ref_tile *t, s32 dx, s32 dy, u32 reg,
			u32 *d)
{
	s64 x = (s64)t->x + dx, y = (s64)t->y + dy;

	if (x < 0 || x >= r->machine.mesh_w || y < 0 || y >= r->machine.mesh_h)
		memset(d, 0, sizeof(ref_row));
	else
		memcpy(d, ref_tile_at(r, (u32)x, (u32)y)->vreg[reg], sizeof(ref_row));
}

#define SHIFT(name, dx, dy)                          \
	OPERATION(name)                              \
	{                                            \
		shift_tiles(r, t, dx, dy, op->a, d); \
	}
SHIFT(mv_n, 0, 1)
SHIFT(mv_e, -1, 0)
SHIFT(mv_s, 0, -1)
SHIFT(mv_w, 1, 0)
SHIFT(bc_row, op->imm - (s32)t->x, 0)
SHIFT(bc_col, 0, op->imm - (s32)t->y)

/* The NaN of an arithmetic result. */
static u32 canonical(u32 a)
{
	return f32_is_nan(a) ? F32_QUIET : a;
}

/* @step(s, a) along the row or column of @t, in the order of its coordinates. */
static void reduce_tiles(struct reference *r, const struct ref_tile *t, bool row, u32 reg,
			 u32 (*step)(u32, u32), u32 *d)
{
	u32 side = row ? r->machine.mesh_w : r->machine.mesh_h, k, i;

	for (k = 0; k < side; k++) {
		const u32 *a = ref_tile_at(r, row ? k : t->x, row ? t->y : k)->vreg[reg];

		for (i = 0; i < r->machine.lanes; i++)
			d[i] = k ? step(d[i], a[i]) : step == f32_add ? canonical(a[i]) : a[i];
	}
}

/* Along a row, and along a column. */
#define TILE_REDUCTION(operation, type, step)              \
	OPERATION(operation##_row_##type)                  \
	{                                                  \
		reduce_tiles(r, t, true, op->a, step, d);  \
	}                                                  \
	OPERATION(operation##_col_##type)                  \
	{                                                  \
		reduce_tiles(r, t, false, op->a, step, d); \
	}
TILE_REDUCTION(sum, f32, f32_add)
TILE_REDUCTION(max, f32, f32_max)
TILE_REDUCTION(sum, s32, add_s32)
TILE_REDUCTION(max, s32, max_s32)

void ref_vector(struct reference *r, const struct ref_tile *t, const struct rondo_op *op, u32 *d)
{
#define ROW_V(name) [RONDO_OP_##name] = vector_##name,
#define ROW_V1 ROW_V
	static void (*const operations[RONDO_OPCODES])(struct reference *, const struct ref_tile *,
						       const struct rondo_op *, u32 *) = {
#include "emulator/exec/decode/rows.inc"
	};

	operations[op->op](r, t, op, d);
}
