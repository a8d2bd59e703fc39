// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The inequality is decided by branch and bound on n, from the greatest stride down. A branch is
 * pruned by the Banerjee test, when the interval is out of reach of the remaining terms, or by the
 * GCD test, when it contains no multiple of the greatest common divisor of their strides.
 */
#include "core/overlap.h"

static void shift(struct rondo_overlap *g, s64 by)
{
	g->overflow |= check_sub_overflow(g->lo, by, &g->lo) ||
		       check_sub_overflow(g->hi, by, &g->hi);
}

static void insert(struct rondo_overlap *g, s64 stride, s64 steps)
{
	u32 at = g->count, i;

	while (at > 0 && g->term[at - 1].stride < stride)
		at--;
	if (at > 0 && g->term[at - 1].stride == stride) {
		g->term[at - 1].steps += steps;
		return;
	}
	for (i = g->count++; i > at; i--)
		g->term[i] = g->term[i - 1];
	g->term[at] = (struct rondo_overlap_term){ stride, steps };
}

void rondo_overlap_add(struct rondo_overlap *g, s64 stride, u32 from, u32 to)
{
	s64 steps = (s64)to - from, by;

	if (!stride)
		return;
	g->overflow |= check_mul_overflow(stride, (s64)from, &by);
	shift(g, by);
	if (stride < 0) {
		g->overflow |= check_mul_overflow(stride, steps, &by) ||
			       check_sub_overflow((s64)0, stride, &stride);
		shift(g, by);
	}
	if (steps && !g->overflow)
		insert(g, stride, steps);
}

/* Removes terms whose stride is no greater than the interval: they leave no gap, and widen it. */
static void absorb(struct rondo_overlap *g)
{
	s64 length, reach;

	while (g->count && !g->overflow) {
		const struct rondo_overlap_term *least = &g->term[g->count - 1];

		g->overflow |= check_sub_overflow(g->hi, g->lo, &length) ||
			       check_mul_overflow(least->stride, least->steps, &reach);
		if (g->overflow || least->stride - 1 > length)
			return;
		g->overflow |= check_sub_overflow(g->lo, reach, &g->lo);
		g->count--;
	}
}

/* What the terms from the k-th on can add up to, for the tests of Banerjee and of the GCD. */
struct reach {
	s64 most; /* the greatest sum; the least is 0 */
	s64 divisor; /* common to all sums; 0 if the only sum is 0 */
};

static s64 common_divisor(s64 a, s64 b)
{
	while (b) {
		s64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static bool sum_up(struct rondo_overlap *g, struct reach reach[RONDO_OVERLAP_TERMS + 1])
{
	u32 k;

	reach[g->count] = (struct reach){ 0, 0 };
	for (k = g->count; k-- > 0;) {
		s64 most;

		if (check_mul_overflow(g->term[k].stride, g->term[k].steps, &most) ||
		    check_add_overflow(most, reach[k + 1].most, &reach[k].most))
			return false;
		reach[k].divisor = common_divisor(g->term[k].stride, reach[k + 1].divisor);
	}
	return true;
}

/* The values of n that are left for a term, and the interval for it and the terms after it. */
struct branch {
	s64 lo, hi, n, last;
};

static struct branch choose(const struct rondo_overlap *g, const struct reach *reach, u32 k, s64 lo,
			    s64 hi)
{
	struct branch c = { lo, hi, 0, -1 };
	s64 stride = g->term[k].stride, least = lo > 0 ? lo : 0;

	if (hi < 0 || lo > reach[k].most || hi / reach[k].divisor * reach[k].divisor < least)
		return c;
	c.last = hi / stride;
	if (c.last > g->term[k].steps)
		c.last = g->term[k].steps;
	if (lo > reach[k + 1].most)
		c.n = (lo - reach[k + 1].most - 1) / stride + 1;
	return c;
}

/* Whether there is a solution, or the search was cut off; *nodes: the branches that it took. */
static bool search(const struct rondo_overlap *g, const struct reach *reach, u32 *nodes)
{
	struct branch branch[RONDO_OVERLAP_TERMS];
	u32 k = 0;

	branch[0] = choose(g, reach, 0, g->lo, g->hi);
	for (*nodes = 0; *nodes < RONDO_OVERLAP_NODES; ++*nodes) {
		struct branch *c = &branch[k];
		s64 sum;

		if (c->n > c->last) {
			if (!k)
				return false;
			k--;
			continue;
		}
		if (k + 1 == g->count)
			return true;
		sum = c->n++ * g->term[k].stride;
		branch[k + 1] = choose(g, reach, k + 1, c->lo - sum, c->hi - sum);
		k++;
	}
	return true;
}

bool rondo_overlap_possible(struct rondo_overlap *g, u32 *nodes)
{
	struct reach reach[RONDO_OVERLAP_TERMS + 1];

	*nodes = 0;
	absorb(g);
	if (g->overflow || !sum_up(g, reach))
		return true;
	if (!g->count)
		return g->lo <= 0 && g->hi >= 0;
	return search(g, reach, nodes);
}

void rondo_overlap_begin(struct rondo_overlap *g, s64 a, s64 a_bytes, s64 b, s64 b_bytes)
{
	g->count = 0;
	g->overflow = check_sub_overflow(b, a, &g->lo) ||
		      check_add_overflow(g->lo, b_bytes - 1, &g->hi) ||
		      check_sub_overflow(g->lo, a_bytes - 1, &g->lo);
}
