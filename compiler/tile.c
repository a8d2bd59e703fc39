// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/tile.h"

#include <string.h>

/*
 * How to cut the columns of a rectangle of @segs rows that are left behind whole pushes: best[w] is
 * the number of pushes for w of them, of which the first width[w] are together.
 */
struct cuts {
	s64 segs, best[RONDO_LANES_MAX + 1], width[RONDO_LANES_MAX + 1];
};

static s64 rows_of_push(s64 lanes, s64 width)
{
	return lanes / width;
}

static void find_cuts(s64 lanes, s64 segs, struct cuts *c)
{
	if (c->segs == segs)
		return;
	*c = (struct cuts){ .segs = segs };
	for (s64 w = 1; w <= lanes; w++) {
		c->best[w] = INT64_MAX;
		for (s64 first = w; first; first--) {
			s64 rows = rows_of_push(lanes, first);
			s64 pushes = (segs + rows - 1) / rows + c->best[w - first];

			if (pushes >= c->best[w])
				continue;
			c->best[w] = pushes;
			c->width[w] = first;
		}
	}
}

s64 tile_pushes(const struct rondo_machine *m, s64 segs, s64 len)
{
	struct cuts c = { 0 };

	find_cuts(m->lanes, segs, &c);
	return len / m->lanes * segs + c.best[len % m->lanes];
}

/* What is cut to pushes. */
struct cutting {
	struct tile_ks *ks;
	s64 row, point; /* of the run's first container */
};

/* Pushes for columns [@at, @at + @width) of @run. */
static void cut_columns(struct cutting *c, const struct tile_run *run, s64 lanes, s64 at, s64 width)
{
	s64 most = rows_of_push(lanes, width), segs;

	for (s64 seg = 0; seg < run->segs; seg += segs) {
		struct tile_k *k = &c->ks->k[c->ks->n++];

		segs = run->segs - seg < most ? run->segs - seg : most;
		*k = (struct tile_k){ .offset = run->offset + seg * run->stride + at * 4,
				      .count = (int)(segs * width),
				      .row = c->row,
				      .point = c->point + seg * run->len + at,
				      .width = width,
				      .pitch = run->len };
		if (segs > 1 && run->stride != width * 4) {
			k->seg_len = (int)width;
			k->seg_stride = run->stride;
		}
		c->row += k->count;
	}
}

static void cut_run(struct cutting *c, const struct tile_run *run, s64 lanes,
		    const struct cuts *cuts)
{
	s64 at = 0, left = run->len % lanes;

	for (; at + lanes <= run->len; at += lanes)
		cut_columns(c, run, lanes, at, lanes);
	for (; left; at += cuts->width[left], left -= cuts->width[left])
		cut_columns(c, run, lanes, at, cuts->width[left]);
	c->point += run->segs * run->len;
}

struct tile_ks tile_k(struct arena *arena, const struct rondo_machine *m,
		      const struct tile_run *runs, int n)
{
	struct tile_ks ks = { 0 };
	struct cutting c = { .ks = &ks };
	struct cuts cuts = { 0 };
	s64 most = 0;

	for (int i = 0; i < n; i++) {
		find_cuts(m->lanes, runs[i].segs, &cuts);
		most += runs[i].len / m->lanes * runs[i].segs + cuts.best[runs[i].len % m->lanes];
	}
	ks.k = arena_alloc(arena, most * sizeof(*ks.k));
	for (int i = 0; ks.k && i < n; i++) {
		find_cuts(m->lanes, runs[i].segs, &cuts);
		cut_run(&c, &runs[i], m->lanes, &cuts);
	}
	return ks;
}

void tile_shortest_first(struct tile_ks *ks)
{
	struct tile_k least;
	s64 row = 0;
	int at = 0;

	if (!ks->k)
		return;
	for (int i = 1; i < ks->n; i++)
		at = ks->k[i].count < ks->k[at].count ? i : at;
	least = ks->k[at];
	memmove(&ks->k[1], &ks->k[0], (size_t)at * sizeof(*ks->k));
	ks->k[0] = least;
	for (int i = 0; i < ks->n; row += ks->k[i++].count)
		ks->k[i].row = row;
}

struct tile_strip tile_pixels(const struct rondo_machine *m, s64 w, s64 h)
{
	struct tile_strip s = { .w = w, .h = 1 };
	s64 strips;

	if (w > m->acc_rows) {
		s.w = m->acc_rows;
		return s;
	}
	s.h = m->acc_rows / w;
	strips = (h + s.h - 1) / s.h;
	s.h = (h + strips - 1) / strips;
	return s;
}
