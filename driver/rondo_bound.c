// SPDX-License-Identifier: GPL-2.0-only
/*
 * QUEUE_BOUND: collects who shares the device with a queue, for the rule in core/bound.h.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include <drm/rondo_accel.h>

#include "core/bound.h"
#include "driver/rondo_device.h"
#include "driver/rondo_program.h"
#include "driver/rondo_queue.h"
#include "driver/rondo_user.h"

/* What the firmware knows of users: those with queues, and their longest programs. */
struct crowd {
	DECLARE_BITMAP(users, RONDO_FW_USERS_MAX);
	u64 longest[RONDO_FW_USERS_MAX];
};

/* By the number of a user that has queues. Older firmware takes everybody for one user. */
static u32 user_of(const struct rondo_object *object)
{
	return rondo_fw_knows(object->rdev, RONDO_FW_MINOR_USERS) ? object->user->number : 0;
}

static void count_queues(const struct rondo_queue *mine, struct crowd *crowd,
			 struct rondo_bound *bound)
{
	struct xarray *table = &mine->base.rdev->table[RONDO_QUEUES];
	struct rondo_object *object;
	unsigned long number;

	xa_lock(table);
	xa_for_each(table, number, object) {
		__set_bit(user_of(object), crowd->users);
		if (object == &mine->base || user_of(object) != user_of(&mine->base))
			continue;
		bound->siblings++;
		bound->sibling_weights += to_rondo_queue(object)->weight;
	}
	xa_unlock(table);
}

static void find_longest(struct rondo_device *rdev, struct crowd *crowd)
{
	struct xarray *table = &rdev->table[RONDO_PROGRAMS];
	struct rondo_object *object;
	unsigned long number;

	xa_lock(table);
	xa_for_each(table, number, object) {
		u64 *longest = &crowd->longest[user_of(object)];

		if (object->user->objects[RONDO_QUEUES])
			*longest = max(*longest, to_rondo_sealed_program(object)->cycles);
	}
	xa_unlock(table);
}

static u64 bound_of(const struct rondo_queue *queue, struct crowd *crowd)
{
	struct rondo_device *rdev = queue->base.rdev;
	struct rondo_bound bound = { .weight = queue->weight };
	u32 user, mine;

	mutex_lock(&rdev->users_lock); /* numbers of users */
	mine = user_of(&queue->base);
	count_queues(queue, crowd, &bound);
	find_longest(rdev, crowd);
	mutex_unlock(&rdev->users_lock);
	for_each_set_bit(user, crowd->users, RONDO_FW_USERS_MAX) {
		u64 longest = crowd->longest[user];

		if (user != mine) {
			/* How long exactly others' programs are is theirs to know. */
			longest = longest ? roundup_pow_of_two(longest) : 0;
			bound.users++;
			bound.users_longest += longest;
		}
		bound.longest = max(bound.longest, longest);
	}
	bound.sibling_longest = crowd->longest[mine];
	bound.jobs = atomic64_read(&queue->jobs);
	bound.work = atomic64_read(&queue->work);
	return bound.jobs ? rondo_bound_cycles(&bound) : 0;
}

int rondo_ioctl_queue_bound(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_queue_bound *args = data;
	struct rondo_queue *queue;
	struct crowd *crowd;

	if (args->pad)
		return -EINVAL;
	queue = rondo_queue_lookup(file->driver_priv, args->queue);
	if (!queue)
		return -ENOENT;
	crowd = kzalloc(sizeof(*crowd), GFP_KERNEL_ACCOUNT);
	if (crowd)
		args->cycles = bound_of(queue, crowd);
	kfree(crowd);
	rondo_queue_put(queue);
	return crowd ? 0 : -ENOMEM;
}
