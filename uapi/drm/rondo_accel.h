/* SPDX-License-Identifier: MIT */
/*
 * The ioctl interface of the rondo accel driver, /dev/accel/accelN.
 *
 * What a program is, the machine that it is for, and why one is refused: <drm/rondo_program.h>.
 *
 * Rules, for every ioctl:
 *
 * - Padding, reserved fields and undefined flag bits must be zero, a value out of its range is
 *   refused: -EINVAL. What a field returns need not be set.
 * - A user (uid) other than root may have at most half of the programs, bindings and queues of the
 *   device, and of its memory. Users with work waiting share device time equally, whatever queues
 * they have.
 * - DRM's own ioctls are those of a render node; others are -EACCES. DRM_IOCTL_SYNCOBJ_* take at
 *   least 256 syncobjs in one call; many more are -EINVAL.
 * - An unknown handle or id is -ENOENT; a pointer that cannot be read, or written where something
 *   is returned, is -EFAULT; too many objects at one time, or more than the caller's
 *   share of the device's memory, are -ENOSPC; too little memory, of the host or on the device, is
 *   -ENOMEM.
 * - After the driver is unbound every ioctl is -ENODEV. While it is bound, PROGRAM_CREATE,
 *   BINDING_CREATE, QUEUE_CREATE and SUBMIT need a device that works: one that has vanished is
 *   -ENODEV, one that is dead -EIO. QUERY needs one that is there. The others need none.
 * - Limits are asked for (DRM_RONDO_QUERY_DEVICE), and another version may have others. A count
 *   beyond its limit is -EINVAL.
 * - Arrays are {pointer, count, stride}: stride is the caller's element size, a multiple of 8, at
 *   least the element's size in version 1.0, and at most 4096 (-EINVAL). A shorter element than the
 *   kernel's is extended with zeros; of a longer one the excess must be zero (-E2BIG). Neither
 *   pointer nor stride of an empty array is looked at.
 * - An ioctl that fails has no effect. (If the caller makes the argument unwritable during the
 *   call, what was made stays until the file is closed.) A caller that is killed is let go at the
 *   next element of an array.
 * - Calls may be made from any thread. Ids and handles belong to the open file and are released
 *   when it is closed.
 * - Times are CLOCK_MONOTONIC in nanoseconds; waits are absolute (DRM_IOCTL_SYNCOBJ_*).
 *   Device time is counted in cycles of the device's clock.
 *
 * A program is validated once, when it is created, and cannot be changed, mapped or exported.
 * A binding joins a program with a buffer for each of its slots. A submission replays bindings.
 *
 * Driver version history:
 *   1.0  first version
 *   1.1  DRM_IOCTL_RONDO_FENCE_TIMES, DRM_RONDO_SUBMIT_TIME
 */
#ifndef _UAPI_RONDO_ACCEL_H_
#define _UAPI_RONDO_ACCEL_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_RONDO_QUERY 0x00
#define DRM_RONDO_BO_CREATE 0x01
#define DRM_RONDO_BO_MMAP_OFFSET 0x02
#define DRM_RONDO_PROGRAM_CREATE 0x03
#define DRM_RONDO_PROGRAM_DESTROY 0x04
#define DRM_RONDO_BINDING_CREATE 0x05
#define DRM_RONDO_BINDING_DESTROY 0x06
#define DRM_RONDO_QUEUE_CREATE 0x07
#define DRM_RONDO_QUEUE_DESTROY 0x08
#define DRM_RONDO_SUBMIT 0x09
#define DRM_RONDO_QUEUE_FAULT 0x0a
#define DRM_RONDO_QUEUE_BOUND 0x0b
#define DRM_RONDO_FENCE_TIMES 0x0c

enum drm_rondo_query_type {
	/** @DRM_RONDO_QUERY_DEVICE: struct drm_rondo_device_info */
	DRM_RONDO_QUERY_DEVICE = 0,
	/** @DRM_RONDO_QUERY_MACHINE: struct drm_rondo_machine */
	DRM_RONDO_QUERY_MACHINE = 1,
	/** @DRM_RONDO_QUERY_CLOCK: struct drm_rondo_clock_info */
	DRM_RONDO_QUERY_CLOCK = 2,
};

