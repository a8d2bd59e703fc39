/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Exact device time of a program: a product of max-plus matrices.
 *
 * The rules of time, in cycles. t is the time, E[c][0..3] the ends of the four
 * transfers started last on channel c, the last one first; all E are minus
 * infinity, and t is 0, when the first bundle is reached.
 *
 *	bundle		t += 1
 *	wait c, n	(at most n transfers of c outstanding, n = 0..3), before its bundle:
 *			t = max(t, E[c][n])
 *	start c		in its bundle, after that bundle's waits:
 *			t = max(t, E[c][3])			the channel is full
 *			end = max(t + startup, E[c][0]) + cost
 *			E[c] = end, E[c][0], E[c][1], E[c][2]
 *	empty start c	as start, except that end = E[c][0]
 *
 * So a start that is empty (its `last` loop is at its last trip) counts as one of the
 * transfers of its channel in every respect except the time it takes. Then its bundle
 * takes its cycle. The cost of a descriptor is rondo_dma_cost(). The device time of a
 * replay is the clearing of SRAM plus t after the bundle of halt. Nothing else takes
 * time: all these are linear over (max, +), so a loop is a matrix power.
 *
 * A start may be empty on the last trip of any of the loops around it, so each open loop
 * has a matrix for every combination of "is at its last trip" of the loops that are
 * named by a start inside, up to 2^RONDO_DMA_LOOP_DEPTH.
 */
#ifndef RONDO_CORE_TIMING_H
#define RONDO_CORE_TIMING_H

#include "core/program.h"
#include "spec/machine.h"

enum {
	RONDO_TIME_STATES = 1 + RONDO_DMA_CHANNELS * RONDO_DMA_OUTSTANDING,
	/* One matrix for the program, 2^k for the loop at depth k - 1. */
	RONDO_TIME_MATRICES = (1 << (RONDO_DMA_LOOP_DEPTH + 1)) - 1,
};

/* Times are below this; what reaches it stays there and is no longer exact. */
#define RONDO_TIME_LIMIT (1ll << 60)

/* Row i: the state i after is the maximum over j of at[i][j] + the state j before. */
struct rondo_time_matrix {
	s64 at[RONDO_TIME_STATES][RONDO_TIME_STATES];
};

/*
 * The clock that these functions are told counts executed bundles without stalls; at the
 * end of a loop it jumps over all trips after the first.
 */
struct rondo_time {
	u32 startup;
	u32 depth; /* open loops */
	u32 dma_depth; /* open loops that are known to contain a start or a wait, outermost */
	u32 dma_loops; /* loops of the program that do, so far, one for each combination */
	u32 named; /* set of depths whose last trip makes a start empty */
	u64 counted; /* bundles before this clock are in a matrix */
	/* For each channel, in the innermost loop: */
	u32 newest[RONDO_DMA_CHANNELS]; /* first row of its ring of ends: end_row() in timing.c */
	u32 flying[RONDO_DMA_CHANNELS]; /* at most so many of its transfers have not ended */
	u64 first[RONDO_LOOP_DEPTH]; /* clock of the first bundle of each open loop */
	struct rondo_time_matrix product[RONDO_TIME_MATRICES];
	struct rondo_time_matrix scratch;
};

void rondo_time_init(struct rondo_time *time, const struct rondo_machine *m);

/* A loop opens; its first bundle executes at @clock. At most RONDO_LOOP_DEPTH are open. */
void rondo_time_open(struct rondo_time *time, u64 clock);

/*
 * The innermost loop ends after its first trip at @clock, and its last of @trips at @after.
 * Returns whether that took matrix products.
 */
bool rondo_time_close(struct rondo_time *time, u64 clock, u64 after, u64 trips);

/*
 * The bundle at @clock waits until at most @outstanding transfers of @channel are, or starts
 * one of @cost, empty on the last trip of the loop at depth @last - 1 (0: never). At most
 * RONDO_DMA_LOOP_DEPTH loops are open. Waits come before the start of their bundle.
 */
void rondo_time_wait(struct rondo_time *time, u64 clock, u32 channel, u32 outstanding);
void rondo_time_start(struct rondo_time *time, u64 clock, u32 channel, u64 cost, u32 last);

/* How many matrices a start or a wait in the open loops is applied to. */
u32 rondo_time_combinations(const struct rondo_time *time);

/* Time at the end of the program, whose bundles took @clock; RONDO_TIME_LIMIT: too long. */
u64 rondo_time_end(struct rondo_time *time, u64 clock);

/*
 * Cycles of @desc on its channel without startup: each row of each of its blocks
 * (rondo_dma_blocks_x() and _y()) costs dma_row_cycles + ceil(row_bytes / dma_bytes_per_cycle).
 * At most RONDO_TIME_LIMIT. The descriptor's tiles are in order.
 */
u64 rondo_dma_cost(const struct rondo_machine *m, const struct rondo_desc *desc);

#endif
