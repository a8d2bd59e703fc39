/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The yardstick for the verifier: to decode every slot of a program, which each reader of one must.
 * The two ask the same of a core (branches, instructions, first-level cache), and lose as much to a
 * neighbour on it. Seconds, or a hash that waits for its multiplications, do not: with the other
 * thread of the core busy, 5.4 million bundles a second became 3.1, and 2.5 times the hash 4.1.
 */
#ifndef TESTS_BENCH_DECODE_H
#define TESTS_BENCH_DECODE_H

#include <stdlib.h>

#include "core/codec.h"
#include "core/program.h"
#include "tests/bench/paired.h"

/* Seconds of this thread for decoding the program of @size bytes at @bytes. */
static inline double bench_decode_s(const void *bytes, u64 size)
{
	double start = bench_s(CLOCK_THREAD_CPUTIME_ID);
	struct rondo_program p;
	struct rondo_op op;
	u64 i;

	if (rondo_program_open(&p, bytes, size))
		abort();
	for (i = 0; i < (u64)p.header->bundles * RONDO_SLOTS_PER_BUNDLE; i++) {
		rondo_decode(p.bundles[i / RONDO_SLOTS_PER_BUNDLE][i % RONDO_SLOTS_PER_BUNDLE],
			     &op);
		__asm__ volatile("" : : "r"(&op) : "memory"); /* it is wanted */
	}
	return bench_s(CLOCK_THREAD_CPUTIME_ID) - start;
}

#endif
