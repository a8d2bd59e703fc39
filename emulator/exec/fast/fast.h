/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The fast executors, one for each instruction set of the host: for machines of one tile of 64
 * lanes, and programs that the verifier accepted.
 *
 * A program becomes a tree of loops whose bundles are lists of operations on
 * wide host vectors, every operand resolved; addresses are stepped from trip to trip, and
 * pushes of an innermost loop run as blocked matrix products. The signature is taken of whole
 * lists and innermost loops, in closed form. Since the verifier has proved
 * hazards and races absent, nothing is checked during the run except the channels' time; what
 * could leave the machine's memory is refused at load, whatever the verifier said. Bits and cycles
 * are those of the plain executor, which also takes the runs that ask for checks, and those whose
 * bound is below the cycles that the program is known to take.
 */
#ifndef RONDO_EMULATOR_FAST_H
#define RONDO_EMULATOR_FAST_H

#include "emulator/exec/exec.h"

extern const struct executor executor_portable; /* plain C with the compiler's vectors: any host */
#ifdef __x86_64__
extern const struct executor executor_avx2, executor_avx512;
#endif

#endif
