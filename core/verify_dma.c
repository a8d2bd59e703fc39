// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Transfers: bounds, extents of the slots, and races.
 *
 * The race rule compares boxes: what a transfer may touch over all trips of the loops
 * around it, from its start to the wait that proves its end. For each channel a list
 * holds the transfers not known to be over, at most four, since a start on a full
 * channel waits for the oldest. The text is walked once, and that is enough: what a loop
 * started it must have waited for at its end, so in later trips every list holds at most
 * what it holds at the same place in the first.
 */
#include "core/verify_state.h"

static bool overlap(u64 a_lo, u64 a_hi, u64 b_lo, u64 b_hi)
{
	return a_lo < b_hi && b_lo < a_hi;
}

/* Removes the oldest transfers of a channel until @keep are left. */
static void retire(struct rondo_verify *v, struct rondo_channel *channel, u32 keep)
{
	u32 gone, i;

	if (channel->count <= keep)
		return;
	gone = channel->count - keep;
	for (i = 0; i < keep; i++)
		channel->at[i] = channel->at[i + gone];
	channel->count = keep;
	v->outstanding -= gone;
}

static u32 check_dma_loops(const struct rondo_verify *v)
{
	if (v->time.dma_loops > RONDO_DMA_LOOPS_MAX)
		return RONDO_ERR_DMA_LOOPS;
	return RONDO_ERR_NONE;
}

u32 rondo_verify_waits(struct rondo_verify *v, const struct rondo_op *op)
{
	u32 ch;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		if (!op->wait[ch])
			continue;
		if (op->wait[ch] > RONDO_DMA_OUTSTANDING)
			return RONDO_ERR_CANONICAL;
		if (v->depth > RONDO_DMA_LOOP_DEPTH)
			return RONDO_ERR_DMA_DEPTH;
		retire(v, &v->channel[ch], op->wait[ch] - 1u);
		rondo_time_wait(&v->time, v->clock, ch, op->wait[ch] - 1u);
	}
	return check_dma_loops(v);
}

/*
 * Largest index of each loop around a start that is not empty; false if it always is,
 * which it is if the loop it names has one trip.
 */
static bool start_steps(const struct rondo_verify *v, const struct rondo_op *op,
			u32 steps[RONDO_DMA_LOOP_DEPTH])
{
	u32 d;

	for (d = 0; d < RONDO_DMA_LOOP_DEPTH; d++)
		steps[d] = d < v->depth ? v->loop[d].steps : 0;
	return !op->last || steps[op->last - 1]--;
}

/* Bytes of SRAM over all trips; DMA_SRAM_BOUNDS. */
static u32 sram_hull(const struct rondo_verify *v, const struct rondo_desc *desc, const u32 *steps,
		     struct rondo_hull *hull)
{
	u32 i;

	hull->lo = desc->sram_base;
	hull->hi = (s64)desc->sram_base + desc->row_bytes;
	for (i = 0; i < RONDO_DMA_DIMS; i++)
		if (!rondo_hull_extend(hull, desc->sram_stride[i], desc->count[i] - 1))
			return RONDO_ERR_DMA_SRAM_BOUNDS;
	for (i = 0; i < RONDO_DMA_LOOP_DEPTH; i++)
		if (!rondo_hull_extend(hull, desc->sram_loop[i], steps[i]))
			return RONDO_ERR_DMA_SRAM_BOUNDS;
	if (hull->lo < 0 || hull->hi > v->machine.sram_bytes)
		return RONDO_ERR_DMA_SRAM_BOUNDS;
	return RONDO_ERR_NONE;
}

/* Extends @hull by stride * @from .. stride * @to. */
static bool extend_tiles(struct rondo_hull *hull, s64 stride, u16 from, u16 to)
{
	s64 first;

	if (check_mul_overflow(stride, (s64)from, &first) ||
	    check_add_overflow(hull->lo, first, &hull->lo) ||
	    check_add_overflow(hull->hi, first, &hull->hi))
		return false;
	return rondo_hull_extend(hull, stride, to - from);
}

/* Bytes of the slot over all trips and tiles; DMA_SLOT_BOUNDS. */
static u32 slot_hull(const struct rondo_desc *desc, const u32 *steps, struct rondo_hull *hull)
{
	bool fits = !(desc->slot_base >> 63);
	u32 i;

	hull->lo = (s64)desc->slot_base;
	fits = fits && !check_add_overflow(hull->lo, (s64)desc->row_bytes, &hull->hi);
	for (i = 0; fits && i < RONDO_DMA_DIMS; i++)
		fits = rondo_hull_extend(hull, desc->slot_stride[i], desc->count[i] - 1);
	for (i = 0; fits && i < RONDO_DMA_LOOP_DEPTH; i++)
		fits = rondo_hull_extend(hull, desc->slot_loop[i], steps[i]);
	fits = fits && extend_tiles(hull, desc->slot_x, desc->x0, desc->x1) &&
	       extend_tiles(hull, desc->slot_y, desc->y0, desc->y1);
	return fits && hull->lo >= 0 ? RONDO_ERR_NONE : RONDO_ERR_DMA_SLOT_BOUNDS;
}

static void add_extent(u64 *lo, u64 *hi, const struct rondo_transfer *t)
{
	if (*lo == *hi) {
		*lo = t->slot_lo;
		*hi = t->slot_hi;
		return;
	}
	if (t->slot_lo < *lo)
		*lo = t->slot_lo;
	if (t->slot_hi > *hi)
		*hi = t->slot_hi;
}

/*
 * Whether transfers of two channels may touch the same bytes of a slot. Slots of one alias
 * group are one memory, but where each lies in it is not known before it is bound.
 */
