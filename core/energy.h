/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Activity and energy of one replay: static sums over the program, each bundle times the
 * trips of the loops around it. In integers (picojoules are summed in femtojoules), so that
 * the kernel can do it. Programs are accepted ones; counts saturate at 2^64 - 1.
 */
#ifndef RONDO_CORE_ENERGY_H
#define RONDO_CORE_ENERGY_H

#include "core/program.h"

/* Counted for all tiles that take part. */
struct rondo_activity {
	u64 bundles; /* executed */
	/*
	 * Bundles fetched from outside. A loop whose body fits the loop buffer fetches it
	 * once for each time that it is entered; the buffer replays the others.
	 */
	u64 fetched;
	u64 macs_f32, macs_bf16, macs_s8; /* of the matrix unit */
	u64 vector_lanes; /* lane operations of the vector ALUs and of requantise */
	u64 sram_read, sram_written; /* bytes, by slots L, S, W, M and DMA */
	u64 sram_cleared; /* bytes, before the first bundle: they belong to no part of the text */
	u64 dma_in, dma_out; /* bytes between slots and SRAM; a block to many tiles counts once */
	u64 mesh_hops; /* bytes times links between neighbours crossed */
};

struct rondo_energy {
	u64 compute_fj; /* MACs and vector lanes, femtojoules */
	u64 movement_fj; /* SRAM, DMA, mesh, bundle fetches */
};

/* A walk over the text. Any part of it may be counted, so that layers can be told apart. */
struct rondo_counter {
	const struct rondo_machine *machine;
	const struct rondo_program *program;
	u32 next; /* bundle */
	u32 depth; /* open loops */
	struct {
		u32 last; /* bundle of the body */
		u64 trips;
		u64 executed; /* times that each bundle of the body is, in a replay */
		u64 fetched;
	} loop[RONDO_LOOP_DEPTH];
};

/* @machine and @program must outlive *@c. */
void rondo_counter_init(struct rondo_counter *c, const struct rondo_machine *machine,
			const struct rondo_program *program);

/* Adds the activity of the next @bundles; returns whether there are more. */
bool rondo_counter_step(struct rondo_counter *c, u32 bundles, struct rondo_activity *activity);

/*
 * Counts one replay of the whole program on *@m, before which @cleared bytes of each tile's SRAM
 * are cleared (rondo_cleared_bytes() of what the verifier found).
 */
void rondo_count_activity(const struct rondo_machine *m, const struct rondo_program *p, u32 cleared,
			  struct rondo_activity *activity);

/* The energy of @activity by the table of spec/energy.def; see there for sources and error. */
struct rondo_energy rondo_energy_of(const struct rondo_machine *m,
				    const struct rondo_activity *activity);

#endif
