// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>

#include <drm/drm_print.h>
#include <drm/rondo_accel.h>

#include "core/binding.h"
#include "driver/rondo_binding.h"
#include "driver/rondo_device.h"
#include "driver/rondo_gem.h"
#include "driver/rondo_program.h"

static void describe(const struct rondo_resident *res, struct rondo_fw_admin *cmd)
{
	const struct rondo_binding *binding = container_of(res, struct rondo_binding, res);

	cmd->binding = res->number;
	if (cmd->command == RONDO_FW_BIND) {
		cmd->program = binding->prog->res.number;
		cmd->generation = binding->generation;
		cmd->addr = binding->slots.block->addr;
		cmd->count = binding->count;
		cmd->cycles = binding->prog->cycles;
		if ((READ_ONCE(binding->rdev->fw.version) & 0xffff) >= RONDO_FW_MINOR_SIGNATURE)
			cmd->signature = binding->prog->signature;
	}
}

static const struct rondo_resident_ops binding_ops = {
	.table = RONDO_BINDINGS,
	.count = RONDO_BINDINGS_MAX,
	.load = RONDO_FW_BIND,
	.unload = RONDO_FW_UNBIND,
	.describe = describe,
};

static void release_work(struct work_struct *work)
{
	struct rondo_binding *binding = container_of(work, struct rondo_binding, release);
	struct rondo_device *rdev = binding->rdev;
	u32 i;

	rondo_resident_unload(rdev, &binding->res);
	rondo_resident_fini(rdev, &binding->res);
	rondo_dma_free(rdev, &binding->slots);
	for (i = 0; i < binding->count; i++) {
		struct rondo_bound_slot *slot = &binding->slot[i];

		if (slot->pages)
			rondo_bo_unpin(rdev, slot->bo);
		if (slot->bo)
			drm_gem_object_put(&slot->bo->base.base);
	}
	rondo_prog_put(binding->prog);
	kfree(binding);
	rondo_released(rdev);
}

static void release(struct kref *ref)
{
	struct rondo_binding *binding = container_of(ref, struct rondo_binding, ref);

	rondo_release(binding->rdev, &binding->release);
}

void rondo_binding_put(struct rondo_binding *binding)
{
	if (binding)
		kref_put(&binding->ref, release);
}

struct rondo_binding *rondo_binding_lookup(struct rondo_file *rfile, u32 id)
{
	struct rondo_binding *binding;

	xa_lock(&rfile->bindings);
	binding = xa_load(&rfile->bindings, id);
	if (binding)
		kref_get(&binding->ref);
	xa_unlock(&rfile->bindings);
	return binding;
}

void rondo_binding_close_all(struct rondo_file *rfile)
{
	struct rondo_binding *binding;
	unsigned long id;

	xa_for_each(&rfile->bindings, id, binding)
		rondo_binding_put(binding);
	xa_destroy(&rfile->bindings);
}

static const struct rondo_slot *slot_of(const struct rondo_binding *binding, u32 i)
{
	return &binding->prog->tables.slots[i];
}

int rondo_binding_check_offset(const struct rondo_binding *binding, u32 i, u64 offset, u32 *units)
{
	const struct rondo_bound_slot *bound;
	const struct rondo_slot *slot;

	if (i >= binding->count)
		return -EINVAL;
	slot = slot_of(binding, i);
	bound = &binding->slot[i];
	if (!(slot->flags & RONDO_SLOT_DYNAMIC) || !IS_ALIGNED(offset, slot->align))
		return -EINVAL;
	/* The bound offset and the extent fit: checked when the binding was made. */
	if (!bound->bo || offset > bound->bo->base.base.size - bound->offset - rondo_slot_end(slot))
		return -ERANGE;
	*units = offset / slot->align;
	return 0;
}

static struct rondo_bound bound_of(const struct rondo_binding *binding, u32 i)
{
	const struct rondo_bound_slot *slot = &binding->slot[i];

	return (struct rondo_bound){ slot_of(binding, i), slot->offset, slot->bo->base.base.size };
}

/* Whether slots @i and @j stand for buffers with the same memory. */
static bool same_memory(const struct rondo_binding *binding, u32 i, u32 j)
{
	const struct rondo_bo *a = binding->slot[i].bo, *b = binding->slot[j].bo;

	return a && b && (a == b || a->base.base.resv == b->base.base.resv);
}

/*
 * Slots of which one is written may overlap only within an alias group. Notes on the way
 * whether anything that is read is written.
 */
static int check_overlaps(struct rondo_binding *binding, u32 *error_slot)
{
	u32 i, j;

	binding->repeatable = true;
	for (i = 0; i < binding->count; i++) {
		for (j = 0; j < binding->count; j++) {
			struct rondo_bound a, b;

			if (!same_memory(binding, i, j))
				continue;
			a = bound_of(binding, i);
			b = bound_of(binding, j);
			if (rondo_bound_writes_read(&a, &b))
				binding->repeatable = false;
			if (i != j && rondo_bound_clash(&a, &b)) {
				*error_slot = max(i, j);
				return -EBUSY;
			}
		}
	}
	return 0;
}

