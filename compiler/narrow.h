/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Numbers of 16 bits: bf16, the upper half of an f32, and f16. */
#ifndef COMPILER_NARROW_H
#define COMPILER_NARROW_H

#include <math.h>
#include <string.h>

#include "spec/env.h"

/* The bf16 nearest to @x, half to even; every NaN becomes the same. As st.bf16 stores it. */
static inline u16 narrow_bits(float x)
{
	u32 bits;

	memcpy(&bits, &x, sizeof(bits));
	if ((bits & 0x7fffffff) > 0x7f800000)
		return 0x7fc0;
	return (u16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* The f32 that is that number. */
static inline float narrow(float x)
{
	u32 bits = (u32)narrow_bits(x) << 16;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* The f32 that the bits of an f16 mean; each of them is one. */
static inline float widen_f16(u16 bits)
{
	u32 exponent = bits >> 10 & 31, mantissa = bits & 1023, wide;
	float x;

	if (!exponent) { /* zero or subnormal: mantissa * 2^-24 */
		x = ldexpf((float)mantissa, -24);
		return bits >> 15 ? -x : x;
	}
	wide = (u32)(bits >> 15) << 31 | (exponent == 31 ? 255 : exponent + 112) << 23 |
	       mantissa << 13;
	memcpy(&x, &wide, sizeof(x));
	return x;
}

/* The f16 nearest to @x, half to even, as an f32: a multiple of 2^-24 or of 1/1024 of its power. */
static inline float narrow_f16(float x)
{
	int exponent = 0;
	float y;

	if (!isfinite(x))
		return x;
	frexpf(x, &exponent);
	exponent = exponent < -13 ? -24 : exponent - 11;
	y = ldexpf(rintf(ldexpf(x, -exponent)), exponent);
	return fabsf(y) > 65504 ? copysignf(INFINITY, x) : y;
}

#endif
