/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the executor's benchmark measures it against: the host itself, by loops compiled with
 * -O3 -march=native, and the executor without its clock.
 */
#ifndef TESTS_BENCH_EXEC_HOST_H
#define TESTS_BENCH_EXEC_HOST_H

#include "emulator/exec/exec.h"

/* Products per second of a loop of s8 dot products or f32 FMAs in registers. */
double host_s8_rate(void);
double host_f32_rate(void);

/* Seconds of c[i] = a[i] + b[i] for @n f32, the mean of @repeat passes. @n <= 65536. */
double host_add_s(u32 n, u32 repeat);

/*
 * fast_run() of exec/fast/fast.c, and what it were if it counted no cycles: only transfers still
 * take time (exec_copy.c).
 */
void fast_run_timed(struct exec *e, struct run *run);
void fast_run_untimed(struct exec *e, struct run *run);

#endif
