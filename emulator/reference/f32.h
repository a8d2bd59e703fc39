/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * f32 in integers: IEEE-754 binary32 from its definition. Operands and results are bit
 * patterns; every NaN that comes out is F32_QUIET. The host's floating point is not used.
 */
#ifndef RONDO_EMULATOR_REFERENCE_F32_H
#define RONDO_EMULATOR_REFERENCE_F32_H

#include "spec/env.h"

#define F32_QUIET 0x7fc00000u
#define F32_INF 0x7f800000u
#define F32_SIGN 0x80000000u
#define F32_ONE 0x3f800000u

enum f32_direction { F32_NEAREST, F32_DOWN, F32_TO_ZERO };

bool f32_is_nan(u32 a);
bool f32_less(u32 a, u32 b);
bool f32_equal(u32 a, u32 b);

u32 f32_add(u32 a, u32 b);
u32 f32_sub(u32 a, u32 b);
u32 f32_mul(u32 a, u32 b);
u32 f32_fma(u32 a, u32 b, u32 c); /* a * b + c, rounded once */
u32 f32_div(u32 a, u32 b);
u32 f32_sqrt(u32 a);
u32 f32_integer(u32 a, enum f32_direction direction);
u32 f32_of_s32(s32 a);
s32 f32_to_s32(u32 a); /* nearest even, saturated, 0 of NaN */
u32 f32_to_bf16(u32 a);
u32 f32_power_of_two(s32 n); /* -149 <= n <= 127 */

/* Not arithmetic: bits pass as they are. */
u32 f32_min(u32 a, u32 b);
u32 f32_max(u32 a, u32 b);

/* The sequences of spec/special.h. */
u32 f32_exp2(u32 a);
u32 f32_log2(u32 a);

#endif
