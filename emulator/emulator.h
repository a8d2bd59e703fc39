/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The Rondo device, knowing nothing of its host. A front end creates it, passes
 * it the host's register accesses and serves struct emu_host_ops.
 *
 * Threads. Any function here may be called from any thread, several at a time,
 * except that emu_destroy() or emu_unplug() comes last and once. Reading and
 * writing registers, emu_reset() and the fault interface never wait for a running
 * program, a DMA or the host: they answer at once. The device has two threads of
 * its own, the management core and the sequencer; these alone map the host's
 * memory. Operations of the host, except clock_ns, are called with no lock of the
 * device held, so they may take locks under which the host also calls
 * emu_mmio_read() or emu_mmio_write().
 *
 * The guest that drives the device, its firmware included, is hostile. It can harm
 * only itself:
 *
 *  - Life. A guest can aim a DMA at the register that switches off the slot the
 *    device is plugged into. So an operation of the host may re-enter the device,
 *    reset it and unplug it, from the device's own threads too. struct emu_device
 *    counts its holders: the front end and each thread. emu_unplug() tells the
 *    threads to end and drops the front end's hold without waiting for anything;
 *    the last holder frees the device and tells the host so (released).
 *
 *  - Memory. All that the device allocates because of what the guest says (a
 *    program's copy and its decoded form, a binding, page lists, what a command
 *    needs for a while) is charged to one budget (emulator/budget.h) before it is
 *    allocated. A command that would exceed the budget ends as NO_MEMORY and leaves
 *    nothing behind. What the machine itself consists of is not charged: its
 *    description, which the host chose, bounds it.
 *
 *  - Time. Page lists end, or are refused; whatever a command does ends within
 *    10 ms of ABORT or reset.
 */
#ifndef RONDO_EMULATOR_EMULATOR_H
#define RONDO_EMULATOR_EMULATOR_H

#include "spec/device.h"
#include "spec/machine.h"

struct emu_device;

/*
 * The host as the device sees it. Required are dma_map, dma_unmap, irq and clock_ns. After
 * emu_unplug() they may still be called, until released is.
 */
struct emu_host_ops {
	/*
	 * Makes *@size (> 0) bytes at bus address @addr readable, or writable, by the
	 * device until dma_unmap(). May shorten *@size, not to 0. NULL: refused.
	 * Called from the device's threads; at most one mapping per thread at a time.
	 * Until dma_unmap() the thread does nothing but copy the bytes.
	 */
	void *(*dma_map)(void *host, u64 addr, u64 *size, bool write);
	/* Ends the mapping that returned @p; all of its @size bytes were accessed. */
	void (*dma_unmap)(void *host, void *p, u64 size, bool write);
	/* Sends the message of MSI-X vector @vector. From any thread that is in the device. */
	void (*irq)(void *host, u32 vector);
	/*
	 * Nanoseconds of a clock that never goes back and that runs like CLOCK_MONOTONIC.
	 * Called with a lock of the device held: must not wait, nor call the device.
	 */
	u64 (*clock_ns)(void *host);
	/*
	 * Program @program is not loaded for lack of the host's memory; @why, valid during the
	 * call, says to people what it needs. Before the command ends.
	 */
	void (*refused)(void *host, u32 program, const char *why);
	/* Something happened: @event, valid during the call, and two numbers that belong to it. */
	void (*trace)(void *host, const char *event, u64 a, u64 b);
	/* Called first and last in each thread of the device. */
	void (*thread_begin)(void *host);
	void (*thread_end)(void *host);
	/*
	 * The device that was unplugged is gone: the last call of all. From the last of its
	 * threads, or within emu_unplug().
	 */
	void (*released)(void *host);
};

enum { EMU_REASON_BYTES = 128 };

/*
 * Whether the process may have the address space that a device of @machine reserves; else false,
 * and in @why what it needs and how many tiles would fit. Reserves nothing.
 */
bool emu_fits(const struct rondo_machine *machine, char why[EMU_REASON_BYTES]);

/*
 * Creates a device as after reset. @machine is copied; @ops and @host are
 * borrowed until emu_destroy() returns, or until released. @memory: most bytes that the guest
 * may make the device allocate in sum; UINT64_MAX: no limit. NULL, and errno says why, if memory or
 * threads are short, or if rondo_machine_supported(@machine) is false.
 */
struct emu_device *emu_create(const struct rondo_machine *machine, const struct emu_host_ops *ops,
			      void *host, u64 memory);

/*
 * Stops the device, within 10 ms and the time of one host operation, and frees
 * it. Waits for the device's threads: not to be called from an operation of the host, nor
 * with a lock held that one needs. NULL is fine.
 */
void emu_destroy(struct emu_device *dev);

/*
 * Tells the device to stop, as emu_destroy(), and waits for nothing: may be called from an
 * operation of the host, in the device's own threads too, and under any lock. From then on the
 * caller may not use @dev; a mapping that exists is unmapped, and none is asked for after the
 * operation that runs. Released says when all is over.
 */
void emu_unplug(struct emu_device *dev);

/* As writing CTRL.RESET: begins a reset, which is done when STATUS is OFF. */
void emu_reset(struct emu_device *dev);

/*
 * The host reads or writes @size bytes at @offset of @bar (RONDO_BAR_REGS,
 * RONDO_BAR_BELLS, RONDO_BAR_FAULTS). By the rules of spec/regs.def, what is no
 * register reads as 0 and ignores writes. Only a front end that offers the fault
 * interface passes on accesses of RONDO_BAR_FAULTS.
 */
u64 emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size);
void emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size);

/* The faults of emulator/device/faults.def. */
enum emu_fault {
#define FAULT(name, meaning) EMU_FAULT_##name,
#include "emulator/device/faults.def"
	EMU_FAULTS,
};

enum { EMU_FAULT_HITS = 0x800 }; /* offset in BAR 4 of the counts of hits */

/* Number of the fault named @name, EMU_FAULTS if there is none. */
enum emu_fault emu_fault_find(const char *name);

/* Name of @fault (< EMU_FAULTS). */
const char *emu_fault_name(enum emu_fault fault);

/* Sets @fault (< EMU_FAULTS) to @value; what that means is in its row. */
void emu_fault_set(struct emu_device *dev, enum emu_fault fault, u32 value);

/* What is left of the value of @fault (< EMU_FAULTS). */
u32 emu_fault_value(struct emu_device *dev, enum emu_fault fault);

/* How often @fault has acted since the device was created. */
u32 emu_fault_hits(struct emu_device *dev, enum emu_fault fault);

#endif
