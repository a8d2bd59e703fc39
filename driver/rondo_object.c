// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

#include <drm/drm_print.h>

#include "driver/rondo_device.h"
#include "driver/rondo_fence.h"
#include "driver/rondo_object.h"
#include "driver/rondo_user.h"

/* Resets that may come between before an operation gives up. */
enum { RONDO_LOAD_TRIES = 3 };

/* References */

static void release_work(struct work_struct *work)
{
	struct rondo_object *object = container_of(work, struct rondo_object, release);
	struct rondo_device *rdev = object->rdev;
	struct rondo_user *user = object->user;

	rondo_object_unload(object);
	rondo_user_uncharge_memory(user, object->memory);
	rondo_object_drop_number(object);
	if (object->loading)
		dma_fence_put(&object->loading->base);
	object->ops->free(object);
	rondo_user_put(user);
	/* Before a close goes on that waits for it. Module exit waits for this work to return. */
	module_put(THIS_MODULE);
	if (atomic_dec_and_test(&rdev->releases))
		wake_up_all(&rdev->released);
	drm_dev_put(&rdev->drm);
}

void rondo_object_init(struct rondo_object *object, struct rondo_file *rfile,
		       const struct rondo_object_ops *ops)
{
	__module_get(THIS_MODULE);
	drm_dev_get(&rfile->rdev->drm);
	rondo_user_get(rfile->user);
	kref_init(&object->ref);
	INIT_WORK(&object->release, release_work);
	object->rdev = rfile->rdev;
	object->user = rfile->user;
	object->ops = ops;
}

void rondo_object_get(struct rondo_object *object)
{
	kref_get(&object->ref);
}

static void release(struct kref *ref)
{
	struct rondo_object *object = container_of(ref, struct rondo_object, ref);

	atomic_inc(&object->rdev->releases);
	queue_work(rondo_release_wq, &object->release);
}

void rondo_object_put(struct rondo_object *object)
{
	kref_put(&object->ref, release);
}

/* Ids */

int rondo_id_reserve(struct rondo_file *rfile, const struct rondo_object_ops *ops, u32 *id)
{
	int ret = xa_alloc(&rfile->ids[ops->table], id, NULL, XA_LIMIT(1, ops->ids),
			   GFP_KERNEL_ACCOUNT);

	return ret == -EBUSY ? -ENOSPC : ret;
}

void rondo_id_publish(struct rondo_file *rfile, u32 id, struct rondo_object *object)
{
	/* In a reserved place nothing is allocated. */
	xa_store(&rfile->ids[object->ops->table], id, object, GFP_KERNEL);
}

void rondo_id_cancel(struct rondo_file *rfile, const struct rondo_object_ops *ops, u32 id)
{
	xa_erase(&rfile->ids[ops->table], id);
}

struct rondo_object *rondo_object_lookup(struct rondo_file *rfile, enum rondo_table_id table,
					 u32 id)
{
	struct xarray *ids = &rfile->ids[table];
	struct rondo_object *object;

	xa_lock(ids);
	object = xa_load(ids, id);
	if (object)
		rondo_object_get(object);
	xa_unlock(ids);
	return object;
}

static void close_object(struct rondo_object *object)
{
	if (object->ops->close)
		object->ops->close(object);
	rondo_object_put(object);
}

int rondo_object_destroy(struct rondo_file *rfile, enum rondo_table_id table, u32 id)
{
	struct xarray *ids = &rfile->ids[table];
	struct rondo_object *object;

	/* An id that is only reserved loads as NULL, and stays. */
	xa_lock(ids);
	object = xa_load(ids, id);
	if (object)
		__xa_erase(ids, id);
	xa_unlock(ids);
	if (!object)
		return -ENOENT;
	close_object(object);
	return 0;
}

void rondo_objects_close(struct rondo_file *rfile)
{
	enum rondo_table_id t = RONDO_TABLES;
	struct rondo_object *object;
	unsigned long id;

	while (t-- > 0) {
		xa_for_each(&rfile->ids[t], id, object)
			close_object(object);
		xa_destroy(&rfile->ids[t]);
	}
}

/* Numbers */

void rondo_tables_init(struct rondo_device *rdev)
{
	u32 i;

	for (i = 0; i < RONDO_TABLES; i++)
		xa_init_flags(&rdev->table[i], XA_FLAGS_ALLOC);
}

