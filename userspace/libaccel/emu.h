/* SPDX-License-Identifier: MIT */
/*
 * The emulated backend: what the kernel's driver does, for the device inside the process. It
 * speaks to the real firmware over the rings of spec/fw_abi.h.
 *
 *	emu_hw.c	registers and memory of the device
 *	emu_fw.c	boot, rings, admin commands, the thread, reset
 *	emu_queue.c	queues, jobs, fences
 *	backend_emu.c	buffers, programs, bindings, opening and closing
 *
 * One lock, emu_device.lock, protects everything; fields without a remark are written only before
 * their object is shared. The device's thread handles events and resets; others wait for answers
 * on emu_device.answered. Reference counts are plain numbers under the lock.
 *
 * States: LIVE; DOWN while a reset is under way; DEAD or GONE for good. Only in LIVE does the
 * device know programs, bindings and queues, so only then are they told to be forgotten.
 */
#ifndef LIBACCEL_EMU_H
#define LIBACCEL_EMU_H

#include <pthread.h>

#include "spec/fw_abi.h"
#include "userspace/libaccel/backend.h"
#include "userspace/libaccel/emu_hw.h"

enum {
	EMU_ADMIN_ENTRIES = 64,
	EMU_EVENT_ENTRIES = 1024,
	EMU_QUEUE_ENTRIES = 256,
	EMU_LOG_BYTES = 16384,
	/* Limits of one open device, those of an open file of the kernel's driver. */
	EMU_PROGRAMS_MAX = 64,
	EMU_BINDINGS_MAX = 256,
	EMU_QUEUES_MAX = 16,
	EMU_REPLAYS_MAX = 64,
	/* Liveness is looked at this often while something is pending, and this often in vain. */
	EMU_WATCH_MS = 250,
	EMU_WATCH_STILL = 8,
};

enum emu_state {
	EMU_LIVE,
	EMU_DOWN,
	EMU_DEAD,
	EMU_GONE,
};

/* Memory shared with the firmware. */
struct emu_shared {
	struct rondo_fw_status status;
	struct rondo_fw_init init __attribute__((aligned(64)));
	struct rondo_fw_admin admin[EMU_ADMIN_ENTRIES] __attribute__((aligned(64)));
	struct rondo_fw_event event[EMU_EVENT_ENTRIES] __attribute__((aligned(64)));
	char log[EMU_LOG_BYTES] __attribute__((aligned(64)));
};

/* An admin command under way. */
struct emu_call {
	struct emu_call *next;
	struct rondo_fw_admin cmd;
	bool done;
	int ret; /* once done */
	/* Called once it is done, instead of waking a waiter; frees the call. */
	void (*then)(struct emu_call *call);
	void *object;
};

/* Memory of whole pages that the device may reach. */
struct emu_pages {
	u8 *memory;
	u64 bytes;
	bool write;
	struct rondo_page_list *list; /* of the pages */
	u64 list_bytes;
};

struct emu_buffer {
	struct accel_buffer base;
	struct emu_device *dev;
	u32 refs;
	struct emu_pages pages;
};

struct emu_program {
	struct accel_program base;
	u64 signature; /* of its control path, which the firmware compares */
	struct emu_device *dev;
	u32 refs;
	u32 number; /* of the device */
	u64 size;
	struct emu_pages pages; /* the program's bytes */
	char why[128]; /* the device has no memory for it: what it said */
	struct rondo_program tables;
};

struct emu_bound_slot {
	struct emu_buffer *buffer; /* or NULL */
	u64 offset;
};

struct emu_binding {
	struct accel_binding base;
	struct emu_device *dev;
	u32 refs;
	u32 number;
	u32 generation;
	struct emu_program *program;
	u32 count;
	struct emu_bound_slot slot[RONDO_PROGRAM_SLOTS_MAX];
	struct rondo_slot_binding table[RONDO_PROGRAM_SLOTS_MAX]; /* read by the device */
};

struct emu_queue {
	struct accel_queue base;
	struct emu_device *dev;
	u32 number;
	u32 weight;
	u32 tail; /* entries ever written */
	bool stopped; /* takes no more entries */
	bool blocked; /* for the rest of one round of emu_queue_push_all() */
	struct rondo_fw_entry *ring;
};

