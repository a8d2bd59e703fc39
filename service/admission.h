/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Which request is next, and whether one can be in time. Pure functions.
 *
 * The device runs what it was given in that order, each for exactly the cycles of its program. So
 * it is known when it will be free, and when one request more would end. One with a timeout is
 * given to the device at once, or refused at once; what comes later stands behind it. All others
 * wait in a line, from which the device is given two at a time.
 */
#ifndef SERVICE_ADMISSION_H
#define SERVICE_ADMISSION_H

#include <stdbool.h>

#include "spec/env.h"

/* A request in the line; the first member of whatever waits. */
struct waiting {
	struct waiting *next;
	u32 priority; /* the smaller number first */
};

/* Puts @w behind all that are of its priority, or come before it. */
void admission_wait(struct waiting **line, struct waiting *w);

/*
 * Whether a run of @cycles ends within @timeout cycles from now, if the device is free at
 * @free_at of its clock, which is at @now. *@earliest is the shortest timeout that it would meet.
 */
bool admission_fits(u64 now, u64 free_at, u64 cycles, u64 timeout, u64 *earliest);

/* Cycles of a clock of @khz as microseconds, rounded up; and back, rounded down. */
u64 cycles_to_us(u64 cycles, u32 khz);
u64 us_to_cycles(u64 us, u32 khz);

#endif
