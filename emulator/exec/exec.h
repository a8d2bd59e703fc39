/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The executor: runs programs on the state of a machine, bundle by bundle.
 *
 * It is the plain one: every bundle does what spec/isa.def says, in order, and
 * time is counted by stepping the DMA events one by one. Nothing is clever, so
 * that it can be the oracle of everything that is. It knows nothing of its
 * host: slots are reached through two functions of the caller.
 *
 *	exec_load(&p, &machine, bytes, size, facts, why);	once per program
 *	exec_run(e, p, &io, &control, &result);			for each replay
 *
 * With control.checks the executor also proves, step by step, what the verifier
 * proved for all steps: bounds, registers in flight or never written, SRAM never
 * written, races with DMA, declared extents. A failed check ends the run with
 * EXEC_TRAP; a program that core/verify accepts never traps. Without checks only what
 * keeps the host's memory safe is looked at: bounds of SRAM, accumulators and weights.
 *
 * Machines of many tiles run without checks in groups of tiles (emulator/exec/mesh/mesh.h), and so
 *do those with too many tiles for the plain way, whatever control.checks says. exec_load() is where
 *a program is refused that needs more memory than the host has.
 *
 * Threads: a struct exec is used by one thread at a time; a loaded program is
 * never written and may be shared by any number of executors.
 */
#ifndef RONDO_EMULATOR_EXEC_H
#define RONDO_EMULATOR_EXEC_H

#include <stdatomic.h>

#include "core/verify.h"

enum { EXEC_REASON_BYTES = 128 };

struct exec; /* the state of one machine: tiles, channels */
struct exec_program; /* a program, decoded */

/*
 * How slots are reached. @offset counts from byte 0 of the slot as the program
 * sees it: the caller adds where the slot is bound and what offset this replay
 * chose. A function that returns false ends the run with EXEC_DMA_ERROR.
 */
struct exec_io {
	bool (*read)(void *ctx, u32 slot, u64 offset, void *to, u64 size);
	bool (*write)(void *ctx, u32 slot, u64 offset, const void *from, u64 size);
	void *ctx;
};

struct exec_control {
	u64 bound; /* most cycles; a run that would take more ends with EXEC_OVERRUN */
	const atomic_bool *stop; /* set by any thread: the run ends within 10 ms; may be NULL */
	/*
	 * Cycles so far; may be NULL. Written when the run begins and every few milliseconds or
	 * less, never less than before nor more than result.cycles will be.
	 */
	atomic_ullong *now;
	bool checks;
	/*
	 * Fault injection, in runs of the plain executor: in the first bundle from the
	 * flip-th executed one on (0: none) that accesses SRAM, bit flip_bit of an address
	 * is inverted.
	 */
	u64 flip;
	u8 flip_bit;
};

enum exec_status {
	EXEC_DONE, /* the program reached halt */
	EXEC_ABORTED, /* control.stop was set */
	EXEC_OVERRUN, /* control.bound was reached; result.cycles is the bound */
	EXEC_TRAP, /* a check failed: program or verifier is wrong */
	EXEC_DMA_ERROR, /* the host refused an access to a slot */
};

struct exec_result {
	enum exec_status status;
	u64 cycles; /* exact, clearing included; on an early end those that passed */
	u64 signature; /* of the control path, when EXEC_DONE (core/signature.h) */
	u32 bundle; /* the last one that was looked at */
	char reason[EXEC_REASON_BYTES]; /* of a trap or DMA error; else empty */
};

/* A machine's state, all zero. NULL if the machine is not supported or memory is short. */
struct exec *exec_create(const struct rondo_machine *machine);
void exec_destroy(struct exec *e); /* NULL is allowed */

/*
 * Gives the host back the memory that a run on many tiles took, as every run that is DONE does
 * itself: to be called before what exec_load() compares with the host's memory. False if *@stop,
 * which may be NULL, was set meanwhile.
 */
bool exec_clean(struct exec *e, const atomic_bool *stop);

/*
 * Decodes the program in @size bytes at @data (8-byte aligned), which may be freed afterwards.
 * @facts: what the verifier found, for the cycles of clearing SRAM; NULL if it
 * was not asked: then clearing takes no time, and with checks no byte of SRAM
 * may be read before it is written. Returns 0 and *@program (exec_unload()
 * frees it), else a negative errno, -EINVAL or -ENOMEM, and the reason in @why.
 * Refused is what can be seen without running it: a wrong container or machine, an
 * undefined operation, a number outside its table, loops that do not nest.
 */
int exec_load(struct exec_program **program, const struct rondo_machine *machine, const void *data,
	      u64 size, const struct rondo_facts *facts, char why[EXEC_REASON_BYTES]);
void exec_unload(struct exec_program *program); /* NULL is allowed */

/*
 * Runs @program from a state that reads as zero everywhere and writes *@result.
 * The machine of @program must be that of @e.
 */
void exec_run(struct exec *e, const struct exec_program *program, const struct exec_io *io,
	      const struct exec_control *control, struct exec_result *result);

#endif
