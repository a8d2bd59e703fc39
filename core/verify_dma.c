// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Starts and waits.
 *
 * Threat: a transfer that touches bytes outside of SRAM, or of its slot outside of the extent for
 * which buffers are compared when they are bound.
 *
 * Mechanism: the interval hull of its addresses over all trips, dimensions and tiles, in SRAM
 * compared with its size, in the slot added to the slot's extents, which must be those of the
 * slot table at the end.
 *
 * Invariant: extent[] is the hull of all bytes that the starts so far touch in each slot.
 */
#include "core/verify_state.h"

enum { WORK = 7 }; /* units of a start or a wait, for each matrix */

/* A start or a wait has been counted. */
static u32 check_work(struct rondo_verify *v)
{
	if (!rondo_dma_work(v, WORK * rondo_time_combinations(&v->time)))
		return RONDO_ERR_DMA_WORK;
	if (v->time.dma_loops > RONDO_DMA_LOOPS_MAX)
		return RONDO_ERR_DMA_LOOPS;
	return RONDO_ERR_NONE;
}

u32 rondo_verify_waits(struct rondo_verify *v, const struct rondo_op *op)
{
	u32 error, ch;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		if (!op->wait[ch])
			continue;
		if (op->wait[ch] > RONDO_DMA_OUTSTANDING)
			return RONDO_ERR_CANONICAL;
		if (v->depth > RONDO_DMA_LOOP_DEPTH)
			return RONDO_ERR_DMA_DEPTH;
		rondo_outstanding_wait(v, ch, op->wait[ch] - 1u);
		rondo_time_wait(&v->time, v->clock, ch, op->wait[ch] - 1u);
		error = check_work(v);
		if (error)
			return error;
	}
	return RONDO_ERR_NONE;
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
	return rondo_hull_inside(hull, v->machine.sram_bytes) ? RONDO_ERR_NONE :
								RONDO_ERR_DMA_SRAM_BOUNDS;
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

static void add_extent(u64 *lo, u64 *hi, const struct rondo_hull *hull)
{
	if (*lo == *hi) {
		*lo = (u64)hull->lo;
		*hi = (u64)hull->hi;
		return;
	}
	if ((u64)hull->lo < *lo)
		*lo = (u64)hull->lo;
	if ((u64)hull->hi > *hi)
		*hi = (u64)hull->hi;
}

/* Tells verify_clear.c the bytes of SRAM that a transfer reads or writes. */
static void note_sram(struct rondo_verify *v, const struct rondo_desc *desc, const u32 *steps,
		      const struct rondo_hull *hull)
{
	struct rondo_strided s;
	u32 i;

	if (desc->dir == RONDO_DMA_OUT) {
		rondo_clear_read(v, hull);
		return;
	}
	if (!rondo_tiles_equal(rondo_tiles_of_desc(desc), rondo_tiles_all(&v->machine)))
		return;
	rondo_strided_begin(&s, desc->sram_base, desc->row_bytes);
	for (i = 0; i < RONDO_DMA_DIMS; i++)
		rondo_strided_extend(&s, desc->sram_stride[i], desc->count[i] - 1);
	for (i = 0; i < RONDO_DMA_LOOP_DEPTH; i++)
		rondo_strided_loop(&s, desc->sram_loop[i], steps[i], i);
	rondo_clear_written(v, &s);
}

/* Checks what a start moves over all trips; it is not empty in all of them. */
static u32 check_moves(struct rondo_verify *v, const struct rondo_op *op,
		       const struct rondo_desc *desc, const u32 *steps)
{
	struct rondo_extent *extent = &v->extent[desc->slot];
	struct rondo_hull sram, slot;
	struct rondo_transfer t;
	u32 error;

	error = sram_hull(v, desc, steps, &sram);
	if (!error)
		error = slot_hull(desc, steps, &slot);
	if (error)
		return error;
	rondo_outstanding_new(v, op->desc, steps, &t);
	error = rondo_race_start(v, op->channel, &t);
	if (error)
		return error;
	rondo_outstanding_start(v, op->channel, &t);
	if (desc->dir == RONDO_DMA_IN)
		add_extent(&extent->read_lo, &extent->read_hi, &slot);
	else
		add_extent(&extent->write_lo, &extent->write_hi, &slot);
	note_sram(v, desc, steps, &sram);
	return RONDO_ERR_NONE;
}

u32 rondo_verify_start(struct rondo_verify *v, const struct rondo_op *op)
{
	const struct rondo_desc *desc;
	u32 steps[RONDO_DMA_LOOP_DEPTH], error, d;

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
	rondo_outstanding_push(v, op->channel);
	if (start_steps(v, op, steps)) {
		error = check_moves(v, op, desc, steps);
		if (error)
			return error;
	}
	rondo_time_start(&v->time, v->clock, op->channel, rondo_dma_cost(&v->machine, desc),
			 op->last);
	return check_work(v);
}
