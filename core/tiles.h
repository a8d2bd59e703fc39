/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Rectangles of tiles: those that take part in a bundle (its mask) or in a transfer.
 */
#ifndef RONDO_CORE_TILES_H
#define RONDO_CORE_TILES_H

#include "core/isa.h"
#include "spec/program.h"

/* Columns x0..x1 of rows y0..y1 of the mesh, inclusive. */
struct rondo_tiles {
	u16 x0, y0, x1, y1;
};

/* All tiles of @m. */
static inline struct rondo_tiles rondo_tiles_all(const struct rondo_machine *m)
{
	return (struct rondo_tiles){ 0, 0, m->mesh_w - 1, m->mesh_h - 1 };
}

/* Those that take part in the bundle whose C operation is @control. */
static inline struct rondo_tiles rondo_tiles_of_bundle(const struct rondo_machine *m,
						       const struct rondo_op *control)
{
	if (control->op != RONDO_OP_mask)
		return rondo_tiles_all(m);
	return (struct rondo_tiles){ control->x0, control->y0, control->x1, control->y1 };
}

static inline struct rondo_tiles rondo_tiles_of_desc(const struct rondo_desc *desc)
{
	return (struct rondo_tiles){ desc->x0, desc->y0, desc->x1, desc->y1 };
}

/* Whether there is a tile in @t, and all are tiles of @m. */
static inline bool rondo_tiles_valid(const struct rondo_machine *m, struct rondo_tiles t)
{
	return t.x0 <= t.x1 && t.x1 < m->mesh_w && t.y0 <= t.y1 && t.y1 < m->mesh_h;
}

/* The rest is about rectangles that are valid. */

static inline u64 rondo_tiles_count(struct rondo_tiles t)
{
	return (t.x1 - t.x0 + 1ull) * (t.y1 - t.y0 + 1ull);
}

static inline bool rondo_tiles_equal(struct rondo_tiles a, struct rondo_tiles b)
{
	return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

/* Whether the two have a tile in common. */
static inline bool rondo_tiles_meet(struct rondo_tiles a, struct rondo_tiles b)
{
	return a.x0 <= b.x1 && b.x0 <= a.x1 && a.y0 <= b.y1 && b.y0 <= a.y1;
}

#endif
