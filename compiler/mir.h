/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The machine IR: a network as loops over operations of the machine, before anything is known of
 * bundles, registers and addresses.
 *
 * A list of items. An operation is a row of spec/isa.def with virtual registers for its operands
 * and, where it touches SRAM or rows, a reference: buffer + offset + a stride for each open loop.
 * Loops are counted, perfectly bracketed, at most RONDO_LOOP_DEPTH deep. Virtual registers may be
 * written more than once (running sums); one that is used in a loop and comes from outside it, or
 * from its previous trip, is written before the loop. A virtual register is one or three registers
 * wide; requantise parameters are three.
 *
 * A perfect loop nest around straight-line code is a kernel (modulo.h); any other loop is a
 * repetition of what is in it. A repetition of tiles contains transfers, too: those of a trip are
 * moved on in their slots by each loop around them, and what they bring may be used one trip later.
 * Built by the lower_*.c files; place.c gives buffers their addresses, and stream.c makes streams
 * of it. Everything lives in the graph's arena.
 *
 * The functions that make items do not return errors, so that the code that lowers a node reads
 * like the program that it writes. An error is recorded in struct mir instead and must be looked at
 * before the items are. After it these functions return MIR_NO_BUF, VREG_NONE or an item that is
 * thrown away.
 */
#ifndef COMPILER_MIR_H
#define COMPILER_MIR_H

#include <stdio.h>

#include "compiler/arena.h"
#include "core/affine.h"
#include "core/isa.h"
#include "spec/program.h"

struct node;

typedef int vreg; /* number of a virtual register, or VREG_NONE */
enum { VREG_NONE = -1 };

typedef int mir_buf; /* number of a buffer, or MIR_NO_BUF */
enum { MIR_NO_BUF = -1 };

enum mir_buf_kind {
	MIR_BUF_VALUE, /* an activation: written by operations, or by DMA from an input slot */
	MIR_BUF_CONST, /* constants of one node: a part of the weights slot, fetched before the node
			*/
};

/* A range of SRAM. */
struct mir_buffer {
	const char *name; /* for messages and dumps */
	enum mir_buf_kind kind;
	u64 bytes;
	u64 slot_offset; /* MIR_BUF_CONST: where its content is in the weights slot */
	int ahead; /* steps before its first use in which it may come in */
	int behind; /* steps behind its last use in which it may go out */
	int first, last; /* steps between which it has its address; set by place.c */
	int used_first, used_last; /* and between which operations touch it */
	u32 base; /* address; set by place.c */
};

/* Where an operation reads or writes SRAM and rows. Strides are indexed by loop depth. */
struct mir_ref {
	mir_buf buf;
	s64 offset; /* bytes from the buffer's start */
	s32 stride[RONDO_LOOP_DEPTH]; /* bytes */
	s16 row_stride[RONDO_LOOP_DEPTH]; /* rows */
	u16 seg_len; /* elements; 0: contiguous */
	s32 seg_stride; /* bytes */
	s32 pitch; /* bytes between the rows of ld4 */
};

enum mir_kind {
	MIR_OP,
	MIR_LOOP,
	MIR_END,
	MIR_NODE,
	MIR_STEP, /* the next tile, piece of weights, or part: buffers live from step to step */
	MIR_SEND, /* what is in buffer ref.buf goes out, or what is in those of `group` */
	MIR_FETCH, /* transfers of `group` bring what some tile needs */
};

enum { MIR_NO_GROUP = -1 };

struct mir_item {
	enum mir_kind kind;
	struct rondo_op op; /* MIR_OP: opcode, counts, rows; registers are filled in by stream.c */
	vreg dst, a, b, c, params;
	u8 dst_part; /* which of three registers dst names */
	struct mir_ref ref;
	u64 trip; /* MIR_LOOP */
	bool tiles; /* MIR_LOOP: of tiles; only loops of tiles are around steps and transfers */
	int group; /* MIR_FETCH, MIR_SEND: of transfers that start together, or MIR_NO_GROUP */
	const char *name; /* MIR_NODE: of what the following items are made for */
	const struct node *node; /* MIR_NODE: the graph node that it is, or NULL */
};

#define MIR_ITEMS_MAX (1 << 18) /* some 100 MiB */

struct mir {
	struct arena *arena;
	int error; /* 0; -ENOMEM; -EFBIG: more than MIR_ITEMS_MAX items; -E2BIG: loops too deep */
	struct mir_item lost; /* returned where there can be no more items */
	struct mir_item *item;
	int items, item_room;
	struct mir_buffer *buf;
	int bufs, buf_room;
	u8 *vreg_width; /* 1 or 3 */
	int vregs, vreg_room;
	int depth; /* loops open while building */
};

