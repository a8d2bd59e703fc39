// SPDX-License-Identifier: MIT
/*
 * Pools: one program and one copy of the weights for many threads, made of the library's own public
 * parts.
 *
 * An instance of the pool is free, acquired, or left: released while its run was under way. One
 * that is left becomes free when somebody sees that the run has ended, which is whoever releases or
 * wants an instance. There is no thread that waits for it: the first of those who wait polls.
 *
 * accel_pool.lock protects lists and counts. An instance's other fields belong to whoever has
 * acquired it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "spec/fw_abi.h"
#include "userspace/libaccel/backend.h"

/* A job under way. */
struct run {
	struct accel_fence *fence;
	u32 refs; /* instances in it that have not seen its end; under the pool's lock */
	u32 queue; /* that it is in */
};

struct accel_instance {
	struct accel_pool *pool;
	struct accel_instance *next; /* in one of the pool's lists of its instances */
	struct accel_instance *
		*link; /* what points to this in accel_pool.added; NULL: the pool's */
	struct run *run; /* or NULL */
	int status; /* of the last run that has ended */
	struct accel_error error; /* and how it failed */
	int timed; /* 0: @times are those of the last run; else why they are not known */
	struct accel_fence_times times;
	struct accel_binding *binding;
	struct accel_slot_binding slots[RONDO_PROGRAM_SLOTS_MAX];
	u8 *memory[RONDO_PROGRAM_SLOTS_MAX]; /* of each slot's byte 0 */
	struct accel_buffer *buffers[RONDO_PROGRAM_SLOTS_MAX]; /* of its own */
};

/* Somebody who waits for an instance. */
struct waiter {
	struct waiter *next;
	pthread_cond_t called;
};

struct accel_pool {
	struct accel_device *device; /* borrowed from the objects below, which hold it */
	const struct accel_model *model;
	struct accel_program *program;
	u32 slots;
	struct rondo_program tables; /* of the model's program */
	struct accel_slot_binding shared[RONDO_PROGRAM_SLOTS_MAX]; /* that nobody writes */

	pthread_mutex_t lock;
	struct accel_instance *free, *left, *added;
	struct waiter *waiters; /* the first is served next */
	bool polling; /* the first waits for what is left, and is called by @wake */
	int wake; /* eventfd */
	u32 instances; /* the pool's own, made so far */
	struct accel_instance **instance;
	struct pollfd *poll; /* of who polls: one more than instances */
	u32 queues;
	struct {
		struct accel_queue *queue;
		u32 runs; /* in it, not seen to have ended */
	} queue[RONDO_FW_QUEUES_MAX];
};

/*
 * Making
 */

static bool has_tensor(const struct accel_pool *pool, u32 slot)
{
	struct accel_tensor tensor;
	u32 kind, i;

	for (kind = ACCEL_INPUT; kind <= ACCEL_OUTPUT; kind++)
		for (i = 0; !accel_model_tensor(pool->model, kind, i, &tensor); i++)
			if (tensor.slot == slot)
				return true;
	return false;
}

/* Whether the program writes @slot, or may by an alias of it. */
static bool is_written(const struct accel_pool *pool, u32 slot)
{
	const struct rondo_slot *s = pool->tables.slots;
	u32 i;

	for (i = 0; i < pool->slots; i++)
		if (s[i].write_hi && (i == slot || (s[i].alias && s[i].alias == s[slot].alias)))
			return true;
	return false;
}

/* One copy of what all instances read, and nobody writes. */
static int make_shared(struct accel_pool *pool, struct accel_error *error)
{
	u8 *memory;
	u32 i;
	int ret;

	for (i = 0; i < pool->slots; i++) {
		if (is_written(pool, i) || has_tensor(pool, i))
			continue;
		ret = accel_make_slot(pool->device, pool->model, i, &pool->shared[i].buffer,
				      &memory, error);
		if (ret)
			return ret;
	}
	return 0;
}

