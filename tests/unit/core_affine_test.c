// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Hulls of accesses against their elements, one by one. */
#include "core/affine.h"
#include "tests/tap.h"

enum { COUNT = 7, STRIDE = 9 };

/* What holds the @size bytes at @at as well. */
static void join(struct rondo_hull *hull, s64 at, u32 size)
{
	hull->lo = at < hull->lo ? at : hull->lo;
	hull->hi = at + size > hull->hi ? at + size : hull->hi;
}

static bool right(const struct rondo_access *a)
{
	struct rondo_hull expected = { 0, 0 }, hull = rondo_access_hull(a);
	u32 len = a->entry->seg_len ? a->entry->seg_len : a->count, row, i;

	for (row = 0; row < a->rows; row++)
		for (i = 0; i < a->count; i++)
			join(&expected,
			     (s64)row * a->entry->pitch + (s64)(i / len) * a->entry->seg_stride +
				     i % len * a->size,
			     a->size);
	return hull.lo == expected.lo && hull.hi == expected.hi;
}

static u32 wrong_with(struct rondo_access a, struct rondo_entry *entry)
{
	u32 wrong = 0;

	for (a.count = 1; a.count <= COUNT; a.count++)
		for (a.rows = 1; a.rows <= 4; a.rows++)
			for (entry->pitch = -STRIDE; entry->pitch <= STRIDE; entry->pitch += 3)
				wrong += !right(&a);
	return wrong;
}

static void test_hulls(void)
{
	struct rondo_entry entry = { .base = 100 };
	struct rondo_access a = { .entry = &entry, .off = 7 };
	u32 wrong = 0;

	for (a.size = 1; a.size <= 4; a.size *= 2)
		for (entry.seg_len = 0; entry.seg_len <= COUNT; entry.seg_len++)
			for (entry.seg_stride = -STRIDE; entry.seg_stride <= STRIDE;
			     entry.seg_stride++)
				wrong += wrong_with(a, &entry);
	tap_eq(wrong, 0, "hulls of small accesses");
	tap_eq(rondo_access_base(&a), 107, "an access begins at base and offset");
}

static void test_segments(void)
{
	struct rondo_entry entry = { .seg_len = 4 };
	struct rondo_access a = { .entry = &entry, .size = 1, .count = 4, .rows = 1 };

	tap_ok(!rondo_access_segmented(&a), "one full segment is none");
	a.count = 5;
	tap_ok(rondo_access_segmented(&a), "one element more begins another");
	entry.seg_len = 0;
	tap_ok(!rondo_access_segmented(&a), "no length, no segments");
}

static void test_extend(void)
{
	struct rondo_hull hull = { 10, 14 }, top = { 0, INT64_MAX - 5 }, bottom = { INT64_MIN, 0 };

	tap_ok(rondo_hull_extend(&hull, 3, 2) && hull.lo == 10 && hull.hi == 20,
	       "a stride upwards moves the end");
	tap_ok(rondo_hull_extend(&hull, -4, 3) && hull.lo == -2 && hull.hi == 20,
	       "a stride downwards moves the begin");
	tap_ok(rondo_hull_extend(&top, 5, 1) && !rondo_hull_extend(&top, 1, 1),
	       "no end above 2^63 - 1");
	tap_ok(rondo_hull_extend(&bottom, -1, 0) && !rondo_hull_extend(&bottom, -1, 1),
	       "no begin below -2^63");
	tap_ok(!rondo_hull_extend(&hull, INT64_MAX, 2), "a product that does not fit");
}

static void test_relations(void)
{
	const struct rondo_hull a = { 4, 8 }, before = { 0, 4 }, after = { 8, 9 };
	const struct rondo_hull inside = { 5, 6 }, around = { 0, 9 }, below = { -1, 3 };

	tap_ok(!rondo_hulls_meet(&a, &before) && !rondo_hulls_meet(&before, &a),
	       "neighbours below do not meet");
	tap_ok(!rondo_hulls_meet(&a, &after) && !rondo_hulls_meet(&after, &a),
	       "neighbours above do not meet");
	tap_ok(rondo_hulls_meet(&a, &inside) && rondo_hulls_meet(&a, &around) &&
		       rondo_hulls_meet(&before, &below),
	       "what shares a byte meets");
	tap_ok(rondo_hull_inside(&around, 9) && !rondo_hull_inside(&around, 8) &&
		       !rondo_hull_inside(&below, 9),
	       "inside is from 0 to the end");
}

int main(void)
{
	test_hulls();
	test_segments();
	test_extend();
	test_relations();
	return tap_done();
}
