/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * f32 as the instruction set means it: bit patterns in, bit patterns out, every
 * arithmetic NaN 0x7fc00000. The host's float must be IEEE-754 binary32 without
 * excess precision, rounding to nearest even, with subnormals: every host is
 * that unless it is compiled with -ffast-math.
 */
#ifndef RONDO_EMULATOR_EXEC_F32_H
#define RONDO_EMULATOR_EXEC_F32_H

#include <float.h>
#include <math.h>

#include "spec/env.h"

static_assert(FLT_EVAL_METHOD == 0, "f32 needs a host without excess precision");
#ifdef __FAST_MATH__
#error "the executor is exact: compile it without -ffast-math"
#endif

#define F32_NAN 0x7fc00000u
#define F32_INFINITY 0x7f800000u

static inline float f32(u32 bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The bits as they are. */
static inline u32 f32_bits(float value)
{
	u32 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* The bits of an arithmetic result. */
static inline u32 f32_result(float value)
{
	return value != value ? F32_NAN : f32_bits(value);
}

static inline float bf16_lo(u32 container)
{
	return f32(container << 16);
}

static inline float bf16_hi(u32 container)
{
	return f32(container & 0xffff0000);
}

/* f32 to bf16, nearest even; overflow gives infinity. */
static inline u16 bf16_of(u32 a)
{
	if (f32(a) != f32(a))
		return F32_NAN >> 16;
	return (a + 0x7fff + (a >> 16 & 1)) >> 16;
}

/* 2^n for -126 <= n <= 127. */
static inline float f32_power_of_two(s32 n)
{
	return f32((u32)(n + 127) << 23);
}

static inline s32 s32_saturate(s64 x)
{
	return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x;
}

/* Nearest, half to even, saturated; NaN gives 0. */
static inline s32 s32_of_f32(float value)
{
	float rounded = rintf(value);

	if (rounded != rounded)
		return 0;
	if (rounded >= 0x1p31f)
		return INT32_MAX;
	if (rounded < -0x1p31f)
		return INT32_MIN;
	return (s32)rounded;
}

#endif
