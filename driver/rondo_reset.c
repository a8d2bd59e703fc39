// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset: the device is stopped, jobs that must not be repeated are given up, the
 * firmware is booted again and told everything that it knew, and the remaining jobs
 * are put into their rings again, in order.
 *
 * Nothing is allocated: every fence depends on this. If it fails, the device is dead:
 * everything in flight fails, and so does whatever is asked of it later.
 *
 * The invariant of the driver is kept here: no fence signals, and nothing that the device can
 * reach is unmapped or freed, before the device is proven to have stopped for it. A proof is the
 * answer of the firmware, a completed reset of the hardware, or bus mastering switched off. That
 * the firmware does not answer, that the driver is unbound, or that the device is dead is none.
 * So stop_device() is the only way to RONDO_DEAD and RONDO_GONE, and whoever waits for an answer
 * of the firmware that does not come waits for rondo_reset_wait() instead.
 */
#include <linux/dma-fence.h>
#include <linux/kobject.h>
#include <linux/pci.h>

#include <drm/drm_file.h>
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
	case RONDO_ASLEEP:
	case RONDO_DEAD:
	case RONDO_GONE:
		break;
	}
}

/* Stops the device; without its consent, if need be. Afterwards it reaches no memory. */
static int stop_device(struct rondo_device *rdev)
{
	struct pci_dev *pdev = to_pci_dev(rdev->drm.dev);
	int ret = rondo_hw_reset(&rdev->hw);
	u16 command;

	if (ret) {
		pci_clear_master(pdev);
		/* What it has written before is in memory when this has been read. */
		pci_read_config_word(pdev, PCI_COMMAND, &command);
	}
	atomic_inc(&rdev->stops);
	wake_up_all(&rdev->stopped);
	return ret;
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
		if (!rondo_device_error(rdev))
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
		else if (!object->live) /* it is being destroyed */
			rondo_queue_fail_all(to_rondo_queue(object), RONDO_FW_ABORTED);
		else
			rondo_queue_recover(to_rondo_queue(object));
	}
}

/* The device does not come back: stops what it may still do, and ends all jobs. */
static void lose_locked(struct rondo_device *rdev, enum rondo_state state)
{
	lockdep_assert_held_write(&rdev->reset_lock);

	stop_device(rdev);
	pci_clear_master(to_pci_dev(rdev->drm.dev));
	mutex_lock(&rdev->ring.event_lock); /* nobody looks at the rings any more */
	WRITE_ONCE(rdev->state, state);
	mutex_unlock(&rdev->ring.event_lock);
	recover_queues(rdev);
}

/* Takes the device from everybody else: what is asked of it from now on waits for the reset. */
static void enter(struct rondo_device *rdev)
{
	WRITE_ONCE(rdev->state, RONDO_RESETTING);
	/* Whoever waits for an answer holds the lock for reading. */
	rondo_admin_cancel(rdev, -EAGAIN);
	down_write(&rdev->reset_lock);
}

/*
 * The first half of a reset: afterwards the device has stopped, and reset_lock is held. @failure:
 * why, for a dump; NULL: nothing has failed.
 */
static int begin(struct rondo_device *rdev, const char *failure)
{
	bool cookie;
	int ret;

	enter(rdev);
	WRITE_ONCE(rdev->reset_reason, NULL);
	stop_queues(rdev); /* waits for works that signal fences themselves */
	cookie = dma_fence_begin_signalling();
	if (failure) {
		mutex_lock(&rdev->ring.event_lock);
		rondo_dump_take(rdev, failure, NULL);
		mutex_unlock(&rdev->ring.event_lock);
	}
	ret = stop_device(rdev);
	settle_queues(rdev);
	dma_fence_end_signalling(cookie);
	return ret;
}

/* The second half: boots the device, unless @ret says that it did not stop, and lets all go on. */
static void finish(struct rondo_device *rdev, int ret)
{
	bool cookie = dma_fence_begin_signalling();

	if (!ret)
		ret = boot_and_reload(rdev);
	if (READ_ONCE(rdev->leaving))
		goto out; /* the rest is done by remove */
	if (ret) {
		lose_locked(rdev, ret == -ENODEV ? RONDO_GONE : RONDO_DEAD);
		drm_err(&rdev->drm, "the device is dead: %pe\n", ERR_PTR(ret));
	} else {
		WRITE_ONCE(rdev->state, RONDO_LIVE);
		recover_queues(rdev);
	}
out:
	start_queues(rdev);
	rondo_watch_resume(rdev);
	dma_fence_end_signalling(cookie);
	up_write(&rdev->reset_lock);
}

