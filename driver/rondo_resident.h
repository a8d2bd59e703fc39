/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the firmware knows by number: programs, bindings, queues.
 *
 * Such a thing is a struct rondo_resident inside the object. It has a number from
 * rondo_resident_init() to rondo_resident_fini(), and the firmware knows it from a
 * successful rondo_resident_load() to rondo_resident_unload(); a reset in between
 * loads it again.
 */
#ifndef RONDO_RESIDENT_H
#define RONDO_RESIDENT_H

#include <linux/types.h>
#include <linux/xarray.h>

#include "spec/fw_abi.h"

struct rondo_device;
struct rondo_resident;

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

void rondo_tables_init(struct rondo_device *rdev);

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
