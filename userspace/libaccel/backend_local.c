// SPDX-License-Identifier: MIT
/* The emulated backend: programs, bindings, opening and closing. */
#include "userspace/libaccel/local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/verify.h"

static struct local_device *local_of(struct accel_device *device)
{
	return (struct local_device *)device;
}

/*
 * Forgetting: the device is told first, and the object freed when it has answered.
 */

static void forget(struct local_device *dev, bool live, struct local_call *call)
{
	if (live && !local_lost(dev))
		local_admin_post(dev, call);
	else
		call->then(call);
}

/*
 * Programs
 */

struct rondo_fw_admin local_program_describe(const struct local_program *program)
{
	return (struct rondo_fw_admin){
		.command = RONDO_FW_PROGRAM_LOAD,
		.program = program->number,
		.addr = local_hw_bus(program->pages.list),
		.size = program->size,
	};
}

static void program_free(struct local_program *program)
{
	local_pages_free(program->dev, &program->pages);
	free(program);
}

static void program_forgotten(struct local_call *call)
{
	struct local_program *program = call->object;

	program->dev->program[program->number] = NULL;
	program_free(program);
}

static void program_put(struct local_program *program)
{
	if (--program->refs)
		return;
	program->unload = (struct local_call){
		.cmd = { .command = RONDO_FW_PROGRAM_UNLOAD, .program = program->number },
		.then = program_forgotten,
		.object = program,
	};
	forget(program->dev, program->live, &program->unload);
}

/* Proves the copy of the program. */
static int verify(struct local_program *program, u64 budget, struct accel_error *error)
{
	struct local_device *dev = program->dev;
	const struct rondo_verdict *verdict;
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	int ret = 0;

	if (!v)
		return -ENOMEM;
	if (!budget || budget > dev->base.info.cycles_max)
		budget = dev->base.info.cycles_max;
	verdict = rondo_verify_run(v, &dev->base.machine, program->pages.memory, program->size,
				   budget, NULL, NULL);
	if (verdict->code) {
		accel_error_refusal(error, verdict->code, verdict->index, verdict->slot);
		ret = -EINVAL;
	} else {
		program->base.cycles = rondo_verify_facts(v)->cycles;
		program->base.cleared = rondo_cleared_bytes(rondo_verify_facts(v));
		program->signature = rondo_verify_facts(v)->signature;
		rondo_program_open(&program->tables, program->pages.memory, program->size);
		program->base.slots = program->tables.header->slots;
	}
	free(v);
	return ret;
}

/* Gives the program a number and loads it. */
static int program_load(struct local_device *dev, struct local_program *program)
{
	u32 number = 0;

	while (number < RONDO_PROGRAMS_MAX && dev->program[number])
		number++;
	if (number == RONDO_PROGRAMS_MAX)
		return -ENOSPC;
	program->number = number;
	dev->program[number] = program;
	return local_load(dev, local_program_describe(program), &program->live);
}

/* Copies, proves, loads; the caller has counted the handle. */
static int program_make(struct local_device *dev, const void *data, u64 size, u64 budget,
			struct local_program **out, struct accel_error *error)
{
	struct local_program *program = calloc(1, sizeof(*program));
	int ret;

	if (!program)
		return -ENOMEM;
	program->dev = dev;
	program->refs = 1;
	program->size = size;
	program->number = RONDO_PROGRAMS_MAX;
	ret = local_pages_alloc(dev, &program->pages, -1, size, false);
	if (!ret) {
		memcpy(program->pages.memory, data, size);
		ret = verify(program, budget, error);
	}
	if (ret) {
		program_free(program);
		return ret;
	}
	pthread_mutex_lock(&dev->lock);
	ret = program_load(dev, program);
	if (ret == -ENOMEM)
		accel_error_set(error, "%s", program->why);
	if (!ret)
		*out = program;
	else if (program->number < RONDO_PROGRAMS_MAX)
		program_put(program);
	else
		program_free(program);
	pthread_mutex_unlock(&dev->lock);
	return ret;
}

static int local_program_create(struct accel_device *device, const void *data, u64 size, u64 budget,
				struct accel_program **out, struct accel_error *error)
{
	struct local_device *dev = local_of(device);
	struct local_program *program;
	int ret;