/* Reserves a number, so that storing the object later allocates nothing. */
static int take_number(struct rondo_object *object)
{
	const struct rondo_object_ops *ops = object->ops;
	int ret = rondo_user_charge(object->user, ops->table, ops->numbers);

	if (ret)
		return ret;
	ret = xa_alloc(&object->rdev->table[ops->table], &object->number, NULL,
		       XA_LIMIT(0, ops->numbers - 1), GFP_KERNEL);
	if (ret)
		rondo_user_uncharge(object->user, ops->table);
	object->numbered = !ret;
	return ret == -EBUSY ? -ENOSPC : ret;
}

/* What was destroyed may be on its way out: waits for that. -EINTR if killed. */
static int wait_for_releases(struct rondo_device *rdev)
{
	return wait_event_killable(rdev->released, !atomic_read(&rdev->releases)) ? -EINTR : 0;
}

int rondo_object_take_number(struct rondo_object *object)
{
	int ret = take_number(object);

	if (ret != -ENOSPC)
		return ret;
	return wait_for_releases(object->rdev) ?: take_number(object);
}

void rondo_object_drop_number(struct rondo_object *object)
{
	struct rondo_device *rdev = object->rdev;

	if (!object->numbered)
		return;
	down_read(&rdev->reset_lock);
	mutex_lock(&rdev->ring.event_lock); /* no event may look while it goes */
	xa_erase(&rdev->table[object->ops->table], object->number);
	mutex_unlock(&rdev->ring.event_lock);
	up_read(&rdev->reset_lock);
	object->numbered = false;
	rondo_user_uncharge(object->user, object->ops->table);
}

static int send_command(struct rondo_object *object, enum rondo_fw_command command,
			enum rondo_state state, bool killable, u64 *memory)
{
	struct rondo_fw_admin cmd = { .command = command };
	int ret;

	object->ops->describe(object, &cmd);
	ret = rondo_admin_send(object->rdev, &cmd, state, killable, memory);
	if (ret <= 0)
		return ret;
	/* What the device was perhaps never told it need not forget. */
	if (ret == RONDO_FW_BAD_NUMBER && command == object->ops->unload && object->unsure)
		return 0;
	/* Lack of memory is no fault of the device: users may ask for more than it has. */
	if (ret != RONDO_FW_NO_MEMORY)
		drm_err(&object->rdev->drm, "the firmware refuses command %u: %s\n", command,
			rondo_result_text(ret));
	return rondo_result_error(ret);
}

/* What the device keeps for the object counts as its user's; if that is too much, it forgets it. */
static int charge_memory(struct rondo_object *object, u64 memory)
{
	int ret = rondo_user_charge_memory(object->user, memory);

	if (ret)
		rondo_object_unload(object);
	else
		object->memory = memory;
	return ret;
}

int rondo_object_load_now(struct rondo_object *object, bool killable)
{
	struct rondo_device *rdev = object->rdev;
	int try, seen, ret = rondo_pm_get(rdev);
	u64 memory = 0;

	if (ret)
		return ret;
	ret = -EAGAIN;
	for (try = 0; try < RONDO_LOAD_TRIES && ret == -EAGAIN; try++) {
		down_read(&rdev->reset_lock);
		seen = atomic_read(&rdev->stops);
		ret = rondo_device_error(rdev);
		if (!ret) {
			xa_store(&rdev->table[object->ops->table], object->number, object,
				 GFP_NOWAIT);
			ret = send_command(object, object->ops->load, RONDO_LIVE, killable,
					   &memory);
			object->unsure = ret == -EINTR; /* the command is on its way */
			object->live = !ret || object->unsure;
		}
		up_read(&rdev->reset_lock);
		if (ret == -EAGAIN)
			rondo_reset_wait(rdev, seen);
	}
	if (!ret)
		ret = charge_memory(object, memory);
	rondo_pm_put(rdev);
	return ret == -EAGAIN ? -EIO : ret;
}

/* Every fence of a job with the object depends on this: it allocates nothing. */
static void load(struct rondo_object *object)
{
	const struct rondo_object *needs = object->needs;
	struct rondo_device *rdev = object->rdev;
	int ret = needs ? READ_ONCE(needs->load_error) : 0;

	if (!ret)
		ret = rondo_object_load_now(object, false);
	WRITE_ONCE(object->load_error, ret);
	rondo_fence_signal(object->loading, ret);
	smp_mb__before_atomic(); /* who sees that nothing is loading sees what came of it */
	atomic_dec(&rdev->loads);
	rondo_pm_put(rdev);
	rondo_object_put(object);
}