static void free_instance(struct accel_instance *instance)
{
	u32 i;

	accel_binding_destroy(instance->binding);
	for (i = 0; i < instance->pool->slots; i++)
		accel_buffer_destroy(instance->buffers[i]);
	free(instance);
}

/* Gives slot @i of the instance a buffer, unless it has one. */
static int give_slot(struct accel_instance *instance, u32 i, struct accel_error *error)
{
	struct accel_pool *pool = instance->pool;
	int ret;

	if (instance->slots[i].buffer)
		return 0;
	if (pool->shared[i].buffer) {
		instance->slots[i] = pool->shared[i];
		return 0;
	}
	ret = accel_make_slot(pool->device, pool->model, i, &instance->buffers[i],
			      &instance->memory[i], error);
	instance->slots[i].buffer = instance->buffers[i];
	return ret;
}

/* Makes buffers for the slots of @instance that have none yet, and binds all. */
static int bind_instance(struct accel_instance *instance, struct accel_error *error)
{
	struct accel_pool *pool = instance->pool;
	u32 i;
	int ret;

	for (i = 0; i < pool->slots; i++) {
		ret = give_slot(instance, i, error);
		if (ret)
			return ret;
	}
	return accel_binding_create(pool->program, instance->slots, pool->slots, &instance->binding,
				    error);
}

static int make_instances(struct accel_pool *pool, u32 count, struct accel_error *error)
{
	struct accel_instance *instance;
	int ret = 0;

	pool->instance = calloc(count, sizeof(pool->instance[0]));
	pool->poll = calloc(count + 1ull, sizeof(pool->poll[0]));
	if (!pool->instance || !pool->poll)
		return accel_fail(error, -ENOMEM);
	while (pool->instances < count && !ret) {
		instance = calloc(1, sizeof(*instance));
		if (!instance)
			return accel_fail(error, -ENOMEM);
		pool->instance[pool->instances++] = instance;
		instance->pool = pool;
		ret = bind_instance(instance, error);
		instance->next = pool->free;
		pool->free = instance;
	}
	return ret;
}

static int make_queues(struct accel_pool *pool, const struct accel_pool_options *options,
		       struct accel_error *error)
{
	u32 count = options->queues ? options->queues : 1;
	u32 weight = options->weight ? options->weight : ACCEL_WEIGHT_DEFAULT;
	int ret = 0;

	while (pool->queues < count && !ret) {
		ret = accel_queue_create(pool->device, weight, &pool->queue[pool->queues].queue);
		pool->queues += !ret;
		if (!ret && options->flags & ACCEL_POOL_TIMES)
			accel_queue_note_times(pool->queue[pool->queues - 1].queue, true);
	}
	if (ret)
		accel_error_set(error, "no queue: %s", strerror(-ret));
	return ret;
}

static int pool_fill(struct accel_pool *pool, const struct accel_pool_options *options,
		     struct accel_error *error)
{
	const void *code;
	size_t size;
	int ret;

	code = accel_model_program(pool->model, &size);
	ret = accel_program_create(pool->device, code, size, options->budget, &pool->program,
				   error);
	if (ret)
		return ret;
	rondo_program_open(&pool->tables, code, size);
	pool->slots = pool->tables.header->slots;
	ret = make_shared(pool, error);
	if (!ret)
		ret = make_queues(pool, options, error);
	if (!ret)
		ret = make_instances(pool, options->instances ? options->instances : 1, error);
	return ret;
}

static struct accel_pool *pool_alloc(struct accel_device *device, const struct accel_model *model)
{
	struct accel_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->device = device;
	pool->model = model;
	pthread_mutex_init(&pool->lock, NULL);
	pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return pool;
}

