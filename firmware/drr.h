/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Deficit round robin (Shreedhar and Varghese, 1995) over the firmware's queues,
 * in exact cycles: the cost of an entry is known before it runs, so shares are
 * exact and no entry needs to be stopped for them.
 *
 * In turn each queue with something waiting gets weight * RONDO_FW_QUANTUM added
 * to its deficit and may spend it; what an empty queue saved is lost.
 */
#ifndef FIRMWARE_DRR_H
#define FIRMWARE_DRR_H

#include "spec/fw_abi.h"

struct drr {
	u32 current; /* queue whose turn it is */
	u32 weight[RONDO_FW_QUEUES_MAX]; /* 1..RONDO_FW_WEIGHT_MAX; of a queue that is waiting */
	u64 deficit[RONDO_FW_QUEUES_MAX]; /* cycles */
};

/*
 * Chooses which of the first @queues queues (1..RONDO_FW_QUEUES_MAX) runs next,
 * and charges it. @cost[q] is what the first entry of q takes in cycles (<=
 * RONDO_CYCLES_MAX), 0 when none waits. Returns @queues when all are 0. Rounds in
 * which nobody could run are counted, not walked.
 */
u32 drr_pick(struct drr *drr, const u64 *cost, u32 queues);

#endif
