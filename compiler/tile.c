// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/tile.h"

/* The next push of @run that starts at container @at; its row and offset are the caller's. */
static struct tile_k cut(const struct tile_run *run, s64 at, int lanes)
{
	s64 seg = at / run->len, rest = run->len - at % run->len;
	struct tile_k k = { .offset = run->offset + seg * run->stride + at % run->len * 4 };
	s64 segs = lanes / run->len;

	if (at % run->len || !segs) { /* segments longer than a push: within one */
		k.count = rest < lanes ? rest : lanes;
		return k;
	}
	if (segs > run->segs - seg)
		segs = run->segs - seg;
	k.count = segs * run->len;
	if (segs > 1 && run->stride != run->len * 4) {
		k.seg_len = run->len;
		k.seg_stride = run->stride;
	}
	return k;
}

struct tile_ks tile_k(struct arena *arena, const struct rondo_machine *m,
		      const struct tile_run *runs, int n)
{
	struct tile_ks ks = { 0 };
	s64 most = 0, row = 0, at;
	int i;

	for (i = 0; i < n; i++)
		most += runs[i].segs * (1 + runs[i].len / m->lanes);
	ks.k = arena_alloc(arena, most * sizeof(*ks.k));
	if (!ks.k)
		return ks;
	for (i = 0; i < n; i++) {
		for (at = 0; at < runs[i].segs * runs[i].len; at += ks.k[ks.n++].count) {
			ks.k[ks.n] = cut(&runs[i], at, m->lanes);
			ks.k[ks.n].row = row + at;
		}
		row += runs[i].segs * runs[i].len;
	}
	return ks;
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
