/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The in-process front end. A mapping is a read lock on the table of ranges, so
 * that inproc_forbid() returns only when no access to what it takes back is left.
 */
#define _GNU_SOURCE /* pthread_rwlockattr_setkind_np() */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "emulator/frontend/inproc.h"

struct range {
	u64 first, size;
	bool write;
};

struct inproc {
	struct emu_device *dev;
	struct inproc_ops ops;
	pthread_rwlock_t lock; /* of the table; readers are mappings, at most one per thread */
	struct range *range;
	size_t ranges;
};

/* The range that gives @addr, for writing if @write; NULL if none does. */
static const struct range *find(const struct inproc *host, u64 addr, bool write)
{
	size_t i;

	for (i = 0; i < host->ranges; i++) {
		const struct range *r = &host->range[i];

		if (addr - r->first < r->size && (r->write || !write))
			return r;
	}
	return NULL;
}

static void *dma_map(void *ctx, u64 addr, u64 *size, bool write)
{
	struct inproc *host = ctx;
	const struct range *r;
	u64 left;

	pthread_rwlock_rdlock(&host->lock);
	r = find(host, addr, write);
	if (!r) {
		pthread_rwlock_unlock(&host->lock);
		return NULL;
	}
	left = r->first + r->size - addr;
	if (*size > left)
		*size = left;
	return (void *)(uintptr_t)addr;
}

static void dma_unmap(void *ctx, void *p, u64 size, bool write)
{
	struct inproc *host = ctx;

	(void)p, (void)size, (void)write;
	pthread_rwlock_unlock(&host->lock);
}

static void irq(void *ctx, u32 vector)
{
	struct inproc *host = ctx;

	if (host->ops.irq)
		host->ops.irq(host->ops.ctx, vector);
}

static u64 clock_ns(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void refused(void *ctx, u32 program, const char *why)
{
	struct inproc *host = ctx;

	if (host->ops.refused)
		host->ops.refused(host->ops.ctx, program, why);
}

static void trace(void *ctx, const char *event, u64 a, u64 b)
{
	struct inproc *host = ctx;

	if (host->ops.trace)
		host->ops.trace(host->ops.ctx, event, a, b);
}

static const struct emu_host_ops host_ops = {
	.dma_map = dma_map,
	.dma_unmap = dma_unmap,
	.irq = irq,
	.clock_ns = clock_ns,
	.refused = refused,
	.trace = trace,
};

struct inproc *inproc_create(const struct rondo_machine *machine, const struct inproc_ops *ops)
{
	struct inproc *host = calloc(1, sizeof(*host));
	pthread_rwlockattr_t attr;

	if (!host)
		return NULL;
	host->ops = *ops;
	/* The device's threads overlap; without this inproc_allow() could wait forever. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&host->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	host->dev = emu_create(machine, &host_ops, host, ops->memory ? ops->memory : UINT64_MAX);
	if (!host->dev) {
		int error = errno;

		inproc_destroy(host);
		errno = error;
		return NULL;
	}
	return host;
}

void inproc_destroy(struct inproc *host)
{
	if (!host)
		return;
	emu_destroy(host->dev);
	pthread_rwlock_destroy(&host->lock);
	free(host->range);
	free(host);
}

struct emu_device *inproc_device(struct inproc *host)
{
	return host->dev;
}

int inproc_allow(struct inproc *host, void *p, u64 size, bool write)
{
	struct range *grown;

	if (!size || inproc_bus(p) + size < size)
		return -EINVAL;
	pthread_rwlock_wrlock(&host->lock);
	grown = realloc(host->range, (host->ranges + 1) * sizeof(*grown));
	if (grown) {
		host->range = grown;
		host->range[host->ranges++] = (struct range){ inproc_bus(p), size, write };
	}
	pthread_rwlock_unlock(&host->lock);
	return grown ? 0 : -ENOMEM;
}

int inproc_forbid(struct inproc *host, void *p, u64 size)
{
	int err = -ENOENT;
	size_t i;

	pthread_rwlock_wrlock(&host->lock);
	for (i = 0; i < host->ranges; i++) {
		if (host->range[i].first != inproc_bus(p) || host->range[i].size != size)
			continue;
		host->range[i] = host->range[--host->ranges];
		err = 0;
		break;
	}
	pthread_rwlock_unlock(&host->lock);
	return err;
}
