// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT: copies the user's arrays, finds what they name, and makes one job of them.
 *
 * Until the job is armed everything can be undone; after that nothing can fail. The
 * cost depends on the numbers of replays, slots and syncs, never on the programs.
 */
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <drm/drm_exec.h>
#include <drm/drm_syncobj.h>
#include <drm/rondo_accel.h>

#include "driver/rondo_array.h"
#include "driver/rondo_binding.h"
#include "driver/rondo_device.h"
#include "driver/rondo_fence.h"
#include "driver/rondo_gem.h"
#include "driver/rondo_job.h"
#include "driver/rondo_program.h"
#include "driver/rondo_queue.h"
#include "driver/rondo_trace.h"

static_assert((int)RONDO_JOB_REPLAYS_MAX <= (int)RONDO_QUEUE_ENTRIES);

/* A syncobj to signal. */
struct out_sync {
	struct drm_syncobj *syncobj;
	/* for a point of a timeline; given away when it is added */
	struct dma_fence_chain *chain;
	u64 point;
};

struct submit {
	struct drm_file *file;
	const struct drm_rondo_submit *args;
	struct rondo_array replays, in_syncs, out_syncs;
	struct rondo_job *job;
	u32 last_id; /* the binding of the last of them */
	u32 out_count; /* of @out, filled so far */
	struct out_sync *out;
	struct rondo_use *uses, few[8]; /* @uses: @few, or memory for more */
	u32 use_count;
};

static int add_offsets(struct rondo_job_replay *replay, const struct drm_rondo_replay *user)
{
	const struct rondo_array offsets = { user->offsets, user->offset_count,
					     user->offset_stride };
	struct drm_rondo_slot_offset offset;
	u32 i;
	int ret;

	ret = rondo_array_check(&offsets, RONDO_REPLAY_OFFSETS_MAX, sizeof(offset));
	if (ret)
		return ret;
	for (i = 0; i < offsets.count; i++) {
		ret = rondo_array_get(&offsets, i, 1, &offset, sizeof(offset));
		if (ret)
			return ret;
		if (offset.pad)
			return -EINVAL;
		ret = rondo_binding_add_offset(replay->binding, offset.slot, offset.offset,
					       &replay->entry);
		if (ret)
			return ret;
	}
	return 0;
}

/* The job starts when the device knows @object; an error if it is not going to. */
static int depend_on_load(struct rondo_job *job, const struct rondo_object *object)
{
	struct rondo_fence *loading = object->loading;

	if (!loading || dma_fence_is_signaled(&loading->base))
		return READ_ONCE(object->load_error);
	return drm_sched_job_add_dependency(&job->base, dma_fence_get(&loading->base));
}

/* The binding with @id, with a reference; NULL if there is none. Often it is the last one again. */
static struct rondo_binding *find_binding(struct submit *submit, u32 id)
{
	const struct rondo_job *job = submit->job;
	struct rondo_binding *binding;

	if (!job->count || id != submit->last_id)
		return rondo_binding_lookup(submit->file->driver_priv, id);
	binding = job->replay[job->count - 1].binding;
	rondo_object_get(&binding->base);
	return binding;
}

static int add_replay(struct submit *submit, const struct drm_rondo_replay *user)
{
	struct rondo_binding *binding;
	struct rondo_job *job = submit->job;
	struct rondo_job_replay *replay;
	int ret;

	if (user->pad)
		return -EINVAL;
	binding = find_binding(submit, user->binding);
	if (!binding)
		return -ENOENT;
	submit->last_id = user->binding;
	job->cycles += binding->program->cycles;
	job->energy_nj += binding->program->energy_nj;
	job->count++;
	replay = &job->replay[job->count - 1];
	replay->binding = binding;
	replay->entry = (struct rondo_fw_entry){
		.type = RONDO_FW_ENTRY_REPLAY,
		.flags = job->count == submit->replays.count ? RONDO_FW_ENTRY_EVENT : 0,
		.binding = binding->base.number,
		.generation = binding->generation,
	};
	if (unlikely(binding->base.loading)) {
		ret = depend_on_load(job, &binding->base);
		if (ret)
			return ret;
	}
	return user->offset_count ? add_offsets(replay, user) : 0;
}

