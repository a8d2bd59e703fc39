/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Programs from bytes: every byte string is a program. Fuzzers choose the bytes, and so do tests
 * with numbered programs.
 *
 * The generator keeps what the verifier will know (registers in flight, transfers outstanding,
 * ranges of addresses over the open loops) and leaves out what would be refused: nearly every
 * program is accepted, and together they use every operation and every feature. All of SRAM that a
 * program uses, its registers, accumulator rows and weight buffers end up in slot 2, so that no
 * difference stays hidden.
 *
 * Loose programs are for the verifier: they break each rule once in a while, and end without
 * storing anything.
 */
#ifndef TESTS_FUZZ_GENERATE_H
#define TESTS_FUZZ_GENERATE_H

#include "tests/unit/program_builder.h"

enum { GENERATE_CHOICES = 1536 }; /* bytes that a program uses, about; missing ones are zero */

enum generate_kind {
	GENERATE_RIGHT, /* accepted nearly always */
	/*
	 * Compute and transfers share SRAM and move on by the same strides; whether they race is
	 * left to chance, and to the verifier to find out.
	 */
	GENERATE_BOLD,
	/* From here on loose. */
	GENERATE_LOOSE, /* of everything */
	GENERATE_REGISTERS, /* of vector operations and loops: decided by hazards alone */
	GENERATE_TIME, /* of transfers, waits and loops: nothing but DMA touches SRAM */
	GENERATE_SRAM, /* of stores and reads of the same 4 KiB and loops */
	GENERATE_KINDS,
};

/* Builds a program into @b, freshly initialised, for its machine. */
void generate(struct builder *b, enum generate_kind kind, const u8 *choices, size_t size);

/* The same with GENERATE_CHOICES random bytes, the same for ever for each @seed. */
void generate_seed(struct builder *b, enum generate_kind kind, u64 seed);

#endif
