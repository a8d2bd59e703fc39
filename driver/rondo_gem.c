// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-buf.h>
#include <linux/slab.h>

#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>
#include <drm/rondo_accel.h>

#include "driver/rondo_device.h"
#include "driver/rondo_gem.h"
#include "driver/rondo_limits.h"

static void gem_free(struct drm_gem_object *obj)
{
	struct rondo_bo *bo = to_rondo_bo(obj);
	struct dma_buf *imported = bo->imported;

	drm_WARN_ON(obj->dev, bo->users);
	if (imported) {
		/* The attachment may be gone for long, so the helpers shall not look at it. */
		rondo_dma_free(to_rondo_device(obj->dev), &bo->import);
		obj->import_attach = NULL;
		bo->base.sgt = NULL;
	}
	mutex_destroy(&bo->lock);
	drm_gem_shmem_free(&bo->base);
	if (imported)
		dma_buf_put(imported);
}

static const struct drm_gem_object_funcs gem_funcs = {
	.free = gem_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

struct drm_gem_object *rondo_gem_create_object(struct drm_device *drm, size_t size)
{
	struct rondo_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	mutex_init(&bo->lock);
	bo->base.base.funcs = &gem_funcs;
	return &bo->base.base;
}

struct drm_gem_object *rondo_gem_import(struct drm_device *drm, struct dma_buf_attachment *attach,
					struct sg_table *sgt)
{
	struct drm_gem_object *obj = drm_gem_shmem_prime_import_sg_table(drm, attach, sgt);
	struct rondo_bo *bo;
	int ret;

	if (IS_ERR(obj))
		return obj;
	bo = to_rondo_bo(obj);
	bo->imported = attach->dmabuf; /* the caller's reference */
	ret = rondo_dma_import(to_rondo_device(drm), &bo->import, attach, sgt);
	if (ret) {
		/* The caller keeps it, with attachment and mapping. */
		bo->imported = NULL;
		bo->base.sgt = NULL;
		drm_gem_object_put(obj);
		return ERR_PTR(ret);
	}
	return obj;
}

struct rondo_bo *rondo_bo_lookup(struct drm_file *file, u32 handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);

	return obj ? to_rondo_bo(obj) : NULL;
}

static int view_create(struct rondo_device *rdev, struct rondo_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;
	int ret;

	if (bo->imported)
		return rondo_dma_list_import(rdev, &bo->view, &bo->import);

	ret = drm_gem_shmem_pin(shmem);
	if (ret)
		return ret;
	ret = rondo_dma_map_pages(rdev, &bo->view, shmem->pages, shmem->base.size >> PAGE_SHIFT,
				  DMA_BIDIRECTIONAL);
	if (ret)
		drm_gem_shmem_unpin(shmem);
	return ret;
}

int rondo_bo_pin(struct rondo_device *rdev, struct rondo_bo *bo, u64 *pages)
{
	int idx, ret = 0;

	/* What is mapped now stays so until drm_dev_exit(). */
	if (!drm_dev_enter(&rdev->drm, &idx))
		return -ENODEV;
	mutex_lock(&bo->lock);
	if (!bo->users)
		ret = view_create(rdev, bo);
	if (!ret && !bo->view.block)
		ret = -ENODEV; /* taken back at unbind */
	if (!ret) {
		bo->users++;
		*pages = bo->view.block->addr;
	}
	mutex_unlock(&bo->lock);
	drm_dev_exit(idx);
	return ret;
}

void rondo_bo_unpin(struct rondo_device *rdev, struct rondo_bo *bo)
{
	mutex_lock(&bo->lock);
	if (!--bo->users) {
		rondo_dma_free(rdev, &bo->view);
		if (!bo->imported)
			drm_gem_shmem_unpin(&bo->base);
	}
	mutex_unlock(&bo->lock);
}

int rondo_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_bo_create *args = data;
	struct drm_gem_shmem_object *shmem;
	int ret;

	if (args->flags || !args->size || args->size > RONDO_BO_SIZE_MAX)
		return -EINVAL;

	shmem = drm_gem_shmem_create(drm, PAGE_ALIGN(args->size));
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);
	args->size = shmem->base.size;
	ret = drm_gem_handle_create(file, &shmem->base, &args->handle);
	drm_gem_object_put(&shmem->base); /* the handle holds it */
	return ret;
}

int rondo_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_bo_mmap_offset *args = data;
	struct rondo_bo *bo;
	int ret;

	if (args->pad)
		return -EINVAL;
	bo = rondo_bo_lookup(file, args->handle);
	if (!bo)
		return -ENOENT;
	ret = drm_gem_create_mmap_offset(&bo->base.base);
	if (!ret)
		args->offset = drm_vma_node_offset_addr(&bo->base.base.vma_node);
	drm_gem_object_put(&bo->base.base);
	return ret;
}
