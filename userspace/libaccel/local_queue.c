// SPDX-License-Identifier: MIT
/*
 * Queues, jobs, fences.
 *
 * A job waits in local_device.jobs until all of its replays stand in its queue's ring and are done.
 * Its replays go into the ring when those of the queue's earlier jobs do, and when no earlier job
 * of another queue writes what it touches or touches what it writes.
 */
#include "userspace/libaccel/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RING_BYTES = LOCAL_QUEUE_ENTRIES * sizeof(struct rondo_fw_entry) };

static_assert(LOCAL_REPLAYS_MAX <= LOCAL_QUEUE_ENTRIES, "a job fits into its queue");

/*
 * Fences
 */

static struct local_fence *fence_create(struct local_device *dev)
{
	struct local_fence *fence = calloc(1, sizeof(*fence));

	if (!fence)
		return NULL;
	fence->base.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fence->base.fd < 0) {
		free(fence);
		return NULL;
	}
	fence->dev = dev;
	fence->refs = 2; /* the caller's and the job's */
	atomic_init(&fence->status, -EAGAIN);
	return fence;
}

static void fence_put(struct local_fence *fence)
{
	if (--fence->refs)
		return;
	close(fence->base.fd);
	free(fence);
}

static void fence_signal(struct local_fence *fence, int error)
{
	u64 one = 1;

	atomic_store(&fence->status, error);
	(void)!write(fence->base.fd, &one, sizeof(one));
	fence_put(fence);
}

int local_fence_status(struct accel_fence *base)
{
	return atomic_load(&((struct local_fence *)base)->status);
}

void local_fence_destroy(struct accel_fence *base)
{
	struct local_fence *fence = (struct local_fence *)base;
	struct local_device *dev = fence->dev;

	pthread_mutex_lock(&dev->lock);
	fence_put(fence);
	pthread_mutex_unlock(&dev->lock);
}

/*
 * Jobs
 */

/* Ends the job at *@link, which is taken off the list. */
static void end_job(struct local_job **link, int error)
{
	struct local_job *job = *link;
	u32 i;

	*link = job->next;
	fence_signal(job->fence, error);
	for (i = 0; i < job->count; i++)
		local_binding_put(job->replay[i].binding);
	free(job);
}

static bool slot_written(const struct local_binding *binding, u32 i)
{
	return binding->program->tables.slots[i].write_hi != 0;
}

static bool slot_touched(const struct local_binding *binding, u32 i)
{
	return slot_written(binding, i) || binding->program->tables.slots[i].read_hi;
}

/* Whether one of the bindings writes a buffer that the other touches. */
static bool bindings_conflict(const struct local_binding *a, const struct local_binding *b)
{
	u32 i, k;

	for (i = 0; i < a->count; i++)
		for (k = 0; k < b->count; k++)
			if (slot_touched(a, i) && slot_touched(b, k) &&
			    a->slot[i].buffer == b->slot[k].buffer &&
			    (slot_written(a, i) || slot_written(b, k)))
				return true;
	return false;
}

static bool jobs_conflict(const struct local_job *a, const struct local_job *b)
{
	u32 i, k;

	for (i = 0; i < a->count; i++)
		for (k = 0; k < b->count; k++)
			if (bindings_conflict(a->replay[i].binding, b->replay[k].binding))
				return true;
	return false;
}

/* Whether @job must wait for an earlier job of another queue. */
static bool must_wait(const struct local_device *dev, const struct local_job *job)
{
	const struct local_job *earlier;

	for (earlier = dev->jobs; earlier != job; earlier = earlier->next)
		if (earlier->queue != job->queue && jobs_conflict(earlier, job))
			return true;
	return false;
}

/* Puts as many replays of @job into the ring as fit. */
static void push_job(struct local_device *dev, struct local_job *job)
{
	struct rondo_fw_status *status = &dev->shared->status;
	struct local_queue *queue = job->queue;
	u32 head = __atomic_load_n(&status->queue_head[queue->number], __ATOMIC_ACQUIRE);
	u32 tail = queue->tail;

	while (job->pushed < job->count && queue->tail - head < LOCAL_QUEUE_ENTRIES) {
		struct rondo_fw_entry *entry = &job->replay[job->pushed].entry;

		entry->generation = job->replay[job->pushed].binding->generation;
		queue->ring[queue->tail++ % LOCAL_QUEUE_ENTRIES] = *entry;
		job->pushed++;
	}
	if (queue->tail == tail)
		return;
	__atomic_store_n(&status->queue_tail[queue->number], queue->tail, __ATOMIC_RELEASE);
	local_hw_ring(dev->hw, 1 + queue->number);
}

