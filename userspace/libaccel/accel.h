/* SPDX-License-Identifier: MIT */
/*
 * libaccel: programs on a Rondo accelerator.
 *
 * The library is the same over two backends: the kernel driver, and a device that is emulated
 * inside the process. What is written here holds for both.
 *
 *	open a device  ->  create a program  ->  bind buffers to its slots  ->  replay, wait
 *
 * A program is proved once, when it is created; its exact run time is known from then on. A
 * binding joins it with a buffer for each slot and never changes. A replay runs a binding.
 *
 * Errors. Functions that return int return 0 or a negative errno; errno itself is not touched.
 * A function that fails has no effect and leaves its outputs alone, except for struct accel_error:
 * it fills that where it takes one. Common to all: -ENOMEM, and -EMFILE and -ENFILE where a file
 * descriptor is needed. Programs, bindings, queues and submissions need a device that works:
 * -ENODEV, it is gone; -EIO, it is dead. Other errors stand at the function.
 *
 * Ownership. What a create or open function returns is the caller's to destroy; destroying NULL
 * does nothing. Objects keep what they were made from: a buffer may be destroyed while bindings
 * use it, a program before its bindings, all of them while replays run, and the device may be
 * closed first. A queue that is destroyed ends its waiting replays with -ECANCELED.
 *
 * Threads. Every function may be called from any thread, several at a time, also on one object.
 * Only the destruction of an object must not overlap another call with it. A session is used by
 * one thread at a time.
 *
 * Fork. File descriptors are closed on exec. A forked child does not own what its parent opened:
 * functions that return int fail with -EPERM there, destroying does nothing, buffers are not
 * mapped. A model belongs to whoever has its memory.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC, deadlines are absolute. Device time is counted in
 * cycles of the device.
 */
#ifndef ACCEL_H
#define ACCEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct accel_device;
struct accel_buffer;
struct accel_model;
struct accel_program;
struct accel_binding;
struct accel_queue;
struct accel_fence;
struct accel_session;

/* An index that is not known, or that there is not. */
#define ACCEL_UNKNOWN UINT32_MAX

/* More than an errno can say. Functions that take one accept NULL. */
struct accel_error {
	/*
	 * Why a program is refused: a number of the instruction set reference. Why a submission
	 * failed: a number of the table in "A replay failed". Else 0.
	 */
	uint32_t reason;
	uint32_t index; /* bundle, address entry, descriptor or slot at fault, if the reason has one
			 */
	uint32_t slot; /* issue slot of the bundle, 0..7 */
	char text[244]; /* one line, terminated, without a newline */
};

/*
 * Devices
 */

/*
 * Opens the device @name: the path of a device file ("/dev/accel/accel0"), "emu:MACHINE" for one
 * that is emulated in this process ("emu": the machine edge), or NULL for the first device of the
 * kernel's driver. The machines are those of the instruction set reference; one of many tiles
 * reserves address space for all of them, and takes memory when programs run.
 *
 * -ENODEV: NULL was given and there is none. If there are some and none of them can be opened, the
 * error is that of the first, which @error names. -ENOTSUP: the file is of another driver, or of a
 * version that this library does not speak. -EACCES, -ENOENT and others as open(). Emulated:
 * -ENOENT: there is no such machine. -EAGAIN: the process may have no more threads. -ENOTSUP: it is
 * not supported. -ENOMEM: also if the process may not have the address space; @error says what it
 * needs and what would fit.
 */
int accel_device_open(const char *name, struct accel_device **device, struct accel_error *error);

/* As accel_device_open(), without words. */
int accel_open(const char *name, struct accel_device **device);
void accel_close(struct accel_device *device);

/*
 * The device file, to create syncobjs on it; the library's own. -ENOTSUP: emulated.
 */
int accel_device_fd(struct accel_device *device);

/* A device that there is, or could be. */
struct accel_device_entry {
	char name[64]; /* for accel_device_open() */
	char backend[16]; /* as in struct accel_info */
	char machine[32]; /* the name of its machine; empty: not known */
	uint64_t machine_hash; /* hash that programs for it carry; 0: not known */
	uint32_t driver; /* version of the driver's interface, major << 16 | minor; 0: not known */
	uint32_t firmware; /* interface version of the firmware, the same way */
	int32_t error; /* what opening it now gives: 0 or a negative errno */
	uint32_t reserved; /* 0 */
	char text[248]; /* and why, one line; empty if it can be opened */
};

