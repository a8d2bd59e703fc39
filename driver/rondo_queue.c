// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/slab.h>

#include <drm/drm_print.h>
#include <drm/rondo_accel.h>

#include "core/replay.h"
#include "driver/rondo_binding.h"
#include "driver/rondo_device.h"
#include "driver/rondo_job.h"
#include "driver/rondo_queue.h"
#include "driver/rondo_trace.h"
#include "driver/rondo_user.h"

static void describe(const struct rondo_object *object, struct rondo_fw_admin *cmd)
{
	const struct rondo_queue *queue = container_of(object, struct rondo_queue, base);

	cmd->queue = object->number;
	if (cmd->command == RONDO_FW_QUEUE_CREATE) {
		cmd->addr = queue->ring.block->addr;
		cmd->count = RONDO_QUEUE_ENTRIES;
		cmd->weight = queue->weight;
		if (rondo_fw_knows(object->rdev, RONDO_FW_MINOR_USERS))
			cmd->user = object->user->number;
	}
}

static void free_queue(struct rondo_object *object)
{
	struct rondo_queue *queue = to_rondo_queue(object);

	rondo_dma_free(object->rdev, &queue->ring);
	if (queue->sched_ready) {
		/*
		 * DRM cancels the work that runs jobs before the work that frees them, which may
		 * have started the first once more: it would outlive drm_sched_fini() (6.12). After
		 * a stop of our own nothing starts it, and DRM's cancels what is left.
		 */
		drm_sched_wqueue_stop(&queue->sched);
		drm_sched_fini(&queue->sched);
	}
	mutex_destroy(&queue->submit_lock);
	kfree(queue);
}

void rondo_queue_put(struct rondo_queue *queue)
{
	rondo_object_put(&queue->base);
}

struct rondo_queue *rondo_queue_lookup(struct rondo_file *rfile, u32 id)
{
	struct rondo_object *object = rondo_object_lookup(rfile, RONDO_QUEUES, id);

	return object ? to_rondo_queue(object) : NULL;
}

/*
 * Removes the first job in flight whose last entry is at most @seqno, and keeps its fault;
 * @result is for a job that has none of its own.
 */
static struct rondo_job *take_done(struct rondo_queue *queue, u64 seqno, u32 result)
{
	struct rondo_job *job;

	spin_lock(&queue->lock);
	job = list_first_entry_or_null(&queue->inflight, struct rondo_job, node);
	if (job && job->last <= seqno) {
		list_del_init(&job->node);
		if (!job->fault.result)
			job->fault.result = result;
		job->done_fence->times = job->times;
		if (job->fault.result)
			queue->fault[queue->faults++ % RONDO_QUEUE_FAULTS_MAX] = job->fault;
	} else {
		job = NULL;
	}
	spin_unlock(&queue->lock);
	return job;
}

/* What the firmware does not know because there was no room on the device for it says so. */
static u32 result_of(const struct rondo_job_replay *replay, u32 result)
{
	int error = READ_ONCE(replay->binding->base.load_error);

	if (result == RONDO_FW_BAD_NUMBER && (error == -ENOMEM || error == -ENOSPC))
		return RONDO_FW_NO_MEMORY;
	return result;
}

/* With the queue's lock held. */
static void note_times(struct rondo_job *job, const struct rondo_fw_event *event)
{
	if (!job->times.started && rondo_fw_knows(job->queue->base.rdev, RONDO_FW_MINOR_STARTED))
		job->times.started = event->started;
	job->times.ended = event->time;
	job->times.cycles += event->cycles;
}

/*
 * Notes how the replay of @event ended, and whether it is the first of its job to fail; false if
 * no such is in flight.
 */
