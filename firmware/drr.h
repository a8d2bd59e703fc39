/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Deficit round robin (Shreedhar and Varghese, 1995) over the firmware's queues,
 * in exact cycles: the cost of an entry is known before it runs, so shares are
 * exact and no entry needs to be stopped for them.
 *
 * It has two levels. Users with something waiting share device time equally, and the queues of
 * a user share what is the user's by their weights: more queues, or heavier ones, take nothing
 * from anybody else. On either level each member with something waiting gets, in turn, weight *
 * RONDO_FW_QUANTUM added to its deficit and may spend it; what an idle one saved is lost.
 */
#ifndef FIRMWARE_DRR_H
#define FIRMWARE_DRR_H

#include "spec/fw_abi.h"

/* One level: its members, each in a group that shares among its own. */
struct drr_level {
	u32 current[RONDO_FW_USERS_MAX]; /* by group: the member whose turn it is */
	u32 group[RONDO_FW_QUEUES_MAX];
	u32 weight[RONDO_FW_QUEUES_MAX]; /* 1..RONDO_FW_WEIGHT_MAX; of one that waits */
	u64 deficit[RONDO_FW_QUEUES_MAX]; /* cycles */
};

/* All zero at the start. */
struct drr {
	struct drr_level users; /* one group */
	struct drr_level queues; /* their groups are the users */
};

/* Makes queue @q one of user @user (< RONDO_FW_USERS_MAX) with weight @weight; it saved nothing. */
void drr_add(struct drr *drr, u32 q, u32 user, u32 weight);

/*
 * Chooses which of the first @queues queues (1..RONDO_FW_QUEUES_MAX) runs next,
 * and charges it. @cost[q] is what the first entry of q takes in cycles (<=
 * RONDO_CYCLES_MAX), 0 when none waits. Returns @queues when all are 0. Rounds in
 * which nobody could run are counted, not walked.
 */
u32 drr_pick(struct drr *drr, const u64 *cost, u32 queues);

#endif
