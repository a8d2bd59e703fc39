// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ctype.h>
#include <linux/dma-fence.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "driver/rondo_device.h"
#include "driver/rondo_queue.h"

/* An event that has stood for so long has lost its interrupt: no handler is as late as that. */
#define RONDO_EVENT_JIFFIES (3 * RONDO_WATCH_JIFFIES)

/* The one block of memory: what the firmware reads once, indices, rings. */
struct layout {
	struct rondo_fw_init init __aligned(RONDO_PAGE_BYTES);
	struct rondo_fw_status status __aligned(RONDO_PAGE_BYTES);
	struct rondo_fw_admin admin[RONDO_ADMIN_COUNT] __aligned(RONDO_PAGE_BYTES);
	struct rondo_fw_event events[RONDO_EVENT_COUNT] __aligned(RONDO_PAGE_BYTES);
	char log[RONDO_LOG_BYTES] __aligned(RONDO_PAGE_BYTES);
};

int rondo_ring_init(struct rondo_device *rdev)
{
	struct rondo_ring *ring = &rdev->ring;
	struct layout *layout;
	int ret;

	ret = drmm_mutex_init(&rdev->drm, &ring->event_lock);
	if (ret)
		return ret;
	ret = rondo_dma_alloc(rdev, &ring->memory, sizeof(struct layout));
	if (ret)
		return ret;
	layout = ring->memory.block->cpu;
	ring->init = &layout->init;
	ring->status = &layout->status;
	ring->admin = layout->admin;
	ring->events = layout->events;
	ring->log = layout->log;
	return 0;
}

u64 rondo_ring_init_addr(struct rondo_device *rdev)
{
	return rdev->ring.memory.block->addr + offsetof(struct layout, init);
}

void rondo_ring_reset(struct rondo_device *rdev)
{
	struct rondo_ring *ring = &rdev->ring;
	u64 addr = ring->memory.block->addr;

	mutex_lock(&ring->event_lock); /* an interrupt of before may still look */
	memset(ring->memory.block->cpu, 0, sizeof(struct layout));
	*ring->init = (struct rondo_fw_init){
		.magic = RONDO_FW_IMAGE_MAGIC,
		.version = RONDO_FW_VERSION,
		.status = addr + offsetof(struct layout, status),
		.admin = addr + offsetof(struct layout, admin),
		.events = addr + offsetof(struct layout, events),
		.log = addr + offsetof(struct layout, log),
		.admin_count = RONDO_ADMIN_COUNT,
		.event_count = RONDO_EVENT_COUNT,
		.log_size = RONDO_LOG_BYTES,
	};
	ring->event_head = 0;
	ring->admin_tail = 0;
	ring->log_head = 0;
	ring->log_line_used = 0;
	mutex_unlock(&ring->event_lock);
	dma_wmb(); /* before the device is told to look */
}

/* Passes on what the firmware has logged, line by line, except what the ring has lost. */
static void process_log_locked(struct rondo_device *rdev)
{
	struct rondo_ring *ring = &rdev->ring;
	u32 tail = READ_ONCE(ring->status->log_tail);

	if (tail - ring->log_head > RONDO_LOG_BYTES)
		ring->log_head = tail - RONDO_LOG_BYTES;
	dma_rmb(); /* the index before the text */
	while (ring->log_head != tail) {
		char c = ring->log[ring->log_head++ % RONDO_LOG_BYTES];

		if (c != '\n')
			ring->log_line[ring->log_line_used++] = isprint(c) ? c : '?';
		if (c != '\n' && ring->log_line_used < RONDO_LOG_LINE - 1)
			continue;
		ring->log_line[ring->log_line_used] = '\0';
		drm_dbg_driver(&rdev->drm, "firmware: %s\n", ring->log_line);
		ring->log_line_used = 0;
	}
}

/* False if the event makes no sense. */
static bool process_event_locked(struct rondo_device *rdev, const struct rondo_fw_event *event)
{
	struct rondo_object *object;

	switch (event->type) {
	case RONDO_FW_EVENT_ADMIN:
		return rondo_admin_answer(rdev, event);
	case RONDO_FW_EVENT_DONE:
		object = xa_load(&rdev->table[RONDO_QUEUES], event->queue);
		return object && rondo_queue_done(to_rondo_queue(object), event);
	default:
		return false;
	}
}

void rondo_ring_process_locked(struct rondo_device *rdev)
{
	struct rondo_ring *ring = &rdev->ring;
	u32 tail;

	lockdep_assert_held(&ring->event_lock);

	tail = READ_ONCE(ring->status->event_tail);
	if (tail - ring->event_head > RONDO_EVENT_COUNT) {
		rondo_reset_request(rdev, "the event ring's index is impossible");
		return;
	}
	dma_rmb(); /* the index before the events */
	while (ring->event_head != tail) {
		struct rondo_fw_event event = ring->events[ring->event_head % RONDO_EVENT_COUNT];

		ring->event_head++;
		WRITE_ONCE(ring->status->event_head, ring->event_head);
		if (!process_event_locked(rdev, &event)) {
			rondo_reset_request(rdev, "an event is corrupt");
			return;
		}
	}
	process_log_locked(rdev);
}

