/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device and the open file: what the driver's files share.
 *
 *	rondo_drv.c      probe, remove, open files, ioctl table
 *	rondo_hw.c       registers
 *	rondo_fw.c       firmware image, boot, handshake
 *	rondo_ring.c     rings shared with the firmware
 *	rondo_admin.c    commands to the firmware
 *	rondo_object.c   programs, bindings, queues: references, ids, numbers
 *	rondo_user.c     who has files open, and what is a user's share
 *	rondo_irq.c      interrupts
 *	rondo_watch.c    the watchdog over liveness
 *	rondo_reset.c    reset and what is made of the work in flight
 *	rondo_dump.c     core dumps of failures
 *	rondo_dma.c      memory that the device can reach
 *	rondo_gem.c      buffers
 *	rondo_report.c   sysfs, hwmon, debugfs, fdinfo
 *	rondo_trace.h    trace events
 *	rondo_array.c    arrays that an ioctl reads
 *	rondo_abi.c      the interface is what the rest thinks it is
 *	rondo_program.c  programs: copied, proved, sealed
 *	rondo_binding.c  a program and its buffers
 *	rondo_queue.c    queues: scheduler, firmware ring
 *	rondo_bound.c    how long the work of a queue may take
 *	rondo_job.c      jobs in a queue, from the scheduler to their completion
 *	rondo_submit.c   SUBMIT: from user arrays to a job
 *	rondo_fence.c    fences that outlive the driver's binding
 *	rondo_kunit.c    KUnit tests of what needs no device
 *
 * Locks, outermost first:
 *
 *	dma_resv of the buffers > rondo_queue.submit_lock
 *	rondo_bo.lock > rondo_device.dma_lock > dma_resv of imports
 *	rondo_device.users_lock > locks of rondo_device.table
 *	rondo_device.load_lock alone
 *	rondo_device.reset_lock > rondo_admin_line.lock > rondo_admin.lock
 *	rondo_device.reset_lock > rondo_ring.event_lock > rondo_queue.lock
 *
 * Fences are signalled under event_lock, or by the reset, which takes reset_lock for
 * writing: no memory is allocated under any lock of the last two lines.
 */
#ifndef RONDO_DEVICE_H
#define RONDO_DEVICE_H

#include <linux/kref.h>
#include <linux/pm_runtime.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "core/replay.h"
#include "driver/rondo_admin.h"
#include "driver/rondo_dma.h"
#include "driver/rondo_dump.h"
#include "driver/rondo_fw.h"
#include "driver/rondo_hw.h"
#include "driver/rondo_irq.h"
#include "driver/rondo_object.h"
#include "driver/rondo_report.h"
#include "driver/rondo_ring.h"
#include "driver/rondo_watch.h"
#include "spec/machine.h"

struct rondo_device {
	struct drm_device drm;
	struct rondo_hw hw;

	/** @machine: as the device reports it; constant after probe */
	struct rondo_machine machine;
	/** @machine_hash: that programs must carry */
	u64 machine_hash;
	/** @object_memory: bytes of the device for programs and bindings; U64_MAX: no limit */
	u64 object_memory;

	/**
	 * @state: enum rondo_state; read by READ_ONCE(). Written by probe, and by the reset and
	 * remove under @reset_lock, except that both announce RONDO_RESETTING before they wait for
	 * that. RONDO_ASLEEP says that the device has stopped, RONDO_DEAD and RONDO_GONE that it
	 * has stopped for good.
	 */
	enum rondo_state state;

	/**
	 * @reset_lock: read: whoever changes what the firmware knows (@table, live flags)
	 * or talks to it; write: the reset and remove.
	 */
	struct rw_semaphore reset_lock;
	struct work_struct reset_work;
	/** @wedged_work: tells userspace of a reset, in rondo_release_wq */
	struct work_struct wedged_work;
	/** @reset_reason: of the pending reset; NULL: none is; set by cmpxchg() */
	const char *reset_reason;
	/** @leaving: remove has begun: no reset is begun any more, and one under way gives up */
	bool leaving;
	/** @paused: from rondo_reset_pause() to rondo_reset_resume(): no reset is begun */
	bool paused;
	/** @stops: how often the device was stopped; changed under @reset_lock */
	atomic_t stops;
	/** @stopped: woken when @stops changes */
	wait_queue_head_t stopped;

	struct rondo_fw fw;
	struct rondo_ring ring;
	struct rondo_admin admin;
	struct rondo_watch watch;
	struct rondo_dump dump;
	/** @vector: Linux interrupt numbers by enum rondo_irq */
	int vector[RONDO_IRQ_VECTORS];

	/** @table: &struct rondo_object by number; changed under @reset_lock */
	struct xarray table[RONDO_TABLES];
	/** @generation: the last binding's; it tells bindings of one number apart */
	atomic_t generation;

	/** @usage: of the device, by all */
	struct rondo_usage usage;
	/** @memory: bytes of all buffers that are ours */
	atomic64_t memory;

	/** @users_lock: protects what follows, and what users count */
	struct mutex users_lock;
	/** @users: &struct rondo_user */
	struct list_head users;
	/** @user_numbers: those that the firmware knows */
	DECLARE_BITMAP(user_numbers, RONDO_FW_USERS_MAX);