static bool slots_race(const struct rondo_verify *v, const struct rondo_transfer *a,
		       const struct rondo_transfer *b)
{
	u16 alias = v->program.slots[a->slot].alias;

	if (a->dir == RONDO_DMA_IN && b->dir == RONDO_DMA_IN)
		return false;
	if (a->slot == b->slot)
		return overlap(a->slot_lo, a->slot_hi, b->slot_lo, b->slot_hi);
	return alias && alias == v->program.slots[b->slot].alias;
}

/* Against the transfers of all channels but @channel; DMA_RACE or DMA_SLOT_RACE. */
static u32 check_transfer(const struct rondo_verify *v, const struct rondo_transfer *t, u32 channel)
{
	u32 ch, i;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		for (i = 0; ch != channel && i < v->channel[ch].count; i++) {
			const struct rondo_transfer *other = &v->channel[ch].at[i];

			if (other->sram.lo == other->sram.hi)
				continue;
			if ((t->dir == RONDO_DMA_IN || other->dir == RONDO_DMA_IN) &&
			    overlap(t->sram.lo, t->sram.hi, other->sram.lo, other->sram.hi))
				return RONDO_ERR_DMA_RACE;
			if (slots_race(v, t, other))
				return RONDO_ERR_DMA_SLOT_RACE;
		}
	}
	return RONDO_ERR_NONE;
}

/* The bytes of SRAM that a transfer reads or writes, for verify_clear.c. */
static void note_sram(struct rondo_verify *v, const struct rondo_desc *desc, const u32 *steps,
		      const struct rondo_hull *hull)
{
	struct rondo_comb comb;
	u32 i;

	if (desc->dir == RONDO_DMA_OUT) {
		rondo_clear_read(v, hull);
		return;
	}
	if (desc->x0 || desc->y0 || desc->x1 + 1 < v->machine.mesh_w ||
	    desc->y1 + 1 < v->machine.mesh_h)
		return;
	rondo_comb_begin(&comb, desc->sram_base, desc->row_bytes);
	for (i = 0; i < RONDO_DMA_DIMS; i++)
		rondo_comb_extend(&comb, desc->sram_stride[i], desc->count[i] - 1);
	for (i = 0; i < RONDO_DMA_LOOP_DEPTH; i++)
		rondo_comb_loop(&comb, desc->sram_loop[i], steps[i], i);
	rondo_clear_written(v, &comb);
}

/* What the start moves over all trips, checked; *t stays empty if that is nothing. */
static u32 check_moves(struct rondo_verify *v, const struct rondo_op *op,
		       const struct rondo_desc *desc, struct rondo_transfer *t)
{
	struct rondo_extent *extent = &v->extent[desc->slot];
	struct rondo_hull sram, slot;
	u32 steps[RONDO_DMA_LOOP_DEPTH], error;

	if (!start_steps(v, op, steps))
		return RONDO_ERR_NONE;
	error = sram_hull(v, desc, steps, &sram);
	if (!error)
		error = slot_hull(desc, steps, &slot);
	if (error)
		return error;
	t->sram = (struct rondo_range){ (u32)sram.lo, (u32)sram.hi };
	t->slot_lo = (u64)slot.lo;
	t->slot_hi = (u64)slot.hi;
	error = check_transfer(v, t, op->channel);
	if (error)
		return error;
	if (desc->dir == RONDO_DMA_IN)
		add_extent(&extent->read_lo, &extent->read_hi, t);
	else
		add_extent(&extent->write_lo, &extent->write_hi, t);
	note_sram(v, desc, steps, &sram);
	return RONDO_ERR_NONE;
}

u32 rondo_verify_start(struct rondo_verify *v, const struct rondo_op *op)
{
	struct rondo_channel *channel = &v->channel[op->channel];
	const struct rondo_desc *desc;
	struct rondo_transfer t = { .bundle = v->next };
	u32 error, d;

	if (v->depth > RONDO_DMA_LOOP_DEPTH)
		return RONDO_ERR_DMA_DEPTH;
	if (op->desc >= v->program.header->descs)
		return RONDO_ERR_DMA_DESC;
	if (op->last > v->depth)
		return RONDO_ERR_DMA_LAST;
	desc = &v->program.descs[op->desc];
	for (d = v->depth; d < RONDO_DMA_LOOP_DEPTH; d++)
		if (desc->sram_loop[d] || desc->slot_loop[d])
			return RONDO_ERR_DMA_LOOP_INDEX;
	t.slot = desc->slot;
	t.dir = desc->dir;
	retire(v, channel, RONDO_DMA_OUTSTANDING - 1);
	error = check_moves(v, op, desc, &t);
	if (error)
		return error;
	channel->at[channel->count++] = t;
	v->outstanding++;
	rondo_time_start(&v->time, v->clock, op->channel, rondo_dma_cost(&v->machine, desc),
			 op->last);
	return check_dma_loops(v);
}

bool rondo_verify_races(const struct rondo_verify *v, const struct rondo_hull *hull, bool write)
{
	u32 ch, i;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		for (i = 0; i < v->channel[ch].count; i++) {
			const struct rondo_transfer *t = &v->channel[ch].at[i];

			if ((write || t->dir == RONDO_DMA_IN) &&
			    overlap((u64)hull->lo, (u64)hull->hi, t->sram.lo, t->sram.hi))
				return true;
		}
	}
	return false;
}

bool rondo_verify_carries(const struct rondo_verify *v)
{
	u32 first = v->loop[v->depth - 1].first, ch;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		const struct rondo_channel *channel = &v->channel[ch];

		if (channel->count && channel->at[channel->count - 1].bundle >= first)
			return true;
	}
	return false;
}