void rondo_ring_process(struct rondo_device *rdev)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&rdev->ring.event_lock);
	if (READ_ONCE(rdev->state) != RONDO_GONE)
		rondo_ring_process_locked(rdev);
	mutex_unlock(&rdev->ring.event_lock);
	dma_fence_end_signalling(cookie);
}

/* Whether an event has stood in the ring for so long that its interrupt must be lost. */
static bool event_overdue_locked(struct rondo_device *rdev)
{
	struct rondo_ring *ring = &rdev->ring;

	if (READ_ONCE(ring->status->event_tail) == ring->event_head) {
		ring->unseen_since = 0;
		return false;
	}
	if (!ring->unseen_since || ring->unseen_head != ring->event_head) {
		ring->unseen_since = jiffies ?: 1;
		ring->unseen_head = ring->event_head;
		return false;
	}
	return time_after_eq(jiffies, ring->unseen_since + RONDO_EVENT_JIFFIES);
}

void rondo_ring_poll(struct rondo_device *rdev)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&rdev->ring.event_lock);
	if (READ_ONCE(rdev->state) != RONDO_GONE && event_overdue_locked(rdev)) {
		drm_warn(&rdev->drm, "an interrupt was lost\n");
		rondo_ring_process_locked(rdev);
	}
	mutex_unlock(&rdev->ring.event_lock);
	dma_fence_end_signalling(cookie);
}

void rondo_ring_push_admin(struct rondo_device *rdev, const struct rondo_fw_admin *cmd)
{
	struct rondo_ring *ring = &rdev->ring;

	lockdep_assert_held(&rdev->admin.lock);

	ring->admin[ring->admin_tail++ % RONDO_ADMIN_COUNT] = *cmd;
	dma_wmb(); /* the command before the index */
	WRITE_ONCE(ring->status->admin_tail, ring->admin_tail);
	rondo_hw_ring(&rdev->hw, 0);
}

size_t rondo_ring_dump_bytes(void)
{
	return sizeof(struct layout);
}

void rondo_ring_dump(struct rondo_device *rdev, void *copy)
{
	memcpy(copy, rdev->ring.memory.block->cpu, sizeof(struct layout));
}

static void print_queues(const struct rondo_fw_status *status, struct drm_printer *p)
{
	u32 i;

	drm_puts(p, "\nqueues, those that have been used:\n");
	for (i = 0; i < RONDO_FW_QUEUES_MAX; i++)
		if (status->queue_tail[i] || status->queue_head[i])
			drm_printf(p, "  %u: head %u, tail %u%s\n", i, status->queue_head[i],
				   status->queue_tail[i], status->running == i + 1 ? ", runs" : "");
}

static void print_commands(const struct layout *layout, struct drm_printer *p)
{
	const struct rondo_fw_status *status = &layout->status;
	u32 i;

	drm_printf(p, "\ncommands: head %u, tail %u; the last:\n", status->admin_head,
		   status->admin_tail);
	for (i = status->admin_tail - min(status->admin_tail, RONDO_ADMIN_COUNT);
	     i != status->admin_tail; i++) {
		const struct rondo_fw_admin *cmd = &layout->admin[i % RONDO_ADMIN_COUNT];

		drm_printf(p, "  cookie %u: command %u, program %u, binding %u, queue %u\n",
			   cmd->cookie, cmd->command, cmd->program, cmd->binding, cmd->queue);
	}
}

static void print_events(const struct layout *layout, struct drm_printer *p)
{
	const struct rondo_fw_status *status = &layout->status;
	u32 i;

	drm_printf(p, "\nevents: head %u, tail %u; the last:\n", status->event_head,
		   status->event_tail);
	for (i = status->event_tail - min(status->event_tail, RONDO_DUMP_EVENTS);
	     i != status->event_tail; i++) {
		const struct rondo_fw_event *event = &layout->events[i % RONDO_EVENT_COUNT];

		if (event->type == RONDO_FW_EVENT_DONE)
			drm_printf(p, "  %llu: queue %u, entry %llu, result %u, bundle %u\n",
				   event->time, event->queue, event->seqno, event->result,
				   event->bundle);
		else
			drm_printf(p, "  %llu: type %u, cookie %u, result %u\n", event->time,
				   event->type, event->cookie, event->result);
	}
}

static void print_log(const struct layout *layout, struct drm_printer *p)
{
	u32 tail = layout->status.log_tail, i;

	drm_puts(p, "\nlog of the firmware:\n");
	for (i = tail - min(tail, RONDO_LOG_BYTES); i != tail; i++) {
		char c = layout->log[i % RONDO_LOG_BYTES];

		drm_printf(p, "%c", c == '\n' || isprint(c) ? c : '?');
	}
}

void rondo_ring_dump_print(const void *copy, struct drm_printer *p)
{
	const struct layout *layout = copy;

	print_queues(&layout->status, p);
	print_commands(layout, p);
	print_events(layout, p);
	print_log(layout, p);
}
