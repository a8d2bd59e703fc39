/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a stage takes that is computed in tiles: of SRAM, of the channels, and of the unit that
 * computes it. It follows from the plan, from the size of its tiles, and from which values are
 * outside or made box by box (struct plans); plan_tiles.c chooses by it.
 */
#ifndef COMPILER_PLAN_COST_H
#define COMPILER_PLAN_COST_H

#include "compiler/plan.h"

enum {
	PLAN_TILES_MAX = 1 << 14, /* of one stage */
	PLAN_CHANNEL_BYTES = 64, /* that a channel moves in a cycle */
};

#define PLAN_COUNT_MAX (UINT64_C(1) << 32)

struct plan_takes {
	u64 bytes; /* of SRAM, beside the values that live there */
	u64 cycles; /* of one channel, to move what all tiles need */
	u64 work; /* cycles of the unit that makes them, about */
	u64 transfers; /* at least: a box or a piece of weights may be cut into several */
};

/* What all tiles of @size points of stage @s take. */
struct plan_takes plan_takes_of(const struct plans *p, const struct rondo_machine *m,
				const struct stage *s, const struct plan *plan, const s64 *size);

/*
 * About how many cycles all tiles of @size points take: each takes turns with the others in its
 * buffers, in which it comes in, is worked on and goes out, beside the others.
 */
u64 plan_cycles(const struct plans *p, const struct rondo_machine *m, const struct stage *s,
		const struct plan *plan, const s64 *size);

/* How an input is made box by box. */
struct plan_made {
	struct box box; /* that a tile needs */
	bool kept; /* its end is the beginning of the next one */
	s64 step[STAGE_DIMS]; /* points of the maker: what the tile before has not left of it */
};

/*
 * How stage @by makes input @i of @s for tiles of @size points; false: it would make something
 * twice.
 */
bool plan_made_for(const struct stage *s, const struct plan *plan, int i, const struct stage *by,
		   const s64 *size, struct plan_made *made);

/* How many tiles of @size points there are; more than PLAN_COUNT_MAX: or still more. */
u64 plan_count_tiles(const struct stage *s, const s64 *size);

/*
 * Whether tiles of @size points may be loops: what they touch lies in slots, or moves no tile; and
 * how many of them are text then, about.
 */
bool plan_may_roll(const struct plans *p, const struct stage *s, const struct plan *plan,
		   const s64 *size);
u64 plan_text_tiles(const struct stage *s, const struct plan *plan, const s64 *size);

/* The number of the dimension of a product that lies in the lanes. */
int plan_column(const struct stage *s);

/* Whether what @a takes depends on dimension @d. */
bool plan_moves(const struct stage_access *a, int d);

/* Whether input @i of @s is constant weights of the matrix unit. */
bool plan_is_weights(const struct stage *s, const struct plan *plan, int i);

/*
 * Weight rows of a column of tiles of @size points: one for each container of what they sum over.
 */
u64 plan_rows(const struct stage *s, const s64 *size);

/* Bytes of all constant weights of @s, as they are packed. */
u64 plan_weights_bytes(const struct stage *s);

#endif
