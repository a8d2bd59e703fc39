// SPDX-License-Identifier: GPL-2.0-only
/*
 * What userspace reads in <drm/rondo_program.h> is what the rest reads in spec/: every size, place
 * and number is compared here, and nothing is run.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>

#include <drm/rondo_accel.h>
#include <drm/rondo_program.h>

#include "core/replay.h"
#include "core/verify.h"
#include "spec/machine.h"
#include "spec/program.h"

/* No implicit padding, on any architecture: every size is the sum of the fields. */
static_assert(sizeof(struct drm_rondo_query) == 16);
static_assert(sizeof(struct drm_rondo_device_info) == 104);
static_assert(sizeof(struct drm_rondo_clock_info) == 16);
static_assert(sizeof(struct drm_rondo_bo_create) == 16);
static_assert(sizeof(struct drm_rondo_bo_mmap_offset) == 16);
static_assert(sizeof(struct drm_rondo_program_create) == 56);
static_assert(sizeof(struct drm_rondo_program_destroy) == 8);
static_assert(sizeof(struct drm_rondo_slot_binding) == 16);
static_assert(sizeof(struct drm_rondo_binding_create) == 32);
static_assert(sizeof(struct drm_rondo_binding_destroy) == 8);
static_assert(sizeof(struct drm_rondo_queue_create) == 16);
static_assert(sizeof(struct drm_rondo_queue_destroy) == 8);
static_assert(sizeof(struct drm_rondo_slot_offset) == 16);
static_assert(sizeof(struct drm_rondo_replay) == 24);
static_assert(sizeof(struct drm_rondo_sync) == 16);
static_assert(sizeof(struct drm_rondo_submit) == 64);
static_assert(sizeof(struct drm_rondo_queue_fault) == 32);
static_assert(sizeof(struct drm_rondo_queue_bound) == 16);
static_assert(sizeof(struct drm_rondo_fence_times) == 40);

#define SAME(name, field)                                                                   \
	static_assert(offsetof(struct drm_##name, field) == offsetof(struct name, field) && \
		      sizeof_field(struct drm_##name, field) == sizeof_field(struct name, field))

/* The structs of a program have longer names in the interface. */
#define drm_rondo_slot drm_rondo_program_slot
#define drm_rondo_entry drm_rondo_program_entry
#define drm_rondo_desc drm_rondo_program_desc

static_assert(sizeof(struct drm_rondo_machine) == sizeof(struct rondo_machine));
SAME(rondo_machine, isa_version);
SAME(rondo_machine, mesh_w);
SAME(rondo_machine, mesh_h);
SAME(rondo_machine, lanes);
SAME(rondo_machine, acc_rows);
SAME(rondo_machine, sram_bytes);
SAME(rondo_machine, dma_startup);
SAME(rondo_machine, dma_row_cycles);
SAME(rondo_machine, dma_bytes_per_cycle);
SAME(rondo_machine, clear_bytes_per_cycle);
SAME(rondo_machine, mesh_latency);
SAME(rondo_machine, loop_buffer);
SAME(rondo_machine, bundles_max);
SAME(rondo_machine, clock_khz);
SAME(rondo_machine, reserved);

static_assert(sizeof(struct drm_rondo_program_header) == sizeof(struct rondo_program_header));
SAME(rondo_program_header, magic);
SAME(rondo_program_header, version);
SAME(rondo_program_header, reserved);
SAME(rondo_program_header, machine_hash);
SAME(rondo_program_header, cycles);
SAME(rondo_program_header, slots);
SAME(rondo_program_header, entries);
SAME(rondo_program_header, descs);
SAME(rondo_program_header, bundles);

static_assert(sizeof(struct drm_rondo_slot) == sizeof(struct rondo_slot));
SAME(rondo_slot, read_lo);
SAME(rondo_slot, read_hi);
SAME(rondo_slot, write_lo);
SAME(rondo_slot, write_hi);
SAME(rondo_slot, align);
SAME(rondo_slot, alias);
SAME(rondo_slot, flags);

static_assert(sizeof(struct drm_rondo_entry) == sizeof(struct rondo_entry));
SAME(rondo_entry, base);
SAME(rondo_entry, stride);
SAME(rondo_entry, seg_stride);
SAME(rondo_entry, pitch);
SAME(rondo_entry, row_stride);
SAME(rondo_entry, seg_len);
SAME(rondo_entry, first);
SAME(rondo_entry, reserved);

static_assert(sizeof(struct drm_rondo_desc) == sizeof(struct rondo_desc));
SAME(rondo_desc, dir);
SAME(rondo_desc, mode);
SAME(rondo_desc, slot);
SAME(rondo_desc, row_bytes);
SAME(rondo_desc, count);
SAME(rondo_desc, sram_base);
SAME(rondo_desc, sram_stride);
SAME(rondo_desc, sram_loop);
SAME(rondo_desc, slot_base);
SAME(rondo_desc, slot_stride);
SAME(rondo_desc, slot_loop);
SAME(rondo_desc, slot_x);
SAME(rondo_desc, slot_y);
SAME(rondo_desc, x0);
SAME(rondo_desc, y0);
SAME(rondo_desc, x1);
SAME(rondo_desc, y1);

static_assert(DRM_RONDO_PROGRAM_MAGIC == RONDO_PROGRAM_MAGIC);
static_assert(DRM_RONDO_PROGRAM_VERSION == RONDO_PROGRAM_VERSION);
static_assert(DRM_RONDO_SLOT_DYNAMIC == RONDO_SLOT_FLAGS);

/* A number that differs is a division by zero. */
enum {
#define ERR(name, number, where, text) \
	RONDO_SAME_REFUSAL_##name = 1 / (DRM_RONDO_REFUSAL_##name == (number)),
#include "spec/errors.def"
#define RESULT(name, number, error, where, text) \
	RONDO_SAME_RESULT_##name = 1 / (DRM_RONDO_RESULT_##name == (number)),
#define HOST_RESULT RESULT
#include "spec/results.def"
};
