/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Right programs with exactly one thing wrong, at a known place: what the verifier says of them
 * is known in advance, place and all.
 */
#ifndef TESTS_FUZZ_DEFECTS_H
#define TESTS_FUZZ_DEFECTS_H

#include "tests/unit/program_builder.h"

/* How many kinds there are, and the reason of refusal that goes with one. */
u32 defect_kinds(void);
enum rondo_error defect_code(u32 kind);

enum defect_outcome {
	DEFECT_NO_PLACE, /* the program has none where this could be wrong */
	DEFECT_FOUND, /* refused for the reason and at the place that were expected */
	DEFECT_MISSED,
};

enum { DEFECT_WHY_BYTES = 200 };

/*
 * Makes a defect of @kind in @b, which the verifier accepts, at a place that @choice picks, and
 * looks whether the verifier finds it there; says in @why, if not, what it says instead.
 */
enum defect_outcome defect_try(struct builder *b, u32 kind, u64 choice, char why[DEFECT_WHY_BYTES]);

#endif
