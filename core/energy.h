/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Activity and energy of one replay: static sums over the program. In integers
 * (picojoules are summed in femtojoules), so that the kernel can do it.
 */
#ifndef RONDO_CORE_ENERGY_H
#define RONDO_CORE_ENERGY_H

#include "core/program.h"

struct rondo_activity {
	u64 bundles; /* executed */
	u64 fetched; /* bundles fetched from outside; the loop buffer replays the others */
	u64 macs_f32, macs_bf16, macs_s8; /* of the matrix unit */
	u64 vector_lanes; /* lane operations of the vector ALUs and of requantise */
	u64 sram_read, sram_written; /* bytes, by slots L, S, W, M and DMA */
	u64 dma_in, dma_out; /* bytes between slots and SRAM */
	u64 mesh_hops; /* bytes times tiles crossed */
};

struct rondo_energy {
	u64 compute_fj; /* MACs and vector lanes, femtojoules */
	u64 movement_fj; /* SRAM, DMA, mesh, bundle fetches */
};

/* Counts one replay of an accepted program on *@m; saturates at 2^64-1. */
void rondo_count_activity(const struct rondo_machine *m, const struct rondo_program *p,
			  struct rondo_activity *activity);

/* The energy of @activity by the table of spec/energy.def; see there for sources and error. */
struct rondo_energy rondo_energy_of(const struct rondo_machine *m,
				    const struct rondo_activity *activity);

#endif
