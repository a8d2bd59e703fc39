// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/affine.h"

/*
 * All segments are full except perhaps the last, so the highest byte is in one of the first, the
 * last full one and the last. Counts are below 2^7 and strides below 2^31: nothing overflows.
 */
static struct rondo_hull row_hull(const struct rondo_access *a)
{
	struct rondo_hull hull = { 0, (s64)a->count * a->size };
	s64 len = a->entry->seg_len, stride = a->entry->seg_stride, full, rest, end;

	if (!rondo_access_segmented(a))
		return hull;
	full = (a->count - 1) / len; /* segments before the last */
	rest = a->count - full * len; /* elements of the last: 1..len */
	hull.hi = len * a->size;
	end = (full - 1) * stride + hull.hi;
	if (end > hull.hi)
		hull.hi = end;
	end = full * stride + rest * a->size;
	if (end > hull.hi)
		hull.hi = end;
	if (stride < 0)
		hull.lo = full * stride;
	return hull;
}

struct rondo_hull rondo_access_hull(const struct rondo_access *a)
{
	struct rondo_hull hull = row_hull(a);

	rondo_hull_extend(&hull, a->entry->pitch, a->rows - 1);
	return hull;
}
