// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>

#include "driver/rondo_binding.h"
#include "driver/rondo_device.h"
#include "driver/rondo_fence.h"
#include "driver/rondo_job.h"
#include "driver/rondo_queue.h"

struct rondo_job *rondo_job_create(struct rondo_queue *queue, u32 count, u64 tag, u64 client_id)
{
	/* Copies for the device are made before a job, when that before it has ended. */
	u32 credits = READ_ONCE(queue->base.rdev->dma_sync) ? RONDO_QUEUE_ENTRIES : count;
	struct rondo_job *job;
	int ret;

	/* What stands in its places is written when they are taken. */
	job = kvmalloc(struct_size(job, replay, count), GFP_KERNEL_ACCOUNT);
	if (!job)
		return ERR_PTR(-ENOMEM);
	memset(job, 0, sizeof(*job));
	job->fault.tag = tag;
	job->fault.bundle = DRM_RONDO_BUNDLE_NONE;
	INIT_LIST_HEAD(&job->node);
	ret = rondo_pm_get(queue->base.rdev);
	if (ret)
		goto err_free;
	ret = rondo_device_error(queue->base.rdev); /* it may not have woken */
	if (ret && ret != -EAGAIN)
		goto err_sleep;
	job->hw_fence = rondo_fence_alloc();
	job->done_fence = rondo_fence_alloc();
	ret = -ENOMEM;
	if (job->hw_fence && job->done_fence)
		ret = drm_sched_job_init(&job->base, &queue->entity, credits, NULL, client_id);
	if (ret)
		goto err_sleep;
	rondo_object_get(&queue->base);
	job->queue = queue;
	return job;

err_sleep:
	rondo_pm_put(queue->base.rdev);
err_free:
	rondo_fence_free(job->hw_fence);
	rondo_fence_free(job->done_fence);
	kvfree(job);
	return ERR_PTR(ret);
}

static void free_job(struct rondo_job *job)
{
	u32 i;

	drm_sched_job_cleanup(&job->base);
	for (i = 0; i < job->count; i++)
		rondo_binding_put(job->replay[i].binding);
	rondo_pm_put(job->queue->base.rdev);
	rondo_queue_put(job->queue);
	kvfree(job);
}

void rondo_job_release(struct rondo_job *job)
{
	rondo_fence_free(job->hw_fence);
	rondo_fence_free(job->done_fence);
	free_job(job);
}

bool rondo_job_disjoint(const struct rondo_job *job)
{
	const struct rondo_binding *binding = job->replay[0].binding;
	u32 i;

	/* With several bindings, one may read what another writes. */
	for (i = 1; i < job->count; i++)
		if (job->replay[i].binding != binding)
			return false;
	return binding->disjoint;
}

/* Called also for a job that was killed before it ran, which nobody else signals. */
static void job_finished(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct rondo_job *job = container_of(cb, struct rondo_job, finished);

	atomic64_sub(job->cycles, &job->queue->work);
	atomic64_dec(&job->queue->jobs);
	/* The scheduler's word for a job of a killed entity is -ESRCH. */
	rondo_fence_signal(job->done_fence, fence->error == -ESRCH ? -ECANCELED : fence->error);
}

void rondo_job_arm(struct rondo_job *job)
{
	struct rondo_queue *queue = job->queue;

	lockdep_assert_held(&queue->submit_lock);

	drm_sched_job_arm(&job->base);
	queue->done_seqno++;
	atomic64_inc(&queue->jobs);
	atomic64_add(job->cycles, &queue->work);
	rondo_fence_init_hw(job->hw_fence, queue->hw_context, queue->done_seqno);
	rondo_fence_init_done(job->done_fence, queue->done_context, queue->done_seqno);
	/* Cannot fail: nobody else knows the finished fence yet. */
	dma_fence_add_callback(&job->base.s_fence->finished, &job->finished, job_finished);
}

void rondo_job_sync(const struct rondo_job *job, bool for_device)
{
	u32 i;

	if (likely(!READ_ONCE(job->queue->base.rdev->dma_sync)))
		return;
	for (i = 0; i < job->count; i++) {
		const struct rondo_job_replay *replay = &job->replay[i];

		/* Between two replays of the same, nobody on this side looks. */
		if (!i || replay->binding != replay[-1].binding || replay->entry.offsets ||
		    replay[-1].entry.offsets)
			rondo_binding_sync(replay->binding, &replay->entry, for_device);
	}
}

void rondo_job_done(struct rondo_job *job, int error)
{
	struct rondo_device *rdev = job->queue->base.rdev;
	/* The scheduler frees the job as soon as it sees the signal. */
	struct rondo_fence *fence = job->hw_fence;

	/* When the device is gone, buffers may be unmapped. */
	if (READ_ONCE(rdev->state) != RONDO_GONE)
		rondo_job_sync(job, false);
	dma_fence_get(&fence->base);
	rondo_watch_stop(rdev);
	rondo_fence_signal(fence, error);
	dma_fence_put(&fence->base);
}

/* Hands the job to the firmware. Nothing is allocated, and nothing can fail. */
static struct dma_fence *sched_run_job(struct drm_sched_job *base)
{
	struct rondo_job *job = to_rondo_job(base);
	struct rondo_queue *queue = job->queue;
	struct rondo_device *rdev = queue->base.rdev;
	struct dma_fence *fence = dma_fence_get(&job->hw_fence->base);
	int idx, error = -ENODEV;

	if (drm_dev_enter(&rdev->drm, &idx)) {
		rondo_watch_start(rdev, true);
		rondo_queue_push(queue, job, true);
		error = rondo_device_error(rdev);
		if (!error)
			rondo_hw_ring(&rdev->hw, 1 + queue->base.number);
		drm_dev_exit(idx);
	} else {
		rondo_watch_start(rdev, false);
		rondo_queue_push(queue, job, false);
	}
	/* During a reset, it is the reset that puts the job into the ring. */
	if (error && error != -EAGAIN)
		rondo_queue_fail_all(queue, rondo_lost_result(error));
	return fence;
}

static void sched_free_job(struct drm_sched_job *base)
{
	struct rondo_job *job = to_rondo_job(base);

	/*
	 * The scheduler frees the job when its finished fence says that it is signalled, and the
	 * fence says so before it has made its calls. This takes its lock, and so waits for ours.
	 */
	dma_fence_remove_callback(&base->s_fence->finished, &job->finished);
	dma_fence_put(&job->hw_fence->base);
	dma_fence_put(&job->done_fence->base);
	free_job(job);
}

const struct drm_sched_backend_ops rondo_sched_ops = {
	.run_job = sched_run_job,
	.free_job = sched_free_job,
};
