// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/binding.h"

/* Bytes of a buffer; empty if lo == hi. */
struct span {
	u64 lo, hi;
};

/* What an extent of the slot, which fits, may be of the buffer: up to the largest offset. */
static struct span span_of(const struct rondo_bound *bound, u64 lo, u64 hi)
{
	u64 chosen = 0;

	if (lo == hi)
		return (struct span){ 0, 0 };
	if (bound->slot->flags & RONDO_SLOT_DYNAMIC)
		chosen = bound->size - bound->offset - rondo_slot_end(bound->slot);
	return (struct span){ bound->offset + lo, bound->offset + hi + chosen };
}

static bool overlap(struct span a, struct span b)
{
	return a.lo < b.hi && b.lo < a.hi;
}

static struct span written(const struct rondo_bound *bound)
{
	return span_of(bound, bound->slot->write_lo, bound->slot->write_hi);
}

bool rondo_bound_fits(const struct rondo_bound *bound)
{
	return bound->offset <= bound->size &&
	       rondo_slot_end(bound->slot) <= bound->size - bound->offset;
}

bool rondo_bound_writes_read(const struct rondo_bound *a, const struct rondo_bound *b)
{
	return overlap(written(a), span_of(b, b->slot->read_lo, b->slot->read_hi));
}

bool rondo_bound_writes_written(const struct rondo_bound *a, const struct rondo_bound *b)
{
	return overlap(written(a), written(b));
}

bool rondo_bound_clash(const struct rondo_bound *a, const struct rondo_bound *b)
{
	if (a->slot->alias && a->slot->alias == b->slot->alias)
		return false;
	return rondo_bound_writes_read(a, b) || rondo_bound_writes_written(a, b);
}
