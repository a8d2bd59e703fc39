/* SPDX-License-Identifier: MIT */
/*
 * The local backend: what the kernel's driver does, for an emulated device inside the process. It
 * speaks to the real firmware over the rings of spec/fw_abi.h.
 *
 *	local_hw.c	registers and memory of the device
 *	local_fw.c	boot, rings, admin commands, the thread, reset
 *	local_queue.c	queues, jobs, fences
 *	local_buffer.c	memory that the device may reach, buffers
 *	backend_local.c	programs, bindings, opening and closing
 *
 * One lock, local_device.lock, protects everything; fields without a remark are written only before
 * their object is shared. The device's thread handles events and resets; others wait for answers
 * on local_device.answered. Reference counts are plain numbers under the lock.
 *
 * States: LIVE; DOWN while a reset is under way; DEAD or GONE for good. Only in LIVE does the
 * device know programs, bindings and queues, so only then is it told to forget them.
 */
#ifndef LIBACCEL_LOCAL_H
#define LIBACCEL_LOCAL_H

#include <pthread.h>

#include "core/binding.h"
#include "spec/fw_abi.h"
#include "userspace/libaccel/backend.h"
#include "userspace/libaccel/local_hw.h"

enum {
	LOCAL_ADMIN_ENTRIES = 64,
	LOCAL_EVENT_ENTRIES = 1024,
	LOCAL_QUEUE_ENTRIES = 1024,
	LOCAL_LOG_BYTES = 16384,
	/* Limits of one open device, those of an open file of the kernel's driver. */
	LOCAL_PROGRAMS_MAX = 64,
	LOCAL_BINDINGS_MAX = 256,
	LOCAL_QUEUES_MAX = 16,
	LOCAL_REPLAYS_MAX = 1024,
	/* Resets that may come between before an operation gives up. */
	LOCAL_LOAD_TRIES = 3,
	/*
	 * Liveness is looked at this often while something is pending, and this often in vain: for
	 * the heartbeat, and for progress, since the firmware itself aborts what stands still.
	 */
	LOCAL_WATCH_MS = 250,
	LOCAL_WATCH_SILENT = 8,
	LOCAL_WATCH_STILL = 2 * RONDO_FW_STALL_MS / LOCAL_WATCH_MS,
};

enum local_state {
	LOCAL_LIVE,
	LOCAL_DOWN,
	LOCAL_DEAD,
	LOCAL_GONE,
};

/* Memory shared with the firmware. */
struct local_shared {
	struct rondo_fw_status status;
	struct rondo_fw_init init __attribute__((aligned(64)));
	struct rondo_fw_admin admin[LOCAL_ADMIN_ENTRIES] __attribute__((aligned(64)));
	struct rondo_fw_event event[LOCAL_EVENT_ENTRIES] __attribute__((aligned(64)));
	char log[LOCAL_LOG_BYTES] __attribute__((aligned(64)));
};

/* An admin command under way. */
struct local_call {
	struct local_call *next;
	struct rondo_fw_admin cmd;
	bool done;
	int ret; /* once done */
	/* Called once it is done, instead of waking a waiter; the call may be gone then. */
	void (*then)(struct local_call *call);
	void *object;
};

/* Memory of whole pages that the device may reach. */
struct local_pages {
	u8 *memory;
	u64 bytes;
	bool write;
	struct rondo_page_list *list; /* of the pages */
	u64 list_bytes;
};

/* The memory of buffers: of one, or of all that one file was imported to. */
struct local_memory {
	struct local_memory *next; /* in local_device.files, if it has a file */
	struct local_device *dev;
	u32 refs;
	int fd; /* the file; -1: it has none */
	u64 st_dev, ino; /* of the file */
	struct local_pages pages;
};

struct local_buffer {
	struct accel_buffer base;
	struct local_memory *memory;
};

struct local_program {
	struct accel_program base;
	u64 signature; /* of its control path, which the firmware compares */
	struct local_device *dev;
	u32 refs;
	u32 number; /* of the device */
	bool live; /* the firmware knows it */
	struct local_call unload; /* when nobody uses it any more */
	u64 size;
	struct local_pages pages; /* the program's bytes */
	char why[128]; /* the device has no memory for it: what it said */
	struct rondo_program tables;
};

struct local_binding {
	struct accel_binding base;
	struct local_device *dev;
	u32 refs;
	u32 number;
	bool live;
	struct local_call unbind; /* when nobody uses it any more */
	u32 generation;
	struct local_program *program;
	bool disjoint; /* reads nothing that it writes, so a replay may be done again */
	u32 count;
	struct local_memory *memory[RONDO_PROGRAM_SLOTS_MAX]; /* or NULL */
	struct rondo_slot_binding slot[RONDO_PROGRAM_SLOTS_MAX]; /* read by the device */
};

struct local_queue {
	struct accel_queue base;
	struct local_device *dev;
	u32 number;
	bool live;
	u32 weight;
	u32 tail; /* entries ever written */
	bool stopped; /* takes no more entries */
	bool blocked; /* for the rest of one round of local_queue_push_all() */
	struct rondo_fw_entry *ring;
};

struct local_fence {
	struct accel_fence base;
	struct local_device *dev;
	u32 refs;
	struct accel_fault fault; /* of the job; written before it has ended */
	struct accel_fence_times times; /* the same */
	atomic_int status; /* -EAGAIN until then */
};

