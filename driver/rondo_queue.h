/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues: one scheduler with one entity, and one ring of the firmware.
 *
 * A job goes from the entity to the ring when its dependencies have signalled, and is
 * in flight (in @inflight, in ring order) until the firmware reports it done, a reset
 * gives it up, or the queue is destroyed. Hardware fences signal in that order.
 *
 * The scheduler has no timeout: the firmware bounds each replay in device time, and
 * the watchdog judges the firmware (rondo_watch.c); the reset path is the driver's own
 * (rondo_reset.c), so that jobs behind a faulty one are not given up with it.
 */
#ifndef RONDO_QUEUE_H
#define RONDO_QUEUE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>

#include <drm/gpu_scheduler.h>
#include <drm/rondo_accel.h>

#include "driver/rondo_dma.h"
#include "driver/rondo_limits.h"
#include "driver/rondo_object.h"
#include "spec/fw_abi.h"

struct rondo_file;
struct rondo_job;

enum { RONDO_QUEUE_ENTRIES = 1024 }; /* of a firmware ring; credits of its scheduler */

/* How a job failed; see struct drm_rondo_queue_fault. */
struct rondo_fault {
	u64 tag;
	u32 result, bundle, replay;
};

struct rondo_queue {
	/** @base: referenced by the file, and by each job */
	struct rondo_object base;
	/** @rfile: valid until the queue is closed, which is before the file is freed */
	struct rondo_file *rfile;
	u32 weight;

	struct drm_gpu_scheduler sched;
	struct drm_sched_entity entity;
	/** @sched_ready: @sched is initialised */
	bool sched_ready;

	/** @submit_lock: makes arming a job, its fence's number, and pushing it one step */
	struct mutex submit_lock;
	/** @stopped: takes no more jobs; under @submit_lock */
	bool stopped;
	/** @hw_context: of hardware fences; @done_context: of done fences */
	u64 hw_context, done_context;
	/** @done_seqno: of the last done fence; under @submit_lock */
	u64 done_seqno;
	/** @jobs: armed and not finished; @work: their exact cycles */
	atomic64_t jobs, work;

	/** @lock: protects what follows */
	spinlock_t lock;
	/** @inflight: &struct rondo_job.node, in ring order */
	struct list_head inflight;
	/** @ring: the firmware's ring of RONDO_QUEUE_ENTRIES; mapped until closed or unbound */
	struct rondo_dma ring;
	/** @tail: next entry of @ring, free-running */
	u32 tail;
	/** @seqno: of the last entry */
	u64 seqno;
	/** @fault: a ring of the last ones; @faults: how many there ever were */
	struct rondo_fault fault[RONDO_QUEUE_FAULTS_MAX];
	u32 faults;
};

static inline struct rondo_queue *to_rondo_queue(struct rondo_object *object)
{
	return container_of(object, struct rondo_queue, base);
}

/* The queue with @id, with a reference of the caller's own; NULL if there is none. */
struct rondo_queue *rondo_queue_lookup(struct rondo_file *rfile, u32 id);
void rondo_queue_put(struct rondo_queue *queue);

/* Handles the firmware's report that a replay has ended; false if it makes no sense. */
bool rondo_queue_done(struct rondo_queue *queue, const struct rondo_fw_event *event);

/*
 * Puts @job in flight: into the ring, if the driver is still bound (the caller holds
 * drm_dev_enter() then). The caller rings the bell.
 */
void rondo_queue_push(struct rondo_queue *queue, struct rondo_job *job, bool bound);

/* Ends everything in flight, in order, with @result of spec/results.def. */
void rondo_queue_fail_all(struct rondo_queue *queue, u32 result);

/*
 * For the reset. First, when the device has stopped: gives up what was started and must
 * not be repeated, and everything before it. Then, when the firmware knows the queue
 * again: puts the rest into the empty ring.
 */
void rondo_queue_settle(struct rondo_queue *queue);
void rondo_queue_recover(struct rondo_queue *queue);

#endif
