// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The variant for x86-64 hosts with AVX-512 and VNNI: vectors of 64 bytes.
 *
 * vpdpbusd multiplies unsigned by signed bytes. Bytes of x that are signed are made unsigned
 * by adding 128; what that adds, 128 times the sum of the weights, is the same for all pushes
 * onto the same weights, and is taken off beforehand: see correction().
 */
#ifdef __x86_64__
#include <immintrin.h>

#include "emulator/exec/fast/state.h"
#include "emulator/exec/fast/target.h"

FAST_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")

#define FAST_VECTOR_BYTES 64
#include "emulator/exec/fast/vector.h"

INLINE vu vmin(vu a, vu b)
{
	return (vu)_mm512_min_epi32((__m512i)a, (__m512i)b);
}

INLINE vu vmax(vu a, vu b)
{
	return (vu)_mm512_max_epi32((__m512i)a, (__m512i)b);
}

/* Of two zeros or with a NaN these give their second operand, as they should. */
INLINE vu vfmin(vu a, vu b)
{
	return (vu)_mm512_min_ps((__m512)a, (__m512)b);
}

INLINE vu vfmax(vu a, vu b)
{
	return (vu)_mm512_max_ps((__m512)a, (__m512)b);
}

INLINE vu vresult(vf x)
{
	__mmask16 nan = _mm512_cmp_ps_mask((__m512)x, (__m512)x, _CMP_UNORD_Q);

	return (vu)_mm512_mask_mov_epi32((__m512i)x, nan, (__m512i)vsplat(F32_NAN));
}

INLINE vf vfma(vf a, vf b, vf c)
{
	return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

INLINE vf vsqrt(vf a)
{
	return (vf)_mm512_sqrt_ps((__m512)a);
}

INLINE vs64 vmul_even(vu a, vu b)
{
	return (vs64)_mm512_mul_epi32((__m512i)a, (__m512i)b);
}

INLINE vu vwiden_u8(const void *x)
{
	return (vu)_mm512_cvtepu8_epi32(_mm_loadu_si128(x));
}

INLINE vu vwiden_s8(const void *x)
{
	return (vu)_mm512_cvtepi8_epi32(_mm_loadu_si128(x));
}

INLINE vu vwiden_u16(const void *x)
{
	return (vu)_mm512_cvtepu16_epi32(_mm256_loadu_si256(x));
}

INLINE void vnarrow_u8(void *to, vu x)
{
	_mm_storeu_si128(to, _mm512_cvtepi32_epi8((__m512i)x));
}

INLINE void vnarrow_u16(void *to, vu x)
{
	_mm256_storeu_si256(to, _mm512_cvtepi32_epi16((__m512i)x));
}

#include "emulator/exec/fast/kernels.inc"

enum { PIXELS = 6, VECTORS = 4 };
#define STAYS_IN_REGISTER(v) __asm__("" : "+v"(v))

#define SIGNS 0x80808080u

INLINE vu add_products(vu sum, vu unsigned_bytes, vu signed_bytes)
{
	return (vu)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)unsigned_bytes,
				       (__m512i)signed_bytes);
}

INLINE vu multiply(enum push_kind kind, vu sum, vu x, vu w)
{
	switch (kind) {
	case PUSH_F32:
		return (vu)vfma((vf)x, (vf)w, (vf)sum);
	case PUSH_BF16:
		return (vu)vdot2(x, w, (vf)sum);
	case PUSH_S8:
		return add_products(sum, x ^ SIGNS, w);
	default:
		return add_products(sum, x, w);
	}
}

/* Minus 128 times the sum of the bytes of the rows, per lane. Kept until weights are loaded. */
static const s32 *correction(enum push_kind kind, const struct fast_push *push)
{
	struct fast_weights *weights = push->weights;
	u32 slot = (push->row / 4 + push->count) % FAST_CORRECTIONS;
	struct fast_correction *c = &weights->correction[slot];

	if (kind != PUSH_S8)
		return NULL;
	if (c->version == weights->version && c->row == push->row && c->count == push->count)
		return c->lane;
	c->version = weights->version;
	c->row = push->row;
	c->count = push->count;
	FOR_VECTORS(i)
	{
		vu sum = vsplat(0);

		for (u32 r = 0; r < push->count; r++)
			sum = add_products(sum, vsplat(SIGNS),
					   vload(weights->row[push->row + r] + i * 4));
		vstore(c->lane + i, -sum);
	}
	return c->lane;
}

#include "emulator/exec/fast/product.inc"

static const struct fast_variant variant = VARIANT;

FAST_TARGET_END

static bool suits(const struct rondo_machine *machine)
{
	__builtin_cpu_init();
	return fast_suits(machine) && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

FAST_EXECUTOR(avx512, suits)

#endif
