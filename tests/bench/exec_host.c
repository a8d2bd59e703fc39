// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The host's own speed. Compiled with -O3 -march=native, for this host alone.
 */
#include <time.h>

#include "tests/bench/exec_host.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { CHAINS = 12, STEPS = 1 << 20 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

#ifdef __AVX512VNNI__
typedef s32 sums __attribute__((vector_size(64)));
#define DOT(sum, a, b) (sums) _mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b))
#elif defined(__AVX2__)
typedef s32 sums __attribute__((vector_size(32)));
/* Eight of the s8 products that 32 bytes have fit a multiplication of s16 pairs only in two. */
#define DOT(sum, a, b)                                                 \
	((sum) + (sums)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)) + \
	 (sums)_mm256_madd_epi16((__m256i)(b), (__m256i)(a)))
#else
typedef s32 sums __attribute__((vector_size(16)));
#define DOT(sum, a, b) ((sum) + (a) * (b) + (a) * (b) + (a) * (b) + (a) * (b))
#endif
typedef float floats __attribute__((vector_size(sizeof(sums))));

/* Hides the value from the compiler; it stays where it is. */
#define OPAQUE(x) __asm__ volatile("" : "+x"(x))

double host_s8_rate(void)
{
	sums sum[CHAINS] = { 0 }, a = { 1 }, b = { 1 };
	double start = now_s(), seconds;

	for (u32 step = 0; step < STEPS; step++)
		for (u32 i = 0; i < CHAINS; i++) {
			sum[i] = DOT(sum[i], a, b);
			OPAQUE(sum[i]);
		}
	seconds = now_s() - start;
	return (double)STEPS * CHAINS * sizeof(sums) / seconds;
}

double host_f32_rate(void)
{
	floats sum[CHAINS] = { 0 }, a = { 1 }, b = { 1 };
	double start = now_s(), seconds;

	for (u32 step = 0; step < STEPS; step++)
		for (u32 i = 0; i < CHAINS; i++) {
			sum[i] = a * b + sum[i];
			OPAQUE(sum[i]);
		}
	seconds = now_s() - start;
	return (double)STEPS * CHAINS * (sizeof(floats) / 4) / seconds;
}

double host_add_s(u32 n, u32 repeat)
{
	static float a[1 << 16], b[1 << 16], c[1 << 16];
	double start = now_s();

	for (u32 pass = 0; pass < repeat; pass++) {
		for (u32 i = 0; i < n; i++)
			c[i] = a[i] + b[i];
		__asm__ volatile("" : : "r"(a), "r"(b), "r"(c) : "memory");
	}
	return (now_s() - start) / repeat;
}
