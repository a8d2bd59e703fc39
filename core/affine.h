/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Affine accesses: the bytes that an operation touches around its address, and their hull over
 * the trips of loops. Arithmetic is exact; what may overflow says so.
 */
#ifndef RONDO_CORE_AFFINE_H
#define RONDO_CORE_AFFINE_H

#include "core/isa.h"
#include "spec/program.h"

/* The smallest interval [lo, hi) that holds all addresses of an access. */
struct rondo_hull {
	s64 lo, hi;
};

/* Extends @hull by the addresses with @stride added 0 to @steps times; false if they overflow. */
static inline bool rondo_hull_extend(struct rondo_hull *hull, s64 stride, u32 steps)
{
	s64 span;

	if (check_mul_overflow(stride, (s64)steps, &span))
		return false;
	if (span < 0)
		return !check_add_overflow(hull->lo, span, &hull->lo);
	return !check_add_overflow(hull->hi, span, &hull->hi);
}

/* Whether all of @hull is inside [0, @end). */
static inline bool rondo_hull_inside(const struct rondo_hull *hull, u64 end)
{
	return hull->lo >= 0 && (u64)hull->hi <= end;
}

static inline bool rondo_hulls_meet(const struct rondo_hull *a, const struct rondo_hull *b)
{
	return a->lo < b->hi && b->lo < a->hi;
}

/*
 * What an operation touches in SRAM in one trip: in each of @rows rows, entry.pitch apart, @count
 * elements of @size bytes in segments as the entry has them. All three are at least 1.
 */
struct rondo_access {
	const struct rondo_entry *entry;
	u32 off, size, count, rows;
};

/* Whether its elements are in more than one segment. */
static inline bool rondo_access_segmented(const struct rondo_access *a)
{
	return a->entry->seg_len && a->count > a->entry->seg_len;
}

/* Its address at the first trips of all loops. */
static inline s64 rondo_access_base(const struct rondo_access *a)
{
	return (s64)a->entry->base + a->off;
}

/* The bytes that it touches in one trip, relative to its address. */
struct rondo_hull rondo_access_hull(const struct rondo_access *a);

#endif
