/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reference's state, and how its files share it:
 *
 *	reference.c	the cycle, the loops, the pipelines
 *	slots.c		L, S, W, M of one tile
 *	vector.c	V0 and V1
 *	channels.c	DMA
 *	signature.c	the control path's signature
 *	snapshot.c	saving and restoring
 *
 * Functions that return bool return false if the run ended; r->result says why.
 *
 * The debugger (tools/debug), whose subject this state is, reads it too, and changes nothing.
 */
#ifndef RONDO_EMULATOR_REFERENCE_STATE_H
#define RONDO_EMULATOR_REFERENCE_STATE_H

#include "core/codec.h"
#include "core/tiles.h"
#include "emulator/reference/reference.h"

enum { LANES = RONDO_LANES_MAX };

typedef u32 ref_row[LANES]; /* a register or an accumulator row */

struct ref_tile {
	u32 x, y;
	u8 *sram;
	ref_row vreg[RONDO_VREGS];
	u64 weight[2][LANES][LANES]; /* elements of 36 bits */
	ref_row *acc;
};

/* A result on its way to a register of each tile of a rectangle. */
struct ref_flight {
	u32 left; /* bundles until it has landed; 0: this place is free */
	u32 reg;
	struct rondo_tiles tiles;
	ref_row *value; /* by tile */
};

/* The loops that one operation opened. */
struct ref_nest {
	u32 first, last; /* bundles of the body */
	u32 loops;
	u64 trips[3], index[3]; /* outermost first */
};

/* A transfer from its start to its end. */
struct ref_transfer {
	const struct rondo_desc *desc; /* NULL: an empty start */
	u64 startup; /* cycles left */
	s64 sram, slot; /* addresses of its first row, of tile (0, 0) */
	/* How far it is. */
	u32 i[RONDO_DMA_DIMS];
	u32 x, y; /* whose block: modes tile and columns, tile and rows */
	u32 waited; /* cycles of dma_row_cycles spent on this row */
	u32 moved; /* bytes of this row */
};

struct ref_channel {
	u32 outstanding;
	struct ref_transfer transfer[RONDO_DMA_OUTSTANDING]; /* oldest first */
};

struct reference {
	struct rondo_machine machine;
	u32 tiles;
	struct ref_tile *tile; /* row by row, from the north-west */
	u8 *sram; /* of all tiles */
	ref_row *acc;
	u32 flights;
	struct ref_flight *flight;
	ref_row *values; /* of all flights */

	/* The run. */
	struct rondo_program program;
	const struct exec_io *io;
	u64 bound;
	struct reference_result *result;
	void (*seen)(void *ctx, const struct reference_access *access); /* or NULL */
	void *seen_ctx;
	u64 now; /* cycle */
	u32 at; /* bundle */
	u64 weight; /* of the next bundle in the signature */
	u64 defined; /* set of registers that were ever written */
	u32 nests;
	struct ref_nest nest[RONDO_LOOP_DEPTH];
	struct ref_channel channel[RONDO_DMA_CHANNELS];

	/* The bundle. */
	struct rondo_op op[RONDO_SLOTS_PER_BUNDLE];
	struct rondo_tiles part;
};

__attribute__((format(printf, 3, 4))) bool ref_end(struct reference *r, enum exec_status status,
						   const char *fmt, ...);
#define ref_trap(r, ...) ref_end(r, EXEC_TRAP, __VA_ARGS__)

/* Index of the open loop at @depth, 0 if there is none; and whether that is its last trip. */
u64 ref_loop_index(const struct reference *r, u32 depth);
bool ref_loop_at_last(const struct reference *r, u32 depth);
u32 ref_loop_depth(const struct reference *r);

static inline bool ref_takes_part(const struct rondo_tiles *part, const struct ref_tile *tile)
{
	return tile->x >= part->x0 && tile->x <= part->x1 && tile->y >= part->y0 &&
	       tile->y <= part->y1;
}

static inline struct ref_tile *ref_tile_at(struct reference *r, u32 x, u32 y)
{
	return &r->tile[y * r->machine.mesh_w + x];
}

/* Tells the one who watches. */
static inline void ref_saw(struct reference *r, enum reference_space space, bool write, u32 tile,
			   u32 index, u64 at, u64 count)
{
	if (r->seen)
		r->seen(r->seen_ctx,
			&(struct reference_access){ space, write, tile, index, at, count });
}

static inline u32 ref_tile_number(const struct reference *r, const struct ref_tile *t)
{
	return (u32)(t - r->tile);
}

/* Byte @n of a container. */
static inline s32 ref_s8_byte(u32 x, u32 n)
{
	return (s32)((x >> 8 * n & 0xff) ^ 0x80) - 0x80;
}

static inline s32 ref_u8_byte(u32 x, u32 n)
{
	return (s32)(x >> 8 * n & 0xff);
}

/* slots.c: what one tile's slots will change, once all have read. */
struct ref_changes {
	u32 stores, store_bytes; /* elements, and the size of each */
	s64 store_at[LANES];
	u32 stored[LANES];
	u64 *weight_row; /* NULL: none */
	u64 weight[LANES];
	u32 weight_buf, weight_at;
	u32 *acc_row; /* NULL: none */
	u32 acc_at;
	ref_row acc;
};

bool ref_load(struct reference *r, struct ref_tile *t, const struct rondo_op *op, u32 *d);
bool ref_store(struct reference *r, struct ref_tile *t, const struct rondo_op *op,
	       struct ref_changes *changes);
bool ref_weights(struct reference *r, struct ref_tile *t, const struct rondo_op *op,
		 struct ref_changes *changes);
bool ref_matrix(struct reference *r, struct ref_tile *t, const struct rondo_op *op,
		struct ref_changes *changes);
void ref_change(struct reference *r, struct ref_tile *t, const struct ref_changes *changes);

/* vector.c */
void ref_vector(struct reference *r, const struct ref_tile *t, const struct rondo_op *op, u32 *d);
/* Lane @i of the vector operation of this name on @a, with three parameter registers. */
typedef u32 ref_requantise_fn(u32 a, u32 shift, const ref_row *params, u32 i);
ref_requantise_fn ref_rq_fix_s8, ref_rq_fix_u8, ref_rq_fix_s32, ref_rq_flt_s8, ref_rq_flt_u8,
	ref_rq_f32;

/* signature.c: the bundle at hand executes. */
void ref_sign(struct reference *r);

/* channels.c */
bool ref_may_issue(const struct reference *r, const struct rondo_op *control);
bool ref_start(struct reference *r, const struct rondo_op *op);
/* One cycle passes for all channels. */
bool ref_channels_step(struct reference *r);

#endif
