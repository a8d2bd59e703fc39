/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Transfers: bytes that come into SRAM or go out, as objects. When they start and who waits for
 * them is the stream's business.
 */
#ifndef COMPILER_TRANSFER_H
#define COMPILER_TRANSFER_H

#include "compiler/lower.h"

struct transfer {
	enum rondo_dma_dir dir;
	u32 slot;
	u64 slot_offset;
	mir_buf buf;
	u64 offset; /* in the buffer */
	u64 bytes;
	u8 channel;
};

struct transfer_list {
	struct transfer *at; /* those in first */
	int count, room;
	/* Those that fill a buffer are neighbours, by rising offsets from 0 on. */
	struct transfer_span {
		int first, count; /* count 0: none */
		u64 piece; /* bytes of each except the last */
	} * in; /* by mir_buf */
};

/* The slots of every program that this compiler makes: weights, then inputs, then outputs. */
enum { SLOT_WEIGHTS = 0 };

/*
 * Makes the transfers of inputs, constants and outputs of @l. 0, or a message in the graph's error.
 */
int transfers_make(struct lowering *l, struct transfer_list *t);

/* Prints them, one a line. */
void transfers_print(const struct transfer_list *t, FILE *out);

#endif