/**
 * struct drm_rondo_query - argument of DRM_IOCTL_RONDO_QUERY
 *
 * With @data 0, @size is set to what the kernel has. Otherwise min(@size, that) bytes are
 * written to @data, and @size is set to their number.
 */
struct drm_rondo_query {
	/** @type: enum drm_rondo_query_type; another: -EINVAL */
	__u32 type;
	/** @size: bytes at @data */
	__u32 size;
	/** @data: user pointer, or 0 */
	__u64 data;
};

/** struct drm_rondo_device_info - what the device and its driver can do */
struct drm_rondo_device_info {
	/** @machine_hash: hash that programs for this device carry */
	__u64 machine_hash;
	/** @cycles_max: longest program, in exact cycles, that this caller may create */
	__u64 cycles_max;
	/** @job_cycles_max: exact cycles of a submission, of all its replays */
	__u64 job_cycles_max;
	/** @bo_size_max: bytes of a buffer */
	__u64 bo_size_max;
	/**
	 * @memory: bytes that the device has for programs and bindings of all files: of a user
	 * other than root at most half; all ones: it has no limit
	 */
	__u64 memory;
	/** @clock_khz: nominal clock of device time */
	__u32 clock_khz;
	/** @fw_version: interface version of the running firmware, major << 16 | minor */
	__u32 fw_version;
	/** @bundles_max: per program */
	__u32 bundles_max;
	/** @slots_max: per program */
	__u32 slots_max;
	/** @entries_max: address table entries per program */
	__u32 entries_max;
	/** @descs_max: DMA descriptors per program */
	__u32 descs_max;
	/** @replays_max: per submission */
	__u32 replays_max;
	/** @offsets_max: slot offsets per replay */
	__u32 offsets_max;
	/** @syncs_max: in syncs, and out syncs, per submission */
	__u32 syncs_max;
	/** @faults_max: that a queue remembers */
	__u32 faults_max;
	/** @programs_max: of an open file at one time */
	__u32 programs_max;
	/** @bindings_max: of an open file at one time */
	__u32 bindings_max;
	/** @queues_max: of an open file at one time */
	__u32 queues_max;
	/** @weight_default: of a queue; more needs CAP_SYS_NICE */
	__u32 weight_default;
	/** @weight_max: of a queue */
	__u32 weight_max;
	/** @pad: 0 */
	__u32 pad;
};

/**
 * struct drm_rondo_clock_info - both clocks, read together
 *
 * Device time begins at 0 whenever the device is started: by a reset, too, and when it wakes; it
 * does not sleep while a job waits. So a job that was submitted before a reset may have been queued
 * at a later device time than that at which it started.
 */
struct drm_rondo_clock_info {
	/** @device_cycles: device time */
	__u64 device_cycles;
	/** @monotonic_ns: CLOCK_MONOTONIC */
	__u64 monotonic_ns;
};

/*
 * The buffer is the file's alone: it cannot be exported, and takes no part in implicit sync. With
 * such buffers the cost of a submission does not depend on their number.
 */
#define DRM_RONDO_BO_PRIVATE 0x1

/** struct drm_rondo_bo_create - create a zero-filled buffer of shared memory */
struct drm_rondo_bo_create {
	/** @size: bytes, 1..bo_size_max; rounded up to pages and returned */
	__u64 size;
	/** @flags: DRM_RONDO_BO_PRIVATE or 0 */
	__u32 flags;
	/** @handle: returned GEM handle; release with DRM_IOCTL_GEM_CLOSE */
	__u32 handle;
};

/** struct drm_rondo_bo_mmap_offset - where a buffer is in the device file */
struct drm_rondo_bo_mmap_offset {
	/** @handle: GEM handle */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
	/** @offset: returned offset for mmap(), MAP_SHARED */
	__u64 offset;
};

/**
 * struct drm_rondo_program_create - validate, seal and load a program
 *
 * -EINVAL with @error != 0: refused by the verifier. -ENOSPC: too many programs, of this file, of
 * its user or on the device, or too much of its memory. -E2BIG: @size is beyond what the limits
 * allow.
 *
 * While a replay runs, this does not wait for the device to load the program. Should there turn out
 * to be no memory for it, BINDING_CREATE and SUBMIT say so instead, and jobs end with -ENOMEM.
 */
