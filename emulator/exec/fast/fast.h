/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The fast executors, one for each instruction set of the host: for machines of one tile of 64
 * lanes, and programs that the verifier accepted.
 *
 * A program becomes a tree of loops whose bundles are lists of operations on wide host vectors,
 * every operand resolved. Addresses are stepped from trip to trip. In innermost loops pushes run as
 * blocked matrix products, and loads, operations and stores as one. The signature is computed in
 * closed form for whole lists and innermost loops. Since the verifier has proved hazards and races
 * absent, nothing is checked during the run except the channels' time; what could leave the
 * machine's memory is refused at load, whatever the verifier said. Bits and cycles are those of the
 * plain executor, which also takes the runs that ask for checks, and those whose bound is below the
 * cycles that the program is known to take.
 */
#ifndef RONDO_EMULATOR_FAST_H
#define RONDO_EMULATOR_FAST_H

#include "emulator/exec/plain/plain.h"

enum {
	/* Registers behind the machine's own: where a result of a bundle waits for its readers. */
	FAST_TEMPORARIES = 6,
	FAST_REGS = RONDO_VREGS + FAST_TEMPORARIES,
	FAST_CORRECTIONS = 16,
	FAST_ROW_BYTES = RONDO_LANES_MAX * 4,
	FAST_BLOCK = 12, /* pushes of a loop that run as one product, if others follow them */
	FAST_BODY_MAX = 128, /* operations of a loop's body that are looked at in pairs */
	FAST_REGISTER = RONDO_ENTRIES_MAX, /* no entry: the operand is in its register */
};

/*
 * A weight buffer. A row that was loaded by wl_w is containers; one that was loaded by wl_s8
 * or wl_u8 is, in the place of each weight w, the signed byte w - offset[row]: a weight has
 * 9 bits because one zero point is subtracted from a whole row. A zero row is both.
 */
struct fast_weights {
	_Alignas(64) u8 row[RONDO_LANES_MAX][FAST_ROW_BYTES];
	s32 offset[RONDO_LANES_MAX];
	u64 containers, bytes, shifted; /* sets of rows; shifted: whose offset is not zero */
	u64 version; /* counts the loads */
	/* Sums over ranges of rows that kernels need again and again (avx512.c). */
	struct fast_correction {
		u64 version;
		u32 row, count;
		s32 lane[RONDO_LANES_MAX];
	} correction[FAST_CORRECTIONS];
};

/* Where the entry's affine part stands: base + sum of stride times index. */
struct fast_place {
	u32 address, row; /* modulo 2^32 */
};

struct fast;
struct fast_op;
typedef void fast_fn(struct fast *f, const struct fast_op *op);

/*
 * @n pushes of @count containers: push i reads them at @x + i * @x_step bytes, and adds their
 * products with the rows from @row on onto the accumulator row at @acc + i * @acc_step lanes,
 * or writes it. The rows are of the kind that the operation needs.
 */
struct fast_push {
	u32 *acc;
	const u8 *x;
	ptrdiff_t acc_step, x_step;
	struct fast_weights *weights;
	u32 row, count, n;
	bool write;
};

typedef void fast_push_fn(const struct fast_push *push);

/* What an instruction set of the host makes of the operations, by opcode. */
struct fast_variant {
	fast_fn *const *op; /* NULL for slot C, and stores of a row, which are made of two */
	fast_fn *const *whole; /* of 64 elements in one piece; NULL for those that have no own */
	fast_fn *const *fused; /* with loads and a store (struct fast_fusion); NULL: not fused */
	fast_push_fn *const *push; /* NULL for all other operations */
};

/* One operation. Its registers may be temporaries. */
struct fast_op {
	fast_fn *run;
	fast_push_fn *push;
	u32 fusion; /* number, of an operation that may be fused; else 0 */
	bool gaps; /* between the elements in SRAM */
	struct exec_op x;
};

/*
 * How a fused operation differs: operand k (a, b, c) is in SRAM at place entry[k] plus off[k], or
 * in its register. Its result goes to the register, or to SRAM at the operation's own place, or
 * both.
 */
struct fast_fusion {
	u32 off[3];
	u16 entry[3];
	bool to_register, to_sram;
};

/* What a trip of a loop adds to a place, and what all of them take back together. */
struct fast_step {
	u32 entry;
	u32 address, back_address;
	u32 row, back_row;
};

enum fast_kind {
	FAST_OPS, /* bundles one after the other */
	FAST_CONTROL, /* what slot C of a bundle does before the others */
	FAST_LOOP, /* the nodes up to next, again and again */
};

struct fast_node {
	u8 kind; /* enum fast_kind */
	u8 depth; /* of a loop: of its own index */
	bool only_ops; /* of a loop: its body is one node of operations */
	u32 next; /* the node after this one and all inside it */
	u32 bundle, bundles;
	u32 op, ops;
	/* The body of an innermost loop: its first operations, which run in blocks of trips. */
	u32 hoisted;
	u32 brief, briefs; /* run instead of the others in all trips except the last (body.c) */
	u32 step, steps;
	u32 stretch; /* of operations, and of a loop around nothing else */
	u64 trips;
};