void mir_init(struct mir *m, struct arena *arena);

/* A new buffer of @bytes; MIR_NO_BUF after an error. @name must outlive the arena's users. */
mir_buf mir_buffer(struct mir *m, enum mir_buf_kind kind, const char *name, u64 bytes);

vreg mir_vreg(struct mir *m);
vreg mir_vreg3(struct mir *m); /* three consecutive registers */

/* Opens a loop of @trip >= 1 trips and returns its depth < RONDO_LOOP_DEPTH; closes the innermost.
 */
int mir_loop(struct mir *m, u64 trip);
int mir_tile_loop(struct mir *m, u64 trip);
void mir_end(struct mir *m);

/* The following items are made for the graph node @node, or NULL, called @name in the program. */
void mir_node(struct mir *m, const char *name, const struct node *node);

/* The following items are the next step of the node. */
void mir_step(struct mir *m);

/* The graph node that item @i is made for, or NULL. */
const struct node *mir_node_of(const struct mir *m, int i);

/* The first graph node whose operations touch buffer @b, and the last; NULL: only transfers do. */
const struct node *mir_user_of(const struct mir *m, mir_buf b);
const struct node *mir_last_user_of(const struct mir *m, mir_buf b);

/* Appends an item of @kind; everything but the kind is zero and every register VREG_NONE. */
struct mir_item *mir_append(struct mir *m, enum mir_kind kind);
struct mir_item *mir_op(struct mir *m, enum rondo_opcode opcode);

/* A reference to byte @offset of @buf, contiguous, at the same place on every trip. */
struct mir_ref mir_ref(mir_buf buf, s64 offset);

/* Vector operations into a new register. */
vreg mir_v0(struct mir *m, enum rondo_opcode op);
vreg mir_v1(struct mir *m, enum rondo_opcode op, vreg a);
vreg mir_v2(struct mir *m, enum rondo_opcode op, vreg a, vreg b);
vreg mir_v3(struct mir *m, enum rondo_opcode op, vreg a, vreg b, vreg c);
vreg mir_movi(struct mir *m, s32 imm);

/* The same with the three registers @params; what is requantised is times 2^@left first. */
vreg mir_requantise(struct mir *m, enum rondo_opcode op, vreg a, vreg params);
vreg mir_requantise_left(struct mir *m, enum rondo_opcode op, vreg a, int left, vreg params);

/* The same into @dst, which exists: running sums. */
void mir_v2_into(struct mir *m, vreg dst, enum rondo_opcode op, vreg a, vreg b);
void mir_v3_into(struct mir *m, vreg dst, enum rondo_opcode op, vreg a, vreg b, vreg c);

/* Loads and stores of @count lanes. */
vreg mir_load(struct mir *m, enum rondo_opcode op, struct mir_ref ref, int count);
void mir_load_part(struct mir *m, vreg dst, int part, enum rondo_opcode op, struct mir_ref ref,
		   int count);
/* What was requantised just before is stored by the same operation: it must not be used again. */
void mir_store(struct mir *m, vreg a, struct mir_ref ref, int count); /* containers */
void mir_store_as(struct mir *m, enum rondo_opcode op, vreg a, struct mir_ref ref, int count);
void mir_store_lanes(struct mir *m, vreg a, struct mir_ref ref, int lane,
		     int count); /* [lane, ...) */

/*
 * What operation @item touches in one trip, relative to its buffer and offset; *@entry, which is
 * filled in, must live as long.
 */
struct rondo_access mir_access(const struct mir_item *item, struct rondo_entry *entry);

/* The item that closes the loop opened by item @i. */
int mir_loop_end(const struct mir *m, int i);

/* Removes loops of one trip and the strides of their indices. */
void mir_drop_single_trips(struct mir *m);

/*
 * Whether @m, without loops of one trip, keeps what machine IR promises: what is touched is in its
 * buffer over all trips, registers are written before they are read, loops end and are not too
 * deep. -ENOTRECOVERABLE, the reason in *@fault, and in *@at the number of the item behind the one
 * at fault; -ENOMEM.
 */
int mir_check(const struct mir *m, const char **fault, int *at);

/* Prints the program, one item a line, loops indented. */
void mir_print(const struct mir *m, FILE *out);

#endif
