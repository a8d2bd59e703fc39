/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Bindings: what stands behind a program's slots, as page addresses. Never as
 * pointers: each access maps anew, so that the host may move or refuse a page.
 *
 * Threads: the sequencer's only.
 */
#ifndef RONDO_EMULATOR_BINDING_H
#define RONDO_EMULATOR_BINDING_H

#include "emulator/device/device.h"
#include "spec/program.h"

enum {
	/* Most pages behind one slot: 16 GiB. A longer slot is refused as one whose list is too
	   short. */
	EMU_SLOT_PAGES_MAX = 1 << 22,
};

struct emu_slot {
	u64 *page; /* bus addresses, each of RONDO_PAGE_BYTES */
	u64 pages;
	u64 offset; /* of byte 0 of the slot in the pages */
	u64 size; /* bytes from there */
	u64 chosen; /* bytes; the offset of the replay that runs */
};

struct emu_binding {
	struct emu_device *dev;
	u32 program; /* number */
	u32 slots;
	struct emu_slot slot[RONDO_PROGRAM_SLOTS_MAX];
};

/*
 * Reads @size bytes behind the page list at @list into @to. Used for programs;
 * bindings keep the addresses instead.
 */
enum rondo_seq_status emu_read_pages(struct emu_device *dev, u64 list, void *to, u64 size);

/* Fills *@slot from what the host says of it. On failure *@slot owns nothing. */
enum rondo_seq_status emu_slot_init(struct emu_device *dev, struct emu_slot *slot,
				    const struct rondo_slot_binding *from);
void emu_slot_fini(struct emu_device *dev, struct emu_slot *slot);

/* As struct exec_io wants: @size bytes at @offset of a slot, counted from the chosen offset. */
bool emu_binding_read(void *binding, u32 slot, u64 offset, void *to, u64 size);
bool emu_binding_write(void *binding, u32 slot, u64 offset, const void *from, u64 size);

#endif
