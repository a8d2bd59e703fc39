// SPDX-License-Identifier: MIT
/*
 * The kernel's driver: each call is one ioctl of <drm/rondo_accel.h>.
 *
 * A fence is the sync_file of a syncobj of its queue, which every submission of the queue
 * replaces; the queue's lock keeps submission and export together.
 */
#define _GNU_SOURCE /* O_CLOEXEC, F_DUPFD_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drm.h>

#include "core/verify.h"
#include <drm/rondo_accel.h>
#include "userspace/libaccel/backend.h"

/* The major version of the driver's interface that this file speaks. */
#define DRIVER_MAJOR 1
#define DRIVER_MINOR_TIMES 1 /* from here on, times of submissions */

struct drm_device_file {
	struct accel_device base;
	int fd;
	u32 syncs_max; /* each way, per submission */
	atomic_ullong tag; /* of the last job, of whatever queue: the ids of queues come again */
	pthread_mutex_t lock; /* of what follows, and of handles that are shared */
	struct drm_memory *shared;
};

/*
 * A handle of memory that somebody else knows. The kernel gives one memory one handle, however
 * often it is imported; so the buffers of it are counted, and the last one closes it.
 */
struct drm_memory {
	struct drm_memory *next;
	u32 handle;
	u32 refs;
	int memfd; /* that it was imported from, or -1 */
	u64 size;
	u64 dev, ino; /* of @memfd */
};

struct drm_buffer {
	struct accel_buffer base;
	struct drm_device_file *file;
	u32 handle;
	struct drm_memory *memory; /* NULL: nobody else knows it */
};

struct drm_program {
	struct accel_program base;
	u32 id;
};

struct drm_binding {
	struct accel_binding base;
	u32 id;
};

struct drm_queue {
	struct accel_queue base;
	u32 id;
	u32 syncobj;
	pthread_mutex_t lock; /* of the syncobj */
};

struct drm_fence {
	struct accel_fence base;
	u32 queue; /* its job's */
	u64 tag;
};

static int fd_of(const struct accel_device *device)
{
	return ((const struct drm_device_file *)device)->fd;
}

/* Whether the driver knows what was added in minor version @minor. */
static bool knows(const struct accel_device *device, u32 minor)
{
	return (device->driver & 0xffff) >= minor;
}

static int call(int fd, unsigned long request, void *args)
{
	return drmIoctl(fd, request, args) ? -errno : 0;
}

static int query(int fd, u32 type, void *data, u32 size)
{
	struct drm_rondo_query args = { .type = type, .size = size, .data = (uintptr_t)data };

	return call(fd, DRM_IOCTL_RONDO_QUERY, &args);
}

static void drm_close(struct accel_device *device)
{
	pthread_mutex_destroy(&((struct drm_device_file *)device)->lock);
	close(fd_of(device));
	free(device);
}

static int drm_fd(struct accel_device *device)
{
	return fd_of(device);
}

static int drm_clock(struct accel_device *device, struct accel_clock *clock)
{
	struct drm_rondo_clock_info info = {};
	int ret = query(fd_of(device), DRM_RONDO_QUERY_CLOCK, &info, sizeof(info));

	if (!ret)
		*clock = (struct accel_clock){ info.device_cycles, info.monotonic_ns };
	return ret;
}

/* Gives up a buffer's share of @memory. */
static void memory_put(struct drm_device_file *file, struct drm_memory *memory)
{
	struct drm_memory **link = &file->shared;

	pthread_mutex_lock(&file->lock);
	if (!--memory->refs) {
		while (*link != memory)
			link = &(*link)->next;
		*link = memory->next;
		drmCloseBufferHandle(file->fd, memory->handle);
		if (memory->memfd >= 0)
			close(memory->memfd);
		free(memory);
	}
	pthread_mutex_unlock(&file->lock);
}

/* With the lock held: from now on @memory is that of @handle. */
static void publish_memory(struct drm_device_file *file, struct drm_memory *memory, u32 handle,
			   u64 size)
{
	memory->handle = handle;
	memory->size = size;
	memory->next = file->shared;
	file->shared = memory;
}

static int drm_buffer_create(struct accel_device *device, u64 size, bool shared,
			     struct accel_buffer **out)
{
	struct drm_device_file *file = (struct drm_device_file *)device;
	struct drm_memory *memory = shared ? calloc(1, sizeof(*memory)) : NULL;
	struct drm_buffer *buffer = calloc(1, sizeof(*buffer));
	struct drm_rondo_bo_create args = { .size = size };
	int ret = -ENOMEM;