/* Users take turns; what one of them loads keeps its order. NULL: there is nothing. */
static struct rondo_object *next_load(struct rondo_device *rdev)
{
	struct rondo_object *object = NULL;
	struct rondo_user *user;

	mutex_lock(&rdev->load_lock);
	user = list_first_entry_or_null(&rdev->load_turns, struct rondo_user, load_turn);
	if (user) {
		object = list_first_entry(&user->loads, struct rondo_object, load);
		list_del(&object->load);
		list_del(&user->load_turn);
		if (!list_empty(&user->loads))
			list_add_tail(&user->load_turn, &rdev->load_turns);
	}
	mutex_unlock(&rdev->load_lock);
	return object;
}

static void load_work(struct work_struct *work)
{
	struct rondo_device *rdev = container_of(work, struct rondo_device, load_work);
	struct rondo_object *object;

	while ((object = next_load(rdev)))
		load(object);
}

void rondo_loads_init(struct rondo_device *rdev)
{
	INIT_LIST_HEAD(&rdev->load_turns);
	INIT_WORK(&rdev->load_work, load_work);
}

/* One after the other, so that what an object needs, which is its user's, is loaded before it. */
static int load_later(struct rondo_object *object)
{
	struct rondo_device *rdev = object->rdev;
	struct rondo_user *user = object->user;
	int ret = rondo_pm_get(rdev);

	if (ret)
		return ret;
	object->loading = rondo_fence_alloc();
	if (!object->loading) {
		rondo_pm_put(rdev);
		return -ENOMEM;
	}
	rondo_object_get(object);
	mutex_lock(&rdev->load_lock);
	rondo_fence_init_hw(object->loading, user->load_context, ++user->load_seqno);
	atomic_inc(&rdev->loads);
	if (list_empty(&user->loads))
		list_add_tail(&user->load_turn, &rdev->load_turns);
	list_add_tail(&object->load, &user->loads);
	mutex_unlock(&rdev->load_lock);
	queue_work(rdev->load_wq, &rdev->load_work);
	return 0;
}

int rondo_object_load(struct rondo_object *object)
{
	const struct rondo_object *needs = object->needs;
	struct rondo_device *rdev = object->rdev;
	int leaving, ret = rondo_device_error(rdev);
	bool loading;

	if (ret && ret != -EAGAIN)
		return ret;
	loading = atomic_read_acquire(&rdev->loads); /* before what that may have written */
	ret = needs ? READ_ONCE(needs->load_error) : 0;
	if (ret)
		return ret;
	if (loading || atomic_read(&rdev->watch.jobs))
		return load_later(object);
	leaving = atomic_read(&rdev->releases);
	ret = rondo_object_load_now(object, true);
	if (!leaving || (ret != -ENOSPC && ret != -ENOMEM))
		return ret;
	return wait_for_releases(rdev) ?: rondo_object_load_now(object, true);
}

void rondo_object_unload(struct rondo_object *object)
{
	struct rondo_device *rdev = object->rdev;
	int seen, ret = 0;

	down_read(&rdev->reset_lock);
	seen = atomic_read(&rdev->stops);
	if (object->live) {
		object->live = false; /* a reset does not load it again */
		ret = rondo_device_error(rdev);
		if (!ret) {
			ret = send_command(object, object->ops->unload, RONDO_LIVE, false, NULL);
			if (ret && ret != -EAGAIN)
				rondo_reset_request(rdev, "the firmware does not forget");
		} else if (READ_ONCE(rdev->state) != RONDO_RESETTING) {
			ret = 0; /* it has stopped, and knows the object no more */
		}
	}
	up_read(&rdev->reset_lock);
	if (ret)
		rondo_reset_wait(rdev, seen);
}

int rondo_objects_reload(struct rondo_device *rdev)
{
	struct rondo_object *object;
	enum rondo_table_id t;
	unsigned long number;
	int ret;

	lockdep_assert_held_write(&rdev->reset_lock);

	for (t = 0; t < RONDO_TABLES; t++) {
		xa_for_each(&rdev->table[t], number, object) {
			/* The device has forgotten what nobody was sure of. */
			object->live = object->live && !object->unsure;
			if (!object->live)
				continue;
			ret = send_command(object, object->ops->load, RONDO_RESETTING, false, NULL);
			if (ret)
				return ret;
		}
	}
	return 0;
}