/*
 * Tells userspace of a reset, and what may help a device that is dead. As drm_dev_wedged_event()
 * would, which knows no accel node: it looks for the primary one (7.3).
 */
static void wedged_work(struct work_struct *work)
{
	struct rondo_device *rdev = container_of(work, struct rondo_device, wedged_work);
	char *event[2] = { "WEDGED=none" };
	int idx, error = rondo_device_error(rdev);

	if (!drm_dev_enter(&rdev->drm, &idx))
		return;
	if (error && error != -EAGAIN) /* the next reset has an event of its own */
		event[0] = "WEDGED=rebind,bus-reset";
	if (rdev->drm.registered)
		kobject_uevent_env(&rdev->drm.accel->kdev->kobj, KOBJ_CHANGE, event);
	drm_dev_exit(idx);
}

static void reset_work(struct work_struct *work)
{
	struct rondo_device *rdev = container_of(work, struct rondo_device, reset_work);
	const char *reason = READ_ONCE(rdev->reset_reason);
	int idx;

	/* Without a reason there has been one since this was queued. */
	if (READ_ONCE(rdev->leaving) || READ_ONCE(rdev->paused) || !reason)
		return;
	if (!drm_dev_enter(&rdev->drm, &idx))
		return;
	drm_err(&rdev->drm, "resetting the device: %s\n", reason);
	finish(rdev, begin(rdev, reason));
	if (!rondo_device_error(rdev))
		drm_info(&rdev->drm, "the device works again\n");
	queue_work(rondo_release_wq, &rdev->wedged_work);
	drm_dev_exit(idx);
}

void rondo_reset_pause(struct rondo_device *rdev)
{
	WRITE_ONCE(rdev->paused, true);
	cancel_work_sync(&rdev->reset_work);
	begin(rdev, NULL);
	WRITE_ONCE(rdev->state, RONDO_ASLEEP);
	up_write(&rdev->reset_lock);
}

void rondo_reset_resume(struct rondo_device *rdev)
{
	down_write(&rdev->reset_lock);
	WRITE_ONCE(rdev->state, RONDO_RESETTING);
	/* Someone may have asked for a reset who had not seen the pause yet: here it is. */
	WRITE_ONCE(rdev->reset_reason, NULL);
	WRITE_ONCE(rdev->paused, false);
	finish(rdev, stop_device(rdev));
	if (rondo_device_error(rdev) == -EIO)
		queue_work(rondo_release_wq, &rdev->wedged_work);
}

void rondo_reset_leave(struct rondo_device *rdev)
{
	bool cookie;

	WRITE_ONCE(rdev->leaving, true);
	cancel_work_sync(&rdev->reset_work);
	enter(rdev);
	cookie = dma_fence_begin_signalling();
	lose_locked(rdev, RONDO_GONE);
	dma_fence_end_signalling(cookie);
	up_write(&rdev->reset_lock);
}

void rondo_reset_wait(struct rondo_device *rdev, int seen)
{
	wait_event(rdev->stopped, atomic_read(&rdev->stops) != seen);
}

void rondo_reset_prime(struct rondo_device *rdev)
{
	bool cookie;
	u32 i;

	down_write(&rdev->reset_lock);
	cookie = dma_fence_begin_signalling();
	for (i = 0; i < RONDO_LINES; i++)
		might_lock(&rdev->admin.line[i].lock);
	might_lock(&rdev->ring.event_lock);
	dma_fence_end_signalling(cookie);
	up_write(&rdev->reset_lock);
}

void rondo_reset_init(struct rondo_device *rdev)
{
	init_rwsem(&rdev->reset_lock);
	INIT_WORK(&rdev->reset_work, reset_work);
	INIT_WORK(&rdev->wedged_work, wedged_work);
	init_waitqueue_head(&rdev->stopped);
}
