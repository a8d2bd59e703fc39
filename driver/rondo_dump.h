/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Core dumps: what the device looked like when it failed, as text for those who have to find out
 * why (Documentation/admin-guide/devcoredump). The first failure counts, until its dump is made;
 * the kernel keeps one dump of a device at a time.
 *
 * A failure is seen where nothing may be allocated, so there it is only copied, to memory that was
 * allocated at probe.
 */
#ifndef RONDO_DUMP_H
#define RONDO_DUMP_H

#include <linux/atomic.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "driver/rondo_hw.h"
#include "spec/fw_abi.h"

struct rondo_device;

struct rondo_dump {
	/** @work: makes a dump of what follows */
	struct work_struct work;
	/** @taken: what follows is in use, until @work has ended */
	atomic_t taken;
	/** @reason: a string constant */
	const char *reason;
	ktime_t time;
	u32 regs[RONDO_HW_DUMP_REGS];
	/** @replay: which failed, as the firmware told; its type is 0 if none has */
	struct rondo_fw_event replay;
	/** @rings: a copy of all that is shared with the firmware */
	void *rings;
};

int rondo_dump_init(struct rondo_device *rdev);
/* When nothing fails any more. */
void rondo_dump_fini(struct rondo_device *rdev);

/*
 * Takes down a failure, with event_lock held: of the device, if @replay is NULL, or of one replay.
 * @reason is a string constant.
 */
void rondo_dump_take(struct rondo_device *rdev, const char *reason,
		     const struct rondo_fw_event *replay);

#endif
