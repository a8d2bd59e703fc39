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
 * one that is more than a ring ahead stops the firmware (RONDO_FW_STATE_PROTOCOL).
 *
 * A ring that is full stays full: the firmware drops no event, it stops serving
 * commands and queues until the host has moved event_head. The host rings bell 0
 * then; without that the firmware looks again after about a millisecond.
 *
 * The interrupt of a replay that ended well may wait while the next of its queue
 * runs, but for microseconds only. Its event stands in the ring meanwhile.
 *
 * In a stopped state (neither NONE nor READY) the firmware has aborted what ran,
 * raised the FAULT interrupt and touches host memory no more; only a reset helps.
 */
#ifndef RONDO_SPEC_FW_ABI_H
#define RONDO_SPEC_FW_ABI_H

#include "spec/device.h"

#define RONDO_FW_MAJOR 1
#define RONDO_FW_MINOR 6 /* 1: RONDO_FW_NO_MEMORY */
#define RONDO_FW_MINOR_SIGNATURE 2 /* from here on, BIND has one; before, it is reserved */
#define RONDO_FW_MINOR_PROGRESS 3 /* from here on, RONDO_FW_STALLED and the register PROGRESS */
#define RONDO_FW_MINOR_USERS 4 /* from here on, a queue has a user; before, it is reserved */
#define RONDO_FW_MINOR_MEMORY 5 /* from here on, an answer tells memory; before, it is reserved */
#define RONDO_FW_MINOR_STARTED 6 /* from here on, DONE tells when; before, it is reserved */
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
	RONDO_FW_STATE_STUCK, /* the sequencer does not obey ABORT */
};

enum {
	RONDO_FW_QUEUES_MAX = 64,
	RONDO_FW_USERS_MAX = 64,
	RONDO_FW_ADMIN_ENTRIES_MAX = 1024,
	RONDO_FW_EVENT_ENTRIES_MAX = 4096,
	RONDO_FW_QUEUE_ENTRIES_MAX = 1024,
	RONDO_FW_LOG_BYTES_MIN = 256,
	RONDO_FW_LOG_BYTES_MAX = 1 << 20,
	RONDO_FW_RING_ALIGN = 64, /* of the bus address of rings and of struct rondo_fw_status */
	RONDO_FW_WEIGHT_MAX = 1024,
	RONDO_FW_DEFERRED_MAX = 64, /* see enum rondo_fw_command */
	RONDO_FW_HEARTBEAT_MS = 100, /* longest time between two heartbeats, wall clock */
	/*
	 * Wall time after which a command of the sequencer that has not moved is aborted (STALLED),
	 * and after which an abort that is not obeyed stops the firmware (STUCK).
	 */
	RONDO_FW_STALL_MS = 2000,
};

/*
 * Arbitration is deficit round robin of two levels: users with something waiting share device
 * time equally, whatever queues they have, and the queues of a user share what is the user's. A
 * user whose turn it is runs replays for RONDO_FW_QUANTUM cycles, a queue among those of its user
 * for weight * RONDO_FW_QUANTUM, plus or minus what one replay takes.
 */
enum { RONDO_FW_QUANTUM = 4096 };

/*
 * Cycles that a replay may take beyond the exact time given at BIND before it
 * ends as RONDO_FW_OVERRUN. None: time is exact.
 */
enum { RONDO_FW_BOUND_SLACK = 0 };

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
	u32 running; /* queue + 1 whose entry at head is running; told before it starts; 0: none */
	u32 reserved2[12];
	u32 queue_head[RONDO_FW_QUEUES_MAX]; /* entries that are done, failed or dropped */
};

static_assert(sizeof(struct rondo_fw_status) == 640, "layout of struct rondo_fw_status");

/*
 * Where the rings are; read once at boot from INIT_ADDR. The struct is 8-byte
 * aligned. Counts are powers of two within the limits above; a stopped state of
 * BAD_INIT means that this, the version or the magic is not so.
 */
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

/*
 * Admin commands, and the fields that each uses; the others are ignored.
 *
 * LOAD, UNLOAD, BIND and UNBIND are done by the sequencer, one after the other,
 * between replays; they go before waiting replays but never stop a running one.
 * All other commands are done in order and do not wait for those, so a QUEUE_ABORT
 * is answered within 10 ms whatever runs, as long as at most RONDO_FW_DEFERRED_MAX
 * of the former are unanswered. Where a command depends on one of the other kind,
 * the host therefore waits for the answer to that one first.
 */
