/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A backend of libaccel that has no device: it notes what it is asked, and answers as the test
 * says. Every answer spoils errno, as a call of the host's may.
 */
#ifndef TESTS_LIBACCEL_FAKE_H
#define TESTS_LIBACCEL_FAKE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/machine.h"
#include "tests/tap.h"
#include "userspace/libaccel/backend.h"

struct fake {
	struct accel_device device;
	char asked[512]; /* names of the calls, each behind a space */
	int fail_in; /* so many calls are answered before one fails; negative: none does */
	int error; /* of that one */
	u64 size, budget; /* as given to the last call that has one */
	const void *data;
	u32 weight, count;
	u32 slot; /* at fault, of a binding that fails */
	u32 slots; /* of a program that is made */
	int status; /* of fences */
	struct accel_fault fault;
	void *memory; /* of the last buffer that was mapped */
	struct accel_foreign foreign; /* that was imported last */
};

struct fake_buffer {
	struct accel_buffer base;
	void *memory;
};

static int fake_asked(struct accel_device *device, const char *name)
{
	struct fake *f = (struct fake *)device;

	snprintf(f->asked + strlen(f->asked), sizeof(f->asked) - strlen(f->asked), " %s", name);
	errno = EXDEV;
	return f->fail_in-- ? 0 : f->error;
}

static void fake_close(struct accel_device *device)
{
	fake_asked(device, "close");
}

static int fake_fd(struct accel_device *device)
{
	int ret = fake_asked(device, "fd");

	return ret ? ret : 77;
}

static int fake_clock(struct accel_device *device, struct accel_clock *clock)
{
	int ret = fake_asked(device, "clock");

	if (!ret)
		*clock = (struct accel_clock){ 5, 6 };
	return ret;
}

static int fake_buffer_create(struct accel_device *device, u64 size, bool shared,
			      struct accel_buffer **out)
{
	struct fake_buffer *buffer;
	int ret = fake_asked(device, shared ? "shared" : "buffer");

	((struct fake *)device)->size = size;
	if (ret)
		return ret;
	buffer = calloc(1, sizeof(*buffer));
	buffer->memory = calloc(1, size < 1 << 20 ? size : 1);
	*out = &buffer->base;
	return 0;
}

static int fake_buffer_import(struct accel_device *device, const struct accel_foreign *foreign,
			      struct accel_buffer **out)
{
	struct fake *f = (struct fake *)device;
	struct fake_buffer *buffer;
	int ret = fake_asked(device, "import");

	f->foreign = *foreign;
	if (ret)
		return ret;
	buffer = calloc(1, sizeof(*buffer));
	*out = &buffer->base;
	return 0;
}

static int fake_buffer_export(struct accel_buffer *base, int *fd)
{
	int ret = fake_asked(base->device, "export");

	if (!ret)
		*fd = 78;
	return ret;
}

static void fake_buffer_destroy(struct accel_buffer *base)
{
	fake_asked(base->device, "~buffer");
	free(((struct fake_buffer *)base)->memory);
	free(base);
}

static int fake_buffer_map(struct accel_buffer *base, void **memory)
{
	struct fake_buffer *buffer = (struct fake_buffer *)base;
	int ret = fake_asked(base->device, "map");

	if (!ret)
		*memory = ((struct fake *)base->device)->memory = buffer->memory;
	return ret;
}

static int fake_program_create(struct accel_device *device, const void *data, u64 size, u64 budget,
			       struct accel_program **out, struct accel_error *error)
{
	struct fake *f = (struct fake *)device;
	int ret = fake_asked(device, "program");

	(void)error;
	f->data = data;
	f->size = size;
	f->budget = budget;
	if (ret)
		return ret;
	*out = calloc(1, sizeof(**out));
	(*out)->slots = f->slots;
	(*out)->cycles = 1234;
	return 0;
}

static void fake_program_destroy(struct accel_program *program)
{
	fake_asked(program->device, "~program");
	free(program);
}

