// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>
#include <drm/rondo_accel.h>

#include "driver/rondo_device.h"
#include "driver/rondo_gem.h"
#include "driver/rondo_limits.h"

struct rondo_resv *rondo_resv_create(void)
{
	struct rondo_resv *resv = kzalloc(sizeof(*resv), GFP_KERNEL_ACCOUNT);

	if (!resv)
		return NULL;
	kref_init(&resv->ref);
	dma_resv_init(&resv->base);
	return resv;
}

static void release_resv(struct kref *ref)
{
	struct rondo_resv *resv = container_of(ref, struct rondo_resv, ref);

	dma_resv_fini(&resv->base);
	kfree(resv);
}

void rondo_resv_put(struct rondo_resv *resv)
{
	kref_put(&resv->ref, release_resv);
}

static void gem_free(struct drm_gem_object *obj)
{
	struct rondo_bo *bo = to_rondo_bo(obj);
	struct rondo_device *rdev = to_rondo_device(obj->dev);
	struct rondo_resv *private = bo->private;
	size_t size = obj->size;
	struct dma_buf *imported = bo->imported;

	drm_WARN_ON(obj->dev, bo->users);
	if (imported) {
		/* The attachment may be gone for long, so the helpers shall not look at it. */
		rondo_dma_free(rdev, &bo->import);
		obj->import_attach = NULL;
	}
	mutex_destroy(&bo->lock);
	drm_gem_shmem_free(&bo->base);
	if (imported)
		dma_buf_put(imported);
	else
		atomic64_sub(size, &rdev->memory);
	if (private)
		rondo_resv_put(private);
}

static struct dma_buf *gem_export(struct drm_gem_object *obj, int flags)
{
	return to_rondo_bo(obj)->private ? ERR_PTR(-EINVAL) : drm_gem_prime_export(obj, flags);
}

static enum drm_gem_object_status gem_status(struct drm_gem_object *obj)
{
	const struct rondo_bo *bo = to_rondo_bo(obj);

	return READ_ONCE(bo->base.pages) || bo->imported ? DRM_GEM_OBJECT_RESIDENT : 0;
}

/*
 * DRM's own way goes through obj->dma_buf, which another thread may just be clearing by closing the
 * handle.
 */
static int mmap_import(struct rondo_bo *bo, struct vm_area_struct *vma)
{
	int ret;

	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;
	ret = dma_buf_mmap(bo->imported, vma, 0);
	if (!ret)
		drm_gem_object_put(&bo->base.base); /* drm's: the mapping holds the exporter's */
	return ret;
}

static int gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct rondo_bo *bo = to_rondo_bo(obj);

	if (bo->readonly) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	return bo->imported ? mmap_import(bo, vma) : drm_gem_shmem_object_mmap(obj, vma);
}

static const struct drm_gem_object_funcs gem_funcs = {
	.free = gem_free,
	.export = gem_export,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = gem_mmap,
	.status = gem_status,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/* Whether it was opened so, which cannot be changed. */
static bool is_writable(const struct dma_buf *buf)
{
	return buf->file->f_mode & FMODE_WRITE;
}

struct drm_gem_object *rondo_gem_create_object(struct drm_device *drm, size_t size)
{
	struct rondo_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	mutex_init(&bo->lock);
	bo->base.base.funcs = &gem_funcs;
	return &bo->base.base;
}

/* The buffer that @buf is, if it is one of this device; NULL if it is another's. */
static struct drm_gem_object *own_object(struct drm_device *drm, struct dma_buf *buf)
{
	struct drm_gem_object *obj = buf->priv;

	return buf->ops->map_dma_buf == drm_gem_map_dma_buf && obj->dev == drm ? obj : NULL;
}

/* What is attached to @buf; it is mapped while it is bound. */
static struct drm_gem_object *import_foreign(struct drm_device *drm, struct dma_buf *buf)
{
	struct dma_buf_attachment *attach;
	struct drm_gem_object *obj;
	struct rondo_bo *bo;
	int ret;

	attach = dma_buf_attach(buf, drm->dev);
	if (IS_ERR(attach))
		return ERR_CAST(attach);
	obj = drm_gem_shmem_prime_import_sg_table(drm, attach, NULL);
	if (IS_ERR(obj))
		goto err_detach;

	bo = to_rondo_bo(obj);
	get_dma_buf(buf);
	bo->imported = buf;
	bo->readonly = !is_writable(buf);
	ret = rondo_dma_import(to_rondo_device(drm), &bo->import, attach,
			       bo->readonly ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL);
	if (ret) {
		drm_gem_object_put(obj);
		obj = ERR_PTR(ret);
		goto err_detach;
	}
	obj->import_attach = attach;
	obj->resv = buf->resv;
	return obj;

err_detach:
	dma_buf_detach(buf, attach);
	return obj;
}

/*
 * Not drm_gem_prime_import(), which maps at once, and gives the object that its maker may write
 * even for a dma-buf that was not opened for writing.
 */
struct drm_gem_object *rondo_gem_import(struct drm_device *drm, struct dma_buf *buf)
{
	struct drm_gem_object *obj = own_object(drm, buf);

	if (!obj || !is_writable(buf))
		return import_foreign(drm, buf);
	drm_gem_object_get(obj);
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
		return rondo_dma_map_import(rdev, &bo->view, &bo->import);

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
		if (bo->imported)
			rondo_dma_unmap_import(rdev, &bo->import);
		else
			drm_gem_shmem_unpin(&bo->base);
	}
	mutex_unlock(&bo->lock);
}

int rondo_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_bo_create *args = data;
	struct rondo_file *rfile = file->driver_priv;
	struct drm_gem_shmem_object *shmem;
	int ret;

	if (args->flags & ~DRM_RONDO_BO_PRIVATE || !args->size || args->size > RONDO_BO_SIZE_MAX)
		return -EINVAL;

	shmem = drm_gem_shmem_create(drm, PAGE_ALIGN(args->size));
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);
	args->size = shmem->base.size;
	atomic64_add(args->size, &rfile->rdev->memory);
	if (args->flags & DRM_RONDO_BO_PRIVATE) {
		kref_get(&rfile->resv->ref);
		to_rondo_bo(&shmem->base)->private = rfile->resv;
		shmem->base.resv = &rfile->resv->base;
	}
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
