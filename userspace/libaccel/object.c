// SPDX-License-Identifier: MIT
/* Programs, bindings, queues, fences: what does not depend on the backend. */
#define _GNU_SOURCE /* ppoll() */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/energy.h"
#include "core/replay.h"
#include "spec/fw_abi.h"
#include "userspace/libaccel/backend.h"

/* Energy of the accepted program at @data. The bytes were aligned when they were proved. */
static void measure_energy(struct accel_program *program, const void *data, u64 size)
{
	const struct rondo_machine *machine = &program->device->machine;
	struct accel_energy *out = &program->energy;
	struct rondo_activity activity = {};
	struct rondo_energy energy;
	struct rondo_program p;

	if (rondo_program_open(&p, data, size))
		return;
	rondo_count_activity(machine, &p, program->cleared, &activity);
	energy = rondo_energy_of(machine, &activity);
	out->compute_j = energy.compute_fj * 1e-15;
	out->movement_j = energy.movement_fj * 1e-15;
	out->bundles = activity.bundles;
	out->macs = activity.macs_f32 + activity.macs_bf16 + activity.macs_s8;
	out->vector_lanes = activity.vector_lanes;
	out->sram_bytes = activity.sram_read + activity.sram_written + activity.sram_cleared;
	out->dma_bytes = activity.dma_in + activity.dma_out;
}

ACCEL_EXPORT int accel_program_create(struct accel_device *device, const void *data, size_t size,
				      uint64_t budget, struct accel_program **program,
				      struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	struct accel_program *made;
	int ret;

	accel_error_clear(error);
	if (accel_forked(device))
		return accel_fail(error, -EPERM);
	if ((uintptr_t)data % 8) {
		accel_error_set(error, "the program's bytes are not aligned to 8");
		return -EINVAL;
	}
	ret = device->ops->program_create(device, data, size, budget, &made, error);
	if (ret == -E2BIG)
		accel_error_set(error, "the program has %zu bytes, the limit is %llu", size,
				(unsigned long long)RONDO_PROGRAM_BYTES_MAX);
	if (ret)
		return accel_fail(error, ret);
	made->device = accel_device_get(device);
	measure_energy(made, data, size);
	*program = made;
	return 0;
}

ACCEL_EXPORT void accel_program_destroy(struct accel_program *program)
{
	ACCEL_KEEP_ERRNO;
	struct accel_device *device;

	if (!program || accel_forked(program->device))
		return;
	device = program->device;
	device->ops->program_destroy(program);
	accel_device_put(device);
}

ACCEL_EXPORT uint64_t accel_program_cycles(const struct accel_program *program)
{
	return program->cycles;
}

ACCEL_EXPORT void accel_program_energy(const struct accel_program *program,
				       struct accel_energy *energy)
{
	*energy = program->energy;
}

/* What is wrong with a slot, by -errno of a binding; NULL: it is not the slot's fault. */
static const char *slot_reason(int ret)
{
	switch (ret) {
	case -ENOENT:
		return "the program touches it, and there is no buffer";
	case -EINVAL:
		return "the offset is not a multiple of the alignment";
	case -ERANGE:
		return "the buffer is too small";
	case -EBUSY:
		return "it overlaps another slot, and one of them is written (a dynamic slot takes "
		       "its buffer up to the end)";
	default:
		return NULL;
	}
}

ACCEL_EXPORT int accel_binding_create(struct accel_program *program,
				      const struct accel_slot_binding *slots, uint32_t count,
				      struct accel_binding **binding, struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	struct accel_binding *made;
	u32 i, slot = 0;
	int ret;

	accel_error_clear(error);
	if (accel_forked(program->device))
		return accel_fail(error, -EPERM);
	if (count != program->slots) {
		accel_error_set(error, "the program has %u slots, not %u", program->slots, count);
		return -EINVAL;
	}
	for (i = 0; i < count; i++) {
		if (slots[i].buffer && slots[i].buffer->device != program->device) {
			accel_error_set(error, "slot %u: the buffer is of another device", i);
			if (error)
				error->index = i;
			return -EINVAL;
		}
	}
	ret = program->device->ops->binding_create(program, slots, count, &made, &slot);
	if (ret && slot_reason(ret)) {
		accel_error_set(error, "slot %u: %s", slot, slot_reason(ret));
		if (error)
			error->index = slot;
	}
	if (ret)
		return accel_fail(error, ret);
	made->device = accel_device_get(program->device);
	made->energy_j = program->energy.compute_j + program->energy.movement_j;
	*binding = made;
	return 0;
}

