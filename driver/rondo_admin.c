// SPDX-License-Identifier: GPL-2.0-only
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "driver/rondo_device.h"

/* Resets that may come between before an operation gives up. */
enum { RONDO_LOAD_TRIES = 3 };

int rondo_admin_init(struct rondo_device *rdev)
{
	enum rondo_table_id t;

	for (t = 0; t < RONDO_TABLES; t++)
		xa_init_flags(&rdev->table[t].entries, XA_FLAGS_ALLOC);
	spin_lock_init(&rdev->admin.answer_lock);
	init_completion(&rdev->admin.answered);
	return drmm_mutex_init(&rdev->drm, &rdev->admin.lock);
}

bool rondo_admin_answer(struct rondo_device *rdev, const struct rondo_fw_event *event)
{
	struct rondo_admin *admin = &rdev->admin;
	bool expected;

	spin_lock(&admin->answer_lock);
	expected = admin->waiting && admin->cookie == event->cookie;
	if (expected) {
		admin->waiting = false;
		admin->result = event->result;
		complete(&admin->answered);
	}
	spin_unlock(&admin->answer_lock);
	return expected;
}

void rondo_admin_cancel(struct rondo_device *rdev, int error)
{
	struct rondo_admin *admin = &rdev->admin;

	spin_lock(&admin->answer_lock);
	if (admin->waiting) {
		admin->waiting = false;
		admin->result = error;
		complete(&admin->answered);
	}
	spin_unlock(&admin->answer_lock);
}

/* Rings the command out; -ENODEV if the device is gone. */
static int admin_push(struct rondo_device *rdev, struct rondo_fw_admin *cmd)
{
	struct rondo_admin *admin = &rdev->admin;
	int idx;

	if (!drm_dev_enter(&rdev->drm, &idx))
		return -ENODEV;
	spin_lock(&admin->answer_lock);
	reinit_completion(&admin->answered);
	cmd->cookie = ++admin->cookie;
	admin->waiting = true;
	spin_unlock(&admin->answer_lock);
	rondo_ring_push_admin(rdev, cmd);
	drm_dev_exit(idx);
	return 0;
}

/* Waits as long as the device lives; it may have lost its interrupt. */
static void admin_wait(struct rondo_device *rdev, enum rondo_state state)
{
	struct rondo_admin *admin = &rdev->admin;
	struct rondo_liveness liveness = {};

	while (!wait_for_completion_timeout(&admin->answered, RONDO_WATCH_JIFFIES)) {
		rondo_ring_poll(rdev);
		if (READ_ONCE(rdev->state) != state) {
			rondo_admin_cancel(rdev, -EAGAIN);
		} else if (!rondo_liveness_check(rdev, &liveness)) {
			/* In a reset this is the end: see rondo_reset.c. */
			if (state == RONDO_LIVE)
				rondo_reset_request(rdev, liveness.reason);
			rondo_admin_cancel(rdev, state == RONDO_LIVE ? -EAGAIN : -EIO);
		}
	}
}

int rondo_admin_send(struct rondo_device *rdev, struct rondo_fw_admin *cmd)
{
	struct rondo_admin *admin = &rdev->admin;
	enum rondo_state state;
	int ret;

	lockdep_assert_held(&rdev->reset_lock);

	mutex_lock(&admin->lock);
	state = READ_ONCE(rdev->state);
	ret = admin_push(rdev, cmd);
	if (!ret) {
		admin_wait(rdev, state);
		ret = admin->result;
	}
	mutex_unlock(&admin->lock);

	if (ret > 0) {
		drm_err(&rdev->drm, "the firmware refuses command %u: result %d\n", cmd->command,
			ret);
		ret = -EIO;
	}
	return ret;
}

static int send_resident(struct rondo_device *rdev, struct rondo_resident *res,
			 enum rondo_fw_command command)
{
	struct rondo_fw_admin cmd = { .command = command };

	res->ops->describe(res, &cmd);
	return rondo_admin_send(rdev, &cmd);
}

int rondo_resident_init(struct rondo_device *rdev, struct rondo_resident *res,
			const struct rondo_resident_ops *ops)
{
	int ret;

	res->ops = ops;
	res->live = false;
	/* Reserved, so that storing it later allocates nothing. */
	ret = xa_alloc(&rdev->table[ops->table].entries, &res->number, NULL,
		       XA_LIMIT(0, ops->count - 1), GFP_KERNEL);
	if (ret == -EBUSY) {
		/* Some may be on their way out. */
		flush_workqueue(rondo_release_wq);
		ret = xa_alloc(&rdev->table[ops->table].entries, &res->number, NULL,
			       XA_LIMIT(0, ops->count - 1), GFP_KERNEL);
	}
	if (ret)
		res->ops = NULL;
	return ret == -EBUSY ? -ENOSPC : ret;
}

int rondo_resident_load(struct rondo_device *rdev, struct rondo_resident *res)
{
	struct xarray *entries = &rdev->table[res->ops->table].entries;
	int try, ret = -EAGAIN;

	for (try = 0; try < RONDO_LOAD_TRIES && ret == -EAGAIN; try++) {
		down_read(&rdev->reset_lock);
		ret = rondo_device_error(rdev);
		if (!ret) {
			xa_store(entries, res->number, res, GFP_NOWAIT);
			ret = send_resident(rdev, res, res->ops->load);
			res->live = !ret;
		}
		up_read(&rdev->reset_lock);
		if (ret == -EAGAIN)
			flush_work(&rdev->reset_work);
	}
	return ret == -EAGAIN ? -EIO : ret;
}

void rondo_resident_unload(struct rondo_device *rdev, struct rondo_resident *res)
{
	down_read(&rdev->reset_lock);
	if (res->live) {
		res->live = false;
		if (!rondo_device_error(rdev))
			send_resident(rdev, res, res->ops->unload);
	}
	up_read(&rdev->reset_lock);
}

void rondo_resident_fini(struct rondo_device *rdev, struct rondo_resident *res)
{
	if (!res->ops)
		return;
	down_read(&rdev->reset_lock);
	mutex_lock(&rdev->ring.event_lock); /* no event may look while it goes */
	xa_erase(&rdev->table[res->ops->table].entries, res->number);
	mutex_unlock(&rdev->ring.event_lock);
	up_read(&rdev->reset_lock);
	res->ops = NULL;
}

int rondo_resident_reload_all(struct rondo_device *rdev)
{
	struct rondo_resident *res;
	enum rondo_table_id t;
	unsigned long number;
	int ret;

	lockdep_assert_held_write(&rdev->reset_lock);

	for (t = 0; t < RONDO_TABLES; t++) {
		xa_for_each(&rdev->table[t].entries, number, res) {
			if (!res->live)
				continue;
			ret = send_resident(rdev, res, res->ops->load);
			if (ret)
				return ret;
		}
	}
	return 0;
}
