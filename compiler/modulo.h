/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Kernels: perfect loop nests around straight-line code, and their modulo schedules.
 *
 * A kernel does the operations of its body for each point of its nest, one iteration after the
 * other. Its schedule starts an iteration every `interval` bundles; each operation keeps its
 * distance `at` from the start of its iteration. Straight-line code is a kernel of one iteration.
 *
 * A value that is made and used up within an iteration, but lives for longer than the interval,
 * takes several registers in turn. So the kernel is unrolled: iteration i is copy i mod `unroll`,
 * and takes register i mod `copies` of each value.
 */
#ifndef COMPILER_MODULO_H
#define COMPILER_MODULO_H

#include "compiler/mir.h"
#include "spec/machine.h"

struct kernel {
	const struct mir_item *op; /* the body: MIR_OP items in order */
	int ops;
	int outer; /* loops around the nest: strides before [outer] are not the nest's */
	int dims;
	u64 trips[RONDO_LOOP_DEPTH]; /* of the nest, outermost first, each at least 2 */
	bool paired; /* the second half is the first one for another point; they share no bytes
			written */
};

enum { KERNEL_COPIES_MAX = 16 }; /* registers that one value takes in turn */

/* Iterations of @k. */
u64 kernel_count(const struct kernel *k);

/* How a kernel uses a virtual register. */
enum kernel_use {
	USE_READ, /* comes from outside and stays as it is */
	USE_CARRIED, /* has a register already, and is written: handed from iteration to iteration
		      */
	USE_LOCAL, /* written first, and nobody else's */
	USE_RESULT, /* written first, and needed after the kernel, which has one iteration */
};

/* A virtual register of a kernel. */
struct kernel_value {
	vreg v;
	enum kernel_use use;
	int width; /* registers: 1 or 3 */
	u32 from; /* bundle of the iteration that first touches it */
	u32 read; /* bundle of the last read; from if there is none */
	u32 landed; /* bundle by which all writes have landed; 0 if there are none */
	u32 copies; /* USE_LOCAL: registers that it takes in turn; else 1 */
	int reg[KERNEL_COPIES_MAX]; /* local values and results: numbers of kernel registers */
};

/* A register that a kernel needs for itself: local values whose lives do not meet share it. */
struct kernel_register {
	int width;
	u32 from; /* bundle of the kernel that first touches it */
	u32 read, landed; /* the latest of its values, in bundles of their iteration */
};

struct kernel_schedule {
	u32 interval, unroll;
	u32 *at; /* of each operation */
	u8 *slot; /* of each operation, enum rondo_slot_no */
	struct kernel_value *value;
	int values;
	struct kernel_register reg[RONDO_VREGS];
	int regs;
};

/* What the scheduler needs to know. The width of a virtual register comes from @m. */
struct kernel_context {
	const struct mir *m;
	const struct rondo_machine *machine;
	struct arena *arena;
	/* What a register is that the kernel writes before it reads it. */
	enum kernel_use (*written_first)(const void *arg, vreg v);
	const void *arg;
};

/*
 * Schedules @k so that it takes at most @registers registers for local values and results, at the
 * smallest interval that this, the slots and the recurrences allow. When the unrolled copies do
 * not come out even with the innermost trips, these are cut: *rest is what the caller has to run as
 * another kernel behind (0: nothing), and trips has the others. -EAGAIN: so few registers do not
 * suffice; -ENOMEM.
 */
int kernel_schedule(const struct kernel_context *c, struct kernel *k, int registers,
		    struct kernel_schedule *s, u64 *rest);

#endif