ACCEL_EXPORT void accel_binding_destroy(struct accel_binding *binding)
{
	ACCEL_KEEP_ERRNO;
	struct accel_device *device;

	if (!binding || accel_forked(binding->device))
		return;
	device = binding->device;
	device->ops->binding_destroy(binding);
	accel_device_put(device);
}

ACCEL_EXPORT int accel_queue_create(struct accel_device *device, uint32_t weight,
				    struct accel_queue **queue)
{
	ACCEL_KEEP_ERRNO;
	struct accel_queue *made;
	int ret;

	if (accel_forked(device))
		return -EPERM;
	if (!weight || weight > RONDO_FW_WEIGHT_MAX)
		return -EINVAL;
	ret = device->ops->queue_create(device, weight, &made);
	if (ret)
		return ret;
	made->device = accel_device_get(device);
	*queue = made;
	return 0;
}

ACCEL_EXPORT void accel_queue_destroy(struct accel_queue *queue)
{
	ACCEL_KEEP_ERRNO;
	struct accel_device *device;

	if (!queue || accel_forked(queue->device))
		return;
	device = queue->device;
	device->ops->queue_destroy(queue);
	accel_device_put(device);
}

ACCEL_EXPORT int accel_queue_note_times(struct accel_queue *queue, int on)
{
	if (accel_forked(queue->device))
		return -EPERM;
	queue->notes_times = on != 0;
	return 0;
}

ACCEL_EXPORT int accel_queue_bound(struct accel_queue *queue, uint64_t *cycles)
{
	ACCEL_KEEP_ERRNO;
	u64 bound;
	int ret;

	if (accel_forked(queue->device))
		return -EPERM;
	ret = queue->device->ops->queue_bound(queue, &bound);
	if (!ret)
		*cycles = bound;
	return ret;
}

/* What the structs themselves say; the backend looks at what they name. */
static int check_job(const struct accel_queue *queue, const struct accel_job *job)
{
	const struct accel_info *limits = &queue->device->info;
	u32 i, k;

	if (!job->replay_count || job->reserved)
		return -EINVAL;
	if (job->replay_count > limits->replays_max)
		return -ENOSPC;
	for (i = 0; i < job->replay_count; i++) {
		const struct accel_replay *replay = &job->replays[i];

		if (replay->reserved || replay->binding->device != queue->device)
			return -EINVAL;
		if (replay->offset_count > limits->offsets_max)
			return -ENOSPC;
		for (k = 0; k < replay->offset_count; k++)
			if (replay->offsets[k].reserved)
				return -EINVAL;
	}
	for (i = 0; i < job->in_count; i++)
		if (job->in_syncs[i].reserved)
			return -EINVAL;
	for (i = 0; i < job->out_count; i++)
		if (job->out_syncs[i].reserved)
			return -EINVAL;
	return 0;
}

ACCEL_EXPORT int accel_submit(struct accel_queue *queue, const struct accel_job *job,
			      struct accel_fence **fence)
{
	ACCEL_KEEP_ERRNO;
	struct accel_fence *made;
	int ret;
	u32 i;

	if (accel_forked(queue->device))
		return -EPERM;
	ret = check_job(queue, job);
	if (ret)
		return ret;
	ret = queue->device->ops->submit(queue, job, &made);
	if (ret)
		return ret;
	made->device = accel_device_get(queue->device);
	made->replays = job->replay_count;
	for (i = 0; i < job->replay_count; i++)
		made->energy_j += job->replays[i].binding->energy_j;
	if (fence)
		*fence = made;
	else
		accel_fence_destroy(made);
	return 0;
}

ACCEL_EXPORT int accel_replay(struct accel_queue *queue, struct accel_binding *binding,
			      struct accel_fence **fence)
{
	const struct accel_replay replay = { .binding = binding };
	const struct accel_job job = { .replays = &replay, .replay_count = 1 };

	return accel_submit(queue, &job, fence);
}

/* The time from now to @deadline_ns, not below zero. */
static struct timespec time_to(int64_t deadline_ns)
{
	struct timespec t;
	int64_t left;

