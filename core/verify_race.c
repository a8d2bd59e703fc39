// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Dependence tests: whether two affine accesses may touch one byte.
 *
 * Threat: a transfer that is outstanding writes what a bundle or another transfer reads or writes;
 * the result would depend on which is faster.
 *
 * Mechanism: both accesses are blocks of bytes at a base plus a sum of strides times indices. The
 * indices of the DMA loops around both are common and have equal values, so only the difference
 * of the strides counts; the others (compute loops, lane patterns, dimensions of transfers, tiles)
 * belong to one of the two. The blocks overlap for some indices if and only if a bounded linear
 * Diophantine inequality has a solution:
 *
 *	lo <= sum of stride * n <= hi	for integers 0 <= n <= steps of each term
 *
 * It is decided by branch and bound on n, from the greatest stride down. A branch is pruned by the
 * Banerjee test, when the interval is out of reach of the remaining terms, or by the GCD test,
 * when it contains no multiple of the greatest common divisor of their strides.
 *
 * Invariant: an answer "no" is proved. The answer is exact unless the search takes more than NODES
 * branches or 64 bits do not suffice; then it is "may".
 */
#include "core/verify_state.h"

enum {
	TERMS = 16, /* 3 + 2 (3 + 2) of two transfers, 8 + 2 + 3 of an access and a transfer */
	NODES = 64, /* of the search */
	NODE = 2, /* units of one */
	EXACT = 64, /* units of an exact comparison; one of hulls has one */
	PER_BUNDLE = 256, /* units that cost about as much as a bundle */
};

struct term {
	s64 stride; /* > 0 */
	s64 steps; /* > 0 */
};

/* The inequality above. Terms are in order of falling strides, all different. */
struct inequality {
	s64 lo, hi;
	u32 count;
	bool overflow; /* 64 bits do not suffice */
	struct term term[TERMS];
};

static void shift(struct inequality *g, s64 by)
{
	g->overflow |= check_sub_overflow(g->lo, by, &g->lo) ||
		       check_sub_overflow(g->hi, by, &g->hi);
}

static void insert(struct inequality *g, s64 stride, s64 steps)
{
	u32 at = g->count, i;

	while (at > 0 && g->term[at - 1].stride < stride)
		at--;
	if (at > 0 && g->term[at - 1].stride == stride) {
		g->term[at - 1].steps += steps;
		return;
	}
	for (i = g->count++; i > at; i--)
		g->term[i] = g->term[i - 1];
	g->term[at] = (struct term){ stride, steps };
}

/* Adds the term stride * n, @from <= n <= @to. */
static void add_term(struct inequality *g, s64 stride, u32 from, u32 to)
{
	s64 steps = (s64)to - from, by;

	if (!stride)
		return;
	g->overflow |= check_mul_overflow(stride, (s64)from, &by);
	shift(g, by);
	if (stride < 0) {
		g->overflow |= check_mul_overflow(stride, steps, &by) ||
			       check_sub_overflow((s64)0, stride, &stride);
		shift(g, by);
	}
	if (steps && !g->overflow)
		insert(g, stride, steps);
}

/* Adds (@a - @b) * n, 0 <= n <= @steps. */
static void add_difference(struct inequality *g, s64 a, s64 b, u32 steps)
{
	s64 stride;

	if (!steps)
		return;
	g->overflow |= check_sub_overflow(a, b, &stride);
	add_term(g, stride, 0, steps);
}

/* Removes terms whose stride is no greater than the interval: they leave no gap, and widen it. */
static void absorb(struct inequality *g)
{
	s64 length, reach;

	while (g->count && !g->overflow) {
		const struct term *least = &g->term[g->count - 1];

		g->overflow |= check_sub_overflow(g->hi, g->lo, &length) ||
			       check_mul_overflow(least->stride, least->steps, &reach);
		if (g->overflow || least->stride - 1 > length)
			return;
		g->overflow |= check_sub_overflow(g->lo, reach, &g->lo);
		g->count--;
	}
}

/* What the terms from the k-th on can add up to, for the tests of Banerjee and of the GCD. */
struct reach {
	s64 most; /* the greatest sum; the least is 0 */
	s64 divisor; /* common to all sums; 0 if the only sum is 0 */
};

