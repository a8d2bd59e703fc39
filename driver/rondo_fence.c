// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "driver/rondo_fence.h"

static_assert(!offsetof(struct rondo_fence, base)); /* for dma_fence_free() */

static const char *driver_name(struct dma_fence *fence)
{
	return "rondo";
}

static const char *timeline_name(struct dma_fence *fence)
{
	return "replay";
}

static void release(struct dma_fence *base)
{
	dma_fence_free(base);
	/* The last act. Module exit waits until everybody has left its code. */
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = driver_name,
	.get_timeline_name = timeline_name,
	.release = release,
};

struct rondo_fence *rondo_fence_alloc(void)
{
	return kzalloc(sizeof(struct rondo_fence), GFP_KERNEL_ACCOUNT);
}

void rondo_fence_free(struct rondo_fence *fence)
{
	kfree(fence);
}

/*
 * Two functions, because signalling the one fence, its lock held, leads to signalling
 * the other: lockdep must see two kinds of lock.
 */
void rondo_fence_init_hw(struct rondo_fence *fence, u64 context, u64 seqno)
{
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, context, seqno);
}

void rondo_fence_init_done(struct rondo_fence *fence, u64 context, u64 seqno)
{
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, context, seqno);
}

int rondo_fence_times(int fd, u64 context, struct rondo_times *times)
{
	struct dma_fence *base = sync_file_get_fence(fd);
	struct rondo_fence *fence;
	unsigned long flags;
	int ret = -EBUSY;

	if (!base)
		return -ENOENT;
	if (base->context != context) {
		dma_fence_put(base);
		return -ENOENT;
	}
	fence = container_of(base, struct rondo_fence, base);
	spin_lock_irqsave(&fence->lock, flags);
	if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &base->flags)) {
		*times = fence->times;
		ret = 0;
	}
	spin_unlock_irqrestore(&fence->lock, flags);
	dma_fence_put(base);
	return ret;
}

void rondo_fence_signal(struct rondo_fence *fence, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&fence->lock, flags);
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->base.flags)) {
		if (error)
			dma_fence_set_error(&fence->base, error);
		dma_fence_signal_locked(&fence->base);
	}
	spin_unlock_irqrestore(&fence->lock, flags);
}
