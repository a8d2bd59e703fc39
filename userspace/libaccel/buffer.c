// SPDX-License-Identifier: MIT
/* Buffers: what does not depend on the backend. */
#define _GNU_SOURCE /* F_GET_SEALS */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "userspace/libaccel/backend.h"

/* Serialises the mapping of buffers, which happens once for each. */
static pthread_mutex_t map_lock = PTHREAD_MUTEX_INITIALIZER;

/* What the backend has made becomes the caller's. */
static void publish(struct accel_device *device, struct accel_buffer *made, u64 size, bool shared,
		    struct accel_buffer **buffer)
{
	made->device = accel_device_get(device);
	made->size = size;
	made->shared = shared;
	*buffer = made;
}

static int create(struct accel_device *device, u64 size, bool shared, struct accel_buffer **buffer)
{
	u64 page = sysconf(_SC_PAGESIZE);
	struct accel_buffer *made;
	int ret;

	if (accel_forked(device))
		return -EPERM;
	if (!size || size > device->info.buffer_size_max)
		return -EINVAL;
	size = (size + page - 1) / page * page;
	ret = device->ops->buffer_create(device, size, shared, &made);
	if (!ret)
		publish(device, made, size, shared, buffer);
	return ret;
}

ACCEL_EXPORT int accel_buffer_create(struct accel_device *device, uint64_t size,
				     struct accel_buffer **buffer)
{
	ACCEL_KEEP_ERRNO;
	return create(device, size, false, buffer);
}

ACCEL_EXPORT int accel_buffer_create_shared(struct accel_device *device, uint64_t size,
					    struct accel_buffer **buffer)
{
	ACCEL_KEEP_ERRNO;
	return create(device, size, true, buffer);
}

ACCEL_EXPORT int accel_buffer_export(struct accel_buffer *buffer, int *fd)
{
	ACCEL_KEEP_ERRNO;
	int made, ret;

	if (accel_forked(buffer->device))
		return -EPERM;
	if (!buffer->shared)
		return -EINVAL;
	ret = buffer->device->ops->buffer_export(buffer, &made);
	if (!ret)
		*fd = made;
	return ret;
}

/* Whether a memfd with @seals stays as large as it is, at least, and may be written. */
static int check_seals(int seals)
{
	if (!(seals & F_SEAL_SHRINK))
		return -EINVAL;
	return seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? -EACCES : 0;
}

static int look_at_dmabuf(int fd, u64 *size)
{
	struct statfs fs;
	off_t end;

	if (fstatfs(fd, &fs))
		return -errno;
	if ((u32)fs.f_type != DMA_BUF_MAGIC)
		return -EINVAL;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return -errno;
	*size = end;
	return 0;
}

/* Describes what @fd is; an error if it may not be imported. */
static int look_at(const struct accel_device *device, int fd, struct accel_foreign *foreign)
{
	int flags = fcntl(fd, F_GETFL), seals = fcntl(fd, F_GET_SEALS), ret;
	struct stat st;

	/* Before it is sealed another process may shrink it: its size counts after that only. */
	if (flags < 0 || fstat(fd, &st))
		return -errno;
	*foreign = (struct accel_foreign){
		.fd = fd,
		.memfd = seals >= 0,
		.size = st.st_size,
		.dev = st.st_dev,
		.ino = st.st_ino,
	};
	ret = foreign->memfd ? check_seals(seals) : look_at_dmabuf(fd, &foreign->size);
	if (ret)
		return ret;
	if ((flags & O_ACCMODE) != O_RDWR)
		return -EACCES;
	if (!foreign->size || foreign->size > device->info.buffer_size_max ||
	    foreign->size % sysconf(_SC_PAGESIZE))
		return -EINVAL;
	return 0;
}

ACCEL_EXPORT int accel_buffer_import(struct accel_device *device, int fd,
				     struct accel_buffer **buffer)
{
	ACCEL_KEEP_ERRNO;
	struct accel_foreign foreign;
	struct accel_buffer *made;
	int ret;

	if (accel_forked(device))
		return -EPERM;
	ret = look_at(device, fd, &foreign);
	if (!ret)
		ret = device->ops->buffer_import(device, &foreign, &made);
	if (!ret)
		publish(device, made, foreign.size, true, buffer);
	return ret;
}

ACCEL_EXPORT void accel_buffer_destroy(struct accel_buffer *buffer)
{
	ACCEL_KEEP_ERRNO;
	struct accel_device *device;

	if (!buffer || accel_forked(buffer->device))
		return;
	device = buffer->device;
	device->ops->buffer_destroy(buffer);
	accel_device_put(device);
}

int accel_map(int fd, u64 offset, u64 size, void **memory)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, offset);
	int ret;

	if (mapped == MAP_FAILED)
		return -errno;
	if (madvise(mapped, size, MADV_DONTFORK)) {
		ret = -errno;
		munmap(mapped, size);
		return ret;
	}
	*memory = mapped;
	return 0;
}

ACCEL_EXPORT int accel_buffer_map(struct accel_buffer *buffer, void **memory)
{
	ACCEL_KEEP_ERRNO;
	void *mapped;
	int ret = 0;

	if (accel_forked(buffer->device))
		return -EPERM;
	pthread_mutex_lock(&map_lock);
	mapped = buffer->memory;
	if (!mapped) {
		ret = buffer->device->ops->buffer_map(buffer, &mapped);
		if (!ret)
			buffer->memory = mapped;
	}
	pthread_mutex_unlock(&map_lock);
	if (!ret)
		*memory = mapped;
	return ret;
}

ACCEL_EXPORT uint64_t accel_buffer_size(const struct accel_buffer *buffer)
{
	return buffer->size;
}