enum rondo_fw_command {
	RONDO_FW_PING = 1,
	/* program, addr = page list (aligned to a page), size */
	RONDO_FW_PROGRAM_LOAD,
	/* program; BAD_NUMBER while a binding of it exists */
	RONDO_FW_PROGRAM_UNLOAD,
	/*
	 * program, binding, generation, addr = slot bindings (8-byte aligned), count,
	 * cycles = exact time, signature = that of the control path (core/signature.h; 0: not
	 * compared); BAD_COMMAND too when the slot bindings do not fit the program
	 */
	RONDO_FW_BIND,
	/* binding; entries that name it fail from then on */
	RONDO_FW_UNBIND,
	/*
	 * queue, addr = entries, count, weight, user; queue_tail[queue] is 0 before, head starts
	 * at 0
	 */
	RONDO_FW_QUEUE_CREATE,
	/*
	 * queue; its running replay is aborted and posts its DONE event (ABORTED, or OK
	 * when it just ended), its waiting ones are dropped without an event. The answer comes
	 * last. The host does not move the queue's tail between command and answer.
	 */
	RONDO_FW_QUEUE_DESTROY,
	/* queue; the same, except that the queue stays; head becomes tail */
	RONDO_FW_QUEUE_ABORT,
};

/* An admin command; answered by exactly one event of the same cookie. */
struct rondo_fw_admin {
	u32 command; /* enum rondo_fw_command */
	u32 cookie;
	u32 program;
	u32 binding;
	u32 generation;
	u32 queue;
	u32 count;
	u16 weight; /* share of the user's device time, 1..RONDO_FW_WEIGHT_MAX */
	u16 user; /* whose the queue is, < RONDO_FW_USERS_MAX */
	u64 addr;
	u64 size;
	u64 cycles;
	u64 signature;
};

static_assert(sizeof(struct rondo_fw_admin) == 64, "layout of struct rondo_fw_admin");

/*
 * A queue entry: one replay. Offsets are in units of their slot's alignment.
 * The firmware copies it once, then checks it: type, flags, binding and
 * generation, each named slot once, all else zero, unused elements included.
 *
 * Entries are independent: one that fails posts its DONE event and ends no other.
 */
enum {
	RONDO_FW_ENTRY_REPLAY = 1,
	RONDO_FW_ENTRY_EVENT = 1 << 0, /* flag: post an event when done; a failure always does */
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
	u8 slot[RONDO_REPLAY_OFFSETS_MAX]; /* < RONDO_PROGRAM_SLOTS_MAX, dynamic */
	u32 offset[RONDO_REPLAY_OFFSETS_MAX];
};

static_assert(sizeof(struct rondo_fw_entry) == 64, "layout of struct rondo_fw_entry");

enum rondo_fw_event_type {
	RONDO_FW_EVENT_ADMIN = 1, /* answer to an admin command */
	RONDO_FW_EVENT_DONE, /* a replay, and all before it in its queue, is done */
};

/*
 * How a command or a replay ended. Beyond what the sequencer says (enum rondo_seq_status):
 *
 *   BAD_COMMAND  unknown command or entry, value out of range, reserved field set
 *   BAD_NUMBER   program, binding or queue out of range, in use, or not in use
 *   SIGNATURE    the replay ended, but left its control path: a fault of the chip
 *   STALLED      it did not move for RONDO_FW_STALL_MS: a fault of the chip. A host of a minor
 *                version before RONDO_FW_MINOR_PROGRESS is told TRAPPED instead
 */
enum rondo_fw_result {
#define RESULT(name, number, error, where, text) RONDO_FW_##name = (number),
#define HOST_RESULT(name, number, error, where, text)
#include "spec/results.def"
	RONDO_FW_RESULTS, /* their number */
};

struct rondo_fw_event {
	u32 type; /* enum rondo_fw_event_type */
	u32 result; /* enum rondo_fw_result */
	u32 cookie; /* ADMIN: of the command */
	u32 queue; /* DONE */
	u64 seqno; /* DONE: of the entry */
	u64 cycles; /* DONE: exact cycles of the queue's replays since its last DONE event */
	u64 time; /* device time at completion */
	u32 bundle; /* DONE with a result that has a bundle (spec/results.def): where */
	u32 replays; /* DONE: replays begun since the queue's last DONE event, however they ended */
	u64 signature; /* DONE with SIGNATURE: what it was */
	union {
		/* ADMIN, LOAD or BIND that ended well: bytes of the device's memory it takes */
		u64 memory;
		/* DONE: device time when the first of @replays began; 0: there is none */
		u64 started;
	};
};

static_assert(sizeof(struct rondo_fw_event) == 64, "layout of struct rondo_fw_event");

#endif
