/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers: shared memory, or a dma-buf of another driver.
 */
#ifndef RONDO_GEM_H
#define RONDO_GEM_H

#include <linux/mutex.h>

#include <drm/drm_gem_shmem_helper.h>

#include "driver/rondo_dma.h"

struct dma_buf;
struct dma_buf_attachment;
struct drm_file;
struct rondo_device;

struct rondo_bo {
	struct drm_gem_shmem_object base;
	/** @imported: the foreign buffer that this is, with a reference; NULL: it is our own */
	struct dma_buf *imported;
	/** @import: our attachment to @imported, until the driver is unbound */
	struct rondo_dma import;
	/** @lock: protects what follows */
	struct mutex lock;
	/** @users: bindings that hold the device's view of the buffer */
	unsigned int users;
	/** @view: page list of the pinned pages, while @users is not 0 */
	struct rondo_dma view;
};

static inline struct rondo_bo *to_rondo_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct rondo_bo, base);
}

struct drm_gem_object *rondo_gem_create_object(struct drm_device *drm, size_t size);
struct drm_gem_object *rondo_gem_import(struct drm_device *drm, struct dma_buf_attachment *attach,
					struct sg_table *sgt);

/* The buffer with @handle, with a reference of the caller's own; NULL if there is none. */
struct rondo_bo *rondo_bo_lookup(struct drm_file *file, u32 handle);

/* Pins the buffer's pages and gives the bus address of their page list. */
int rondo_bo_pin(struct rondo_device *rdev, struct rondo_bo *bo, u64 *pages);
void rondo_bo_unpin(struct rondo_device *rdev, struct rondo_bo *bo);

#endif
