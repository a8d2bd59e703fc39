/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The plain executor: every bundle does what spec/isa.def says, in order, and
 * time is counted by stepping the DMA events one by one. Nothing is clever, so
 * that it can be the oracle of everything that is.
 */
#ifndef RONDO_EMULATOR_EXEC_PLAIN_H
#define RONDO_EMULATOR_EXEC_PLAIN_H

#include "emulator/exec/plain/operations.h"
#include "emulator/exec/run/run.h"

enum {
	/* Larger machines are left to the mesh executor: this one would take an hour. */
	PLAIN_TILES_MAX = 128,
	/*
	 * Where SRAM begins in the host, and bytes behind it that belong to nobody: the fast
	 * executor reads whole registers.
	 */
	PLAIN_SRAM_ALIGN = 64,
	PLAIN_SRAM_PAD = 4 * RONDO_LANES_MAX,
};

/* Where an operation with an address entry is, in all tiles; it has one or both. */
struct plain_place {
	s64 address, row;
};

/* What a bundle's slots will write in one tile when all have read. */
struct plain_results {
	exec_vreg reg[RONDO_SLOTS_PER_BUNDLE]; /* by slot */
	const struct exec_op *store;
	u8 stored[RONDO_LANES_MAX * 4];
};

struct plain_tile {
	exec_vreg vreg[RONDO_VREGS];
	struct weight_row weight[2][RONDO_LANES_MAX];
	exec_vreg *acc;
	u8 *sram;
	u64 written; /* set of registers */
	struct plain_results results;
};

/* The state of a machine. */
struct plain {
	struct rondo_machine machine;
	const struct push_kernels *push;
	u8 latency[RONDO_OPCODES];
	u32 tiles;
	struct plain_tile *tile; /* tile (x, y) is tile[y * mesh_w + x] */
	exec_vreg *acc; /* of all tiles, as sram */
	u8 *sram;
	size_t sram_stride;
	u8 *shadow;

	struct run *run;
	u32 at; /* the tile that is looked at */
	struct plain_place place[RONDO_SLOTS_PER_BUNDLE]; /* of the bundle, by slot */
	bool flipped; /* control.flip has struck */
	u64 ready[RONDO_VREGS]; /* with checks: first bundle, counted, that may touch a register */
};

extern const struct executor executor_plain;

/* All zero; NULL if memory is short. */
struct plain *plain_create(const struct rondo_machine *machine);
void plain_destroy(struct plain *p); /* NULL is allowed */

/* The tile that is looked at. */
static inline struct plain_tile *plain_tile(struct plain *p)
{
	return &p->tile[p->at];
}

/* tiles.c: what operation @op between tiles gives the tile looked at, from all registers. */
void plain_between_tiles(const struct plain *p, const struct exec_op *op, u32 *d);

#endif
