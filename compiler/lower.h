/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Lowering: from stages and their plans to machine IR. One lower_*.c per kind of stage; lower.c
 * goes through the stages, gives each value its buffer, and collects the constants.
 */
#ifndef COMPILER_LOWER_H
#define COMPILER_LOWER_H

#include "compiler/graph.h"
#include "compiler/map.h"
#include "compiler/mir.h"
#include "compiler/plan.h"
#include "core/verify.h"

#define LOWER_WEIGHTS_MAX (1u << 29) /* bytes of constants in a program */

enum { LOWER_SCALARS_MAX = 1024 }; /* that nodes share; more are the constants of each node */

/* A value in SRAM, or outside of it. */
struct operand_at {
	mir_buf buf; /* MIR_NO_BUF: it is not in SRAM */
	struct layout layout;
	bool outside; /* it is in a slot, from byte slot_offset on */
	u32 slot;
	u64 slot_offset;
};

/* Buffer @buf comes from a slot, from byte @offset on, or all of it goes there. */
struct lower_transfer {
	enum rondo_dma_dir dir;
	mir_buf buf;
	u32 slot;
	u64 slot_offset;
	struct box_rows rows;
	u64 offset;
	bool alone; /* as transfer.alone */
	int group, next; /* with which it starts, and the next one of it; MIR_NO_GROUP, or -1 */
	s64 loop_stride[RONDO_DMA_LOOP_DEPTH]; /* in the slot, of the loops around its start */
};

/* Transfers that start together, and the loops of tiles around their start. */
struct lower_group {
	int first, last; /* of its transfers; -1: none yet */
	int loops;
	u64 trips[RONDO_DMA_LOOP_DEPTH];
};

/* Where what a tile needs is fetched. */
struct lower_fetch {
	int group;
	int loops; /* of those around the tile that are around that place, too */
	bool on; /* it is for the next trip of the innermost one */
};

enum { LOWER_FETCHES = 2, LOWER_PARITIES = 2 };

/*
 * Tiles as loops (lower_roll.c): tiles take their buffers in turn, and each is lowered once for all
 * trips, where it is in the first one.
 */
struct lower_roll {
	bool active;
	int loops; /* of tiles that are open */
	int dim[RONDO_DMA_LOOP_DEPTH]; /* of the stage's domain, along which a trip moves on */
	s64 step[RONDO_DMA_LOOP_DEPTH]; /* by so many points */
	u64 trips[RONDO_DMA_LOOP_DEPTH];
	struct lower_fetch fetch[LOWER_FETCHES]; /* of what the tile needs */
	int fetches; /* 0: it is there */
	int begin[LOWER_FETCHES], begins; /* groups that are fetched where the tile begins */
	int send; /* the group by which its result goes out */
	int parity; /* of the tile: which buffers it takes */
	mir_buf *buf[LOWER_PARITIES]; /* by key; MIR_NO_BUF: none yet */
	int bufs[LOWER_PARITIES];
	int pieces; /* of weights that the tile has asked for */
};

/* Constant weights of some pushes, and where they are; buf MIR_NO_BUF: not in SRAM yet. */
struct lower_piece {
	int first, end; /* pushes */
	mir_buf buf;
};

/* The constants of a node, which another one may have, too. */
struct lower_block {
	u64 key; /* of their bytes */
	mir_buf buf;
	struct lower_block *next;
};

enum { LOWER_MEMOS = 64, LOWER_BLOCKS = 1024 };

/* A constant that the first tile of a stage has made. */
struct lower_memo {
	u64 size;
	struct mir_ref ref;
};

/* Where the tile that is being lowered finds its inputs and leaves its result. */
struct lower_tile {
	bool active;
	int buffers; /* as plan.buffers */
	struct operand_at in[STAGE_INPUTS], out; /* MIR_NO_BUF: where all other stages would */
	struct box box[STAGE_INPUTS]; /* what in[] holds */
	bool direct[STAGE_INPUTS]; /* as it came in: in[] is no copy of it, nor all of a value */
	bool local[STAGE_INPUTS]; /* in[] is a buffer of the tile: not all of a value */
	struct lower_piece *piece; /* of the weights of a column tile that may stay */
	int pieces;
	s64 column; /* where these are in the weights slot */
	s64 weights; /* and where all of the stage are; -1: nowhere yet */
	struct lower_memo memo[LOWER_MEMOS]; /* in the order in which tiles ask for them */
	int memos, next;
	bool begun; /* some of its pushes have been lowered */
};

struct lowering {
	struct graph *g;
	const struct plans *plans;
	const struct rondo_machine *machine;
	u64 sram; /* bytes of it that the program may use */
	struct mir mir;
	struct operand_at *value; /* by value->id; buf is MIR_NO_BUF until it is computed */
	int error; /* as mir.error, of weights: 0, -ENOMEM, -EFBIG */
	u8 *weights; /* content of the weights slot, */
	u64 weights_head; /* from this byte on: what is shared by all nodes is put before the rest;
			   */
	u64 weights_bytes; /* so many */
	u64 weights_room;
	const char *node_name; /* of the node being lowered */
	mir_buf consts; /* its constants; MIR_NO_BUF before the first */
	struct lower_block *block[LOWER_BLOCKS]; /* those of the nodes before, by key */
	mir_buf scalars; /* the constants of all nodes that are one f32; MIR_NO_BUF before the first
			  */
	s32 scalar[LOWER_SCALARS_MAX]; /* their bits */
	int n_scalars;
	struct lower_tile tile;
	struct lower_transfer *transfer; /* of tiles, in the order in which they are used */
	int transfers, transfer_room;
	struct lower_group *group;
	int groups, group_room;
	struct lower_roll roll;
	struct { /* the integer product that was prepared last: lower_quantised_product.c */
		const struct node *node;
		u8 weight_zero;
	} quantised;
	u64 scratch_bytes; /* of the slot where values outside of SRAM are */
	int weight_buffer; /* that weights were loaded into last, of the two of the matrix unit */
	struct rondo_facts facts; /* of the program that has been made of it last */
	mir_buf unplaced; /* a buffer for which place_buffers() has found no address */
	u64 resident; /* bytes from 0 on where all constants stay, as they lie in their slot; or 0
		       */
};

