/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Valid small graphs from bytes: whatever the bytes, the graph compiles, and together they use
 * every operator of ops.def with all its attributes. The text is a case for graph_case.h.
 *
 * The generator works out each value's shape by the rules of ONNX and states it, so that shape
 * inference is tested, too; and how far a right program may be from the interpreter: not at all
 * where all numbers are multiples of a power of two that f32 holds exactly, else a bound.
 */
#ifndef TESTS_FUZZ_GRAPH_GENERATE_H
#define TESTS_FUZZ_GRAPH_GENERATE_H

#include "spec/env.h"

enum { GRAPH_GENERATE_CHOICES = 256 }; /* bytes that a graph uses, about; missing ones are zero */

/* The graph's text, which the caller frees. */
char *graph_generate(const u8 *choices, u64 size);

/* The graph of the random bytes that begin with @seed, likewise. */
char *graph_of_seed(u64 seed);

#endif
