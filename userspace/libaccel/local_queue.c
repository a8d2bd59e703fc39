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

#include "core/bound.h"
#include "core/replay.h"

enum { RING_BYTES = LOCAL_QUEUE_ENTRIES * sizeof(struct rondo_fw_entry) };

static_assert(LOCAL_REPLAYS_MAX <= LOCAL_QUEUE_ENTRIES, "a job fits into its queue");
static_assert((int)LOCAL_QUEUES_MAX <= (int)RONDO_FW_QUEUES_MAX, "a number for each queue");

/*
 * Fences
 */

static int fence_create(struct local_device *dev, struct local_fence **out)
{
	struct local_fence *fence = calloc(1, sizeof(*fence));
	int ret;

	if (!fence)
		return -ENOMEM;
	fence->base.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fence->base.fd < 0) {
		ret = -errno;
		free(fence);
		return ret;
	}
	fence->dev = dev;
	fence->refs = 2; /* the caller's and the job's */
	fence->fault.bundle = ACCEL_UNKNOWN;
	atomic_init(&fence->status, -EAGAIN);
	*out = fence;
	return 0;
}

static void fence_put(struct local_fence *fence)
{
	if (--fence->refs)
		return;
	close(fence->base.fd);
	free(fence);
}

static void fence_signal(struct local_fence *fence)
{
	u64 one = 1;

	atomic_store(&fence->status, rondo_result_error(fence->fault.result));
	(void)!write(fence->base.fd, &one, sizeof(one));
	fence_put(fence);
}

int local_fence_status(struct accel_fence *base)
{
	return atomic_load(&((struct local_fence *)base)->status);
}

void local_fence_fault(struct accel_fence *base, struct accel_fault *fault)
{
	*fault = ((struct local_fence *)base)->fault;
}