static s64 common_divisor(s64 a, s64 b)
{
	while (b) {
		s64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static bool sum_up(struct inequality *g, struct reach reach[TERMS + 1])
{
	u32 k;

	reach[g->count] = (struct reach){ 0, 0 };
	for (k = g->count; k-- > 0;) {
		s64 most;

		if (check_mul_overflow(g->term[k].stride, g->term[k].steps, &most) ||
		    check_add_overflow(most, reach[k + 1].most, &reach[k].most))
			return false;
		reach[k].divisor = common_divisor(g->term[k].stride, reach[k + 1].divisor);
	}
	return true;
}

/* The values of n that are left for a term, and the interval for it and the terms after it. */
struct branch {
	s64 lo, hi, n, last;
};

static struct branch choose(const struct inequality *g, const struct reach *reach, u32 k, s64 lo,
			    s64 hi)
{
	struct branch c = { lo, hi, 0, -1 };
	s64 stride = g->term[k].stride, least = lo > 0 ? lo : 0;

	if (hi < 0 || lo > reach[k].most || hi / reach[k].divisor * reach[k].divisor < least)
		return c;
	c.last = hi / stride;
	if (c.last > g->term[k].steps)
		c.last = g->term[k].steps;
	if (lo > reach[k + 1].most)
		c.n = (lo - reach[k + 1].most - 1) / stride + 1;
	return c;
}

/* Whether there is a solution, or the search was cut off; *nodes: the branches that it took. */
static bool search(const struct inequality *g, const struct reach *reach, u32 *nodes)
{
	struct branch branch[TERMS];
	u32 k = 0;

	branch[0] = choose(g, reach, 0, g->lo, g->hi);
	for (*nodes = 0; *nodes < NODES; ++*nodes) {
		struct branch *c = &branch[k];
		s64 sum;

		if (c->n > c->last) {
			if (!k)
				return false;
			k--;
			continue;
		}
		if (k + 1 == g->count)
			return true;
		sum = c->n++ * g->term[k].stride;
		branch[k + 1] = choose(g, reach, k + 1, c->lo - sum, c->hi - sum);
		k++;
	}
	return true;
}

/* Whether the inequality has a solution, or may have one. */
static bool solvable(struct rondo_verify *v, struct inequality *g)
{
	struct reach reach[TERMS + 1];
	bool found;
	u32 nodes;

	absorb(g);
	if (g->overflow || !sum_up(g, reach))
		return true;
	if (!g->count)
		return g->lo <= 0 && g->hi >= 0;
	found = search(g, reach, &nodes);
	v->dma_work += NODE * nodes;
	return found;
}

/* That of a block of @a_bytes at @a and one of @b_bytes at @b, without terms. */
static void begin(struct inequality *g, s64 a, s64 a_bytes, s64 b, s64 b_bytes)
{
	g->count = 0;
	g->overflow = check_sub_overflow(b, a, &g->lo) ||
		      check_add_overflow(g->lo, b_bytes - 1, &g->hi) ||
		      check_sub_overflow(g->lo, a_bytes - 1, &g->lo);
}

bool rondo_dma_work(struct rondo_verify *v, u32 units)
{
	u64 before = v->dma_work / PER_BUNDLE;

	v->dma_work += units;
	rondo_verify_charge(v, (u32)(v->dma_work / PER_BUNDLE - before));
	return v->dma_work <= RONDO_DMA_WORK_MAX;
}

/* Coefficient of the index of the loop at depth @d. */
static s64 sram_stride(const struct rondo_desc *desc, const struct rondo_transfer *t, u32 d)
{
	return d < t->depth ? desc->sram_loop[d] : 0;
}

static s64 slot_stride(const struct rondo_desc *desc, const struct rondo_transfer *t, u32 d)
{
	return d < t->depth ? desc->slot_loop[d] : 0;
}

/* Dimensions of a transfer in SRAM, @sign 1 or -1 times. */
static void add_rows(struct inequality *g, const struct rondo_desc *desc, s64 sign)
{
	u32 i;

	for (i = 0; i < RONDO_DMA_DIMS; i++)
		add_term(g, sign * desc->sram_stride[i], 0, desc->count[i] - 1);
}

/* Whether @segments blocks of @elements, the first of them @first bytes on, meet *t in any trip. */
static bool blocks_meet(struct rondo_verify *v, const struct rondo_access *a, s64 first,
			u32 elements, u32 segments, const struct rondo_transfer *t)
{
	const struct rondo_desc *desc = &v->program.descs[t->desc];
	const struct rondo_entry *entry = a->entry;
	s64 at = rondo_access_base(a) + first;
	struct inequality g;
	u32 d;

	/* All sums are between the ends of the access's hull: no overflow. */
	for (d = 0; d < v->dma_depth; d++)
		at += (s64)entry->stride[d] * t->from[d];
	begin(&g, at, elements * a->size, rondo_outstanding_sram(v, t, t->from), desc->row_bytes);
	for (d = 0; d < v->dma_depth; d++)
		add_difference(&g, entry->stride[d], sram_stride(desc, t, d),
			       t->to[d] - t->from[d]);
	for (; d < v->depth; d++)
		add_term(&g, entry->stride[d], 0, v->loop[d].steps);
	add_term(&g, entry->seg_stride, 0, segments - 1);
	add_term(&g, entry->pitch, 0, a->rows - 1);
	add_rows(&g, desc, -1);
	return solvable(v, &g);
}

/* All segments are full except the last, which may be shorter. */
static bool access_meets(struct rondo_verify *v, const struct rondo_access *a,
			 const struct rondo_transfer *t)
{
	u32 segment = a->entry->seg_len, full, rest;

	if (!rondo_access_segmented(a))
		return blocks_meet(v, a, 0, a->count, 1, t);
	full = a->count / segment;
	rest = a->count % segment;
	return blocks_meet(v, a, 0, segment, full, t) ||
	       (rest && blocks_meet(v, a, (s64)full * a->entry->seg_stride, rest, 1, t));
}

u32 rondo_race_access(struct rondo_verify *v, const struct rondo_access *a,
		      const struct rondo_hull *hull, bool write)
{
	u32 lo = (u32)hull->lo, hi = (u32)hull->hi, ch, i;

	if (!rondo_dma_work(v, v->outstanding))
		return RONDO_ERR_DMA_WORK;
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		for (i = 0; i < v->channel[ch].count; i++) {
			const struct rondo_transfer *t = &v->channel[ch].at[i];
			const struct rondo_desc *desc = &v->program.descs[t->desc];

			if (t->lo >= hi || lo >= t->hi)
				continue;
			if ((!write && desc->dir == RONDO_DMA_OUT) ||
			    !rondo_tiles_meet(v->tiles, rondo_tiles_of_desc(desc)))
				continue;
			if (!rondo_dma_work(v, EXACT))
				return RONDO_ERR_DMA_WORK;
			if (access_meets(v, a, t))
				return RONDO_ERR_DMA_RACE;
		}
	}
	return RONDO_ERR_NONE;
}

/* Two starts, in the common trips: [from, to] of each DMA loop. */
struct pair {
	const struct rondo_transfer *a, *b;
	const struct rondo_desc *a_desc, *b_desc;
	u32 from[RONDO_DMA_LOOP_DEPTH], to[RONDO_DMA_LOOP_DEPTH];
};

/* False if the two are never outstanding together. */
static bool pair_up(const struct rondo_verify *v, struct pair *p)
{
	u32 d;

	p->a_desc = &v->program.descs[p->a->desc];
	p->b_desc = &v->program.descs[p->b->desc];
	for (d = 0; d < v->dma_depth; d++) {
		p->from[d] = p->a->from[d] > p->b->from[d] ? p->a->from[d] : p->b->from[d];
		p->to[d] = p->a->to[d] < p->b->to[d] ? p->a->to[d] : p->b->to[d];
		if (p->from[d] > p->to[d])
			return false;
	}
	return true;
}

static bool sram_meets(struct rondo_verify *v, const struct pair *p)
{
	struct inequality g;
	u32 d;

	begin(&g, rondo_outstanding_sram(v, p->a, p->from), p->a_desc->row_bytes,
	      rondo_outstanding_sram(v, p->b, p->from), p->b_desc->row_bytes);
	for (d = 0; d < v->dma_depth; d++)
		add_difference(&g, sram_stride(p->a_desc, p->a, d), sram_stride(p->b_desc, p->b, d),
			       p->to[d] - p->from[d]);
	add_rows(&g, p->a_desc, 1);
	add_rows(&g, p->b_desc, -1);
	return solvable(v, &g);
}

/* Adds the term @sign * stride * n, @sign 1 or -1. */
static void add_signed(struct inequality *g, s64 stride, s64 sign, u32 from, u32 to)
{
	if (!to)
		return;
	if (sign < 0)
		g->overflow |= check_sub_overflow((s64)0, stride, &stride);
	add_term(g, stride, from, to);
}

/* Dimensions of a transfer in its slot. */
static void add_slot_rows(struct inequality *g, const struct rondo_desc *desc, s64 sign)
{
	u32 i;

	for (i = 0; i < RONDO_DMA_DIMS; i++)
		add_signed(g, desc->slot_stride[i], sign, 0, desc->count[i] - 1);
	add_signed(g, desc->slot_x, sign, desc->x0, desc->x1);
	add_signed(g, desc->slot_y, sign, desc->y0, desc->y1);
}

/* Slots of one alias group are one memory; where each lies in it is known only when it is bound. */
static bool slot_meets(struct rondo_verify *v, const struct pair *p)
{
	u16 a = p->a_desc->slot, b = p->b_desc->slot, alias = v->program.slots[a].alias;
	struct inequality g;
	u32 d;

	if (a != b)
		return alias && alias == v->program.slots[b].alias;
	begin(&g, rondo_outstanding_slot(v, p->a, p->from), p->a_desc->row_bytes,
	      rondo_outstanding_slot(v, p->b, p->from), p->b_desc->row_bytes);
	for (d = 0; d < v->dma_depth; d++)
		add_difference(&g, slot_stride(p->a_desc, p->a, d), slot_stride(p->b_desc, p->b, d),
			       p->to[d] - p->from[d]);
	add_slot_rows(&g, p->a_desc, 1);
	add_slot_rows(&g, p->b_desc, -1);
	return solvable(v, &g);
}

/* Two reads are no race: those of a slot by transfers in, those of SRAM by transfers out. */
static u32 check_pair(struct rondo_verify *v, const struct pair *p)
{
	bool in = p->a_desc->dir == RONDO_DMA_IN || p->b_desc->dir == RONDO_DMA_IN;
	bool out = p->a_desc->dir == RONDO_DMA_OUT || p->b_desc->dir == RONDO_DMA_OUT;

	if (in && p->a->lo < p->b->hi && p->b->lo < p->a->hi &&
	    rondo_tiles_meet(rondo_tiles_of_desc(p->a_desc), rondo_tiles_of_desc(p->b_desc))) {
		if (!rondo_dma_work(v, EXACT))
			return RONDO_ERR_DMA_WORK;
		if (sram_meets(v, p))
			return RONDO_ERR_DMA_RACE;
	}
	if (out && p->a_desc->slot == p->b_desc->slot && !rondo_dma_work(v, EXACT))
		return RONDO_ERR_DMA_WORK;
	return out && slot_meets(v, p) ? RONDO_ERR_DMA_SLOT_RACE : RONDO_ERR_NONE;
}

u32 rondo_race_start(struct rondo_verify *v, u32 channel, const struct rondo_transfer *t)
{
	u32 ch, i, error;

	if (!rondo_dma_work(v, v->outstanding))
		return RONDO_ERR_DMA_WORK;
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++) {
		for (i = 0; ch != channel && i < v->channel[ch].count; i++) {
			struct pair p = { .a = t, .b = &v->channel[ch].at[i] };

			if (!pair_up(v, &p))
				continue;
			error = check_pair(v, &p);
			if (error)
				return error;
		}
	}
	return RONDO_ERR_NONE;
}
