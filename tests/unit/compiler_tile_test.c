// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Tiling: over many shapes, the pushes together read exactly the containers of the runs, and say
 * which those are, none with more than the machine's lanes; and strips fill the accumulator file
 * without exceeding it.
 */
#include "compiler/tile.h"
#include "core/machine.h"
#include "tests/tap.h"

enum { RUNS_MAX = 3, SEGS_MAX = 12, LEN_MAX = 200 };

/* Byte address of container @e of push @k, as the machine's lane patterns define it. */
static s64 address(const struct tile_k *k, int e)
{
	if (!k->seg_len)
		return k->offset + e * 4;
	return k->offset + e / k->seg_len * k->seg_stride + e % k->seg_len * 4;
}

/* Where container @point of K is. */
static s64 place(const struct tile_run *runs, s64 point)
{
	while (point >= runs->segs * runs->len) {
		point -= runs->segs * runs->len;
		runs++;
	}
	return runs->offset + point / runs->len * runs->stride + point % runs->len * 4;
}

static bool covers(const struct tile_ks *ks, const struct tile_run *runs, int n, int lanes)
{
	static bool seen[RUNS_MAX * SEGS_MAX * LEN_MAX];
	s64 row = 0, all = 0;

	for (int i = 0; i < n; i++)
		all += runs[i].segs * runs[i].len;
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < ks->n; row += ks->k[i++].count) {
		const struct tile_k *k = &ks->k[i];

		if (k->row != row || k->count < 1 || k->count > lanes)
			return false;
		for (int e = 0; e < k->count; e++) {
			s64 point = tile_k_point(k, e);

			if (point < 0 || point >= all || seen[point] ||
			    address(k, e) != place(runs, point))
				return false;
			seen[point] = true;
		}
	}
	return row == all;
}

static void test_cover(const struct rondo_machine *m)
{
	static const s64 lens[] = { 1, 3, 5, 9, 32, 63, 64, 65, 128, 200 };
	struct tile_run runs[RUNS_MAX];
	bool good = true;
	size_t i, j;

	for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		for (j = 1; j <= SEGS_MAX; j++) {
			struct arena arena = { 0 };
			struct tile_ks ks;
			int r;

			for (r = 0; r < RUNS_MAX; r++)
				runs[r] = (struct tile_run){ .offset = r * 100000,
							     .segs = j,
							     .len = lens[i],
							     .stride = lens[i] * 4 + r * 12 };
			ks = tile_k(&arena, m, runs, RUNS_MAX);
			good &= covers(&ks, runs, RUNS_MAX, m->lanes) &&
				ks.n == RUNS_MAX * tile_pushes(m, j, lens[i]);
			arena_free(&arena);
		}
	}
	tap_ok(good, "pushes take each container once, and as many as are counted");
}

/* A 5x5 window of one channel in rows of 28 pixels: one push. */
static void test_window(const struct rondo_machine *m)
{
	struct tile_run run = { .segs = 5, .len = 5, .stride = 112 };
	struct arena arena = { 0 };
	struct tile_ks ks = tile_k(&arena, m, &run, 1);

	tap_eq(ks.n, 1, "a whole window is one push");
	tap_eq(ks.k[0].count, 25, "of 25 containers");
	tap_eq(ks.k[0].seg_len, 5, "in segments of 5");
	tap_eq(ks.k[0].seg_stride, 112, "a row apart");
	arena_free(&arena);
}

/* Windows of several rows: as few pushes as their area needs. */
static void test_few(const struct rondo_machine *m)
{
	static const struct {
		s64 segs, len, pushes;
	} cases[] = { { 3, 96, 5 }, { 6, 48, 5 }, { 4, 64, 4 },
		      { 3, 24, 2 }, { 5, 80, 7 }, { 1, 200, 4 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		tap_ok(tile_pushes(m, cases[i].segs, cases[i].len) == cases[i].pushes,
		       "%lld rows of %lld are %lld pushes", (long long)cases[i].segs,
		       (long long)cases[i].len, (long long)cases[i].pushes);
}

static s64 strips(s64 rows, s64 height)
{
	return (rows + height - 1) / height;
}

static void test_strips(const struct rondo_machine *m)
{
	static const s64 widths[] = { 1, 10, 28, 511, 512, 513, 4000 };
	bool good = true;
	size_t i;
	s64 h;

	for (i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		for (h = 1; h < 600; h += 7) {
			struct tile_strip s = tile_pixels(m, widths[i], h);

			good &= s.w >= 1 && s.h >= 1 && s.w <= widths[i] && s.h <= h;
			good &= s.w * s.h <= m->acc_rows;
			/* as few as there can be, and no lower ones would do */
			good &= strips(h, s.h) == strips(h, m->acc_rows / s.w);
			good &= s.h == 1 || strips(h, s.h - 1) > strips(h, s.h);
			good &= s.w == widths[i] || s.w == m->acc_rows;
		}
	}
	tap_ok(good, "strips are as few as the accumulator file allows, and of one height");
}

int main(void)
{
	struct rondo_machine m;

	rondo_machine_init(&m, RONDO_MACHINE_edge);
	test_cover(&m);
	test_few(&m);
	test_window(&m);
	test_strips(&m);
	return tap_done();
}
