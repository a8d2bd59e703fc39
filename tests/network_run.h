/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Runs what the compiler made: for tests that compare a program's results with the graph's.
 */
#ifndef TESTS_NETWORK_RUN_H
#define TESTS_NETWORK_RUN_H

#include "compiler/backend.h"
#include "compiler/tensor.h"
#include "tests/program_run.h"

/*
 * Verifies the program in @c's file and replays it once. @in: one tensor per graph input; @out: one
 * per graph output, whose type and shape are set and whose bytes have room. False, and the reason
 * in @why, when the program is refused, traps, or takes other than c->cycles. One thread only.
 */
bool network_run(const struct compiled *c, const struct rondo_machine *machine,
		 const struct tensor_data *in, struct tensor_data *out, char why[RUN_WHY_BYTES]);

#endif
