/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The interface between host and firmware: image, handshake, rings, messages.
 *
 * Version rule: the host refuses a firmware of another major version; a minor
 * version adds, and the host uses what both know.
 *
 * All rings are arrays of fixed-size elements in host memory with free-running
 * 32-bit indices (element = index mod count; count is a power of two). The
 * producer writes the element, then the index, then rings: the host a doorbell,
 * the firmware an interrupt. Indices stand in struct rondo_fw_status, so that
 * host memory is all that either side polls. The firmware never trusts an index:
 * one that is more than a ring ahead ends the ring (RONDO_FW_STATE_PROTOCOL).
 */
#ifndef RONDO_SPEC_FW_ABI_H
#define RONDO_SPEC_FW_ABI_H

#include "spec/device.h"

#define RONDO_FW_MAJOR 1
#define RONDO_FW_MINOR 0
#define RONDO_FW_VERSION (RONDO_FW_MAJOR << 16 | RONDO_FW_MINOR)
#define RONDO_FW_IMAGE_MAGIC 0x57464e52u /* "RNFW" */
#define RONDO_FW_NAME "rondo/rondo.fw"

/* Start of the firmware image; the image is loaded, header and all, at RONDO_TCM_BASE. */
struct rondo_fw_image {
	u32 jump; /* the core starts here: a jump over the header */
	u32 magic;
	u32 version; /* RONDO_FW_VERSION */
	u32 size; /* of the image file in bytes */
	u32 crc; /* CRC-32 (IEEE 802.3, as zlib's) of the image with this field zero */
	u32 reserved[3];
};

static_assert(sizeof(struct rondo_fw_image) == 32, "layout of struct rondo_fw_image");

enum rondo_fw_state {
	RONDO_FW_STATE_NONE, /* not booted */
	RONDO_FW_STATE_READY, /* the rings are served */
	RONDO_FW_STATE_BAD_INIT, /* struct rondo_fw_init was refused */
	RONDO_FW_STATE_PROTOCOL, /* the host broke the ring protocol */
	RONDO_FW_STATE_HOST_ERROR, /* the host refused an access to a ring */
	RONDO_FW_STATE_TRAP, /* the firmware took a trap; the log says where */
};

enum {
	RONDO_FW_QUEUES_MAX = 64,
	RONDO_FW_QUEUE_ENTRIES_MAX = 1024,
	RONDO_FW_HEARTBEAT_MS = 100, /* longest time between two heartbeats, wall clock */
};

/* The indices of all rings; one page of host memory. */
struct rondo_fw_status {
	/* written by the host */
	u32 admin_tail;
	u32 event_head;
	u32 reserved[14];
	u32 queue_tail[RONDO_FW_QUEUES_MAX];
	/* written by the firmware */
	u32 admin_head;
	u32 event_tail;
	u32 log_tail; /* bytes ever written to the log ring */
	u32 reserved2[13];
	u32 queue_head[RONDO_FW_QUEUES_MAX];
};

static_assert(sizeof(struct rondo_fw_status) == 640, "layout of struct rondo_fw_status");

/* Where the rings are; read once at boot from INIT_ADDR. Counts are powers of two. */
struct rondo_fw_init {
	u32 magic; /* RONDO_FW_IMAGE_MAGIC */
	u32 version; /* RONDO_FW_VERSION of the host */
	u64 status; /* bus address of struct rondo_fw_status */
	u64 admin; /* of struct rondo_fw_admin[admin_count] */
	u64 events; /* of struct rondo_fw_event[event_count] */
	u64 log; /* of log_size bytes of text, lines ending in '\n' */
	u32 admin_count, event_count, log_size;
	u32 reserved;
};

static_assert(sizeof(struct rondo_fw_init) == 56, "layout of struct rondo_fw_init");

enum rondo_fw_command {
	RONDO_FW_PING = 1,
	RONDO_FW_PROGRAM_LOAD, /* program, addr = page list, size */
	RONDO_FW_PROGRAM_UNLOAD, /* program */
	RONDO_FW_BIND, /* program, binding, generation, addr = slot bindings, count; cycles = exact time */
	RONDO_FW_UNBIND, /* binding */
	RONDO_FW_QUEUE_CREATE, /* queue, addr = entries, count, weight */
	RONDO_FW_QUEUE_DESTROY, /* queue; its running replay is aborted, its waiting ones are dropped */
	RONDO_FW_QUEUE_ABORT, /* queue; the same, but the queue stays; head becomes tail */
};

/* An admin command; answered by one event of the same cookie, in order. */
struct rondo_fw_admin {
	u32 command; /* enum rondo_fw_command */
	u32 cookie;
	u32 program;
	u32 binding;
	u32 generation;
	u32 queue;
	u32 count;
	u32 weight; /* share of device time relative to other queues, 1..1024 */
	u64 addr;
	u64 size;
	u64 cycles;
	u64 reserved;
};

static_assert(sizeof(struct rondo_fw_admin) == 64, "layout of struct rondo_fw_admin");

/*
 * A queue entry: one replay. Offsets are in units of their slot's alignment.
 * The firmware copies it once, then checks index, generation and count.
 */
enum {
	RONDO_FW_ENTRY_REPLAY = 1,
	RONDO_FW_ENTRY_EVENT = 1 << 0, /* flag: post an event when it is done; a failure always does */
};

struct rondo_fw_entry {
	u8 type; /* RONDO_FW_ENTRY_REPLAY */
	u8 flags; /* RONDO_FW_ENTRY_* */
	u8 offsets; /* used elements of slot[] and offset[] */
	u8 reserved;
	u32 binding;
	u32 generation; /* as given at BIND */
	u32 reserved2;
	u64 seqno; /* returned in the event */
	u8 slot[RONDO_REPLAY_OFFSETS_MAX];
	u32 offset[RONDO_REPLAY_OFFSETS_MAX];
};

static_assert(sizeof(struct rondo_fw_entry) == 64, "layout of struct rondo_fw_entry");

enum rondo_fw_event_type {
	RONDO_FW_EVENT_ADMIN = 1, /* answer to an admin command */
	RONDO_FW_EVENT_DONE, /* a replay, and all before it in its queue, is done */
};

enum rondo_fw_result {
	RONDO_FW_OK,
	RONDO_FW_BAD_COMMAND, /* unknown command or entry, or a reserved field is set */
	RONDO_FW_BAD_NUMBER, /* program, binding or queue out of range, in use, or not in use */
	RONDO_FW_BAD_PROGRAM,
	RONDO_FW_HOST_REFUSED, /* the host refused a DMA address */
	RONDO_FW_OVERRUN, /* the replay exceeded its exact cycles */
	RONDO_FW_TRAPPED, /* a check of the device failed during the replay */
	RONDO_FW_ABORTED,
};

struct rondo_fw_event {
	u32 type; /* enum rondo_fw_event_type */
	u32 result; /* enum rondo_fw_result */
	u32 cookie; /* ADMIN: of the command */
	u32 queue; /* DONE */
	u64 seqno; /* DONE: of the entry */
	u64 cycles; /* DONE: exact cycles of the queue's replays since the last DONE event of the queue */
	u64 time; /* device time at completion */
	u32 bundle; /* DONE with TRAPPED or OVERRUN: where */
	u32 replays; /* DONE: number of replays since the last DONE event of the queue */
	u64 reserved[2];
};

static_assert(sizeof(struct rondo_fw_event) == 64, "layout of struct rondo_fw_event");

#endif