/*
 * Lists the devices of the kernel's driver, also those that cannot be opened, and behind them the
 * machines that can be emulated. *@count is the number of elements that @entries has room for, of
 * @size bytes each; it is set to how many devices there are, and as many as there is room for are
 * written: their first @size bytes, what is unknown of those becomes zero. @entries may be NULL if
 * *@count is 0. What can be opened was opened for a moment; an emulated device was not.
 */
int accel_devices(struct accel_device_entry *entries, size_t size, uint32_t *count);

struct accel_info {
	char backend[16]; /* "drm" or "emu" */
	uint64_t machine_hash; /* hash that programs for this device carry */
	uint64_t cycles_max; /* longest program that this caller may create */
	uint64_t buffer_size_max; /* bytes */
	uint32_t clock_khz; /* nominal clock of device time */
	uint32_t firmware; /* interface version of the firmware, major << 16 | minor */
	uint32_t bundles_max; /* per program, as the next three */
	uint32_t slots_max;
	uint32_t entries_max;
	uint32_t descs_max;
	uint32_t replays_max; /* per submission */
	uint32_t offsets_max; /* per replay */
};

/* Writes the first @size bytes of what is known to *@info; what is unknown becomes zero. */
int accel_device_info(struct accel_device *device, struct accel_info *info, size_t size);

/*
 * Writes the machine description, struct rondo_machine of the instruction set reference, to
 * @machine. -EINVAL: @size is not its size, ACCEL_MACHINE_BYTES.
 */
#define ACCEL_MACHINE_BYTES 64
int accel_device_machine(struct accel_device *device, void *machine, size_t size);

/* Both clocks, read together. */
struct accel_clock {
	uint64_t device_cycles;
	uint64_t monotonic_ns;
};

int accel_device_clock(struct accel_device *device, struct accel_clock *clock);

/*
 * Buffers: memory that the device and the process share, zero-filled.
 */

/* @size: bytes, rounded up to pages. -EINVAL: 0 or more than buffer_size_max. */
int accel_buffer_create(struct accel_device *device, uint64_t size, struct accel_buffer **buffer);
void accel_buffer_destroy(struct accel_buffer *buffer);

/* The buffer's memory, for reading and writing, until the buffer is destroyed. */
int accel_buffer_map(struct accel_buffer *buffer, void **memory);

/* Bytes, as rounded. */
uint64_t accel_buffer_size(const struct accel_buffer *buffer);

/* As accel_buffer_create(), for a buffer that can be exported. It may be slower. */
int accel_buffer_create_shared(struct accel_device *device, uint64_t size,
			       struct accel_buffer **buffer);

/*
 * A file descriptor of the buffer's memory in *@fd, which is the caller's to close: for another
 * process, which may map it and import it, or another driver. It holds the memory when the buffer
 * is destroyed, and is closed on exec. On the kernel's driver it is a dma-buf, on an emulated
 * device a memfd that is sealed at its size. -EINVAL: the buffer was neither imported nor created
 * to be shared.
 */
int accel_buffer_export(struct accel_buffer *buffer, int *fd);

/*
 * A buffer of the memory behind @fd, all of it: a dma-buf, or a memfd that is sealed against
 * shrinking. @fd stays the caller's, and may be closed. The memory may be imported again: the
 * buffers are one memory wherever buffers are compared, if both imports were of one dma-buf or
 * both of one memfd. (It is not known that a dma-buf was made of a memfd.) A dma-buf that an
 * emulated device uses is read and written by the CPU.
 *
 * -EACCES: it must not be both read and written. -EINVAL: it is neither of these, or is not sealed,
 * or its size is 0, more than buffer_size_max, or not in whole pages. -EBUSY: it has grown since it
 * was imported to a buffer that still exists. On the kernel's driver, for a memfd: -ENOTSUP, the
 * system has no /dev/udmabuf; errors of open() and of UDMABUF_CREATE, -EINVAL if it is larger than
 * that allows.
 */
int accel_buffer_import(struct accel_device *device, int fd, struct accel_buffer **buffer);

/*
 * Models: what the compiler writes, a program with its weights and the names of its tensors.
 * A model is data in memory; it knows no device and is never changed.
 */

/* Element types, numbered as in ONNX. */
enum accel_dtype {
	ACCEL_F32 = 1,
	ACCEL_U8 = 2,
	ACCEL_S8 = 3,
	ACCEL_S32 = 6,
	ACCEL_S64 = 7,
	ACCEL_BOOL = 9, /* one byte, 0 or 1 */
};

