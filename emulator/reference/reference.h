/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reference: docs/reference/isa.md as a program, and nothing else.
 *
 * One bundle per step, one cycle per step of the clock. Results travel through pipelines
 * and land; DMA moves its bytes cycle by cycle; loops are a stack; f32 is computed in
 * integers; activity is counted as it happens. It shares the tables of spec/ and the codec
 * with the executor (emulator/exec.h), and not one line of what operations do. It is slow
 * and obvious: the judge of everything that is fast.
 *
 * It runs on machines of any mesh that fits the host's memory.
 *
 * SRAM outside of what the verifier says is cleared holds a pattern at the start, so that a
 * program which reads what nobody wrote shows it.
 *
 * Threads: a struct reference is used by one thread at a time.
 */
#ifndef RONDO_EMULATOR_REFERENCE_REFERENCE_H
#define RONDO_EMULATOR_REFERENCE_REFERENCE_H

#include "core/energy.h"
#include "emulator/exec.h"

struct reference; /* the state of one machine */

struct reference_result {
	enum exec_status status;	/* not EXEC_ABORTED */
	u64 cycles;			/* clearing included; on an early end those that passed */
	u32 bundle;			/* the last one that was looked at */
	struct rondo_activity activity; /* so far */
	char reason[EXEC_REASON_BYTES]; /* of a trap or DMA error; else empty */
};

/* NULL if memory is short. The machine's counts are within spec/limits.h. */
struct reference *reference_create(const struct rondo_machine *machine);
void reference_destroy(struct reference *r); /* NULL is allowed */

/*
 * Runs the program of @size bytes at @data (8-byte aligned) from its start and writes
 * *@result. @facts: of the verifier, for what is cleared; NULL clears everything in no time.
 * @bound: most cycles. Any bytes may be given: what is not a program traps.
 */
void reference_run(struct reference *r, const void *data, u64 size, const struct rondo_facts *facts,
		   const struct exec_io *io, u64 bound, struct reference_result *result);

#endif
