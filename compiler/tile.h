/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Tiling: how a product is cut to what the matrix unit holds.
 *
 * K (what is summed over) is cut to pushes of at most `lanes` containers that one lane pattern
 * reaches, in any order; pixels (rows of the result) to strips that fit in the accumulator file; N
 * (columns) to `lanes`. A function of sizes only.
 */
#ifndef COMPILER_TILE_H
#define COMPILER_TILE_H

#include "compiler/arena.h"
#include "spec/machine.h"

/* One run of `segs` equal segments, which are rows of a rectangle: for example a window. */
struct tile_run {
	s64 offset; /* bytes from the pixel's address to the first segment */
	s64 segs, len; /* segments, containers in each */
	s64 stride; /* bytes between segments */
};

/* One push: containers of the operand and the same number of weight rows. */
struct tile_k {
	s64 offset; /* bytes from the pixel's address */
	int count; /* containers */
	int seg_len; /* 0: contiguous */
	s64 seg_stride; /* bytes */
	s64 row; /* first weight row, counted over all of K, in the order of the pushes */
	s64 point; /* the number of its first container in K, */
	s64 width, pitch; /* and so many behind it; as many again from `pitch` on */
};

struct tile_ks {
	struct tile_k *k;
	int n;
};

/* Which container of K, run by run and segment by segment, container @e of a push is. */
static inline s64 tile_k_point(const struct tile_k *k, int e)
{
	return k->point + e / k->width * k->pitch + e % k->width;
}

/* Pushes for a run of @segs segments of @len containers. */
s64 tile_pushes(const struct rondo_machine *m, s64 segs, s64 len);

/* Cuts @runs into pushes, as few as rectangles of them can be; none: there is no memory. */
struct tile_ks tile_k(struct arena *arena, const struct rondo_machine *m,
		      const struct tile_run *runs, int n);

/*
 * Puts the shortest push first: of many pixels each push takes a while, and the next weights come
 * beside it, but nothing goes on beside the first ones.
 */
void tile_shortest_first(struct tile_ks *ks);

/*
 * A rectangle of pixels computed at one time: `h` rows of `w` pixels. There are as few strips as
 * possible, of about the same height.
 */
struct tile_strip {
	s64 w, h; /* of all but the last strip; w * h <= acc_rows */
};

struct tile_strip tile_pixels(const struct rondo_machine *m, s64 w, s64 h);

#endif
