/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How long a queue waits at most: what firmware/drr.h promises it, in exact cycles.
 *
 * Deficit round robin serves @work of a queue in no more of its turns than its quantum needs, and
 * in each of these turns everybody else gets one quantum, plus at most one replay that their
 * savings pay for. (The latency bound of Shreedhar and Varghese, 1995, once for the queues of the
 * user, and once for the users, who share equally.)
 */
#ifndef RONDO_CORE_BOUND_H
#define RONDO_CORE_BOUND_H

#include "spec/fw_abi.h"

struct rondo_bound {
	/* The queue: cycles of all jobs that have not ended, their number; its weight, not 0. */
	u64 work;
	u64 jobs;
	u32 weight;
	/* Other queues of its user: number, sum of weights, longest replay. */
	u32 siblings;
	u64 sibling_weights;
	u64 sibling_longest;
	/* Other users that have queues: how many, and the sum over them of the longest replay. */
	u32 users;
	u64 users_longest;
	/* The longest replay of all: one may have begun whenever a job comes to an idle queue. */
	u64 longest;
};

/*
 * Cycles of device time from when the last of the jobs is handed to the device until it has ended,
 * not counting what others run while the queue's next job is on its way from the host. The bound
 * is for the queues that there are, and for a device that is not reset. At most U64_MAX.
 */
u64 rondo_bound_cycles(const struct rondo_bound *bound);

#endif
