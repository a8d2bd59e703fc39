/* SPDX-License-Identifier: MIT */
/*
 * What a backend does, and what the library keeps of every object.
 *
 * A backend embeds these structs first in its own. The library's files check arguments that
 * need no device, refuse calls in a forked child, and count references; a backend never sees
 * an object of another device.
 *
 * References: every object holds its device; the backend holds what else it needs. destroy
 * functions are called once, with no call on the object under way.
 */
#ifndef LIBACCEL_BACKEND_H
#define LIBACCEL_BACKEND_H

#include <errno.h>
#include <stdatomic.h>

#include "core/program.h"
#include "userspace/libaccel/accel.h"

#define ACCEL_EXPORT __attribute__((visibility("default")))

/* First in a function of the library that calls what may set errno: the caller's stays as it is. */
#define ACCEL_KEEP_ERRNO \
	__attribute__((cleanup(accel_errno_restore), unused)) const int kept_errno = errno

static inline void accel_errno_restore(const int *kept)
{
	errno = *kept;
}

/* How a submission failed. */
struct accel_fault {
	u32 result; /* number of spec/results.def, or 0: not known */
	u32 bundle; /* at fault, or ACCEL_UNKNOWN */
	u32 replay; /* number of the one that failed */
};

/* Memory behind a descriptor that may be imported: a file that can be read and written. */
struct accel_foreign {
	int fd;
	bool memfd; /* sealed; else a dma-buf */
	u64 size; /* in whole pages and within the device's limit */
	u64 dev, ino; /* the same for the same memory */
};

struct accel_backend {
	void (*close)(struct accel_device *device);
	int (*fd)(struct accel_device *device); /* or a negative errno */
	int (*clock)(struct accel_device *device, struct accel_clock *clock);

	/* @size is in whole pages and within the device's limit. */
	int (*buffer_create)(struct accel_device *device, u64 size, bool shared,
			     struct accel_buffer **buffer);
	int (*buffer_import)(struct accel_device *device, const struct accel_foreign *foreign,
			     struct accel_buffer **buffer);
	/* A new descriptor; only of buffers that are shared. */
	int (*buffer_export)(struct accel_buffer *buffer, int *fd);
	void (*buffer_destroy)(struct accel_buffer *buffer);
	/* Called with the device's lock held, and once if it succeeds. */
	int (*buffer_map)(struct accel_buffer *buffer, void **memory);

	int (*program_create)(struct accel_device *device, const void *data, u64 size, u64 budget,
			      struct accel_program **program, struct accel_error *error);
	void (*program_destroy)(struct accel_program *program);

	/* Sets *@error_slot to the slot at fault, if it is a slot's. */
	int (*binding_create)(struct accel_program *program, const struct accel_slot_binding *slots,
			      u32 count, struct accel_binding **binding, u32 *error_slot);
	void (*binding_destroy)(struct accel_binding *binding);

	int (*queue_create)(struct accel_device *device, u32 weight, struct accel_queue **queue);
	void (*queue_destroy)(struct accel_queue *queue);
	int (*queue_bound)(struct accel_queue *queue, u64 *cycles);

	/*
	 * Sets *@fence, which is not NULL here, with a descriptor that polls; notes the time if
	 * the queue notes times.
	 */
	int (*submit)(struct accel_queue *queue, const struct accel_job *job,
		      struct accel_fence **fence);
	/* How the submission ended: 0 or a negative errno; -EAGAIN if it has not. */
	int (*fence_status)(struct accel_fence *fence);
	/* Fills in what is known of how the submission failed; it has. */
	void (*fence_fault)(struct accel_fence *fence, struct accel_fault *fault);
	/* When the job, which has ended, was under way; not its energy. */
	int (*fence_times)(struct accel_fence *fence, struct accel_fence_times *times);
	void (*fence_destroy)(struct accel_fence *fence);
};

struct accel_device {
	const struct accel_backend *ops;
	atomic_uint refs;
	const volatile u8 *owner; /* a page that reads as 1, and in a forked child as 0 */
	u32 driver; /* version of the driver's interface, major << 16 | minor; 0: none */
	struct accel_info info;
	struct rondo_machine machine;
};