struct drm_rondo_program_create {
	/** @data: user pointer to the program */
	__u64 data;
	/** @size: bytes */
	__u64 size;
	/** @budget: most exact cycles that the caller accepts; 0: the device's limit */
	__u64 budget;
	/** @flags: 0 */
	__u32 flags;
	/** @id: returned program id */
	__u32 id;
	/** @cycles: returned exact cycles of one replay */
	__u64 cycles;
	/** @error: returned reason of a refusal, enum drm_rondo_refusal; 0: none */
	__u32 error;
	/** @error_index: returned bundle, entry, descriptor or slot at fault */
	__u32 error_index;
	/** @error_slot: returned slot of the bundle, 0..7 */
	__u32 error_slot;
	/** @cleared: returned bytes of each tile's SRAM that are cleared before a replay */
	__u32 cleared;
};

/**
 * struct drm_rondo_program_destroy - forget a program
 *
 * Its bindings, and submissions under way, keep it alive.
 */
struct drm_rondo_program_destroy {
	/** @id: program id */
	__u32 id;
	/** @pad: 0 */
	__u32 pad;
};

/** struct drm_rondo_slot_binding - the buffer for one slot */
struct drm_rondo_slot_binding {
	/** @handle: GEM handle; 0 if the program does not touch the slot */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
	/** @offset: of the slot's byte 0 in the buffer; a multiple of the slot's alignment */
	__u64 offset;
};

/**
 * struct drm_rondo_binding_create - a program and a buffer for each of its slots
 *
 * -EACCES: the program writes a slot, and its buffer is a dma-buf that was not opened for writing.
 * -ERANGE: a buffer is too small for its slot. -EBUSY: slots of which one is written overlap
 * and are not of one alias group. -ENOSPC: too many bindings, of this file, of its user or on
 * the device, or too much of its memory. As PROGRAM_CREATE, this does not wait for a replay that
 * runs.
 */
struct drm_rondo_binding_create {
	/** @program: program id */
	__u32 program;
	/** @flags: 0 */
	__u32 flags;
	/** @slots: user pointer to struct drm_rondo_slot_binding[] */
	__u64 slots;
	/** @slot_count: exactly the program's number of slots */
	__u32 slot_count;
	/** @slot_stride: sizeof(struct drm_rondo_slot_binding) of the caller */
	__u32 slot_stride;
	/** @error_slot: returned with -EACCES, -ERANGE, -EBUSY, -ENOENT: the slot at fault */
	__u32 error_slot;
	/** @id: returned binding id */
	__u32 id;
};

/** struct drm_rondo_binding_destroy - forget a binding; submissions under way keep it alive */
struct drm_rondo_binding_destroy {
	/** @id: binding id */
	__u32 id;
	/** @pad: 0 */
	__u32 pad;
};

/**
 * struct drm_rondo_queue_create - create a queue; its submissions run in order
 *
 * -EPERM: @weight is above the default, and the caller has no CAP_SYS_NICE. -ENOSPC: too many
 * queues, of this file, of its user or on the device.
 */
struct drm_rondo_queue_create {
	/** @weight: share of the user's device time, 1..weight_max; 0: weight_default */
	__u32 weight;
	/** @flags: 0 */
	__u32 flags;
	/** @id: returned queue id */
	__u32 id;
	/** @pad: 0 */
	__u32 pad;
};

/** struct drm_rondo_queue_destroy - destroy a queue; what waits in it ends with -ECANCELED */
struct drm_rondo_queue_destroy {
	/** @id: queue id */
	__u32 id;
	/** @pad: 0 */
	__u32 pad;
};

/** struct drm_rondo_slot_offset - an offset that one replay chooses for a dynamic slot */
struct drm_rondo_slot_offset {
	/** @slot: slot number; each at most once */
	__u32 slot;
	/** @pad: 0 */
	__u32 pad;
	/** @offset: bytes beyond the bound offset; a multiple of the slot's alignment */
	__u64 offset;
};

/** struct drm_rondo_replay - one run of a binding */
struct drm_rondo_replay {
	/** @binding: binding id */
	__u32 binding;
	/** @offset_count: 0..offsets_max of struct drm_rondo_device_info */
	__u32 offset_count;
	/** @offsets: user pointer to struct drm_rondo_slot_offset[] */
	__u64 offsets;
	/** @offset_stride: sizeof(struct drm_rondo_slot_offset) of the caller */
	__u32 offset_stride;
	/** @pad: 0 */
	__u32 pad;
};

