/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* FNV-1a, 64 bit: http://www.isthe.com/chongo/tech/comp/fnv/ */
#ifndef COMPILER_HASH_H
#define COMPILER_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t hash_bytes(const void *bytes, size_t size)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		h = (h ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return h;
}

#endif