ACCEL_EXPORT int accel_pool_create(struct accel_device *device, const struct accel_model *model,
				   const struct accel_pool_options *options,
				   struct accel_pool **pool, struct accel_error *error)
{
	static const struct accel_pool_options defaults;
	ACCEL_KEEP_ERRNO;
	struct accel_pool *made;
	int ret;

	accel_error_clear(error);
	if (accel_forked(device))
		return accel_fail(error, -EPERM);
	if (!options)
		options = &defaults;
	if (options->flags & ~ACCEL_POOL_TIMES || options->reserved[0] || options->reserved[1])
		return accel_fail(error, -EINVAL);
	if (options->queues > RONDO_FW_QUEUES_MAX || options->instances > RONDO_BINDINGS_MAX)
		return accel_fail(error, -ENOSPC);
	made = pool_alloc(device, model);
	if (!made)
		return accel_fail(error, -ENOMEM);
	ret = made->wake < 0 ? accel_fail(error, -errno) : pool_fill(made, options, error);
	if (ret)
		accel_pool_destroy(made);
	else
		*pool = made;
	return ret;
}

/* An instance has seen the end of its run, or does not care. */
static void put_run(struct accel_pool *pool, struct run *run)
{
	if (--run->refs)
		return;
	pool->queue[run->queue].runs--;
	accel_fence_destroy(run->fence);
	free(run);
}

static void drop_run(struct accel_instance *instance)
{
	if (instance->run)
		put_run(instance->pool, instance->run);
	instance->run = NULL;
}

ACCEL_EXPORT void accel_pool_destroy(struct accel_pool *pool)
{
	ACCEL_KEEP_ERRNO;
	struct accel_instance *added;
	u32 i;

	if (!pool || accel_forked(pool->device))
		return;
	/* First, so that nothing runs any more. */
	for (i = 0; i < pool->queues; i++)
		accel_queue_destroy(pool->queue[i].queue);
	while ((added = pool->added)) {
		pool->added = added->next;
		drop_run(added);
		free_instance(added);
	}
	for (i = 0; i < pool->instances; i++) {
		drop_run(pool->instance[i]);
		free_instance(pool->instance[i]);
	}
	for (i = 0; i < pool->slots; i++)
		accel_buffer_destroy(pool->shared[i].buffer);
	accel_program_destroy(pool->program);
	if (pool->wake >= 0)
		close(pool->wake);
	pthread_mutex_destroy(&pool->lock);
	free(pool->instance);
	free(pool->poll);
	free(pool);
}

ACCEL_EXPORT const struct accel_program *accel_pool_program(const struct accel_pool *pool)
{
	return pool->program;
}

/*
 * Acquiring and releasing; all with the lock held
 */

/* Calls the first who waits: there is something for him, or to poll. */
static void call_first(struct accel_pool *pool)
{
	u64 one = 1;

	if (pool->waiters)
		pthread_cond_signal(&pool->waiters->called);
	/* It fails only if the counter is full, and then he is called anyway. */
	if (pool->polling)
		(void)!write(pool->wake, &one, sizeof(one));
}

static bool has_ended(const struct run *run)
{
	return run->fence->device->ops->fence_status(run->fence) != -EAGAIN;
}

static void make_free(struct accel_instance *instance)
{
	struct accel_pool *pool = instance->pool;

	drop_run(instance);
	instance->next = pool->free;
	pool->free = instance;
	call_first(pool); /* he may poll for just this run, whose descriptor is closed now */
}

/* What is left and whose run has ended becomes free. */
static void collect(struct accel_pool *pool)
{
	struct accel_instance **link = &pool->left, *instance;

	while ((instance = *link)) {
		if (has_ended(instance->run)) {
			*link = instance->next;
			make_free(instance);
		} else {
			link = &instance->next;
		}
	}
}

