/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Right programs from bytes: whatever the bytes, the verifier accepts nearly every program,
 * and together they use every operation and every feature. tests/unit/program_gen.h is the
 * other one: its programs are often wrong, as the verifier's tests need them.
 *
 * The generator keeps what the verifier will know (registers in flight, transfers
 * outstanding, ranges of addresses over the open loops) and leaves out what would be refused.
 * All of SRAM that a program uses, its registers, accumulator rows and weight buffers end up
 * in slot 2, so that no difference stays hidden.
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
};

/* Builds a program into @b, freshly initialised, for its machine. */
void generate(struct builder *b, enum generate_kind kind, const u8 *choices, size_t size);

/* The choices of a numbered program: GENERATE_CHOICES random bytes, the same for ever. */
void generate_choices(u8 *choices, u64 seed);

#endif
