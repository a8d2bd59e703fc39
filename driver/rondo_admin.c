// SPDX-License-Identifier: GPL-2.0-only
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "driver/rondo_device.h"

int rondo_admin_init(struct rondo_device *rdev)
{
	struct rondo_admin *admin = &rdev->admin;
	u32 i;
	int ret;

	spin_lock_init(&admin->lock);
	for (i = 0; i < RONDO_LINES; i++) {
		init_completion(&admin->line[i].answered);
		ret = drmm_mutex_init(&rdev->drm, &admin->line[i].lock);
		if (ret)
			return ret;
	}
	return 0;
}

static void end_wait_locked(struct rondo_admin_line *line, int result, u64 memory)
{
	line->waiting = false;
	line->result = result;
	line->memory = memory;
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
			end_wait_locked(line, event->result, event->memory);
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
			end_wait_locked(&admin->line[i], error, 0);
	spin_unlock(&admin->lock);
}

/* 0 if @answered was not completed; -ERESTARTSYS if @killable and killed. */
static long wait_a_while(struct completion *answered, bool killable)
{
	if (killable)
		return wait_for_completion_killable_timeout(answered, RONDO_WATCH_JIFFIES);
	return wait_for_completion_timeout(answered, RONDO_WATCH_JIFFIES);
}

/*
 * Looks whether the interrupt of the answer was lost. Only the reset does so itself: whoever else
 * waits holds reset_lock, which fences must not depend on.
 */
static void look(struct rondo_device *rdev, enum rondo_state state)
{
	if (state == RONDO_RESETTING)
		rondo_ring_poll(rdev);
	else
		rondo_watch_poll(rdev);
}

/* Waits while the device lives, even if the interrupt was lost. -EINTR if killed. */
static int line_wait(struct rondo_device *rdev, struct rondo_admin_line *line,
		     enum rondo_state state, bool killable)
{
	struct rondo_liveness liveness = {};
	long left;

	while (!(left = wait_a_while(&line->answered, killable))) {
		look(rdev, state);
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
	return min(ret, 0); /* whatever the answer was */
}

int rondo_admin_send(struct rondo_device *rdev, struct rondo_fw_admin *cmd, enum rondo_state state,
		     bool killable, u64 *memory)
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
	if (!ret && memory)
		*memory = line->memory;
	mutex_unlock(&line->lock);
	return ret;
}
