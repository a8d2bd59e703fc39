/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The best classes of a row of scores. Pure functions. */
#ifndef SERVICE_CLASSES_H
#define SERVICE_CLASSES_H

#include "accel.h"
#include "spec/env.h"

/* Element @i of a tensor. */
double classes_score(const struct accel_tensor *t, const void *bytes, u64 i);

/*
 * Writes the numbers of the at most @top best of the @count classes whose scores begin at element
 * @first to @best, the best one first: the one with the smaller number of equal ones; NaN is never
 * among them. Returns how many there are.
 */
u32 classes_best(const struct accel_tensor *t, const void *bytes, u64 first, u32 count, u32 top,
		 u32 *best);

#endif