	if (buffer && (memory || !shared))
		ret = call(file->fd, DRM_IOCTL_RONDO_BO_CREATE, &args);
	if (ret) {
		free(buffer);
		free(memory);
		return ret;
	}
	if (memory) {
		memory->memfd = -1;
		memory->refs = 1;
		pthread_mutex_lock(&file->lock);
		publish_memory(file, memory, args.handle, size);
		pthread_mutex_unlock(&file->lock);
	}
	*buffer = (struct drm_buffer){ .file = file, .handle = args.handle, .memory = memory };
	*out = &buffer->base;
	return 0;
}

/* A dma-buf of the memory of @foreign, a memfd; or a negative errno. */
static int make_dmabuf(const struct accel_foreign *foreign)
{
	struct udmabuf_create args = {
		.memfd = foreign->fd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = foreign->size,
	};
	int fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), dmabuf;

	if (fd < 0)
		return errno == ENOENT || errno == ENXIO || errno == ENODEV ? -ENOTSUP : -errno;
	dmabuf = ioctl(fd, UDMABUF_CREATE, &args);
	if (dmabuf < 0)
		dmabuf = -errno;
	close(fd);
	return dmabuf;
}

/* The memory that was imported from @foreign, a memfd, or NULL. */
static struct drm_memory *find_memfd(const struct drm_device_file *file,
				     const struct accel_foreign *foreign)
{
	struct drm_memory *memory = file->shared;

	while (memory &&
	       (memory->memfd < 0 || memory->dev != foreign->dev || memory->ino != foreign->ino))
		memory = memory->next;
	return memory;
}

static struct drm_memory *find_handle(const struct drm_device_file *file, u32 handle)
{
	struct drm_memory *memory = file->shared;

	while (memory && memory->handle != handle)
		memory = memory->next;
	return memory;
}

/* With the lock held: the memory of @foreign, a dma-buf, in *@out. It is @made if it is new. */
static int memory_of_dmabuf(struct drm_device_file *file, const struct accel_foreign *foreign,
			    struct drm_memory *made, struct drm_memory **out)
{
	u32 handle;

	if (drmPrimeFDToHandle(file->fd, foreign->fd, &handle))
		return -errno;
	*out = find_handle(file, handle);
	if (*out)
		return 0;
	publish_memory(file, made, handle, foreign->size);
	*out = made;
	return 0;
}

/* The same of a memfd. */
static int memory_of_memfd(struct drm_device_file *file, const struct accel_foreign *foreign,
			   struct drm_memory *made, struct drm_memory **out)
{
	struct accel_foreign dmabuf = { .size = foreign->size };
	int ret;

	*out = find_memfd(file, foreign);
	if (*out)
		return (*out)->size == foreign->size ? 0 : -EBUSY;
	/* While this is open no other file is taken for that one. */
	made->memfd = fcntl(foreign->fd, F_DUPFD_CLOEXEC, 0);
	if (made->memfd < 0)
		return -errno;
	made->dev = foreign->dev;
	made->ino = foreign->ino;
	ret = dmabuf.fd = make_dmabuf(foreign);
	if (dmabuf.fd >= 0) {
		ret = memory_of_dmabuf(file, &dmabuf, made, out);
		close(dmabuf.fd);
	}
	if (ret < 0)
		close(made->memfd);
	return ret;
}

static int drm_buffer_import(struct accel_device *device, const struct accel_foreign *foreign,
			     struct accel_buffer **out)
{
	struct drm_device_file *file = (struct drm_device_file *)device;
	struct drm_buffer *buffer = calloc(1, sizeof(*buffer));
	struct drm_memory *made = calloc(1, sizeof(*made)), *memory = NULL;
	int ret = -ENOMEM;

	if (buffer && made) {
		made->memfd = -1;
		pthread_mutex_lock(&file->lock);
		ret = foreign->memfd ? memory_of_memfd(file, foreign, made, &memory) :
				       memory_of_dmabuf(file, foreign, made, &memory);
		if (!ret)
			memory->refs++;
		pthread_mutex_unlock(&file->lock);
	}
	if (ret || memory != made)
		free(made);
	if (ret) {
		free(buffer);
		return ret;
	}
	*buffer = (struct drm_buffer){ .file = file, .handle = memory->handle, .memory = memory };
	*out = &buffer->base;
	return 0;
}

static int drm_buffer_export(struct accel_buffer *base, int *fd)
{
	const struct drm_buffer *buffer = (const struct drm_buffer *)base;

	return drmPrimeHandleToFD(buffer->file->fd, buffer->handle, DRM_CLOEXEC | DRM_RDWR, fd) ?
		       -errno :
		       0;
}

