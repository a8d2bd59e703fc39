/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the programs of `make bench` share: a clock, the line of a figure, and the comparison of
 * two sides on a host that does other things beside.
 */
#ifndef TESTS_BENCH_PAIRED_H
#define TESTS_BENCH_PAIRED_H

#include <stdio.h>
#include <time.h>

/* Seconds of @clock. CLOCK_PROCESS_CPUTIME_ID counts all threads and leaves out other processes. */
static inline double bench_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Prints a figure. tests/bench/figures says what is good, and scripts/bench.sh compares. */
static inline void bench_figure(const char *name, double value, const char *unit)
{
	printf("%s %.6g %s\n", name, value, unit);
	fflush(stdout);
}

/* Does one side's work once and returns its seconds. */
typedef double paired_side(void *ctx);

struct paired {
	double median, low, high; /* of a's seconds over b's in one pair; quartiles */
	double a_s, b_s; /* the medians of either side */
};

enum { PAIRED_MAX = 4096 };

/*
 * Runs both sides @pairs (1..PAIRED_MAX) times, one right after the other, and turns their order
 * over from pair to pair, so that both sides of a pair meet the same host. One pair before them
 * warms up and does not count, unless @pairs is below 5.
 */
struct paired paired_run(unsigned int pairs, paired_side *a, void *a_ctx, paired_side *b,
			 void *b_ctx);

/*
 * Prints the figure @name: the median of a's seconds over b's. A line before it tells the spread,
 * and what the sides took, under the names @a_is and @b_is.
 */
void paired_figure(const char *name, const struct paired *p, const char *a_is, const char *b_is);

#endif