/* Replays that were submitted together. */
struct local_job {
	struct local_job *next; /* submitted later, of any queue */
	struct local_queue *queue;
	struct local_fence *fence;
	u64 seqno; /* of the first replay; the others follow */
	u32 count;
	u32 first; /* index of its first element in the ring, once it is pushed */
	u32 pushed; /* replays that stand in the ring */
	bool repeated; /* had begun before a reset; not repeated a second time */
	struct {
		struct local_binding *binding;
		struct rondo_fw_entry entry;
	} replay[];
};

struct local_device {
	struct accel_device base;
	struct local_hw *hw;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	pthread_t thread;
	int wake; /* eventfd: an interrupt, or something to do */
	bool stop; /* the thread shall end */
	enum local_state state;
	bool served; /* the firmware serves the rings */

	struct local_shared *shared;
	u8 *image; /* the firmware's */
	u32 admin_tail, event_head;
	u32 cookie;
	struct local_call *calls; /* in the ring, not yet answered */
	struct local_call *backlog; /* waiting for room in the ring, oldest first */

	/* What the device knows (is live), or is just told to learn or to forget; by its numbers.
	 */
	struct local_program *program[RONDO_PROGRAMS_MAX];
	struct local_binding *binding[RONDO_BINDINGS_MAX];
	struct local_queue *queue[RONDO_FW_QUEUES_MAX];
	u32 programs, bindings, queues; /* handles of the user */
	u32 generation; /* of the last binding */
	struct local_memory *files; /* memory that has a file */

	struct local_job *jobs; /* not ended, in order of submission */
	u64 seqno; /* of the next replay */

	/* As of the last look at liveness, and how many looks they have stood still. */
	struct {
		u32 heartbeat, silent;
		u32 progress, still;
	} watch;
};

/* local_fw.c; all called with the lock held unless they say otherwise */

/* -ENODEV or -EIO if the device is GONE or DEAD. */
int local_lost(const struct local_device *dev);

/*
 * Gives @cmd to the firmware, after a reset that is under way, and waits for the answer; releases
 * the lock meanwhile. -EAGAIN: there was a reset. Errors of local_lost().
 */
int local_admin(struct local_device *dev, struct rondo_fw_admin cmd);

/* As local_admin(), for a command that makes an object *@live: again after a reset. */
int local_load(struct local_device *dev, struct rondo_fw_admin cmd, bool *live);

/* As local_admin(), without waiting; local_call.then says what follows. */
void local_admin_post(struct local_device *dev, struct local_call *call);

/* Takes the oldest call off @list; NULL if there is none. */
struct local_call *local_call_pop(struct local_call **list);

/*
 * Boots the firmware of a device that is stopped, as a new one is; releases the lock meanwhile.
 * Only before the thread runs, or in it.
 */
int local_boot(struct local_device *dev);

/* The thread's function; @dev is a struct local_device. Takes the lock. */
void *local_thread(void *dev);

/* Wakes the thread; also without the lock. */
void local_wake(struct local_device *dev);

/* local_queue.c */

int local_queue_create(struct accel_device *device, u32 weight, struct accel_queue **queue);
void local_queue_destroy(struct accel_queue *queue);
int local_queue_bound(struct accel_queue *queue, u64 *cycles);
int local_submit(struct accel_queue *queue, const struct accel_job *job,
		 struct accel_fence **fence);
int local_fence_status(struct accel_fence *fence);
void local_fence_fault(struct accel_fence *fence, struct accel_fault *fault);
int local_fence_times(struct accel_fence *fence, struct accel_fence_times *times);
void local_fence_destroy(struct accel_fence *fence);

/* The command that makes the firmware know @queue. */
struct rondo_fw_admin local_queue_describe(const struct local_queue *queue);

/* Puts replays of waiting jobs into rings, as far as there is room and their turn. */
void local_queue_push_all(struct local_device *dev);

/* A replay is done; false if there is no such. */
bool local_queue_done(struct local_device *dev, const struct rondo_fw_event *event);

/* Ends all jobs with @result of spec/results.def. */
void local_queue_fail(struct local_device *dev, u32 result);

/*
 * When the device has stopped for a reset: ends jobs that had begun and are not to be repeated.
 * The others are as if they had never been in a ring.
 */
void local_queue_settle(struct local_device *dev);

/* local_buffer.c */

/*
 * @size bytes of @fd, or zeros if it is -1, that the device may read, and write if @write, and
 * their page list.
 */
int local_pages_alloc(struct local_device *dev, struct local_pages *pages, int fd, u64 size,
		      bool write);
void local_pages_free(struct local_device *dev, struct local_pages *pages);

/* With the lock held. */
void local_memory_put(struct local_memory *memory);

int local_buffer_create(struct accel_device *device, u64 size, bool shared,
			struct accel_buffer **buffer);
int local_buffer_import(struct accel_device *device, const struct accel_foreign *foreign,
			struct accel_buffer **buffer);
int local_buffer_export(struct accel_buffer *buffer, int *fd);
void local_buffer_destroy(struct accel_buffer *buffer);
int local_buffer_map(struct accel_buffer *buffer, void **memory);

/* backend_local.c */

struct rondo_fw_admin local_program_describe(const struct local_program *program);
struct rondo_fw_admin local_binding_describe(const struct local_binding *binding);
void local_binding_put(struct local_binding *binding);

/* Slot @i of @binding, a struct local_binding, for the rules of core/binding.h. */
struct rondo_bound_slot local_bound_slot(const void *binding, u32 i);

/* For tests: the device's faults (emulator/device/faults.def). */
int accel_local_fault(struct accel_device *device, const char *name, u32 value);
u32 accel_local_fault_hits(struct accel_device *device, const char *name);

#endif
