/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* FNV-1a, 64 bit: http://www.isthe.com/chongo/tech/comp/fnv/ */
#ifndef COMPILER_HASH_H
#define COMPILER_HASH_H

#include "spec/env.h"

static inline u64 hash_bytes(const void *bytes, size_t size)
{
	u64 h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		h = (h ^ ((const u8 *)bytes)[i]) * UINT64_C(0x100000001b3);
	return h;
}

#endif
