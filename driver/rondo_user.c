// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitmap.h>
#include <linux/cred.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>

#include "driver/rondo_device.h"
#include "driver/rondo_user.h"

int rondo_users_init(struct rondo_device *rdev)
{
	INIT_LIST_HEAD(&rdev->users);
	return drmm_mutex_init(&rdev->drm, &rdev->users_lock);
}

static struct rondo_user *find_locked(struct rondo_device *rdev, kuid_t uid)
{
	struct rondo_user *user;

	list_for_each_entry(user, &rdev->users, node)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct rondo_user *create_locked(struct rondo_device *rdev, kuid_t uid)
{
	struct rondo_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (!user)
		return NULL;
	user->rdev = rdev;
	user->uid = uid;
	kref_init(&user->ref);
	INIT_LIST_HEAD(&user->loads);
	user->load_context = dma_fence_context_alloc(1);
	list_add(&user->node, &rdev->users);
	return user;
}

struct rondo_user *rondo_user_get_current(struct rondo_device *rdev)
{
	struct rondo_user *user;

	mutex_lock(&rdev->users_lock);
	user = find_locked(rdev, current_euid());
	if (user)
		kref_get(&user->ref);
	else
		user = create_locked(rdev, current_euid());
	mutex_unlock(&rdev->users_lock);
	return user;
}

void rondo_user_get(struct rondo_user *user)
{
	kref_get(&user->ref);
}

/* Called with users_lock held, which it drops. */
static void release(struct kref *ref)
{
	struct rondo_user *user = container_of(ref, struct rondo_user, ref);

	list_del(&user->node);
	mutex_unlock(&user->rdev->users_lock);
	kfree(user);
}

void rondo_user_put(struct rondo_user *user)
{
	kref_put_mutex(&user->ref, release, &user->rdev->users_lock);
}

/* The first queue of a user gives it a number. */
static int charge_locked(struct rondo_user *user, enum rondo_table_id table, u32 most)
{
	unsigned long *numbers = user->rdev->user_numbers;
	u32 number;

	if (user->objects[table] >= most)
		return -ENOSPC;
	if (table == RONDO_QUEUES && !user->objects[table]) {
		number = find_first_zero_bit(numbers, RONDO_FW_USERS_MAX);
		if (number == RONDO_FW_USERS_MAX)
			return -ENOSPC;
		__set_bit(number, numbers);
		user->number = number;
	}
	user->objects[table]++;
	return 0;
}

/* What @user may have of @all. */
static u64 share_of(const struct rondo_user *user, u64 all)
{
	return uid_eq(user->uid, GLOBAL_ROOT_UID) ? all : all / 2;
}

int rondo_user_charge(struct rondo_user *user, enum rondo_table_id table, u32 numbers)
{
	u32 most = share_of(user, numbers);
	int ret;

	mutex_lock(&user->rdev->users_lock);
	ret = charge_locked(user, table, most);
	mutex_unlock(&user->rdev->users_lock);
	return ret;
}

void rondo_user_uncharge(struct rondo_user *user, enum rondo_table_id table)
{
	mutex_lock(&user->rdev->users_lock);
	if (!--user->objects[table] && table == RONDO_QUEUES)
		__clear_bit(user->number, user->rdev->user_numbers);
	mutex_unlock(&user->rdev->users_lock);
}

int rondo_user_charge_memory(struct rondo_user *user, u64 bytes)
{
	if ((u64)atomic64_add_return(bytes, &user->memory) <=
	    share_of(user, user->rdev->object_memory))
		return 0;
	atomic64_sub(bytes, &user->memory);
	return -ENOSPC;
}

void rondo_user_uncharge_memory(struct rondo_user *user, u64 bytes)
{
	atomic64_sub(bytes, &user->memory);
}
