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

/* @a, which is at @at, in lanes @d, moved by the loops over images, rows and pixels from @depth on.
 */
struct mir_ref depthwise_ref(const struct stage_access *a, const struct operand_at *at, int depth,
			     const struct depthwise_lanes *d);

/* What channels have, @element bytes each from channel 0 on at @ref, the same for all pixels. */
struct mir_ref depthwise_channels(struct mir_ref ref, const struct depthwise_lanes *d, s64 element);

/* The same of containers, loaded. */
vreg depthwise_load(struct mir *m, struct mir_ref ref, const struct depthwise_lanes *d);
void depthwise_load_part(struct mir *m, vreg dst, int part, struct mir_ref ref,
			 const struct depthwise_lanes *d);

/* What a convolution does; both get @arg. */
struct depthwise_work {
	/* Loads what the channels of @d have. */
	void (*load_constants)(struct lowering *l, const struct depthwise_lanes *d, void *arg);
	/* One pixel, or several beside each other; the loops over pixels begin at @depth. */
	void (*pixels)(struct lowering *l, const struct depthwise_lanes *d, int depth, void *arg);
	void *arg;
};

/* Does @work for all channels and pixels of @s, whose operands are @x and @y. */
void depthwise_run(struct lowering *l, const struct stage *s, const struct operand_at *x,
		   const struct operand_at *y, const struct depthwise_work *work);

#endif
