// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * SRAM that may be read before it is written, and so must be cleared.
 *
 * Threat: a program that reads what another one, or the replay before, has left in SRAM.
 *
 * Mechanism: two bounded sets of intervals grow along the text. A read of bytes that are not in
 * `written` puts them into `clear`. Writes are strided interval sets (struct rondo_strided): a
 * block repeated along strides. One without gaps is put into `written` when its loops have ended;
 * the others wait for sets that fill their gaps.
 *
 * Invariant: every byte of `written` is certainly written, or cleared, at this point of the text.
 * The sets may only err towards clearing more, when they are full. Since the time of clearing is
 * part of a program's time, the exact rule is part of the instruction set: docs/reference/isa.md,
 * "Clearing".
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

/* [lo, hi) will be cleared, and so will the gaps that are closed when ranges are joined. */
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

void rondo_strided_begin(struct rondo_strided *s, s64 lo, s64 block)
{
	s->lo = lo;
	s->block = block;
	s->depth = RONDO_STRIDED_COMPLETE;
	s->dims = 0;
}

void rondo_strided_extend(struct rondo_strided *s, s64 stride, u32 steps)
{
	u32 i;

	if (!stride || !steps)
		return;
	if (stride < 0) {
		s->lo += stride * steps;
		stride = -stride;
	}
	if (s->dims == RONDO_CLEAR_SET_DIMS) {
		s->block = 0;
		return;
	}
	for (i = s->dims++; i > 0 && s->dim[i - 1].stride > stride; i--)
		s->dim[i] = s->dim[i - 1];
	s->dim[i] = (struct rondo_strided_dim){ stride, steps };
}

void rondo_strided_loop(struct rondo_strided *s, s64 stride, u32 steps, u32 depth)
{
	rondo_strided_extend(s, stride, steps);
	if (stride && steps)
		s->depth = lower(s->depth, depth);
}

/* Makes one block of the dimensions that leave no gap: their stride is within the block. */
static void close_gaps(struct rondo_strided *s)
{
	u32 closed = 0, i;

	while (closed < s->dims && s->dim[closed].stride <= s->block) {
		s->block += s->dim[closed].stride * s->dim[closed].steps;
		closed++;
	}
	s->dims -= closed;
	for (i = 0; i < s->dims; i++)
		s->dim[i] = s->dim[i + closed];
}

/* Adds @other to *@s if they differ only in where their blocks are, without a gap. */
static bool merge(struct rondo_strided *s, const struct rondo_strided *other)
{
	s64 end = s->lo + s->block, other_end = other->lo + other->block;
	u32 i;

	if (s->dims != other->dims || other->lo > end || s->lo > other_end)
		return false;
	for (i = 0; i < s->dims; i++)
		if (s->dim[i].stride != other->dim[i].stride ||
		    s->dim[i].steps != other->dim[i].steps)
			return false;
	if (other_end > end)
		end = other_end;
	if (other->lo < s->lo)
		s->lo = other->lo;
	s->block = end - s->lo;
	s->depth = lower(s->depth, other->depth);
	close_gaps(s);
	return true;
}

/* Whether all its bytes are one range, and written by now. */
static bool settled(const struct rondo_strided *s)
{
	return !s->dims && s->depth == RONDO_STRIDED_COMPLETE;
}

static void settle(struct rondo_clearing *c, const struct rondo_strided *s)
{
	add(&c->written, (u32)s->lo, (u32)(s->lo + s->block));
}

static void remove_strided(struct rondo_clearing *c, u32 index)
{
	c->set[index] = c->set[--c->sets];
}

void rondo_clear_written(struct rondo_verify *v, struct rondo_strided *s)
{
	struct rondo_clearing *c = &v->clearing;
	u32 i = 0;

	if (!s->block)
		return;
	close_gaps(s);
	/* A set that has grown may touch one that it did not touch before: start again. */
	while (i < c->sets && !settled(s)) {
		if (merge(s, &c->set[i])) {
			remove_strided(c, i);
			i = 0;
		} else {
			i++;
		}
	}
	if (settled(s))
		settle(c, s);
	else if (c->sets < RONDO_CLEAR_SETS_MAX)
		c->set[c->sets++] = *s;
	else
		c->set[c->replace++ % RONDO_CLEAR_SETS_MAX] = *s;
}

void rondo_clear_loop_end(struct rondo_verify *v, u32 depth)
{
	struct rondo_clearing *c = &v->clearing;
	u32 i = 0;

	while (i < c->sets) {
		struct rondo_strided *s = &c->set[i];

		if (s->depth == depth)
			s->depth = RONDO_STRIDED_COMPLETE;
		if (settled(s)) {
			settle(c, s);
			remove_strided(c, i);
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
