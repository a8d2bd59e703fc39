/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers: shared memory, or a dma-buf of another driver.
 */
#ifndef RONDO_GEM_H
#define RONDO_GEM_H

#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/mutex.h>

#include <drm/drm_gem_shmem_helper.h>

#include "driver/rondo_dma.h"

struct dma_buf;
struct drm_file;
struct rondo_device;

/* The reservation object of all private buffers of a file, which may live longer than it. */
struct rondo_resv {
	struct kref ref;
	struct dma_resv base;
};

/* NULL if there is no memory. */
struct rondo_resv *rondo_resv_create(void);
void rondo_resv_put(struct rondo_resv *resv);

struct rondo_bo {
	struct drm_gem_shmem_object base;
	/** @private: its reservation object, shared with others; NULL: it is no private buffer */
	struct rondo_resv *private;
	/** @imported: the foreign buffer that this is, with a reference; NULL: it is our own */
	struct dma_buf *imported;
	/** @readonly: @imported was not opened for writing */
	bool readonly;
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
/* For drm: the buffer behind @buf. */
struct drm_gem_object *rondo_gem_import(struct drm_device *drm, struct dma_buf *buf);

/* The buffer with @handle, with a reference of the caller's own; NULL if there is none. */
struct rondo_bo *rondo_bo_lookup(struct drm_file *file, u32 handle);

/* Pins the buffer's pages and gives the bus address of their page list. */
int rondo_bo_pin(struct rondo_device *rdev, struct rondo_bo *bo, u64 *pages);
void rondo_bo_unpin(struct rondo_device *rdev, struct rondo_bo *bo);

#endif