/* The slots of every program: weights, then inputs, then outputs; then scratch, if there is any. */
enum { SLOT_WEIGHTS = 0 };

u32 lower_scratch_slot(const struct lowering *l);

/* Whether every value of @g can be in a buffer of a device, before anything is planned. */
int lower_check_sizes(const struct graph *g);

/*
 * Lowers the stages of @g as @plans says for @machine and @sram bytes of SRAM into @l, which lives
 * in the graph's arena; only l->weights is malloc'ed, and the caller's to free. @l is zeroed, or of
 * an attempt before, whose l->weights is written over. 0, or a message in g->err.
 */
int lower_graph(struct lowering *l, struct graph *g, const struct plans *plans,
		const struct rondo_machine *machine, u64 sram);

/* ---- For the lower_*.c files --------------------------------------------------------------- */

/*
 * Appends @bytes to the node's constants (NULL: zeros, to be filled in through *@room). All tiles
 * of a stage ask for the same constants in the same order, and get those of the first: *@room is
 * NULL then, as after an error.
 */
struct mir_ref lower_const(struct lowering *l, const void *bytes, u64 size, void **room);

/* The same as lower_const(), without a buffer in SRAM: the offset in the weights slot. */
u64 lower_const_outside(struct lowering *l, const void *bytes, u64 size, void **room);

/*
 * A buffer for @bytes of the weights slot from @offset on, which come in @ahead steps before;
 * @stride: bytes by which each open loop of tiles moves them.
 */
mir_buf lower_piece(struct lowering *l, u64 offset, u64 bytes, int ahead, const s64 *stride);

/*
 * The weights of @packed, which spread: those of the first pixel are picked out of @all (NULL: no
 * memory), which are in the order in which they are pushed, and @nothing is beside them.
 */
mir_buf lower_spread(struct lowering *l, const struct stage *packed, const u32 *all, u32 nothing);

/* One f32, which all nodes that need it share. */
struct mir_ref lower_scalar(struct lowering *l, float f);

/* One f32 in every one of @count lanes at least. */
vreg lower_f32(struct lowering *l, float f, int count);

/* @v as it is: a computed value, or a constant's bytes, row-major. */
struct operand_at lower_in(struct lowering *l, const struct value *v);

/* @v in layout @want: itself where it already is, else a copy. */
struct operand_at lower_in_as(struct lowering *l, const struct value *v, const struct layout *want);

/* Input @i of the stage, in the layout in which its plan reads it. */
struct operand_at lower_input(struct lowering *l, const struct stage *s, const struct plan *p,
			      int i);

/* The buffer for the result of the stage, its halo filled: the one of an earlier part of a Concat.
 */
struct operand_at lower_out(struct lowering *l, const struct stage *s);

/* How maps load and store elements of @v. */
enum map_type lower_type(const struct value *v);
/* Where @v is: it has its place from now on, if not a buffer yet. */
struct operand_at lower_place(struct lowering *l, const struct value *v);

/* A buffer for @layout, its halo filled; fills the halo of @at, which is in SRAM. */
struct operand_at lower_buffer(struct lowering *l, const char *name, const struct layout *layout);
void lower_fill(struct lowering *l, const struct operand_at *at);

/* Fills the last @bytes of @at, which begin at a container. */
void lower_fill_end(struct lowering *l, const struct operand_at *at, u64 bytes);

/* Adds a transfer of a tile. */
void lower_add_transfer(struct lowering *l, const struct lower_transfer *t);

/* What went wrong so far while @n was lowered, in words; 0: nothing. */
int lower_error(const struct lowering *l, const struct node *n);

/* Lowers a stage, or a tile of one, by the function of its operator; in lower_tiles.c all tiles. */
int lower_stage_fn(struct lowering *l, const struct stage *s, const struct plan *p);
int lower_tiles(struct lowering *l, const struct stage *s, const struct plan *p);

/*
 * The buffer of @bytes at least that the tile being rolled has for @key; moves @model from or to it
 * where that is done, moved on by @stride in each of the loops around.
 */
mir_buf lower_roll_buffer(struct lowering *l, int key, const char *name, u64 bytes);
void lower_roll_transfer(struct lowering *l, const struct lower_transfer *model, const s64 *stride);

/* Bytes by which the open loops of tiles move the element of @a, in layout @at of a->as. */
void lower_roll_strides(const struct lowering *l, const struct stage_access *a,
			const struct layout *at, s64 *stride);

/* Copies elements between places of equal dimensions. */
void lower_copy(struct lowering *l, const struct operand_at *to, const struct operand_at *from);

/*
 * Lowers one stage; one function for each name in the column lower of ops.def. The stage may be a
 * tile of one: sizes and accesses are the tile's, so that nothing may be taken from the shapes of
 * values, and what is constant is the same for all tiles (lower_const()).
 */
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	int lower_##lower(struct lowering *l, const struct stage *s, const struct plan *p);
#include "compiler/ops.def"

/* Products that are planned for the vector units. */
int lower_depthwise(struct lowering *l, const struct stage *s, const struct plan *p);
int lower_dots(struct lowering *l, const struct stage *s, const struct plan *p);

/* Whether @op may stand in a normalised graph: it has such a function other than lower_never(). */
bool lower_maps(enum op op);

#endif
