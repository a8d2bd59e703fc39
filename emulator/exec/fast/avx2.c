// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The variant for x86-64 hosts with AVX2 and FMA: vectors of 32 bytes.
 *
 * Bytes are multiplied as s16 by vpmaddwd, whose sums of two products are exact. A product
 * takes blocks of six pushes and 16 lanes: twelve sums stay in registers.
 */
#ifdef __x86_64__
#include <immintrin.h>

#include "emulator/exec/fast/fast.h"

#define FAST_FEATURES "avx2,fma"
#define FAST_VECTOR_BYTES 32
#define OPERATION_OF(name) _mm256_##name
#define IV __m256i
#define FV __m256
#define LOAD_BYTES(x) _mm_loadl_epi64(x)
#define LOAD_HALVES(x) _mm_loadu_si128(x)
#include "emulator/exec/fast/x86.inc"

INLINE vu vresult(vf x)
{
	__m256 nan = _mm256_cmp_ps((__m256)x, (__m256)x, _CMP_UNORD_Q);

	return (vu)_mm256_blendv_ps((__m256)x, (__m256)vsplat(F32_NAN), nan);
}

/* The low halves of the lanes, in order, in the low 16 bytes. */
INLINE __m128i low_halves(vu x)
{
	__m256i masked = (__m256i)(x & 0xffff);

	return _mm_packus_epi32(_mm256_castsi256_si128(masked),
				_mm256_extracti128_si256(masked, 1));
}

INLINE void vnarrow_u8(void *to, vu x)
{
	__m128i halves = low_halves(x & 0xff);

	_mm_storel_epi64(to, _mm_packus_epi16(halves, halves));
}

INLINE void vnarrow_u16(void *to, vu x)
{
	_mm_storeu_si128(to, low_halves(x));
}

#include "emulator/exec/fast/kernels.inc"

enum { PIXELS = 6, VECTORS = 2 };
#define STAYS_IN_REGISTER(v) __asm__("" : "+x"(v))

INLINE vu even_bytes(vu x, bool is_signed)
{
	__m256i up = _mm256_slli_epi16((__m256i)x, 8);

	return (vu)(is_signed ? _mm256_srai_epi16(up, 8) : _mm256_srli_epi16(up, 8));
}

INLINE vu odd_bytes(vu x, bool is_signed)
{
	return (vu)(is_signed ? _mm256_srai_epi16((__m256i)x, 8) :
				_mm256_srli_epi16((__m256i)x, 8));
}

INLINE vu add_products(vu sum, vu a, vu b)
{
	return sum + (vu)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}

INLINE vu add_bytes(vu sum, vu x, vu w, bool is_signed)
{
	sum = add_products(sum, even_bytes(x, is_signed), even_bytes(w, true));
	return add_products(sum, odd_bytes(x, is_signed), odd_bytes(w, true));
}

#define correction(kind, push) NULL
#include "emulator/exec/fast/product.inc"

static const struct fast_variant variant = VARIANT;

FAST_TARGET_END

FAST_EXECUTOR(avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))

#endif