	if (size > RONDO_PROGRAM_BYTES_MAX)
		return -E2BIG;
	if (size < sizeof(struct rondo_program_header)) {
		accel_error_refusal(error, RONDO_ERR_SIZE, 0, 0);
		return -EINVAL;
	}
	pthread_mutex_lock(&dev->lock);
	ret = dev->programs < LOCAL_PROGRAMS_MAX ? 0 : -ENOSPC;
	dev->programs += !ret;
	pthread_mutex_unlock(&dev->lock);
	if (ret)
		return ret;
	ret = program_make(dev, data, size, budget, &program, error);
	if (!ret) {
		*out = &program->base;
		return 0;
	}
	pthread_mutex_lock(&dev->lock);
	dev->programs--;
	pthread_mutex_unlock(&dev->lock);
	return ret;
}

static void local_program_destroy(struct accel_program *base)
{
	struct local_program *program = (struct local_program *)base;
	struct local_device *dev = program->dev;

	pthread_mutex_lock(&dev->lock);
	dev->programs--;
	program_put(program);
	pthread_mutex_unlock(&dev->lock);
}

/*
 * Bindings
 */

struct rondo_fw_admin local_binding_describe(const struct local_binding *binding)
{
	return (struct rondo_fw_admin){
		.command = RONDO_FW_BIND,
		.program = binding->program->number,
		.binding = binding->number,
		.generation = binding->generation,
		.addr = local_hw_bus(binding->slot),
		.count = binding->count,
		.cycles = binding->program->base.cycles,
		.signature = binding->program->signature,
	};
}

static void binding_free(struct local_binding *binding)
{
	u32 i;

	local_hw_forbid(binding->dev->hw, binding->slot, sizeof(binding->slot));
	for (i = 0; i < binding->count; i++)
		if (binding->memory[i])
			local_memory_put(binding->memory[i]);
	program_put(binding->program);
	free(binding);
}

static void binding_forgotten(struct local_call *call)
{
	struct local_binding *binding = call->object;

	binding->dev->binding[binding->number] = NULL;
	binding_free(binding);
}

void local_binding_put(struct local_binding *binding)
{
	if (--binding->refs)
		return;
	binding->unbind = (struct local_call){
		.cmd = { .command = RONDO_FW_UNBIND, .binding = binding->number },
		.then = binding_forgotten,
		.object = binding,
	};
	forget(binding->dev, binding->live, &binding->unbind);
}

struct rondo_bound_slot local_bound_slot(const void *ctx, u32 i)
{
	const struct local_binding *binding = ctx;
	const struct local_memory *memory = binding->memory[i];

	return (struct rondo_bound_slot){
		.slot = &binding->program->tables.slots[i],
		.memory = memory,
		.offset = binding->slot[i].offset,
		.size = memory ? memory->pages.bytes : 0,
	};
}

/* Compares the buffer for slot @i with what the program touches. */
static int bind_slot(struct local_binding *binding, u32 i, const struct accel_slot_binding *user)
{
	struct local_memory *memory = user->buffer ? ((struct local_buffer *)user->buffer)->memory :
						     NULL;
	struct rondo_bound_slot bound;
	int ret;

	binding->memory[i] = memory;
	if (memory)
		memory->refs++;
	binding->slot[i].offset = user->offset;
	bound = local_bound_slot(binding, i);
	ret = rondo_bound_check(&bound);
	if (ret || !memory)
		return ret;
	binding->slot[i].pages = local_hw_bus(memory->pages.list);
	binding->slot[i].size = bound.size - bound.offset;
	return 0;
}

/* Gives the binding a number and makes it known to the device. */
static int binding_load(struct local_device *dev, struct local_binding *binding)
{
	u32 number = 0;

	while (number < RONDO_BINDINGS_MAX && dev->binding[number])
		number++;
	if (number == RONDO_BINDINGS_MAX)
		return -ENOSPC;
	binding->number = number;
	binding->generation = ++dev->generation;
	dev->binding[number] = binding;
	return local_load(dev, local_binding_describe(binding), &binding->live);
}

