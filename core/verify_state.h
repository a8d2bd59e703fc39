/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the verifier knows, and how its files share it. Callers see core/verify.h only.
 *
 * Threat: everything in a program is the choice of someone who wants to escape from the device.
 * So nothing here is taken from the program before it has been compared with a limit; indices
 * into these arrays are depths, channels, registers and slots that have been. Each file opens with
 * what it defends against, how, and the invariant that its functions keep.
 *
 *	verify.c	the driver: tables, then each bundle once, then the verdict
 *	verify_tables.c	slots, address entries, descriptors
 *	verify_loops.c	the loop stack and the clock
 *	verify_regs.c	hazards of vector registers
 *	verify_sram.c	bounds of affine accesses
 *	verify_dma.c	starts and waits, extents of the slots
 *	verify_scan.c	what a loop's body leaves outstanding, before its first trip
 *	verify_outstanding.c	the transfers that may be outstanding
 *	verify_race.c	whether an access and a transfer, or two transfers, may touch one byte
 *	verify_clear.c	SRAM that may be read before it is written
 *
 * Functions that return u32 return a number of spec/errors.def, 0 if all is well; they set
 * verdict.index and verdict.slot where the fault is not at the bundle and slot looked at.
 */
#ifndef RONDO_CORE_VERIFY_STATE_H
#define RONDO_CORE_VERIFY_STATE_H

#include "core/affine.h"
#include "core/codec.h"
#include "core/signature.h"
#include "core/tiles.h"
#include "core/timing.h"
#include "core/verify.h"

/* The clock counts executed bundles; beyond this a program is refused, whatever the budget. */
#define RONDO_CLOCK_LIMIT (1ull << 60)

/* What the matrix products at the end of a loop cost, in bundles. */
enum { RONDO_WORK_MATRICES = 512 };

/* First touch of a register in the first trip of a loop. */
struct rondo_touch {
	u64 clock; /* when, to be compared with the landing of what the trip before wrote */
	u32 bundle; /* where, for the verdict */
};

/* An open loop. */
struct rondo_loop {
	u32 first, last; /* bundles of the body: where it ends, and what must nest inside it */
	u32 steps; /* trips - 1: the largest index, up to which hulls extend */
	u64 trips_product; /* of this loop and all around it; < 2^63, so that counts fit */
	u64 clock; /* at the first bundle: the length of a trip is known where it ends */
	u64 written; /* set of registers that the body writes: what a back edge may bring along */
	u64 touched; /* set of registers that the body reads or writes: which `touch` are valid */
	struct rondo_touch touch[RONDO_VREGS];
};

struct rondo_registers {
	u64 defined; /* set of registers that have been written in all tiles: anyone may read them
		      */
	u64 masked; /* set of those that have been written under a mask */
	struct rondo_tiles
		tiles[RONDO_VREGS]; /* of the masked: the last mask, which may read them */
	u64 flying; /* superset of those in flight, so that most checks look at no clock */
	u64 land[RONDO_VREGS]; /* of the flying: first clock at which it may be touched */
};

/*
 * A transfer that is outstanding if the indices of the open DMA loops are in a box. Its
 * addresses are those of its descriptor, with the constants below instead of the bases and
 * the indices of the outermost @depth open loops only, modulo 2^64 in the slot and 2^32 in
 * SRAM: an index of 0 may be outside of the box, and the address there of any size.
 */
struct rondo_transfer {
	u64 slot; /* address in the slot at indices 0 */
	u32 sram; /* address in SRAM at indices 0 */
	u32 lo, hi; /* hull of its bytes of SRAM over the box: most accesses are apart from it */
	u32 from[RONDO_DMA_LOOP_DEPTH], to[RONDO_DMA_LOOP_DEPTH]; /* the box, inclusive */
	u16 desc; /* its descriptor, which has its strides */
	u8 position; /* transfers of its channel that were started later: which wait ends it */
	u8 depth; /* open loops whose indices move it; for inner ones it is a constant */
};

/* The most on a channel: see verify_outstanding.c. */
enum { RONDO_TRANSFERS = 34 };

struct rondo_channel {
	u32 count;
	struct rondo_transfer at[RONDO_TRANSFERS];
};

/* A transfer that a trip of a loop leaves outstanding; as struct rondo_transfer. */
struct rondo_left {
	u64 slot;
	u32 sram;
	u16 desc;
	u8 position;
	u8 last; /* as in the operation: it is empty on the last trip of that loop */
};

/* What one trip of a loop does to a channel. */
struct rondo_trip {
	u32 starts; /* by how much it moves positions; RONDO_DMA_OUTSTANDING stands for more */
	u32 keeps; /* so many of the newest transfers from before it are outstanding after it */
	u32 count; /* of those that it starts and does not end */
	struct rondo_left left[RONDO_DMA_OUTSTANDING];
};