/* Waits until a run ends that was left, or somebody calls; releases the lock meanwhile. */
static int poll_left(struct accel_pool *pool, int64_t deadline_ns)
{
	struct accel_instance *instance;
	nfds_t count = 1;
	u64 calls;
	int ret;

	pool->poll[0] = (struct pollfd){ .fd = pool->wake, .events = POLLIN };
	for (instance = pool->left; instance; instance = instance->next)
		pool->poll[count++] = (struct pollfd){
			.fd = instance->run->fence->fd,
			.events = POLLIN,
		};
	pool->polling = true;
	pthread_mutex_unlock(&pool->lock);
	ret = accel_poll(pool->poll, count, deadline_ns);
	pthread_mutex_lock(&pool->lock);
	pool->polling = false;
	(void)!read(pool->wake, &calls, sizeof(calls));
	collect(pool);
	return ret;
}

/* Waits until somebody calls @waiter; releases the lock meanwhile. */
static int wait_for_call(struct accel_pool *pool, struct waiter *waiter, int64_t deadline_ns)
{
	int64_t ns = deadline_ns > 0 ? deadline_ns : 0;
	const struct timespec until = { ns / 1000000000, ns % 1000000000 };

	if (deadline_ns == ACCEL_FOREVER)
		return -pthread_cond_wait(&waiter->called, &pool->lock);
	return -pthread_cond_timedwait(&waiter->called, &pool->lock, &until);
}

/* Waits until it is @waiter's turn and an instance is free. */
static int wait_for_turn(struct accel_pool *pool, struct waiter *waiter, int64_t deadline_ns)
{
	int ret = 0;

	while (pool->waiters != waiter || !pool->free) {
		if (ret)
			return ret;
		ret = pool->waiters == waiter && pool->left ?
			      poll_left(pool, deadline_ns) :
			      wait_for_call(pool, waiter, deadline_ns);
	}
	return 0;
}

static struct accel_instance *take_free(struct accel_pool *pool)
{
	struct accel_instance *instance = pool->free;

	pool->free = instance->next;
	instance->status = 0;
	instance->timed = -ENODATA;
	accel_error_clear(&instance->error);
	return instance;
}

/* Takes an instance when it is the caller's turn. */
static int acquire(struct accel_pool *pool, int64_t deadline_ns, struct accel_instance **instance)
{
	struct waiter waiter = {}, **link = &pool->waiters;
	pthread_condattr_t attr;
	int ret;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&waiter.called, &attr);
	pthread_condattr_destroy(&attr);
	while (*link)
		link = &(*link)->next;
	*link = &waiter;
	ret = wait_for_turn(pool, &waiter, deadline_ns);
	if (!ret)
		*instance = take_free(pool);
	for (link = &pool->waiters; *link != &waiter;)
		link = &(*link)->next;
	*link = waiter.next;
	call_first(pool);
	pthread_cond_destroy(&waiter.called);
	return ret;
}

ACCEL_EXPORT int accel_pool_acquire(struct accel_pool *pool, int64_t deadline_ns,
				    struct accel_instance **instance)
{
	ACCEL_KEEP_ERRNO;
	int ret = 0;

	if (accel_forked(pool->device))
		return -EPERM;
	pthread_mutex_lock(&pool->lock);
	collect(pool);
	if (pool->free && !pool->waiters)
		*instance = take_free(pool);
	else
		ret = acquire(pool, deadline_ns, instance);
	pthread_mutex_unlock(&pool->lock);
	return ret;
}

/* Gives up an instance that is not the pool's. What the device still uses is kept for it. */
static void remove_added(struct accel_instance *instance)
{
	struct accel_pool *pool = instance->pool;

	pthread_mutex_lock(&pool->lock);
	*instance->link = instance->next;
	if (instance->next)
		instance->next->link = instance->link;
	drop_run(instance);
	pthread_mutex_unlock(&pool->lock);
	free_instance(instance);
}