enum accel_kind {
	ACCEL_INPUT,
	ACCEL_OUTPUT,
};

#define ACCEL_TENSOR_DIMS 8

/* A tensor: dense, row-major, little-endian, at @offset of slot @slot. */
struct accel_tensor {
	const char *name; /* lives as long as the model */
	enum accel_kind kind;
	enum accel_dtype dtype;
	uint32_t slot;
	uint32_t rank; /* 0 is a scalar */
	uint64_t dim[ACCEL_TENSOR_DIMS];
	uint64_t offset; /* bytes */
	uint64_t bytes; /* elements times element size */
	float scale; /* real = scale * (value - zero_point); 0: not quantised */
	int32_t zero_point;
};

/* A slot: one buffer that the program wants bound. */
struct accel_slot_info {
	uint64_t size; /* bytes that a buffer for it needs; 0: none */
	uint64_t align; /* of the bound offset: a power of two */
	uint32_t dynamic; /* not 0: a replay may choose an offset */
	uint32_t alias; /* slots of the same group, not 0, may overlap */
	const void *data; /* what stands in the slot before the first replay (weights), or NULL */
	uint64_t data_size; /* bytes of that, from byte 0 of the slot */
};

/* The bundles that were made for one node of the graph. */
struct accel_region {
	const char *name; /* lives as long as the model */
	uint32_t first, count;
};

/*
 * Reads a .rnd file, or parses the @size bytes at @data (which are copied). Any bytes are legal
 * input. -EINVAL: it is no model, @error says where, or no regular file. -EFBIG: larger than 2 GiB.
 * Others as open().
 */
int accel_model_load(const char *path, struct accel_model **model, struct accel_error *error);
int accel_model_parse(const void *data, size_t size, struct accel_model **model,
		      struct accel_error *error);
void accel_model_destroy(struct accel_model *model);

/* The program's bytes, for accel_program_create(); *@size is set to their number. */
const void *accel_model_program(const struct accel_model *model, size_t *size);

uint32_t accel_model_slot_count(const struct accel_model *model);
uint32_t accel_model_tensor_count(const struct accel_model *model, enum accel_kind kind);
uint32_t accel_model_region_count(const struct accel_model *model);

/* -ENOENT: there is no such slot, tensor or region. */
int accel_model_slot(const struct accel_model *model, uint32_t index, struct accel_slot_info *slot);
int accel_model_tensor(const struct accel_model *model, enum accel_kind kind, uint32_t index,
		       struct accel_tensor *tensor);
int accel_model_region(const struct accel_model *model, uint32_t index,
		       struct accel_region *region);

/* The tensor called @name; *@index (may be NULL) is its number. -ENOENT: there is none. */
int accel_model_find(const struct accel_model *model, enum accel_kind kind, const char *name,
		     uint32_t *index, struct accel_tensor *tensor);

/*
 * Programs
 */

/*
 * Has the @size bytes at @data (8-byte aligned) proved and loaded. @budget: most cycles that the
 * caller accepts; 0: what the device allows.
 *
 * -EINVAL: refused, @error says why. -E2BIG: larger than the device's limits allow. -ENOSPC: too
 * many programs. -ENOMEM: also if the device has no memory for it; of an emulated one @error says
 * what it needs and what would fit. A device that runs a replay of somebody may load the program
 * later: then what uses the program, or its submission, ends with -ENOMEM instead.
 */
int accel_program_create(struct accel_device *device, const void *data, size_t size,
			 uint64_t budget, struct accel_program **program,
			 struct accel_error *error);
void accel_program_destroy(struct accel_program *program);

/* Exact device time of one replay. */
uint64_t accel_program_cycles(const struct accel_program *program);

/* What one replay does, and costs: sums over the program, known without running it. */
struct accel_energy {
	double compute_j; /* arithmetic, joules */
	double movement_j; /* moving data and instructions, joules */
	uint64_t bundles; /* executed */
	uint64_t macs; /* multiply-accumulates of the matrix unit, of any type */
	uint64_t vector_lanes; /* lane operations of the vector units */
	uint64_t sram_bytes; /* read, written, and cleared before */
	uint64_t dma_bytes; /* in and out */
};

void accel_program_energy(const struct accel_program *program, struct accel_energy *energy);

/*
 * Bindings
 */

/* What stands behind a slot. */
struct accel_slot_binding {
	struct accel_buffer *buffer; /* NULL if the program does not touch the slot */
	uint64_t offset; /* of the slot's byte 0; a multiple of the slot's alignment */
};

