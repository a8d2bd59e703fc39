// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Rectangles of tiles against sets of tiles: all of a small mesh, and those that leave it. */
#include "core/tiles.h"
#include "tests/tap.h"

enum { W = 4, H = 3 };

static const struct rondo_machine machine = { .mesh_w = W, .mesh_h = H };

/* Next in an order of all rectangles with corners up to (W, H), which is outside; false: none. */
static bool next(struct rondo_tiles *t)
{
	if (t->x0++ < W)
		return true;
	t->x0 = 0;
	if (t->y0++ < H)
		return true;
	t->y0 = 0;
	if (t->x1++ < W)
		return true;
	t->x1 = 0;
	return t->y1++ < H;
}

/* A bit for each tile; *outside: some are not of the mesh. */
static u32 set_of(struct rondo_tiles t, bool *outside)
{
	u32 set = 0, x, y;

	*outside = false;
	for (y = 0; y <= H; y++)
		for (x = 0; x <= W; x++) {
			if (x < t.x0 || x > t.x1 || y < t.y0 || y > t.y1)
				continue;
			*outside = *outside || x == W || y == H;
			set |= 1u << (y * (W + 1) + x);
		}
	return set;
}

static void test_pairs(struct rondo_tiles a, u32 a_set, u32 *wrong)
{
	struct rondo_tiles b = { 0, 0, 0, 0 };

	do {
		bool outside;
		u32 set = set_of(b, &outside);

		if (!set || outside)
			continue;
		*wrong += rondo_tiles_meet(a, b) != !!(a_set & set);
		*wrong += rondo_tiles_equal(a, b) != (a_set == set);
	} while (next(&b));
}

static void test_all(void)
{
	u32 valid = 0, wrong_valid = 0, wrong_count = 0, wrong_pairs = 0;
	struct rondo_tiles a = { 0, 0, 0, 0 };

	do {
		bool outside;
		u32 set = set_of(a, &outside);

		wrong_valid += rondo_tiles_valid(&machine, a) != (set && !outside);
		if (!set || outside)
			continue;
		valid++;
		wrong_count += rondo_tiles_count(a) != (u64)__builtin_popcount(set);
		test_pairs(a, set, &wrong_pairs);
	} while (next(&a));
	tap_eq(valid, W * (W + 1) / 2 * H * (H + 1) / 2, "rectangles of a mesh of 4 x 3");
	tap_eq(wrong_valid, 0, "which are valid");
	tap_eq(wrong_count, 0, "how many tiles they have");
	tap_eq(wrong_pairs, 0, "which of them meet, which are equal");
}

static void test_sources(void)
{
	const struct rondo_op mask = { .op = RONDO_OP_mask, .x0 = 1, .y0 = 2, .x1 = 3, .y1 = 2 };
	const struct rondo_op wait = { .op = RONDO_OP_wait };
	const struct rondo_desc desc = { .x0 = 1, .y0 = 2, .x1 = 3, .y1 = 2 };
	const struct rondo_tiles some = { 1, 2, 3, 2 }, all = { 0, 0, W - 1, H - 1 };

	tap_ok(rondo_tiles_equal(rondo_tiles_of_bundle(&machine, &mask), some), "of a mask");
	tap_ok(rondo_tiles_equal(rondo_tiles_of_bundle(&machine, &wait), all), "without a mask");
	tap_ok(rondo_tiles_equal(rondo_tiles_of_desc(&desc), some), "of a descriptor");
	tap_eq(rondo_tiles_count((struct rondo_tiles){ 0, 0, 65535, 65535 }), 1ull << 32,
	       "the number of tiles does not wrap");
}

int main(void)
{
	test_all();
	test_sources();
	return tap_done();
}
