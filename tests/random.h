/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Seeded random numbers for tests: xorshift64 (Marsaglia 2003), the same everywhere and for ever.
 */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include "spec/env.h"

/* A state for the stream with this number; neighbouring numbers give unlike streams. */
static inline u64 random_seed(u64 number)
{
	return number * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull;
}

/* The next 64 bits. *@state must not be 0 and never becomes 0. */
static inline u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A number below @count, which is below 2^32; its upper bits are better than the lower ones. */
static inline u32 random_below(u64 *state, u64 count)
{
	return (u32)((random_next(state) >> 32) * count >> 32);
}

/* Fills @size bytes. */
static inline void random_bytes(u64 *state, void *bytes, u64 size)
{
	u64 i;

	for (i = 0; i < size; i++)
		((u8 *)bytes)[i] = (u8)(random_next(state) >> 32);
}

#endif