struct fast_program {
	u32 nodes, ops, steps, stretches, fusions;
	struct fast_node *node;
	struct fast_op *op;
	struct fast_step *step;
	struct fast_fusion *fusion;
	struct rondo_stretch *stretch; /* what nodes do to the signature */
	u32 acc_lo, acc_hi; /* rows that are touched */
};

struct fast {
	_Alignas(64) exec_vreg vreg[FAST_REGS + 1]; /* stores may read beyond the last lane */
	struct fast_weights weights[2];
	_Alignas(64) u8 scratch[FAST_BLOCK][FAST_ROW_BYTES];
	u64 clock, look; /* cycles so far; and at the next look at control.stop */
	exec_vreg *acc;
	u8 *sram; /* of the plain executor */
	struct run *run;
	const struct fast_fusion *fusion; /* of the program */
	struct fast_place place[RONDO_ENTRIES_MAX];
};

extern const struct executor executor_portable; /* plain C with the compiler's vectors: any host */
#ifdef __x86_64__
extern const struct executor executor_avx2, executor_avx512;
#endif

/* For executors. */
bool fast_suits(const struct rondo_machine *machine);
bool fast_create(struct exec *e);
void fast_destroy(struct exec *e);
int fast_load(struct exec_program *program, const struct fast_variant *variant,
	      char why[EXEC_REASON_BYTES]);
void fast_unload(struct exec_program *program);
void fast_run(struct exec *e, struct run *run);

/*
 * The executor of the instruction set @isa, which the host has if @has, and whose `variant` this
 * file has defined.
 */
#define FAST_EXECUTOR(isa, has)                                                    \
	static bool suits(const struct rondo_machine *machine)                     \
	{                                                                          \
		return fast_suits(machine) && (has);                               \
	}                                                                          \
                                                                                   \
	static int load(struct exec_program *program, char why[EXEC_REASON_BYTES]) \
	{                                                                          \
		return fast_load(program, &variant, why);                          \
	}                                                                          \
                                                                                   \
	const struct executor executor_##isa = {                                   \
		.name = #isa,                                                      \
		.suits = suits,                                                    \
		.create = fast_create,                                             \
		.destroy = fast_destroy,                                           \
		.load = load,                                                      \
		.unload = fast_unload,                                             \
		.run = fast_run,                                                   \
	};

/* FAST_ROW_BYTES of ones for the first @count lanes, then zeros. */
extern const u32 fast_masks[2 * RONDO_LANES_MAX];

static inline const u32 *fast_mask(u32 count)
{
	return fast_masks + RONDO_LANES_MAX - count;
}

static inline u8 *fast_address(struct fast *f, const struct fast_op *op)
{
	return f->sram + (u32)(f->place[op->x.entry].address + op->x.off);
}

/* Operand @k of a fused operation, which is in register @reg or in SRAM. */
static inline const u32 *fast_operand(struct fast *f, const struct fast_fusion *x, u32 k, u8 reg)
{
	u32 entry = x->entry[k];

	if (entry == FAST_REGISTER)
		return f->vreg[reg];
	return (const u32 *)(f->sram + (u32)(f->place[entry].address + x->off[k]));
}

static inline u32 *fast_acc(struct fast *f, const struct fast_op *op)
{
	return f->acc[(u32)(f->place[op->x.entry].row + op->x.row)];
}

/* @op's elements of @size bytes at @at in one piece, and behind them anything, up to 64. */
static inline const u8 *fast_gather(struct fast *f, const struct fast_op *op, const u8 *at,
				    u32 size, u8 *scratch)
{
	if (!op->gaps)
		return at;
	run_gather(&f->run->program->entry[op->x.entry], size, op->x.count, at, scratch);
	return scratch;
}

static inline const u8 *fast_source(struct fast *f, const struct fast_op *op, u32 size)
{
	return fast_gather(f, op, fast_address(f, op), size, f->scratch[0]);
}

/* push.c */

/* One push, and those of the next @n trips of the loop at @depth. */
void fast_push_one(struct fast *f, const struct fast_op *op);
void fast_push_trips(struct fast *f, const struct fast_op *op, u32 depth, u32 n);

/* body.c */

/*
 * Brings those pushes of the @ops operations of an innermost loop to the front that may run
 * in blocks, each for FAST_BLOCK trips, before the others of these trips; returns how many.
 */
u32 fast_hoist(const struct exec_program *p, const struct exec_loops *loops, struct fast_op *op,
	       u32 ops);

/* The others return how many of the @ops operations at @op are left. */

/* Results and the stores of them become one; in part if the load is to end. */
u32 fast_join_stores(const struct exec_program *program, const struct fast_variant *variant,
		     struct fast_op *op, u32 ops);
/* Operands come from SRAM, and registers that another trip writes anew are not written. */
u32 fast_shorten(const struct exec_program *program, const struct exec_loops *loops,
		 const struct fast_variant *variant, struct fast_op *op, u32 ops);

#endif
