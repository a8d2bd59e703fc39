/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The in-process front end: the device on the memory of this process.
 *
 * A bus address is the address of a byte of the process as a number. The device
 * reaches only what inproc_allow() has named; everything else is refused as a
 * host's IOMMU would.
 *
 * Threads: every function may be called from any thread. A callback of
 * struct inproc_ops is called from the device's threads with no lock held.
 */
#ifndef RONDO_EMULATOR_FRONTEND_INPROC_H
#define RONDO_EMULATOR_FRONTEND_INPROC_H

#include "emulator/emulator.h"

struct inproc;

struct inproc_ops {
	void (*irq)(void *ctx, u32 vector); /* may be NULL: IRQ_STATUS is polled */
	void (*refused)(void *ctx, u32 program, const char *why); /* may be NULL; as emulator.h's */
	void (*trace)(void *ctx, const char *event, u64 a, u64 b); /* may be NULL */
	void *ctx;
	u64 memory; /* as emu_create()'s, in bytes; 0: no limit */
};

/* Creates a device of machine *@machine; *@ops is copied. NULL as emu_create(). */
struct inproc *inproc_create(const struct rondo_machine *machine, const struct inproc_ops *ops);

/*
 * Destroys the device, which has ended all access to memory when this returns. Not to be called
 * from a callback of struct inproc_ops. NULL is fine.
 */
void inproc_destroy(struct inproc *host);

/* The device, to read and write its registers by emu_mmio_*() and to set faults. */
struct emu_device *inproc_device(struct inproc *host);

/*
 * Lets the device reach @size bytes at @p, for writing too if @write. Ranges may
 * overlap and touch. Returns 0, -EINVAL for an empty range or -ENOMEM.
 */
int inproc_allow(struct inproc *host, void *p, u64 size, bool write);

/*
 * Takes back exactly what inproc_allow(@p, @size) gave, and waits for accesses of
 * the device that are in flight (at most one copy). -ENOENT if there is no such range.
 */
int inproc_forbid(struct inproc *host, void *p, u64 size);

/* Bus address of @p. */
static inline u64 inproc_bus(const void *p)
{
	return (u64)(uintptr_t)p;
}

#endif