static void drm_buffer_destroy(struct accel_buffer *base)
{
	struct drm_buffer *buffer = (struct drm_buffer *)base;

	if (base->memory)
		munmap(base->memory, base->size);
	if (buffer->memory)
		memory_put(buffer->file, buffer->memory);
	else
		drmCloseBufferHandle(buffer->file->fd, buffer->handle);
	free(buffer);
}

static int drm_buffer_map(struct accel_buffer *base, void **memory)
{
	struct drm_buffer *buffer = (struct drm_buffer *)base;
	struct drm_rondo_bo_mmap_offset args = { .handle = buffer->handle };
	int ret = call(buffer->file->fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &args);

	return ret ? ret : accel_map(buffer->file->fd, args.offset, base->size, memory);
}

static int drm_program_create(struct accel_device *device, const void *data, u64 size, u64 budget,
			      struct accel_program **out, struct accel_error *error)
{
	struct drm_rondo_program_create args = {
		.data = (uintptr_t)data,
		.size = size,
		.budget = budget,
	};
	struct drm_program *program = calloc(1, sizeof(*program));
	int ret;

	if (!program)
		return -ENOMEM;
	ret = call(fd_of(device), DRM_IOCTL_RONDO_PROGRAM_CREATE, &args);
	if (ret) {
		if (ret == -EINVAL && args.error)
			accel_error_refusal(error, args.error, args.error_index, args.error_slot);
		free(program);
		return ret;
	}
	program->base.cycles = args.cycles;
	program->base.cleared = args.cleared;
	program->base.slots = ((const struct rondo_program_header *)data)->slots;
	program->id = args.id;
	*out = &program->base;
	return 0;
}

static void drm_program_destroy(struct accel_program *base)
{
	struct drm_rondo_program_destroy args = { .id = ((struct drm_program *)base)->id };

	call(fd_of(base->device), DRM_IOCTL_RONDO_PROGRAM_DESTROY, &args);
	free(base);
}

static int drm_binding_create(struct accel_program *program, const struct accel_slot_binding *slots,
			      u32 count, struct accel_binding **out, u32 *error_slot)
{
	struct drm_rondo_slot_binding slot[RONDO_PROGRAM_SLOTS_MAX] = {};
	struct drm_rondo_binding_create args = {
		.program = ((struct drm_program *)program)->id,
		.slots = (uintptr_t)slot,
		.slot_count = count,
		.slot_stride = sizeof(slot[0]),
	};
	struct drm_binding *binding = calloc(1, sizeof(*binding));
	int ret;
	u32 i;

	if (!binding)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		const struct drm_buffer *buffer = (const struct drm_buffer *)slots[i].buffer;

		slot[i].handle = buffer ? buffer->handle : 0;
		slot[i].offset = slots[i].offset;
	}
	ret = call(fd_of(program->device), DRM_IOCTL_RONDO_BINDING_CREATE, &args);
	if (ret) {
		*error_slot = args.error_slot;
		free(binding);
		return ret;
	}
	binding->id = args.id;
	*out = &binding->base;
	return 0;
}

static void drm_binding_destroy(struct accel_binding *base)
{
	struct drm_rondo_binding_destroy args = { .id = ((struct drm_binding *)base)->id };

	call(fd_of(base->device), DRM_IOCTL_RONDO_BINDING_DESTROY, &args);
	free(base);
}

static int drm_queue_create(struct accel_device *device, u32 weight, struct accel_queue **out)
{
	struct drm_rondo_queue_create args = { .weight = weight };
	struct drm_queue *queue = calloc(1, sizeof(*queue));
	int ret;

	if (!queue)
		return -ENOMEM;
	ret = drmSyncobjCreate(fd_of(device), 0, &queue->syncobj) ? -errno : 0;
	if (ret)
		goto err_free;
	ret = call(fd_of(device), DRM_IOCTL_RONDO_QUEUE_CREATE, &args);
	if (ret)
		goto err_syncobj;
	pthread_mutex_init(&queue->lock, NULL);
	queue->id = args.id;
	*out = &queue->base;
	return 0;

err_syncobj:
	drmSyncobjDestroy(fd_of(device), queue->syncobj);
err_free:
	free(queue);
	return ret;
}

static int drm_queue_bound(struct accel_queue *base, u64 *cycles)
{
	struct drm_rondo_queue_bound args = { .queue = ((struct drm_queue *)base)->id };
	int ret = call(fd_of(base->device), DRM_IOCTL_RONDO_QUEUE_BOUND, &args);

	*cycles = args.cycles;
	return ret;
}