void local_queue_push_all(struct local_device *dev)
{
	struct local_job *job;
	u32 i;

	if (dev->state != LOCAL_LIVE)
		return;
	for (i = 0; i < RONDO_FW_QUEUES_MAX; i++)
		if (dev->queue[i])
			dev->queue[i]->blocked = dev->queue[i]->stopped;
	for (job = dev->jobs; job; job = job->next) {
		if (job->pushed == job->count || job->queue->blocked)
			continue;
		if (!must_wait(dev, job))
			push_job(dev, job);
		job->queue->blocked = job->pushed < job->count;
	}
}

static int error_of(u32 result)
{
	switch (result) {
	case RONDO_FW_OK:
		return 0;
	case RONDO_FW_OVERRUN:
		return -ETIME;
	case RONDO_FW_ABORTED:
		return -ECANCELED;
	default:
		return -EIO;
	}
}

bool local_queue_done(struct local_device *dev, const struct rondo_fw_event *event)
{
	struct local_job **link = &dev->jobs, *job;

	while (*link && event->seqno - (*link)->seqno >= (*link)->count)
		link = &(*link)->next;
	job = *link;
	if (!job || event->seqno - job->seqno >= job->pushed || event->queue != job->queue->number)
		return false;
	if (!job->error)
		job->error = error_of(event->result);
	if (event->seqno - job->seqno == job->count - 1)
		end_job(link, job->error);
	return true;
}

void local_queue_fail(struct local_device *dev, int error, bool all)
{
	struct local_job **link = &dev->jobs;
	u32 i;

	while (*link) {
		if (all || (*link)->pushed)
			end_job(link, (*link)->error ? (*link)->error : error);
		else
			link = &(*link)->next;
	}
	for (i = 0; i < RONDO_FW_QUEUES_MAX; i++)
		if (dev->queue[i])
			dev->queue[i]->tail = 0;
}

static void fill_offsets(struct rondo_fw_entry *entry, const struct accel_replay *replay)
{
	const struct local_binding *binding = (const struct local_binding *)replay->binding;
	u32 i;

	entry->offsets = replay->offset_count;
	for (i = 0; i < replay->offset_count; i++) {
		const struct accel_offset *offset = &replay->offsets[i];

		entry->slot[i] = offset->slot;
		entry->offset[i] =
			offset->offset / binding->program->tables.slots[offset->slot].align;
	}
}

static int check_offset(const struct local_binding *binding, const struct accel_offset *offset)
{
	const struct local_bound_slot *bound;
	const struct rondo_slot *slot;
	u64 end;

	if (offset->slot >= binding->count)
		return -EINVAL;
	slot = &binding->program->tables.slots[offset->slot];
	bound = &binding->slot[offset->slot];
	end = rondo_slot_end(slot);
	if (!(slot->flags & RONDO_SLOT_DYNAMIC) || offset->offset % slot->align)
		return -EINVAL;
	/* Bound offset and extent fit: checked when the binding was made. */
	if (!bound->buffer || offset->offset > bound->buffer->base.size - bound->offset - end)
		return -ERANGE;
	return 0;
}

static int check_replay(const struct accel_replay *replay)
{
	u64 used = 0;
	u32 i;

	for (i = 0; i < replay->offset_count; i++) {
		const struct accel_offset *offset = &replay->offsets[i];
		int ret = check_offset((const struct local_binding *)replay->binding, offset);

		if (ret)
			return ret;
		if (used & 1ull << offset->slot)
			return -EINVAL;
		used |= 1ull << offset->slot;
	}
	return 0;
}

/* A job of @from's replays, not yet in any list; holds no references yet. */
static struct local_job *make_job(struct local_queue *queue, const struct accel_job *from)
{
	struct local_job *job =
		calloc(1, sizeof(*job) + from->replay_count * sizeof(job->replay[0]));
	u32 i;

	if (!job)
		return NULL;
	job->queue = queue;
	job->count = from->replay_count;
	for (i = 0; i < job->count; i++) {
		struct local_binding *binding = (struct local_binding *)from->replays[i].binding;

		job->replay[i].binding = binding;
		job->replay[i].entry = (struct rondo_fw_entry){
			.type = RONDO_FW_ENTRY_REPLAY,
			.flags = i == job->count - 1 ? RONDO_FW_ENTRY_EVENT : 0,
			.binding = binding->number,
		};
		fill_offsets(&job->replay[i].entry, &from->replays[i]);
	}
	return job;
}