/* Takes the buffer that the user named for slot @i, and compares sizes. */
static int bind_slot(struct rondo_binding *binding, struct drm_file *file, u32 i,
		     const struct drm_rondo_slot *user)
{
	const struct rondo_slot *slot = slot_of(binding, i);
	struct rondo_bound_slot *bound = &binding->slot[i];
	struct rondo_bound fit;

	if (user->pad || !IS_ALIGNED(user->offset, slot->align))
		return -EINVAL;
	if (!user->handle)
		return rondo_slot_end(slot) ? -ENOENT : user->offset ? -EINVAL : 0;

	bound->bo = rondo_bo_lookup(file, user->handle);
	if (!bound->bo)
		return -ENOENT;
	bound->offset = user->offset;
	fit = bound_of(binding, i);
	if (!rondo_bound_fits(&fit))
		return -ERANGE;
	return rondo_bo_pin(binding->rdev, bound->bo, &bound->pages);
}

static int bind_slots(struct rondo_binding *binding, struct drm_file *file,
		      struct drm_rondo_binding_create *args)
{
	struct drm_rondo_slot user;
	u32 i;
	int ret;

	for (i = 0; i < binding->count; i++) {
		args->error_slot = i;
		ret = copy_struct_from_user(&user, sizeof(user),
					    u64_to_user_ptr(args->slots) +
						    (size_t)i * args->slot_stride,
					    args->slot_stride);
		if (ret)
			return ret;
		ret = bind_slot(binding, file, i, &user);
		if (ret)
			return ret;
	}
	return check_overlaps(binding, &args->error_slot);
}

/* Describes the slots to the device, and the binding to the firmware. */
static int load_binding(struct rondo_binding *binding)
{
	struct rondo_device *rdev = binding->rdev;
	struct rondo_slot_binding *slot;
	u32 i;
	int ret;

	ret = rondo_dma_alloc(rdev, &binding->slots, max(binding->count, 1u) * sizeof(*slot));
	if (ret)
		return ret;
	slot = binding->slots.block->cpu;
	for (i = 0; i < binding->count; i++) {
		const struct rondo_bound_slot *bound = &binding->slot[i];

		if (!bound->bo)
			continue;
		slot[i].pages = bound->pages;
		slot[i].offset = bound->offset;
		slot[i].size = bound->bo->base.base.size - bound->offset;
	}
	dma_wmb(); /* before the device is told to read it */

	binding->generation = atomic_inc_return(&rdev->generation);
	ret = rondo_resident_init(rdev, &binding->res, &binding_ops);
	if (!ret)
		ret = rondo_resident_load(rdev, &binding->res);
	return ret;
}

/* Takes over the reference to @prog. */
static struct rondo_binding *alloc_binding(struct rondo_device *rdev, struct rondo_prog *prog)
{
	u32 count = prog->tables.header->slots;
	struct rondo_binding *binding;

	binding = kzalloc(struct_size(binding, slot, count), GFP_KERNEL_ACCOUNT);
	if (!binding) {
		rondo_prog_put(prog);
		return NULL;
	}
	kref_init(&binding->ref);
	INIT_WORK(&binding->release, release_work);
	drm_dev_get(&rdev->drm);
	binding->rdev = rdev;
	binding->prog = prog;
	binding->count = count;
	return binding;
}

/* Makes the binding that @args asks for. */
static struct rondo_binding *create_binding(struct drm_file *file,
					    struct drm_rondo_binding_create *args)
{
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_binding *binding;
	struct rondo_prog *prog;
	int ret;

	prog = rondo_prog_lookup(rfile, args->program);
	if (!prog)
		return ERR_PTR(-ENOENT);
	binding = alloc_binding(rfile->rdev, prog);
	if (!binding)
		return ERR_PTR(-ENOMEM);

	ret = -EINVAL;
	if (args->slot_count == binding->count)
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
	if (args->flags || (args->slot_count && !args->slot_stride))
		return -EINVAL;

	ret = xa_alloc(&rfile->bindings, &args->id, NULL, XA_LIMIT(1, DRM_RONDO_BINDINGS_MAX),
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;
	binding = create_binding(file, args);
	if (IS_ERR(binding)) {
		xa_erase(&rfile->bindings, args->id);
		return PTR_ERR(binding);
	}
	args->error_slot = 0;
	xa_store(&rfile->bindings, args->id, binding, GFP_KERNEL);
	return 0;
}

int rondo_ioctl_binding_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_binding_destroy *args = data;
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_binding *binding;

	if (args->pad)
		return -EINVAL;
	binding = rondo_binding_lookup(rfile, args->id);
	if (!binding)
		return -ENOENT;
	/* Two calls may race; one erases. */
	if (xa_cmpxchg(&rfile->bindings, args->id, binding, NULL, 0) == binding)
		rondo_binding_put(binding);
	rondo_binding_put(binding);
	return 0;
}