/* Adds all replays, of which it copies a few at a time. */
static int add_replays(struct submit *submit)
{
	enum { SOME = 16 };
	struct drm_rondo_replay user[SOME];
	u32 first, count, i;
	int ret;

	for (first = 0; first < submit->replays.count; first += count) {
		count = min_t(u32, submit->replays.count - first, SOME);
		ret = rondo_array_get(&submit->replays, first, count, user, sizeof(user[0]));
		for (i = 0; i < count && !ret; i++)
			ret = add_replay(submit, &user[i]);
		if (ret)
			return ret;
	}
	return submit->job->cycles > rondo_job_cycles_max(submit->job->queue->base.rdev) ? -E2BIG :
											   0;
}

/*
 * Takes over the reference. The queue's own jobs are no dependency: its ring is in order. Each new
 * one is compared with all that there are, so there is a limit.
 */
static int add_dependency(struct rondo_job *job, struct dma_fence *fence)
{
	int ret;

	if (fence->context == job->queue->done_context) {
		dma_fence_put(fence);
		return 0;
	}
	ret = drm_sched_job_add_dependency(&job->base, fence);
	if (!ret && xa_load(&job->base.dependencies, RONDO_JOB_DEPENDENCIES_MAX))
		ret = -ENOSPC;
	return ret;
}

static int add_in_sync(struct submit *submit, u32 i)
{
	struct drm_rondo_sync user;
	struct drm_syncobj *syncobj;
	struct dma_fence *fence;
	int ret;

	ret = rondo_array_get(&submit->in_syncs, i, 1, &user, sizeof(user));
	if (ret)
		return ret;
	if (user.flags)
		return -EINVAL;
	syncobj = drm_syncobj_find(submit->file, user.handle);
	if (!syncobj)
		return -ENOENT;
	drm_syncobj_put(syncobj);
	ret = drm_syncobj_find_fence(submit->file, user.handle, user.point, 0, &fence);
	if (ret)
		return ret;
	return add_dependency(submit->job, fence);
}

static int add_out_sync(struct submit *submit, u32 i)
{
	struct out_sync *out = &submit->out[i];
	struct drm_rondo_sync user;
	int ret;

	ret = rondo_array_get(&submit->out_syncs, i, 1, &user, sizeof(user));
	if (ret)
		return ret;
	if (user.flags)
		return -EINVAL;
	out->syncobj = drm_syncobj_find(submit->file, user.handle);
	if (!out->syncobj)
		return -ENOENT;
	submit->out_count++;
	out->point = user.point;
	if (out->point) {
		out->chain = dma_fence_chain_alloc();
		if (!out->chain)
			return -ENOMEM;
	}
	return 0;
}

static void put_out_syncs(struct submit *submit)
{
	u32 i;

	for (i = 0; i < submit->out_count; i++) {
		dma_fence_chain_free(submit->out[i].chain);
		drm_syncobj_put(submit->out[i].syncobj);
	}
	kfree(submit->out);
}

/* Everything that the user's arrays name goes into the job. */
static int fill_job(struct submit *submit)
{
	int ret = add_replays(submit);
	u32 i;

	for (i = 0; i < submit->in_syncs.count && !ret; i++)
		ret = add_in_sync(submit, i);
	if (ret || !submit->out_syncs.count)
		return ret;

	submit->out = kcalloc(submit->out_syncs.count, sizeof(*submit->out), GFP_KERNEL_ACCOUNT);
	if (!submit->out)
		return -ENOMEM;
	for (i = 0; i < submit->out_syncs.count && !ret; i++)
		ret = add_out_sync(submit, i);
	return ret;
}

/* Whether replay @i has another binding than the one before it. */
static bool binding_changes(const struct rondo_job *job, u32 i)
{
	return !i || job->replay[i].binding != job->replay[i - 1].binding;
}

