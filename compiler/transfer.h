/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Transfers: bytes that come into SRAM or go out, as objects. When they start and who waits for
 * them is the stream's business.
 */
#ifndef COMPILER_TRANSFER_H
#define COMPILER_TRANSFER_H

#include "compiler/lower.h"

/*
 * Rows of a slot, count[0] x count[1] x count[2] of them with the first dimension outermost, and as
 * many bytes of SRAM without a gap.
 */
struct transfer {
	enum rondo_dma_dir dir;
	u32 slot;
	u64 slot_offset;
	mir_buf buf; /* of constants that stay it may be the first of several */
	u64 offset; /* in the buffer */
	u64 bytes; /* all of them */
	u8 channel;
	bool alone; /* no other transfer touches its bytes in the slot */
	u64 row; /* bytes of a row */
	u32 count[RONDO_DMA_DIMS];
	s64 stride[RONDO_DMA_DIMS]; /* bytes from row to row in the slot */
	/* The loops of tiles around its start, outermost first, and by how much each moves it
	 * there. */
	int loops;
	u64 trips[RONDO_DMA_LOOP_DEPTH];
	s64 loop_stride[RONDO_DMA_LOOP_DEPTH];
};

/* Transfers of one buffer: neighbours in the list, by rising offsets. */
struct transfer_span {
	int first, count; /* count 0: none */
};

struct transfer_list {
	struct transfer *at; /* those in first */
	int count, room;
	int early; /* the first ones, whose bytes in SRAM nobody touches before they come in */
	struct transfer_span *in; /* by mir_buf: what fills it, to its end */
	struct transfer_span *out; /* by mir_buf: what takes it out when it is sent */
	struct transfer_span *group; /* by group: what starts together, of one buffer or several */
	int outputs; /* the first of those that take whole outputs out; they are the last */
};

/*
 * Makes the transfers of inputs, constants and outputs of @l. 0, or a message in the graph's error.
 */
int transfers_make(struct lowering *l, struct transfer_list *t);

/* The lowest and the highest byte of its slot that @x touches, in all trips; the latter plus one.
 */
u64 transfer_slot_lo(const struct transfer *x);
u64 transfer_slot_hi(const struct transfer *x);

/*
 * Whether @t keeps what transfers promise: rows are inside of their slot and buffer, each span is
 * all of its buffer in order, or the end of it that no operation fills, and each transfer is in a
 * span or takes an output out. -ENOTRECOVERABLE and a message.
 */
int transfers_check(const struct lowering *l, const struct transfer_list *t);

/* Prints them, one a line. */
void transfers_print(const struct transfer_list *t, FILE *out);

#endif
