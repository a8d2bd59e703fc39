/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands to the firmware, and what it knows by number: programs, bindings, queues.
 *
 * Such a thing is a struct rondo_resident inside the object. It has a number from
 * rondo_resident_init() to rondo_resident_fini(), and the firmware knows it from a
 * successful rondo_resident_load() to rondo_resident_unload(); a reset in between
 * loads it again.
 */
#ifndef RONDO_ADMIN_H
#define RONDO_ADMIN_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "spec/fw_abi.h"

struct rondo_device;
struct rondo_resident;

/* What can be asked of the device; see rondo_device_error(). */
enum rondo_state {
	RONDO_LIVE,
	RONDO_RESETTING,
	RONDO_DEAD, /* a reset has failed; only a new probe helps */
	RONDO_GONE, /* unbound, or vanished from the bus */
};

/* In the order in which a reset loads them again. */
enum rondo_table_id {
	RONDO_PROGRAMS,
	RONDO_BINDINGS,
	RONDO_QUEUES,
	RONDO_TABLES,
};

struct rondo_table {
	/** @entries: &struct rondo_resident by number */
	struct xarray entries;
};

struct rondo_resident_ops {
	enum rondo_table_id table;
	/** @count: numbers are 0..count-1 */
	u32 count;
	enum rondo_fw_command load;
	enum rondo_fw_command unload;
	/** @describe: fills in the arguments of either command */
	void (*describe)(const struct rondo_resident *res, struct rondo_fw_admin *cmd);
};

struct rondo_resident {
	const struct rondo_resident_ops *ops;
	u32 number;
	/** @live: the firmware knows it; under rondo_device.reset_lock */
	bool live;
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
	/** @lock: held from a command to its answer, or until who waits is killed */
	struct mutex lock;
	/** @waiting: for the answer to @cookie; this and what follows under rondo_admin.lock */
	bool waiting;
	u32 cookie;
	/** @result: negative errno, or enum rondo_fw_result */
	int result;
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

/* Takes a number: -ENOSPC if there is none left. */
int rondo_resident_init(struct rondo_device *rdev, struct rondo_resident *res,
			const struct rondo_resident_ops *ops);
/* Waits, behind a replay perhaps, but not when killed (-EINTR). To be unloaded in any case. */
int rondo_resident_load(struct rondo_device *rdev, struct rondo_resident *res);
/* Always succeeds: a device that does not answer is reset and so forgets. */
void rondo_resident_unload(struct rondo_device *rdev, struct rondo_resident *res);
void rondo_resident_fini(struct rondo_device *rdev, struct rondo_resident *res);

/* Loads everything that is live again; for the reset, which holds reset_lock for writing. */
int rondo_resident_reload_all(struct rondo_device *rdev);

#endif
