/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A group of blocks goes through a list of steps. A step is one operation of one bundle, or a part
 * of it, at the place where it then is, for all blocks of the group; the places are the same in all
 * groups, so they are found once, when the list is made (steps.c).
 */
#ifndef RONDO_EMULATOR_MESH_GROUP_H
#define RONDO_EMULATOR_MESH_GROUP_H

#include "emulator/exec/mesh/mesh.h"

struct mesh_step;
typedef void mesh_step_fn(struct mesh_worker *w, const struct mesh_step *s);

struct mesh_step {
	mesh_step_fn *run;
	const struct exec_op *op;
	const struct rondo_op *mask; /* of mesh_choose() */
	s64 address, row;
	bool aside; /* the result waits for mesh_arrive() */
	bool writes; /* a push writes its row */
};

/* One host thread's share. */
struct mesh_worker {
	struct mesh *m;
	u32 first, count; /* blocks of the group */
	const struct mesh_span *span; /* tiles of each that take part: all of them, or chosen */
	struct mesh_span all[MESH_GROUP_BLOCKS], chosen[MESH_GROUP_BLOCKS];
	u8 *sram[MESH_GROUP_BLOCKS]; /* of the first tile of each */
	u32 *reg[RONDO_VREGS]; /* of the first block, then those of the others */
	/* The local ones; an odd number of blocks, so that they differ in the cache's sets. */
	exec_vreg local[RONDO_VREGS][MESH_GROUP_BLOCKS + 1];
	exec_vreg aside[RONDO_SLOTS_PER_BUNDLE][MESH_GROUP_BLOCKS];
	exec_vreg x[RONDO_LANES_MAX]; /* containers of a push, each in all lanes of its tile */
	struct run run; /* counts work */
	struct exec_result result;
};

/* The step of an operation that computes a result; NULL if it has none. */
mesh_step_fn *mesh_reads(const struct exec_op *op, const struct mesh_op *extra);
/* The step of one of M, W and S that changes something other than registers. */
mesh_step_fn *mesh_changes(const struct exec_op *op, const struct mesh_op *extra);
/* A result that waited aside arrives. */
mesh_step_fn mesh_arrive;
/* The tiles of the step's mask take part from now on; of no mask, all. */
mesh_step_fn mesh_choose;

/*
 * The worker turns to the group of @count blocks from @first on; registers of the set @local are
 * not those of the state.
 */
void mesh_take_group(struct mesh_worker *w, u32 first, u32 count, u64 local);

#endif
