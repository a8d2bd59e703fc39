// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>

#include <drm/drm_print.h>
#include <drm/rondo_accel.h>

#include "core/binding.h"
#include "driver/rondo_array.h"
#include "driver/rondo_binding.h"
#include "driver/rondo_device.h"
#include "driver/rondo_gem.h"
#include "driver/rondo_limits.h"
#include "driver/rondo_program.h"
#include "driver/rondo_trace.h"

static void describe(const struct rondo_object *object, struct rondo_fw_admin *cmd)
{
	const struct rondo_binding *binding = container_of(object, struct rondo_binding, base);

	cmd->binding = object->number;
	if (cmd->command == RONDO_FW_BIND) {
		cmd->program = binding->program->base.number;
		cmd->generation = binding->generation;
		cmd->addr = binding->slots.block->addr;
		cmd->count = binding->count;
		cmd->cycles = binding->program->cycles;
		if (rondo_fw_knows(object->rdev, RONDO_FW_MINOR_SIGNATURE))
			cmd->signature = binding->program->signature;
	}
}

static void free_binding(struct rondo_object *object)
{
	struct rondo_binding *binding = to_rondo_binding(object);
	struct rondo_device *rdev = object->rdev;
	u32 i;

	rondo_dma_free(rdev, &binding->slots);
	for (i = 0; i < binding->count; i++) {
		if (binding->slot[i].at.pages)
			rondo_bo_unpin(rdev, binding->slot[i].bo);
		if (binding->slot[i].bo)
			drm_gem_object_put(&binding->slot[i].bo->base.base);
	}
	rondo_object_put(&binding->program->base);
	kfree(binding);
}

static const struct rondo_object_ops binding_ops = {
	.table = RONDO_BINDINGS,
	.ids = RONDO_FILE_BINDINGS_MAX,
	.numbers = RONDO_BINDINGS_MAX,
	.load = RONDO_FW_BIND,
	.unload = RONDO_FW_UNBIND,
	.describe = describe,
	.free = free_binding,
};

void rondo_binding_put(struct rondo_binding *binding)
{
	if (binding)
		rondo_object_put(&binding->base);
}

struct rondo_binding *rondo_binding_lookup(struct rondo_file *rfile, u32 id)
{
	struct rondo_object *object = rondo_object_lookup(rfile, RONDO_BINDINGS, id);

	return object ? to_rondo_binding(object) : NULL;
}

/*
 * Slot @i for the rules of core/binding.h. Buffers that are no private ones and have one
 * reservation object have the same memory: one was exported, and the other imported.
 */
static struct rondo_bound_slot bound_slot(const void *ctx, u32 i)
{
	const struct rondo_binding *binding = ctx;
	const struct rondo_bo *bo;
	struct rondo_bound_slot bound = {
		.slot = &binding->program->tables.slots[i],
		.offset = binding->slot[i].at.offset,
	};

	if (binding->slot[i].bo) {
		bo = binding->slot[i].bo;
		bound.memory = bo->private ? (void *)bo : bo->base.base.resv;
		bound.foreign = bo->imported;
		bound.size = bo->base.base.size;
	}
	return bound;
}

int rondo_binding_add_offset(const struct rondo_binding *binding, u32 slot, u64 offset,
			     struct rondo_fw_entry *entry)
{
	struct rondo_bound_slot bound;

	if (slot >= binding->count)
		return -EINVAL;
	bound = bound_slot(binding, slot);
	return rondo_entry_add_offset(entry, slot, &bound, offset);
}

/* Where byte 0 of slot @i is in its buffer in the replay @entry. */
static u64 slot_offset(const struct rondo_binding *binding, const struct rondo_fw_entry *entry,
		       u32 i)
{
	u32 k;

	for (k = 0; k < entry->offsets; k++)
		if (entry->slot[k] == i)
			return binding->slot[i].at.offset +
			       (u64)entry->offset[k] * binding->program->tables.slots[i].align;
	return binding->slot[i].at.offset;
}

void rondo_binding_sync(const struct rondo_binding *binding, const struct rondo_fw_entry *entry,
			bool for_device)
{
	struct rondo_device *rdev = binding->base.rdev;
	u32 i;

	for (i = 0; i < binding->count; i++) {
		const struct rondo_slot *slot = &binding->program->tables.slots[i];
		const struct rondo_bo *bo = binding->slot[i].bo;
		u64 at = slot_offset(binding, entry, i);

		if (!bo)
			continue;
		if (for_device)
			rondo_dma_sync(rdev, &bo->view, at + slot->read_lo, at + slot->read_hi,
				       true);
		/* Also before: not every byte between the first and the last need be written. */
		rondo_dma_sync(rdev, &bo->view, at + slot->write_lo, at + slot->write_hi,
			       for_device);
	}
}

/* Takes the buffer that the user named for slot @i, and compares sizes. */
static int bind_slot(struct rondo_binding *binding, struct drm_file *file, u32 i,
		     const struct drm_rondo_slot_binding *user)
{
	struct rondo_slot_binding *at = &binding->slot[i].at;
	struct rondo_bound_slot bound;
	struct rondo_bo *bo = NULL;
	int ret;

	if (user->pad)
		return -EINVAL;
	if (user->handle) {
		bo = rondo_bo_lookup(file, user->handle);
		if (!bo)
			return -ENOENT;
	}
	binding->slot[i].bo = bo;
	at->offset = user->offset;
	bound = bound_slot(binding, i);
	ret = rondo_bound_check(&bound);
	if (ret || !bo)
		return ret;
	if (bo->readonly && bound.slot->write_hi)
		return -EACCES;
	at->size = bound.size - bound.offset;
	return rondo_bo_pin(binding->base.rdev, bo, &at->pages);
}

