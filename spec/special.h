/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fexp2 and flog2: the exact sequences of f32 operations that define them, and
 * their coefficients as bit patterns. Every step rounds to nearest even; fma
 * rounds once. A NaN operand gives 0x7fc00000.
 *
 * fexp2(x)		largest error measured 0.90 ulp
 *	x >= 128: +infinity.  x < -150: +0.
 *	n = frint(x);  f = x - n			(exact; -0.5 <= f <= 0.5)
 *	p = EXP2_5
 *	p = fma(p, f, EXP2_k) for k = 4, 3, 2, 1, 0
 *	p = fma(p, f, 1)
 *	h = n >> 1 (arithmetic)
 *	result = (p * 2^h) * 2^(n - h)			(only the last product may round)
 *
 * flog2(x)		largest error measured 1.74 ulp
 *	x = +-0: -infinity.  x < 0: NaN.  x = +infinity: +infinity.
 *	e = 0;  x subnormal: x = x * 2^24, e = -24	(exact)
 *	d = bits of x - SQRT_HALF, wrapping
 *	e = e + (d >> 23, arithmetic)
 *	m = f32 of bits (d & 0x7fffff) + SQRT_HALF	(sqrt(1/2) <= m < sqrt(2))
 *	t = m - 1					(exact)
 *	p = LOG2_10
 *	p = fma(p, t, LOG2_k) for k = 9, 8, ..., 0
 *	result = fma(t, p, f32 of e)
 *
 * The coefficients interpolate (2^f - 1) / f on [-1/2, 1/2] and log2(1 + t) / t on
 * [sqrt(1/2) - 1, sqrt(2) - 1] at Chebyshev nodes, rounded to f32: powers of two
 * are exact both ways.
 */
#ifndef RONDO_SPEC_SPECIAL_H
#define RONDO_SPEC_SPECIAL_H

#define RONDO_SQRT_HALF 0x3f3504f3

/* Lowest power first. */
#define RONDO_EXP2_COEFFICIENTS \
	0x3f317218, 0x3e75fdf0, 0x3d6357b6, 0x3c1d952a, 0x3aaf8448, 0x392209c5

#define RONDO_LOG2_COEFFICIENTS                                                             \
	0x3fb8aa3b, 0xbf38aa3b, 0x3ef63840, 0xbeb8aa59, 0x3e93c02e, 0xbe7637e3, 0x3e51f603, \
		0xbe377ec8, 0x3e307a94, 0xbe2bac94, 0x3dc23046

#endif