/* The scan of the text of a loop that is about to be entered. */
struct rondo_scan {
	u32 next; /* bundle: a step may end in the middle of a scan */
	u32 base; /* depth of the outermost loop that is scanned */
	u32 depth; /* loops open in the scan */
	bool dma; /* a start or a wait has been seen; without one nothing changes */
	struct {
		u32 last, steps; /* as in struct rondo_loop */
	} loop[RONDO_DMA_LOOP_DEPTH];
};

/* Bytes of SRAM: ranges in ascending order, with gaps between them. */
struct rondo_ranges {
	u32 count;
	struct rondo_range at[RONDO_CLEAR_WRITTEN_MAX];
};

/* Depth of a strided set that is complete, whatever loops are open. */
enum { RONDO_STRIDED_COMPLETE = RONDO_LOOP_DEPTH };

struct rondo_strided_dim {
	s64 stride; /* greater than the block, ascending: smaller ones have been joined to it */
	u32 steps;
};

/*
 * A strided interval set, of bytes that loops write: block bytes at lo plus every multiple
 * 0..steps of each stride. Without dimensions that is one interval.
 */
struct rondo_strided {
	s64 lo;
	s64 block; /* 0: it had too many dimensions, and stands for nothing */
	u32 depth; /* of the loop at whose end all its bytes have been written */
	u32 dims;
	struct rondo_strided_dim dim[RONDO_CLEAR_SET_DIMS];
};

struct rondo_clearing {
	struct rondo_ranges written; /* bytes that are certainly written by now, or cleared */
	struct rondo_ranges clear; /* bytes to be cleared; at most RONDO_CLEAR_RANGES_MAX ranges */
	u32 sets; /* strided sets that are not complete, or have gaps */
	u32 replace; /* the next of them to be forgotten, modulo RONDO_CLEAR_SETS_MAX */
	struct rondo_strided set[RONDO_CLEAR_SETS_MAX];
};

/* Bytes of a slot that starts touch so far, [lo, hi); lo == hi: none. */
struct rondo_extent {
	u64 read_lo, read_hi, write_lo, write_hi;
};

enum rondo_verify_phase {
	RONDO_VERIFY_TABLES,
	RONDO_VERIFY_BUNDLES,
	RONDO_VERIFY_SCAN, /* of the loop that the bundle before opens */
	RONDO_VERIFY_DONE,
};

/* All that is known between two steps, so that a step may end anywhere. */
struct rondo_verify {
	struct rondo_verdict verdict; /* its place is kept up to date, its code set once */
	struct rondo_facts facts; /* valid where the verdict is good */

	/* What the caller said. The machine is a copy: the caller's may change. */
	struct rondo_machine machine;
	struct rondo_program program; /* tables, in the caller's bytes */
	u8 entry_loops[RONDO_ENTRIES_MAX]; /* how many loops must be open where it is used */
	u64 budget;
	bool measure; /* claims are not compared */

	/* Where the pass is. */
	u8 phase; /* enum rondo_verify_phase */
	u32 next; /* row of the tables, or bundle, to look at */
	u32 work; /* bundles' worth of work left in this step: each takes bounded time */

	/* The walk: verify_loops.c, verify_regs.c. */
	u64 clock; /* bundles executed before the current one, in the first trips of open loops */
	u32 depth; /* open loops */
	struct rondo_loop loop[RONDO_LOOP_DEPTH];
	struct rondo_registers regs;

	/* Transfers: verify_scan.c, verify_outstanding.c, verify_race.c. */
	u32 dma_depth; /* open loops that contain a start or a wait: the outermost ones */
	u32 outstanding; /* transfers in all lists: if there are none, no access races */
	u64 dma_work; /* units spent so far, of RONDO_DMA_WORK_MAX: proofs take bounded time */
	struct rondo_channel channel[RONDO_DMA_CHANNELS];
	struct rondo_scan scan;
	struct rondo_trip trip[RONDO_DMA_LOOP_DEPTH][RONDO_DMA_CHANNELS]; /* results of scans */

	struct rondo_clearing clearing; /* verify_clear.c */
	struct rondo_extent extent[RONDO_PROGRAM_SLOTS_MAX]; /* compared with the slot table */

	/* The current bundle. */
	struct rondo_bundle bundle; /* decoded once for all checks */
	struct rondo_tiles tiles; /* that take part in it */
	bool all_tiles; /* those are all of the mesh */

	/* What is computed along, each from the same walk: core/timing.h, core/signature.h. */
	struct rondo_time time;
	struct rondo_signature_text signature;
};