static bool note_event(struct rondo_queue *queue, struct rondo_fw_event *event, bool *first)
{
	bool found = false;
	struct rondo_job *job;

	*first = false;
	spin_lock(&queue->lock);
	list_for_each_entry(job, &queue->inflight, node) {
		found = job->first <= event->seqno && event->seqno <= job->last;
		if (found)
			break;
	}
	if (found)
		event->cycles = min_t(u64, event->cycles, job->cycles);
	if (found)
		note_times(job, event);
	if (found)
		event->result = result_of(&job->replay[event->seqno - job->first], event->result);
	if (found && event->result && !job->fault.result) {
		*first = true;
		job->fault.result = event->result;
		job->fault.replay = event->seqno - job->first;
		if (rondo_result_has_bundle(event->result))
			job->fault.bundle = event->bundle;
	}
	spin_unlock(&queue->lock);
	return found;
}

/*
 * Logs a failure of the device, if it is the @first of its job. What a user has destroyed, or asked
 * too much of, is none.
 */
static void log_event(struct rondo_queue *queue, const struct rondo_fw_event *event, bool first)
{
	struct drm_device *drm = &queue->base.rdev->drm;
	const char *text = rondo_result_text(event->result);

	if (event->result == RONDO_FW_OK)
		return;
	trace_rondo_fault(queue->base.rdev, event->queue, event->seqno, event->result,
			  event->bundle);
	if (!first || event->result == RONDO_FW_ABORTED || event->result == RONDO_FW_NO_MEMORY)
		return;
	if (rondo_result_has_bundle(event->result))
		drm_err(drm, "queue %u: a replay failed at bundle %u: %s\n", event->queue,
			event->bundle, text);
	else
		drm_err(drm, "queue %u: a replay failed: %s\n", event->queue, text);
	rondo_dump_take(queue->base.rdev, text, event);
}

void rondo_queue_push(struct rondo_queue *queue, struct rondo_job *job, bool bound)
{
	struct rondo_fw_entry *ring = bound ? queue->ring.block->cpu : NULL;
	u32 i;

	if (bound)
		rondo_job_sync(job, true);
	spin_lock(&queue->lock);
	job->first = queue->seqno + 1;
	job->first_index = queue->tail;
	job->times = (struct rondo_times){ .queued = job->times.queued };
	for (i = 0; i < job->count; i++) {
		struct rondo_fw_entry *entry = &job->replay[i].entry;

		entry->seqno = ++queue->seqno;
		if (ring)
			ring[queue->tail % RONDO_QUEUE_ENTRIES] = *entry;
		queue->tail++;
	}
	job->last = queue->seqno;
	trace_rondo_run(queue->base.rdev, queue->base.number, job->fault.tag, job->first,
			job->last);
	list_add_tail(&job->node, &queue->inflight);
	if (ring) {
		dma_wmb(); /* the entries before the index */
		WRITE_ONCE(queue->base.rdev->ring.status->queue_tail[queue->base.number],
			   queue->tail);
	}
	spin_unlock(&queue->lock);
}

/* The energy of what ended otherwise is not known. */
static void account(struct rondo_queue *queue, const struct rondo_job *job)
{
	trace_rondo_done(queue->base.rdev, queue->base.number, job->fault.tag, job->fault.result);
	if (job->fault.result)
		return;
	atomic64_add(job->energy_nj, &queue->rfile->usage.energy_nj);
	atomic64_add(job->energy_nj, &queue->base.rdev->usage.energy_nj);
}

/* Signals all jobs up to entry @seqno, those that have no result of their own with @result. */
static void finish_up_to(struct rondo_queue *queue, u64 seqno, u32 result)
{
	struct rondo_job *job;

	lockdep_assert_held(&queue->base.rdev->ring.event_lock); /* for their order */

	while ((job = take_done(queue, seqno, result))) {
		account(queue, job);
		rondo_job_done(job, rondo_result_error(job->fault.result));
	}
}

bool rondo_queue_done(struct rondo_queue *queue, const struct rondo_fw_event *from)
{
	struct rondo_fw_event event = *from;
	bool first;

	if (event.result >= RONDO_FW_RESULTS || !note_event(queue, &event, &first))
		return false;
	atomic64_add(event.cycles, &queue->rfile->usage.cycles);
	atomic64_add(event.cycles, &queue->base.rdev->usage.cycles);
	log_event(queue, &event, first);
	finish_up_to(queue, event.seqno, RONDO_FW_OK);
	return true;
}

