/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job: what one SUBMIT replays.
 */
#ifndef RONDO_JOB_H
#define RONDO_JOB_H

#include <drm/gpu_scheduler.h>

#include "driver/rondo_fence.h"
#include "driver/rondo_queue.h"
#include "spec/fw_abi.h"

struct rondo_binding;

/* One replay of a job. */
struct rondo_job_replay {
	/** @binding: the job's own reference */
	struct rondo_binding *binding;
	/** @entry: as it goes into the ring, except for its seqno */
	struct rondo_fw_entry entry;
};

struct rondo_job {
	struct drm_sched_job base;
	/** @queue: the job's own reference */
	struct rondo_queue *queue;
	struct rondo_fence *hw_fence;
	struct rondo_fence *done_fence;
	/** @cycles: exact cycles of its replays; @energy_nj: their nanojoules */
	u64 cycles, energy_nj;
	/** @finished: signals @done_fence with the scheduler's finished fence */
	struct dma_fence_cb finished;

	/** @node: in rondo_queue.inflight; this and what follows under rondo_queue.lock */
	struct list_head node;
	/** @first: seqno of its first entry; @last: of its last */
	u64 first, last;
	/** @first_index: ring index of its first entry */
	u32 first_index;
	/** @times: so far */
	struct rondo_times times;
	/** @fault: of the first replay that has failed; its result is 0 if none has */
	struct rondo_fault fault;
	/** @repeated: had begun before a reset; not repeated a second time */
	bool repeated;

	/** @count: of @replay that are in it */
	u32 count;
	struct rondo_job_replay replay[] __counted_by(count);
};

static inline struct rondo_job *to_rondo_job(struct drm_sched_job *job)
{
	return container_of(job, struct rondo_job, base);
}

extern const struct drm_sched_backend_ops rondo_sched_ops;

/*
 * A job with room for @count replays in @queue, which the user calls @tag. It takes a reference to
 * the queue, and over that to each binding that is put into it. It is either pushed or released.
 */
struct rondo_job *rondo_job_create(struct rondo_queue *queue, u32 count, u64 tag, u64 client_id);
void rondo_job_release(struct rondo_job *job);

/* Whether its replays read nothing that they write, so that it may be done again. */
bool rondo_job_disjoint(const struct rondo_job *job);

/*
 * The point of no return: arms the job; its done fence may be published, and then it
 * must be pushed. Called with the queue's submit_lock held.
 */
void rondo_job_arm(struct rondo_job *job);

/* Before and after it is done by the device: see rondo_dma_sync(). */
void rondo_job_sync(const struct rondo_job *job, bool for_device);

/* Signals that a job has left the device; it is not touched any more. */
void rondo_job_done(struct rondo_job *job, int error);

#endif