static_assert(sizeof(struct rondo_verify) <= RONDO_VERIFY_BYTES, "room that callers give");

/* verify_tables.c: item @index of all tables in their order; counts them. */
u32 rondo_verify_table_items(const struct rondo_verify *v);
u32 rondo_verify_table_item(struct rondo_verify *v, u32 index);

/* verify_loops.c: after the bundle's own operations and its tick of the clock. */
u32 rondo_verify_open_loops(struct rondo_verify *v, const struct rondo_op *op);
u32 rondo_verify_close_loops(struct rondo_verify *v);

/* verify.c: takes @bundles' worth of work from this step. */
void rondo_verify_charge(struct rondo_verify *v, u32 bundles);

/* verify_regs.c: all slots of the decoded bundle. */
u32 rondo_verify_registers(struct rondo_verify *v);
/* The innermost loop ends its first trip; its last ends @skipped cycles later. */
u32 rondo_verify_back_edge(struct rondo_verify *v, u64 skipped);

/* verify_sram.c: bounds and races of one operation of slots L, S, W or M. */
u32 rondo_verify_access(struct rondo_verify *v, const struct rondo_op *op);

/* verify_dma.c */
u32 rondo_verify_waits(struct rondo_verify *v, const struct rondo_op *op);
u32 rondo_verify_start(struct rondo_verify *v, const struct rondo_op *op);

/*
 * verify_scan.c: scans the body of the loops from depth @base on, which are opened by the
 * bundle v->next; if more loops are open than may contain a start, nothing is scanned.
 */
void rondo_scan_begin(struct rondo_verify *v, u32 base);
/* Scans one bundle; returns whether there are more. */
bool rondo_scan_bundle(struct rondo_verify *v);
/* Whether a transfer that @position others of its channel follow outlasts @trips more. */
bool rondo_trip_keeps(const struct rondo_trip *trip, u32 position, u64 trips);

/* verify_outstanding.c: the transfers that may be outstanding, at each point of the text. */
void rondo_outstanding_wait(struct rondo_verify *v, u32 channel, u32 outstanding);
/* A transfer is started on @channel, maybe an empty one. */
void rondo_outstanding_push(struct rondo_verify *v, u32 channel);
/*
 * *t becomes what a start of @desc moves, with indices 0..@steps of the open loops; its bounds
 * have been checked. It is then the newest of its channel.
 */
void rondo_outstanding_new(const struct rondo_verify *v, u32 desc, const u32 *steps,
			   struct rondo_transfer *t);
void rondo_outstanding_start(struct rondo_verify *v, u32 channel, const struct rondo_transfer *t);
/* Its addresses at the indices @at of the open loops, which are in its box; without tiles. */
s64 rondo_outstanding_sram(const struct rondo_verify *v, const struct rondo_transfer *t,
			   const u32 *at);
s64 rondo_outstanding_slot(const struct rondo_verify *v, const struct rondo_transfer *t,
			   const u32 *at);
/* The loops from the scan's base on, now scanned, are entered. The innermost loop ends. */
void rondo_outstanding_enter(struct rondo_verify *v);
void rondo_outstanding_leave(struct rondo_verify *v);

/* verify_race.c: adds @units; false if that is more than the limit. */
bool rondo_dma_work(struct rondo_verify *v, u32 units);
/* DMA_RACE, DMA_SLOT_RACE, DMA_WORK. */
u32 rondo_race_access(struct rondo_verify *v, const struct rondo_access *access,
		      const struct rondo_hull *hull, bool write);
u32 rondo_race_start(struct rondo_verify *v, u32 channel, const struct rondo_transfer *t);

/* verify_clear.c: hulls and strided sets are inside SRAM. */
void rondo_clear_read(struct rondo_verify *v, const struct rondo_hull *hull);
/* Whether all of @hull is known to be written or cleared. */
bool rondo_clear_knows(const struct rondo_verify *v, const struct rondo_hull *hull);
/*
 * A strided set to be written: begun with its block, given its dimensions, then added. One with
 * more dimensions than RONDO_CLEAR_SET_DIMS adds nothing.
 */
void rondo_strided_begin(struct rondo_strided *s, s64 lo, s64 block);
void rondo_strided_extend(struct rondo_strided *s, s64 stride, u32 steps);
/* As rondo_strided_extend(), by the loop at @depth. */
void rondo_strided_loop(struct rondo_strided *s, s64 stride, u32 steps, u32 depth);
void rondo_clear_written(struct rondo_verify *v, struct rondo_strided *s);
/* The innermost loop, at @depth, ends. */
void rondo_clear_loop_end(struct rondo_verify *v, u32 depth);
/* Fills in facts.clear; returns the cycles it takes. */
u64 rondo_clear_finish(struct rondo_verify *v);

#endif
