/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rings that are shared with the firmware: admin commands out, events and log in.
 * Their layout and rules are in spec/fw_abi.h. Nothing that the firmware writes is
 * trusted: an impossible index or event asks for a reset.
 */
#ifndef RONDO_RING_H
#define RONDO_RING_H

#include <linux/mutex.h>

#include "driver/rondo_dma.h"
#include "spec/fw_abi.h"

struct drm_printer;
struct rondo_device;

enum {
	RONDO_ADMIN_COUNT = 16,
	RONDO_EVENT_COUNT = 1024,
	RONDO_LOG_BYTES = 16384,
	RONDO_LOG_LINE = 160,
	RONDO_DUMP_EVENTS = 32, /* in a dump */
};

struct rondo_ring {
	/** @memory: one block with all that follows */
	struct rondo_dma memory;
	struct rondo_fw_init *init;
	struct rondo_fw_status *status;
	struct rondo_fw_admin *admin;
	const struct rondo_fw_event *events;
	const char *log;

	/**
	 * @event_lock: protects what follows up to @admin_tail, and serialises the
	 * handling of events; on the way to every fence
	 */
	struct mutex event_lock;
	u32 event_head;
	/** @unseen_since: jiffies when rondo_ring_poll() first saw event @unseen_head; 0: never */
	unsigned long unseen_since;
	u32 unseen_head;
	u32 log_head;
	char log_line[RONDO_LOG_LINE];
	u32 log_line_used;

	/** @admin_tail: under rondo_admin.lock */
	u32 admin_tail;
};

int rondo_ring_init(struct rondo_device *rdev);

/* Empties all rings and describes them to the next boot; the device is OFF. */
void rondo_ring_reset(struct rondo_device *rdev);

/* Bus address of struct rondo_fw_init. */
u64 rondo_ring_init_addr(struct rondo_device *rdev);

/* Handles the events that stand in the ring. */
void rondo_ring_process(struct rondo_device *rdev);
void rondo_ring_process_locked(struct rondo_device *rdev);

/* Handles events whose interrupt is overdue. Whoever waits for one calls this now and then. */
void rondo_ring_poll(struct rondo_device *rdev);

/*
 * Hands a command to the firmware; with rondo_admin.lock held. There is always room:
 * each line has at most one command under way.
 */
void rondo_ring_push_admin(struct rondo_device *rdev, const struct rondo_fw_admin *cmd);

/*
 * For a dump: copies all that is shared with the firmware to @copy, of rondo_ring_dump_bytes(); and
 * prints such a copy: indices, the last commands, events, and lines of the log.
 */
size_t rondo_ring_dump_bytes(void);
void rondo_ring_dump(struct rondo_device *rdev, void *copy);
void rondo_ring_dump_print(const void *copy, struct drm_printer *p);

#endif
