/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the wafer is measured against: plain C on one thread that moves the bytes which its programs
 * move, from fresh memory, and does their arithmetic. Each returns seconds of processor time.
 */
#ifndef TESTS_BENCH_WAFER_PLAIN_H
#define TESTS_BENCH_WAFER_PLAIN_H

#include "spec/env.h"

enum { WAFER_SIDE = 633, WAFER_TILES = WAFER_SIDE * WAFER_SIDE, WAFER_LANES = 8 };

/* A grid is read from a slot, takes 40 steps from one array to another, and is written back. */
double wafer_plain_heat(void *unused);

/* A matrix is computed column by column into memory, then multiplied with a vector. */
double wafer_plain_matvec(void *unused);

/*
 * 64 numbers of each tile are read into registers, arrays over the tiles; sums and maxima of rows
 * and of columns are registers again, which each tile then writes back.
 */
double wafer_plain_allreduce(void *unused);

/* @count bundles of two loads, a product, a sum and a store, with registers that are arrays. */
double wafer_plain_bundles(u64 count);

#endif
