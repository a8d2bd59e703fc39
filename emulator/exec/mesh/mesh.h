/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The mesh executor: machines of many tiles, bits and cycles as the plain one's, for programs that
 * the verifier accepted.
 *
 * All tiles execute one bundle at a time, but they need to be at the same one only where they
 * meet: where an operation reads other tiles' registers, and at waits and starts of transfers.
 * In between, a group of tiles small enough for the host's cache runs through the bundles,
 * or as many of them as fit into a list of steps (steps.c), then the next. The text is cut once, at
 * load, into segments that either are such a stretch, loops and all, or one bundle where tiles
 * meet.
 *
 * State. Tiles that stand side by side in a row of the mesh fill a *block*: their lanes
 * together are RONDO_LANES_MAX, one exec_vreg, so that what a vector operation does to a
 * register of one wide tile it does to those of a whole block (emulator/exec/plain/operations.h).
 * The last block of a row may have fewer tiles; lanes of no tile hold anything.
 *
 *	registers	[RONDO_VREGS + 1][blocks], and accumulator rows [acc_rows][blocks]
 *	weights		[blocks][2][lanes] rows
 *	SRAM		[tiles], of each the window that the program uses, so that what is used
 *			lies close together whatever the size of SRAM is
 *
 * All of it is one reservation of address space in which pages exist once they are touched.
 *
 * Nothing is checked during a run except what keeps the host's memory safe.
 */
#ifndef RONDO_EMULATOR_MESH_H
#define RONDO_EMULATOR_MESH_H

#include <stddef.h>

#include "emulator/exec/host_memory.h"
#include "emulator/exec/plain/plain.h"

enum {
	MESH_GROUP_BLOCKS = 16,
	MESH_GROUP_BYTES = 512 << 10, /* of state that a group may use */
	MESH_STEPS = 8192, /* of a list, which all groups go through */
	MESH_SCRATCH = RONDO_VREGS, /* a register of no program */
	MESH_THREADS = 2,
	MESH_BUNDLE_WORK = 1024, /* of one block, as run_poll() counts it */
};

struct mesh_pool;
struct mesh_worker;
struct mesh_steps;

struct mesh {
	struct rondo_machine machine;
	u32 block_tiles, row_blocks, blocks;
	const struct push_kernels *push;
	alu_fn *const *alu;
	struct mesh_pool *pool;
	struct mesh_worker *worker; /* one for each thread */
	struct mesh_steps *steps;
	struct run_clock clock;

	u8 *memory;
	size_t dirty; /* bytes from its start that may not be zero */
	/* Where what begins in it, and how far one is from the next. */
	size_t acc, weights, sram, bytes;
	size_t reg_stride, weight_stride, sram_stride;
	struct rondo_hull window; /* of a tile's SRAM that is there; only this is, in all tiles */
};

/* What is known of one operation of the program beside its fields. */
struct mesh_op {
	struct rondo_hull hull; /* what it touches in SRAM, from its address */
	bool whole; /* containers for all lanes, one after the other */
	bool direct; /* no other slot of its bundle reads what it writes */
};

struct mesh_segment {
	u32 first, end; /* bundles */
	u32 group; /* blocks; 0: a bundle where tiles meet */
	u64 cycles; /* of one pass, in bundles; UINT64_MAX: too many */
	u64 local; /* set of registers that hold nothing from before it nor for after it */
	struct rondo_stretch stretch; /* what one pass does to the signature */
};

struct mesh_program {
	struct mesh_op *op; /* beside exec_program.op */
	struct mesh_segment *segment;
	u32 *segment_at; /* by the first bundle of each */
	struct rondo_hull window; /* of a tile's SRAM: all that it touches is inside */
	bool dense; /* that is no larger than the pages that it touches */
	u64 tile_bytes; /* of host memory that it may touch, for each tile */
};

extern const struct executor executor_mesh;

/* Bytes from one tile's SRAM to the next, of which each has @window. */
size_t mesh_sram_stride(const struct rondo_hull *window);
/* Bytes of address space that a machine's state reserves. */
u64 mesh_reservation(const struct rondo_machine *machine);

/* load.c: cuts the program into segments; -ENOMEM too if the host has too little memory for it. */
int mesh_load(struct exec_program *p, char why[EXEC_REASON_BYTES]);
void mesh_unload(struct exec_program *p);

