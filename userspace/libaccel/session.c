// SPDX-License-Identifier: MIT
/* Sessions: a model with all that it needs to run, made of the library's own public parts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/libaccel/backend.h"

struct accel_session {
	struct accel_device *device; /* borrowed from the objects below, which hold it */
	const struct accel_model *model;
	struct accel_program *program;
	struct accel_binding *binding;
	struct accel_queue *queue;
	struct accel_fence *fence; /* of the run under way, or NULL */
	int status; /* of the last run that has ended */
	struct accel_error error; /* and how it failed */
	struct accel_slot_binding slots[RONDO_PROGRAM_SLOTS_MAX];
	u8 *memory[RONDO_PROGRAM_SLOTS_MAX];
};

int accel_make_slot(struct accel_device *device, const struct accel_model *model, u32 slot,
		    struct accel_buffer **buffer, u8 **memory, struct accel_error *error)
{
	struct accel_slot_info info;
	void *mapped;
	int ret;

	accel_model_slot(model, slot, &info);
	if (!info.size)
		return 0;
	ret = accel_buffer_create(device, info.size, buffer);
	if (!ret)
		ret = accel_buffer_map(*buffer, &mapped);
	if (ret) {
		accel_error_set(error, "slot %u: no buffer: %s", slot, strerror(-ret));
		return ret;
	}
	*memory = mapped;
	if (info.data)
		memcpy(mapped, info.data, info.data_size);
	return 0;
}

static int session_fill(struct accel_session *s, struct accel_device *device,
			struct accel_error *error)
{
	u32 count = accel_model_slot_count(s->model), i;
	const void *program;
	size_t size;
	int ret;

	program = accel_model_program(s->model, &size);
	ret = accel_program_create(device, program, size, 0, &s->program, error);
	if (ret)
		return ret;
	for (i = 0; i < count; i++) {
		ret = accel_make_slot(device, s->model, i, &s->slots[i].buffer, &s->memory[i],
				      error);
		if (ret)
			return ret;
	}
	ret = accel_binding_create(s->program, s->slots, count, &s->binding, error);
	if (ret)
		return ret;
	ret = accel_queue_create(device, ACCEL_WEIGHT_DEFAULT, &s->queue);
	if (ret)
		accel_error_set(error, "no queue: %s", strerror(-ret));
	return ret;
}

ACCEL_EXPORT int accel_session_create(struct accel_device *device, const struct accel_model *model,
				      struct accel_session **session, struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	struct accel_session *s;
	int ret;

	accel_error_clear(error);
	if (accel_forked(device))
		return accel_fail(error, -EPERM);
	s = calloc(1, sizeof(*s));
	if (!s)
		return accel_fail(error, -ENOMEM);
	s->device = device;
	s->model = model;
	ret = session_fill(s, device, error);
	if (ret)
		accel_session_destroy(s);
	else
		*session = s;
	return ret;
}

ACCEL_EXPORT void accel_session_destroy(struct accel_session *session)
{
	ACCEL_KEEP_ERRNO;
	u32 i;

	if (!session || accel_forked(session->device))
		return;
	accel_fence_destroy(session->fence);
	accel_queue_destroy(session->queue);
	accel_binding_destroy(session->binding);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		accel_buffer_destroy(session->slots[i].buffer);
	accel_program_destroy(session->program);
	free(session);
}

ACCEL_EXPORT const struct accel_program *accel_session_program(const struct accel_session *session)
{
	return session->program;
}

ACCEL_EXPORT int accel_session_tensor(struct accel_session *session, enum accel_kind kind,
				      uint32_t index, void **data, uint64_t *bytes)
{
	struct accel_tensor tensor;
	int ret;

	if (accel_forked(session->device))
		return -EPERM;
	ret = accel_model_tensor(session->model, kind, index, &tensor);
	if (ret)
		return ret;
	*data = session->memory[tensor.slot] + tensor.offset;
	if (bytes)
		*bytes = tensor.bytes;
	return 0;
}

ACCEL_EXPORT int accel_session_start(struct accel_session *session)
{
	if (accel_forked(session->device))
		return -EPERM;
	if (session->fence)
		return -EBUSY;
	return accel_replay(session->queue, session->binding, &session->fence);
}

ACCEL_EXPORT int accel_session_wait(struct accel_session *session, int64_t deadline_ns)
{
	int ret;

	if (accel_forked(session->device))
		return -EPERM;
	if (!session->fence)
		return -EINVAL;
	ret = accel_fence_wait(session->fence, deadline_ns);
	if (ret == -ETIMEDOUT)
		return ret;
	session->status = accel_fence_error(session->fence, session->model, &session->error);
	accel_fence_destroy(session->fence);
	session->fence = NULL;
	return ret;
}

ACCEL_EXPORT int accel_session_error(struct accel_session *session, struct accel_error *error)
{
	accel_error_clear(error);
	if (accel_forked(session->device))
		return accel_fail(error, -EPERM);
	if (error)
		*error = session->error;
	return session->status;
}
