// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The transfers that may be outstanding at each bundle.
 *
 * Threat: a bundle that touches bytes which a transfer is still moving. Whether it is depends on
 * the trip.
 *
 * Mechanism: for each channel a list of single starts, each in a trip of its own loops that is
 * known relative to the present one, with a box of the indices for which it is outstanding at its
 * position. When a loop is entered, the scan of its body has told how a trip moves positions and
 * what it leaves. What was outstanding before the loop is so in its first trip, and in each later
 * one that it outlasts the trips before: at another position each time, or, if the body starts
 * nothing on its channel, at the same one in all. What a trip leaves is outstanding in the next,
 * and in those after it which it outlasts: in trip i what trips i - 1, i - 2, ... have left, from
 * trips 1, 2, ... on. When a loop ends, the starts of its last trip remain.
 *
 * Invariant: for any indices of the open loops, the starts whose boxes contain them are exactly
 * the transfers that are outstanding in that trip.
 *
 * How many there can be: a start at position m before a loop of T trips with A starts each becomes
 * one at each position m + tA < 4 with t < T, and the loop itself leaves one at each position. An
 * outer loop's A is at least that of the inner one times its T. Over all A, T and depths the
 * greatest number is 34: three loops, of 2, 2 and 4 trips, with one start in the innermost.
 */
#include "core/verify_state.h"

static const struct rondo_desc *desc_of(const struct rondo_verify *v,
					const struct rondo_transfer *t)
{
	return &v->program.descs[t->desc];
}

s64 rondo_outstanding_sram(const struct rondo_verify *v, const struct rondo_transfer *t,
			   const u32 *at)
{
	u32 sum = t->sram, d;

	for (d = 0; d < t->depth; d++)
		sum += (u32)desc_of(v, t)->sram_loop[d] * at[d];
	return sum;
}

s64 rondo_outstanding_slot(const struct rondo_verify *v, const struct rondo_transfer *t,
			   const u32 *at)
{
	u64 sum = t->slot;
	u32 d;

	for (d = 0; d < t->depth; d++)
		sum += (u64)desc_of(v, t)->slot_loop[d] * at[d];
	return (s64)sum;
}

/* Fills in t->lo and t->hi; false if they are not in SRAM. */
static bool locate(const struct rondo_verify *v, struct rondo_transfer *t)
{
	const struct rondo_desc *desc = desc_of(v, t);
	s64 first = rondo_outstanding_sram(v, t, t->from);
	struct rondo_hull hull = { first, first + desc->row_bytes };
	u32 i;

	for (i = 0; i < RONDO_DMA_DIMS; i++)
		if (!rondo_hull_extend(&hull, desc->sram_stride[i], desc->count[i] - 1))
			return false;
	for (i = 0; i < t->depth; i++)
		if (!rondo_hull_extend(&hull, desc->sram_loop[i], t->to[i] - t->from[i]))
			return false;
	if (!rondo_hull_inside(&hull, v->machine.sram_bytes))
		return false;
	t->lo = (u32)hull.lo;
	t->hi = (u32)hull.hi;
	return true;
}

/*
 * The list never overflows, by the argument above. If it did, the count would still grow, no wait
 * would take it back to zero, and halt would refuse the program.
 */
static void add(struct rondo_verify *v, struct rondo_channel *channel,
		const struct rondo_transfer *t)
{
	v->outstanding++;
	if (channel->count < RONDO_TRANSFERS)
		channel->at[channel->count++] = *t;
}

void rondo_outstanding_wait(struct rondo_verify *v, u32 channel, u32 outstanding)
{
	struct rondo_channel *c = &v->channel[channel];
	u32 i, kept = 0;

	for (i = 0; i < c->count; i++)
		if (c->at[i].position < outstanding)
			c->at[kept++] = c->at[i];
	v->outstanding -= c->count - kept;
	c->count = kept;
}

void rondo_outstanding_push(struct rondo_verify *v, u32 channel)
{
	struct rondo_channel *c = &v->channel[channel];
	u32 i;

	rondo_outstanding_wait(v, channel, RONDO_DMA_OUTSTANDING - 1);
	for (i = 0; i < c->count; i++)
		c->at[i].position++;
}

void rondo_outstanding_new(const struct rondo_verify *v, u32 desc, const u32 *steps,
			   struct rondo_transfer *t)
{
	u32 d;

