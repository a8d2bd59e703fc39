// SPDX-License-Identifier: GPL-2.0-only
#include "driver/rondo_device.h"

bool rondo_device_works(struct rondo_device *rdev)
{
	return rondo_hw_state(&rdev->hw) == RONDO_STATE_ON &&
	       rondo_hw_fw_state(&rdev->hw) == RONDO_FW_STATE_READY;
}

bool rondo_liveness_check(struct rondo_device *rdev, struct rondo_liveness *liveness)
{
	u32 heartbeat;
	u64 time;
	int idx;

	liveness->reason = "the driver is unbound";
	if (READ_ONCE(rdev->leaving) || !drm_dev_enter(&rdev->drm, &idx))
		return false;
	heartbeat = rondo_hw_heartbeat(&rdev->hw);
	time = rondo_hw_time(&rdev->hw);
	if (!rondo_hw_present(&rdev->hw)) {
		liveness->reason = "the device has vanished";
		liveness->still = RONDO_WATCH_STILL;
	} else if (!rondo_device_works(rdev)) {
		liveness->reason = "the firmware has stopped";
		liveness->still = RONDO_WATCH_STILL;
	} else if (heartbeat == liveness->heartbeat || time == liveness->time) {
		liveness->reason = heartbeat == liveness->heartbeat ?
					   "the firmware's heartbeat has stopped" :
					   "the device's clock has stopped";
		liveness->still++;
	} else {
		liveness->still = 0;
	}
	liveness->heartbeat = heartbeat;
	liveness->time = time;
	drm_dev_exit(idx);
	return liveness->still < RONDO_WATCH_STILL;
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