	/** @dma_lock: protects @dma_list, @dma_closed, and the hardware side of all in it */
	struct mutex dma_lock;
	struct list_head dma_list;
	/** @dma_closed: the driver is unbound: nothing may be mapped any more */
	bool dma_closed;
	/** @dma_sync: some buffer's list has its @sync set; never cleared */
	bool dma_sync;

	/** @load_lock: protects @load_turns and what users have to load */
	struct mutex load_lock;
	/** @load_turns: &struct rondo_user who have something to load; the first one is next */
	struct list_head load_turns;
	/** @load_work: loads what waits for a replay to end; on the way to fences */
	struct work_struct load_work;
	/** @load_wq: runs @load_work */
	struct workqueue_struct *load_wq;
	/** @loads: that all users have, with the one that is under way */
	atomic_t loads;

	/** @releases: works in rondo_release_wq; @released: woken when there is none */
	atomic_t releases;
	wait_queue_head_t released;

	/**
	 * @sched_wq: ordered; runs the schedulers, none of which waits, so that running one job and
	 * freeing another wakes one worker; on the way to every fence
	 */
	struct workqueue_struct *sched_wq;
	/** @wq: ordered; watchdog and reset; on the way to every fence */
	struct workqueue_struct *wq;
};

/* An open file. */
struct rondo_file {
	struct rondo_device *rdev;
	/** @user: who opened it; the file's own reference */
	struct rondo_user *user;
	/** @resv: of its private buffers; the file's own reference */
	struct rondo_resv *resv;
	/** @ids: &struct rondo_object by id */
	struct xarray ids[RONDO_TABLES];
	/** @usage: of the device, by this file */
	struct rondo_usage usage;
};

static inline struct rondo_device *to_rondo_device(struct drm_device *drm)
{
	return container_of(drm, struct rondo_device, drm);
}

/* Whether the firmware is of minor version @minor at least. */
static inline bool rondo_fw_knows(const struct rondo_device *rdev, u32 minor)
{
	return (READ_ONCE(rdev->fw.version) & 0xffff) >= minor;
}

/* 0 if the device works, -EAGAIN while it is reset or asleep, -EIO if dead, -ENODEV if gone. */
static inline int rondo_device_error(const struct rondo_device *rdev)
{
	static const int error[] = {
		[RONDO_LIVE] = 0,    [RONDO_RESETTING] = -EAGAIN, [RONDO_ASLEEP] = -EAGAIN,
		[RONDO_DEAD] = -EIO, [RONDO_GONE] = -ENODEV,
	};

	return error[READ_ONCE(rdev->state)];
}

/*
 * Keeps the device awake until rondo_pm_put(), which may be called anywhere; wakes it if it sleeps,
 * for which the caller holds no lock. Jobs, and loads that are under way, hold it so, and whatever
 * asks it something.
 */
static inline int rondo_pm_get(struct rondo_device *rdev)
{
	return pm_runtime_resume_and_get(rdev->drm.dev);
}

static inline void rondo_pm_put(struct rondo_device *rdev)
{
	pm_runtime_mark_last_busy(rdev->drm.dev);
	pm_runtime_put_autosuspend(rdev->drm.dev);
}

/* How replays end on a device that is lost: @error is what rondo_device_error() says of it. */
static inline u32 rondo_lost_result(int error)
{
	return error == -ENODEV ? RONDO_HOST_GONE : RONDO_HOST_DEAD;
}

/*
 * Releases objects, writes dumps and tells of resets, for which no fence waits. Drained at module
 * exit, so that work in it may outlive all files.
 */
extern struct workqueue_struct *rondo_release_wq;

/* rondo_reset.c */
void rondo_reset_init(struct rondo_device *rdev);
/* Shows lockdep the order of locks of a reset, so that a boot without one proves it. */
void rondo_reset_prime(struct rondo_device *rdev);
/* Asks for a reset; @reason, a string constant, is logged. Callable from anywhere. */
void rondo_reset_request(struct rondo_device *rdev, const char *reason);
/*
 * Stops the device, with everything that it was told, until rondo_reset_resume(): around a reset by
 * the bus, or a sleep of the machine or of the device. It is as with a reset: jobs that had not
 * begun run when it goes on. The caller holds the device's lock, so that the driver is not unbound
 * meanwhile.
 */
void rondo_reset_pause(struct rondo_device *rdev);
/* Boots the device again, also if it was dead before. */
void rondo_reset_resume(struct rondo_device *rdev);
/* Stops the device for good, for remove and a probe that fails: all jobs end with ENODEV. */
void rondo_reset_leave(struct rondo_device *rdev);
/*
 * Waits until the device was stopped after rondo_device.stops was @seen. The caller has been told
 * -EAGAIN since, and holds no lock: a reset, or remove, is under way.
 */
void rondo_reset_wait(struct rondo_device *rdev, int seen);

/* ioctls */
int rondo_ioctl_query(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_program_create(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_program_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_binding_create(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_binding_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_queue_fault(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_queue_bound(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_fence_times(struct drm_device *drm, void *data, struct drm_file *file);
int rondo_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);

/* Most exact cycles that a program of the calling process may take. */
u64 rondo_cycles_max(void);
/* Most exact cycles that a job may take. */
u64 rondo_job_cycles_max(const struct rondo_device *rdev);

#endif
