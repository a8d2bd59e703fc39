/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The machine description: what a program is compiled for and what a device
 * reports. Two machines are the same exactly if these bytes are the same; a
 * program carries their hash (rondo_machine_hash(), core/machine.h).
 */
#ifndef RONDO_SPEC_MACHINE_H
#define RONDO_SPEC_MACHINE_H

#include "spec/limits.h"

#define RONDO_ISA_VERSION 3

/* The f32 weight that is none where a push leaves such weights out: a NaN that no operation gives.
 */
#define RONDO_WEIGHT_ABSENT 0xffffffffu

struct rondo_machine {
	u32 isa_version;
	u16 mesh_w, mesh_h; /* tiles */
	u16 lanes; /* containers of a vector register; weight buffers are lanes x lanes */
	u16 acc_rows; /* accumulator rows of lanes x 32 bit */
	u32 sram_bytes; /* per tile */
	u16 dma_startup; /* cycles from the start of a transfer to its first row */
	u16 dma_row_cycles; /* cycles that each row costs beside its bytes */
	u16 dma_bytes_per_cycle; /* per channel */
	u16 clear_bytes_per_cycle; /* clearing SRAM before a replay */
	u16 mesh_latency; /* added to the mesh side for broadcasts and reductions */
	u16 loop_buffer; /* bundles; a loop body up to this long is fetched once (energy only) */
	u32 bundles_max; /* RONDO_BUNDLES_MAX on every machine: a longer program is none */
	u32 clock_khz; /* nominal */
	u32 reserved[7]; /* zero */
};

static_assert(sizeof(struct rondo_machine) == 64, "layout of struct rondo_machine");

#endif
