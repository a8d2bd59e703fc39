/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
#ifndef RONDO_CORE_FNV_H
#define RONDO_CORE_FNV_H

#include "spec/env.h"

#define RONDO_FNV_BASIS 0xcbf29ce484222325ull
#define RONDO_FNV_PRIME 0x100000001b3ull

/* The hash of @size bytes at @data. */
static inline u64 rondo_fnv(const void *data, size_t size)
{
	const u8 *bytes = data;
	u64 hash = RONDO_FNV_BASIS;
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * RONDO_FNV_PRIME;
	return hash;
}

#endif