/* What the fence of a replay is to the buffer of slot @i, which the program touches. */
static enum dma_resv_usage usage_of(const struct rondo_binding *binding, u32 i)
{
	/* Nobody but the file knows the buffer. */
	if (binding->slot[i].bo->private)
		return DMA_RESV_USAGE_BOOKKEEP;
	return binding->program->tables.slots[i].write_hi ? DMA_RESV_USAGE_WRITE :
							    DMA_RESV_USAGE_READ;
}

/* Lists each reservation object once, with the most exclusive of its usages. */
static void list_fences(struct rondo_binding *binding)
{
	struct drm_gem_object *obj;
	enum dma_resv_usage usage;
	u32 i, f;

	for (i = 0; i < binding->count; i++) {
		if (!rondo_slot_end(&binding->program->tables.slots[i]))
			continue;
		obj = &binding->slot[i].bo->base.base;
		usage = usage_of(binding, i);
		for (f = 0; f < binding->fenced; f++)
			if (binding->slot[f].use.obj->resv == obj->resv)
				break;
		if (f == binding->fenced)
			binding->slot[binding->fenced++].use.obj = obj;
		else
			usage = min(usage, binding->slot[f].use.usage);
		binding->slot[f].use.usage = usage;
	}
}

static int bind_slots(struct rondo_binding *binding, struct drm_file *file,
		      struct drm_rondo_binding_create *args)
{
	const struct rondo_array slots = { args->slots, args->slot_count, args->slot_stride };
	struct drm_rondo_slot_binding user;
	u32 i;
	int ret;

	if (slots.count != binding->count)
		return -EINVAL;
	ret = rondo_array_check(&slots, RONDO_PROGRAM_SLOTS_MAX, sizeof(user));
	if (ret)
		return ret;
	for (i = 0; i < slots.count; i++) {
		args->error_slot = i;
		ret = rondo_array_get(&slots, i, 1, &user, sizeof(user));
		if (ret)
			return ret;
		ret = bind_slot(binding, file, i, &user);
		if (ret)
			return ret;
	}
	list_fences(binding);
	return rondo_binding_check(bound_slot, binding, binding->count, &args->error_slot,
				   &binding->disjoint);
}

/* Describes the slots to the device. */
static int write_slots(struct rondo_binding *binding)
{
	struct rondo_device *rdev = binding->base.rdev;
	struct rondo_slot_binding *slot;
	int idx, ret;
	u32 i;

	/* What is allocated now stays so until drm_dev_exit(). */
	if (!drm_dev_enter(&rdev->drm, &idx))
		return -ENODEV;
	ret = rondo_dma_alloc(rdev, &binding->slots, max(binding->count, 1u) * sizeof(*slot));
	if (!ret) {
		slot = binding->slots.block->cpu;
		for (i = 0; i < binding->count; i++)
			slot[i] = binding->slot[i].at;
		dma_wmb(); /* before the device is told to read it */
	}
	drm_dev_exit(idx);
	return ret;
}

/* Describes the slots to the device, and the binding to the firmware. */
static int load_binding(struct rondo_binding *binding)
{
	struct rondo_device *rdev = binding->base.rdev;
	int ret;

	ret = write_slots(binding);
	if (ret)
		return ret;
	binding->generation = atomic_inc_return(&rdev->generation);
	ret = rondo_object_take_number(&binding->base);
	if (!ret)
		ret = rondo_object_load(&binding->base);
	return ret;
}

/* Takes over the reference to @program. */
static struct rondo_binding *alloc_binding(struct rondo_file *rfile,
					   struct rondo_sealed_program *program)
{
	u32 count = program->tables.header->slots;
	struct rondo_binding *binding;

	binding = kzalloc(struct_size(binding, slot, count), GFP_KERNEL_ACCOUNT);
	if (!binding) {
		rondo_object_put(&program->base);
		return NULL;
	}
	rondo_object_init(&binding->base, rfile, &binding_ops);
	binding->program = program;
	binding->base.needs = &program->base;
	binding->count = count;
	return binding;
}

/* Makes the binding that @args asks for. */
static struct rondo_binding *create_binding(struct drm_file *file,
					    struct drm_rondo_binding_create *args)
{
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_binding *binding;
	struct rondo_object *program;
	int ret;

	program = rondo_object_lookup(rfile, RONDO_PROGRAMS, args->program);
	if (!program)
		return ERR_PTR(-ENOENT);
	binding = alloc_binding(rfile, to_rondo_sealed_program(program));
	if (!binding)
		return ERR_PTR(-ENOMEM);

	ret = bind_slots(binding, file, args);
	if (!ret)
		ret = load_binding(binding);
	if (ret) {
		rondo_binding_put(binding);
		return ERR_PTR(ret);
	}
	return binding;
}

int rondo_ioctl_binding_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_binding_create *args = data;
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_binding *binding;
	int ret;

	args->error_slot = 0;
	if (args->flags)
		return -EINVAL;

	ret = rondo_id_reserve(rfile, &binding_ops, &args->id);
	if (ret)
		return ret;
	binding = create_binding(file, args);
	if (IS_ERR(binding)) {
		rondo_id_cancel(rfile, &binding_ops, args->id);
		return PTR_ERR(binding);
	}
	args->error_slot = 0;
	trace_rondo_bind(rfile->rdev, binding->base.number, binding->program->base.number,
			 binding->count);
	rondo_id_publish(rfile, args->id, &binding->base);
	return 0;
}

int rondo_ioctl_binding_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_binding_destroy *args = data;

	return args->pad ? -EINVAL :
			   rondo_object_destroy(file->driver_priv, RONDO_BINDINGS, args->id);
}
