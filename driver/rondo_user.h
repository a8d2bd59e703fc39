/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users: whoever opens the device, by uid. What the device has, and its time, is shared among
 * users, not among their files.
 */
#ifndef RONDO_USER_H
#define RONDO_USER_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/uidgid.h>

#include "driver/rondo_object.h"

struct rondo_device;

struct rondo_user {
	struct rondo_device *rdev;
	kuid_t uid;
	struct kref ref;
	/** @memory: bytes of the device's that its objects take */
	atomic64_t memory;
	/** @loads: &struct rondo_object in their order; this up to @load_seqno under load_lock */
	struct list_head loads;
	/** @load_turn: in rondo_device.load_turns, while there are @loads */
	struct list_head load_turn;
	/** @load_context: of the fences of loads; @load_seqno: of the last */
	u64 load_context, load_seqno;
	/** @node: in rondo_device.users; this and what follows under rondo_device.users_lock */
	struct list_head node;
	/** @objects: that have a number of the device */
	u32 objects[RONDO_TABLES];
	/** @number: by which the firmware knows the user, while @objects has queues */
	u32 number;
};

int rondo_users_init(struct rondo_device *rdev);

/* The user who calls, with a reference; NULL if there is no memory. */
struct rondo_user *rondo_user_get_current(struct rondo_device *rdev);
void rondo_user_get(struct rondo_user *user);
void rondo_user_put(struct rondo_user *user);

/* Counts one more of @numbers in @table. -ENOSPC: root may have all of them, others half. */
int rondo_user_charge(struct rondo_user *user, enum rondo_table_id table, u32 numbers);
void rondo_user_uncharge(struct rondo_user *user, enum rondo_table_id table);

/* The same for @bytes of the device's memory, under no lock. */
int rondo_user_charge_memory(struct rondo_user *user, u64 bytes);
void rondo_user_uncharge_memory(struct rondo_user *user, u64 bytes);

#endif