/* With the lock held. */
static int binding_make(struct local_program *program, const struct accel_slot_binding *slots,
			u32 count, struct local_binding **out, u32 *error_slot)
{
	struct local_device *dev = program->dev;
	struct local_binding *binding;
	int ret = 0;
	u32 i;

	if (dev->bindings >= LOCAL_BINDINGS_MAX)
		return -ENOSPC;
	binding = calloc(1, sizeof(*binding));
	if (!binding)
		return -ENOMEM;
	binding->dev = dev;
	binding->refs = 1;
	binding->number = RONDO_BINDINGS_MAX;
	binding->count = count;
	binding->program = program;
	program->refs++;
	for (i = 0; i < count && !ret; i++) {
		*error_slot = i;
		ret = bind_slot(binding, i, &slots[i]);
	}
	if (!ret)
		ret = rondo_binding_check(local_bound_slot, binding, count, error_slot,
					  &binding->disjoint);
	if (!ret)
		ret = local_hw_allow(dev->hw, binding->slot, sizeof(binding->slot), false);
	dev->bindings++; /* loading releases the lock */
	if (!ret)
		ret = binding_load(dev, binding);
	if (!ret) {
		*out = binding;
		return 0;
	}
	dev->bindings--;
	if (binding->number < RONDO_BINDINGS_MAX)
		local_binding_put(binding);
	else
		binding_free(binding);
	return ret;
}

static int local_binding_create(struct accel_program *program,
				const struct accel_slot_binding *slots, u32 count,
				struct accel_binding **out, u32 *error_slot)
{
	struct local_device *dev = ((struct local_program *)program)->dev;
	struct local_binding *binding;
	int ret;

	pthread_mutex_lock(&dev->lock);
	ret = binding_make((struct local_program *)program, slots, count, &binding, error_slot);
	pthread_mutex_unlock(&dev->lock);
	if (!ret)
		*out = &binding->base;
	return ret;
}

static void local_binding_destroy(struct accel_binding *base)
{
	struct local_binding *binding = (struct local_binding *)base;
	struct local_device *dev = binding->dev;

	pthread_mutex_lock(&dev->lock);
	dev->bindings--;
	local_binding_put(binding);
	pthread_mutex_unlock(&dev->lock);
}

/*
 * The device
 */

static int local_fd(struct accel_device *device)
{
	(void)device;
	return -ENOTSUP;
}

static int local_clock(struct accel_device *device, struct accel_clock *clock)
{
	struct local_device *dev = local_of(device);
	struct timespec t;
	u64 cycles;

	cycles = local_hw_read64(dev->hw, RONDO_REG_HOST_TIME_LO);
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (!local_hw_present(dev->hw))
		return -ENODEV;
	*clock = (struct accel_clock){ cycles, (u64)t.tv_sec * 1000000000 + t.tv_nsec };
	return 0;
}

/* Frees what is left when the device has stopped: calls, and the objects they would have freed. */
static void drop_calls(struct local_device *dev)
{
	struct local_call *call;

	dev->state = LOCAL_GONE;
	while ((call = local_call_pop(&dev->calls)) || (call = local_call_pop(&dev->backlog)))
		call->then(call);
}

