/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Executors: they run programs on the state of a machine. There are several, which give the same
 * bits, cycles and signature:
 *
 *	plain	bundle by bundle as spec/isa.def says, time stepped by the events of DMA; on
 *		request it proves step by step what the verifier proves for all steps. The oracle.
 *	fast	(one for each instruction set of the host) one tile of 64 lanes: operations on wide
 *		vectors, pushes as blocked matrix products (exec/fast/)
 *	mesh	many tiles: groups of them run ahead to where tiles meet (exec/mesh/)
 *
 * They know nothing of their host: slots are reached through two functions of the caller.
 *
 *	x = executor_for(&machine, EXECUTOR_BEST);
 *	e = exec_create(x, &machine);
 *	exec_load(&p, x, &machine, bytes, size, facts, why);	once per program
 *	exec_run(e, p, &io, &control, &result);			for each replay
 *
 * Any bytes may be loaded. Whether or not the verifier accepted them, no run touches memory that
 * is not the machine's or the caller's through exec_io, and each ends when control.bound is
 * reached or control.stop is set. What the verifier refuses may trap, and executors may then
 * differ in what they wrote before.
 *
 * Threads: a struct exec is used by one thread at a time; a loaded program is never written and
 * may be shared by any number of them.
 */
#ifndef RONDO_EMULATOR_EXEC_H
#define RONDO_EMULATOR_EXEC_H

#include <stdatomic.h>

#include "core/verify.h"
#include "emulator/budget.h"

enum { EXEC_REASON_BYTES = 128 };

struct executor;
struct exec; /* the state of one machine */
struct exec_program; /* a program, decoded */
struct run; /* one run, while it lasts (exec/run/run.h) */

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
	/*
	 * Bounds, registers in flight or never written, SRAM never written, races with DMA and
	 * declared extents are checked at each step; what fails ends the run with EXEC_TRAP. A
	 * program that core/verify accepts never traps. Ignored where the plain executor cannot
	 * run: on machines of more than 128 tiles.
	 */
	bool checks;
	/*
	 * Fault injection, ignored on machines of more than 128 tiles: in the first bundle from
	 * the flip-th executed one on (0: none) that accesses SRAM, bit flip_bit of an address is
	 * inverted.
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
	u32 bundle; /* the last one that was looked at; after an abort, one near it */
	char reason[EXEC_REASON_BYTES]; /* of a trap or DMA error; else empty */
};

/*
 * An executor, for exec_*(), which do the rest. Members but name, suits and run may be NULL.
 * There is no function to stop a run: one flag, control.stop, ends verifying, cleaning and
 * running alike, and whoever sets it need not know which of them is under way.
 */
struct executor {
	const char *name;
	/* Whether it runs programs of this machine on this host. */
	bool (*suits)(const struct rondo_machine *machine);
	/* Makes and frees its own state, e->own. False if memory is short. */
	bool (*create)(struct exec *e);
	void (*destroy)(struct exec *e);
	/* Derives p->own from a decoded program, within p->limits; as exec_load_within(). */
	int (*load)(struct exec_program *p, char why[EXEC_REASON_BYTES]);
	void (*unload)(struct exec_program *p); /* also of what a failed load left */
	void (*run)(struct exec *e, struct run *run);
	bool (*clean)(struct exec *e, const atomic_bool *stop);
};

enum { EXECUTOR_BEST = 0, EXECUTOR_PLAIN = -1 };

/*
 * The executors that run programs of @machine on this host: number 0 is the best, the last one
 * that is not NULL the plain one, if the machine has at most 128 tiles. NULL for any @number if the
 * machine is not supported. EXECUTOR_PLAIN is the last one.
 */
const struct executor *executor_for(const struct rondo_machine *machine, int number);

/*
 * A machine's state, all zero, for programs loaded for executor @x or for the plain one. NULL if
 * @x is, or memory is short.
 */
struct exec *exec_create(const struct executor *x, const struct rondo_machine *machine);
void exec_destroy(struct exec *e); /* NULL is allowed */

/*
 * Gives the host back the memory that a run on many tiles took, as every run that is DONE does
 * itself. Call it before exec_load(), which compares what a program needs with what the host has.
 * False if *@stop, which may be NULL, was set meanwhile.
 */
bool exec_clean(struct exec *e, const atomic_bool *stop);

/*
 * Decodes the program in @size bytes at @data (8-byte aligned), which may be freed afterwards, for
 * executor @x. @facts: what the verifier found, for the cycles of clearing SRAM; NULL if it
 * was not asked: then clearing takes no time, and with checks no byte of SRAM
 * may be read before it is written. Returns 0 and *@program (exec_unload()
 * frees it), else a negative errno, -EINVAL or -ENOMEM, and the reason in @why.
 * Refused is what can be seen without running it: a wrong container or machine, an
 * undefined operation, a number outside its table, loops that do not nest; by some executors an
 * address outside of SRAM too. -ENOMEM also says that the host has too little memory for all
 * tiles.
 */
int exec_load(struct exec_program **program, const struct executor *x,
	      const struct rondo_machine *machine, const void *data, u64 size,
	      const struct rondo_facts *facts, char why[EXEC_REASON_BYTES]);
/*
 * As exec_load(), within @limits. Each byte that decoding takes is charged to the budget before it
 * is allocated, and -ENOMEM also says that this has not enough. What the program keeps stays
 * charged until exec_unload(), which is called while the budget exists; what a load that fails has
 * taken does not. -ECANCELED: limits.stop was set.
 */
struct exec_limits {
	struct emu_budget *budget; /* NULL: none */
	const atomic_bool *stop; /* set by any thread: the load ends within 10 ms; may be NULL */
};
int exec_load_within(struct exec_program **program, struct exec_limits limits,
		     const struct executor *x, const struct rondo_machine *machine,
		     const void *data, u64 size, const struct rondo_facts *facts,
		     char why[EXEC_REASON_BYTES]);
void exec_unload(struct exec_program *program); /* NULL is allowed */

/*
 * Runs @program from a state that reads as zero everywhere and writes *@result. The machine of
 * @program must be that of @e, and its executor that of @e or the plain one.
 */
void exec_run(struct exec *e, const struct exec_program *program, const struct exec_io *io,
	      const struct exec_control *control, struct exec_result *result);

#endif
