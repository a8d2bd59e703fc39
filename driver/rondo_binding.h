/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bindings: a program and a buffer for each of its slots. Immutable.
 */
#ifndef RONDO_BINDING_H
#define RONDO_BINDING_H

#include <linux/dma-resv.h>

#include "driver/rondo_dma.h"
#include "driver/rondo_object.h"

struct drm_gem_object;
struct rondo_bo;
struct rondo_file;
struct rondo_sealed_program;

/* What a replay's fence is to the buffers with one reservation object. */
struct rondo_use {
	struct drm_gem_object *obj;
	enum dma_resv_usage usage;
};

struct rondo_binding {
	struct rondo_object base;
	/** @program: the binding's own reference */
	struct rondo_sealed_program *program;
	/** @generation: tells this binding from an earlier one of the same number */
	u32 generation;
	/** @disjoint: reads nothing that it writes, so a replay may be done again */
	bool disjoint;
	/** @slots: struct rondo_slot_binding[], as the device reads it */
	struct rondo_dma slots;
	/** @fenced: how many elements have their @use filled in: one for each reservation object */
	u32 fenced;
	/** @count: of @slot, the program's number of slots */
	u32 count;
	struct {
		/** @bo: pinned while the binding lives; NULL: the slot has no buffer */
		struct rondo_bo *bo;
		/** @at: the driver's own copy of what the device is told */
		struct rondo_slot_binding at;
		struct rondo_use use;
	} slot[] __counted_by(count);
};

static inline struct rondo_binding *to_rondo_binding(struct rondo_object *object)
{
	return container_of(object, struct rondo_binding, base);
}

/* The binding with @id, with a reference of the caller's own; NULL if there is none. */
struct rondo_binding *rondo_binding_lookup(struct rondo_file *rfile, u32 id);
/* NULL is fine. */
void rondo_binding_put(struct rondo_binding *binding);

/* Adds to @entry that its replay moves slot @slot: 0, -EINVAL, -ERANGE or -ENOSPC. */
int rondo_binding_add_offset(const struct rondo_binding *binding, u32 slot, u64 offset,
			     struct rondo_fw_entry *entry);

/*
 * Before and after the replay @entry of @binding, which is loaded: lets device or CPU see what the
 * other has written; see rondo_dma_sync().
 */
void rondo_binding_sync(const struct rondo_binding *binding, const struct rondo_fw_entry *entry,
			bool for_device);

#endif
