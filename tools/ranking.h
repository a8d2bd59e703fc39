/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The answer of a classifier: its classes in the order of their scores. */
#ifndef TOOLS_RANKING_H
#define TOOLS_RANKING_H

#include "spec/env.h"

struct ranked_class {
	u32 index;
	double probability; /* 0..1 */
};

/*
 * The best @top of the @count classes with these scores, best first, in @best; returns how many
 * there are. Among equal scores, the class with the smaller number is better. A score that is NaN
 * is never among them: there may be fewer than @top, or none.
 *
 * Scores in 0..1 that sum up to one are probabilities; all others become some by softmax, in which
 * infinitely high scores share the whole, and so do scores that are all infinitely low.
 *
 * @order has room for @count numbers.
 */
u32 rank_classes(const float *score, u32 count, u32 *order, struct ranked_class *best, u32 top);

#endif
