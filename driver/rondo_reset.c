// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset: the device is stopped, jobs that must not be repeated are given up, the
 * firmware is booted again and told everything that it knew, and the remaining jobs
 * are put into their rings again, in order.
 *
 * Nothing is allocated: every fence depends on this. If it fails, the device is dead:
 * everything in flight fails, and so does whatever is asked of it later.
 */
#include <linux/dma-fence.h>

#include <drm/drm_print.h>

#include "driver/rondo_device.h"
#include "driver/rondo_queue.h"

enum { RONDO_RESET_TRIES = 2 };

void rondo_reset_request(struct rondo_device *rdev, const char *reason)
{
	switch (READ_ONCE(rdev->state)) {
	case RONDO_LIVE:
		if (!cmpxchg(&rdev->reset_reason, NULL, reason))
			queue_work(rdev->wq, &rdev->reset_work);
		break;
	case RONDO_RESETTING:
		/* The reset itself notices, if it was waiting for an answer. */
		rondo_admin_cancel(rdev, -EIO);
		break;
	case RONDO_DEAD:
	case RONDO_GONE:
		break;
	}
}

static void stop_queues(struct rondo_device *rdev)
{
	struct rondo_object *object;
	unsigned long number;

	xa_for_each(&rdev->table[RONDO_QUEUES], number, object)
		drm_sched_wqueue_stop(&to_rondo_queue(object)->sched);
}

static void start_queues(struct rondo_device *rdev)
{
	struct rondo_object *object;
	unsigned long number;

	xa_for_each(&rdev->table[RONDO_QUEUES], number, object) {
		drm_sched_wqueue_start(&to_rondo_queue(object)->sched);
		rondo_hw_ring(&rdev->hw, 1 + number);
	}
}

static int boot_and_reload(struct rondo_device *rdev)
{
	int try, ret = -EIO;

	for (try = 0; try < RONDO_RESET_TRIES && ret && ret != -ENODEV; try++) {
		ret = rondo_fw_boot(rdev);
		if (!ret)
			ret = rondo_objects_reload(rdev);
	}
	return ret;
}

/* The device has stopped: takes its last words, and gives up what must not be repeated. */
static void settle_queues(struct rondo_device *rdev)
{
	struct rondo_object *object;
	unsigned long number;

	mutex_lock(&rdev->ring.event_lock);
	rondo_ring_process_locked(rdev);
	xa_for_each(&rdev->table[RONDO_QUEUES], number, object)
		rondo_queue_settle(to_rondo_queue(object));
	mutex_unlock(&rdev->ring.event_lock);
}

/* The device is back, or it is not: its state says so. */
static void recover_queues(struct rondo_device *rdev)
{
	int error = rondo_device_error(rdev);
	struct rondo_object *object;
	unsigned long number;

	xa_for_each(&rdev->table[RONDO_QUEUES], number, object) {
		if (error)
			rondo_queue_fail_all(to_rondo_queue(object), rondo_lost_result(error));
		else if (!object->live)
			rondo_queue_fail_all(to_rondo_queue(object), RONDO_HOST_RESET);
		else
			rondo_queue_recover(to_rondo_queue(object));
	}
}

static void reset_locked(struct rondo_device *rdev)
{
	int ret;

	lockdep_assert_held_write(&rdev->reset_lock);

	stop_queues(rdev);
	ret = rondo_hw_reset(&rdev->hw);
	settle_queues(rdev);
	if (!ret)
		ret = boot_and_reload(rdev);
	if (ret == -ENODEV)
		WRITE_ONCE(rdev->state, RONDO_GONE);
	else
		WRITE_ONCE(rdev->state, ret ? RONDO_DEAD : RONDO_LIVE);
	recover_queues(rdev);
	start_queues(rdev);
	rondo_watch_resume(rdev);
	if (ret && !drm_dev_is_unplugged(&rdev->drm))
		drm_err(&rdev->drm, "the device is dead: %pe\n", ERR_PTR(ret));
	else if (!ret)
		drm_info(&rdev->drm, "the device works again\n");
}

static void reset_work(struct work_struct *work)
{
	struct rondo_device *rdev = container_of(work, struct rondo_device, reset_work);
	bool cookie;
	int idx;

	if (!drm_dev_enter(&rdev->drm, &idx))
		return;
	drm_err(&rdev->drm, "resetting the device: %s\n", READ_ONCE(rdev->reset_reason));

	cookie = dma_fence_begin_signalling();
	WRITE_ONCE(rdev->state, RONDO_RESETTING);
	WRITE_ONCE(rdev->reset_reason, NULL);
	/* Whoever waits for an answer holds the lock for reading. */
	rondo_admin_cancel(rdev, -EAGAIN);
	down_write(&rdev->reset_lock);
	reset_locked(rdev);
	up_write(&rdev->reset_lock);
	dma_fence_end_signalling(cookie);
	drm_dev_exit(idx);
}

void rondo_reset_init(struct rondo_device *rdev)
{
	init_rwsem(&rdev->reset_lock);
	INIT_WORK(&rdev->reset_work, reset_work);
}