static void local_free(struct local_device *dev)
{
	local_hw_destroy(dev->hw);
	if (dev->shared)
		munmap(dev->shared, sizeof(*dev->shared));
	if (dev->image)
		munmap(dev->image, local_hw_image_bytes());
	if (dev->wake >= 0)
		close(dev->wake);
	pthread_cond_destroy(&dev->answered);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

static void local_close(struct accel_device *device)
{
	struct local_device *dev = local_of(device);

	pthread_mutex_lock(&dev->lock);
	dev->stop = true;
	pthread_mutex_unlock(&dev->lock);
	local_wake(dev);
	pthread_join(dev->thread, NULL);
	drop_calls(dev);
	local_free(dev);
}

static const struct accel_backend local_backend = {
	.close = local_close,
	.fd = local_fd,
	.clock = local_clock,
	.buffer_create = local_buffer_create,
	.buffer_import = local_buffer_import,
	.buffer_export = local_buffer_export,
	.buffer_destroy = local_buffer_destroy,
	.buffer_map = local_buffer_map,
	.program_create = local_program_create,
	.program_destroy = local_program_destroy,
	.binding_create = local_binding_create,
	.binding_destroy = local_binding_destroy,
	.queue_create = local_queue_create,
	.queue_destroy = local_queue_destroy,
	.queue_bound = local_queue_bound,
	.submit = local_submit,
	.fence_status = local_fence_status,
	.fence_fault = local_fence_fault,
	.fence_times = local_fence_times,
	.fence_destroy = local_fence_destroy,
};

static void irq(void *ctx, u32 vector)
{
	(void)vector;
	local_wake(ctx);
}

static void refused(void *ctx, u32 number, const char *why)
{
	struct local_device *dev = ctx;
	struct local_program *program;

	pthread_mutex_lock(&dev->lock);
	program = dev->program[number];
	if (program)
		snprintf(program->why, sizeof(program->why), "%s", why);
	pthread_mutex_unlock(&dev->lock);
}

/* Memory that the firmware uses, and the image it is booted from. */
static int map_shared(struct local_device *dev)
{
	void *memory;
	int ret;

	ret = accel_map(-1, 0, sizeof(*dev->shared), &memory);
	if (ret)
		return ret;
	dev->shared = memory;
	ret = accel_map(-1, 0, local_hw_image_bytes(), &memory);
	if (ret)
		return ret;
	dev->image = memcpy(memory, local_hw_image(), local_hw_image_bytes());
	ret = local_hw_allow(dev->hw, dev->shared, sizeof(*dev->shared), true);
	return ret ? ret : local_hw_allow(dev->hw, dev->image, local_hw_image_bytes(), false);
}

static void fill_info(struct accel_device *device)
{
	device->ops = &local_backend;
	device->info = (struct accel_info){
		.backend = "emu",
		.machine_hash = rondo_machine_hash(&device->machine),
		.cycles_max = RONDO_CYCLES_MAX, /* the device is the process's own */
		.buffer_size_max = RONDO_SLOT_BYTES_MAX,
		.clock_khz = device->machine.clock_khz,
		.bundles_max = device->machine.bundles_max,
		.slots_max = RONDO_PROGRAM_SLOTS_MAX,
		.entries_max = RONDO_ENTRIES_MAX,
		.descs_max = RONDO_DESCS_MAX,
		.replays_max = LOCAL_REPLAYS_MAX,
		.offsets_max = RONDO_REPLAY_OFFSETS_MAX,
	};
}

int accel_local_fits(const struct rondo_machine *machine, struct accel_error *error)
{
	char why[LOCAL_HW_REASON_BYTES];

	if (local_hw_fits(machine, why))
		return 0;
	accel_error_set(error, "%s", why);
	return -ENOMEM;
}

u32 accel_local_firmware(void)
{
	struct rondo_fw_image image;

	memcpy(&image, local_hw_image(), sizeof(image));
	return image.version;
}

int accel_local_open(const struct rondo_machine *machine, struct accel_device **out,
		     struct accel_error *error)
{
	struct local_hw_ops ops = { .irq = irq, .refused = refused };
	struct local_device *dev;
	int ret;

	ret = accel_local_fits(machine, error);
	if (ret)
		return ret;
	ops.ctx = dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	pthread_mutex_init(&dev->lock, NULL);
	pthread_cond_init(&dev->answered, NULL);
	dev->base.machine = *machine;
	fill_info(&dev->base);
	dev->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dev->wake >= 0)
		dev->hw = local_hw_create(&dev->base.machine, &ops);
	if (!dev->hw) {
		ret = -errno;
		goto err_free;
	}
	ret = map_shared(dev);
	pthread_mutex_lock(&dev->lock);
	if (!ret)
		ret = local_boot(dev);
	pthread_mutex_unlock(&dev->lock);
	if (!ret)
		ret = -pthread_create(&dev->thread, NULL, local_thread, dev);
	if (ret)
		goto err_free;
	*out = &dev->base;
	return 0;

err_free:
	local_free(dev);
	return ret;
}

int accel_local_fault(struct accel_device *device, const char *name, u32 value)
{
	return local_hw_fault(local_of(device)->hw, name, value);
}

u32 accel_local_fault_hits(struct accel_device *device, const char *name)
{
	return local_hw_fault_hits(local_of(device)->hw, name);
}