struct emu_fence {
	struct accel_fence base;
	struct emu_device *dev;
	u32 refs;
	atomic_int status; /* -EAGAIN until the job has ended */
};

/* Replays that were submitted together. */
struct emu_job {
	struct emu_job *next; /* submitted later, of any queue */
	struct emu_queue *queue;
	struct emu_fence *fence;
	u64 seqno; /* of the first replay; the others follow */
	u32 count;
	u32 pushed; /* replays that stand in the ring */
	int error; /* the first */
	struct {
		struct emu_binding *binding;
		struct rondo_fw_entry entry;
	} replay[];
};

struct emu_device {
	struct accel_device base;
	struct emu_hw *hw;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	pthread_t thread;
	int wake; /* eventfd: an interrupt, or something to do */
	bool stop; /* the thread shall end */
	enum emu_state state;

	struct emu_shared *shared;
	u8 *image; /* the firmware's */
	u32 admin_tail, event_head;
	u32 cookie;
	struct emu_call *calls; /* in the ring, not yet answered */
	struct emu_call *backlog; /* waiting for room in the ring, oldest first */

	/* What the device knows, or is just told to learn or to forget; by its numbers. */
	struct emu_program *program[RONDO_PROGRAMS_MAX];
	struct emu_binding *binding[RONDO_BINDINGS_MAX];
	struct emu_queue *queue[RONDO_FW_QUEUES_MAX];
	u32 programs, bindings, queues; /* handles of the user */
	u32 generation; /* of the last binding */

	struct emu_job *jobs; /* not ended, in order of submission */
	u64 seqno; /* of the next replay */

	u32 heartbeat, still; /* of the last look at liveness */
	u64 time;
};

/* emu_fw.c; all called with the lock held unless they say otherwise */

/* -ENODEV or -EIO if the device is not LIVE, but waits for a reset to end. */
int emu_check(struct emu_device *dev);

/* Gives @cmd to the firmware and waits for the answer; releases the lock meanwhile. */
int emu_admin(struct emu_device *dev, struct rondo_fw_admin cmd);

/* As emu_admin(), without waiting; emu_call.then says what follows. */
void emu_admin_post(struct emu_device *dev, struct emu_call *call);

/* Takes the oldest call off @list; NULL if there is none. */
struct emu_call *emu_call_pop(struct emu_call **list);

/* Boots the firmware; releases the lock meanwhile. Only before the thread runs, or in it. */
int emu_boot(struct emu_device *dev);

/* The thread's function; @dev is a struct emu_device. Takes the lock. */
void *emu_thread(void *dev);

/* Wakes the thread; also without the lock. */
void emu_wake(struct emu_device *dev);

/* emu_queue.c */

int emu_queue_create(struct accel_device *device, u32 weight, struct accel_queue **queue);
void emu_queue_destroy(struct accel_queue *queue);
int emu_submit(struct accel_queue *queue, const struct accel_job *job, struct accel_fence **fence);
int emu_fence_status(struct accel_fence *fence);
void emu_fence_destroy(struct accel_fence *fence);

/* The command that makes the firmware know @queue. */
struct rondo_fw_admin emu_queue_describe(const struct emu_queue *queue);

/* Puts replays of waiting jobs into rings, as far as there is room and their turn. */
void emu_queue_push_all(struct emu_device *dev);

/* A replay is done; false if there is no such. */
bool emu_queue_done(struct emu_device *dev, const struct rondo_fw_event *event);

/* Ends jobs with @error: those that may have begun, or all. Rings are empty afterwards. */
void emu_queue_fail(struct emu_device *dev, int error, bool all);

/* backend_emu.c */

struct rondo_fw_admin emu_program_describe(const struct emu_program *program);
struct rondo_fw_admin emu_binding_describe(const struct emu_binding *binding);
void emu_binding_put(struct emu_binding *binding);

/* For tests: the device's faults (emulator/device/faults.def). */
int accel_emu_fault(struct accel_device *device, const char *name, u32 value);
u32 accel_emu_fault_hits(struct accel_device *device, const char *name);

#endif
