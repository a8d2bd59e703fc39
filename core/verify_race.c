// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Dependence of transfers.
 *
 * Threat: a transfer that is outstanding writes what a bundle or another transfer reads or writes;
 * the result would depend on which is faster.
 *
 * Mechanism: the test of overlap.h. The indices of the DMA loops around both are common and have
 * equal values; the others (compute loops, lane patterns, dimensions of transfers, tiles) belong to
 * one of the two.
 *
 * Invariant: an answer "no" is proved.
 */
#include "core/overlap.h"
#include "core/verify_state.h"

enum {
	NODE = 2, /* units of one branch of the search */
	EXACT = 64, /* units of an exact comparison; one of hulls has one */
	PER_BUNDLE = 256, /* units that cost about as much as a bundle */
};

/* Adds (@a - @b) * n, 0 <= n <= @steps. */
static void add_difference(struct rondo_overlap *g, s64 a, s64 b, u32 steps)
{
	s64 stride;

	if (!steps)
		return;
	g->overflow |= check_sub_overflow(a, b, &stride);
	rondo_overlap_add(g, stride, 0, steps);
}

static bool solvable(struct rondo_verify *v, struct rondo_overlap *g)
{
	u32 nodes;
	bool found = rondo_overlap_possible(g, &nodes);

	v->dma_work += NODE * nodes;
	return found;
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
static void add_rows(struct rondo_overlap *g, const struct rondo_desc *desc, s64 sign)
{
	u32 i;

	for (i = 0; i < RONDO_DMA_DIMS; i++)
		rondo_overlap_add(g, sign * desc->sram_stride[i], 0, desc->count[i] - 1);
}

/* Whether @segments blocks of @elements, the first of them @first bytes on, meet *t in any trip. */
static bool blocks_meet(struct rondo_verify *v, const struct rondo_access *a, s64 first,
			u32 elements, u32 segments, const struct rondo_transfer *t)
{
	const struct rondo_desc *desc = &v->program.descs[t->desc];
	const struct rondo_entry *entry = a->entry;
	s64 at = rondo_access_base(a) + first;
	struct rondo_overlap g;
	u32 d;

	/* All sums are between the ends of the access's hull: no overflow. */
	for (d = 0; d < v->dma_depth; d++)
		at += (s64)entry->stride[d] * t->from[d];
	rondo_overlap_begin(&g, at, elements * a->size, rondo_outstanding_sram(v, t, t->from),
			    desc->row_bytes);
	for (d = 0; d < v->dma_depth; d++)
		add_difference(&g, entry->stride[d], sram_stride(desc, t, d),
			       t->to[d] - t->from[d]);
	for (; d < v->depth; d++)
		rondo_overlap_add(&g, entry->stride[d], 0, v->loop[d].steps);
	rondo_overlap_add(&g, entry->seg_stride, 0, segments - 1);
	rondo_overlap_add(&g, entry->pitch, 0, a->rows - 1);
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
	struct rondo_overlap g;
	u32 d;

	rondo_overlap_begin(&g, rondo_outstanding_sram(v, p->a, p->from), p->a_desc->row_bytes,
			    rondo_outstanding_sram(v, p->b, p->from), p->b_desc->row_bytes);
	for (d = 0; d < v->dma_depth; d++)
		add_difference(&g, sram_stride(p->a_desc, p->a, d), sram_stride(p->b_desc, p->b, d),
			       p->to[d] - p->from[d]);
	add_rows(&g, p->a_desc, 1);
	add_rows(&g, p->b_desc, -1);
	return solvable(v, &g);
}

/* Adds the term @sign * stride * n, @sign 1 or -1. */
static void add_signed(struct rondo_overlap *g, s64 stride, s64 sign, u32 from, u32 to)
{
	if (!to)
		return;
	if (sign < 0)
		g->overflow |= check_sub_overflow((s64)0, stride, &stride);
	rondo_overlap_add(g, stride, from, to);
}

/* Dimensions of a transfer in its slot. */
static void add_slot_rows(struct rondo_overlap *g, const struct rondo_desc *desc, s64 sign)
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
	struct rondo_overlap g;
	u32 d;

	if (a != b)
		return alias && alias == v->program.slots[b].alias;
	rondo_overlap_begin(&g, rondo_outstanding_slot(v, p->a, p->from), p->a_desc->row_bytes,
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
