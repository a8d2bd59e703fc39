/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What lower_tiles.c, which lowers a stage tile by tile, and lower_roll.c, which makes loops of
 * tiles, share.
 */
#ifndef COMPILER_LOWER_TILES_H
#define COMPILER_LOWER_TILES_H

#include "compiler/lower.h"

/* A stage in tiles. */
struct tiled {
	struct stage s; /* of inputs that are read in steps, what is read */
	struct plan plan;
	struct operand_at source[STAGE_INPUTS];
	struct tiled
		*maker[STAGE_INPUTS]; /* of the input, as tiles need it; NULL: it is somewhere */
	struct box rest[STAGE_INPUTS]; /* what it has to make for the next tile; rank 0: nothing */
	bool alone; /* it fills an output that nobody reads */
	struct lower_tile state; /* l->tile of its tiles */
	int short_ends; /* along that dimension the first and the last tile are short; -1: none is
			 */
};

/* A part of a domain. */
struct part {
	s64 origin[STAGE_DIMS], size[STAGE_DIMS];
};

/* One tile of @t; @out: where what it makes goes, if a tile of another stage needs it. */
int lower_tile_of(struct lowering *l, struct tiled *t, const struct part *tile,
		  const struct part *next, const struct operand_at *out);

/* What @tile needs of input @i, in the layout that the plan wants. */
struct box lower_box_of(const struct tiled *t, int i, const struct part *tile);

/* Whether box @b of @from, which is outside, is in layout @want as it comes in. */
bool lower_comes_as(const struct operand_at *from, const struct layout *want, const struct box *b);

/* All tiles of @t, as loops where they are many. */
int lower_rolled(struct lowering *l, struct tiled *t);

#endif
