/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A decoded program: what one walk of the text gives to every executor. Beside it an executor may
 * keep what it derived (exec/exec.h). Never written once it is loaded.
 *
 * What follows holds for any program that was loaded, whether or not the verifier accepted it:
 * every operation is defined and stands in a slot where it may stand; numbers of entries,
 * descriptors, slots, loops, registers, lanes and tiles are in range, as are the rows that a push
 * reads of its weight buffer; loops nest, and halt ends the text. What depends on loop indices
 * (addresses, rows) is judged by whoever executes it.
 */
#ifndef RONDO_EMULATOR_EXEC_PROGRAM_H
#define RONDO_EMULATOR_EXEC_PROGRAM_H

#include "core/affine.h"
#include "core/signature.h"
#include "core/verify.h"
#include "emulator/exec/exec.h"

/*
 * One operation of a slot other than C: the fields of struct rondo_op that those have. row is that
 * of the accumulators, or in slot W of the weight buffer; wrow is where a push begins to read.
 */
struct exec_op {
	u64 reads; /* set of vector registers */
	u8 op, slot; /* enum rondo_opcode, enum rondo_slot_no */
	u8 dst, a, b, c, params;
	u8 shift, count, rows, lane;
	u8 buf, wrow, zp, mode;
	u16 entry, row;
	s16 imm;
	u32 off;
};

struct exec_bundle {
	u64 reads, writes; /* sets of vector registers */
	u64 signature; /* the static part of its value (core/signature.h) */
	u32 first; /* operations [first, first + ops) of exec_program.op, by slot */
	u32 control; /* what stands in slot C: an element of exec_program.control */
	u8 ops;
	u8 depth; /* loops that are open */
	u8 closes; /* loops whose body ends with it */
};

struct exec_program {
	struct rondo_machine machine;
	const struct executor *executor;
	void *own; /* what the executor derived */
	struct exec_limits limits; /* of loading */
	u64 charged; /* bytes of the budget, once it is loaded */
	u64 cycles; /* of a whole run; UINT64_MAX if nobody said */
	u64 clear_cycles;
	u32 clear_count;
	struct rondo_range clear[RONDO_CLEAR_RANGES_MAX];
	u32 bundles, ops, entries;
	struct exec_bundle *bundle;
	struct exec_op *op;
	struct rondo_op *control; /* the first is the empty slot */
	struct rondo_entry *entry;
	struct rondo_desc *desc;
	struct rondo_slot *slot;
};

/* exec_load() without what the executor derives. Frees nothing that it made if it fails. */
int exec_decode(struct exec_program *p, const struct rondo_machine *machine, const void *data,
		u64 size, const struct rondo_facts *facts, char why[EXEC_REASON_BYTES]);

/* Whether the load is to end. */
static inline bool exec_load_stopped(const struct exec_program *p)
{
	return p->limits.stop && atomic_load_explicit(p->limits.stop, memory_order_relaxed);
}

static inline const struct rondo_op *exec_control_of(const struct exec_program *p,
						     const struct exec_bundle *b)
{
	return &p->control[b->control];
}

/* Rows of what the row of @op counts in. */
static inline u32 exec_rows_of(const struct exec_program *p, const struct exec_op *op)
{
	return rondo_op_writes_weights(op->op) ? p->machine.lanes : p->machine.acc_rows;
}

/* Whether the operation of slot C waits for transfers or starts one. */
bool exec_uses_dma(const struct rondo_op *control);

/* The loops around an operation, outermost first. */
struct exec_loops {
	u32 depth;
	u64 trips[RONDO_LOOP_DEPTH];
};

/* What @op touches in SRAM in one trip, if anything. */
struct rondo_access exec_access(const struct exec_program *p, const struct exec_op *op);

/* The bytes of SRAM that @op touches in any trip; false if they are out of 64 bits. */
bool exec_sram_hull(const struct exec_program *p, const struct exec_op *op,
		    const struct exec_loops *loops, struct rondo_hull *hull);
/* Likewise the rows of the accumulators or of its weight buffer. */
bool exec_row_hull(const struct exec_program *p, const struct exec_op *op,
		   const struct exec_loops *loops, struct rondo_hull *hull);

/* The value of bundle @b in the signature, as a function of the indices of its loops. */
void exec_bundle_value(const struct exec_program *p, const struct exec_bundle *b,
		       struct rondo_affine *value);

#endif
