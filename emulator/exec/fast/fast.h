/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The fast executor: as emulator/exec/exec.h, for programs that the verifier accepted.
 *
 * A program is decoded once into a tree of loops whose bundles are lists of operations on
 * wide host vectors, every operand resolved; addresses are stepped from trip to trip, and
 * pushes of an innermost loop run as blocked matrix products. The signature is taken of whole
 * lists and innermost loops, in closed form. Since the verifier has proved
 * hazards and races absent, nothing is checked during the run but the channels' time; what
 * could leave the machine's memory is refused once more at load. Bits and cycles are those
 * of the plain executor, which stays and is the oracle. Machines of several tiles, or of fewer
 * lanes than 64, are left to it.
 *
 *	f = fast_create(&machine);
 *	fast_load(&p, &machine, fast_variant(0), bytes, size, facts, why);
 *	fast_run(f, p, &io, &control, &result);
 *
 * Threads: as emulator/exec/exec.h.
 */
#ifndef RONDO_EMULATOR_FAST_H
#define RONDO_EMULATOR_FAST_H

#include "emulator/exec/exec.h"

struct fast; /* the state of one machine */
struct fast_program; /* a program, decoded for one variant */
struct fast_variant; /* kernels for one instruction set of the host */

/*
 * The variants that this host can run, best first; NULL from some @index >= 1 on. The last
 * is plain C with the compiler's vectors. Same bits from all.
 */
const struct fast_variant *fast_variant(u32 index);
const char *fast_variant_name(const struct fast_variant *variant);

/* A machine's state. NULL if the machine is not supported or memory is short. */
struct fast *fast_create(const struct rondo_machine *machine);
void fast_destroy(struct fast *f); /* NULL is allowed */

/* As exec_clean(). */
bool fast_clean(struct fast *f, const atomic_bool *stop);

/*
 * As exec_load(), for a program that the verifier accepted with @facts (not NULL). Refuses,
 * with -EINVAL, what could touch anything outside the machine too. Without a @variant (NULL)
 * all runs are left to the plain executor, and the program may be any.
 */
int fast_load(struct fast_program **program, const struct rondo_machine *machine,
	      const struct fast_variant *variant, const void *data, u64 size,
	      const struct rondo_facts *facts, char why[EXEC_REASON_BYTES]);
void fast_unload(struct fast_program *program); /* NULL is allowed */

/*
 * As exec_run(): same slots, status, cycles and signature; after an abort result.bundle is near
 * the one that was looked at. A run with control.checks or control.flip, and one whose bound is
 * below the cycles that the program is known to take, goes to the plain executor.
 */
void fast_run(struct fast *f, const struct fast_program *program, const struct exec_io *io,
	      const struct exec_control *control, struct exec_result *result);

#endif