static int compare_uses(const void *a, const void *b)
{
	const struct rondo_use *x = a, *y = b;

	if (x->obj->resv != y->obj->resv)
		return x->obj->resv < y->obj->resv ? -1 : 1;
	return (int)x->usage - (int)y->usage; /* the most exclusive one first */
}

/*
 * Lists each reservation object of the job's buffers once, so that none is looked through again
 * for each replay. With explicit sync, nobody else orders by the job's fence.
 */
static int list_uses(struct submit *submit)
{
	bool explicit = submit->args->flags & DRM_RONDO_SUBMIT_EXPLICIT_SYNC;
	const struct rondo_job *job = submit->job;
	u32 i, f, n = 0, kept = 0, bindings = 0;
	struct rondo_use *uses;

	for (i = 0; i < job->count; i++)
		n += binding_changes(job, i) ? job->replay[i].binding->fenced : 0;
	uses = submit->few;
	if (n > ARRAY_SIZE(submit->few))
		uses = kvmalloc_array(n, sizeof(*uses), GFP_KERNEL_ACCOUNT);
	if (!uses)
		return -ENOMEM;
	submit->uses = uses;
	for (i = 0, n = 0; i < job->count; i++) {
		const struct rondo_binding *binding = job->replay[i].binding;

		if (!binding_changes(job, i))
			continue;
		bindings++;
		for (f = 0; f < binding->fenced; f++) {
			uses[n] = binding->slot[f].use;
			if (explicit)
				uses[n].usage = DMA_RESV_USAGE_BOOKKEEP;
			n++;
		}
	}
	if (bindings > 1) /* in a binding's list no object occurs twice */
		sort(uses, n, sizeof(*uses), compare_uses, NULL);
	for (i = 0; i < n; i++)
		if (!i || uses[i].obj->resv != uses[kept - 1].obj->resv)
			uses[kept++] = uses[i];
	submit->use_count = kept;
	return 0;
}

static int lock_buffers(struct submit *submit, struct drm_exec *exec)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < submit->use_count && !ret; i++)
		ret = drm_exec_prepare_obj(exec, submit->uses[i].obj, 1);
	return ret;
}

/* Readers wait for the writer, a writer for all. */
static int depend_on_buffer(struct rondo_job *job, const struct rondo_use *use)
{
	enum dma_resv_usage whose = dma_resv_usage_rw(use->usage == DMA_RESV_USAGE_WRITE);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	if (use->usage == DMA_RESV_USAGE_BOOKKEEP)
		return 0;
	dma_resv_for_each_fence(&cursor, use->obj->resv, whose, fence) {
		if (dma_fence_is_signaled(fence)) /* some stay there for a while */
			continue;
		ret = add_dependency(job, dma_fence_get(fence));
		if (ret)
			return ret;
	}
	return 0;
}

static int depend_on_buffers(struct submit *submit)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < submit->use_count && !ret; i++) {
		ret = depend_on_buffer(submit->job, &submit->uses[i]);
		/* Others may have put many fences there. */
		if (!ret && fatal_signal_pending(current))
			ret = -ERESTARTSYS;
		cond_resched();
	}
	return ret;
}

static void publish_on_syncs(struct submit *submit, struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < submit->out_count; i++) {
		struct out_sync *out = &submit->out[i];

		if (out->chain)
			drm_syncobj_add_point(out->syncobj, out->chain, fence, out->point);
		else
			drm_syncobj_replace_fence(out->syncobj, fence);
		out->chain = NULL;
	}
}