/*
 * Binds @slots, one for each of the program's slots.
 *
 * -EINVAL: wrong count, misaligned offset, or a buffer of another device. -ENOENT: a slot that is
 * touched has no buffer. -ERANGE: a buffer is too small. -EBUSY: slots overlap of which one is
 * written, and they are not of one alias group; a dynamic slot takes its buffer up to the end,
 * since a replay may choose any offset in it. -ENOSPC: too many bindings. @error->index is the slot
 * at fault.
 */
int accel_binding_create(struct accel_program *program, const struct accel_slot_binding *slots,
			 uint32_t count, struct accel_binding **binding, struct accel_error *error);
void accel_binding_destroy(struct accel_binding *binding);

/*
 * Queues and replays
 */

#define ACCEL_WEIGHT_DEFAULT 64

/*
 * A queue: its replays run in the order of their submission. @weight: its share of the device time
 * of this user, relative to the user's other queues, 1..1024; users share equally. -EINVAL: another
 * weight. -EPERM: one above 64 without the right to raise priorities. -ENOSPC: too many queues.
 */
int accel_queue_create(struct accel_device *device, uint32_t weight, struct accel_queue **queue);
void accel_queue_destroy(struct accel_queue *queue);

/*
 * Tells in *@cycles within how many cycles of device time (clock_khz of struct accel_info) all that
 * has been submitted to @queue ends, whatever other queues and users do meanwhile; 0: nothing is
 * under way. The bound holds for the queues and programs that there are now, and for a device that
 * is not reset. It does not count waiting for in syncs, nor what others run while the queue's next
 * job is on its way to the device. -ENOMEM: no memory to work it out.
 */
int accel_queue_bound(struct accel_queue *queue, uint64_t *cycles);

/*
 * Whether the queue notes when jobs are submitted from now on, in device time, for
 * accel_fence_times(). It does not at first: that takes a look at the device's clock for each job,
 * which is cheap on an emulated device and takes the kernel's driver a microsecond or more.
 */
int accel_queue_note_times(struct accel_queue *queue, int on);

/* An offset that one replay chooses for a dynamic slot. */
struct accel_offset {
	uint32_t slot; /* each at most once */
	uint32_t reserved; /* 0 */
	uint64_t offset; /* bytes beyond the bound offset; a multiple of the slot's alignment */
};

/* One run of a binding. */
struct accel_replay {
	struct accel_binding *binding;
	const struct accel_offset *offsets;
	uint32_t offset_count;
	uint32_t reserved; /* 0 */
};

/* A syncobj of accel_device_fd(). */
struct accel_sync {
	uint32_t handle;
	uint32_t reserved; /* 0 */
	uint64_t point; /* of a timeline; 0: binary */
};

/* Replays that run in order as one, and what they wait for and signal. */
struct accel_job {
	const struct accel_replay *replays;
	const struct accel_sync *in_syncs;
	const struct accel_sync *out_syncs;
	uint32_t replay_count; /* 1..replays_max of struct accel_info */
	uint32_t in_count;
	uint32_t out_count;
	uint32_t reserved; /* 0 */
};

/*
 * Submits @job and returns at once. It starts when its in syncs have signalled and no earlier job
 * writes what it uses or uses what it writes. *@fence (@fence may be NULL) tells when it is done.
 *
 * -EINVAL: a count, offset or reserved field that is not as stated, or an object of another device.
 * -ERANGE: an offset leads out of its buffer. -ENOSPC: too many replays or offsets, more than 64 in
 * syncs or 63 out syncs.
 * -ENOENT: no such syncobj. -ENOTSUP: syncs on an emulated device. -EMFILE: no file descriptor for
 * the fence; the job may run all the same.
 */
int accel_submit(struct accel_queue *queue, const struct accel_job *job,
		 struct accel_fence **fence);

/* As accel_submit() for one replay without syncs or offsets. */
int accel_replay(struct accel_queue *queue, struct accel_binding *binding,
		 struct accel_fence **fence);

/*
 * Fences: the end of a submission.
 */

#define ACCEL_FOREVER INT64_MAX

/*
 * Waits until the submission has ended, or until @deadline_ns. Returns how it ended: 0; -EIO, the
 * device failed; -ETIME, it exceeded its exact cycles; -ECANCELED, its queue was destroyed;
 * -ENODEV, the device is gone; -ENOMEM, it lacks memory for the program or binding. -ETIMEDOUT: it
 * has not ended; ask again.
 */
