// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/bound.h"

/* Sums and products that stay at the largest number. */
static u64 add(u64 a, u64 b)
{
	u64 sum;

	return __builtin_add_overflow(a, b, &sum) ? ~0ULL : sum;
}

static u64 mul(u64 a, u64 b)
{
	u64 product;

	return __builtin_mul_overflow(a, b, &product) ? ~0ULL : product;
}

/*
 * Most turns that others get while one with @quantum gets what it needs for @cost. It begins anew
 * with each of @jobs, if it was idle before. Others may have had one turn more, and where they
 * could not pay they have kept what was left of another.
 */
static u64 turns(u64 cost, u64 quantum, u64 jobs)
{
	return add(add(cost / quantum, jobs), 2);
}

u64 rondo_bound_cycles(const struct rondo_bound *b)
{
	const u64 quantum = RONDO_FW_QUANTUM;
	u64 rounds = turns(b->work, b->weight * quantum, b->jobs);
	u64 user, all;

	/* What the user must get. */
	user = add(b->work, mul(b->siblings, b->sibling_longest));
	user = add(user, mul(rounds, mul(b->sibling_weights, quantum)));

	/* What all get until then. */
	rounds = turns(user, quantum, b->jobs);
	all = add(user, add(b->users_longest, mul(rounds, mul(b->users, quantum))));
	return add(all, mul(b->jobs, b->longest));
}