/* With all buffers locked: dependencies, the point of no return, fences, push. */
static int push_job(struct submit *submit)
{
	struct rondo_job *job = submit->job;
	struct rondo_queue *queue = job->queue;
	struct dma_fence *fence = &job->done_fence->base;
	int ret;
	u32 i;

	ret = depend_on_buffers(submit);
	if (ret)
		return ret;

	mutex_lock(&queue->submit_lock);
	if (queue->stopped) {
		mutex_unlock(&queue->submit_lock);
		return -ENOENT;
	}
	rondo_job_arm(job);
	trace_rondo_submit(queue->base.rdev, queue->base.number, job->fault.tag, job->count,
			   queue->done_context, queue->done_seqno);
	for (i = 0; i < submit->use_count; i++)
		dma_resv_add_fence(submit->uses[i].obj->resv, fence, submit->uses[i].usage);
	publish_on_syncs(submit, fence);
	drm_sched_entity_push_job(&job->base); /* from here on the job is the scheduler's */
	mutex_unlock(&queue->submit_lock);
	return 0;
}

static int lock_and_push(struct submit *submit)
{
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0);
	drm_exec_until_all_locked(&exec) {
		ret = lock_buffers(submit, &exec);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	if (!ret)
		ret = push_job(submit);
	drm_exec_fini(&exec);
	return ret;
}

static int check_args(const struct submit *submit)
{
	const u32 sync_size = sizeof(struct drm_rondo_sync);
	int ret;

	if (submit->args->flags & ~(DRM_RONDO_SUBMIT_EXPLICIT_SYNC | DRM_RONDO_SUBMIT_TIME) ||
	    submit->args->pad || !submit->replays.count)
		return -EINVAL;
	ret = rondo_array_check(&submit->replays, RONDO_JOB_REPLAYS_MAX,
				sizeof(struct drm_rondo_replay));
	if (!ret)
		ret = rondo_array_check(&submit->in_syncs, RONDO_JOB_SYNCS_MAX, sync_size);
	if (!ret)
		ret = rondo_array_check(&submit->out_syncs, RONDO_JOB_SYNCS_MAX, sync_size);
	return ret;
}

/* Device time, of a device that the caller keeps awake; 0 if it is gone. */
static u64 device_time(struct rondo_device *rdev)
{
	u64 time = 0;
	int idx;

	if (drm_dev_enter(&rdev->drm, &idx)) {
		time = rondo_hw_time(&rdev->hw);
		drm_dev_exit(idx);
	}
	return time == U64_MAX ? 0 : time;
}

static unsigned int job_ms_max = 10000;
module_param(job_ms_max, uint, 0444);
MODULE_PARM_DESC(job_ms_max, "longest job in milliseconds of the device's nominal clock");

u64 rondo_job_cycles_max(const struct rondo_device *rdev)
{
	return (u64)job_ms_max * rdev->machine.clock_khz;
}

int rondo_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_rondo_submit *args = data;
	struct submit submit = {
		.file = file,
		.args = args,
		.replays = { args->replays, args->replay_count, args->replay_stride },
		.in_syncs = { args->in_syncs, args->in_count, args->sync_stride },
		.out_syncs = { args->out_syncs, args->out_count, args->sync_stride },
	};
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_queue *queue;
	int ret;

	ret = check_args(&submit);
	if (ret)
		return ret;
	ret = rondo_device_error(rfile->rdev);
	if (ret && ret != -EAGAIN) /* after a reset it is going to run */
		return ret;
	queue = rondo_queue_lookup(rfile, args->queue);
	if (!queue)
		return -ENOENT;

	submit.job = rondo_job_create(queue, args->replay_count, args->tag, file->client_id);
	if (IS_ERR(submit.job)) {
		ret = PTR_ERR(submit.job);
		goto out_put_queue;
	}
	if (args->flags & DRM_RONDO_SUBMIT_TIME) {
		submit.job->times.queued = device_time(rfile->rdev);
		/* It may never come to the device. */
		submit.job->done_fence->times = submit.job->times;
	}
	ret = fill_job(&submit);
	if (!ret)
		ret = list_uses(&submit);
	if (!ret)
		ret = lock_and_push(&submit);
	if (submit.uses != submit.few)
		kvfree(submit.uses);
	put_out_syncs(&submit);
	if (ret)
		rondo_job_release(submit.job);
out_put_queue:
	rondo_queue_put(queue);
	return ret;
}