/* Gives the job its place; nothing can fail any more. */
static void queue_job(struct local_device *dev, struct local_job *job)
{
	struct local_job **link = &dev->jobs;
	u32 i;

	job->seqno = dev->seqno;
	dev->seqno += job->count;
	for (i = 0; i < job->count; i++) {
		job->replay[i].entry.seqno = job->seqno + i;
		job->replay[i].binding->refs++;
	}
	while (*link)
		link = &(*link)->next;
	*link = job;
	local_queue_push_all(dev);
	local_wake(dev); /* it watches while something is pending */
}

int local_submit(struct accel_queue *base, const struct accel_job *from, struct accel_fence **out)
{
	struct local_queue *queue = (struct local_queue *)base;
	struct local_device *dev = queue->dev;
	struct local_fence *fence;
	struct local_job *job;
	u32 i;
	int ret;

	if (from->in_count || from->out_count)
		return -ENOTSUP;
	for (i = 0; i < from->replay_count; i++) {
		ret = check_replay(&from->replays[i]);
		if (ret)
			return ret;
	}
	job = make_job(queue, from);
	if (!job)
		return -ENOMEM;
	fence = fence_create(dev);
	if (!fence) {
		free(job);
		return -EMFILE;
	}
	job->fence = fence;

	pthread_mutex_lock(&dev->lock);
	ret = local_check(dev);
	if (!ret)
		queue_job(dev, job);
	pthread_mutex_unlock(&dev->lock);
	if (ret) {
		close(fence->base.fd);
		free(fence);
		free(job);
		return ret;
	}
	*out = &fence->base;
	return 0;
}

/*
 * Queues
 */

struct rondo_fw_admin local_queue_describe(const struct local_queue *queue)
{
	return (struct rondo_fw_admin){
		.command = RONDO_FW_QUEUE_CREATE,
		.queue = queue->number,
		.addr = local_hw_bus(queue->ring),
		.count = LOCAL_QUEUE_ENTRIES,
		.weight = queue->weight,
	};
}

static void queue_free(struct local_queue *queue)
{
	local_hw_forbid(queue->dev->hw, queue->ring, RING_BYTES);
	munmap(queue->ring, RING_BYTES);
	free(queue);
}

static struct local_queue *queue_alloc(struct local_device *dev, u32 weight)
{
	struct local_queue *queue = calloc(1, sizeof(*queue));
	void *ring;

	if (!queue)
		return NULL;
	if (accel_map(-1, 0, RING_BYTES, &ring)) {
		free(queue);
		return NULL;
	}
	queue->dev = dev;
	queue->weight = weight;
	queue->ring = ring;
	if (local_hw_allow(dev->hw, ring, RING_BYTES, false)) {
		queue_free(queue);
		return NULL;
	}
	return queue;
}

/* Gives the queue a number and has the firmware serve it. */
static int queue_start(struct local_device *dev, struct local_queue *queue)
{
	int ret = local_check(dev);
	u32 number = 0;

	if (ret)
		return ret;
	while (number < RONDO_FW_QUEUES_MAX && dev->queue[number])
		number++;
	if (dev->queues >= LOCAL_QUEUES_MAX || number == RONDO_FW_QUEUES_MAX)
		return -ENOSPC;
	queue->number = number;
	dev->queue[number] = queue;
	dev->queues++;
	__atomic_store_n(&dev->shared->status.queue_tail[number], 0, __ATOMIC_RELEASE);
	ret = local_admin(dev, local_queue_describe(queue));
	if (ret) {
		dev->queue[number] = NULL;
		dev->queues--;
	}
	return ret;
}

int local_queue_create(struct accel_device *device, u32 weight, struct accel_queue **out)
{
	struct local_device *dev = (struct local_device *)device;
	struct local_queue *queue = queue_alloc(dev, weight);
	int ret;

	if (!queue)
		return -ENOMEM;
	pthread_mutex_lock(&dev->lock);
	ret = queue_start(dev, queue);
	pthread_mutex_unlock(&dev->lock);
	if (ret)
		queue_free(queue);
	else
		*out = &queue->base;
	return ret;
}

void local_queue_destroy(struct accel_queue *base)
{
	struct local_queue *queue = (struct local_queue *)base;
	struct local_device *dev = queue->dev;
	struct local_job **link = &dev->jobs;

	pthread_mutex_lock(&dev->lock);
	queue->stopped = true;
	/* When this returns, with whatever, the device runs nothing of the queue any more. */
	local_admin(dev, (struct rondo_fw_admin){
				 .command = RONDO_FW_QUEUE_DESTROY,
				 .queue = queue->number,
			 });
	while (*link) {
		if ((*link)->queue == queue)
			end_job(link, -ECANCELED);
		else
			link = &(*link)->next;
	}
	dev->queue[queue->number] = NULL;
	dev->queues--;
	local_queue_push_all(dev);
	pthread_mutex_unlock(&dev->lock);
	queue_free(queue);
}