	clock_gettime(CLOCK_MONOTONIC, &t);
	left = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	left = deadline_ns > left ? deadline_ns - left : 0;
	return (struct timespec){ .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
}

int accel_poll(struct pollfd *poll, unsigned long count, int64_t deadline_ns)
{
	struct timespec left;
	int ret;

	do {
		left = time_to(deadline_ns);
		ret = ppoll(poll, count, deadline_ns == ACCEL_FOREVER ? NULL : &left, NULL);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret ? 0 : -ETIMEDOUT;
}

ACCEL_EXPORT int accel_fence_wait(struct accel_fence *fence, int64_t deadline_ns)
{
	ACCEL_KEEP_ERRNO;
	struct pollfd poll = { .fd = fence->fd, .events = POLLIN };
	int ret;

	if (accel_forked(fence->device))
		return -EPERM;
	ret = accel_poll(&poll, 1, deadline_ns);
	return ret ? ret : fence->device->ops->fence_status(fence);
}

/* The node of the graph whose bundles @bundle is one of, or NULL. */
static const char *node_of(const struct accel_model *model, u32 bundle)
{
	struct accel_region region;
	u32 i;

	for (i = 0; model && !accel_model_region(model, i, &region); i++)
		if (bundle >= region.first && bundle - region.first < region.count)
			return region.name;
	return NULL;
}

static void describe_fault(const struct accel_fence *fence, const struct accel_fault *fault,
			   int status, const struct accel_model *model, struct accel_error *error)
{
	const char *node = node_of(model, fault->bundle);
	char which[48] = "the replay", where[128] = "";

	if (fence->replays > 1 && fault->result)
		snprintf(which, sizeof(which), "replay %u of %u", fault->replay, fence->replays);
	else if (fence->replays > 1)
		snprintf(which, sizeof(which), "one of %u replays", fence->replays);
	if (fault->bundle != ACCEL_UNKNOWN)
		snprintf(where, sizeof(where), node ? " at bundle %u (%.80s)" : " at bundle %u",
			 fault->bundle, node);
	error->reason = fault->result;
	error->index = fault->bundle;
	accel_error_set(error, "%s failed%s: %s", which, where,
			fault->result ? rondo_result_text(fault->result) : strerror(-status));
}

ACCEL_EXPORT int accel_fence_error(struct accel_fence *fence, const struct accel_model *model,
				   struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	struct accel_fault fault = { .bundle = ACCEL_UNKNOWN };
	int status;

	accel_error_clear(error);
	if (accel_forked(fence->device))
		return accel_fail(error, -EPERM);
	status = fence->device->ops->fence_status(fence);
	if (status == -EAGAIN || !status || !error)
		return status;
	fence->device->ops->fence_fault(fence, &fault);
	/* These two are known without asking the device. */
	if (!fault.result && status == -ECANCELED)
		fault.result = RONDO_FW_ABORTED;
	if (!fault.result && status == -ENODEV)
		fault.result = RONDO_HOST_GONE;
	describe_fault(fence, &fault, status, model, error);
	return status;
}

ACCEL_EXPORT int accel_fence_times(struct accel_fence *fence, struct accel_fence_times *times,
				   size_t size)
{
	ACCEL_KEEP_ERRNO;
	struct accel_fence_times known = {};
	int status, ret;

	if (accel_forked(fence->device))
		return -EPERM;
	status = fence->device->ops->fence_status(fence);
	if (status == -EAGAIN)
		return status;
	ret = fence->device->ops->fence_times(fence, &known);
	if (ret)
		return ret;
	known.energy_j = status ? 0 : fence->energy_j;
	memset(times, 0, size);
	memcpy(times, &known, size < sizeof(known) ? size : sizeof(known));
	return 0;
}

ACCEL_EXPORT int accel_fence_fd(struct accel_fence *fence)
{
	return accel_forked(fence->device) ? -EPERM : fence->fd;
}

ACCEL_EXPORT void accel_fence_destroy(struct accel_fence *fence)
{
	ACCEL_KEEP_ERRNO;
	struct accel_device *device;

	if (!fence || accel_forked(fence->device))
		return;
	device = fence->device;
	device->ops->fence_destroy(fence);
	accel_device_put(device);
}