struct accel_buffer {
	struct accel_device *device;
	u64 size;
	bool shared; /* imported, or created to be exported */
	_Atomic(void *) memory; /* NULL until it is mapped */
};

struct accel_program {
	struct accel_device *device;
	u64 cycles;
	u32 cleared; /* bytes of each tile's SRAM before a replay */
	u32 slots;
	struct accel_energy energy;
};

struct accel_binding {
	struct accel_device *device;
	double energy_j; /* of a replay */
};

struct accel_queue {
	struct accel_device *device;
	atomic_bool notes_times; /* when jobs are submitted */
};

struct accel_fence {
	struct accel_device *device;
	int fd;
	u32 replays; /* of its job */
	double energy_j; /* of its job, if it ends well */
};

/* The name of the kernel's driver. */
#define ACCEL_DRM_DRIVER "rondo"

/* Where its nodes are. */
#define ACCEL_SYSFS "/sys/class/accel"
#define ACCEL_DEV "/dev/accel"

/*
 * Opens the first device of the kernel's driver that can be opened: nodes of @sysfs, whose files
 * have the same names in @dev.
 */
int accel_open_first(const char *sysfs, const char *dev, struct accel_device **device,
		     struct accel_error *error);

/* As accel_devices(), with those directories. */
int accel_list(const char *sysfs, const char *dev, struct accel_device_entry *entries, size_t size,
	       u32 *count);

/*
 * Calls @visit for each node of our driver in @sysfs, with its directory there and its file in
 * @dev, until it returns true.
 */
typedef bool (*accel_node_visitor)(void *ctx, const char *class, const char *path);
void accel_each_node(const char *sysfs, const char *dev, accel_node_visitor visit, void *ctx);

/* Why accel_drm_open() fails. */
const char *accel_open_reason(int ret);

/* A machine that can be emulated; a negative errno if none of this name can, and why. */
int accel_machine_named(const char *name, struct rondo_machine *machine, struct accel_error *error);

/* Opens a device of each backend; device->owner and refs are set by the caller. */
int accel_drm_open(const char *path, struct accel_device **device);
int accel_local_open(const struct rondo_machine *machine, struct accel_device **device,
		     struct accel_error *error);

/* Whether the process may have a device of @machine, as accel_local_open(); and its firmware. */
int accel_local_fits(const struct rondo_machine *machine, struct accel_error *error);
u32 accel_local_firmware(void);

/* device.c */
struct accel_device *accel_device_get(struct accel_device *device);
void accel_device_put(struct accel_device *device);

static inline bool accel_forked(const struct accel_device *device)
{
	return !*device->owner;
}

/* Maps @size bytes of @fd, or zeros if it is -1, for this process and no child. */
int accel_map(int fd, u64 offset, u64 size, void **memory);

/* Waits until one of @count descriptors is ready: 0; -ETIMEDOUT at @deadline_ns; else -errno. */
struct pollfd;
int accel_poll(struct pollfd *poll, unsigned long count, int64_t deadline_ns);

/*
 * A buffer for slot @slot of @model with its first content, mapped at *@memory, if the program
 * touches the slot. What stands in *@buffer after a failure is to be destroyed.
 */
int accel_make_slot(struct accel_device *device, const struct accel_model *model, u32 slot,
		    struct accel_buffer **buffer, u8 **memory, struct accel_error *error);

/* Empties @error, and fills its text; NULL is fine. */
void accel_error_clear(struct accel_error *error);
__attribute__((format(printf, 2, 3))) void accel_error_set(struct accel_error *error,
							   const char *fmt, ...);

/* Says in @error what -@ret means, if nobody has said more; returns @ret. */
int accel_fail(struct accel_error *error, int ret);

/* Says in @error that the verifier refused a program for @reason, at @index and @slot. */
void accel_error_refusal(struct accel_error *error, u32 reason, u32 index, u32 slot);

#endif
