// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The variant for any host: vectors of 16 bytes, and plain C where vectors do not do.
 */
#define FAST_VECTOR_BYTES 16
#include "emulator/exec/fast/vector.h"

#define EACH(i) for (u32 i = 0; i < VLANES; i++)

INLINE vu vmin(vu a, vu b)
{
	return vpick((vu)((vs)a < (vs)b), a, b);
}

INLINE vu vmax(vu a, vu b)
{
	return vpick((vu)((vs)a > (vs)b), a, b);
}

INLINE vu vfmin(vu a, vu b)
{
	return vpick((vu)((vf)a < (vf)b), a, b);
}

INLINE vu vfmax(vu a, vu b)
{
	return vpick((vu)((vf)a > (vf)b), a, b);
}

INLINE vu vresult(vf x)
{
	return vpick((vu)(x == x), (vu)x, vsplat(F32_NAN));
}

INLINE vf vfma(vf a, vf b, vf c)
{
	EACH(i)
		c[i] = fmaf(a[i], b[i], c[i]);
	return c;
}

INLINE vf vsqrt(vf a)
{
	EACH(i)
		a[i] = sqrtf(a[i]);
	return a;
}

INLINE vs64 vmul_even(vu a, vu b)
{
	return ((vs64)((vu64)a << 32) >> 32) * ((vs64)((vu64)b << 32) >> 32);
}

#define WIDEN(name, type)                            \
	INLINE vu name(const void *x)                \
	{                                            \
		type element[VLANES];                \
		vu v;                                \
                                                     \
		memcpy(element, x, sizeof(element)); \
		EACH(i)                              \
			v[i] = (u32)element[i];      \
		return v;                            \
	}
WIDEN(vwiden_u8, u8)
WIDEN(vwiden_s8, s8)
WIDEN(vwiden_u16, u16)

#define NARROW(name, type)                            \
	INLINE void name(void *to, vu x)              \
	{                                             \
		type element[VLANES];                 \
                                                      \
		EACH(i)                               \
			element[i] = (type)x[i];      \
		memcpy(to, element, sizeof(element)); \
	}
NARROW(vnarrow_u8, u8)
NARROW(vnarrow_u16, u16)

#include "emulator/exec/fast/kernels.inc"

enum { PIXELS = 6, VECTORS = 1 };
#define STAYS_IN_REGISTER(v) ((void)(v))

#define add_bytes(sum, x, w, is_signed) vdot4(x, w, sum, is_signed)
#define correction(kind, push) NULL
#include "emulator/exec/fast/product.inc"

static const struct fast_variant variant = VARIANT;

FAST_EXECUTOR(portable, true)
