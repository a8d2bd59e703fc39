/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* splitmix64 (Steele, Lea, Flood 2014): a seeded stream, the same everywhere. */
#ifndef DEMO_RANDOM_H
#define DEMO_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Uniform in [-1, 1), 24 bits. */
static inline float random_signed(uint64_t *state)
{
	return (float)(random_next(state) >> 40) * 0x1p-23f - 1.0f;
}

#endif