static int fake_binding_create(struct accel_program *program,
			       const struct accel_slot_binding *slots, u32 count,
			       struct accel_binding **out, u32 *error_slot)
{
	struct fake *f = (struct fake *)program->device;
	int ret = fake_asked(program->device, "binding");

	f->data = slots;
	f->count = count;
	*error_slot = f->slot;
	if (!ret)
		*out = calloc(1, sizeof(**out));
	return ret;
}

static void fake_binding_destroy(struct accel_binding *binding)
{
	fake_asked(binding->device, "~binding");
	free(binding);
}

static int fake_queue_create(struct accel_device *device, u32 weight, struct accel_queue **out)
{
	int ret = fake_asked(device, "queue");

	((struct fake *)device)->weight = weight;
	if (!ret)
		*out = calloc(1, sizeof(**out));
	return ret;
}

static void fake_queue_destroy(struct accel_queue *queue)
{
	fake_asked(queue->device, "~queue");
	free(queue);
}

/* A fence that can be read at once. */
static int fake_submit(struct accel_queue *queue, const struct accel_job *job,
		       struct accel_fence **out)
{
	struct fake *f = (struct fake *)queue->device;
	int ret = fake_asked(queue->device, "submit");

	f->count = job->replay_count;
	f->data = job->replays[0].binding;
	if (ret)
		return ret;
	*out = calloc(1, sizeof(**out));
	(*out)->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	return 0;
}

static int fake_fence_status(struct accel_fence *fence)
{
	return fake_asked(fence->device, "status") ?: ((struct fake *)fence->device)->status;
}

static void fake_fence_fault(struct accel_fence *fence, struct accel_fault *fault)
{
	fake_asked(fence->device, "fault");
	*fault = ((struct fake *)fence->device)->fault;
}

static int fake_fence_times(struct accel_fence *fence, struct accel_fence_times *times)
{
	*times = (struct accel_fence_times){ 1, 2, 3, 4, 5 };
	return fake_asked(fence->device, "times");
}

static void fake_fence_destroy(struct accel_fence *fence)
{
	fake_asked(fence->device, "~fence");
	close(fence->fd);
	free(fence);
}

static const struct accel_backend fake_backend = {
	.close = fake_close,
	.fd = fake_fd,
	.clock = fake_clock,
	.buffer_create = fake_buffer_create,
	.buffer_import = fake_buffer_import,
	.buffer_export = fake_buffer_export,
	.buffer_destroy = fake_buffer_destroy,
	.buffer_map = fake_buffer_map,
	.program_create = fake_program_create,
	.program_destroy = fake_program_destroy,
	.binding_create = fake_binding_create,
	.binding_destroy = fake_binding_destroy,
	.queue_create = fake_queue_create,
	.queue_destroy = fake_queue_destroy,
	.submit = fake_submit,
	.fence_status = fake_fence_status,
	.fence_fault = fake_fence_fault,
	.fence_times = fake_fence_times,
	.fence_destroy = fake_fence_destroy,
};

static u8 *fake_owner(struct fake *f)
{
	return (u8 *)(uintptr_t)f->device.owner;
}

/* A device of that backend, open once. */
static void fake_init(struct fake *f)
{
	u8 *owner = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*owner = 1;
	*f = (struct fake){ .fail_in = -1, .error = -EDOM, .slots = 2 };
	f->device = (struct accel_device){
		.ops = &fake_backend,
		.refs = 1,
		.owner = owner,
		.info = { .backend = "fake",
			  .buffer_size_max = 10000,
			  .replays_max = 3,
			  .offsets_max = 2 },
	};
	rondo_machine_init(&f->device.machine, RONDO_MACHINE_edge);
}

/* Whether the backend was asked just @names since the last time. */
static bool fake_was_asked(struct fake *f, const char *names)
{
	bool same = !strcmp(f->asked, names);

	if (!same)
		printf("# asked:%s, not:%s\n", f->asked, names);
	f->asked[0] = 0;
	return same;
}

/* The call after @n more fails with @error. */
static void fake_fails(struct fake *f, int n, int error)
{
	f->fail_in = n;
	f->error = error;
}

#endif
