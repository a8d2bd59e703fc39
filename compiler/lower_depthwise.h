/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What convolutions on the vector units share, of f32 and of bytes: channels lie in the lanes. */
#ifndef COMPILER_LOWER_DEPTHWISE_H
#define COMPILER_LOWER_DEPTHWISE_H

#include "compiler/lower.h"

enum { IMAGE, CHANNEL, ROW, COLUMN, OUT, KY, KX }; /* the dimensions of their domain */

/* What lies in the lanes: channels, and, if these are few, those of several pixels of a row. */
struct depthwise_lanes {
	s64 first; /* channel of the tile */
	s64 column; /* first pixel of a row */
	int channels, pixels;
};

static inline int depthwise_count(const struct depthwise_lanes *d)
{
	return d->channels * d->pixels;
}

/* The lanes from channel @first on, where x and y are the operands of @s. */
struct depthwise_lanes depthwise_lanes(const struct stage *s, const struct operand_at *x,
				       const struct operand_at *y, s64 first, int lanes);

/* @a, which is at @at, in lanes @d, moved by the loops over images, rows and pixels from @depth on.
 */
struct mir_ref depthwise_ref(const struct stage_access *a, const struct operand_at *at, int depth,
			     const struct depthwise_lanes *d);

/* What channels have, from that of channel 0 on at @ref, the same for all pixels. */
vreg depthwise_load(struct mir *m, struct mir_ref ref, const struct depthwise_lanes *d);
void depthwise_load_part(struct mir *m, vreg dst, int part, struct mir_ref ref,
			 const struct depthwise_lanes *d);

/*
 * Calls @body inside loops over all pixels of @s, which begin at @depth, @d of them at a time; once
 * more for what is left of each row.
 */
void depthwise_pixels(struct lowering *l, const struct stage *s, const struct depthwise_lanes *d,
		      void (*body)(struct lowering *l, const struct depthwise_lanes *d, int depth,
				   const void *arg),
		      const void *arg);

#endif
