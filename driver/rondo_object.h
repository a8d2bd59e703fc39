/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects: programs, bindings, queues.
 *
 * An open file names its objects by ids, and holds a reference to each until it destroys it or is
 * closed. The firmware knows objects by numbers of the device: an object has one from
 * rondo_object_take_number() to rondo_object_drop_number(), and the firmware knows it from a
 * successful rondo_object_load() to rondo_object_unload(); a reset in between loads it again.
 *
 * While a replay runs, the firmware loads nothing. Nobody who makes an object waits for that: the
 * object is there at once, and what is to be done with it waits for its @loading.
 *
 * The last reference may be dropped where one cannot sleep, so that what follows is left to
 * rondo_release_wq: the firmware forgets the object, and it is freed. Until then it holds the
 * device and the module.
 */
#ifndef RONDO_OBJECT_H
#define RONDO_OBJECT_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "spec/fw_abi.h"

struct rondo_device;
struct rondo_file;
struct rondo_fence;
struct rondo_object;
struct rondo_user;

/* In the order in which a reset loads them again; a file is closed in the opposite order. */
enum rondo_table_id {
	RONDO_PROGRAMS,
	RONDO_BINDINGS,
	RONDO_QUEUES,
	RONDO_TABLES,
};

struct rondo_object_ops {
	enum rondo_table_id table;
	/** @ids: those of a file are 1..@ids */
	u32 ids;
	/** @numbers: those of the device are 0..@numbers-1 */
	u32 numbers;
	enum rondo_fw_command load;
	enum rondo_fw_command unload;
	/** @describe: fills in the arguments of either command */
	void (*describe)(const struct rondo_object *object, struct rondo_fw_admin *cmd);
	/** @close: called before the file drops its reference; NULL: nothing to do */
	void (*close)(struct rondo_object *object);
	/** @free: frees the object and what it holds; may sleep */
	void (*free)(struct rondo_object *object);
};

/* Embedded in each program, binding and queue. */
struct rondo_object {
	struct rondo_device *rdev;
	/** @user: whose it is; the object's own reference */
	struct rondo_user *user;
	const struct rondo_object_ops *ops;
	struct kref ref;
	/** @release: what follows the last reference, in rondo_release_wq */
	struct work_struct release;
	/** @number: the device's, if @numbered */
	u32 number;
	bool numbered;
	/** @live: the firmware knows it; under rondo_device.reset_lock */
	bool live;
	/** @unsure: or it does not: who loaded it was killed before the answer came */
	bool unsure;
	/** @memory: bytes of the device's that count as @user's; from loading on */
	u64 memory;
	/** @needs: must be loaded before; NULL: nothing */
	struct rondo_object *needs;
	/** @loading: signals when it is loaded; NULL: it was, before anybody saw it */
	struct rondo_fence *loading;
	/** @load: in rondo_user.loads */
	struct list_head load;
	/** @load_error: why it could not be loaded; written before @loading signals */
	int load_error;
};

/* Ready for use by @rfile, with one reference. From here on it is freed by rondo_object_put(). */
void rondo_object_init(struct rondo_object *object, struct rondo_file *rfile,
		       const struct rondo_object_ops *ops);
void rondo_object_get(struct rondo_object *object);
void rondo_object_put(struct rondo_object *object);

/* Ids: one is reserved before there is an object, and then either published or cancelled. */

/* -ENOSPC if the file has no more. */
int rondo_id_reserve(struct rondo_file *rfile, const struct rondo_object_ops *ops, u32 *id);
/* Gives the caller's reference to the file. */
void rondo_id_publish(struct rondo_file *rfile, u32 id, struct rondo_object *object);
void rondo_id_cancel(struct rondo_file *rfile, const struct rondo_object_ops *ops, u32 id);

/* The object with @id, with a reference of the caller's own; NULL if there is none. */
struct rondo_object *rondo_object_lookup(struct rondo_file *rfile, enum rondo_table_id table,
					 u32 id);
/* Takes it away from the file; -ENOENT if there is none. */
int rondo_object_destroy(struct rondo_file *rfile, enum rondo_table_id table, u32 id);
/* Takes everything away from a file that is closed. */
void rondo_objects_close(struct rondo_file *rfile);

/* Loads that wait for replays. */

void rondo_loads_init(struct rondo_device *rdev);

/* Numbers. */

void rondo_tables_init(struct rondo_device *rdev);

/* -ENOSPC if the device has no more, or the user may have no more. -EINTR if killed. */
int rondo_object_take_number(struct rondo_object *object);
/* When this returns nobody looks at it any more who has found it by its number. */
void rondo_object_drop_number(struct rondo_object *object);

/*
 * Waits for the firmware's answer, unless the caller is killed (-EINTR), or it would be behind a
 * replay: then what comes of it is told by @loading and @load_error. -ENOMEM: the device lacks
 * memory; -ENOSPC: it has some, but the user has its share.
 */
int rondo_object_load(struct rondo_object *object);
/* The same for what no replay delays: it always waits. */
int rondo_object_load_now(struct rondo_object *object, bool killable);
/*
 * Always succeeds: a device that does not answer is reset and so forgets. When this returns, the
 * device is proven to have stopped for the object.
 */
void rondo_object_unload(struct rondo_object *object);

/*
 * Loads everything that is live again, except what nobody waits for; for the reset, which holds
 * reset_lock for writing.
 */
int rondo_objects_reload(struct rondo_device *rdev);

#endif
