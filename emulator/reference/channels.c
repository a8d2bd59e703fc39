// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The DMA channels, cycle by cycle. The oldest transfer of each channel works, when its
 * startup is over; the startup of all passes at the same time.
 */
#include "emulator/reference/state.h"

bool ref_may_issue(const struct reference *r, const struct rondo_op *control)
{
	u32 c;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		if (control->wait[c] && r->channel[c].outstanding > control->wait[c] - 1u)
			return false;
	return control->op != RONDO_OP_dma ||
	       r->channel[control->channel].outstanding < RONDO_DMA_OUTSTANDING;
}

static bool check_desc(struct reference *r, const struct rondo_op *op)
{
	const struct rondo_desc *d;

	if (op->desc >= r->program.header->descs)
		return ref_trap(r, "no descriptor %u", op->desc);
	d = &r->program.descs[op->desc];
	if (d->slot >= r->program.header->slots || d->dir >= RONDO_DMA_DIRS ||
	    d->mode >= RONDO_DMA_MODES || !d->row_bytes || !d->count[0] || !d->count[1] ||
	    !d->count[2] || !rondo_tiles_valid(&r->machine, rondo_tiles_of_desc(d)))
		return ref_trap(r, "descriptor %u is not well-formed", op->desc);
	return true;
}

bool ref_start(struct reference *r, const struct rondo_op *op)
{
	struct ref_channel *channel = &r->channel[op->channel];
	struct ref_transfer *t = &channel->transfer[channel->outstanding++];
	u32 d;

	*t = (struct ref_transfer){ .desc = NULL };
	if (op->last && ref_loop_at_last(r, op->last - 1u))
		return true;
	if (!check_desc(r, op))
		return false;
	t->desc = &r->program.descs[op->desc];
	t->startup = r->machine.dma_startup;
	t->x = t->desc->x0;
	t->y = t->desc->y0;
	t->sram = t->desc->sram_base;
	t->slot = (s64)t->desc->slot_base;
	for (d = 0; d < RONDO_DMA_LOOP_DEPTH; d++) {
		t->sram += t->desc->sram_loop[d] * (s64)ref_loop_index(r, d);
		t->slot += t->desc->slot_loop[d] * (s64)ref_loop_index(r, d);
	}
	return true;
}

/* Moves @size bytes between @t, at @sram, and the slot. */
static bool move_tile(struct reference *r, const struct rondo_desc *d, struct ref_tile *t, s64 sram,
		      s64 slot, u32 size)
{
	const struct exec_io *io = r->io;
	bool done;

	if (sram < 0 || sram + size > r->machine.sram_bytes)
		return ref_trap(r, "transfer leaves SRAM at %lld", (long long)sram);
	if (slot < 0)
		return ref_trap(r, "transfer's slot address is negative");
	if (d->dir == RONDO_DMA_IN)
		r->result->activity.sram_written += size;
	else
		r->result->activity.sram_read += size;
	done = d->dir == RONDO_DMA_IN ?
		       io->read(io->ctx, d->slot, (u64)slot, t->sram + sram, size) :
		       io->write(io->ctx, d->slot, (u64)slot, t->sram + sram, size);
	ref_saw(r, REFERENCE_SRAM, d->dir == RONDO_DMA_IN, ref_tile_number(r, t), 0, (u64)sram,
		size);
	ref_saw(r, REFERENCE_SLOT, d->dir == RONDO_DMA_OUT, 0, d->slot, (u64)slot, size);
	return done || ref_end(r, EXEC_DMA_ERROR, "no access to %u bytes at %lld of buffer slot %u",
			       size, (long long)slot, d->slot);
}

/* Moves @size bytes from byte @t->moved of the row in progress, in all tiles that it concerns. */
static bool move(struct reference *r, const struct ref_transfer *t, u32 size)
{
	const struct rondo_desc *d = t->desc;
	bool columns = d->mode == RONDO_DMA_TILE || d->mode == RONDO_DMA_COLUMNS;
	bool rows = d->mode == RONDO_DMA_TILE || d->mode == RONDO_DMA_ROWS;
	s64 sram = t->sram + t->moved, slot = t->slot + t->moved;
	u32 x, y, k;

	for (k = 0; k < RONDO_DMA_DIMS; k++) {
		sram += (s64)d->sram_stride[k] * t->i[k];
		slot += d->slot_stride[k] * t->i[k];
	}
	for (y = d->y0; y <= d->y1; y++) {
		for (x = d->x0; x <= d->x1; x++) {
			if ((columns && x != t->x) || (rows && y != t->y))
				continue;
			if (!move_tile(r, d, ref_tile_at(r, x, y), sram,
				       slot + (columns ? d->slot_x * x : 0) +
					       (rows ? d->slot_y * y : 0),
				       size))
				return false;
		}
	}
	if (d->dir == RONDO_DMA_IN)
		r->result->activity.dma_in += size;
	else
		r->result->activity.dma_out += size;
	return true;
}

/* The next row, of the block in progress or of the next one; false if that was the last. */
static bool next_row(struct ref_transfer *t)
{
	const struct rondo_desc *d = t->desc;
	u32 k;

	t->waited = 0;
	t->moved = 0;
	for (k = RONDO_DMA_DIMS; k-- > 0;) {
		if (++t->i[k] < d->count[k])
			return true;
		t->i[k] = 0;
	}
	switch (d->mode) {
	case RONDO_DMA_ROWS:
		return ++t->y <= d->y1;
	case RONDO_DMA_COLUMNS:
		return ++t->x <= d->x1;
	case RONDO_DMA_TILE:
		if (++t->x <= d->x1)
			return true;
		t->x = d->x0;
		return ++t->y <= d->y1;
	default:
		return false;
	}
}

/* A cycle of the transfer that is at work; *@ended is set after its last. */
static bool work(struct reference *r, struct ref_transfer *t, bool *ended)
{
	u32 size = r->machine.dma_bytes_per_cycle;

	if (t->waited < r->machine.dma_row_cycles) {
		t->waited++;
		return true;
	}
	if (size > t->desc->row_bytes - t->moved)
		size = t->desc->row_bytes - t->moved;
	if (!move(r, t, size))
		return false;
	t->moved += size;
	if (t->moved == t->desc->row_bytes)
		*ended = !next_row(t);
	return true;
}

static void retire_oldest(struct ref_channel *channel)
{
	u32 i;

	for (i = 1; i < channel->outstanding; i++)
		channel->transfer[i - 1] = channel->transfer[i];
	channel->outstanding--;
}

static bool step(struct reference *r, struct ref_channel *channel)
{
	bool begun = channel->outstanding && channel->transfer[0].desc &&
		     !channel->transfer[0].startup;
	bool ended = false;
	u32 i;

	for (i = 0; i < channel->outstanding; i++)
		if (channel->transfer[i].startup)
			channel->transfer[i].startup--;
	if (begun && !work(r, &channel->transfer[0], &ended))
		return false;
	if (ended)
		retire_oldest(channel);
	while (channel->outstanding && !channel->transfer[0].desc)
		retire_oldest(channel);
	return true;
}

bool ref_channels_step(struct reference *r)
{
	u32 c;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++)
		if (!step(r, &r->channel[c]))
			return false;
	return true;
}
