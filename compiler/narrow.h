/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* bf16: the upper half of an f32. */
#ifndef COMPILER_NARROW_H
#define COMPILER_NARROW_H

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

#endif
