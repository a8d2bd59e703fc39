/* SPDX-License-Identifier: MIT */
/*
 * The device inside the process, as its driver meets it: registers, doorbells, memory that it may
 * reach, interrupts. emu_hw.c is the only file of the library that knows the emulator and the
 * firmware.
 *
 * Threads: any function from any thread.
 */
#ifndef LIBACCEL_EMU_HW_H
#define LIBACCEL_EMU_HW_H

#include "spec/device.h"
#include "spec/machine.h"
#include "spec/regs.h"

struct emu_hw;

/* Called from the device's threads. */
struct emu_hw_ops {
	void (*irq)(void *ctx, u32 vector);
	/* There is no memory to load program @program: @why says what it needs. */
	void (*refused)(void *ctx, u32 program, const char *why);
	void *ctx;
};

enum { EMU_HW_REASON_BYTES = 128 };

/* Whether the process may have a device of @machine; else false, and what it needs in @why. */
bool emu_hw_fits(const struct rondo_machine *machine, char why[EMU_HW_REASON_BYTES]);

/* Creates a device of machine *@machine, as after reset. NULL: no memory or threads. */
struct emu_hw *emu_hw_create(const struct rondo_machine *machine, const struct emu_hw_ops *ops);

/* When this returns the device has ended all access to memory, and calls nobody any more. */
void emu_hw_destroy(struct emu_hw *hw);

u32 emu_hw_read(struct emu_hw *hw, u32 offset);
u64 emu_hw_read64(struct emu_hw *hw, u32 offset);
void emu_hw_write(struct emu_hw *hw, u32 offset, u32 value);
void emu_hw_write64(struct emu_hw *hw, u32 offset, u64 value);

/* Whether the device is there: one that has vanished reads as all ones. */
bool emu_hw_present(struct emu_hw *hw);

/* Rings doorbell @bell. */
void emu_hw_ring(struct emu_hw *hw, u32 bell);

/* Lets the device reach memory, and takes that back. */
int emu_hw_allow(struct emu_hw *hw, void *p, u64 size, bool write);
void emu_hw_forbid(struct emu_hw *hw, void *p, u64 size);

/* The address of @p for the device. */
u64 emu_hw_bus(const void *p);

/* The firmware image that belongs to the device. */
const u8 *emu_hw_image(void);
u32 emu_hw_image_bytes(void);

/* Sets the fault @name (emulator/device/faults.def) to @value; -ENOENT: there is none. */
int emu_hw_fault(struct emu_hw *hw, const char *name, u32 value);

/* How often it has acted. */
u32 emu_hw_fault_hits(struct emu_hw *hw, const char *name);

#endif