void rondo_queue_fail_all(struct rondo_queue *queue, u32 result)
{
	mutex_lock(&queue->base.rdev->ring.event_lock);
	finish_up_to(queue, U64_MAX, result);
	mutex_unlock(&queue->base.rdev->ring.event_lock);
}

void rondo_queue_settle(struct rondo_queue *queue)
{
	struct rondo_fw_status *status = queue->base.rdev->ring.status;
	u32 number = queue->base.number;
	u32 head = READ_ONCE(status->queue_head[number]);
	bool running = READ_ONCE(status->running) == number + 1;
	struct rondo_job *job;
	u64 give_up = 0;

	spin_lock(&queue->lock);
	list_for_each_entry(job, &queue->inflight, node) {
		switch (rondo_fate_at_reset(rondo_job_begun(job->first_index, head, running),
					    rondo_job_disjoint(job), job->repeated)) {
		case RONDO_FATE_RUN:
			break;
		case RONDO_FATE_REPEAT:
			job->repeated = true;
			break;
		case RONDO_FATE_FAIL:
			give_up = job->last;
			break;
		}
	}
	spin_unlock(&queue->lock);
	finish_up_to(queue, give_up, RONDO_HOST_RESET);
}

void rondo_queue_recover(struct rondo_queue *queue)
{
	struct rondo_job *job, *next;
	LIST_HEAD(again);

	spin_lock(&queue->lock);
	list_splice_init(&queue->inflight, &again);
	queue->tail = 0;
	spin_unlock(&queue->lock);
	list_for_each_entry_safe(job, next, &again, node)
		rondo_queue_push(queue, job, true);
}

/* Ends a queue: what waits in it is cancelled, what runs is aborted. */
static void close_queue(struct rondo_object *object)
{
	struct rondo_queue *queue = to_rondo_queue(object);

	mutex_lock(&queue->submit_lock);
	queue->stopped = true;
	mutex_unlock(&queue->submit_lock);

	drm_sched_entity_fini(&queue->entity); /* from here on nothing is run */
	rondo_object_unload(object);
	rondo_object_drop_number(object); /* no more events */
	/* Whoever has paused the device does not find it any more, and its jobs are to be freed. */
	drm_sched_wqueue_start(&queue->sched);
	rondo_queue_fail_all(queue, RONDO_FW_ABORTED);
	rondo_dma_free(object->rdev, &queue->ring);
}

static const struct rondo_object_ops queue_ops = {
	.table = RONDO_QUEUES,
	.ids = RONDO_FILE_QUEUES_MAX,
	.numbers = RONDO_FW_QUEUES_MAX,
	.load = RONDO_FW_QUEUE_CREATE,
	.unload = RONDO_FW_QUEUE_DESTROY,
	.describe = describe,
	.close = close_queue,
	.free = free_queue,
};

static int init_sched(struct rondo_queue *queue)
{
	struct drm_gpu_scheduler *sched = &queue->sched;
	const struct drm_sched_init_args args = {
		.ops = &rondo_sched_ops,
		.submit_wq = queue->base.rdev->sched_wq,
#ifdef HAVE_DRM_SCHED_NUM_RQS
		.num_rqs = 1,
#endif
		.credit_limit = RONDO_QUEUE_ENTRIES,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.timeout_wq = queue->base.rdev->wq,
		.name = "rondo",
		.dev = queue->base.rdev->drm.dev,
	};
	int ret;

	ret = drm_sched_init(sched, &args);
	if (ret)
		return ret;
	queue->sched_ready = true;
	/* With one run-queue every priority is served by it; its number is the lowest. */
	return drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_KERNEL, &sched, 1, NULL);
}

/* An earlier queue of this number has left its tail behind. */
static int clear_tail(struct rondo_queue *queue)
{
	struct rondo_device *rdev = queue->base.rdev;
	int idx;

	if (!drm_dev_enter(&rdev->drm, &idx))
		return -ENODEV;
	WRITE_ONCE(rdev->ring.status->queue_tail[queue->base.number], 0);
	drm_dev_exit(idx);
	return 0;
}

