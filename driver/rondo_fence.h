/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's fences.
 *
 * Userspace may keep a fence, as a sync_file, for longer than its device is bound. So a
 * fence points to nothing but itself and the module, which cannot be unloaded before
 * the last one is released.
 *
 * A job has two: the hardware fence is signalled when the job leaves the device, and
 * is seen by the scheduler alone; the done fence is signalled with the scheduler's
 * finished fence, also for a job that never ran, and is what everybody else sees.
 */
#ifndef RONDO_FENCE_H
#define RONDO_FENCE_H

#include <linux/dma-fence.h>
#include <linux/spinlock.h>

/* When a job was under way, as in struct drm_rondo_fence_times. */
struct rondo_times {
	u64 queued, started, ended, cycles;
};

struct rondo_fence {
	struct dma_fence base;
	/** @lock: of @base */
	spinlock_t lock;
	/** @times: of a done fence; written before it is signalled */
	struct rondo_times times;
};

/* NULL if there is no memory. It must be initialised, or freed with rondo_fence_free(). */
struct rondo_fence *rondo_fence_alloc(void);
void rondo_fence_free(struct rondo_fence *fence);

void rondo_fence_init_hw(struct rondo_fence *fence, u64 context, u64 seqno);
void rondo_fence_init_done(struct rondo_fence *fence, u64 context, u64 seqno);

/*
 * The times of the done fence behind the sync file @fd, which is of @context: 0; -ENOENT, there is
 * no such; -EBUSY, it has not been signalled.
 */
int rondo_fence_times(int fd, u64 context, struct rondo_times *times);

/* Signals once, with @error (0 or negative errno); later calls do nothing. */
void rondo_fence_signal(struct rondo_fence *fence, int error);

#endif
