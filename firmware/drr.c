/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Deficit round robin. See drr.h. */
#include "firmware/drr.h"

static u64 quantum(const struct drr *drr, u32 q)
{
	return (u64)drr->weight[q] * RONDO_FW_QUANTUM;
}

/* Turns that queue @q has to wait for until it can pay @cost; its next turn is 1. */
static u64 turns_needed(const struct drr *drr, u32 q, u64 cost)
{
	u64 missing = cost > drr->deficit[q] ? cost - drr->deficit[q] : 0;
	u64 turns = (missing + quantum(drr, q) - 1) / quantum(drr, q);

	return turns ? turns : 1;
}

u32 drr_pick(struct drr *drr, const u64 *cost, u32 queues)
{
	u32 best = queues, q;
	u64 turns = 0;

	for (q = 0; q < queues; q++)
		if (!cost[q])
			drr->deficit[q] = 0;
	/* The current queue has gone, and all after it: the first is next. */
	if (drr->current >= queues)
		drr->current = queues - 1;

	q = drr->current;
	if (cost[q] && drr->deficit[q] >= cost[q]) {
		drr->deficit[q] -= cost[q];
		return q;
	}

	/* The first to have enough, in the order of turns, which ends with the current queue. */
	for (u32 i = 1; i <= queues; i++) {
		q = (drr->current + i) % queues;
		if (!cost[q])
			continue;
		u64 needed = turns_needed(drr, q, cost[q]);

		if (best == queues || needed < turns) {
			best = q;
			turns = needed;
		}
	}
	if (best == queues)
		return best;

	/* Those before it in that order have had as many turns, those after it one less. */
	bool after = false;

	for (u32 i = 1; i <= queues; i++) {
		q = (drr->current + i) % queues;
		if (cost[q])
			drr->deficit[q] += (turns - after) * quantum(drr, q);
		after |= q == best;
	}
	drr->current = best;
	drr->deficit[best] -= cost[best];
	return best;
}
