/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the verifier knows, and how its files share it. Callers see core/verify.h only.
 *
 *	verify.c	the driver: tables, then each bundle once, then the verdict
 *	verify_tables.c	slots, address entries, descriptors
 *	verify_loops.c	the loop stack and the clock
 *	verify_regs.c	hazards of vector registers
 *	verify_sram.c	bounds of affine accesses
 *	verify_dma.c	starts and waits, extents of the slots
 *	verify_scan.c	what a loop's body leaves outstanding, before its first trip
 *	verify_flight.c	the transfers that may be outstanding
 *	verify_race.c	whether two affine accesses may touch one byte
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
	u64 clock;
	u32 bundle;
};

struct rondo_loop {
	u32 first, last; /* bundles of the body */
	u32 steps; /* trips - 1: the largest index */
	u64 trips_product; /* of this loop and all around it; < 2^63 */
	u64 clock; /* at the first bundle */
	u64 written, touched; /* sets of registers */
	struct rondo_touch touch[RONDO_VREGS]; /* of the touched registers */
};

struct rondo_registers {
	u64 defined; /* set of registers that have been written in all tiles */
	u64 masked; /* set of those that have only been written under masks */
	struct rondo_tiles tiles[RONDO_VREGS]; /* of the masked: the mask of the last write */
	u64 flying; /* superset of those in flight */
	u64 land[RONDO_VREGS]; /* of the flying: first clock at which it may be touched */
};

/*
 * A transfer that is outstanding if the indices of the open DMA loops are in a box. Its
 * addresses are those of its descriptor, with the constants below instead of the bases and
 * the indices of the outermost @depth open loops only, modulo 2^64 in the slot and 2^32 in
 * SRAM: an index of 0 may be outside of the box, and the address there of any size.
 */
struct rondo_transfer {
	u64 slot;
	u32 sram;
	u32 lo, hi; /* bytes of SRAM over the box */
	u32 from[RONDO_DMA_LOOP_DEPTH], to[RONDO_DMA_LOOP_DEPTH]; /* indices, inclusive */
	u16 desc;
	u8 position; /* transfers of its channel that were started later */
	u8 depth;
};

/* See verify_flight.c for the number. */
enum { RONDO_TRANSFERS = 34 };

struct rondo_channel {
	u32 count;
	struct rondo_transfer at[RONDO_TRANSFERS];
};

/* A transfer that a trip of a loop leaves outstanding; as struct rondo_transfer. */
struct rondo_tail {
	u64 slot;
	u32 sram;
	u16 desc;
	u8 position;
	u8 last; /* as in the operation: it is empty on the last trip of that loop */
};

/* What one trip of a loop does to a channel. */
struct rondo_trip {
	u32 starts; /* at most RONDO_DMA_OUTSTANDING, which stands for more */
	u32 keeps; /* of the transfers outstanding before it, the newest are so after it */
	u32 count;
	struct rondo_tail tail[RONDO_DMA_OUTSTANDING];
};

/* The scan of the text of a loop that is about to be entered. */
struct rondo_scan {
	u32 next; /* bundle */
	u32 base; /* depth of the outermost loop that is scanned */
	u32 depth; /* open loops */
	bool dma; /* a start or a wait has been seen */
	struct {
		u32 last, steps;
	} loop[RONDO_DMA_LOOP_DEPTH];
};

/* Bytes of SRAM: ranges in ascending order, with gaps between them. */
struct rondo_ranges {
	u32 count;
	struct rondo_range at[RONDO_CLEAR_WRITTEN_MAX];
};

/* Depth of a comb that is complete, whatever loops are open. */
enum { RONDO_COMB_COMPLETE = RONDO_LOOP_DEPTH };

struct rondo_comb_dim {
	s64 stride; /* > block of the comb, ascending */
	u32 steps;
};

/*
 * Bytes that loops write: block bytes at lo plus every multiple 0..steps of each stride.
 * Without dimensions that is one range.
 */
struct rondo_comb {
	s64 lo;
	s64 block;
	u32 depth; /* of the loop at whose end the comb is complete */
	u32 dims;
	struct rondo_comb_dim dim[RONDO_CLEAR_COMB_DIMS];
};

struct rondo_clearing {
	struct rondo_ranges written; /* certainly, at the current bundle; or cleared */
	struct rondo_ranges clear; /* at most RONDO_CLEAR_RANGES_MAX */
	u32 combs;
	u32 replace; /* the next to be forgotten, modulo RONDO_CLEAR_COMBS_MAX */
	struct rondo_comb comb[RONDO_CLEAR_COMBS_MAX];
};