/*
 * Whether a program that touches @tile_bytes in each tile of @machine fits into @host; else
 * false, and what it needs and what would fit in @why.
 */
bool mesh_fits(const struct rondo_machine *machine, u64 tile_bytes, const struct host_memory *host,
	       char why[EXEC_REASON_BYTES]);

/* live.c: registers that are read before they are written again, as sets. */

/*
 * Those after each bundle, into @after, which is zero. It ends early if the load is to end. False
 * if memory is short.
 */
bool mesh_live(const struct exec_program *p, u64 *after);
/* Those before bundle @at, if @after are those after it. */
u64 mesh_live_before(const struct exec_program *p, u32 at, u64 after);

/* steps.c */

/* What the threads of the pool work with. */
bool mesh_create_workers(struct mesh *m);
void mesh_destroy_workers(struct mesh *m);
/* At most so many steps of a list are those of one @b. */
u32 mesh_steps_of(const struct exec_bundle *b);

/*
 * Runs bundles [@first, @end) from where @run stands on all blocks, @group at a time, without what
 * their slot C does and without operations between tiles. Registers of the set @local are not
 * those of the state. False if the run ended.
 */
bool mesh_run_groups(struct mesh *m, struct run *run, u32 first, u32 end, u32 group, u64 local);

/* move.c */

/* Operation @op between tiles, from its register to register @dst, which is another. */
void mesh_move(struct mesh *m, const struct exec_op *op, u32 dst);
/* Copies register @from to @to in the tiles of @mask, or in all if it is no mask operation. */
void mesh_copy(struct mesh *m, u32 from, u32 to, const struct rondo_op *mask);

/* pool.c */

struct mesh_pool *mesh_pool_create(u32 threads);
void mesh_pool_destroy(struct mesh_pool *pool); /* NULL is allowed */
/*
 * Calls fn(ctx, thread, from, to) once in each of the pool's threads, which share 0..@count - 1
 * between them, and returns when all have; with little to do, only in this one.
 */
typedef void mesh_part_fn(void *ctx, u32 thread, u32 from, u32 to);
void mesh_share(struct mesh_pool *pool, u32 count, mesh_part_fn *fn, void *ctx);

/* State. */

/* Register @reg of block @block and those after it; accumulator rows likewise. */
static inline u32 *mesh_reg(const struct mesh *m, u32 reg, u32 block)
{
	return (u32 *)(m->memory + reg * m->reg_stride) + (size_t)block * RONDO_LANES_MAX;
}

static inline u32 *mesh_acc(const struct mesh *m, u32 row, u32 block)
{
	return (u32 *)(m->memory + m->acc + row * m->reg_stride) + (size_t)block * RONDO_LANES_MAX;
}

static inline struct weight_row *mesh_weights(const struct mesh *m, u32 block, u32 buf, u32 row)
{
	return (struct weight_row *)(m->memory + m->weights + block * m->weight_stride) +
	       buf * m->machine.lanes + row;
}

/* Where address 0 in SRAM of the tile at (@x, @y) is, or would be if the window held it. */
static inline u8 *mesh_sram(const struct mesh *m, u32 x, u32 y)
{
	return m->memory + m->sram - m->window.lo +
	       ((size_t)y * m->machine.mesh_w + x) * m->sram_stride;
}

/* Tiles [lo, hi) of a block. */
struct mesh_span {
	u32 lo, hi;
};

/* The tiles of @block that take part under @mask, if that is a mask operation. */
static inline struct mesh_span mesh_span(const struct mesh *m, u32 block,
					 const struct rondo_op *mask)
{
	u32 x = block % m->row_blocks * m->block_tiles, y = block / m->row_blocks;
	u32 tiles = m->machine.mesh_w - x, lo, hi;

	if (tiles > m->block_tiles)
		tiles = m->block_tiles;
	if (!mask || mask->op != RONDO_OP_mask)
		return (struct mesh_span){ 0, tiles };
	lo = mask->x0 > x ? mask->x0 - x : 0;
	hi = mask->x1 + 1u > x ? mask->x1 + 1u - x : 0;
	hi = hi < tiles ? hi : tiles;
	return y >= mask->y0 && y <= mask->y1 && lo < hi ? (struct mesh_span){ lo, hi } :
							   (struct mesh_span){ 0, 0 };
}

#endif
