// SPDX-License-Identifier: GPL-2.0-only
#include <linux/xarray.h>

#include "driver/rondo_device.h"

/* Resets that may come between before an operation gives up. */
enum { RONDO_LOAD_TRIES = 3 };

void rondo_tables_init(struct rondo_device *rdev)
{
	u32 i;

	for (i = 0; i < RONDO_TABLES; i++)
		xa_init_flags(&rdev->table[i].entries, XA_FLAGS_ALLOC);
}

static int send_resident(struct rondo_device *rdev, struct rondo_resident *res,
			 enum rondo_fw_command command, enum rondo_state state, bool killable)
{
	struct rondo_fw_admin cmd = { .command = command };

	res->ops->describe(res, &cmd);
	return rondo_admin_send(rdev, &cmd, state, killable);
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
