/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watchdog: sees what no interrupt tells.
 *
 * Liveness: as long as something is pending, the firmware's heartbeat must move within
 * RONDO_WATCH_SILENT checks, made every RONDO_WATCH_JIFFIES of wall time, and its progress
 * within RONDO_WATCH_STILL. The heartbeat says that the firmware lives. Its progress moves only
 * when a command is answered or the sequencer has moved; the firmware itself aborts what stands
 * still, so that here it is given twice the time. Checks are counted, not time, so that a host
 * which was not scheduled itself does not blame the device. How long a program may run is not
 * judged here; the firmware does that, in exact device time.
 */
#ifndef RONDO_WATCH_H
#define RONDO_WATCH_H

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "spec/fw_abi.h"

struct rondo_device;

enum {
	RONDO_WATCH_MS = 250,
	RONDO_WATCH_SILENT = 8,
	RONDO_WATCH_STILL = 2 * RONDO_FW_STALL_MS / RONDO_WATCH_MS,
};

#define RONDO_WATCH_JIFFIES msecs_to_jiffies(RONDO_WATCH_MS)

/* What was seen at the last check; starts zeroed. */
struct rondo_liveness {
	u32 heartbeat, progress;
	/** @silent: checks since the heartbeat moved; @still: since the progress did */
	unsigned int silent, still;
	/** @reason: why it is not alive; a string constant */
	const char *reason;
};

struct rondo_watch {
	/** @work: the watchdog; runs while @jobs is not 0 */
	struct delayed_work work;
	/** @poll: looks for a lost interrupt, for those who may not signal fences themselves */
	struct work_struct poll;
	/** @jobs: in flight, over all queues */
	atomic_t jobs;
	/** @liveness: what @work saw */
	struct rondo_liveness liveness;
};

/* Whether the device runs and its firmware serves the rings. */
bool rondo_device_works(struct rondo_device *rdev);

/* Looks once; false if the device is not alive. */
bool rondo_liveness_check(struct rondo_device *rdev, struct rondo_liveness *liveness);

void rondo_watch_init(struct rondo_device *rdev);
/* After drm_dev_unplug(): nothing is watched any more. */
void rondo_watch_fini(struct rondo_device *rdev);

/* Has rondo_ring_poll() called soon. */
void rondo_watch_poll(struct rondo_device *rdev);

/* A job goes into flight. @bound: drm_dev_enter() is held; without it nothing is watched. */
void rondo_watch_start(struct rondo_device *rdev, bool bound);

/* A job has left the device. */
void rondo_watch_stop(struct rondo_device *rdev);

/* Called by the reset, in rondo_device.wq: what was seen before it means nothing after it. */
void rondo_watch_resume(struct rondo_device *rdev);

#endif
