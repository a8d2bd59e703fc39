/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A program's tables, located in its bytes, and what a slot or a descriptor says.
 */
#ifndef RONDO_CORE_PROGRAM_H
#define RONDO_CORE_PROGRAM_H

#include "core/isa.h"
#include "spec/program.h"

/* Pointers into the program's bytes, which must outlive it and stay as they are. */
struct rondo_program {
	const struct rondo_program_header *header;
	const struct rondo_slot *slots;
	const struct rondo_entry *entries;
	const struct rondo_desc *descs;
	const u64 (*bundles)[RONDO_SLOTS_PER_BUNDLE];
};

/*
 * Locates the tables of the program in @size bytes at @data (8-byte aligned).
 * Checks magic, version, reserved fields, counts against the limits, and that
 * @size is exact; nothing else. Returns 0 or a number of spec/errors.def.
 */
u32 rondo_program_open(struct rondo_program *p, const void *data, u64 size);

/* Size in bytes of a program with header @h, whose counts are at most their limits. */
static inline u64 rondo_program_bytes(const struct rondo_program_header *h)
{
	return sizeof(*h) + (u64)h->slots * sizeof(struct rondo_slot) +
	       (u64)h->entries * sizeof(struct rondo_entry) +
	       (u64)h->descs * sizeof(struct rondo_desc) + (u64)h->bundles * RONDO_BUNDLE_BYTES;
}

/* One past the last byte of the slot that the program touches; 0: it touches none. */
static inline u64 rondo_slot_end(const struct rondo_slot *slot)
{
	return slot->read_hi > slot->write_hi ? slot->read_hi : slot->write_hi;
}

/* Whether mode @mode (enum rondo_dma_mode) has a block for each column, for each row of tiles. */
static inline bool rondo_dma_by_column(u8 mode)
{
	return mode == RONDO_DMA_TILE || mode == RONDO_DMA_COLUMNS;
}

static inline bool rondo_dma_by_row(u8 mode)
{
	return mode == RONDO_DMA_TILE || mode == RONDO_DMA_ROWS;
}

/*
 * Blocks from west to east, and from north to south, that cross the channel one after the
 * other in a transfer of @desc: their product in all. The descriptor's tiles are in order.
 */
static inline u32 rondo_dma_blocks_x(const struct rondo_desc *desc)
{
	return rondo_dma_by_column(desc->mode) ? desc->x1 - desc->x0 + 1u : 1;
}

static inline u32 rondo_dma_blocks_y(const struct rondo_desc *desc)
{
	return rondo_dma_by_row(desc->mode) ? desc->y1 - desc->y0 + 1u : 1;
}

#endif