int accel_fence_wait(struct accel_fence *fence, int64_t deadline_ns);

/*
 * Returns how the submission ended, as accel_fence_wait(), and says in *@error how it failed:
 * which replay of how many, the bundle at fault if that is known (else index is ACCEL_UNKNOWN),
 * and why; with @model (may be NULL), which is what was replayed, also the node of the graph that
 * the bundle belongs to. -EAGAIN: it has not ended. The reason is known for the last 16 failed
 * submissions of a queue, until the queue is destroyed.
 */
int accel_fence_error(struct accel_fence *fence, const struct accel_model *model,
		      struct accel_error *error);

/* When a submission was under way, in device time, and what it took. */
struct accel_fence_times {
	uint64_t queued; /* when it was submitted, if its queue notes that; 0: not known */
	uint64_t started; /* when its first replay began; 0: none did, or it is not known */
	uint64_t ended; /* when the device was done with it; 0: it never was */
	uint64_t cycles; /* of its replays, also of those that failed */
	double energy_j; /* joules, if it ended well; else 0 */
};

/*
 * Writes the first @size bytes of when the submission was under way to *@times; what is unknown
 * becomes zero. Of one that was repeated after a reset the second time counts. @started is known
 * with firmware from version 1.6 on. Ask while there is the queue, and after accel_fence_wait().
 *
 * -EAGAIN: it has not ended. -ENOENT: its queue is destroyed. -ENOTSUP: the kernel's driver is of a
 * version before 1.1.
 */
int accel_fence_times(struct accel_fence *fence, struct accel_fence_times *times, size_t size);

/*
 * A file descriptor that polls as readable (POLLIN) once the submission has ended. It is the
 * fence's own: the caller polls it, and neither reads nor closes it. On the kernel's driver it is
 * a sync_file.
 */
int accel_fence_fd(struct accel_fence *fence);
void accel_fence_destroy(struct accel_fence *fence);

/*
 * Sessions: the common case. A session has one buffer for each slot of a model, filled with the
 * model's weights, a binding, and a queue.
 */

/*
 * The model is borrowed until the session is destroyed. Errors of accel_program_create() and
 * accel_binding_create().
 */
int accel_session_create(struct accel_device *device, const struct accel_model *model,
			 struct accel_session **session, struct accel_error *error);
void accel_session_destroy(struct accel_session *session);

/* The session's program; lives as long as the session. */
const struct accel_program *accel_session_program(const struct accel_session *session);

/*
 * Where tensor @index of @kind stands, and its size in bytes (@bytes may be NULL): inputs are
 * written there before, outputs read after a run. The same place for the session's life.
 * -ENOENT: there is no such tensor.
 */
int accel_session_tensor(struct accel_session *session, enum accel_kind kind, uint32_t index,
			 void **data, uint64_t *bytes);

/*
 * An inference in two calls: start it, and wait for it. -EBUSY: start while one runs. -EINVAL: wait
 * while none does. Errors of accel_submit() and accel_fence_wait().
 */
int accel_session_start(struct accel_session *session);
int accel_session_wait(struct accel_session *session, int64_t deadline_ns);

/* How the last run failed: what accel_session_wait() returned for it, and *@error as above. */
int accel_session_error(struct accel_session *session, struct accel_error *error);

/*
 * Pools: one model for many threads. A pool has one program, one copy of what the program only
 * reads (the weights), and instances. An instance has a buffer of its own for each slot that has
 * tensors or that the program writes, and a binding of all slots. Runs go to the queue of the pool
 * with the fewest of them.
 *
 * Whoever acquires an instance has it to himself: he writes its inputs, starts it, waits, reads its
 * outputs, as often as he likes, and releases it. What stands in its buffers then is what was left
 * there before.
 *
 * Threads: an instance is used by one thread at a time, a pool by any number of them.
 */
struct accel_pool;
struct accel_instance;

/* Runs know when they were submitted: see accel_queue_note_times(). */
#define ACCEL_POOL_TIMES 0x1

struct accel_pool_options {
	uint32_t instances; /* that can be acquired at one time; 0: 1 */
	uint32_t queues; /* 0: 1 */
	uint32_t weight; /* of each queue; 0: ACCEL_WEIGHT_DEFAULT */
	uint32_t flags; /* ACCEL_POOL_TIMES or 0 */
	uint64_t budget; /* of the program, as in accel_program_create() */
	uint32_t reserved[2]; /* 0 */
};

