/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands to the firmware, and their answers.
 */
#ifndef RONDO_ADMIN_H
#define RONDO_ADMIN_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "spec/fw_abi.h"

struct rondo_device;

/* What can be asked of the device; see rondo_device_error(). */
enum rondo_state {
	RONDO_LIVE,
	RONDO_RESETTING,
	RONDO_ASLEEP, /* stopped, until rondo_reset_resume() */
	RONDO_DEAD, /* a reset has failed; only a new probe helps */
	RONDO_GONE, /* unbound, or vanished from the bus */
};

/*
 * Commands for the sequencer wait until the running replay ends. All others do not,
 * and must not wait behind one: so there are two lines, each with one command at a time.
 */
enum rondo_admin_line_id {
	RONDO_LINE_SEQUENCER,
	RONDO_LINE_QUEUES,
	RONDO_LINES,
};

struct rondo_admin_line {
	/** @lock: held from a command to its answer, or until the waiter is killed */
	struct mutex lock;
	/** @waiting: for the answer to @cookie; this and what follows under rondo_admin.lock */
	bool waiting;
	u32 cookie;
	/** @result: negative errno, or enum rondo_fw_result */
	int result;
	/** @memory: bytes of the device's that the command has taken, if it ended well */
	u64 memory;
	struct completion answered;
};

struct rondo_admin {
	/** @lock: protects what follows, and the tail of the admin ring */
	spinlock_t lock;
	/** @cookie: of the last command */
	u32 cookie;
	struct rondo_admin_line line[RONDO_LINES];
};

int rondo_admin_init(struct rondo_device *rdev);

/* Takes the answer to a command; false if nobody waits for it. */
bool rondo_admin_answer(struct rondo_device *rdev, const struct rondo_fw_event *event);

/* Ends all waits for answers, which are not going to come. */
void rondo_admin_cancel(struct rondo_device *rdev, int error);

/*
 * Sends @cmd and waits for its answer: 0, or the enum rondo_fw_result with which the firmware
 * refuses; -EAGAIN if a reset intervenes, -EIO or -ENODEV if the device is lost. If killed,
 * -ERESTARTSYS before anything was sent, and -EINTR while the answer is yet to come. With 0,
 * @memory (or NULL) becomes how many bytes of the device's memory that has taken, as far as the
 * firmware tells.
 */
int rondo_admin_send(struct rondo_device *rdev, struct rondo_fw_admin *cmd, enum rondo_state state,
		     bool killable, u64 *memory);

#endif