int local_fence_times(struct accel_fence *base, struct accel_fence_times *times)
{
	*times = ((struct local_fence *)base)->times;
	return 0;
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

/* Ends the job at *@link, which is taken off the list; @result is for one that has none yet. */
static void end_job(struct local_job **link, u32 result)
{
	struct local_job *job = *link;
	u32 i;

	*link = job->next;
	if (!job->fence->fault.result)
		job->fence->fault.result = result;
	fence_signal(job->fence);
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

/* Whether one of the bindings writes memory that the other touches. */
static bool bindings_conflict(const struct local_binding *a, const struct local_binding *b)
{
	u32 i, k;

	for (i = 0; i < a->count; i++)
		for (k = 0; k < b->count; k++)
			if (slot_touched(a, i) && slot_touched(b, k) &&
			    a->memory[i] == b->memory[k] &&
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

	if (!job->pushed) {
		job->first = tail;
		job->fence->times =
			(struct accel_fence_times){ .queued = job->fence->times.queued };
	}
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

/* Notes how the replay of @event ended; the first failure is the job's. */
static void note_event(struct local_job *job, const struct rondo_fw_event *event)
{
	struct accel_fence_times *times = &job->fence->times;
	struct accel_fault *fault = &job->fence->fault;

	if (!times->started)
		times->started = event->started;
	times->ended = event->time;
	times->cycles += event->cycles;
	if (!event->result || fault->result)
		return;
	fault->result = event->result;
	fault->replay = event->seqno - job->seqno;
	if (rondo_result_has_bundle(event->result))
		fault->bundle = event->bundle;
}

bool local_queue_done(struct local_device *dev, const struct rondo_fw_event *event)
{
	struct local_job **link = &dev->jobs, *job;

	while (*link && event->seqno - (*link)->seqno >= (*link)->count)
		link = &(*link)->next;
	job = *link;
	if (!job || event->seqno - job->seqno >= job->pushed || event->queue != job->queue->number)
		return false;
	note_event(job, event);
	if (event->seqno - job->seqno == job->count - 1)
		end_job(link, RONDO_FW_OK);
	return true;
}

void local_queue_fail(struct local_device *dev, u32 result)
{
	while (dev->jobs)
		end_job(&dev->jobs, result);
}

/* Whether its replays read nothing that they write, so that it may be done again. */
static bool job_disjoint(const struct local_job *job)
{
	u32 i;

	/* With several bindings, one may read what another writes. */
	for (i = 1; i < job->count; i++)
		if (job->replay[i].binding != job->replay[0].binding)
			return false;
	return job->replay[0].binding->disjoint;
}

/* The last job of @queue that must not go on after a reset, or NULL. */
static struct local_job *last_failed(struct local_device *dev, const struct local_queue *queue)
{
	const struct rondo_fw_status *status = &dev->shared->status;
	u32 head = __atomic_load_n(&status->queue_head[queue->number], __ATOMIC_ACQUIRE);
	bool running = status->running == queue->number + 1;
	struct local_job *job, *failed = NULL;

	for (job = dev->jobs; job; job = job->next) {
		if (job->queue != queue || !job->pushed)
			continue;
		switch (rondo_fate_at_reset(rondo_job_begun(job->first, head, running),
					    job_disjoint(job), job->repeated)) {
		case RONDO_FATE_RUN:
			break;
		case RONDO_FATE_REPEAT:
			job->repeated = true;
			break;
		case RONDO_FATE_FAIL:
			failed = job;
			break;
		}
	}
	return failed;
}

static void settle_queue(struct local_device *dev, struct local_queue *queue)
{
	struct local_job *failed = last_failed(dev, queue), **link = &dev->jobs;
	bool last = false;

	while (failed && !last) {
		last = *link == failed;
		if ((*link)->queue == queue)
			end_job(link, RONDO_HOST_RESET);
		else
			link = &(*link)->next;
	}
	queue->tail = 0;
}

void local_queue_settle(struct local_device *dev)
{
	struct local_job *job;
	u32 i;

	for (i = 0; i < RONDO_FW_QUEUES_MAX; i++)
		if (dev->queue[i])
			settle_queue(dev, dev->queue[i]);
	for (job = dev->jobs; job; job = job->next)
		job->pushed = 0;
}

/* Adds the offsets of @replay to @entry. */
static int add_offsets(struct rondo_fw_entry *entry, const struct accel_replay *replay)
{
	const struct local_binding *binding = (const struct local_binding *)replay->binding;
	u32 i;
	int ret;

	for (i = 0; i < replay->offset_count; i++) {
		const struct accel_offset *offset = &replay->offsets[i];
		struct rondo_bound_slot bound;

		if (offset->slot >= binding->count)
			return -EINVAL;
		bound = local_bound_slot(binding, offset->slot);
		ret = rondo_entry_add_offset(entry, offset->slot, &bound, offset->offset);
		if (ret)
			return ret;
	}
	return 0;
}

/* Makes a job of @from's replays, not yet in any list; holds no references yet. */
static int make_job(struct local_queue *queue, const struct accel_job *from, struct local_job **out)
{
	struct local_job *job =
		calloc(1, sizeof(*job) + from->replay_count * sizeof(job->replay[0]));
	u32 i;
	int ret = 0;

	if (!job)
		return -ENOMEM;
	job->queue = queue;
	job->count = from->replay_count;
	for (i = 0; i < job->count && !ret; i++) {
		struct local_binding *binding = (struct local_binding *)from->replays[i].binding;

		job->replay[i].binding = binding;
		job->replay[i].entry = (struct rondo_fw_entry){
			.type = RONDO_FW_ENTRY_REPLAY,
			.flags = i == job->count - 1 ? RONDO_FW_ENTRY_EVENT : 0,
			.binding = binding->number,
		};
		ret = add_offsets(&job->replay[i].entry, &from->replays[i]);
	}
	if (ret)
		free(job);
	else
		*out = job;
	return ret;
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

/* Device time; 0 if the device has vanished. */
static u64 device_time(struct local_device *dev)
{
	u64 time = local_hw_read64(dev->hw, RONDO_REG_HOST_TIME_LO);

	return time == UINT64_MAX ? 0 : time;
}

int local_submit(struct accel_queue *base, const struct accel_job *from, struct accel_fence **out)
{
	struct local_queue *queue = (struct local_queue *)base;
	struct local_device *dev = queue->dev;
	struct local_fence *fence = NULL;
	struct local_job *job = NULL;
	int ret;

	if (from->in_count || from->out_count)
		return -ENOTSUP;
	ret = make_job(queue, from, &job);
	if (ret)
		return ret;
	ret = fence_create(dev, &fence);
	if (ret) {
		free(job);
		return ret;
	}
	job->fence = fence;
	if (base->notes_times)
		fence->times.queued = device_time(dev);

	pthread_mutex_lock(&dev->lock);
	ret = local_lost(dev); /* after a reset it is going to run */
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
	u32 number = 0;
	int ret;

	if (dev->queues >= LOCAL_QUEUES_MAX)
		return -ENOSPC;
	while (dev->queue[number])
		number++;
	queue->number = number;
	dev->queue[number] = queue;
	dev->queues++;
	__atomic_store_n(&dev->shared->status.queue_tail[number], 0, __ATOMIC_RELEASE);
	ret = local_load(dev, local_queue_describe(queue), &queue->live);
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
	queue->live = false;
	/* When this returns, with whatever, the device runs nothing of the queue any more. */
	local_admin(dev, (struct rondo_fw_admin){
				 .command = RONDO_FW_QUEUE_DESTROY,
				 .queue = queue->number,
			 });
	while (*link) {
		if ((*link)->queue == queue)
			end_job(link, RONDO_FW_ABORTED);
		else
			link = &(*link)->next;
	}
	dev->queue[queue->number] = NULL;
	dev->queues--;
	local_queue_push_all(dev);
	pthread_mutex_unlock(&dev->lock);
	queue_free(queue);
}

/* The jobs of @queue that have not ended, and their cycles. */
static void count_work(const struct local_queue *queue, struct rondo_bound *bound)
{
	const struct local_job *job;
	u32 i;

	for (job = queue->dev->jobs; job; job = job->next) {
		if (job->queue != queue)
			continue;
		bound->jobs++;
		for (i = 0; i < job->count; i++)
			bound->work += job->replay[i].binding->program->base.cycles;
	}
}

int local_queue_bound(struct accel_queue *base, u64 *cycles)
{
	const struct local_queue *queue = (const struct local_queue *)base;
	struct local_device *dev = queue->dev;
	struct rondo_bound bound = { .weight = queue->weight };
	u32 i;

	pthread_mutex_lock(&dev->lock);
	count_work(queue, &bound);
	for (i = 0; i < RONDO_FW_QUEUES_MAX; i++)
		if (dev->queue[i] && dev->queue[i] != queue) {
			bound.siblings++;
			bound.sibling_weights += dev->queue[i]->weight;
		}
	for (i = 0; i < RONDO_PROGRAMS_MAX; i++)
		if (dev->program[i] && dev->program[i]->base.cycles > bound.longest)
			bound.longest = dev->program[i]->base.cycles;
	pthread_mutex_unlock(&dev->lock);
	bound.sibling_longest = bound.longest;
	*cycles = bound.jobs ? rondo_bound_cycles(&bound) : 0;
	return 0;
}