/** struct drm_rondo_sync - a syncobj to wait for or to signal */
struct drm_rondo_sync {
	/** @handle: syncobj handle */
	__u32 handle;
	/** @flags: 0 */
	__u32 flags;
	/** @point: timeline point; 0: binary */
	__u64 point;
};

/* See struct drm_rondo_submit. */
#define DRM_RONDO_SUBMIT_EXPLICIT_SYNC 0x1
/* Note the device time of the submission, which takes a look at the device's clock. */
#define DRM_RONDO_SUBMIT_TIME 0x2

/**
 * struct drm_rondo_submit - replay bindings, in order, as one job
 *
 * The job starts when the in syncs and the implicit fences of its buffers have signalled; the
 * out syncs, and an implicit fence on its buffers, signal when its last replay is done. With
 * DRM_RONDO_SUBMIT_EXPLICIT_SYNC, and for buffers with DRM_RONDO_BO_PRIVATE in any case, there are
 * no implicit fences: the job waits for its in syncs alone, and no other waits for it but by its
 * out syncs. Jobs of one queue start and end in the order of their submission.
 *
 * The error of that fence: -EIO (device), -ETIME (exact cycles exceeded, or the device stood
 * still), -ECANCELED (queue destroyed), -ENODEV (device gone), -ENOMEM (the device, or the
 * user's share of it, lacks memory for a program or binding). A replay that fails stops no other.
 * After a reset of the device a job that had been started is repeated, once, if all its replays are
 * of one binding that reads nothing that it writes; else it ends with -EIO. Two dma-bufs of other
 * drivers may be the same memory, so what writes one and reads another is not repeated.
 *
 * -EINVAL: also an in sync without a fence. -E2BIG: also exact cycles beyond job_cycles_max of
 * struct drm_rondo_device_info. -ERANGE: an offset beyond what fits in the buffer. -ENOSPC: the job
 * would wait for the fences of more than 256 queues and other drivers' timelines.
 */
struct drm_rondo_submit {
	/** @queue: queue id */
	__u32 queue;
	/** @flags: of DRM_RONDO_SUBMIT_EXPLICIT_SYNC, DRM_RONDO_SUBMIT_TIME */
	__u32 flags;
	/** @replays: user pointer to struct drm_rondo_replay[] */
	__u64 replays;
	/** @replay_count: 1..replays_max of struct drm_rondo_device_info */
	__u32 replay_count;
	/** @replay_stride: sizeof(struct drm_rondo_replay) of the caller */
	__u32 replay_stride;
	/** @in_syncs: user pointer to struct drm_rondo_sync[] */
	__u64 in_syncs;
	/** @out_syncs: user pointer to struct drm_rondo_sync[] */
	__u64 out_syncs;
	/** @in_count: 0..syncs_max of struct drm_rondo_device_info */
	__u32 in_count;
	/** @out_count: 0..syncs_max of struct drm_rondo_device_info */
	__u32 out_count;
	/** @sync_stride: sizeof(struct drm_rondo_sync) of the caller */
	__u32 sync_stride;
	/** @pad: 0 */
	__u32 pad;
	/** @tag: the caller's name for the job, for DRM_IOCTL_RONDO_QUEUE_FAULT */
	__u64 tag;
};

/* Ask for the job of @tag, not for the last one that failed. */
#define DRM_RONDO_FAULT_OF_TAG 0x1
/* The bundle at fault is not known. */
#define DRM_RONDO_BUNDLE_NONE 0xffffffffU

/**
 * struct drm_rondo_queue_fault - how a job of a queue failed
 *
 * Answers for the last job that failed, or with DRM_RONDO_FAULT_OF_TAG for the last one that was
 * submitted with @tag and failed. A queue remembers its last faults, faults_max of struct
 * drm_rondo_device_info, each from before the job's fence signals. In a job of several replays it
 * is the first of them that failed. This also works on a device that is dead, or gone while the
 * driver is still bound.
 *
 * -ENODATA: the queue remembers no such fault.
 */