static void drm_queue_destroy(struct accel_queue *base)
{
	struct drm_queue *queue = (struct drm_queue *)base;
	struct drm_rondo_queue_destroy args = { .id = queue->id };

	call(fd_of(base->device), DRM_IOCTL_RONDO_QUEUE_DESTROY, &args);
	drmSyncobjDestroy(fd_of(base->device), queue->syncobj);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

/* struct accel_offset and accel_sync are the kernel's structs under other names. */
static_assert(sizeof(struct accel_offset) == sizeof(struct drm_rondo_slot_offset) &&
		      offsetof(struct accel_offset, offset) ==
			      offsetof(struct drm_rondo_slot_offset, offset),
	      "layout of struct accel_offset");
static_assert(sizeof(struct accel_sync) == sizeof(struct drm_rondo_sync) &&
		      offsetof(struct accel_sync, point) == offsetof(struct drm_rondo_sync, point),
	      "layout of struct accel_sync");

/* Submits with the queue's syncobj as the last out sync, and exports that as a file. */
static int submit_and_export(struct drm_queue *queue, struct drm_rondo_submit *args, int *fd)
{
	int device = fd_of(queue->base.device), ret;

	pthread_mutex_lock(&queue->lock);
	ret = call(device, DRM_IOCTL_RONDO_SUBMIT, args);
	if (!ret && drmSyncobjExportSyncFile(device, queue->syncobj, fd))
		ret = -errno;
	pthread_mutex_unlock(&queue->lock);
	return ret;
}

/* What the kernel reads of a job, which ends with the queue's own syncobj; to be freed. */
struct request {
	struct accel_sync *out_syncs;
	struct drm_rondo_replay replay[];
};

static struct request *make_request(const struct drm_queue *queue, const struct accel_job *job)
{
	size_t replays = job->replay_count * sizeof(struct drm_rondo_replay);
	struct request *request = malloc(sizeof(*request) + replays +
					 (job->out_count + 1) * sizeof(struct accel_sync));
	u32 i;

	if (!request)
		return NULL;
	for (i = 0; i < job->replay_count; i++) {
		const struct accel_replay *from = &job->replays[i];

		request->replay[i] = (struct drm_rondo_replay){
			.binding = ((const struct drm_binding *)from->binding)->id,
			.offset_count = from->offset_count,
			.offsets = (uintptr_t)from->offsets,
			.offset_stride = sizeof(struct accel_offset),
		};
	}
	request->out_syncs = (struct accel_sync *)&request->replay[job->replay_count];
	if (job->out_count)
		memcpy(request->out_syncs, job->out_syncs,
		       job->out_count * sizeof(struct accel_sync));
	request->out_syncs[job->out_count] = (struct accel_sync){ .handle = queue->syncobj };
	return request;
}

static int drm_submit(struct accel_queue *base, const struct accel_job *job,
		      struct accel_fence **out)
{
	struct drm_device_file *device = (struct drm_device_file *)base->device;
	struct drm_queue *queue = (struct drm_queue *)base;
	struct drm_rondo_submit args = {
		.queue = queue->id,
		.replay_count = job->replay_count,
		.replay_stride = sizeof(struct drm_rondo_replay),
		.in_syncs = (uintptr_t)job->in_syncs,
		.in_count = job->in_count,
		.out_count = job->out_count + 1,
		.sync_stride = sizeof(struct accel_sync),
		.tag = atomic_fetch_add(&device->tag, 1),
	};
	struct request *request;
	struct drm_fence *fence;
	int ret = -ENOMEM;

	if (base->notes_times && knows(base->device, DRIVER_MINOR_TIMES))
		args.flags = DRM_RONDO_SUBMIT_TIME;
	/* One of the out syncs is the library's. */
	if (job->in_count > device->syncs_max || job->out_count >= device->syncs_max)
		return -ENOSPC;
	fence = calloc(1, sizeof(*fence));
	request = make_request(queue, job);
	if (fence && request) {
		args.replays = (uintptr_t)request->replay;
		args.out_syncs = (uintptr_t)request->out_syncs;
		fence->queue = queue->id;
		fence->tag = args.tag;
		ret = submit_and_export(queue, &args, &fence->base.fd);
	}
	free(request);
	if (ret) {
		free(fence);
		return ret;
	}
	*out = &fence->base;
	return 0;
}

static int drm_fence_status(struct accel_fence *fence)
{
	struct sync_file_info info = {};
	int ret = call(fence->fd, SYNC_IOC_FILE_INFO, &info);

	if (ret)
		return ret;
	return info.status < 0 ? info.status : info.status ? 0 : -EAGAIN;
}

/* A queue that is destroyed, or a later fault, makes the kernel forget; then nothing is known. */
static void drm_fence_fault(struct accel_fence *base, struct accel_fault *fault)
{
	struct drm_fence *fence = (struct drm_fence *)base;
	struct drm_rondo_queue_fault args = {
		.queue = fence->queue,
		.flags = DRM_RONDO_FAULT_OF_TAG,
		.tag = fence->tag,
	};

	if (call(fd_of(base->device), DRM_IOCTL_RONDO_QUEUE_FAULT, &args))
		return;
	fault->result = args.result;
	fault->replay = args.replay;
	if (args.bundle != DRM_RONDO_BUNDLE_NONE)
		fault->bundle = args.bundle;
}

static int drm_fence_times(struct accel_fence *base, struct accel_fence_times *times)
{
	struct drm_rondo_fence_times args = {
		.queue = ((struct drm_fence *)base)->queue,
		.fd = base->fd,
	};
	int ret;

	if (!knows(base->device, DRIVER_MINOR_TIMES))
		return -ENOTSUP;
	ret = call(fd_of(base->device), DRM_IOCTL_RONDO_FENCE_TIMES, &args);
	if (!ret)
		*times = (struct accel_fence_times){
			.queued = args.queued,
			.started = args.started,
			.ended = args.ended,
			.cycles = args.cycles,
		};
	return ret;
}

static void drm_fence_destroy(struct accel_fence *fence)
{
	close(fence->fd);
	free(fence);
}

static const struct accel_backend drm_backend = {
	.close = drm_close,
	.fd = drm_fd,
	.clock = drm_clock,
	.buffer_create = drm_buffer_create,
	.buffer_import = drm_buffer_import,
	.buffer_export = drm_buffer_export,
	.buffer_destroy = drm_buffer_destroy,
	.buffer_map = drm_buffer_map,
	.program_create = drm_program_create,
	.program_destroy = drm_program_destroy,
	.binding_create = drm_binding_create,
	.binding_destroy = drm_binding_destroy,
	.queue_create = drm_queue_create,
	.queue_destroy = drm_queue_destroy,
	.queue_bound = drm_queue_bound,
	.submit = drm_submit,
	.fence_status = drm_fence_status,
	.fence_fault = drm_fence_fault,
	.fence_times = drm_fence_times,
	.fence_destroy = drm_fence_destroy,
};

/* The driver's version in *@driver; -ENOTSUP if the file at @fd is not of the driver we know. */
static int check_driver(int fd, u32 *driver)
{
	drmVersionPtr version = drmGetVersion(fd);
	bool known;

	if (!version)
		return -ENOTSUP;
	known = !strcmp(version->name, ACCEL_DRM_DRIVER) && version->version_major == DRIVER_MAJOR;
	*driver = (u32)version->version_major << 16 | (u32)version->version_minor;
	drmFreeVersion(version);
	return known ? 0 : -ENOTSUP;
}

static int read_info(struct drm_device_file *file, int fd)
{
	struct accel_device *device = &file->base;
	struct drm_rondo_device_info info = {};
	int ret;

	ret = query(fd, DRM_RONDO_QUERY_DEVICE, &info, sizeof(info));
	if (!ret)
		ret = query(fd, DRM_RONDO_QUERY_MACHINE, &device->machine, sizeof(device->machine));
	if (ret)
		return ret;
	device->info = (struct accel_info){
		.backend = "drm",
		.machine_hash = info.machine_hash,
		.cycles_max = info.cycles_max,
		.buffer_size_max = info.bo_size_max,
		.clock_khz = info.clock_khz,
		.firmware = info.fw_version,
		.bundles_max = info.bundles_max,
		.slots_max = info.slots_max,
		.entries_max = info.entries_max,
		.descs_max = info.descs_max,
		.replays_max = info.replays_max,
		.offsets_max = info.offsets_max,
	};
	file->syncs_max = info.syncs_max;
	return 0;
}

int accel_drm_open(const char *path, struct accel_device **out)
{
	struct drm_device_file *device;
	struct stat st;
	int ret, fd;
	u32 driver = 0;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) ? -errno : S_ISCHR(st.st_mode) ? check_driver(fd, &driver) : -ENOTSUP;
	if (ret)
		goto err_close;
	device = calloc(1, sizeof(*device));
	ret = -ENOMEM;
	if (!device)
		goto err_close;
	ret = read_info(device, fd);
	if (ret)
		goto err_free;
	pthread_mutex_init(&device->lock, NULL);
	device->base.ops = &drm_backend;
	device->base.driver = driver;
	device->fd = fd;
	*out = &device->base;
	return 0;

err_free:
	free(device);
err_close:
	close(fd);
	return ret;
}
