// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Slots, address entries and descriptors by themselves.
 *
 * Threat: a reserved or undefined value that some reader of the tables takes for something else,
 * and an outgoing transfer whose result depends on which of two tiles writes a byte last.
 *
 * Mechanism: each field is compared with its range. The addresses of the rows of an outgoing
 * transfer must be numbers whose digits are the indices of its dimensions and tiles: each stride
 * at least the span of all smaller ones.
 *
 * Invariant: bundles are looked at only when all tables have passed. What the rows of the tables
 * touch depends on the loops around their users, and is checked there.
 */
#include "core/verify_state.h"

static u32 check_slot(const struct rondo_slot *slot)
{
	u32 align = slot->align;

	if (align < RONDO_SLOT_ALIGN_MIN || align > RONDO_SLOT_ALIGN_MAX || align & (align - 1))
		return RONDO_ERR_SLOT_ALIGN;
	if (slot->flags & ~RONDO_SLOT_FLAGS)
		return RONDO_ERR_SLOT_FLAGS;
	return RONDO_ERR_NONE;
}

/* How many loops, from the outermost on, must be open where the entry is used. */
static u8 loops_named(const struct rondo_entry *entry)
{
	u8 d = RONDO_LOOP_DEPTH;

	while (d && !entry->stride[d - 1] && !entry->row_stride[d - 1])
		d--;
	return d;
}

static u32 check_entry(const struct rondo_entry *entry)
{
	if (entry->reserved || (!entry->seg_len && entry->seg_stride))
		return RONDO_ERR_ENTRY_RESERVED;
	return RONDO_ERR_NONE;
}

static bool desc_fields_good(const struct rondo_verify *v, const struct rondo_desc *desc)
{
	bool x = rondo_dma_by_column(desc->mode), y = rondo_dma_by_row(desc->mode);

	return desc->dir < RONDO_DMA_DIRS && desc->mode < RONDO_DMA_MODES && desc->row_bytes &&
	       desc->row_bytes <= v->machine.sram_bytes && desc->count[0] && desc->count[1] &&
	       desc->count[2] && (x || !desc->slot_x) && (y || !desc->slot_y);
}

/* A dimension of the bytes that a transfer touches in its slot. */
struct dim {
	u64 stride; /* magnitude */
	u32 steps;
};

static void insert_dim(struct dim *dims, u32 *count, s64 stride, u32 steps)
{
	u64 magnitude = stride < 0 ? 0 - (u64)stride : (u64)stride;
	u32 i;

	if (!steps)
		return;
	for (i = (*count)++; i > 0 && dims[i - 1].stride > magnitude; i--)
		dims[i] = dims[i - 1];
	dims[i] = (struct dim){ magnitude, steps };
}

/*
 * Whether no two rows, of one tile or of two, share a byte of the slot: each stride is at
 * least the span of the dimensions with smaller ones. With strides as digits of a number,
 * no two numbers are the same.
 */
static bool injective(const struct rondo_desc *desc)
{
	struct dim dims[RONDO_DMA_DIMS + 2];
	u32 count = 0, i;
	u64 span = desc->row_bytes, more;

	for (i = 0; i < RONDO_DMA_DIMS; i++)
		insert_dim(dims, &count, desc->slot_stride[i], desc->count[i] - 1);
	insert_dim(dims, &count, desc->slot_x, desc->x1 - desc->x0);
	insert_dim(dims, &count, desc->slot_y, desc->y1 - desc->y0);
	for (i = 0; i < count; i++) {
		if (dims[i].stride < span)
			return false;
		if (check_mul_overflow(dims[i].stride, (u64)dims[i].steps, &more) ||
		    check_add_overflow(span, more, &span))
			span = ~0ull;
	}
	return true;
}

static u32 check_desc(const struct rondo_verify *v, const struct rondo_desc *desc)
{
	if (!desc_fields_good(v, desc))
		return RONDO_ERR_DESC_FIELD;
	if (desc->slot >= v->program.header->slots)
		return RONDO_ERR_DESC_SLOT;
	if (!rondo_tiles_valid(&v->machine, rondo_tiles_of_desc(desc)))
		return RONDO_ERR_DESC_TILES;
	if (desc->dir == RONDO_DMA_OUT && desc->mode != RONDO_DMA_TILE)
		return RONDO_ERR_DESC_OUT_MODE;
	if (desc->dir == RONDO_DMA_OUT && !injective(desc))
		return RONDO_ERR_DESC_OUT_OVERLAP;
	return RONDO_ERR_NONE;
}

u32 rondo_verify_table_items(const struct rondo_verify *v)
{
	const struct rondo_program_header *h = v->program.header;

	return h->slots + h->entries + h->descs;
}

u32 rondo_verify_table_item(struct rondo_verify *v, u32 index)
{
	const struct rondo_program *p = &v->program;

	v->verdict.index = index;
	if (index < p->header->slots)
		return check_slot(&p->slots[index]);
	index -= p->header->slots;
	v->verdict.index = index;
	if (index < p->header->entries) {
		v->entry_loops[index] = loops_named(&p->entries[index]);
		return check_entry(&p->entries[index]);
	}
	index -= p->header->entries;
	v->verdict.index = index;
	return check_desc(v, &p->descs[index]);
}