/*
 * The model is borrowed until the pool is destroyed. @options may be NULL: all 0. Errors of
 * accel_program_create(), accel_buffer_create(), accel_binding_create() and accel_queue_create().
 * -EINVAL: also another flag, or a reserved field that is not 0. -ENOSPC: more instances or queues
 * than an open device has bindings or queues.
 */
int accel_pool_create(struct accel_device *device, const struct accel_model *model,
		      const struct accel_pool_options *options, struct accel_pool **pool,
		      struct accel_error *error);

/* Ends what runs, and destroys all instances, also those that are acquired; nobody may wait. */
void accel_pool_destroy(struct accel_pool *pool);

/* The pool's program; lives as long as the pool. */
const struct accel_program *accel_pool_program(const struct accel_pool *pool);

/*
 * Takes an instance that nobody has, or waits for one until @deadline_ns; those who wait are served
 * in the order in which they came. -ETIMEDOUT: there was none.
 */
int accel_pool_acquire(struct accel_pool *pool, int64_t deadline_ns,
		       struct accel_instance **instance);

/*
 * A buffer behind one slot, from @offset on. A dynamic slot, as rondo compile makes all slots of
 * tensors, takes the buffer from there up to its end: one that is written, as of an output, and any
 * other need buffers of different memory, even where their bytes lie apart.
 */
struct accel_slot_buffer {
	uint32_t slot;
	uint32_t reserved; /* 0 */
	struct accel_buffer *buffer;
	uint64_t offset; /* a multiple of the slot's alignment */
};

/*
 * Makes one more instance, which is the caller's until it is released and then is destroyed. The
 * slots of @buffers, in which tensors stand, are in buffers of the caller's, as of imported ones:
 * inputs and outputs without a copy. The buffers hold what is in them and are not filled.
 *
 * -EINVAL: a slot without tensors, one that is named twice, a reserved field that is not 0, or a
 * buffer of another device. -ERANGE: a buffer is too small. Errors of accel_binding_create().
 * @error->index is the slot at fault.
 */
int accel_instance_create(struct accel_pool *pool, const struct accel_slot_buffer *buffers,
			  uint32_t count, struct accel_instance **instance,
			  struct accel_error *error);

/*
 * Gives an instance back, or does nothing with NULL. If it runs, the run is given up: nobody learns
 * how it ends, and nobody gets the instance before the device is done with it.
 */
void accel_instance_release(struct accel_instance *instance);

/*
 * Where tensor @index of @kind stands, and its size in bytes (@bytes may be NULL). The same place
 * for the instance's life. -ENOENT: there is no such tensor.
 */
int accel_instance_tensor(struct accel_instance *instance, enum accel_kind kind, uint32_t index,
			  void **data, uint64_t *bytes);

/* Starts a run of an instance. -EBUSY: it runs already. Errors of accel_submit(). */
int accel_instance_start(struct accel_instance *instance);

/*
 * Starts @count instances of @pool as one job, whose runs are one after the other: for the device
 * and the system one submission instead of many. The job ends as a whole, well or not, and each
 * instance is waited for. -EINVAL: there is none, one stands there twice, or one of another pool.
 * -EBUSY: one of them runs already. -ENOSPC: more than replays_max of struct accel_info. Errors of
 * accel_submit().
 */
int accel_pool_submit(struct accel_pool *pool, struct accel_instance *const *instances,
		      uint32_t count);

/*
 * Waits until the run has ended, or until @deadline_ns: how it ended, as accel_fence_wait().
 * -ETIMEDOUT: it has not ended; ask again. -EINVAL: nothing runs.
 */
int accel_instance_wait(struct accel_instance *instance, int64_t deadline_ns);

/*
 * How the last run that was waited for failed: what accel_instance_wait() returned for it, and
 * *@error as of accel_fence_error(). 0: it ended well, or there was none since the instance was
 * acquired.
 */
int accel_instance_error(struct accel_instance *instance, struct accel_error *error);

/*
 * When the last run that was waited for was under way: see accel_fence_times(). Instances that were
 * started as one job have the times of that. -ENODATA: there was none since the instance was
 * acquired.
 */
int accel_instance_times(struct accel_instance *instance, struct accel_fence_times *times,
			 size_t size);

/*
 * A file descriptor that polls as readable when the run has ended, valid until that is waited for;
 * as accel_fence_fd(). -EINVAL: nothing runs.
 */
int accel_instance_fd(struct accel_instance *instance);

#ifdef __cplusplus
}
#endif

#endif /* ACCEL_H */
