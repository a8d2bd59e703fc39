/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Arithmetic modulo the prime 2^61 - 1. Residues are below it. 2^61 is 1, so that a product is
 * reduced by adding its parts.
 */
#ifndef RONDO_CORE_MOD61_H
#define RONDO_CORE_MOD61_H

#include "spec/env.h"

#define RONDO_MOD61 ((1ULL << 61) - 1)

/* A sum of products, 128 bits. */
struct rondo_wide {
	u64 lo, hi;
};

static inline u64 mod61(u64 x)
{
	x = (x & RONDO_MOD61) + (x >> 61);
	return x >= RONDO_MOD61 ? x - RONDO_MOD61 : x;
}

static inline u64 mod61_signed(s64 x)
{
	u64 residue = mod61(x < 0 ? 0 - (u64)x : (u64)x);

	return x < 0 && residue ? RONDO_MOD61 - residue : residue;
}

static inline u64 mod61_add(u64 a, u64 b)
{
	u64 sum = a + b;

	return sum >= RONDO_MOD61 ? sum - RONDO_MOD61 : sum;
}

static inline struct rondo_wide rondo_wide_product(u64 a, u64 b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128)a * b;

	return (struct rondo_wide){ .lo = (u64)product, .hi = (u64)(product >> 64) };
#else
	u64 low = (u64)(u32)a * (u32)b, high = (a >> 32) * (b >> 32);
	u64 one = (a >> 32) * (u32)b + (low >> 32), other = (u64)(u32)a * (b >> 32) + (u32)one;

	return (struct rondo_wide){ .lo = other << 32 | (u32)low,
				    .hi = high + (one >> 32) + (other >> 32) };
#endif
}

/* *sum += a * b; the caller knows that it stays below 2^128. */
static inline void rondo_wide_add(struct rondo_wide *sum, u64 a, u64 b)
{
	struct rondo_wide product = rondo_wide_product(a, b);

	sum->hi += product.hi + check_add_overflow(sum->lo, product.lo, &sum->lo);
}

static inline u64 rondo_wide_mod61(struct rondo_wide x)
{
	u64 middle = x.lo >> 61 | x.hi << 3; /* bits 61..124 */

	/* 2^125 is 2^3. */
	return mod61_add(mod61_add(x.lo & RONDO_MOD61, mod61(middle)), x.hi >> 61 << 3);
}

/* The same for what is below 2^124, in half the time. */
static inline u64 rondo_wide_mod61_small(struct rondo_wide x)
{
	return mod61((x.lo & RONDO_MOD61) + (x.lo >> 61 | x.hi << 3));
}

/* The product of a residue and a number below 2^63. */
static inline u64 mod61_mul(u64 a, u64 b)
{
	return rondo_wide_mod61_small(rondo_wide_product(a, b));
}

#endif
