// SPDX-License-Identifier: MIT
/* The memory of the emulated backend: pages that the device may reach, and buffers. */
#define _GNU_SOURCE /* memfd_create() */
#include "userspace/libaccel/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static u64 round_up_to(u64 value, u64 unit)
{
	return (value + unit - 1) / unit * unit;
}

/*
 * Memory
 */

void local_pages_free(struct local_device *dev, struct local_pages *pages)
{
	if (pages->list) {
		local_hw_forbid(dev->hw, pages->list, pages->list_bytes);
		munmap(pages->list, pages->list_bytes);
	}
	if (pages->memory) {
		local_hw_forbid(dev->hw, pages->memory, pages->bytes);
		munmap(pages->memory, pages->bytes);
	}
	*pages = (struct local_pages){};
}

static void fill_list(struct local_pages *pages)
{
	u64 count = pages->bytes / RONDO_PAGE_BYTES, i;

	for (i = 0; i < count; i++)
		pages->list[i / RONDO_PAGE_LIST_ENTRIES].page[i % RONDO_PAGE_LIST_ENTRIES] =
			local_hw_bus(pages->memory + i * RONDO_PAGE_BYTES);
	for (i = 1; i * RONDO_PAGE_LIST_ENTRIES < count; i++)
		pages->list[i - 1].next = local_hw_bus(&pages->list[i]);
}

int local_pages_alloc(struct local_device *dev, struct local_pages *pages, int fd, u64 size,
		      bool write)
{
	u64 count = round_up_to(size, RONDO_PAGE_BYTES) / RONDO_PAGE_BYTES;
	void *memory;
	int ret;

	pages->bytes = count * RONDO_PAGE_BYTES;
	pages->list_bytes = (count + RONDO_PAGE_LIST_ENTRIES - 1) / RONDO_PAGE_LIST_ENTRIES *
			    sizeof(*pages->list);
	ret = accel_map(fd, 0, pages->bytes, &memory);
	if (ret)
		return ret;
	pages->memory = memory;
	ret = accel_map(-1, 0, pages->list_bytes, &memory);
	if (!ret) {
		pages->list = memory;
		fill_list(pages);
		ret = local_hw_allow(dev->hw, pages->list, pages->list_bytes, false);
	}
	if (!ret)
		ret = local_hw_allow(dev->hw, pages->memory, pages->bytes, write);
	if (ret)
		local_pages_free(dev, pages);
	return ret;
}

/*
 * Buffers
 */

static void memory_free(struct local_memory *memory)
{
	local_pages_free(memory->dev, &memory->pages);
	if (memory->fd >= 0)
		close(memory->fd);
	free(memory);
}

void local_memory_put(struct local_memory *memory)
{
	struct local_memory **link = &memory->dev->files;

	if (--memory->refs)
		return;
	while (*link && *link != memory)
		link = &(*link)->next;
	if (*link)
		*link = memory->next;
	memory_free(memory);
}

/* Memory of @size bytes of @fd, which it takes over, or of none if that is -1. */
static int memory_create(struct local_device *dev, int fd, u64 size, struct local_memory **out)
{
	struct local_memory *memory = calloc(1, sizeof(*memory));
	int ret;

	if (!memory) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	memory->dev = dev;
	memory->refs = 1;
	memory->fd = fd;
	ret = local_pages_alloc(dev, &memory->pages, fd, size, true);
	if (ret)
		memory_free(memory);
	else
		*out = memory;
	return ret;
}

/* With the lock held: from now on it is the memory of its file, which is file @ino of @st_dev. */
static void publish_file(struct local_memory *memory, u64 st_dev, u64 ino)
{
	memory->st_dev = st_dev;
	memory->ino = ino;
	memory->next = memory->dev->files;
	memory->dev->files = memory;
}

/* A file of @size bytes that keeps its size. */
static int sealed_file(u64 size, struct stat *st)
{
	int fd = memfd_create("rondo", MFD_CLOEXEC | MFD_ALLOW_SEALING), ret;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) && !fstat(fd, st))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static int shared_memory(struct local_device *dev, u64 size, struct local_memory **out)
{
	struct stat st;
	int fd = sealed_file(size, &st), ret;

	if (fd < 0)
		return fd;
	ret = memory_create(dev, fd, size, out);
	if (ret)
		return ret;
	pthread_mutex_lock(&dev->lock);
	publish_file(*out, st.st_dev, st.st_ino);
	pthread_mutex_unlock(&dev->lock);
	return 0;
}

/* With the lock held. */
static int foreign_memory(struct local_device *dev, const struct accel_foreign *foreign,
			  struct local_memory **out)
{
	struct local_memory *memory = dev->files;
	int fd, ret;

	while (memory && (memory->st_dev != foreign->dev || memory->ino != foreign->ino))
		memory = memory->next;
	if (memory && memory->pages.bytes != foreign->size)
		return -EBUSY;
	if (memory) {
		memory->refs++;
		*out = memory;
		return 0;
	}
	/* A descriptor of its own: while it is open no other file is taken for this one. */
	fd = fcntl(foreign->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = memory_create(dev, fd, foreign->size, out);
	if (!ret)
		publish_file(*out, foreign->dev, foreign->ino);
	return ret;
}

int local_buffer_create(struct accel_device *device, u64 size, bool shared,
			struct accel_buffer **out)
{
	struct local_device *dev = (struct local_device *)device;
	struct local_buffer *buffer = calloc(1, sizeof(*buffer));
	int ret;

	if (!buffer)
		return -ENOMEM;
	ret = shared ? shared_memory(dev, size, &buffer->memory) :
		       memory_create(dev, -1, size, &buffer->memory);
	if (ret)
		free(buffer);
	else
		*out = &buffer->base;
	return ret;
}

int local_buffer_import(struct accel_device *device, const struct accel_foreign *foreign,
			struct accel_buffer **out)
{
	struct local_device *dev = (struct local_device *)device;
	struct local_buffer *buffer = calloc(1, sizeof(*buffer));
	int ret;

	if (!buffer)
		return -ENOMEM;
	pthread_mutex_lock(&dev->lock);
	ret = foreign_memory(dev, foreign, &buffer->memory);
	pthread_mutex_unlock(&dev->lock);
	if (ret)
		free(buffer);
	else
		*out = &buffer->base;
	return ret;
}

int local_buffer_export(struct accel_buffer *base, int *fd)
{
	int made = fcntl(((struct local_buffer *)base)->memory->fd, F_DUPFD_CLOEXEC, 0);

	if (made < 0)
		return -errno;
	*fd = made;
	return 0;
}

void local_buffer_destroy(struct accel_buffer *base)
{
	struct local_buffer *buffer = (struct local_buffer *)base;
	struct local_device *dev = buffer->memory->dev;

	pthread_mutex_lock(&dev->lock);
	local_memory_put(buffer->memory);
	pthread_mutex_unlock(&dev->lock);
	free(buffer);
}

int local_buffer_map(struct accel_buffer *base, void **memory)
{
	*memory = ((struct local_buffer *)base)->memory->pages.memory;
	return 0;
}
