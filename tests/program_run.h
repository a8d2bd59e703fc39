/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Runs what the compiler made on the plain executor, with every check on: for tests that compare a
 * program's results with the graph's.
 */
#ifndef TESTS_PROGRAM_RUN_H
#define TESTS_PROGRAM_RUN_H

#include "compiler/backend.h"
#include "compiler/tensor.h"

enum { PROGRAM_RUN_WHY = 256 };

/*
 * Verifies the program in @c's file and replays it once. @in: one tensor per graph input; @out: one
 * per graph output, whose type and shape are set and whose bytes have room. False, and the reason
 * in @why, when the program is refused, traps, or takes other than c->cycles.
 */
bool program_run(const struct compiled *c, const struct rondo_machine *machine,
		 const struct tensor_data *in, struct tensor_data *out, char why[PROGRAM_RUN_WHY]);

#endif
