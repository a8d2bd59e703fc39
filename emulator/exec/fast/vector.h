/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Vectors of FAST_VECTOR_BYTES bytes, a power of two that the file of an instruction set
 * defines before it includes this, and exact arithmetic on them. Nothing here needs an
 * instruction set.
 */
#ifndef RONDO_EMULATOR_FAST_VECTOR_H
#define RONDO_EMULATOR_FAST_VECTOR_H

#include "emulator/exec/plain/f32.h"
#include "emulator/exec/fast/fast.h"

typedef u32 vu __attribute__((vector_size(FAST_VECTOR_BYTES)));
typedef s32 vs __attribute__((vector_size(FAST_VECTOR_BYTES)));
typedef float vf __attribute__((vector_size(FAST_VECTOR_BYTES)));
typedef u64 vu64 __attribute__((vector_size(FAST_VECTOR_BYTES)));
typedef s64 vs64 __attribute__((vector_size(FAST_VECTOR_BYTES)));

enum { VLANES = FAST_VECTOR_BYTES / 4 };

#define INLINE static inline __attribute__((always_inline))

/* @i counts lanes in steps of a vector. */
#define FOR_VECTORS(i) for (u32 i = 0; i < RONDO_LANES_MAX; i += VLANES)

INLINE vu vload(const void *from)
{
	vu v;

	memcpy(&v, from, sizeof(v));
	return v;
}

INLINE void vstore(void *to, vu v)
{
	memcpy(to, &v, sizeof(v));
}

INLINE vu vsplat(u32 x)
{
	return x - (vu){ 0 };
}

INLINE vf vsplat_f32(float x)
{
	return (vf)vsplat(f32_bits(x));
}

/* Where @mask is all ones @a, where it is zero @b. */
INLINE vu vpick(vu mask, vu a, vu b)
{
	return (a & mask) | (b & ~mask);
}

/* All ones where the sign is set. */
INLINE vu vnegative(vu a)
{
	return (vu)((vs)a >> 31);
}

INLINE vu vadd_saturated(vu a, vu b)
{
	vu sum = a + b;

	return vpick(vnegative(~(a ^ b) & (a ^ sum)), vnegative(a) ^ INT32_MAX, sum);
}

INLINE vu vsub_saturated(vu a, vu b)
{
	vu difference = a - b;

	return vpick(vnegative((a ^ b) & (a ^ difference)), vnegative(a) ^ INT32_MAX, difference);
}

INLINE vu vshift_right(vu a, vu n)
{
	return (vu)((vs)a >> (vs)n);
}

/* @n < 32 */
INLINE vu vshl_saturated(vu a, vu n)
{
	vu shifted = a << n;

	return vpick((vu)(vshift_right(shifted, n) == a), shifted, vnegative(a) ^ INT32_MAX);
}

/* Half away from zero; @n < 32. */
INLINE vu vshift_right_rounded(vu a, vu n)
{
	vu mask = (vsplat(1) << n) - 1;
	vu threshold = (mask >> 1) - vnegative(a);

	return vshift_right(a, n) - (vu)((vs)(a & mask) > (vs)threshold);
}

/* f32 */

/* Nearest, half to even; a NaN stays one. Below 2^23 adding 2^23 rounds to an integer. */
INLINE vf vround_to_even(vf x)
{
	vu sign = (vu)x & 0x80000000, a = (vu)x ^ sign;
	vf big = vsplat_f32(0x1p23f);
	vu rounded = (vu)(((vf)a + big) - big);

	return (vf)(vpick((vu)((vf)a < big), rounded, a) | sign);
}

INLINE vf vfloor(vf x)
{
	vf r = vround_to_even(x);

	return (vf)vpick((vu)(r > x), (vu)(r - 1.0f), (vu)r);
}

INLINE vf vtruncate(vf x)
{
	vu sign = (vu)x & 0x80000000;

	return (vf)((vu)vfloor((vf)((vu)x ^ sign)) | sign);
}

INLINE vf vf32_of_s32(vu x)
{
	return __builtin_convertvector((vs)x, vf);
}

/* Nearest, half to even, saturated; NaN gives 0. */
INLINE vu vs32_of_f32(vf x)
{
	vf rounded = vround_to_even(x);
	vu high = (vu)(rounded >= 0x1p31f), low = (vu)(rounded < -0x1p31f);
	vu inside = (vu)(rounded == rounded) & ~high & ~low;
	vs value = __builtin_convertvector((vf)((vu)rounded & inside), vs);

	return (vu)value | (high & INT32_MAX) | (low & 0x80000000);
}

INLINE vu vbf16_of(vu a)
{
	vu rounded = (a + 0x7fff + (a >> 16 & 1)) >> 16;

	return vpick((vu)((vf)a == (vf)a), rounded, vsplat(F32_NAN >> 16));
}

INLINE vf vpower_of_two(vu n)
{
	return (vf)((n + 127) << 23);
}

INLINE vu vleading_zeros(vu a)
{
	vu n = vsplat(0), zero;

	for (u32 half = 16; half; half /= 2) {
		zero = (vu)(a >> (32 - half) == 0);
		n += zero & half;
		a = vpick(zero, a << half, a);
	}
	return n + ((vu)(a == 0) & 1);
}

#endif
