// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * DMA: what a transfer moves, when it ends, and whom it must not meet.
 *
 * The data of a transfer moves when it starts. That is exact, because until it
 * is waited for nobody may look: the verifier proves it, and the shadow of
 * shadow.c checks it. Time is stepped event by event:
 *
 *	begin = max(now + startup, end of the channel's previous transfer)
 *	end   = begin + rows * (cycles per row + row bytes / bytes per cycle, rounded up)
 *
 * where rows are those of all blocks: one for each tile, row or column, or one for all.
 */
#include "core/tiles.h"
#include "emulator/exec/run/run.h"

/* The bytes between the first and the last that rows at @base + strides touch; false: overflow. */
static bool hull_of(const struct rondo_desc *d, s64 base, const s64 stride[RONDO_DMA_DIMS],
		    struct rondo_hull *hull)
{
	*hull = (struct rondo_hull){ base, base };
	for (u32 k = 0; k < RONDO_DMA_DIMS; k++)
		if (!rondo_hull_extend(hull, stride[k], d->count[k] - 1))
			return false;
	return !check_add_overflow(hull->hi, (s64)d->row_bytes, &hull->hi);
}

/* @base + the sum of @stride[k] times the open loops' indices; false: overflow. */
static bool add_loops(const struct run *run, s64 base, const s64 stride[RONDO_DMA_LOOP_DEPTH],
		      s64 *sum)
{
	s64 term;
	u32 k;

	*sum = base;
	for (k = 0; k < RONDO_DMA_LOOP_DEPTH; k++) {
		u64 index = k < run->depth ? run->index[k] : 0;

		if (check_mul_overflow(stride[k], (s64)index, &term) ||
		    check_add_overflow(*sum, term, sum))
			return false;
	}
	return true;
}

/*
 * Rows of a transfer in order: those of each block of the slot, and in each the tiles that
 * it goes to or comes from. Bounds are known to hold, so nothing here overflows.
 */
struct row_walk {
	const struct run_transfer *t;
	u32 i[RONDO_DMA_DIMS];
	struct rondo_tiles tiles; /* of the block */
	bool done;
	s64 sram, slot;
};

static void walk_place(struct row_walk *w)
{
	const struct rondo_desc *d = w->t->desc;

	w->sram = w->t->sram;
	w->slot = w->t->slot;
	if (rondo_dma_by_column(d->mode))
		w->slot += d->slot_x * w->tiles.x0;
	if (rondo_dma_by_row(d->mode))
		w->slot += d->slot_y * w->tiles.y0;
	for (u32 k = 0; k < RONDO_DMA_DIMS; k++) {
		w->sram += (s64)d->sram_stride[k] * w->i[k];
		w->slot += d->slot_stride[k] * w->i[k];
	}
}

static struct row_walk walk_begin(const struct run_transfer *t)
{
	const struct rondo_desc *d = t->desc;
	struct row_walk w = { .t = t, .tiles = rondo_tiles_of_desc(d) };

	if (rondo_dma_by_column(d->mode))
		w.tiles.x1 = d->x0;
	if (rondo_dma_by_row(d->mode))
		w.tiles.y1 = d->y0;
	walk_place(&w);
	return w;
}

/* The tiles of the next block; false if there is none. */
static bool next_tiles(struct row_walk *w)
{
	const struct rondo_desc *d = w->t->desc;

	if (w->tiles.x1 < d->x1) {
		w->tiles.x0 = ++w->tiles.x1;
		return true;
	}
	if (rondo_dma_by_column(d->mode))
		w->tiles.x0 = w->tiles.x1 = d->x0;
	if (w->tiles.y1 < d->y1) {
		w->tiles.y0 = ++w->tiles.y1;
		return true;
	}
	return false;
}

static void walk_next(struct row_walk *w)
{
	s32 k;

	for (k = RONDO_DMA_DIMS - 1; k >= 0; k--) {
		if (++w->i[k] < w->t->desc->count[k])
			break;
		w->i[k] = 0;
	}
	w->done = k < 0 && !next_tiles(w);
	walk_place(w);
}

#define for_each_row(w, t) for (struct row_walk w = walk_begin(t); !w.done; walk_next(&w))

#define for_each_tile(run, tile, tiles)                                                \
	for (u32 y_ = (tiles).y0, x_, tile; y_ <= (tiles).y1; y_++)                    \
		for (x_ = (tiles).x0, tile = y_ * (run)->program->machine.mesh_w + x_; \
		     x_ <= (tiles).x1; x_++, tile++)

/* Only with checks: the transfer holds its bytes of SRAM, or no longer. */
static bool mark(struct run *run, u32 channel, const struct run_transfer *t, bool held)
{
	if (!t->desc)
		return true;
	for_each_row(w, t) {
		for_each_tile(run, tile, w.tiles) {
			(held ? shadow_mark : shadow_unmark)(run, tile, channel, t->desc->dir,
							     w.sram, t->desc->row_bytes);
			if (!run_poll(run, t->desc->row_bytes))
				return false;
		}
	}
	return true;
}

/* All but the newest @keep transfers of @channel are known to have ended. */
static bool retire(struct run *run, u32 channel, u32 keep)
{
	struct run_channel *ch = &run->channel[channel];
	u32 i;

	if (ch->outstanding <= keep)
		return true;
	if (run->shadow) {
		for (i = keep; i < ch->outstanding; i++)
			if (!mark(run, channel, &ch->transfer[i], false))
				return false;
		/* What they shared with the ones that stay. */
		for (i = keep; i-- > 0;)
			if (!mark(run, channel, &ch->transfer[i], true))
				return false;
	}
	ch->outstanding = keep;
	return true;
}

static void stall_until(struct run *run, u64 time)
{
	if (run->cycles < time)
		run->cycles = time;
}

bool dma_wait(struct run *run, const struct rondo_op *op)
{
	u32 channel;

	for (channel = 0; channel < RONDO_DMA_CHANNELS; channel++) {
		u32 keep = op->wait[channel] - 1u;

		if (!op->wait[channel] || keep >= RONDO_DMA_OUTSTANDING)
			continue;
		stall_until(run, run->channel[channel].end[keep]);
		if (!retire(run, channel, keep))
			return false;
	}
	return true;
}

/* The cost of a transfer in cycles; UINT64_MAX if it does not fit. */
static u64 cost_of(const struct run *run, const struct rondo_desc *d)
{
	const struct rondo_machine *m = &run->program->machine;
	u64 row = m->dma_row_cycles +
		  ((u64)d->row_bytes + m->dma_bytes_per_cycle - 1) / m->dma_bytes_per_cycle;
	u64 cost = row * rondo_dma_blocks_x(d) * rondo_dma_blocks_y(d);

	for (u32 k = 0; k < RONDO_DMA_DIMS; k++)
		if (check_mul_overflow(cost, (u64)d->count[k], &cost))
			return UINT64_MAX;
	return cost;
}

/* Puts a transfer that ends at @end in front of its channel. */
static void push_transfer(struct run_channel *ch, const struct run_transfer *t, u64 end)
{
	for (u32 i = RONDO_DMA_OUTSTANDING - 1; i > 0; i--) {
		ch->transfer[i] = ch->transfer[i - 1];
		ch->end[i] = ch->end[i - 1];
	}
	ch->transfer[0] = *t;
	ch->end[0] = end;
	ch->outstanding++;
}

/* The bytes of its slot that a transfer touches, all tiles together; false: overflow. */
static bool slot_hull(const struct run_transfer *t, struct rondo_hull *hull)
{
	const struct rondo_desc *d = t->desc;
	const s64 x = rondo_dma_by_column(d->mode) ? d->slot_x : 0;
	const s64 y = rondo_dma_by_row(d->mode) ? d->slot_y : 0;
	s64 column, row, base;

	return !check_mul_overflow(x, (s64)d->x0, &column) &&
	       !check_mul_overflow(y, (s64)d->y0, &row) &&
	       !check_add_overflow(t->slot, column, &base) &&
	       !check_add_overflow(base, row, &base) && hull_of(d, base, d->slot_stride, hull) &&
	       rondo_hull_extend(hull, x, d->x1 - d->x0) &&
	       rondo_hull_extend(hull, y, d->y1 - d->y0);
}

/* Locates the transfer and checks that it stays in SRAM and in its slot's extent. */
static bool locate(struct run *run, const struct rondo_desc *d, struct run_transfer *t)
{
	const struct rondo_slot *slot = &run->program->slot[d->slot];
	u64 lo = d->dir == RONDO_DMA_IN ? slot->read_lo : slot->write_lo;
	u64 hi = d->dir == RONDO_DMA_IN ? slot->read_hi : slot->write_hi;
	s64 stride[RONDO_DMA_DIMS], loops[RONDO_DMA_LOOP_DEPTH];
	struct rondo_hull sram, data;
	u32 k;

	t->desc = d;
	for (k = 0; k < RONDO_DMA_DIMS; k++)
		stride[k] = d->sram_stride[k];
	for (k = 0; k < RONDO_DMA_LOOP_DEPTH; k++)
		loops[k] = d->sram_loop[k];
	if (!add_loops(run, d->sram_base, loops, &t->sram) || !hull_of(d, t->sram, stride, &sram) ||
	    sram.lo < run->window.lo || sram.hi > run->window.hi)
		return run_trap(run, "transfer leaves SRAM");
	if (d->slot_base > INT64_MAX || !add_loops(run, d->slot_base, d->slot_loop, &t->slot) ||
	    !slot_hull(t, &data) || data.lo < 0)
		return run_trap(run, "transfer's slot address is out of range");
	if (run->shadow && ((u64)data.lo < lo || (u64)data.hi > hi))
		return run_trap(
			run, "transfer touches %lld..%lld of buffer slot %u, declared %llu..%llu",
			(long long)data.lo, (long long)data.hi - 1, d->slot, (unsigned long long)lo,
			(unsigned long long)hi - 1);
	return true;
}

static bool slot_race(struct run *run, const struct run_transfer *t, u32 channel)
{
	return run_trap(run, "buffer slot %u is in use by channel %u", t->desc->slot, channel);
}

/* Traps if @a meets @b, outstanding on @channel, in a byte of the slot that both use. */
static bool slots_apart(struct run *run, const struct run_transfer *a, const struct run_transfer *b,
			u32 channel)
{
	struct rondo_hull x, y;

	slot_hull(a, &x);
	slot_hull(b, &y);
	if (!rondo_hulls_meet(&x, &y))
		return true;
	for_each_row(i, a) {
		for_each_row(j, b) {
			if (i.slot < j.slot + b->desc->row_bytes &&
			    j.slot < i.slot + a->desc->row_bytes)
				return slot_race(run, a, channel);
			if (!run_poll(run, 1))
				return false;
		}
	}
	return true;
}

/*
 * Transfers on two channels have no order: they may share only what both read.
 * How slots of an alias group overlap is known only to who binds them.
 */
static bool check_slot(struct run *run, u32 channel, const struct run_transfer *t)
{
	const struct rondo_slot *slots = run->program->slot;
	u32 c, i;

	for (c = 0; c < RONDO_DMA_CHANNELS; c++) {
		for (i = 0; c != channel && i < run->channel[c].outstanding; i++) {
			const struct run_transfer *u = &run->channel[c].transfer[i];

			if (!u->desc ||
			    (u->desc->dir == RONDO_DMA_IN && t->desc->dir == RONDO_DMA_IN))
				continue;
			if (u->desc->slot == t->desc->slot) {
				if (!slots_apart(run, t, u, c))
					return false;
			} else if (slots[t->desc->slot].alias &&
				   slots[t->desc->slot].alias == slots[u->desc->slot].alias) {
				return slot_race(run, t, c);
			}
		}
	}
	return true;
}

/* With checks: the transfer may touch the row in all of its tiles, and does from now on. */
static bool claim_row(struct run *run, u32 channel, const struct row_walk *w)
{
	const struct rondo_desc *d = w->t->desc;

	for_each_tile(run, tile, w->tiles)
		if (!shadow_claim(run, tile, channel, d->dir, w->sram, d->row_bytes) ||
		    !run_poll(run, d->row_bytes))
			return false;
	return true;
}

/* Between the slot and the first tile, and from there to the others of the block. */
static bool move_row(struct run *run, const struct row_walk *w)
{
	const struct rondo_desc *d = w->t->desc;
	const struct exec_io *io = run->io;
	u8 *first = NULL;

	for_each_tile(run, tile, w->tiles) {
		u8 *at = run->sram + tile * run->sram_stride + w->sram;

		if (first)
			memcpy(at, first, d->row_bytes);
		else if (d->dir == RONDO_DMA_IN ?
				 !io->read(io->ctx, d->slot, w->slot, at, d->row_bytes) :
				 !io->write(io->ctx, d->slot, w->slot, at, d->row_bytes))
			return run_fail(run, EXEC_DMA_ERROR,
					"no access to %u bytes at %lld of buffer slot %u",
					d->row_bytes, (long long)w->slot, d->slot);
		first = first ? first : at;
		if (!run_poll(run, d->row_bytes))
			return false;
	}
	return true;
}

/* Checks and moves the data, row by row. */
static bool move(struct run *run, u32 channel, const struct run_transfer *t)
{
	if (run->shadow && !check_slot(run, channel, t))
		return false;
	for_each_row(w, t)
		if ((run->shadow && !claim_row(run, channel, &w)) || !move_row(run, &w))
			return false;
	return true;
}

bool dma_start(struct run *run, const struct rondo_op *op)
{
	struct run_channel *ch = &run->channel[op->channel];
	struct run_transfer t = { 0 };
	u64 begin, cost, end;

	if (ch->outstanding == RONDO_DMA_OUTSTANDING) {
		stall_until(run, ch->end[RONDO_DMA_OUTSTANDING - 1]);
		if (!retire(run, op->channel, RONDO_DMA_OUTSTANDING - 1))
			return false;
	}
	if (op->last && run->index[op->last - 1] == run->loop[op->last - 1].trips - 1) {
		push_transfer(ch, &t, ch->end[0]);
		return true;
	}
	if (!locate(run, &run->program->desc[op->desc], &t))
		return false;
	begin = run->cycles + run->program->machine.dma_startup;
	begin = begin > ch->end[0] ? begin : ch->end[0];
	cost = cost_of(run, t.desc);
	/* Halt needs it to have ended, so the run cannot stay within the bound. */
	if (check_add_overflow(begin, cost, &end) || end >= run->control->bound)
		return run_end(run, EXEC_OVERRUN);
	push_transfer(ch, &t, end);
	if (run->clock)
		run_begin_transfer(run, t.desc);
	return move(run, op->channel, &t);
}

bool dma_drained(struct run *run)
{
	for (u32 c = 0; c < RONDO_DMA_CHANNELS; c++)
		for (u32 i = 0; i < run->channel[c].outstanding; i++)
			if (run->channel[c].transfer[i].desc)
				return run_trap(run, "halt with channel %u not drained", c);
	return true;
}
