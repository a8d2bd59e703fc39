// SPDX-License-Identifier: GPL-2.0-only
#include "driver/rondo_device.h"

bool rondo_device_works(struct rondo_device *rdev)
{
	return rondo_hw_state(&rdev->hw) == RONDO_STATE_ON &&
	       rondo_hw_fw_state(&rdev->hw) == RONDO_FW_STATE_READY;
}

/* Moves when work goes on. Firmware that does not tell is judged by the device's clock. */
static u32 progress(struct rondo_device *rdev)
{
	if ((READ_ONCE(rdev->fw.version) & 0xffff) >= RONDO_FW_MINOR_PROGRESS)
		return rondo_hw_progress(&rdev->hw);
	return lower_32_bits(rondo_hw_time(&rdev->hw));
}

/* Looks at the device, which is there; returns what is wrong with it, or NULL. */
static const char *look(struct rondo_device *rdev, struct rondo_liveness *liveness)
{
	struct rondo_liveness was = *liveness;

	liveness->heartbeat = rondo_hw_heartbeat(&rdev->hw);
	liveness->progress = progress(rdev);
	if (!rondo_hw_present(&rdev->hw))
		return "the device has vanished";
	if (!rondo_device_works(rdev))
		return "the firmware has stopped";
	liveness->silent = liveness->heartbeat == was.heartbeat ? was.silent + 1 : 0;
	liveness->still = liveness->progress == was.progress ? was.still + 1 : 0;
	if (liveness->silent >= RONDO_WATCH_SILENT)
		return "the firmware's heartbeat has stopped";
	if (liveness->still >= RONDO_WATCH_STILL)
		return "the firmware makes no progress";
	return NULL;
}

bool rondo_liveness_check(struct rondo_device *rdev, struct rondo_liveness *liveness)
{
	int idx;

	liveness->reason = "the driver is unbound";
	if (READ_ONCE(rdev->leaving) || !drm_dev_enter(&rdev->drm, &idx))
		return false;
	liveness->reason = look(rdev, liveness);
	drm_dev_exit(idx);
	return !liveness->reason;
}

static void watch_work(struct work_struct *work)
{
	struct rondo_device *rdev = container_of(work, struct rondo_device, watch.work.work);
	struct rondo_watch *watch = &rdev->watch;

	rondo_ring_poll(rdev);
	if (rondo_device_error(rdev) || !atomic_read(&watch->jobs)) {
		watch->liveness = (struct rondo_liveness){};
		return;
	}
	if (!rondo_liveness_check(rdev, &watch->liveness))
		rondo_reset_request(rdev, watch->liveness.reason);
	queue_delayed_work(rdev->wq, &watch->work, RONDO_WATCH_JIFFIES);
}

static void poll_work(struct work_struct *work)
{
	rondo_ring_poll(container_of(work, struct rondo_device, watch.poll));
}

void rondo_watch_init(struct rondo_device *rdev)
{
	INIT_DELAYED_WORK(&rdev->watch.work, watch_work);
	INIT_WORK(&rdev->watch.poll, poll_work);
}

void rondo_watch_fini(struct rondo_device *rdev)
{
	cancel_delayed_work_sync(&rdev->watch.work);
	cancel_work_sync(&rdev->watch.poll);
}

void rondo_watch_poll(struct rondo_device *rdev)
{
	int idx;

	if (!drm_dev_enter(&rdev->drm, &idx))
		return;
	queue_work(rdev->wq, &rdev->watch.poll);
	drm_dev_exit(idx);
}

void rondo_watch_start(struct rondo_device *rdev, bool bound)
{
	if (atomic_inc_return(&rdev->watch.jobs) == 1 && bound)
		queue_delayed_work(rdev->wq, &rdev->watch.work, RONDO_WATCH_JIFFIES);
}

void rondo_watch_stop(struct rondo_device *rdev)
{
	atomic_dec(&rdev->watch.jobs);
}

void rondo_watch_resume(struct rondo_device *rdev)
{
	rdev->watch.liveness = (struct rondo_liveness){};
	if (atomic_read(&rdev->watch.jobs))
		queue_delayed_work(rdev->wq, &rdev->watch.work, RONDO_WATCH_JIFFIES);
}