/* Extents of a slot so far; lo > hi: none. */
struct rondo_extent {
	u64 read_lo, read_hi, write_lo, write_hi;
};

enum rondo_verify_phase {
	RONDO_VERIFY_TABLES,
	RONDO_VERIFY_BUNDLES,
	RONDO_VERIFY_SCAN, /* of the loop that the bundle before opens */
	RONDO_VERIFY_DONE,
};

struct rondo_verify {
	struct rondo_verdict verdict;
	struct rondo_facts facts;

	struct rondo_machine machine;
	struct rondo_program program;
	u64 budget;
	bool measure; /* claims are not compared */
	u8 phase; /* enum rondo_verify_phase */
	u32 next; /* entry, descriptor or bundle to look at */
	u32 work; /* bundles' worth of work left in this step */

	u64 clock; /* executed bundles before the current one, first trips of open loops */
	u32 depth; /* open loops */
	struct rondo_loop loop[RONDO_LOOP_DEPTH];
	struct rondo_registers regs;
	u32 dma_depth; /* open loops that contain a start or a wait: the outermost ones */
	u32 outstanding; /* transfers of all channels */
	u64 dma_work; /* so far, of RONDO_DMA_WORK_MAX units */
	struct rondo_channel channel[RONDO_DMA_CHANNELS];
	struct rondo_scan scan;
	struct rondo_trip trip[RONDO_DMA_LOOP_DEPTH][RONDO_DMA_CHANNELS]; /* as scanned */
	struct rondo_clearing clearing;
	struct rondo_extent extent[RONDO_PROGRAM_SLOTS_MAX];
	struct rondo_bundle bundle; /* decoded */
	struct rondo_tiles tiles; /* that take part in the current bundle */
	bool all_tiles; /* they are all */
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

/* verify_flight.c: the transfers that may be outstanding, at each point of the text. */
void rondo_flight_wait(struct rondo_verify *v, u32 channel, u32 outstanding);
/* A transfer is started on @channel, maybe an empty one. */
void rondo_flight_push(struct rondo_verify *v, u32 channel);
/*
 * *t becomes what a start of @desc moves, with indices 0..@steps of the open loops; its bounds
 * have been checked. It is then the newest of its channel.
 */
void rondo_flight_new(const struct rondo_verify *v, u32 desc, const u32 *steps,
		      struct rondo_transfer *t);
void rondo_flight_start(struct rondo_verify *v, u32 channel, const struct rondo_transfer *t);
/* Its addresses at the indices @at of the open loops, which are in its box; without tiles. */
s64 rondo_flight_sram(const struct rondo_verify *v, const struct rondo_transfer *t, const u32 *at);
s64 rondo_flight_slot(const struct rondo_verify *v, const struct rondo_transfer *t, const u32 *at);
/* The loops from the scan's base on, now scanned, are entered. The innermost loop ends. */
void rondo_flight_enter(struct rondo_verify *v);
void rondo_flight_leave(struct rondo_verify *v);

/* verify_race.c: adds @units; false if that is more than the limit. */
bool rondo_dma_work(struct rondo_verify *v, u32 units);
/* DMA_RACE, DMA_SLOT_RACE, DMA_WORK. */
u32 rondo_race_access(struct rondo_verify *v, const struct rondo_access *access,
		      const struct rondo_hull *hull, bool write);
u32 rondo_race_start(struct rondo_verify *v, u32 channel, const struct rondo_transfer *t);

/* verify_clear.c: hulls and combs are inside SRAM. */
void rondo_clear_read(struct rondo_verify *v, const struct rondo_hull *hull);
/* Whether all of @hull is known to be written or cleared. */
bool rondo_clear_knows(const struct rondo_verify *v, const struct rondo_hull *hull);
/*
 * A comb to be written: begun with its block, given its dimensions, then added. A comb that
 * cannot take a dimension, for it has too many, has no block any more and adds nothing.
 */
void rondo_comb_begin(struct rondo_comb *comb, s64 lo, s64 block);
void rondo_comb_extend(struct rondo_comb *comb, s64 stride, u32 steps);
/* As rondo_comb_extend(), by the loop at @depth. */
void rondo_comb_loop(struct rondo_comb *comb, s64 stride, u32 steps, u32 depth);
void rondo_clear_written(struct rondo_verify *v, struct rondo_comb *comb);
/* The innermost loop, at @depth, ends. */
void rondo_clear_loop_end(struct rondo_verify *v, u32 depth);
/* Fills in facts.clear; returns the cycles it takes. */
u64 rondo_clear_finish(struct rondo_verify *v);

#endif
