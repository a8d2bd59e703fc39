/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The functions that a compiler calls even in freestanding code. Built with
 * -fno-tree-loop-distribute-patterns, else these loops would become calls of themselves.
 */
#include "spec/env.h"

int memcmp(const void *a, const void *b, size_t n);

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	const u8 *from = src;
	u8 *to = dst;

	/* Structures are aligned words; the rest is the odd tail. */
	if (((uintptr_t)from | (uintptr_t)to) % 4 == 0) {
		for (; n >= 4; n -= 4, from += 4, to += 4)
			*(u32 *)to = *(const u32 *)from;
	}
	while (n--)
		*to++ = *from++;
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u8 *to = dst;
	u32 word = (u8)c * 0x01010101u;

	if ((uintptr_t)to % 4 == 0) {
		for (; n >= 4; n -= 4, to += 4)
			*(u32 *)to = word;
	}
	while (n--)
		*to++ = c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