	*t = (struct rondo_transfer){ .desc = (u16)desc, .depth = (u8)v->depth };
	t->slot = desc_of(v, t)->slot_base;
	t->sram = desc_of(v, t)->sram_base;
	for (d = 0; d < v->depth; d++)
		t->to[d] = steps[d];
	locate(v, t);
}

void rondo_outstanding_start(struct rondo_verify *v, u32 channel, const struct rondo_transfer *t)
{
	add(v, &v->channel[channel], t);
}

/* *t was outstanding before the loop at depth @d. */
static void enter_old(struct rondo_verify *v, struct rondo_channel *channel,
		      struct rondo_transfer *t, const struct rondo_trip *trip, u32 d)
{
	struct rondo_transfer later;
	u32 steps = v->loop[d].steps, i;

	t->from[d] = t->to[d] = 0;
	if (!trip->starts) {
		if (rondo_trip_keeps(trip, t->position, 1))
			t->to[d] = steps;
		return;
	}
	later = *t;
	for (i = 1; i <= steps && rondo_trip_keeps(trip, t->position, i); i++) {
		later.from[d] = later.to[d] = i;
		later.position = t->position + i * trip->starts;
		add(v, channel, &later);
	}
}

/* *t becomes what the trip @age before the present one left; false if that is nothing. */
static bool carry(const struct rondo_verify *v, const struct rondo_left *left, u32 age, u32 d,
		  struct rondo_transfer *t)
{
	const struct rondo_desc *desc = &v->program.descs[left->desc];
	u32 i;

	*t = (struct rondo_transfer){ .slot = left->slot - (u64)desc->slot_loop[d] * age,
				      .sram = left->sram - (u32)desc->sram_loop[d] * age,
				      .desc = left->desc,
				      .depth = (u8)(d + 1) };
	for (i = 0; i <= d; i++)
		t->to[i] = v->loop[i].steps;
	t->from[d] = age;
	/* In the loop itself it is that of a trip before, which is not the last. */
	if (left->last && left->last <= d && !t->to[left->last - 1]--)
		return false;
	return locate(v, t);
}

/* One whose bytes are not in SRAM is left out: its start will be refused. */
static void enter_left(struct rondo_verify *v, struct rondo_channel *channel,
		       const struct rondo_left *left, const struct rondo_trip *trip, u32 d)
{
	struct rondo_transfer t;
	u32 age;

	for (age = 1; age <= v->loop[d].steps; age++) {
		u32 position = left->position + (age - 1) * trip->starts;

		if (position >= RONDO_DMA_OUTSTANDING ||
		    !rondo_trip_keeps(trip, left->position, age - 1))
			return;
		if (!carry(v, left, age, d, &t))
			continue;
		t.position = position;
		add(v, channel, &t);
	}
}

void rondo_outstanding_enter(struct rondo_verify *v)
{
	u32 d, ch, i, count;

	if (!v->scan.dma)
		return;
	for (d = v->scan.base; d < v->depth; d++) {
		for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
			struct rondo_channel *channel = &v->channel[ch];
			const struct rondo_trip *trip = &v->trip[d][ch];

			count = channel->count;
			for (i = 0; i < count; i++)
				enter_old(v, channel, &channel->at[i], trip, d);
			for (i = 0; i < trip->count; i++)
				enter_left(v, channel, &trip->left[i], trip, d);
		}
	}
	v->dma_depth = v->depth;
}

/* Whether *t is outstanding in the last trip of the loop at depth @d; it becomes that of this trip.
 */
static bool leave(const struct rondo_verify *v, struct rondo_transfer *t, u32 d)
{
	const struct rondo_desc *desc = desc_of(v, t);
	u32 steps = v->loop[d].steps;

	if (t->to[d] != steps)
		return false;
	if (t->depth > d) {
		t->sram += (u32)desc->sram_loop[d] * steps;
		t->slot += (u64)desc->slot_loop[d] * steps;
		t->depth = (u8)d;
	}
	return locate(v, t);
}

void rondo_outstanding_leave(struct rondo_verify *v)
{
	u32 d = v->depth - 1, ch, i, kept;

	if (v->dma_depth <= d)
		return;
	v->dma_depth = d;
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		struct rondo_channel *channel = &v->channel[ch];

		for (i = kept = 0; i < channel->count; i++)
			if (leave(v, &channel->at[i], d))
				channel->at[kept++] = channel->at[i];
		v->outstanding -= channel->count - kept;
		channel->count = kept;
	}
}
