// SPDX-License-Identifier: MIT
/* The firmware: boot, rings, admin commands; the thread that hears it; reset. */
#include "userspace/libaccel/local.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/replay.h"

/* A boot that takes longer has failed. */
enum { BOOT_MS = 10000 };

static u32 load_acquire(const u32 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store_release(u32 *p, u32 value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

void local_wake(struct local_device *dev)
{
	u64 one = 1;

	/* It fails only if the counter is full, and then the thread wakes anyway. */
	(void)!write(dev->wake, &one, sizeof(one));
}

/* Waits until local_wake(), at most @ms (-1: for ever); false if nobody called. */
static bool wait_for_wake(struct local_device *dev, int ms)
{
	struct pollfd poll_fd = { .fd = dev->wake, .events = POLLIN };
	u64 count;

	if (poll(&poll_fd, 1, ms) <= 0)
		return false;
	(void)!read(dev->wake, &count, sizeof(count));
	return true;
}

/*
 * Admin commands
 */

struct local_call *local_call_pop(struct local_call **list)
{
	struct local_call *call = *list;

	if (call)
		*list = call->next;
	return call;
}

static void append(struct local_call **list, struct local_call *call)
{
	while (*list)
		list = &(*list)->next;
	call->next = NULL;
	*list = call;
}

/* Moves calls from the backlog into the ring. */
static void push_calls(struct local_device *dev)
{
	struct local_shared *shared = dev->shared;
	u32 head = load_acquire(&shared->status.admin_head), tail = dev->admin_tail;

	if (!dev->served)
		return;
	while (dev->backlog && dev->admin_tail - head < LOCAL_ADMIN_ENTRIES) {
		struct local_call *call = local_call_pop(&dev->backlog);

		call->cmd.cookie = ++dev->cookie;
		shared->admin[dev->admin_tail++ % LOCAL_ADMIN_ENTRIES] = call->cmd;
		append(&dev->calls, call);
	}
	if (dev->admin_tail != tail) {
		store_release(&shared->status.admin_tail, dev->admin_tail);
		local_hw_ring(dev->hw, 0);
	}
}

static void finish_call(struct local_device *dev, struct local_call *call, int ret)
{
	call->ret = ret;
	call->done = true;
	if (call->then)
		call->then(call);
	else
		pthread_cond_broadcast(&dev->answered);
}

static void fail_calls(struct local_device *dev, int error)
{
	struct local_call *call;

	while ((call = local_call_pop(&dev->calls)))
		finish_call(dev, call, error);
	while ((call = local_call_pop(&dev->backlog)))
		finish_call(dev, call, error);
}

void local_admin_post(struct local_device *dev, struct local_call *call)
{
	append(&dev->backlog, call);
	push_calls(dev);
	local_wake(dev); /* it watches while something is pending */
}

int local_lost(const struct local_device *dev)
{
	switch (dev->state) {
	case LOCAL_LIVE:
	case LOCAL_DOWN:
		return 0;
	case LOCAL_DEAD:
		return -EIO;
	case LOCAL_GONE:
		return -ENODEV;
	}
	return -EIO;
}

int local_admin(struct local_device *dev, struct rondo_fw_admin cmd)
{
	struct local_call call = { .cmd = cmd };
	int ret;

	while (dev->state == LOCAL_DOWN)
		pthread_cond_wait(&dev->answered, &dev->lock);
	ret = local_lost(dev);
	if (ret)
		return ret;
	local_admin_post(dev, &call);
	while (!call.done)
		pthread_cond_wait(&dev->answered, &dev->lock);
	return call.ret;
}

int local_load(struct local_device *dev, struct rondo_fw_admin cmd, bool *live)
{
	int try, ret = -EAGAIN;

	for (try = 0; try < LOCAL_LOAD_TRIES && ret == -EAGAIN; try++)
		ret = local_admin(dev, cmd);
	*live = !ret;
	return ret == -EAGAIN ? -EIO : ret;
}

/*
 * Events
 */

static bool answer(struct local_device *dev, const struct rondo_fw_event *event)
{
	struct local_call **link = &dev->calls, *call;

	while (*link && (*link)->cmd.cookie != event->cookie)
		link = &(*link)->next;
	call = *link;
	if (!call)
		return false;
	*link = call->next;
	finish_call(dev, call, rondo_result_error(event->result));
	return true;
}

/* Handles what stands in the event ring; false if it makes no sense. */
static bool process_events(struct local_device *dev)
{
	struct local_shared *shared = dev->shared;
	u32 tail = load_acquire(&shared->status.event_tail);
	bool full = tail - dev->event_head == LOCAL_EVENT_ENTRIES;

	if (tail - dev->event_head > LOCAL_EVENT_ENTRIES)
		return false;
	while (dev->event_head != tail) {
		const struct rondo_fw_event *event =
			&shared->event[dev->event_head++ % LOCAL_EVENT_ENTRIES];
		bool known = false;

		if (event->result >= RONDO_FW_RESULTS)
			return false;
		if (event->type == RONDO_FW_EVENT_ADMIN)
			known = answer(dev, event);
		else if (event->type == RONDO_FW_EVENT_DONE)
			known = local_queue_done(dev, event);
		if (!known)
			return false;
	}
	store_release(&shared->status.event_head, dev->event_head);
	if (full)
		local_hw_ring(dev->hw, 0);
	push_calls(dev);
	local_queue_push_all(dev);
	return true;
}

/*
 * Boot
 */

static u32 device_state(struct local_device *dev)
{
	return (local_hw_read(dev->hw, RONDO_REG_HOST_STATUS) & RONDO_FLD_HOST_STATUS_STATE) >>
	       RONDO_SHIFT_HOST_STATUS_STATE;
}

static bool device_works(struct local_device *dev)
{
	return device_state(dev) == RONDO_STATE_ON &&
	       local_hw_read(dev->hw, RONDO_REG_HOST_FW_STATE) == RONDO_FW_STATE_READY;
}

static void fill_init(struct local_shared *shared)
{
	memset(shared, 0, sizeof(*shared));
	shared->init = (struct rondo_fw_init){
		.magic = RONDO_FW_IMAGE_MAGIC,
		.version = RONDO_FW_VERSION,
		.status = local_hw_bus(&shared->status),
		.admin = local_hw_bus(shared->admin),
		.events = local_hw_bus(shared->event),
		.log = local_hw_bus(shared->log),
		.admin_count = LOCAL_ADMIN_ENTRIES,
		.event_count = LOCAL_EVENT_ENTRIES,
		.log_size = LOCAL_LOG_BYTES,
	};
}

/*
 * Waits until the device is in @state, or until the firmware runs with @state ON; releases the
 * lock meanwhile.
 */
static int wait_for_state(struct local_device *dev, u32 state)
{
	u32 ms;

	for (ms = 0; ms < BOOT_MS && !dev->stop; ms++) {
		u32 is = device_state(dev), fw = local_hw_read(dev->hw, RONDO_REG_HOST_FW_STATE);

		if (!local_hw_present(dev->hw))
			return -ENODEV;
		if (is == state && (state != RONDO_STATE_ON || fw == RONDO_FW_STATE_READY))
			return 0;
		if (state == RONDO_STATE_ON &&
		    (is == RONDO_STATE_DEAD || fw > RONDO_FW_STATE_READY))
			return -EIO;
		pthread_mutex_unlock(&dev->lock);
		wait_for_wake(dev, 1);
		pthread_mutex_lock(&dev->lock);
	}
	return -EIO;
}

/* Stops the device, which then touches memory no more and knows nothing. */
static int stop(struct local_device *dev)
{
	local_hw_write(dev->hw, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	return wait_for_state(dev, RONDO_STATE_OFF);
}

int local_boot(struct local_device *dev)
{
	struct local_hw *hw = dev->hw;
	int ret;

	dev->admin_tail = 0;
	dev->event_head = 0;
	fill_init(dev->shared);
	local_hw_write64(hw, RONDO_REG_HOST_FW_ADDR_LO, local_hw_bus(dev->image));
	local_hw_write(hw, RONDO_REG_HOST_FW_SIZE, local_hw_image_bytes());
	local_hw_write64(hw, RONDO_REG_HOST_INIT_ADDR_LO, local_hw_bus(&dev->shared->init));
	local_hw_write(hw, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
	ret = wait_for_state(dev, RONDO_STATE_ON);
	if (ret)
		return ret;
	dev->base.info.firmware = local_hw_read(hw, RONDO_REG_HOST_FW_VERSION);
	dev->served = dev->base.info.firmware >> 16 == RONDO_FW_MAJOR;
	return dev->served ? 0 : -EIO;
}

/*
 * Liveness and reset
 */

static bool busy(const struct local_device *dev)
{
	return dev->calls || dev->backlog || dev->jobs;
}

/* Looks once; false if heartbeat or progress have stood still for too many looks. */
static bool alive(struct local_device *dev)
{
	u32 heartbeat = local_hw_read(dev->hw, RONDO_REG_HOST_HEARTBEAT);
	u32 progress = local_hw_read(dev->hw, RONDO_REG_HOST_PROGRESS);

	dev->watch.silent = heartbeat == dev->watch.heartbeat ? dev->watch.silent + 1 : 0;
	dev->watch.still = progress == dev->watch.progress ? dev->watch.still + 1 : 0;
	dev->watch.heartbeat = heartbeat;
	dev->watch.progress = progress;
	return dev->watch.silent < LOCAL_WATCH_SILENT && dev->watch.still < LOCAL_WATCH_STILL;
}

static void forget_looks(struct local_device *dev)
{
	dev->watch.silent = 0;
	dev->watch.still = 0;
}

/*
 * In the thread, during a reset: a command whose answer it must hear itself. Releases the lock
 * meanwhile: objects may be forgotten while they are loaded, which the firmware does in turn.
 */
static int admin_in_reset(struct local_device *dev, struct rondo_fw_admin cmd)
{
	struct local_call call = { .cmd = cmd };

	forget_looks(dev);
	local_admin_post(dev, &call);
	while (!call.done) {
		bool woken;

		pthread_mutex_unlock(&dev->lock);
		woken = wait_for_wake(dev, LOCAL_WATCH_MS);
		pthread_mutex_lock(&dev->lock);
		local_hw_write(dev->hw, RONDO_REG_HOST_IRQ_STATUS, RONDO_FLD_HOST_IRQ_STATUS_EVENT);
		if (!process_events(dev) || !device_works(dev) || (!woken && !alive(dev)) ||
		    dev->stop)
			fail_calls(dev, -EIO);
	}
	return call.ret;
}

/* Tells the firmware again what it knew. */
static int reload(struct local_device *dev)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < RONDO_PROGRAMS_MAX && !ret; i++)
		if (dev->program[i] && dev->program[i]->live)
			ret = admin_in_reset(dev, local_program_describe(dev->program[i]));
	for (i = 0; i < RONDO_BINDINGS_MAX && !ret; i++)
		if (dev->binding[i] && dev->binding[i]->live)
			ret = admin_in_reset(dev, local_binding_describe(dev->binding[i]));
	for (i = 0; i < RONDO_FW_QUEUES_MAX && !ret; i++)
		if (dev->queue[i] && dev->queue[i]->live)
			ret = admin_in_reset(dev, local_queue_describe(dev->queue[i]));
	return ret;
}

static void reset(struct local_device *dev)
{
	int ret;

	if (!local_hw_present(dev->hw)) {
		dev->state = LOCAL_GONE;
		fail_calls(dev, -ENODEV);
		local_queue_fail(dev, RONDO_HOST_GONE);
		return;
	}
	dev->state = LOCAL_DOWN;
	dev->served = false;
	fail_calls(dev, -EAGAIN);
	ret = stop(dev);
	if (!ret) {
		process_events(dev); /* what has ended has not to be repeated */
		local_queue_settle(dev);
		ret = local_boot(dev);
	}
	if (!ret)
		ret = reload(dev);
	dev->state = !ret ? LOCAL_LIVE : ret == -ENODEV ? LOCAL_GONE : LOCAL_DEAD;
	if (ret) {
		fail_calls(dev, ret);
		local_queue_fail(dev, ret == -ENODEV ? RONDO_HOST_GONE : RONDO_HOST_DEAD);
	} else {
		local_queue_push_all(dev);
	}
	pthread_cond_broadcast(&dev->answered);
}

static void look(struct local_device *dev, bool watch)
{
	bool well = local_hw_present(dev->hw);

	if (well) {
		local_hw_write(dev->hw, RONDO_REG_HOST_IRQ_STATUS,
			       RONDO_FLD_HOST_IRQ_STATUS_EVENT | RONDO_FLD_HOST_IRQ_STATUS_FAULT);
		well = process_events(dev) && device_works(dev) && (!watch || alive(dev));
	}
	if (!well)
		reset(dev);
}

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void *local_thread(void *arg)
{
	struct local_device *dev = arg;
	u64 watched = now_ms();
	bool pending;

	pthread_mutex_lock(&dev->lock);
	while (!dev->stop) {
		bool watch = busy(dev) && now_ms() - watched >= LOCAL_WATCH_MS;

		if (dev->state == LOCAL_LIVE)
			look(dev, watch);
		if (watch)
			watched = now_ms();
		pending = busy(dev);
		if (!pending)
			forget_looks(dev);
		pthread_mutex_unlock(&dev->lock);
		wait_for_wake(dev, pending ? LOCAL_WATCH_MS : -1);
		pthread_mutex_lock(&dev->lock);
	}
	pthread_mutex_unlock(&dev->lock);
	return NULL;
}
