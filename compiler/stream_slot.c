// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Which slots are free when. A kernel has its slots from its first operation in them to its last
 * one; gaps that kernels leave, waiting for what they read, are for those that come later in the
 * program and need not wait: the padding of a layer is filled long before the layer begins.
 */
#include "compiler/stream_builder.h"

/* The bundles of @p, from its start on, in which slot @slot is in use: [*lo, *hi); none: false. */
static bool use_of(const struct placing *p, int slot, u64 *lo, u64 *hi)
{
	u32 first = UINT32_MAX, last = 0;

	for (int i = 0; i < p->k->ops; i++) {
		if (p->s->slot[i] != slot)
			continue;
		first = p->s->at[i] < first ? p->s->at[i] : first;
		last = p->s->at[i] > last ? p->s->at[i] : last;
	}
	*lo = first;
	*hi = (p->count - 1) * p->s->interval + last + 1;
	return first != UINT32_MAX;
}

/*
 * Whether @p may stand in gaps: not if it may have to wait there for a transfer, while what stands
 * behind the gap would not have to. When early ones end is known.
 */
static bool fits_in_gaps(const struct builder *b, const struct placing *p)
{
	bool reads = false;

	for (int i = 0; i < p->k->ops; i++)
		reads |= rondo_op_reads_sram(p->k->op[i].op.op);
	return b->t->early || !reads;
}

/* The first bundle from @at on from which @s is free for @bundles. */
static u64 first_fit(const struct slot_use *s, bool in_gaps, u64 at, u64 bundles)
{
	for (int i = 0; i < s->gaps && in_gaps; i++) {
		u64 lo = max_of(at, s->gap[i].lo);

		if (lo + bundles <= s->gap[i].hi)
			return lo;
	}
	return max_of(at, s->free);
}

void stream_wait_slots(const struct builder *b, const struct placing *p, u64 *start)
{
	bool in_gaps = fits_in_gaps(b, p);
	u64 lo, hi, was;

	do {
		was = *start;
		for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			if (use_of(p, slot, &lo, &hi))
				*start = first_fit(&b->slot[slot], in_gaps, *start + lo, hi - lo) -
					 lo;
		}
	} while (*start != was);
}

/* Adds gap [@lo, @hi) at place @i; if there is no room, the shortest one is forgotten. */
static void add_gap(struct slot_use *s, int i, u64 lo, u64 hi)
{
	int least = 0;

	if (lo >= hi)
		return;
	if (s->gaps == SLOT_GAPS) {
		for (int g = 1; g < s->gaps; g++) {
			if (s->gap[g].hi - s->gap[g].lo < s->gap[least].hi - s->gap[least].lo)
				least = g;
		}
		if (s->gap[least].hi - s->gap[least].lo >= hi - lo)
			return;
		s->gaps--;
		memmove(&s->gap[least], &s->gap[least + 1], (s->gaps - least) * sizeof(*s->gap));
		i -= least < i;
	}
	memmove(&s->gap[i + 1], &s->gap[i], (s->gaps - i) * sizeof(*s->gap));
	s->gap[i].lo = lo;
	s->gap[i].hi = hi;
	s->gaps++;
}

static void take(struct slot_use *s, u64 lo, u64 hi)
{
	int i = 0;

	if (lo >= s->free) {
		u64 free = s->free;

		s->free = hi;
		add_gap(s, s->gaps, free, lo);
		return;
	}
	while (s->gap[i].hi < hi)
		i++;
	if (hi < s->gap[i].hi) {
		u64 end = s->gap[i].hi;

		s->gap[i].hi = lo;
		add_gap(s, i + 1, hi, end);
	} else {
		s->gap[i].hi = lo;
	}
}

void stream_take_slots(struct builder *b, const struct placing *p)
{
	u64 last = p->start + (p->count - 1) * p->s->interval, lo, hi;

	for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
		if (use_of(p, slot, &lo, &hi))
			take(&b->slot[slot], p->start + lo, p->start + hi);
	}
	for (int i = 0; i < p->k->ops; i++) {
		u64 latency = rondo_latency(b->l->machine, p->k->op[i].op.op);

		b->busy_until = max_of(b->busy_until, last + p->s->at[i] + max_of(latency, 1));
	}
}