ACCEL_EXPORT void accel_instance_release(struct accel_instance *instance)
{
	ACCEL_KEEP_ERRNO;
	struct accel_pool *pool;

	if (!instance || accel_forked(instance->pool->device))
		return;
	if (instance->link) {
		remove_added(instance);
		return;
	}
	pool = instance->pool;
	pthread_mutex_lock(&pool->lock);
	if (instance->run && !has_ended(instance->run)) {
		instance->next = pool->left;
		pool->left = instance;
		call_first(pool); /* to poll for it, too */
	} else {
		make_free(instance);
	}
	pthread_mutex_unlock(&pool->lock);
}

/*
 * Instances with buffers of the caller's
 */

/* Puts the caller's buffer behind one slot. */
static int use_buffer(struct accel_instance *instance, const struct accel_slot_buffer *user,
		      struct accel_error *error)
{
	struct accel_pool *pool = instance->pool;
	struct accel_slot_info info;
	void *memory;
	int ret;

	if (user->reserved || accel_model_slot(pool->model, user->slot, &info) ||
	    !has_tensor(pool, user->slot) || instance->slots[user->slot].buffer ||
	    user->buffer->device != pool->device)
		return -EINVAL;
	if (user->offset > user->buffer->size || info.size > user->buffer->size - user->offset) {
		accel_error_set(error, "slot %u: the buffer is too small", user->slot);
		return -ERANGE;
	}
	instance->slots[user->slot] = (struct accel_slot_binding){ user->buffer, user->offset };
	ret = accel_buffer_map(user->buffer, &memory);
	if (ret)
		return ret;
	instance->memory[user->slot] = (u8 *)memory + user->offset;
	return 0;
}

static int fill_added(struct accel_instance *instance, const struct accel_slot_buffer *buffers,
		      u32 count, struct accel_error *error)
{
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = use_buffer(instance, &buffers[i], error);
		if (ret && error)
			error->index = buffers[i].slot;
		if (ret)
			return accel_fail(error, ret);
	}
	return bind_instance(instance, error);
}

ACCEL_EXPORT int accel_instance_create(struct accel_pool *pool,
				       const struct accel_slot_buffer *buffers, uint32_t count,
				       struct accel_instance **instance, struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	struct accel_instance *made;
	int ret;

	accel_error_clear(error);
	if (accel_forked(pool->device))
		return accel_fail(error, -EPERM);
	made = calloc(1, sizeof(*made));
	if (!made)
		return accel_fail(error, -ENOMEM);
	made->pool = pool;
	made->timed = -ENODATA;
	ret = fill_added(made, buffers, count, error);
	if (ret) {
		free_instance(made);
		return ret;
	}
	pthread_mutex_lock(&pool->lock);
	made->next = pool->added;
	made->link = &pool->added;
	if (made->next)
		made->next->link = &made->next;
	pool->added = made;
	pthread_mutex_unlock(&pool->lock);
	*instance = made;
	return 0;
}

/*
 * Running
 */

ACCEL_EXPORT int accel_instance_tensor(struct accel_instance *instance, enum accel_kind kind,
				       uint32_t index, void **data, uint64_t *bytes)
{
	struct accel_tensor tensor;
	int ret;

	if (accel_forked(instance->pool->device))
		return -EPERM;
	ret = accel_model_tensor(instance->pool->model, kind, index, &tensor);
	if (ret)
		return ret;
	*data = instance->memory[tensor.slot] + tensor.offset;
	if (bytes)
		*bytes = tensor.bytes;
	return 0;
}

/* The queue with the least to do, in which the run then is. */
static void choose_queue(struct accel_pool *pool, struct run *run)
{
	u32 i;

	pthread_mutex_lock(&pool->lock);
	for (i = 1; i < pool->queues; i++)
		if (pool->queue[i].runs < pool->queue[run->queue].runs)
			run->queue = i;
	pool->queue[run->queue].runs++;
	pthread_mutex_unlock(&pool->lock);
}

