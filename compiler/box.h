/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Boxes: the part of a value that a tile touches, and how such a part lies in a buffer of its own.
 *
 * What is not in SRAM as a whole lies outside, in a slot, in the same layout that it would have in
 * SRAM, padding included. A box of it lies in SRAM with its dimensions in the same order, without
 * gaps. So what comes in or goes out is rows of the slot, and where a box takes whole rows, planes
 * and images of the value, these are one.
 */
#ifndef COMPILER_BOX_H
#define COMPILER_BOX_H

#include "compiler/layout.h"
#include "compiler/stage.h"

/* Cells of a value: coordinates from lo on, n of each. Those of the padding are outside of
 * 0..dim-1.
 */
struct box {
	int rank;
	s64 lo[TENSOR_RANK_MAX], n[TENSOR_RANK_MAX];
};

/* What @a touches over a domain of @size points from @origin on; there are @dims dimensions. */
struct box box_of_access(const struct stage_access *a, int dims, const s64 *origin,
			 const s64 *size);

/* All elements of a value in layout @l; all cells that it has. */
struct box box_elements(const struct layout *l);
struct box box_cells(const struct layout *l);

/* What is in both; n is 0 where nothing is. */
struct box box_meet(const struct box *a, const struct box *b);

bool box_is_empty(const struct box *b);
bool box_equal(const struct box *a, const struct box *b);

/* Whether all of @a is in @b. */
bool box_inside(const struct box *a, const struct box *b);

/*
 * What boxes @from and @to of a value in layout @l have in common, if that is the end of one and
 * the beginning of the other: whole rows, planes or whatever their outermost dimension counts.
 */
bool box_overlap(const struct layout *l, const struct box *from, const struct box *to,
		 struct box *common);

/*
 * The layout of box @b of a value in layout @l in a buffer of its own, by the coordinates of the
 * value.
 */
struct layout box_layout(const struct layout *l, const struct box *b);

/* Whether boxes of values in layouts @a and @b have their dimensions in the same order. */
bool box_same_order(const struct layout *a, const struct layout *b);

/* Rows of bytes in a slot, `count` of them along each dimension, outermost first. */
struct box_rows {
	u64 offset; /* bytes from the value's first cell */
	u64 bytes; /* of a row */
	int dims;
	s64 count[TENSOR_RANK_MAX];
	s64 stride[TENSOR_RANK_MAX]; /* bytes in the slot */
};

/* Box @b, which is in the cells of @l, as rows of the slot where a value in layout @l lies. */
struct box_rows box_rows(const struct layout *l, const struct box *b);

#endif
