// SPDX-License-Identifier: GPL-2.0-only
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "driver/rondo_device.h"

/* Resets that may come between before an operation gives up. */
enum { RONDO_LOAD_TRIES = 3 };

int rondo_admin_init(struct rondo_device *rdev)
{
	struct rondo_admin *admin = &rdev->admin;
	u32 i;
	int ret;

	for (i = 0; i < RONDO_TABLES; i++)
		xa_init_flags(&rdev->table[i].entries, XA_FLAGS_ALLOC);
	spin_lock_init(&admin->lock);
	for (i = 0; i < RONDO_LINES; i++) {
		init_completion(&admin->line[i].answered);
		ret = drmm_mutex_init(&rdev->drm, &admin->line[i].lock);
		if (ret)
			return ret;
	}
	return 0;
}

static void end_wait_locked(struct rondo_admin_line *line, int result)
{
	line->waiting = false;
	line->result = result;
	complete(&line->answered);
}

bool rondo_admin_answer(struct rondo_device *rdev, const struct rondo_fw_event *event)
{
	struct rondo_admin *admin = &rdev->admin;
	bool expected = false;
	u32 i;

	if (event->result >= RONDO_FW_RESULTS)
		return false;
	spin_lock(&admin->lock);
	for (i = 0; i < RONDO_LINES; i++) {
		struct rondo_admin_line *line = &admin->line[i];

		if (line->waiting && line->cookie == event->cookie) {
			end_wait_locked(line, event->result);
			expected = true;
		}
	}
	spin_unlock(&admin->lock);
	return expected;
}

void rondo_admin_cancel(struct rondo_device *rdev, int error)
{
	struct rondo_admin *admin = &rdev->admin;
	u32 i;

	spin_lock(&admin->lock);
	for (i = 0; i < RONDO_LINES; i++)
		if (admin->line[i].waiting)
			end_wait_locked(&admin->line[i], error);
	spin_unlock(&admin->lock);
}

/* 0 if @answered was not completed; -ERESTARTSYS if @killable and killed. */
static long wait_a_while(struct completion *answered, bool killable)
{
	if (killable)
		return wait_for_completion_killable_timeout(answered, RONDO_WATCH_JIFFIES);
	return wait_for_completion_timeout(answered, RONDO_WATCH_JIFFIES);
}

/* Waits as long as the device lives; it may have lost its interrupt. -EINTR if killed. */
static int line_wait(struct rondo_device *rdev, struct rondo_admin_line *line,
		     enum rondo_state state, bool killable)
{
	struct rondo_liveness liveness = {};
	long left;

	while (!(left = wait_a_while(&line->answered, killable))) {
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
	return left < 0 ? -EINTR : line->result;
}

static enum rondo_admin_line_id line_of(enum rondo_fw_command command)
{
	switch (command) {
	case RONDO_FW_PROGRAM_LOAD:
	case RONDO_FW_PROGRAM_UNLOAD:
	case RONDO_FW_BIND:
	case RONDO_FW_UNBIND:
		return RONDO_LINE_SEQUENCER;
	default:
		return RONDO_LINE_QUEUES;
	}
}

/* Hands the command to the firmware; -ENODEV if the device is gone. */
static int line_push(struct rondo_device *rdev, struct rondo_admin_line *line,
		     struct rondo_fw_admin *cmd)
{
	struct rondo_admin *admin = &rdev->admin;
	int idx;

	lockdep_assert_held(&line->lock);

	if (!drm_dev_enter(&rdev->drm, &idx))
		return -ENODEV;
	spin_lock(&admin->lock);
	reinit_completion(&line->answered);
	line->cookie = ++admin->cookie;
	line->waiting = true;
	cmd->cookie = line->cookie;
	rondo_ring_push_admin(rdev, cmd);
	spin_unlock(&admin->lock);
	drm_dev_exit(idx);
	return 0;
}

/* Waits for the answer to a command whose sender was killed. */
static int line_drain(struct rondo_device *rdev, struct rondo_admin_line *line,
		      enum rondo_state state, bool killable)
{
	int ret = 0;

	lockdep_assert_held(&line->lock);

	if (READ_ONCE(line->waiting))
		ret = line_wait(rdev, line, state, killable);
	if (ret == -EINTR)
		return -ERESTARTSYS;
	return min(ret, 0); /* what it was answered is of no interest */
}

/*
 * Sends @cmd and waits for its answer: 0, -EAGAIN if a reset intervenes, -EIO or -ENODEV
 * if the device is lost or refuses, -ENOMEM if it lacks memory. If killed, -ERESTARTSYS
 * before anything was sent, and -EINTR while the answer is yet to come.
 */
static int admin_send(struct rondo_device *rdev, struct rondo_fw_admin *cmd, enum rondo_state state,
		      bool killable)
{
	struct rondo_admin_line *line = &rdev->admin.line[line_of(cmd->command)];
	int ret;

	lockdep_assert_held(&rdev->reset_lock);

	if (!killable)
		mutex_lock(&line->lock);
	else if (mutex_lock_killable(&line->lock))
		return -ERESTARTSYS;
	ret = READ_ONCE(rdev->state) == state ? 0 : -EAGAIN;
	if (!ret)
		ret = line_drain(rdev, line, state, killable);
	if (!ret)
		ret = line_push(rdev, line, cmd);
	if (!ret)
		ret = line_wait(rdev, line, state, killable);
	mutex_unlock(&line->lock);

	if (ret <= 0)
		return ret;
	/* Lack of memory is no fault of the device: users may ask for more than it has. */
	if (ret != RONDO_FW_NO_MEMORY)
		drm_err(&rdev->drm, "the firmware refuses command %u: %s\n", cmd->command,
			rondo_result_text(ret));
	return rondo_result_error(ret);
}

static int send_resident(struct rondo_device *rdev, struct rondo_resident *res,
			 enum rondo_fw_command command, enum rondo_state state, bool killable)
{
	struct rondo_fw_admin cmd = { .command = command };

	res->ops->describe(res, &cmd);
	return admin_send(rdev, &cmd, state, killable);
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
			ret = send_resident(rdev, res, res->ops->load, RONDO_LIVE, true);
			res->live = !ret || ret == -EINTR; /* then it may become so */
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
			send_resident(rdev, res, res->ops->unload, RONDO_LIVE, false);
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
			ret = send_resident(rdev, res, res->ops->load, RONDO_RESETTING, false);
			if (ret)
				return ret;
		}
	}
	return 0;
}