/* Makes one job of @instances, each of which may stand there once and must not run. */
static int check_instances(const struct accel_pool *pool, struct accel_instance *const *instances,
			   u32 count, struct accel_replay *replays)
{
	u32 i, k;

	for (i = 0; i < count; i++) {
		if (instances[i]->pool != pool)
			return -EINVAL;
		if (instances[i]->run)
			return -EBUSY;
		for (k = 0; k < i; k++)
			if (instances[k] == instances[i])
				return -EINVAL;
		replays[i].binding = instances[i]->binding;
	}
	return 0;
}

static int submit_run(struct accel_pool *pool, struct run *run, const struct accel_job *job)
{
	int ret;

	choose_queue(pool, run);
	ret = accel_submit(pool->queue[run->queue].queue, job, &run->fence);
	if (!ret)
		return 0;
	pthread_mutex_lock(&pool->lock);
	pool->queue[run->queue].runs--;
	pthread_mutex_unlock(&pool->lock);
	return ret;
}

ACCEL_EXPORT int accel_pool_submit(struct accel_pool *pool, struct accel_instance *const *instances,
				   uint32_t count)
{
	ACCEL_KEEP_ERRNO;
	struct accel_job job = { .replay_count = count };
	struct accel_replay *replays;
	struct run *run;
	int ret = -ENOMEM;
	u32 i;

	if (accel_forked(pool->device))
		return -EPERM;
	if (!count)
		return -EINVAL;
	if (count > pool->device->info.replays_max)
		return -ENOSPC;
	run = calloc(1, sizeof(*run));
	job.replays = replays = calloc(count, sizeof(*replays));
	if (run && replays)
		ret = check_instances(pool, instances, count, replays);
	if (!ret)
		ret = submit_run(pool, run, &job);
	free(replays);
	if (ret) {
		free(run);
		return ret;
	}
	run->refs = count;
	for (i = 0; i < count; i++)
		instances[i]->run = run;
	return 0;
}

ACCEL_EXPORT int accel_instance_start(struct accel_instance *instance)
{
	return accel_pool_submit(instance->pool, &instance, 1);
}

ACCEL_EXPORT int accel_instance_wait(struct accel_instance *instance, int64_t deadline_ns)
{
	ACCEL_KEEP_ERRNO;
	struct accel_pool *pool = instance->pool;
	struct accel_error error;
	int ret, status;

	if (accel_forked(pool->device))
		return -EPERM;
	if (!instance->run)
		return -EINVAL;
	ret = accel_fence_wait(instance->run->fence, deadline_ns);
	if (ret == -ETIMEDOUT)
		return ret;
	status = accel_fence_error(instance->run->fence, pool->model, &error);
	if (status == -EAGAIN) /* the host did not let us wait */
		return ret;
	instance->status = status;
	instance->error = error;
	instance->timed =
		accel_fence_times(instance->run->fence, &instance->times, sizeof(instance->times));
	pthread_mutex_lock(&pool->lock);
	drop_run(instance);
	pthread_mutex_unlock(&pool->lock);
	return status;
}

ACCEL_EXPORT int accel_instance_error(struct accel_instance *instance, struct accel_error *error)
{
	accel_error_clear(error);
	if (accel_forked(instance->pool->device))
		return accel_fail(error, -EPERM);
	if (error)
		*error = instance->error;
	return instance->status;
}

ACCEL_EXPORT int accel_instance_times(struct accel_instance *instance,
				      struct accel_fence_times *times, size_t size)
{
	if (accel_forked(instance->pool->device))
		return -EPERM;
	if (instance->timed)
		return instance->timed;
	memset(times, 0, size);
	memcpy(times, &instance->times,
	       size < sizeof(instance->times) ? size : sizeof(instance->times));
	return 0;
}

ACCEL_EXPORT int accel_instance_fd(struct accel_instance *instance)
{
	if (accel_forked(instance->pool->device))
		return -EPERM;
	return instance->run ? instance->run->fence->fd : -EINVAL;
}