static struct rondo_queue *create_queue(struct rondo_file *rfile, u32 weight)
{
	struct rondo_device *rdev = rfile->rdev;
	struct rondo_queue *queue;
	int ret;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	rondo_object_init(&queue->base, rfile, &queue_ops);
	mutex_init(&queue->submit_lock);
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->inflight);
	queue->rfile = rfile;
	queue->weight = weight;
	queue->hw_context = dma_fence_context_alloc(2);
	queue->done_context = queue->hw_context + 1;

	ret = rondo_dma_alloc(rdev, &queue->ring,
			      RONDO_QUEUE_ENTRIES * sizeof(struct rondo_fw_entry));
	if (ret)
		goto err_put;
	ret = rondo_object_take_number(&queue->base);
	if (ret)
		goto err_put;
	ret = clear_tail(queue);
	if (ret)
		goto err_put;
	ret = init_sched(queue);
	if (ret)
		goto err_put;
	ret = rondo_object_load_now(&queue->base, true);
	if (ret)
		goto err_entity;
	return queue;

err_entity:
	drm_sched_entity_fini(&queue->entity);
err_put:
	rondo_queue_put(queue);
	return ERR_PTR(ret);
}

int rondo_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_queue_create *args = data;
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_queue *queue;
	int ret;

	if (args->flags || args->pad || args->weight > RONDO_WEIGHT_MAX)
		return -EINVAL;
	if (args->weight > RONDO_WEIGHT_DEFAULT && !capable(CAP_SYS_NICE))
		return -EPERM;
	ret = rondo_id_reserve(rfile, &queue_ops, &args->id);
	if (ret)
		return ret;
	queue = create_queue(rfile, args->weight ?: RONDO_WEIGHT_DEFAULT);
	if (IS_ERR(queue)) {
		rondo_id_cancel(rfile, &queue_ops, args->id);
		return PTR_ERR(queue);
	}
	rondo_id_publish(rfile, args->id, &queue->base);
	return 0;
}

int rondo_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_queue_destroy *args = data;

	return args->pad ? -EINVAL :
			   rondo_object_destroy(file->driver_priv, RONDO_QUEUES, args->id);
}

/* Finds the fault that @args asks for. With the queue's lock held. */
static const struct rondo_fault *find_fault(const struct rondo_queue *queue,
					    const struct drm_rondo_queue_fault *args)
{
	u32 i, known = min_t(u32, queue->faults, RONDO_QUEUE_FAULTS_MAX);

	for (i = 1; i <= known; i++) {
		const struct rondo_fault *fault =
			&queue->fault[(queue->faults - i) % RONDO_QUEUE_FAULTS_MAX];

		if (!(args->flags & DRM_RONDO_FAULT_OF_TAG) || fault->tag == args->tag)
			return fault;
	}
	return NULL;
}

int rondo_ioctl_queue_fault(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_queue_fault *args = data;
	const struct rondo_fault *fault;
	struct rondo_queue *queue;

	if (args->flags & ~DRM_RONDO_FAULT_OF_TAG || args->pad)
		return -EINVAL;
	queue = rondo_queue_lookup(file->driver_priv, args->queue);
	if (!queue)
		return -ENOENT;
	spin_lock(&queue->lock);
	fault = find_fault(queue, args);
	if (fault) {
		args->tag = fault->tag;
		args->result = fault->result;
		args->bundle = fault->bundle;
		args->replay = fault->replay;
	}
	spin_unlock(&queue->lock);
	rondo_queue_put(queue);
	return fault ? 0 : -ENODATA;
}

int rondo_ioctl_fence_times(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_fence_times *args = data;
	struct rondo_queue *queue = rondo_queue_lookup(file->driver_priv, args->queue);
	struct rondo_times times;
	int ret;

	if (!queue)
		return -ENOENT;
	ret = rondo_fence_times(args->fd, queue->done_context, &times);
	rondo_queue_put(queue);
	if (ret)
		return ret;
	args->queued = times.queued;
	args->started = times.started;
	args->ended = times.ended;
	args->cycles = times.cycles;
	return 0;
}
