/* SPDX-License-Identifier: MIT */
/*
 * The device inside the process, as its driver meets it: registers, doorbells, memory that it may
 * reach, interrupts. local_hw.c is the only file of the library that knows the emulator and the
 * firmware.
 *
 * Threads: any function from any thread.
 */
#ifndef LIBACCEL_LOCAL_HW_H
#define LIBACCEL_LOCAL_HW_H

#include "spec/device.h"
#include "spec/machine.h"
#include "spec/regs.h"

struct local_hw;

/* Called from the device's threads. */
struct local_hw_ops {
	void (*irq)(void *ctx, u32 vector);
	/* There is no memory to load program @program: @why says what it needs. */
	void (*refused)(void *ctx, u32 program, const char *why);
	void *ctx;
};

enum { LOCAL_HW_REASON_BYTES = 128 };

/* Whether the process may have a device of @machine; else false, and what it needs in @why. */
bool local_hw_fits(const struct rondo_machine *machine, char why[LOCAL_HW_REASON_BYTES]);

/* Creates a device of machine *@machine, as after reset. NULL: no memory or threads; errno says
 * which. */
struct local_hw *local_hw_create(const struct rondo_machine *machine,
				 const struct local_hw_ops *ops);

/* When this returns the device has ended all access to memory, and calls nobody any more. */
void local_hw_destroy(struct local_hw *hw);

u32 local_hw_read(struct local_hw *hw, u32 offset);
u64 local_hw_read64(struct local_hw *hw, u32 offset);
void local_hw_write(struct local_hw *hw, u32 offset, u32 value);
void local_hw_write64(struct local_hw *hw, u32 offset, u64 value);

/* Whether the device is there: one that has vanished reads as all ones. */
bool local_hw_present(struct local_hw *hw);

/* Rings doorbell @bell. */
void local_hw_ring(struct local_hw *hw, u32 bell);

/* Lets the device reach memory, and takes that back. */
int local_hw_allow(struct local_hw *hw, void *p, u64 size, bool write);
void local_hw_forbid(struct local_hw *hw, void *p, u64 size);

/* The address of @p for the device. */
u64 local_hw_bus(const void *p);

/* The firmware image that belongs to the device. */
const u8 *local_hw_image(void);
u32 local_hw_image_bytes(void);

/* Sets the fault @name (emulator/device/faults.def) to @value; -ENOENT: there is none. */
int local_hw_fault(struct local_hw *hw, const char *name, u32 value);

/* How often it has acted. */
u32 local_hw_fault_hits(struct local_hw *hw, const char *name);

#endif
