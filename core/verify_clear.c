// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * SRAM that may be read before it is written. The rule stands in docs/reference/isa.md.
 *
 * Everything here may only err towards clearing more: `written` may lack bytes that
 * are written, never hold one that is not.
 */
#include "core/verify_state.h"

static u32 lower(u32 a, u32 b)
{
	return a < b ? a : b;
}

static u32 higher(u32 a, u32 b)
{
	return a > b ? a : b;
}

/* Index of the first range that ends at or after @at. */
static u32 find(const struct rondo_ranges *set, u32 at)
{
	u32 lo = 0, hi = set->count;

	while (lo < hi) {
		u32 middle = (lo + hi) / 2;

		if (set->at[middle].hi < at)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static bool contains(const struct rondo_ranges *set, u32 lo, u32 hi)
{
	u32 i = find(set, lo);

	/* find() may stop at a range that only touches lo; the next begins after a gap. */
	return i < set->count && set->at[i].lo <= lo && hi <= set->at[i].hi;
}

static void drop(struct rondo_ranges *set, u32 first, u32 count)
{
	u32 i;

	set->count -= count;
	for (i = first; i < set->count; i++)
		set->at[i] = set->at[i + count];
}

static void insert(struct rondo_ranges *set, u32 at, struct rondo_range range)
{
	u32 i;

	for (i = set->count++; i > at; i--)
		set->at[i] = set->at[i - 1];
	set->at[at] = range;
}

/* Removes the shortest range if it is shorter than @bytes; returns whether it did. */
static bool forget(struct rondo_ranges *set, u32 bytes)
{
	u32 shortest = 0, i;

	for (i = 1; i < set->count; i++)
		if (set->at[i].hi - set->at[i].lo < set->at[shortest].hi - set->at[shortest].lo)
			shortest = i;
	if (set->at[shortest].hi - set->at[shortest].lo >= bytes)
		return false;
	drop(set, shortest, 1);
	return true;
}

/* Adds [lo, hi); a full set forgets its shortest range, or the new one. */
static void add(struct rondo_ranges *set, u32 lo, u32 hi)
{
	u32 first = find(set, lo), end = first;

	while (end < set->count && set->at[end].lo <= hi)
		end++;
	if (first < end) {
		set->at[first].lo = lower(lo, set->at[first].lo);
		set->at[first].hi = higher(hi, set->at[end - 1].hi);
		drop(set, first + 1, end - first - 1);
		return;
	}
	if (set->count == RONDO_CLEAR_WRITTEN_MAX) {
		if (!forget(set, hi - lo))
			return;
		first = find(set, lo);
	}
	insert(set, first, (struct rondo_range){ lo, hi });
}

/* Joins ranges over their smallest gaps until there are at most @count. */
static void join(struct rondo_ranges *set, u32 count)
{
	u32 best, i;

	while (set->count > count) {
		best = 1;
		for (i = 2; i < set->count; i++)
			if (set->at[i].lo - set->at[i - 1].hi <
			    set->at[best].lo - set->at[best - 1].hi)
				best = i;
		set->at[best - 1].hi = set->at[best].hi;
		drop(set, best, 1);
	}
}

/* [lo, hi) will be cleared, and so will be what joining ranges adds to it. */
static void clear(struct rondo_clearing *c, u32 lo, u32 hi)
{
	u32 i;

	add(&c->clear, lo, hi);
	join(&c->clear, RONDO_CLEAR_RANGES_MAX);
	i = find(&c->clear, hi);
	add(&c->written, c->clear.at[i].lo, c->clear.at[i].hi);
}

void rondo_clear_read(struct rondo_verify *v, const struct rondo_hull *hull)
{
	const struct rondo_ranges *written = &v->clearing.written;
	u32 lo = (u32)hull->lo, hi = (u32)hull->hi, gap_end, i;

	while (lo < hi && !contains(written, lo, hi)) {
		i = find(written, lo);
		if (i < written->count && written->at[i].lo <= lo) {
			lo = written->at[i].hi;
			i++;
		}
		gap_end = i < written->count ? lower(hi, written->at[i].lo) : hi;
		clear(&v->clearing, lo, gap_end);
		lo = gap_end;
	}
}

bool rondo_clear_knows(const struct rondo_verify *v, const struct rondo_hull *hull)
{
	return contains(&v->clearing.written, (u32)hull->lo, (u32)hull->hi);
}

void rondo_comb_begin(struct rondo_comb *comb, s64 lo, s64 block)
{
	comb->lo = lo;
	comb->block = block;
	comb->depth = RONDO_COMB_COMPLETE;
	comb->dims = 0;
}

void rondo_comb_extend(struct rondo_comb *comb, s64 stride, u32 steps)
{
	u32 i;

	if (!stride || !steps)
		return;
	if (stride < 0) {
		comb->lo += stride * steps;
		stride = -stride;
	}
	if (comb->dims == RONDO_CLEAR_COMB_DIMS) {
		comb->block = 0;
		return;
	}
	for (i = comb->dims++; i > 0 && comb->dim[i - 1].stride > stride; i--)
		comb->dim[i] = comb->dim[i - 1];
	comb->dim[i] = (struct rondo_comb_dim){ stride, steps };
}

void rondo_comb_loop(struct rondo_comb *comb, s64 stride, u32 steps, u32 depth)
{
	rondo_comb_extend(comb, stride, steps);
	if (stride && steps)
		comb->depth = lower(comb->depth, depth);
}

/* Makes one block of the dimensions that leave no gap: their stride is within the block. */
static void close_gaps(struct rondo_comb *comb)
{
	u32 closed = 0, i;

	while (closed < comb->dims && comb->dim[closed].stride <= comb->block) {
		comb->block += comb->dim[closed].stride * comb->dim[closed].steps;
		closed++;
	}
	comb->dims -= closed;
	for (i = 0; i < comb->dims; i++)
		comb->dim[i] = comb->dim[i + closed];
}

/* Adds @other to *@comb if they differ only in where their blocks are, without a gap. */
static bool merge(struct rondo_comb *comb, const struct rondo_comb *other)
{
	s64 end = comb->lo + comb->block, other_end = other->lo + other->block;
	u32 i;

	if (comb->dims != other->dims || other->lo > end || comb->lo > other_end)
		return false;
	for (i = 0; i < comb->dims; i++)
		if (comb->dim[i].stride != other->dim[i].stride ||
		    comb->dim[i].steps != other->dim[i].steps)
			return false;
	if (other_end > end)
		end = other_end;
	if (other->lo < comb->lo)
		comb->lo = other->lo;
	comb->block = end - comb->lo;
	comb->depth = lower(comb->depth, other->depth);
	close_gaps(comb);
	return true;
}

/* Whether all its bytes are one range, and written by now. */
static bool settled(const struct rondo_comb *comb)
{
	return !comb->dims && comb->depth == RONDO_COMB_COMPLETE;
}

static void settle(struct rondo_clearing *c, const struct rondo_comb *comb)
{
	add(&c->written, (u32)comb->lo, (u32)(comb->lo + comb->block));
}

static void remove_comb(struct rondo_clearing *c, u32 index)
{
	c->comb[index] = c->comb[--c->combs];
}

void rondo_clear_written(struct rondo_verify *v, struct rondo_comb *comb)
{
	struct rondo_clearing *c = &v->clearing;
	u32 i = 0;

	if (!comb->block)
		return;
	close_gaps(comb);
	/* What it grows by may make it touch one that it was looked at with before. */
	while (i < c->combs && !settled(comb)) {
		if (merge(comb, &c->comb[i])) {
			remove_comb(c, i);
			i = 0;
		} else {
			i++;
		}
	}
	if (settled(comb))
		settle(c, comb);
	else if (c->combs < RONDO_CLEAR_COMBS_MAX)
		c->comb[c->combs++] = *comb;
	else
		c->comb[c->replace++ % RONDO_CLEAR_COMBS_MAX] = *comb;
}

void rondo_clear_loop_end(struct rondo_verify *v, u32 depth)
{
	struct rondo_clearing *c = &v->clearing;
	u32 i = 0;

	while (i < c->combs) {
		struct rondo_comb *comb = &c->comb[i];

		if (comb->depth == depth)
			comb->depth = RONDO_COMB_COMPLETE;
		if (settled(comb)) {
			settle(c, comb);
			remove_comb(c, i);
		} else {
			i++;
		}
	}
}

u64 rondo_clear_finish(struct rondo_verify *v)
{
	const struct rondo_ranges *clear = &v->clearing.clear;
	u32 i;

	v->facts.clear_count = clear->count;
	for (i = 0; i < clear->count; i++)
		v->facts.clear[i] = clear->at[i];
	return rondo_clear_cycles(&v->machine, &v->facts);
}

u64 rondo_clear_cycles(const struct rondo_machine *machine, const struct rondo_facts *facts)
{
	u32 rate = machine->clear_bytes_per_cycle, i;
	u64 cycles = 0;

	for (i = 0; i < facts->clear_count; i++) {
		u32 bytes = facts->clear[i].hi - facts->clear[i].lo;

		cycles += bytes / rate + !!(bytes % rate);
	}
	return cycles;
}

u32 rondo_cleared_bytes(const struct rondo_facts *facts)
{
	u32 bytes = 0, i;

	for (i = 0; i < facts->clear_count; i++)
		bytes += facts->clear[i].hi - facts->clear[i].lo;
	return bytes;
}