struct drm_rondo_queue_fault {
	/** @queue: queue id */
	__u32 queue;
	/** @flags: DRM_RONDO_FAULT_OF_TAG or 0 */
	__u32 flags;
	/** @tag: of the job; returned */
	__u64 tag;
	/** @result: returned enum drm_rondo_result */
	__u32 result;
	/** @bundle: returned bundle of the program at fault, or DRM_RONDO_BUNDLE_NONE */
	__u32 bundle;
	/** @replay: returned number of the replay in its job, from 0 */
	__u32 replay;
	/** @pad: 0 */
	__u32 pad;
};

/**
 * struct drm_rondo_queue_bound - how long the last fence of a queue may take
 *
 * @cycles bounds device time (struct drm_rondo_clock_info) from when the device has been given the
 * last job that was submitted to the queue until that job's fence signals: its own cycles, those of
 * the queue's jobs before it, and what others may get meanwhile by the rules of sharing. It is for
 * the queues and programs that the device has now; what others run while the queue's next job is on
 * its way to the device is not in it, nor is a reset. Of the programs of other users it takes the
 * longest for up to twice as long as it is, since nobody else need know. With no job that has not
 * ended, it is 0.
 */
struct drm_rondo_queue_bound {
	/** @queue: queue id */
	__u32 queue;
	/** @pad: 0 */
	__u32 pad;
	/** @cycles: returned; all ones if it is more than can be told */
	__u64 cycles;
};

/**
 * struct drm_rondo_fence_times - when a job was under way, in device time
 *
 * For the fence of a job that has ended, as long as there are the fence and its queue. A time that
 * is not known is 0: @queued without DRM_RONDO_SUBMIT_TIME, @started also if none of the job's
 * replays began and with firmware before version 1.6, all but @queued of a job that the device did
 * not report. Of a job that was repeated after a reset, the second time counts.
 *
 * -ENOENT: no such queue; or @fd is no sync file, or of a fence that is not of a job of the queue.
 * -EBUSY: the job has not ended.
 */
struct drm_rondo_fence_times {
	/** @queue: queue id */
	__u32 queue;
	/** @fd: sync file of the job's fence */
	__s32 fd;
	/** @queued: returned time of the submission */
	__u64 queued;
	/** @started: returned time when the first of its replays began */
	__u64 started;
	/** @ended: returned time when its last replay was done */
	__u64 ended;
	/** @cycles: returned cycles that its replays took */
	__u64 cycles;
};

#define DRM_IOCTL_RONDO_QUERY DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_QUERY, struct drm_rondo_query)
#define DRM_IOCTL_RONDO_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_BO_CREATE, struct drm_rondo_bo_create)
#define DRM_IOCTL_RONDO_BO_MMAP_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_BO_MMAP_OFFSET, struct drm_rondo_bo_mmap_offset)
#define DRM_IOCTL_RONDO_PROGRAM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_PROGRAM_CREATE, struct drm_rondo_program_create)
#define DRM_IOCTL_RONDO_PROGRAM_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_RONDO_PROGRAM_DESTROY, struct drm_rondo_program_destroy)
#define DRM_IOCTL_RONDO_BINDING_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_BINDING_CREATE, struct drm_rondo_binding_create)
#define DRM_IOCTL_RONDO_BINDING_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_RONDO_BINDING_DESTROY, struct drm_rondo_binding_destroy)
#define DRM_IOCTL_RONDO_QUEUE_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_QUEUE_CREATE, struct drm_rondo_queue_create)
#define DRM_IOCTL_RONDO_QUEUE_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_RONDO_QUEUE_DESTROY, struct drm_rondo_queue_destroy)
#define DRM_IOCTL_RONDO_SUBMIT DRM_IOW(DRM_COMMAND_BASE + DRM_RONDO_SUBMIT, struct drm_rondo_submit)
#define DRM_IOCTL_RONDO_QUEUE_FAULT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_QUEUE_FAULT, struct drm_rondo_queue_fault)
#define DRM_IOCTL_RONDO_QUEUE_BOUND \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_QUEUE_BOUND, struct drm_rondo_queue_bound)
#define DRM_IOCTL_RONDO_FENCE_TIMES \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_RONDO_FENCE_TIMES, struct drm_rondo_fence_times)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_RONDO_ACCEL_H_ */
