/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reference: docs/reference/isa.md as a program, and nothing else.
 *
 * One bundle per step, one cycle per step of the clock. Results travel through pipelines
 * and land; DMA moves its bytes cycle by cycle; loops are a stack; f32 is computed in
 * integers; activity is counted as it happens. It shares the tables of spec/ and the codec
 * with the executor (emulator/exec/exec.h), and not one line of what operations do. It is slow
 * and obvious: the judge of everything that is fast.
 *
 * It runs on machines of any mesh that fits the host's memory.
 *
 * SRAM outside of what the verifier says is cleared holds a pattern at the start, so that a
 * program which reads what nobody wrote shows it.
 *
 * A run may also be stepped cycle by cycle, saved and restored, and watched: the debugger.
 *
 * Threads: a struct reference is used by one thread at a time.
 */
#ifndef RONDO_EMULATOR_REFERENCE_REFERENCE_H
#define RONDO_EMULATOR_REFERENCE_REFERENCE_H

#include "core/energy.h"
#include "emulator/exec/exec.h"

struct reference; /* the state of one machine */

struct reference_result {
	enum exec_status status; /* not EXEC_ABORTED */
	u64 cycles; /* clearing included; on an early end those that passed */
	u64 signature; /* of the control path, so far */
	u32 bundle; /* the last one that was looked at */
	struct rondo_activity activity; /* so far */
	char reason[EXEC_REASON_BYTES]; /* of a trap or DMA error; else empty */
};

/* About what reference_create() allocates; too much for a wafer. */
u64 reference_bytes(const struct rondo_machine *machine);

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

/*
 * The same by cycles: begins a run, and lets one cycle of it pass. Both return whether it goes
 * on; if not, *@result says how it ended. @data, @io and @result are used until then.
 */
bool reference_begin(struct reference *r, const void *data, u64 size,
		     const struct rondo_facts *facts, const struct exec_io *io, u64 bound,
		     struct reference_result *result);
bool reference_step(struct reference *r);

/*
 * Between the two: SRAM holds zeros instead of the pattern, which the run is not to see but whoever
 * looks at it would.
 */
void reference_clear_sram(struct reference *r);

/*
 * All that determines the rest of the run but what is in the slots, as reference_state_bytes()
 * bytes; they are meaningful for this struct reference, as long as no other run begins.
 */
u64 reference_state_bytes(struct reference *r);
void reference_save(struct reference *r, void *to);
void reference_restore(struct reference *r, const void *from);

enum reference_space {
	REFERENCE_SRAM,
	REFERENCE_RESULT, /* is written when it takes off; `at` is its register */
	REFERENCE_REGISTER, /* is written when the result lands */
	REFERENCE_ACCUMULATOR, /* rows */
	REFERENCE_WEIGHT, /* rows of a weight buffer; its reads are not told */
	REFERENCE_SLOT, /* by DMA */
};

/* One thing read or written in a cycle. */
struct reference_access {
	enum reference_space space;
	bool write;
	u32 tile; /* row by row from the north-west; of a slot 0 */
	u32 index; /* weight buffer, slot, or place of a result in flight; else 0 */
	u64 at; /* byte, register or row */
	u64 count; /* bytes of SRAM or slot; else 1 */
};

/* Tells @seen of every access, in the order of the cycle, from now on; NULL: of none. */
void reference_watch(struct reference *r,
		     void (*seen)(void *ctx, const struct reference_access *access), void *ctx);

#endif
