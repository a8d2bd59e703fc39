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

#include "emulator/exec/fast/fast.h"

#define FAST_FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma"
#define FAST_VECTOR_BYTES 64
#define OPERATION_OF(name) _mm512_##name
#define IV __m512i
#define FV __m512
#define LOAD_BYTES(x) _mm_loadu_si128(x)
#define LOAD_HALVES(x) _mm256_loadu_si256(x)
#include "emulator/exec/fast/x86.inc"

INLINE vu vresult(vf x)
{
	__mmask16 nan = _mm512_cmp_ps_mask((__m512)x, (__m512)x, _CMP_UNORD_Q);

	return (vu)_mm512_mask_mov_epi32((__m512i)x, nan, (__m512i)vsplat(F32_NAN));
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

INLINE vu add_bytes(vu sum, vu x, vu w, bool is_signed)
{
	return add_products(sum, is_signed ? x ^ SIGNS : x, w);
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
	FOR_VECTORS(i) {
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

FAST_EXECUTOR(avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
			      __builtin_cpu_supports("avx512dq") &&
			      __builtin_cpu_supports("avx512vl") &&
			      __builtin_cpu_supports("avx512vnni"))

#endif
